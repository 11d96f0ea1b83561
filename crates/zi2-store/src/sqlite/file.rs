//! The file: private, ours, and opened without following anybody's link.

use std::fs::{self, Metadata, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::private::{check_directory, is_ours, not_private};
use crate::{StoreError, limits};

/// Checks the directory, creates the file if it is missing, checks it; answers its path without links in it.
pub(super) fn prepare(path: &Path) -> Result<PathBuf, StoreError> {
    let fail = |error: io::Error| StoreError::Io { path: path.to_path_buf(), what: error.to_string() };
    let name = path.file_name().ok_or_else(|| fail(ErrorKind::IsADirectory.into()))?;
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let directory = directory.canonicalize().map_err(fail)?;
    check_directory(&directory, &fs::metadata(&directory).map_err(fail)?)?;
    let path = directory.join(name);
    create(&path).map_err(fail)?;
    check_file(&path, &fs::symlink_metadata(&path).map_err(fail)?)?;
    Ok(path)
}

/// A connection with the settings every one of ours has.
pub(super) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_millis(limits::BUSY_MILLIS))?;
    // The file may have been written by somebody else: it is read as data, never as a program.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.execute_batch("PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0")?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

fn create(path: &Path) -> io::Result<()> {
    // O_EXCL follows no link; SQLite gives its log and its shared memory the mode of this file.
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

fn check_file(path: &Path, found: &Metadata) -> Result<(), StoreError> {
    match found {
        _ if !found.is_file() => Err(not_private(path, "it is a link or no regular file", "name the file itself")),
        _ if !is_ours(found) => {
            Err(not_private(path, "it belongs to another user", "chown it to the user the daemon runs as"))
        }
        _ if found.mode() & 0o077 != 0 => Err(not_private(path, "others can read or write it", "chmod 600 it")),
        _ => Ok(()),
    }
}
