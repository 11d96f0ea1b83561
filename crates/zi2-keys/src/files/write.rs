//! Writing key files: whole or not at all, for the owner alone, and never over another key (security.md K2, K3, K6).

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;
use rustix::rand::{GetRandomFlags, getrandom};
use zi2_mail::Timestamp;
use zi2_sig::{Kid, PublicKey};

use super::error::FileError;
use super::read::open_directory;
use super::seed::{Seed, SeedError};

/// A key that now lies on disk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Written {
    /// The private key, mode 0400.
    pub key_file: PathBuf,
    /// The public key in base64, mode 0644.
    pub public_file: PathBuf,
    /// The public key.
    pub public: PublicKey,
    /// The copy of the key that was replaced.
    pub kept: Option<PathBuf>,
}

/// Writes `<kid>.key` and `<kid>.pub`. Refuses if either exists, or if others may write to the directory.
pub fn create(directory: &Path, kid: Kid, seed: &Seed) -> Result<Written, FileError> {
    let target = Target::open(directory, kid)?;
    let public = public_of(&target, seed)?;
    for name in [&target.key, &target.public] {
        target.folder.must_be_free(name)?;
    }
    target.folder.create(&target.key, seed.pem().as_bytes())?;
    target.folder.stage(&target.public, &public_line(public), PUBLIC)?.publish_new()?;
    Ok(target.written(public, None))
}

/// Writes the files in place of those there, and keeps the old private key beside them with the date in its name. At every
/// moment there is a whole key. Without an old key it only writes.
pub fn replace(directory: &Path, kid: Kid, seed: &Seed, now: Timestamp) -> Result<Written, FileError> {
    let target = Target::open(directory, kid)?;
    let public = public_of(&target, seed)?;
    let kept = target.folder.replace(&target.key, seed.pem().as_bytes(), now)?;
    target.folder.stage(&target.public, &public_line(public), PUBLIC)?.publish_over()?;
    Ok(target.written(public, kept))
}

/// Writes `<kid>.pub` beside a key that lies there: whoever made it may not have come so far.
pub(crate) fn adopt(directory: &Path, kid: Kid, key: PublicKey) -> Result<(), FileError> {
    let target = Target::open(directory, kid)?;
    target.folder.stage(&target.public, &public_line(key), PUBLIC)?.publish_over()
}

/// Replaces a file that is no key, but says which of them are used.
pub(crate) fn write_state(directory: &Path, name: &str, content: &[u8]) -> Result<(), FileError> {
    Folder::open(directory)?.stage(name, content, PRIVATE)?.publish_over()
}

const PRIVATE: Mode = Mode::RUSR;
const PUBLIC: Mode = Mode::RUSR.union(Mode::WUSR).union(Mode::RGRP).union(Mode::ROTH);

fn public_line(public: PublicKey) -> Vec<u8> {
    format!("{}\n", public.to_base64()).into_bytes()
}

fn public_of(target: &Target<'_>, seed: &Seed) -> Result<PublicKey, FileError> {
    let failed =
        |error: SeedError| FileError::io(&target.folder.path(&target.key), "make", std::io::Error::other(error));
    seed.public().map_err(failed)
}

/// Where a certifying key goes.
struct Target<'a> {
    folder: Folder<'a>,
    key: String,
    public: String,
}

impl<'a> Target<'a> {
    fn open(path: &'a Path, kid: Kid) -> Result<Target<'a>, FileError> {
        Ok(Target { folder: Folder::open(path)?, key: format!("{kid}.key"), public: format!("{kid}.pub") })
    }

    fn written(&self, public: PublicKey, kept: Option<PathBuf>) -> Written {
        let path = |name| self.folder.path(name);
        Written { key_file: path(&self.key), public_file: path(&self.public), public, kept }
    }
}

/// A directory that keys are written to.
pub(super) struct Folder<'a> {
    path: &'a Path,
    directory: OwnedFd,
}

