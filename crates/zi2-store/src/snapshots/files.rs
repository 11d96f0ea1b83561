//! Snapshots as files, named after their key: written beside and renamed, so that a name always has a whole content; what
//! a crash leaves behind is removed at the next start.

use std::collections::{BTreeSet, HashMap};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::OFlags;
use zi2_mail::Timestamp;

use super::{Snapshot, SnapshotKey};
use crate::private::check_directory;
use crate::{StoreError, limits};

/// How much is kept, and for how long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SnapshotBounds {
    /// Files.
    pub count: usize,
    /// Octets of all files together.
    pub octets: u64,
    /// How long.
    pub expiry: Duration,
}

/// A directory of snapshots. Never more than its bounds: the oldest go first.
pub struct SnapshotFiles {
    directory: PathBuf,
    bounds: SnapshotBounds,
    index: Mutex<Index>,
}

/// What the directory holds.
#[derive(Default)]
struct Index {
    by_key: HashMap<SnapshotKey, Entry>,
    by_age: BTreeSet<(u64, SnapshotKey)>,
    octets: u64,
}

#[derive(Clone, Copy)]
struct Entry {
    received: u64,
    octets: u64,
}

const UNFINISHED: &str = ".unfinished";

impl SnapshotFiles {
    /// Opens the directory, and makes it if only its last part is missing.
    ///
    /// # Errors
    /// [`StoreError`]: it cannot be read, or is not ours alone.
    pub fn open(directory: &Path, bounds: SnapshotBounds) -> Result<SnapshotFiles, StoreError> {
        let fail = |error: io::Error| StoreError::Io { path: directory.to_owned(), what: error.to_string() };
        match DirBuilder::new().mode(0o700).create(directory) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(fail(error)),
            _ => {}
        }
        let directory = directory.canonicalize().map_err(fail)?;
        check_directory(&directory, &fs::metadata(&directory).map_err(fail)?)?;
        let index = Mutex::new(scan(&directory).map_err(fail)?);
        let files = SnapshotFiles { directory, bounds, index };
        files.shrink();
        Ok(files)
    }

    /// Writes a snapshot. It is there as a whole or not at all, whatever happens in between.
    ///
    /// # Errors
    /// What the disk says.
    pub fn write(&self, key: SnapshotKey, snapshot: &Snapshot) -> io::Result<()> {
        let (octets, name) = (snapshot.to_octets(), key.to_string());
        let (beside, path) = (self.directory.join(format!("{name}{UNFINISHED}")), self.directory.join(name));
        let written = put(&beside, &octets, snapshot.received).and_then(|()| fs::rename(&beside, &path));
        if let Err(error) = written {
            remove(&beside);
            return Err(error);
        }
        let octets = u64::try_from(octets.len()).unwrap_or(u64::MAX);
        // It has its name now: whatever the disk says next, the file is counted and will go.
        self.index().insert(key, Entry { received: snapshot.received.secs(), octets });
        self.shrink();
        File::open(&self.directory)?.sync_all()
    }

    /// Whether there is a file of this key.
    pub fn holds(&self, key: SnapshotKey) -> bool {
        self.index().by_key.contains_key(&key)
    }

    /// Reads a snapshot; nothing if there is none, or none that is whole.
    pub fn read(&self, key: SnapshotKey) -> Option<Snapshot> {
        let no_link = i32::try_from(OFlags::NOFOLLOW.bits()).ok()?;
        let file =
            OpenOptions::new().read(true).custom_flags(no_link).open(self.directory.join(key.to_string())).ok()?;
        let most = u64::try_from(Snapshot::FILE_OCTETS).unwrap_or(u64::MAX);
        let mut octets = Vec::new();
        file.take(most).read_to_end(&mut octets).ok()?;
        Snapshot::of_octets(&octets)
    }

    /// Removes what has expired.
    pub fn tidy(&self, now: Timestamp) {
        let oldest = now.secs().saturating_sub(self.bounds.expiry.as_secs());
        self.forget_while(|_, received| received < oldest);
    }

    /// How many there are, and their octets.
    pub fn size(&self) -> (u64, u64) {
        let index = self.index();
        (u64::try_from(index.by_key.len()).unwrap_or(u64::MAX), index.octets)
    }

    fn shrink(&self) {
        let count = self.bounds.count.min(limits::SNAPSHOTS);
        self.forget_while(|index, _| index.by_key.len() > count || index.octets > self.bounds.octets);
    }

    /// Removes the oldest one as long as this holds, given when it was received. Messages look into the index meanwhile, so
    /// it is locked for none of the files.
    fn forget_while(&self, is_over: impl Fn(&Index, u64) -> bool) {
        let oldest = || {
            let mut index = self.index();
            let (received, key) = index.by_age.first().copied()?;
            is_over(&index, received).then(|| index.remove(&key)).map(|()| key)
        };
        while let Some(key) = oldest() {
            remove(&self.directory.join(key.to_string()));
        }
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Index {
    fn insert(&mut self, key: SnapshotKey, entry: Entry) {
        self.remove(&key);
        self.by_key.insert(key, entry);
        self.by_age.insert((entry.received, key));
        self.octets = self.octets.saturating_add(entry.octets);
    }

    fn remove(&mut self, key: &SnapshotKey) {
        if let Some(entry) = self.by_key.remove(key) {
            self.by_age.remove(&(entry.received, *key));
            self.octets = self.octets.saturating_sub(entry.octets);
        }
    }
}

/// What an earlier process left, without what it left unfinished. Files of other names are not touched.
fn scan(directory: &Path) -> io::Result<Index> {
    let mut index = Index::default();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        if let Some(unfinished) = name.strip_suffix(UNFINISHED) {
            if SnapshotKey::parse(unfinished).is_some() {
                remove(&entry.path());
            }
            continue;
        }
        let (Some(key), metadata) = (SnapshotKey::parse(name), entry.metadata()?) else { continue };
        if metadata.is_file() {
            let received = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
            index.insert(key, Entry { received, octets: metadata.len() });
        }
    }
    Ok(index)
}

/// A new file with this content, on the disk when this returns. Its time is that of the message.
fn put(path: &Path, octets: &[u8], received: Timestamp) -> io::Result<()> {
    remove(path);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(octets)?;
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(received.secs()))?;
    file.sync_all()
}

/// Nobody misses a file that is not there; one that cannot be removed is tried again at the next start.
fn remove(path: &Path) {
    fs::remove_file(path).unwrap_or(());
}
