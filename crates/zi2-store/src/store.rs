//! What a store is asked, and what it answers.

use zi2_mail::{Domain, Timestamp};
use zi2_sig::{AttestationId, PublicKey};
use zi2_trust::{Admission, Admitted, HistoryPolicy, KeyHistory, Seen};

use crate::{StoreError, limits};

/// Remembers history, replay and issued nonces. Refuses to grow beyond its [`Settings`], and to forget silently: what it
/// no longer knows it answers with `Unknown`.
///
/// A trait, because the backend is chosen at run time; every backend passes `tests/conformance.rs`. Each method is one
/// need, takes a batch and blocks; [`crate::StoreHandle`] is for asynchronous callers.
pub trait Store: Send + Sync {
    /// The history of each domain, newest first, at most [`zi2_trust::limits::KEYS_PER_DOMAIN`] rows each.
    fn past(&self, domains: &[Domain]) -> Result<Vec<Vec<KeyHistory>>, StoreError>;

    /// Remembers a batch in one commit: issued nonces, then admissions in their order, then history. All or nothing.
    fn remember(&self, batch: &Batch) -> Result<Remembered, StoreError>;

    /// A page of history, in the order of domain and key.
    fn list(&self, page: &Page) -> Result<Vec<KeyHistory>, StoreError>;

    /// Forgets the history of these domains. Says how many rows that were.
    fn forget(&self, domains: &[Domain]) -> Result<u64, StoreError>;

    /// Merges rows of another store. Refuses the batch for one row that cannot be history. Importing twice changes nothing.
    fn import(&self, rows: &[KeyHistory]) -> Result<Imported, StoreError>;

    /// Forgets what is past: whole days of attestations that left the window, and history above the bound. Due hourly;
    /// a clock that jumps ahead moves it by [`limits::CLOCK_STEP_SECS`] each time.
    fn tidy(&self, now: Timestamp, window: u64) -> Result<Tidied, StoreError>;
}

/// What is remembered in one commit.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Batch {
    /// Attestations we made.
    pub issued: Vec<Issued>,
    /// Attestations that arrived.
    pub admissions: Vec<Admission>,
    /// Valid certifications.
    pub seen: Vec<Seen>,
}

/// An attestation made here. Its first admission claims it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Issued {
    /// The attestation.
    pub id: AttestationId,
    /// UTC day of its signing time, as in [`Admission::day`].
    pub day: u32,
}

/// What became of a batch.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Remembered {
    /// One answer for each admission.
    pub admitted: Vec<Admitted>,
    /// Issued nonces not remembered, because the day is full or forgotten: their mail will not reach level 3.
    pub issued_refused: u64,
    /// Certifications of unknown keys not remembered, because the history is full.
    pub rows_refused: u64,
    /// Rows that made room for another key of their domain.
    pub rows_evicted: u64,
}

/// Which rows are listed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Page {
    /// Of this domain only.
    pub domain: Option<Domain>,
    /// Behind this row, the last one of the page before.
    pub after: Option<(Domain, PublicKey)>,
    /// At most so many; never more than [`limits::PAGE_ROWS`], and that many for `None`.
    pub rows: Option<usize>,
}

impl Page {
    pub(crate) fn limit(&self) -> usize {
        self.rows.unwrap_or(limits::PAGE_ROWS).min(limits::PAGE_ROWS)
    }
}

/// What became of imported rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Imported {
    /// New rows.
    pub added: u64,
    /// Rows merged into one that was there.
    pub merged: u64,
    /// New rows not taken, because the history is full.
    pub refused: u64,
    /// Rows that made room for another key of their domain.
    pub evicted: u64,
}

/// What tidying did, and what is held now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tidied {
    /// Days of attestations forgotten.
    pub days_forgotten: u64,
    /// Attestations forgotten with them.
    pub nonces_forgotten: u64,
    /// Rows evicted.
    pub rows_evicted: u64,
    /// Attestations that arrived, held now.
    pub nonces: u64,
    /// Attestations issued here, held now.
    pub issued: u64,
    /// Rows of history held now. More than the bound means: all are TRUSTED, none is evicted, raise the bound.
    pub rows: u64,
    /// Octets of the store's file.
    pub octets: u64,
    /// Seconds by which `now` was ahead of the clock that forgets: over some hours, a clock jumped or the host was off.
    pub clock_ahead: u64,
}

/// The bounds of a store and the thresholds it needs to stay within them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Thresholds of history: they say which rows count as TRUSTED and go last.
    pub policy: HistoryPolicy,
    /// Attestations that arrived, a UTC day; issued ones are counted on their own.
    pub nonces_per_day: u64,
    /// Rows of history.
    pub history_rows: u64,
}

impl Settings {
    /// The defaults for a store on disk.
    pub fn disk() -> Settings {
        Settings {
            policy: HistoryPolicy::default(),
            nonces_per_day: limits::NONCES_PER_DAY,
            history_rows: limits::HISTORY_ROWS,
        }
    }

    /// The defaults for a store in memory.
    pub fn memory() -> Settings {
        Settings {
            policy: HistoryPolicy::default(),
            nonces_per_day: limits::NONCES_PER_DAY_IN_MEMORY,
            history_rows: limits::HISTORY_ROWS_IN_MEMORY,
        }
    }

    /// Rows at which unknown keys are no longer remembered.
    pub(crate) fn ceiling(&self) -> u64 {
        (self.history_rows / 4).saturating_mul(limits::HISTORY_CEILING_QUARTERS).max(self.history_rows)
    }
}