impl<'a> Folder<'a> {
    /// Refuses one to which others may write.
    pub(super) fn open(path: &'a Path) -> Result<Folder<'a>, FileError> {
        Ok(Folder { path, directory: open_directory(path)? })
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a private key under a name that must be free.
    pub(super) fn create(&self, name: &str, content: &[u8]) -> Result<(), FileError> {
        self.must_be_free(name)?;
        self.stage(name, content, PRIVATE)?.publish_new()
    }

    /// Writes a private key in the place of the one there, which is kept under a dated name.
    pub(super) fn replace(&self, name: &str, content: &[u8], now: Timestamp) -> Result<Option<PathBuf>, FileError> {
        let staged = self.stage(name, content, PRIVATE)?;
        let kept = self.keep_old(name, now)?;
        staged.publish_over()?;
        Ok(kept)
    }

    /// Says so early; the final word is the system's, when the file gets its name.
    fn must_be_free(&self, name: &str) -> Result<(), FileError> {
        match rustix::fs::statat(&self.directory, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => Ok(()),
            Ok(_) => Err(FileError::Exists { path: self.path(name) }),
            Err(errno) => Err(FileError::io(&self.path(name), "look at", errno)),
        }
    }

    /// The content under another name, on disk before it gets its own.
    fn stage(&self, name: &str, content: &[u8], mode: Mode) -> Result<Staged<'_>, FileError> {
        let temporary = format!(".{name}.{:016x}", self.chance()?);
        let path = self.path(&temporary);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file =
            rustix::fs::openat(&self.directory, temporary.as_str(), flags, PRIVATE).map_err(|errno| match errno {
                Errno::EXIST => FileError::Exists { path: path.clone() },
                errno => FileError::io(&path, "create", errno),
            })?;
        let staged = Staged { folder: self, temporary, name: name.to_owned() };
        let mut file = File::from(file);
        rustix::fs::fchmod(&file, mode).map_err(|errno| FileError::io(&path, "set the mode of", errno))?; // whatever the umask
        file.write_all(content).and_then(|()| file.sync_all()).map_err(|error| FileError::io(&path, "write", error))?;
        Ok(staged)
    }

    /// So that what a killed process left behind stands in nobody's way; a process number would recur in containers.
    fn chance(&self) -> Result<u64, FileError> {
        let mut octets = [0; 8];
        getrandom(octets.as_mut_slice(), GetRandomFlags::empty())
            .map_err(|errno| FileError::io(self.path, "write", errno))?;
        Ok(u64::from_ne_bytes(octets))
    }

    /// A second name for the old key; its first one still holds until the new key takes it.
    fn keep_old(&self, name: &str, now: Timestamp) -> Result<Option<PathBuf>, FileError> {
        let kept = format!("{name}.replaced-{}", date(now));
        match rustix::fs::linkat(&self.directory, name, &self.directory, kept.as_str(), AtFlags::empty()) {
            Ok(()) => Ok(Some(self.path(&kept))),
            Err(Errno::NOENT) => Ok(None),
            Err(Errno::EXIST) => Err(FileError::Exists { path: self.path(&kept) }),
            Err(errno) => Err(FileError::io(&self.path(&kept), "keep the old key as", errno)),
        }
    }

    fn sync(&self) -> Result<(), FileError> {
        rustix::fs::fsync(&self.directory).map_err(|errno| FileError::io(self.path, "write", errno))
    }
}

/// A file on disk that does not have its name yet; without it, it vanishes.
struct Staged<'t> {
    folder: &'t Folder<'t>,
    temporary: String,
    name: String,
}

impl Staged<'_> {
    /// A link, unlike a rename, fails if the name is taken.
    fn publish_new(self) -> Result<(), FileError> {
        let (directory, path) = (&self.folder.directory, self.folder.path(&self.name));
        rustix::fs::linkat(directory, self.temporary.as_str(), directory, self.name.as_str(), AtFlags::empty())
            .map_err(|errno| match errno {
                Errno::EXIST => FileError::Exists { path: path.clone() },
                errno => FileError::io(&path, "create", errno),
            })?;
        self.folder.sync()
    }

    fn publish_over(self) -> Result<(), FileError> {
        let (directory, path) = (&self.folder.directory, self.folder.path(&self.name));
        rustix::fs::renameat(directory, self.temporary.as_str(), directory, self.name.as_str())
            .map_err(|errno| FileError::io(&path, "replace", errno))?;
        self.folder.sync()
    }
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        // It is gone already after a rename; one that cannot be removed is unreadable for others.
        rustix::fs::unlinkat(&self.folder.directory, self.temporary.as_str(), AtFlags::empty()).ok();
    }
}

/// `2026-04-28T17:30:00Z` without colons, which some tools take for host names.
fn date(now: Timestamp) -> String {
    const DAY: u64 = 86_400;
    let (year, month) = now.month();
    // The day of the month is the number of days back to the last day of another one.
    let day = (0..31)
        .take_while(|back| now.secs() >= back * DAY && now.sub_secs(back * DAY).month() == (year, month))
        .count();
    let second = now.secs() % DAY;
    format!("{year:04}-{month:02}-{day:02}T{:02}{:02}{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        for (secs, text) in [
            (0, "1970-01-01T000000Z"),
            (1_777_397_400, "2026-04-28T173000Z"),
            (1_709_251_199, "2024-02-29T235959Z"),
            (1_767_225_599, "2025-12-31T235959Z"),
        ] {
            assert_eq!(date(Timestamp::from_secs(secs)), text);
        }
    }
}
