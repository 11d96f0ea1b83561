//! What is counted for metrics.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use crate::Remembered;

/// What happened since the start. Monotonous, except `waiting`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    /// Requests waiting to be written now.
    pub waiting: u64,
    /// Commits.
    pub commits: u64,
    /// Requests written by them.
    pub written: u64,
    /// The largest group in one commit.
    pub largest_group: u64,
    /// Microseconds spent in commits.
    pub commit_micros: u64,
    /// Microseconds of the longest commit.
    pub longest_commit_micros: u64,
    /// Domains read.
    pub read: u64,
    /// Batches that failed.
    pub failed: u64,
    /// Requests refused because a queue was full.
    pub overloaded: u64,
    /// Requests whose caller had given up.
    pub abandoned: u64,
    /// Certifications not recorded, because the queue was too long.
    pub history_dropped: u64,
    /// As in [`Remembered`].
    pub issued_refused: u64,
    /// As in [`Remembered`].
    pub rows_refused: u64,
    /// As in [`Remembered`].
    pub rows_evicted: u64,
}

#[derive(Default)]
pub(super) struct Tally {
    waiting: AtomicUsize,
    commits: AtomicU64,
    written: AtomicU64,
    largest_group: AtomicU64,
    commit_micros: AtomicU64,
    longest_commit_micros: AtomicU64,
    read: AtomicU64,
    failed: AtomicU64,
    overloaded: AtomicU64,
    abandoned: AtomicU64,
    history_dropped: AtomicU64,
    issued_refused: AtomicU64,
    rows_refused: AtomicU64,
    rows_evicted: AtomicU64,
}

impl Tally {
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Relaxed)
    }

    pub(super) fn queued(&self) {
        self.waiting.fetch_add(1, Relaxed);
    }

    pub(super) fn taken(&self, requests: usize) {
        self.waiting.fetch_sub(requests, Relaxed);
    }

    pub(super) fn overloaded(&self) {
        self.overloaded.fetch_add(1, Relaxed);
    }

    pub(super) fn history_dropped(&self) {
        self.history_dropped.fetch_add(1, Relaxed);
    }

    pub(super) fn abandoned(&self, requests: usize) {
        self.abandoned.fetch_add(wide(requests), Relaxed);
    }

    pub(super) fn failed(&self) {
        self.failed.fetch_add(1, Relaxed);
    }

    pub(super) fn read(&self, domains: usize) {
        self.read.fetch_add(wide(domains), Relaxed);
    }

    pub(super) fn committed(&self, requests: usize, took: Duration, done: &Remembered) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.commits.fetch_add(1, Relaxed);
        self.written.fetch_add(wide(requests), Relaxed);
        self.largest_group.fetch_max(wide(requests), Relaxed);
        self.commit_micros.fetch_add(micros, Relaxed);
        self.longest_commit_micros.fetch_max(micros, Relaxed);
        self.issued_refused.fetch_add(done.issued_refused, Relaxed);
        self.rows_refused.fetch_add(done.rows_refused, Relaxed);
        self.rows_evicted.fetch_add(done.rows_evicted, Relaxed);
    }

    pub(super) fn counters(&self) -> Counters {
        Counters {
            waiting: wide(self.waiting.load(Relaxed)),
            commits: self.commits.load(Relaxed),
            written: self.written.load(Relaxed),
            largest_group: self.largest_group.load(Relaxed),
            commit_micros: self.commit_micros.load(Relaxed),
            longest_commit_micros: self.longest_commit_micros.load(Relaxed),
            read: self.read.load(Relaxed),
            failed: self.failed.load(Relaxed),
            overloaded: self.overloaded.load(Relaxed),
            abandoned: self.abandoned.load(Relaxed),
            history_dropped: self.history_dropped.load(Relaxed),
            issued_refused: self.issued_refused.load(Relaxed),
            rows_refused: self.rows_refused.load(Relaxed),
            rows_evicted: self.rows_evicted.load(Relaxed),
        }
    }
}

fn wide(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
