//! Keys of DKIM and of DKIM2 on disk: `DOMAIN/SELECTOR.pem`, under the same rules as all private keys (security.md K2).

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;
use zi2_mail::{Domain, Timestamp};
use zi2_sig::dkim::{DkimKeyFileError, DkimSigningKey, Selector};
use zi2_sig::dkim2::MlDsaSigningKey;
use zi2_sig::limits::DKIM_KEY_FILE_OCTETS;

use super::dkim_new::NewDkimKey;
use super::error::FileError;
use super::read::{KeyPlace, check_directory, check_private, open_directory, read_private};
use super::write::Folder;
use crate::limits;

/// A key of ours and whom it signs for.
pub struct DkimFile<K = DkimSigningKey> {
    /// `d=`.
    pub domain: Domain,
    /// `s=`.
    pub selector: Selector,
    /// The key.
    pub key: Arc<K>,
    /// Where it was read.
    pub path: PathBuf,
}

/// A key that signs DKIM2.
pub enum Dkim2Key {
    /// RSA or Ed25519.
    Dkim(Arc<DkimSigningKey>),
    /// ML-DSA-44.
    MlDsa(Arc<MlDsaSigningKey>),
}

impl Dkim2Key {
    fn parse_file(octets: &[u8]) -> Result<Dkim2Key, DkimKeyFileError> {
        match MlDsaSigningKey::parse_file(octets) {
            Some(key) => Ok(Dkim2Key::MlDsa(Arc::new(key))),
            None => DkimSigningKey::parse_file(octets).map(|key| Dkim2Key::Dkim(Arc::new(key))),
        }
    }

    /// The TXT record that publishes it.
    pub fn record(&self) -> String {
        match self {
            Dkim2Key::Dkim(key) => key.record(),
            Dkim2Key::MlDsa(key) => key.record(),
        }
    }
}

/// What the names of credentials of DKIM2 begin with: `LoadCredential=dkim2:DIRECTORY`.
const DKIM2_CREDENTIAL: &str = "dkim2_";

/// All keys of a directory, by domain and selector: `DOMAIN/SELECTOR.pem`, for credentials `<id>_DOMAIN_SELECTOR.pem`. Other
/// names are not looked at. Refuses the whole if one cannot be trusted.
pub fn load_dkim(directory: &Path, place: KeyPlace) -> Result<Vec<DkimFile>, FileError> {
    load(directory, place, &|name| !name.starts_with(DKIM2_CREDENTIAL), DkimSigningKey::parse_file)
}

/// The same for keys that sign DKIM2 alone; of credentials, those with the id `dkim2`.
pub fn load_dkim2(directory: &Path, place: KeyPlace) -> Result<Vec<DkimFile<Dkim2Key>>, FileError> {
    load(directory, place, &|name| name.starts_with(DKIM2_CREDENTIAL), Dkim2Key::parse_file)
}

type Parse<K> = fn(&[u8]) -> Result<K, DkimKeyFileError>;

fn load<K>(
    directory: &Path,
    place: KeyPlace,
    is_ours: &dyn Fn(&str) -> bool,
    parse: Parse<K>,
) -> Result<Vec<DkimFile<K>>, FileError> {
    let opened = open_directory(directory)?;
    let mut found = Vec::new();
    match place {
        KeyPlace::Ours => {
            for name in names(&opened, directory)? {
                let Ok(domain) = Domain::parse(&name) else { continue };
                let path = directory.join(&name);
                let Some(folder) = subdirectory(&opened, &name, &path)? else { continue };
                let files: BTreeMap<_, _> = names(&folder, &path)?.into_iter().filter_map(selector_file).collect();
                for (selector, name) in files {
                    let key = read_dkim(&folder, &name, &path.join(&name), place, parse)?;
                    found.push(DkimFile {
                        domain: domain.clone(),
                        selector,
                        key: Arc::new(key),
                        path: path.join(&name),
                    });
                }
            }
        }
        KeyPlace::Credentials => {
            for name in names(&opened, directory)?.into_iter().filter(|name| is_ours(name)) {
                let Some((domain, selector)) = credential(&name) else { continue };
                let path = directory.join(&name);
                let key = Arc::new(read_dkim(&opened, &name, &path, place, parse)?);
                found.push(DkimFile { domain, selector, key, path });
            }
        }
    }
    found.sort_by(|a, b| (&a.domain, &a.selector).cmp(&(&b.domain, &b.selector)));
    let crowded = |keys: &&[DkimFile<K>]| keys.len() > limits::DKIM_KEYS;
    match found.chunk_by(|a, b| a.domain == b.domain).find(crowded).and_then(<[_]>::first) {
        Some(first) => Err(FileError::TooManyDkim { path: directory.join(first.domain.as_str()) }),
        None => Ok(found),
    }
}

