//! The tables, and how older files become newer ones.

use std::path::Path;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::{Durability, Fault};
use crate::{StoreError, limits};

/// "ZI2S": how `file(1)` and we tell our files from others'.
const APPLICATION_ID: i64 = 0x5A49_3253;

/// Step n makes version n. A step that was released is never changed; write the next one.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE history (
        domain TEXT NOT NULL, key BLOB NOT NULL, sid TEXT NOT NULL, kid TEXT NOT NULL,
        valid INTEGER NOT NULL, days INTEGER NOT NULL, first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL,
        PRIMARY KEY (domain, key)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE days (
        day INTEGER PRIMARY KEY, forgotten INTEGER NOT NULL, nonces INTEGER NOT NULL, issued INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE figures (
        one INTEGER PRIMARY KEY CHECK (one = 1), history_rows INTEGER NOT NULL, clock INTEGER
    ) STRICT;
    INSERT INTO figures VALUES (1, 0, NULL);
    PRAGMA application_id = 1514746451;
"];

/// Checks that the file is ours, sets the writing connection up, brings the tables up to date.
pub(super) fn prepare(writer: &mut Connection, durability: Durability, path: &Path) -> Result<(), StoreError> {
    let fail = |error: rusqlite::Error| Fault::from(error).at(path);
    let empty: bool = writer.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0)).map_err(fail)?;
    if pragma(writer, "application_id").map_err(fail)? != APPLICATION_ID && !empty {
        return Err(StoreError::Foreign { path: path.to_path_buf() });
    }
    let (found, known) = (pragma(writer, "user_version").map_err(fail)?, newest(MIGRATIONS));
    if found > known {
        return Err(StoreError::Newer { path: path.to_path_buf(), found, known });
    }
    configure(writer, durability).map_err(fail)?;
    migrate(writer, MIGRATIONS).map_err(fail)?;
    // Finds a file that was cut short before the first mail does.
    writer.query_row("SELECT history_rows FROM figures", [], |row| row.get(0)).map(|_: i64| ()).map_err(fail)
}

/// Sets a reading connection up.
pub(super) fn reader(connection: Connection) -> rusqlite::Result<Connection> {
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "cache_size", -i64::from(limits::READER_CACHE_KIB))?;
    Ok(connection)
}

fn configure(writer: &Connection, durability: Durability) -> rusqlite::Result<()> {
    // `journal_mode` answers with a row, which `execute_batch` passes over.
    writer.execute_batch("PRAGMA journal_mode = WAL")?;
    writer.pragma_update(None, "synchronous", synchronous(durability))?;
    writer.pragma_update(None, "wal_autocheckpoint", limits::LOG_PAGES)?;
    writer.pragma_update(None, "cache_size", -i64::from(limits::WRITER_CACHE_KIB))
}

fn synchronous(durability: Durability) -> &'static str {
    match durability {
        Durability::Grouped => "NORMAL",
        Durability::Synced => "FULL",
    }
}

fn migrate(writer: &mut Connection, steps: &[&str]) -> rusqlite::Result<()> {
    if pragma(writer, "user_version")? == newest(steps) {
        return Ok(());
    }
    let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Read again under the lock: another process may have migrated meanwhile.
    let mut version = pragma(&transaction, "user_version")?;
    for step in steps.iter().skip(usize::try_from(version).unwrap_or(usize::MAX)) {
        version += 1;
        apply(&transaction, step, version)?;
    }
    transaction.commit()
}

fn apply(transaction: &Transaction<'_>, step: &str, version: i64) -> rusqlite::Result<()> {
    transaction.execute_batch(step)?;
    transaction.pragma_update(None, "user_version", version)
}

fn newest(steps: &[&str]) -> i64 {
    i64::try_from(steps.len()).unwrap_or(i64::MAX)
}

fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, name, |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_taken_once_and_in_order() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, MIGRATIONS).unwrap();
        assert_eq!(pragma(&connection, "application_id").unwrap(), APPLICATION_ID);
        let later = [MIGRATIONS, &["ALTER TABLE figures ADD COLUMN more INTEGER"]].concat();
        for _ in 0..2 {
            migrate(&mut connection, &later).unwrap();
            assert_eq!(pragma(&connection, "user_version").unwrap(), newest(&later));
        }
    }

    #[test]
    fn a_step_that_fails_leaves_the_version_before() {
        let mut connection = Connection::open_in_memory().unwrap();
        let broken = [MIGRATIONS, &["CREATE TABLE more (a); CREATE TABLE history (a)"]].concat();
        assert!(migrate(&mut connection, &broken).is_err());
        assert_eq!(pragma(&connection, "user_version").unwrap(), 0);
        migrate(&mut connection, MIGRATIONS).unwrap();
    }
}
