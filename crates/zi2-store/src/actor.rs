//! The store for asynchronous callers: one thread that writes, one that reads, and what waits is done together.
//!
//! Nothing waits to be grouped: while one commit runs, the next group gathers. A full queue is an error at once, and a
//! caller that gave up (its deadline is its own) is passed over, so that its next try is not taken for a replay.

mod tally;
mod worker;

use std::sync::Arc;
use std::sync::mpsc::{self, SyncSender, TrySendError};

use tokio::sync::oneshot;
use zi2_mail::{Domain, Timestamp};
use zi2_sig::AttestationId;
use zi2_trust::{Admission, Admitted, KeyHistory, Seen};

use crate::{Issued, Store, StoreError, Tidied, limits};
pub use tally::Counters;
use tally::Tally;
use worker::{Reply, Write};

/// A store behind two queues. Refuses to wait for a place in them.
///
/// Cheap to clone. The threads end when the last handle is gone, after they have done what was queued; [`Self::flush`]
/// waits for that.
#[derive(Clone)]
pub struct StoreHandle {
    store: Arc<dyn Store>,
    writes: SyncSender<Write>,
    reads: SyncSender<(Domain, Reply<Vec<KeyHistory>>)>,
    tally: Arc<Tally>,
}

impl StoreHandle {
    /// Starts the two threads.
    pub fn start(store: Arc<dyn Store>) -> Result<StoreHandle, StoreError> {
        let tally = Arc::new(Tally::default());
        let (writes, to_write) = mpsc::sync_channel(limits::QUEUE);
        let (reads, to_read) = mpsc::sync_channel(limits::QUEUE);
        let (ours, counted) = (Arc::clone(&store), Arc::clone(&tally));
        worker::spawn("zi2-write", move || worker::write(&*ours, &to_write, &counted))?;
        let (ours, counted) = (Arc::clone(&store), Arc::clone(&tally));
        worker::spawn("zi2-read", move || worker::read(&*ours, &to_read, &counted))?;
        Ok(StoreHandle { store, writes, reads, tally })
    }

    /// The history of a domain, newest first.
    pub async fn past(&self, domain: Domain) -> Result<Vec<KeyHistory>, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.counted(self.reads.try_send((domain, reply)).map_err(|error| refused(&error)))?;
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Asks about an attestation and remembers it. The answer comes after the commit.
    pub async fn admit(&self, admission: Admission) -> Result<Admitted, StoreError> {
        self.ask(|reply| Write::Admit(admission, reply)).await
    }

    /// Remembers an attestation made here on `day`, the UTC day of its signing time. Await it before the message leaves.
    pub async fn issue(&self, id: AttestationId, day: u32) -> Result<(), StoreError> {
        self.ask(|reply| Write::Issue(Issued { id, day }, reply)).await
    }

    /// Remembers a valid certification, some time soon. Dropped and counted when the store does not keep up: history is
    /// the first thing to go without.
    pub fn record(&self, seen: Seen) {
        let room = self.tally.waiting() < limits::QUEUE_FOR_HISTORY;
        if !room || self.enqueue(Write::Record(Box::new(seen))).is_err() {
            self.tally.history_dropped();
        }
    }

    /// Waits until all that was asked before is written or has failed.
    pub async fn flush(&self) -> Result<(), StoreError> {
        self.ask(Write::Flush).await
    }

    /// [`Store::tidy`] on a thread for blocking work. Needs a Tokio runtime.
    pub async fn tidy(&self, now: Timestamp, window: u64) -> Result<Tidied, StoreError> {
        let store = Arc::clone(&self.store);
        tokio::task::spawn_blocking(move || store.tidy(now, window)).await.unwrap_or(Err(StoreError::Closed))
    }

    /// The store, for what operators ask: call it on a thread that may block.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// What happened since the start.
    pub fn counters(&self) -> Counters {
        self.tally.counters()
    }

    async fn ask<T>(&self, question: impl FnOnce(Reply<T>) -> Write) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.counted(self.enqueue(question(reply)))?;
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    fn enqueue(&self, write: Write) -> Result<(), StoreError> {
        self.tally.queued();
        self.writes.try_send(write).map_err(|error| {
            self.tally.taken(1);
            refused(&error)
        })
    }

    fn counted(&self, queued: Result<(), StoreError>) -> Result<(), StoreError> {
        queued.inspect_err(|_| self.tally.overloaded())
    }
}

fn refused<T>(error: &TrySendError<T>) -> StoreError {
    match error {
        TrySendError::Full(_) => StoreError::Overloaded,
        TrySendError::Disconnected(_) => StoreError::Closed,
    }
}

#[cfg(test)]
mod tests;