/// A key in one file of any name. Refuses it by the same rules, its directory too.
pub fn load_dkim_file(path: &Path) -> Result<DkimSigningKey, FileError> {
    let (Some(name), Some(parent)) = (path.file_name().and_then(|name| name.to_str()), path.parent()) else {
        return Err(FileError::NotAFile { path: path.to_owned() });
    };
    read_dkim(&open_directory(parent)?, name, path, KeyPlace::Ours, DkimSigningKey::parse_file)
}

/// Refuses a table that holds keys if others can read or change it.
pub fn check_dkim_table(path: &Path) -> Result<(), FileError> {
    check_private(path)
}

/// Writes `DOMAIN/SELECTOR.pem`. Makes the directory of the domain; refuses if the key exists, or if others may write there.
pub fn create_dkim(
    directory: &Path,
    domain: &Domain,
    selector: &Selector,
    key: &NewDkimKey,
) -> Result<PathBuf, FileError> {
    let path = domain_directory(directory, domain)?;
    let (folder, name) = (Folder::open(&path)?, format!("{selector}.pem"));
    folder.create(&name, key.pem().as_bytes())?;
    Ok(folder.path(&name))
}

/// The same in the place of a key there; gives the dated copy of that one, too.
pub fn replace_dkim(
    directory: &Path,
    domain: &Domain,
    selector: &Selector,
    key: &NewDkimKey,
    now: Timestamp,
) -> Result<(PathBuf, Option<PathBuf>), FileError> {
    let path = domain_directory(directory, domain)?;
    let (folder, name) = (Folder::open(&path)?, format!("{selector}.pem"));
    let kept = folder.replace(&name, key.pem().as_bytes(), now)?;
    Ok((folder.path(&name), kept))
}

fn domain_directory(directory: &Path, domain: &Domain) -> Result<PathBuf, FileError> {
    let (opened, path) = (open_directory(directory)?, directory.join(domain.as_str()));
    match rustix::fs::mkdirat(&opened, domain.as_str(), Mode::RWXU) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(errno) => return Err(FileError::io(&path, "create", errno)),
    }
    match subdirectory(&opened, domain.as_str(), &path)? {
        Some(_) => Ok(path),
        None => Err(FileError::NotAFile { path }),
    }
}

/// A directory in an open one; nothing if the name is something else's. Refuses a link: somebody else may choose the keys.
fn subdirectory(opened: &OwnedFd, name: &str, path: &Path) -> Result<Option<OwnedFd>, FileError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::openat(opened, name, flags, Mode::empty()) {
        Ok(directory) => check_directory(directory, path).map(Some),
        Err(Errno::NOTDIR | Errno::LOOP) => {
            let stat = rustix::fs::statat(opened, name, AtFlags::SYMLINK_NOFOLLOW);
            let is_link = stat.is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Symlink);
            if is_link { Err(FileError::Symlink { path: path.to_owned() }) } else { Ok(None) }
        }
        Err(errno) => Err(FileError::opening(path, errno)),
    }
}

fn names(directory: &OwnedFd, path: &Path) -> Result<Vec<String>, FileError> {
    let failed = |errno| FileError::io(path, "list", errno);
    let mut names = Vec::new();
    for entry in Dir::read_from(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        names.extend(entry.file_name().to_str().ok().filter(|name| !name.starts_with('.')).map(str::to_owned));
        if names.len() > limits::DIRECTORY_ENTRIES {
            return Err(FileError::TooMany { path: path.to_owned() });
        }
    }
    Ok(names)
}

/// `SELECTOR.pem`.
fn selector_file(name: String) -> Option<(Selector, String)> {
    Some((Selector::parse(name.strip_suffix(".pem")?).ok()?, name))
}

/// What systemd makes of `DOMAIN/SELECTOR.pem` and `LoadCredential=id:directory`. No domain has an underscore.
fn credential(name: &str) -> Option<(Domain, Selector)> {
    let (_, rest) = name.strip_suffix(".pem")?.split_once('_')?;
    let (domain, selector) = rest.split_once('_')?;
    Some((Domain::parse(domain).ok()?, Selector::parse(selector).ok()?))
}

fn read_dkim<K>(
    directory: &OwnedFd,
    name: &str,
    path: &Path,
    place: KeyPlace,
    parse: Parse<K>,
) -> Result<K, FileError> {
    let octets = read_private(directory, name, path, place, DKIM_KEY_FILE_OCTETS)?;
    parse(&octets).map_err(|source| FileError::DkimContent { path: path.to_owned(), source })
}
