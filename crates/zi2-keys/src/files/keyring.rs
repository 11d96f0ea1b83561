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
use crate::rotation::{FILE, read_state};

/// Our private keys, by identifier. It signs with none by itself and prints identifiers only.
pub struct Keyring {
    keys: BTreeMap<Kid, Arc<SigningKey>>,
    choice: Choice,
}

/// Who says which key signs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Choice {
    /// The calendar.
    Newest,
    /// The state of the rotation: this one, or none.
    Rotation(Option<Kid>),
}

impl Keyring {
    /// No keys.
    #[must_use]
    pub fn empty() -> Keyring {
        Keyring { keys: BTreeMap::new(), choice: Choice::Newest }
    }

    /// All `<kid>.key` files of a directory (for credentials also `<id>_<kid>.key`) but those whose rotation is over, and the
    /// state of the rotation; other names are not looked at. Refuses the whole if one cannot be trusted.
    pub fn load(directory: &Path, place: KeyPlace) -> Result<Keyring, FileError> {
        let opened = open_directory(directory)?;
        let mut ring = Keyring::empty();
        let listed = listed(&opened, directory, place)?;
        let rotation = match &listed.state {
            Some(name) => read_state(&opened, name, directory, place)?,
            None => None,
        };
        if let Some(rotation) = &rotation {
            ring.choice = Choice::Rotation(rotation.active());
        }
        let is_over = |kid| rotation.as_ref().and_then(|rotation| rotation.get(kid)).is_some_and(|e| e.stage.is_over());
        for (kid, name) in listed.keys.into_iter().filter(|(kid, _)| !is_over(*kid)) {
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
        Ok(Keyring { keys: BTreeMap::from([(kid, Arc::new(key))]), choice: Choice::Newest })
    }

    /// Takes over the other's keys, where it has none of that identifier itself. Which key signs stays its own choice.
    pub fn extend(&mut self, other: Keyring) {
        for (kid, key) in other.keys {
            self.keys.entry(kid).or_insert(key);
        }
    }

    /// The key to sign with: the one wanted, or else the one the rotation says, or where there is none, the newest whose month
    /// is not in the future.
    pub fn active(&self, now: Timestamp, wanted: Option<Kid>) -> Option<(Kid, &Arc<SigningKey>)> {
        let of = |kid: Kid| self.keys.get(&kid).map(|key| (kid, key));
        match (wanted, self.choice) {
            (Some(kid), _) => of(kid),
            (None, Choice::Rotation(active)) => active.and_then(of),
            (None, Choice::Newest) => self.keys.keys().rfind(|kid| kid.month() <= now.month()).and_then(|kid| of(*kid)),
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

/// What stands in a directory that is of use.
struct Listed {
    keys: BTreeMap<Kid, String>,
    state: Option<String>,
}

fn listed(directory: &OwnedFd, path: &Path, place: KeyPlace) -> Result<Listed, FileError> {
    let failed = |errno| FileError::io(path, "list", errno);
    let (mut files, mut state) = (BTreeMap::new(), None::<String>);
    let entries = Dir::read_from(directory).map_err(failed)?;
    let listed = entries.filter(|entry| !entry.as_ref().is_ok_and(|entry| is_itself(entry.file_name())));
    for (count, entry) in listed.enumerate() {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_str().unwrap_or_default();
        if let Some(kid) = kid_of(name, place) {
            // Two credentials may hold one identifier; the order of a directory must not choose the key.
            let chosen = files.entry(kid).or_insert_with(|| name.to_owned());
            *chosen = chosen.as_str().min(name).to_owned();
        } else if is_state(name, place) {
            let chosen = state.get_or_insert_with(|| name.to_owned());
            *chosen = chosen.as_str().min(name).to_owned();
        }
        if count >= limits::DIRECTORY_ENTRIES || files.len() > limits::KEYS {
            return Err(FileError::TooMany { path: path.to_owned() });
        }
    }
    Ok(Listed { keys: files, state })
}

/// Whether an entry is the directory itself or the one above.
fn is_itself(name: &CStr) -> bool {
    matches!(name.to_bytes(), b"." | b"..")
}

/// `rotation`; among credentials also `<id>_rotation`.
fn is_state(name: &str, place: KeyPlace) -> bool {
    match place {
        KeyPlace::Ours => name == FILE,
        KeyPlace::Credentials => name.rsplit('_').next() == Some(FILE),
    }
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
