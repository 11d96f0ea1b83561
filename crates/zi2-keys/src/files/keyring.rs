//! The keys this process signs with.

use std::collections::BTreeMap;
use std::ffi::CStr;
use std::fmt;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::Dir;
use zi2_mail::Timestamp;
use zi2_sig::{Kid, PublicKey, SigningKey};

use super::error::FileError;
use super::read::{KeyPlace, open_directory, read_key};
use crate::limits;

/// Our private keys, by identifier. It signs with none by itself and prints identifiers only.
pub struct Keyring {
    keys: BTreeMap<Kid, Arc<SigningKey>>,
}

impl Keyring {
    /// No keys.
    #[must_use]
    pub fn empty() -> Keyring {
        Keyring { keys: BTreeMap::new() }
    }

    /// All `<kid>.key` files of a directory (for credentials also `<id>_<kid>.key`); other names are not looked at. Refuses the whole if one cannot be trusted.
    pub fn load(directory: &Path, place: KeyPlace) -> Result<Keyring, FileError> {
        let opened = open_directory(directory)?;
        let mut ring = Keyring::empty();
        for (kid, name) in key_files(&opened, directory, place)? {
            ring.keys.insert(kid, Arc::new(read_key(&opened, &name, &directory.join(&name), place)?));
        }
        Ok(ring)
    }

    /// One key in a file of any name. Refuses it by the same rules, its directory too.
    pub fn load_file(path: &Path, kid: Kid, place: KeyPlace) -> Result<Keyring, FileError> {
        let (Some(name), Some(parent)) = (path.file_name().and_then(|name| name.to_str()), path.parent()) else {
            return Err(FileError::NotAFile { path: path.to_owned() });
        };
        let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        let key = read_key(&open_directory(parent)?, name, path, place)?;
        Ok(Keyring { keys: BTreeMap::from([(kid, Arc::new(key))]) })
    }

    /// Takes over the other's keys, where it has none of that identifier itself.
    pub fn extend(&mut self, other: Keyring) {
        for (kid, key) in other.keys {
            self.keys.entry(kid).or_insert(key);
        }
    }

    /// The key to sign with: the one wanted, or else the newest whose month is not in the future.
    pub fn active(&self, now: Timestamp, wanted: Option<Kid>) -> Option<(Kid, &Arc<SigningKey>)> {
        let of = |kid: Kid| self.keys.get(&kid).map(|key| (kid, key));
        match wanted {
            Some(kid) => of(kid),
            None => self.keys.keys().rfind(|kid| kid.month() <= now.month()).and_then(|kid| of(*kid)),
        }
    }

    /// Identifiers and public keys, oldest first.
    pub fn public_keys(&self) -> impl Iterator<Item = (Kid, PublicKey)> {
        self.keys.iter().map(|(kid, key)| (*kid, key.public()))
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.keys.keys()).finish()
    }
}

fn key_files(directory: &OwnedFd, path: &Path, place: KeyPlace) -> Result<BTreeMap<Kid, String>, FileError> {
    let failed = |errno| FileError::io(path, "list", errno);
    let mut files = BTreeMap::new();
    let entries = Dir::read_from(directory).map_err(failed)?;
    let listed = entries.filter(|entry| !entry.as_ref().is_ok_and(|entry| is_itself(entry.file_name())));
    for (count, entry) in listed.enumerate() {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_str().unwrap_or_default();
        if let Some(kid) = kid_of(name, place) {
            // Two credentials may hold one identifier; the order of a directory must not choose the key.
            let chosen = files.entry(kid).or_insert_with(|| name.to_owned());
            *chosen = chosen.as_str().min(name).to_owned();
        }
        if count >= limits::DIRECTORY_ENTRIES || files.len() > limits::KEYS {
            return Err(FileError::TooMany { path: path.to_owned() });
        }
    }
    Ok(files)
}

/// Whether an entry is the directory itself or the one above.
fn is_itself(name: &CStr) -> bool {
    matches!(name.to_bytes(), b"." | b"..")
}

/// `<kid>.key`; among credentials also `<id>_<kid>.key`, which is what systemd makes of `LoadCredential=id:directory`.
fn kid_of(name: &str, place: KeyPlace) -> Option<Kid> {
    let stem = name.strip_suffix(".key")?;
    let kid = match place {
        KeyPlace::Ours => stem,
        KeyPlace::Credentials => stem.rsplit_once('_').map_or(stem, |(_, kid)| kid),
    };
    Kid::parse(kid).ok()
}
