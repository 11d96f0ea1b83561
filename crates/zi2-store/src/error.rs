//! What can go wrong with a store, in pairs: what happened, and what to do about it.

use std::path::PathBuf;

use zi2_mail::Domain;

/// Why a store did not do what it was asked. Nothing of the request was remembered. Each variant names who is at fault;
/// none carries what a sender wrote.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StoreError {
    /// The operator's: others could read or replace the store.
    #[error("{path} is not private: {problem}; {advice}")]
    NotPrivate {
        /// The directory or file.
        path: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
        /// The command or step that helps.
        advice: &'static str,
    },
    /// The operator's: a newer program has written the store.
    #[error(
        "{path} has schema {found}, this program knows up to {known}; run the newer program, or restore the copy made before the upgrade"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema version.
        found: i64,
        /// The newest one known here.
        known: i64,
    },
    /// The operator's: the file belongs to another program.
    #[error("{path} is an SQLite file of another program; name a file of its own in the configuration")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The disk's, or of whoever wrote to the file: it is damaged.
    #[error(
        "{path} is damaged ({what}); stop the daemon, move {path}, {path}-wal and {path}-shm aside together and start again: lost are the history of senders (as far as no export exists: zi2-cert trust import) and the memory of replays within the window", path = .path.display()
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        what: String,
    },
    /// Of whoever wrote to the file: a row of one domain cannot be read.
    #[error("the history of {domain} cannot be read ({what}); zi2-cert trust forget {domain} removes it")]
    Row {
        /// The domain.
        domain: String,
        /// The field at fault.
        what: &'static str,
    },
    /// The operator's: the disk is full.
    #[error("{path} cannot grow: the disk is full; free space, the store then goes on by itself")]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// Nobody's: another process writes.
    #[error("{path} is being written by another process; try again")]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// The disk's or the operator's: the system refused to read or write.
    #[error(
        "{path} cannot be read or written ({what}); check the disk, the file's owner and the service's file access"
    )]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system or SQLite says.
        what: String,
    },
    /// The caller's: a row that no history can have.
    #[error("the row of {domain} cannot be history: {fault}; nothing of this batch was imported")]
    Refused {
        /// The row's domain.
        domain: Domain,
        /// What is wrong with it.
        fault: RowFault,
    },
    /// Of load, or of a disk that stopped: the queue is full.
    #[error("the store does not keep up; the message is treated as if it could not be asked")]
    Overloaded,
    /// Ours: the store was closed, or its thread could not be started.
    #[error("the store is not running; restart the daemon")]
    Closed,
}

/// Why a row cannot be history.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RowFault {
    /// Rows exist for keys that were seen.
    #[error("valid and days count from 1")]
    Nothing,
    /// Every day takes a certification.
    #[error("more days than certifications")]
    Days,
    /// Time runs forward.
    #[error("first_seen is later than last_seen")]
    Order,
    /// More days than the time between has.
    #[error("more days than lie between first_seen and last_seen")]
    Span,
    /// Numbers SQLite cannot hold.
    #[error("a number is larger than 2^63 - 1")]
    Large,
}

impl StoreError {
    /// Whether the rest of a batch may succeed without the request at fault.
    pub(crate) fn is_about_one_request(&self) -> bool {
        matches!(self, StoreError::Row { .. } | StoreError::Corrupt { .. } | StoreError::Refused { .. })
    }
}
