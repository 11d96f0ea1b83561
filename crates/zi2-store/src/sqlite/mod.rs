//! The store on disk: one SQLite file, written by one connection, read by another, flushed by a third.
//!
//! A commit is a write to the log that survives the end of the process; the flusher brings it to the disk within a
//! second, or every commit does with [`Durability::Synced`]. Other processes may read and write at the same time.

mod file;
mod flusher;
mod past;
mod replay;
mod schema;
mod tidy;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};
use zi2_mail::{Domain, Timestamp};
use zi2_trust::KeyHistory;

use crate::{Batch, Imported, Page, Remembered, Settings, Store, StoreError, Tidied, history};
use flusher::Flusher;

/// A store in an SQLite file. Refuses files others could write, files of other programs and of newer versions.
pub struct SqliteStore {
    path: PathBuf,
    settings: Settings,
    writer: Mutex<Connection>,
    reader: Mutex<Connection>,
    flusher: Flusher,
}

/// What an acknowledged commit survives besides the end of the process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Durability {
    /// The loss of power, but for the last second.
    Grouped,
    /// The loss of power. Each commit waits for the disk.
    Synced,
}

impl SqliteStore {
    /// Opens or creates the store. The directory must exist, belong to us or root, and be writable by nobody else.
    ///
    /// Starts a thread, so fork first.
    pub fn open(path: &Path, durability: Durability, settings: Settings) -> Result<SqliteStore, StoreError> {
        let path = file::prepare(path)?;
        let fail = |fault: Fault| fault.at(&path);
        let mut writer = file::connect(&path).map_err(|error| fail(error.into()))?;
        schema::prepare(&mut writer, durability, &path)?;
        let reader = file::connect(&path).and_then(schema::reader).map_err(|error| fail(error.into()))?;
        let flushing = file::connect(&path).map_err(|error| fail(error.into()))?;
        let flusher = Flusher::start(flushing).map_err(|what| StoreError::Io { path: path.clone(), what })?;
        Ok(SqliteStore { settings, writer: Mutex::new(writer), reader: Mutex::new(reader), flusher, path })
    }

    /// Reads the whole file and says whether it is sound. For operators: takes seconds.
    pub fn check(&self) -> Result<(), StoreError> {
        let found: String =
            self.read(|reader| Ok(reader.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?))?;
        match found.as_str() {
            "ok" => Ok(()),
            _ => Err(StoreError::Corrupt { path: self.path.clone(), what: found }),
        }
    }

    fn read<T>(&self, job: impl FnOnce(&Connection) -> Result<T, Fault>) -> Result<T, StoreError> {
        job(&lock(&self.reader)).map_err(|fault| fault.at(&self.path))
    }

    /// One transaction: all or nothing, and rolled back by its guard on every early return.
    fn write<T>(&self, job: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>) -> Result<T, StoreError> {
        let mut writer = lock(&self.writer);
        let commit = || {
            let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = job(&transaction)?;
            transaction.commit()?;
            Ok(done)
        };
        let done = commit().map_err(|fault: Fault| fault.at(&self.path))?;
        self.flusher.wake();
        Ok(done)
    }
}

impl Store for SqliteStore {
    fn past(&self, domains: &[Domain]) -> Result<Vec<Vec<KeyHistory>>, StoreError> {
        self.read(|reader| domains.iter().map(|domain| past::newest_first(reader, domain)).collect())
    }

    fn remember(&self, batch: &Batch) -> Result<Remembered, StoreError> {
        self.write(|transaction| {
            let mut done = Remembered::default();
            replay::remember(transaction, batch, &self.settings, &mut done)?;
            past::remember(transaction, &batch.seen, &self.settings, &mut done)?;
            Ok(done)
        })
    }

    fn list(&self, page: &Page) -> Result<Vec<KeyHistory>, StoreError> {
        self.read(|reader| past::list(reader, page))
    }

    fn forget(&self, domains: &[Domain]) -> Result<u64, StoreError> {
        self.write(|transaction| past::forget(transaction, domains))
    }

    fn import(&self, rows: &[KeyHistory]) -> Result<Imported, StoreError> {
        for row in rows {
            history::check(row).map_err(|fault| StoreError::Refused { domain: row.domain.clone(), fault })?;
        }
        self.write(|transaction| past::import(transaction, rows, &self.settings))
    }

    fn tidy(&self, now: Timestamp, window: u64) -> Result<Tidied, StoreError> {
        tidy::tidy(self, now, window)
    }
}

/// What went wrong inside, before it is known of which file.
#[derive(Debug)]
enum Fault {
    Sqlite(rusqlite::Error),
    Row(String, &'static str),
    Damaged(&'static str),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Fault {
        Fault::Sqlite(error)
    }
}

impl Fault {
    fn at(self, path: &Path) -> StoreError {
        let path = path.to_path_buf();
        let error = match self {
            Fault::Row(domain, what) => return StoreError::Row { domain, what },
            Fault::Damaged(what) => return StoreError::Corrupt { path, what: what.to_owned() },
            Fault::Sqlite(error) => error,
        };
        let what = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StoreError::Full { path },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy { path },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Corrupt { path, what },
            // A statement that does not fit the tables, a value of another type: somebody changed the file.
            Some(ErrorCode::Unknown | ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch) | None => {
                StoreError::Corrupt { path, what }
            }
            Some(_) => StoreError::Io { path, what },
        }
    }
}

/// A poisoned lock guards a connection whose transaction was rolled back by its guard: it is whole.
fn lock(connection: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}

/// SQLite's integers are signed; [`crate::RowFault::Large`] refuses what does not fit, times beyond stop here.
fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn unsigned(value: i64) -> Result<u64, Fault> {
    u64::try_from(value).map_err(|_| Fault::Damaged("a count or time is negative"))
}
