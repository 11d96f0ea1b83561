//! Reading key files: only those that nobody else could read or change (security.md K2).

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags, Stat};
use zeroize::Zeroizing;
use zi2_sig::SigningKey;
use zi2_sig::limits::KEY_FILE_OCTETS;

use super::error::{FileError, quoted};

/// Whose rules a directory follows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyPlace {
    /// A directory of ours: nobody else may read a key.
    Ours,
    /// systemd's `$CREDENTIALS_DIRECTORY`: files are root's with mode 0440, since an access list grants them to us and its
    /// mask shows as the group's bits. Nobody else may write there.
    Credentials,
}

impl KeyPlace {
    /// Permission bits a key file must not have.
    fn forbidden(self) -> u32 {
        match self {
            KeyPlace::Ours => 0o077,
            KeyPlace::Credentials => 0o027,
        }
    }
}

/// Bits that let others add, remove or swap files in a directory. A sticky bit would not stop them from adding.
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// Opens a directory that holds keys. Refuses one to which others may write.
pub(crate) fn open_directory(path: &Path) -> Result<OwnedFd, FileError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| FileError::io(path, "open", errno))?;
    check_directory(directory, path)
}

/// The same for a directory that is open already.
pub(crate) fn check_directory(directory: OwnedFd, path: &Path) -> Result<OwnedFd, FileError> {
    let stat = rustix::fs::fstat(&directory).map_err(|errno| FileError::io(path, "look at", errno))?;
    check(path, &stat, WRITABLE_BY_OTHERS, "go-w")?;
    Ok(directory)
}

/// Reads one key of an open directory.
pub(crate) fn read_key(directory: &OwnedFd, name: &str, path: &Path, place: KeyPlace) -> Result<SigningKey, FileError> {
    let octets = read_private(directory, name, path, place, KEY_FILE_OCTETS)?;
    SigningKey::parse_file(&octets).map_err(|source| FileError::Content { path: path.to_owned(), source })
}

/// Reads a file that nobody else could read or change, of at most `limit` octets.
pub(crate) fn read_private(
    directory: &OwnedFd,
    name: &str,
    path: &Path,
    place: KeyPlace,
    limit: usize,
) -> Result<Zeroizing<Vec<u8>>, FileError> {
    // NONBLOCK: opening a pipe must not wait for a writer
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file =
        rustix::fs::openat(directory, name, flags, Mode::empty()).map_err(|errno| FileError::opening(path, errno))?;
    let stat = rustix::fs::fstat(&file).map_err(|errno| FileError::io(path, "look at", errno))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(FileError::NotAFile { path: path.to_owned() });
    }
    check(path, &stat, place.forbidden(), "0400")?;
    read(File::from(file), path, limit)
}

/// Refuses a file that others can read or change, whatever it holds.
pub(crate) fn check_private(path: &Path) -> Result<(), FileError> {
    let stat = rustix::fs::stat(path).map_err(|errno| FileError::io(path, "look at", errno))?;
    check(path, &stat, KeyPlace::Ours.forbidden(), "0400")
}

/// At most one octet over the limit, into a buffer that never moves and is wiped.
fn read(file: File, path: &Path, limit: usize) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let failed = |error| FileError::io(path, "read", error);
    let octets = file.metadata().map_err(failed)?.len();
    let limit = limit.saturating_add(1);
    // One octet more than can be read: `read_to_end` grows a buffer that is just full.
    let mut content = Zeroizing::new(Vec::with_capacity(limit + 1));
    file.take(u64::try_from(limit).unwrap_or(u64::MAX)).read_to_end(&mut content).map_err(failed)?;
    if content.len() == limit { Err(FileError::TooLarge { path: path.to_owned(), octets }) } else { Ok(content) }
}

fn check(path: &Path, stat: &Stat, forbidden: u32, chmod: &str) -> Result<(), FileError> {
    let (mode, uid, ours) = (stat.st_mode & 0o7777, stat.st_uid, rustix::process::geteuid().as_raw());
    let path = path.to_owned();
    if uid != 0 && uid != ours {
        let fix = format!("chown {ours} {}", quoted(&path));
        return Err(FileError::Owner { path, mode, uid, ours, fix });
    }
    if mode & forbidden != 0 {
        let fix = format!("chmod {chmod} {}", quoted(&path));
        return Err(FileError::Exposed { path, mode, uid, fix });
    }
    Ok(())
}
