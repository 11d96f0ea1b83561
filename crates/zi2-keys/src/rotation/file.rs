//! The state beside the keys: read, changed under a lock, and replaced whole (security.md K6).

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;
use rustix::io::Errno;
use zi2_mail::Timestamp;
use zi2_sig::{Kid, PublicKey};

use super::state::{Refusal, Rotation};
use super::text::TextError;
use crate::files::{FileError, KeyPlace, Keyring, Seed, adopt, create, open_directory, read_private, write_state};
use crate::limits::ROTATION_OCTETS;

/// The state's name in the directory of the keys.
pub(crate) const FILE: &str = "rotation";

/// Why a rotation did not go on. What is on disk is the state before or the state after.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// Another process changes the state.
    #[error("another process rotates the keys in {}; try again when it is done", .0.display())]
    Locked(PathBuf),
    /// The step is not allowed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// No key came out.
    #[error(transparent)]
    Seed(#[from] crate::SeedError),
}

/// The state of one directory, held until it is dropped: nobody else changes it meanwhile.
#[derive(Debug)]
pub struct RotationFile {
    directory: PathBuf,
    _lock: Lock,
    on_disk: Option<Rotation>,
    /// The state, to be changed and then [saved](RotationFile::save).
    pub rotation: Rotation,
}

impl RotationFile {
    /// The state of a directory, for one process at a time. Without a file it begins with the keys that are there, and the
    /// one that signs.
    pub fn open(directory: &Path, wanted: Option<Kid>, now: Timestamp) -> Result<RotationFile, RotationError> {
        let lock = Lock::take(directory)?;
        let on_disk = read_state(&lock.0, FILE, directory, KeyPlace::Ours)?;
        let rotation = match &on_disk {
            Some(rotation) => rotation.clone(),
            None => beginning(directory, wanted, now)?,
        };
        Ok(RotationFile { directory: directory.to_owned(), _lock: lock, on_disk, rotation })
    }

    /// The state of a directory to look at, without a lock and without writing.
    pub fn look(directory: &Path, wanted: Option<Kid>, now: Timestamp) -> Result<Rotation, FileError> {
        match RotationFile::read(directory)? {
            Some(rotation) => Ok(rotation),
            None => beginning(directory, wanted, now),
        }
    }

    /// The state of a directory as it was last saved; none where no rotation has begun.
    pub fn read(directory: &Path) -> Result<Option<Rotation>, FileError> {
        read_state(&open_directory(directory)?, FILE, directory, KeyPlace::Ours)
    }

    /// Makes the key after all others, or takes one in that lies there, and gives its public half. Killed anywhere, it can be
    /// called again; the key that signs is the same throughout.
    pub fn stage(&mut self, kid: Kid, now: Timestamp) -> Result<PublicKey, RotationError> {
        let mut staged = self.rotation.clone();
        staged.stage(kid, now)?;
        // Before there is a state, the newest key signs: the new one must not be the newest for a moment.
        self.save()?;
        let ring = Keyring::load(&self.directory, KeyPlace::Ours)?;
        let there = ring.public_keys().find(|(own, _)| *own == kid);
        let key = match there {
            Some((_, key)) => adopt(&self.directory, kid, key).map(|()| key)?,
            None => create(&self.directory, kid, &Seed::from_system()?)?.public,
        };
        self.rotation = staged;
        self.save()?;
        Ok(key)
    }

    /// Puts the state on disk, if it is another.
    pub fn save(&mut self) -> Result<(), RotationError> {
        if self.on_disk.as_ref() != Some(&self.rotation) {
            write_state(&self.directory, FILE, self.rotation.to_text().as_bytes())?;
            self.on_disk = Some(self.rotation.clone());
        }
        Ok(())
    }
}

/// The lock is the open directory's: it ends with the process, however that ends.
#[derive(Debug)]
struct Lock(OwnedFd);

impl Lock {
    fn take(directory: &Path) -> Result<Lock, RotationError> {
        let opened = open_directory(directory)?;
        match rustix::fs::flock(&opened, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Lock(opened)),
            Err(Errno::WOULDBLOCK) => Err(RotationError::Locked(directory.to_owned())),
            Err(errno) => Err(FileError::io(directory, "lock", errno).into()),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing alone would not do where a program is just being started: its copy of the directory would hold the lock.
        rustix::fs::flock(&self.0, FlockOperation::Unlock).ok();
    }
}

/// The state in an open directory; none if there is no file.
pub(crate) fn read_state(
    directory: &OwnedFd,
    name: &str,
    path: &Path,
    place: KeyPlace,
) -> Result<Option<Rotation>, FileError> {
    let path = path.join(name);
    let octets = match read_private(directory, name, &path, place, ROTATION_OCTETS) {
        Ok(octets) => octets,
        Err(error) if error.is_absent() => return Ok(None),
        Err(error) => return Err(error),
    };
    let parsed = std::str::from_utf8(&octets).map_err(|_| TextError::Head).and_then(Rotation::parse);
    parsed.map(Some).map_err(|source| FileError::Rotation { path, source })
}

fn beginning(directory: &Path, wanted: Option<Kid>, now: Timestamp) -> Result<Rotation, FileError> {
    let ring = Keyring::load(directory, KeyPlace::Ours)?;
    let kids: Vec<Kid> = ring.public_keys().map(|(kid, _)| kid).collect();
    Ok(Rotation::begin(&kids, ring.active(now, wanted).map(|(kid, _)| kid), now))
}
