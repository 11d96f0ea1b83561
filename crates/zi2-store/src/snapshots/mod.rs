//! Received messages, kept for whoever sends them on: a further DKIM2 signature needs the message as it came in.
//!
//! A cache that forgets, not a record: what is lost costs a message its further signature. It judges nothing; whoever reads
//! a snapshot verifies it again.

mod content;
mod files;
mod key;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use zi2_mail::Timestamp;

use crate::{StoreError, limits};
pub use content::Snapshot;
pub use files::{SnapshotBounds, SnapshotFiles};
pub use key::SnapshotKey;

/// Snapshots behind a queue. Refuses to wait for a place in it.
///
/// Cheap to clone. The thread ends when the last handle is gone, after it has written what was queued.
#[derive(Clone)]
pub struct Snapshots {
    shared: Arc<Shared>,
    jobs: SyncSender<Job>,
}

/// What was counted since the start.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct SnapshotCounters {
    /// Written.
    pub kept: u64,
    /// Not written, for want of place in the queue.
    pub skipped: u64,
    /// Not written, since the disk refused.
    pub failed: u64,
    /// Looked for and found.
    pub found: u64,
    /// Looked for and not found.
    pub missing: u64,
    /// On the disk now.
    pub files: u64,
    /// Octets of them.
    pub octets: u64,
}

struct Shared {
    files: SnapshotFiles,
    waiting: Mutex<Waiting>,
    kept: AtomicU64,
    skipped: AtomicU64,
    failed: AtomicU64,
    found: AtomicU64,
    missing: AtomicU64,
}

/// What is not on the disk yet.
#[derive(Default)]
struct Waiting {
    snapshots: HashMap<SnapshotKey, Arc<Snapshot>>,
    octets: usize,
}

enum Job {
    Write(SnapshotKey),
    Flush(oneshot::Sender<()>),
}

impl Snapshots {
    /// Starts the thread that writes.
    ///
    /// # Errors
    /// [`StoreError::Closed`] where the system gives no thread.
    pub fn start(files: SnapshotFiles) -> Result<Snapshots, StoreError> {
        let [kept, skipped, failed, found, missing] = std::array::from_fn(|_| AtomicU64::new(0));
        let shared = Arc::new(Shared { files, waiting: Mutex::default(), kept, skipped, failed, found, missing });
        let (jobs, to_do) = mpsc::sync_channel(limits::SNAPSHOTS_WAITING);
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("zi2-snapshots".to_owned());
        thread.spawn(move || work(&of_thread, &to_do)).map_err(|_| StoreError::Closed)?;
        Ok(Snapshots { shared, jobs })
    }

    /// Keeps a message, some time soon; it is found at once. Skipped and counted when the disk does not keep up.
    pub fn keep(&self, key: SnapshotKey, snapshot: Snapshot) {
        let octets = snapshot.octets();
        let taken = {
            let mut waiting = self.shared.waiting();
            let together = waiting.octets.saturating_add(octets);
            let has_room = octets <= limits::SNAPSHOT_OCTETS && together <= limits::SNAPSHOT_OCTETS_WAITING;
            let is_new = !waiting.snapshots.contains_key(&key);
            if has_room && is_new && self.jobs.try_send(Job::Write(key)).is_ok() {
                // The lock is held: the thread cannot look for it before it is there.
                waiting.octets = together;
                waiting.snapshots.insert(key, Arc::new(snapshot));
                true
            } else {
                !is_new
            }
        };
        if !taken {
            self.shared.skipped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether a message is kept under this key, as far as is known without reading it.
    pub fn holds(&self, key: SnapshotKey) -> bool {
        self.shared.waiting().snapshots.contains_key(&key) || self.shared.files.holds(key)
    }

    /// The message that was kept under this key. What the disk has not or cannot read is nothing.
    pub async fn find(&self, key: SnapshotKey) -> Option<Arc<Snapshot>> {
        let waiting = self.shared.waiting().snapshots.get(&key).cloned();
        let found = match waiting {
            Some(snapshot) => Some(snapshot),
            None => {
                let shared = Arc::clone(&self.shared);
                let read = tokio::task::spawn_blocking(move || shared.files.read(key));
                read.await.ok().flatten().map(Arc::new)
            }
        };
        let counter = if found.is_some() { &self.shared.found } else { &self.shared.missing };
        counter.fetch_add(1, Ordering::Relaxed);
        found
    }

    /// Removes what has expired.
    pub async fn tidy(&self, now: Timestamp) {
        let shared = Arc::clone(&self.shared);
        // Whatever is not removed now is removed the next time.
        drop(tokio::task::spawn_blocking(move || shared.files.tidy(now)).await);
    }

    /// Waits until all that was kept before is written or has failed.
    pub async fn flush(&self) {
        let (done, is_done) = oneshot::channel();
        let jobs = self.jobs.clone();
        let asked = tokio::task::spawn_blocking(move || jobs.send(Job::Flush(done)).is_ok()).await;
        if matches!(asked, Ok(true)) {
            drop(is_done.await);
        }
    }

    /// What was counted.
    pub fn counters(&self) -> SnapshotCounters {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (files, octets) = self.shared.files.size();
        SnapshotCounters {
            kept: count(&self.shared.kept),
            skipped: count(&self.shared.skipped),
            failed: count(&self.shared.failed),
            found: count(&self.shared.found),
            missing: count(&self.shared.missing),
            files,
            octets,
        }
    }
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn work(shared: &Shared, jobs: &Receiver<Job>) {
    while let Ok(job) = jobs.recv() {
        match job {
            Job::Write(key) => write(shared, key),
            Job::Flush(done) => drop(done.send(())),
        }
    }
}

fn write(shared: &Shared, key: SnapshotKey) {
    let Some(snapshot) = shared.waiting().snapshots.get(&key).cloned() else { return };
    let counter = if shared.files.write(key, &snapshot).is_ok() { &shared.kept } else { &shared.failed };
    counter.fetch_add(1, Ordering::Relaxed);
    // Only now: until then it is found among those that wait.
    let mut waiting = shared.waiting();
    waiting.snapshots.remove(&key);
    waiting.octets = waiting.octets.saturating_sub(snapshot.octets());
}
