//! What only a file has: owners, versions, damage, other processes, restarts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test")]

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tempfile::TempDir;
use zi2_mail::{Domain, HostName, Timestamp};
use zi2_sig::{AttestationId, Kid, PublicKey};
use zi2_store::{Batch, Durability, Page, Settings, SqliteStore, Store, StoreError, limits};
use zi2_trust::{Admission, Admitted, ReplayVerdict, Seen};

fn open(path: &Path) -> Result<SqliteStore, StoreError> {
    SqliteStore::open(path, Durability::Grouped, Settings::disk())
}

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap().join("store.db");
    (folder, path)
}

fn batch(number: u8) -> Batch {
    let id = AttestationId::from_octets([number; 16]);
    let seen = Seen {
        domain: Domain::parse(&format!("d{number}.example")).unwrap(),
        key: PublicKey::from_octets([number; 32]),
        sid: HostName::parse("mail.example.com").unwrap(),
        kid: Kid::parse("zi2-cert-2026-04").unwrap(),
        at: Timestamp::from_secs(1_777_400_000),
        siblings: Vec::new(),
    };
    let admission = Admission { id, day: 20_571, recipients: vec![1], allowance: 20 };
    Batch { issued: Vec::new(), admissions: vec![admission], seen: vec![seen] }
}

fn admit(store: &SqliteStore, number: u8) -> Result<Admitted, StoreError> {
    store.remember(&batch(number)).map(|done| done.admitted[0])
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// A store with some rows, closed, so that all is in one file.
fn filled(path: &Path) -> Vec<u8> {
    let store = open(path).unwrap();
    (0..100).for_each(|number| assert!(admit(&store, number).is_ok()));
    drop(store);
    fs::read(path).unwrap()
}

#[test]
fn what_was_remembered_is_there_after_a_restart() {
    for durability in [Durability::Grouped, Durability::Synced] {
        let (_folder, path) = folder();
        let reopen = || SqliteStore::open(&path, durability, Settings::disk()).unwrap();
        assert_eq!(admit(&reopen(), 1).unwrap().replay, ReplayVerdict::Fresh);
        let store = reopen();
        assert_eq!(admit(&store, 1).unwrap().replay, ReplayVerdict::Duplicate);
        assert_eq!(store.list(&Page::default()).unwrap()[0].valid, 2);
        store.check().unwrap();
    }
}

#[test]
fn files_are_private() {
    let (_folder, path) = folder();
    let store = open(&path).unwrap();
    admit(&store, 1).unwrap();
    for name in ["store.db", "store.db-wal", "store.db-shm"] {
        assert_eq!(fs::metadata(path.with_file_name(name)).unwrap().permissions().mode() & 0o7777, 0o600, "{name}");
    }
}

#[test]
fn what_others_could_write_is_refused() {
    for (folder_mode, file_mode, refused) in [
        (0o700, 0o600, false),
        (0o750, 0o600, false),
        (0o770, 0o600, true),
        (0o1777, 0o600, true),
        (0o700, 0o640, true),
    ] {
        let (folder, path) = folder();
        drop(open(&path).unwrap());
        chmod(&path, file_mode);
        chmod(folder.path(), folder_mode);
        let opened = open(&path).map(drop);
        assert_eq!(
            matches!(opened, Err(StoreError::NotPrivate { .. })),
            refused,
            "{folder_mode:o} {file_mode:o}: {opened:?}"
        );
    }
}

#[test]
fn links_and_folders_are_no_store() {
    let (folder, path) = folder();
    drop(open(&path).unwrap());
    let link = path.with_file_name("link.db");
    symlink(&path, &link).unwrap();
    assert!(matches!(open(&link), Err(StoreError::NotPrivate { .. })));
    assert!(matches!(open(folder.path()), Err(StoreError::NotPrivate { .. })));
    assert!(matches!(open(&folder.path().join("none/store.db")), Err(StoreError::Io { .. })));
    // A link on the way is the operator's own arrangement.
    let (elsewhere, _) = self::folder();
    symlink(folder.path(), elsewhere.path().join("way")).unwrap();
    open(&elsewhere.path().join("way/store.db")).unwrap();
}

#[test]
fn newer_and_foreign_files_are_left_alone() {
    let (_folder, path) = folder();
    drop(open(&path).unwrap());
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let before = fs::read(&path).unwrap();
    assert!(matches!(open(&path), Err(StoreError::Newer { found: 99, known: 1, .. })));
    assert_eq!(fs::read(&path).unwrap(), before);

    let foreign = path.with_file_name("foreign.db");
    Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
    chmod(&foreign, 0o600);
    let before = fs::read(&foreign).unwrap();
    assert!(matches!(open(&foreign), Err(StoreError::Foreign { .. })));
    assert_eq!(fs::read(&foreign).unwrap(), before);
}

#[test]
fn damage_is_an_error_that_says_what_to_do() {
    let (_folder, path) = folder();
    fs::write(&path, "no database at all, but long enough to look at ".repeat(100)).unwrap();
    chmod(&path, 0o600);
    let error = open(&path).map(drop).unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
    let text = error.to_string();
    for word in [&*path.to_string_lossy(), "aside", "lost are", "trust import"] {
        assert!(text.contains(word), "{word}: {text}");
    }
}

/// Every operation on a damaged file ends, in an answer or an error.
fn survives(path: &Path, octets: &[u8], what: &str) -> bool {
    for name in ["store.db-wal", "store.db-shm"] {
        let _ = fs::remove_file(path.with_file_name(name));
    }
    fs::write(path, octets).unwrap();
    let Ok(store) = open(path) else { return false };
    let domains: Vec<_> = (0..100).map(|number| batch(number).seen[0].domain.clone()).collect();
    let answers = [
        store.past(&domains).map(drop).err(),
        store.list(&Page::default()).map(drop).err(),
        admit(&store, 7).map(drop).err(),
        store.tidy(Timestamp::from_secs(1_777_400_000), 86_400).map(drop).err(),
    ];
    for error in answers.iter().flatten() {
        assert!(
            matches!(error, StoreError::Corrupt { .. } | StoreError::Row { .. } | StoreError::Io { .. }),
            "{what}: {error:?}"
        );
    }
    answers.iter().all(Option::is_none)
}

#[test]
fn cut_files_never_panic() {
    let (_folder, path) = folder();
    let whole = filled(&path);
    assert!(survives(&path, &whole, "whole"));
    // Every octet of the last page, and every page before it; the slow run takes every 16th octet of all.
    let slow = std::env::var_os("ZI2_SLOW").is_some();
    let step = if slow { 16 } else { 512 };
    let last_page = whole.len() - 4096;
    let cuts = (0..last_page).step_by(step).chain((last_page..whole.len()).step_by(if slow { 1 } else { 64 }));
    for cut in cuts {
        let (left, lost) = whole.split_at(cut);
        let sound = survives(&path, left, &format!("cut at {cut}"));
        // An empty file is a new store. SQLite has no checksums and reads zeros where the last page ends early: there some
        // cuts go unnoticed. A whole page less never does.
        assert!(!sound || left.is_empty() || cut > last_page, "cut at {cut}: {} octets less", lost.len());
    }
}

#[test]
fn flipped_bits_never_panic() {
    let (_folder, path) = folder();
    let whole = filled(&path);
    let step = if std::env::var_os("ZI2_SLOW").is_some() { 1 } else { 61 };
    let header = (0..100).chain((100..whole.len()).step_by(step));
    for (count, place) in header.enumerate() {
        let mut flipped = whole.clone();
        flipped[place] ^= 1 << (count % 8);
        survives(&path, &flipped, &format!("bit at {place}"));
    }
}

#[test]
fn one_unreadable_row_is_one_domains_trouble() {
    let (_folder, path) = folder();
    let store = open(&path).unwrap();
    (1..=2).for_each(|number| assert!(admit(&store, number).is_ok()));
    let other = Connection::open(&path).unwrap();
    other.execute("UPDATE history SET sid = 'not a host' WHERE domain = 'd1.example'", []).unwrap();
    let domains = [1, 2].map(|number| batch(number).seen[0].domain.clone());
    let error = store.past(&domains[..1]).unwrap_err();
    assert_eq!(error, StoreError::Row { domain: "d1.example".to_owned(), what: "sid" });
    assert!(error.to_string().contains("trust forget d1.example"));
    assert_eq!(store.past(&domains[1..]).unwrap()[0].len(), 1);
    assert_eq!(store.forget(&domains[..1]).unwrap(), 1);
    let left: Vec<usize> = store.past(&domains).unwrap().iter().map(Vec::len).collect();
    assert_eq!(left, [0, 1]);
}

#[test]
fn two_processes_may_share_a_store() {
    let (_folder, path) = folder();
    let (daemon, tool) = (open(&path).unwrap(), open(&path).unwrap());
    assert_eq!(admit(&daemon, 1).unwrap().replay, ReplayVerdict::Fresh);
    assert_eq!(tool.list(&Page::default()).unwrap().len(), 1);
    assert_eq!(tool.forget(&[batch(1).seen[0].domain.clone()]).unwrap(), 1);
    let one_day_on = Timestamp::from_secs(20_573 * 86_400);
    daemon.tidy(one_day_on, 0).unwrap();
    tool.tidy(one_day_on, 0).unwrap();
    // The day's table went under the daemon's prepared statements.
    assert_eq!(admit(&daemon, 1).unwrap().replay, ReplayVerdict::Unknown);
    assert_eq!(daemon.list(&Page::default()).unwrap()[0].valid, 1);
}

#[test]
fn a_writer_that_does_not_let_go_is_an_error_in_time() {
    let (_folder, path) = folder();
    let store = open(&path).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let began = std::time::Instant::now();
    assert!(matches!(admit(&store, 1), Err(StoreError::Busy { .. })));
    assert!(began.elapsed().as_millis() >= u128::from(limits::BUSY_MILLIS) - 500);
    store.past(&[batch(1).seen[0].domain.clone()]).unwrap();
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(admit(&store, 1).unwrap().replay, ReplayVerdict::Fresh);
}

#[test]
fn evictions_are_short_transactions() {
    let bound = Settings { history_rows: 40, ..Settings::disk() };
    for (surplus, transactions) in
        [(limits::EVICTED_ROWS, vec![limits::EVICTED_ROWS]), (limits::EVICTED_ROWS + 1, vec![limits::EVICTED_ROWS, 1])]
    {
        let (_folder, path) = folder();
        let store = SqliteStore::open(&path, Durability::Grouped, bound).unwrap();
        let other = Connection::open(&path).unwrap();
        let held = usize::try_from(bound.history_rows).unwrap() + surplus;
        other.execute_batch(&format!("{} {NOTE_EVICTIONS}", rows(held))).unwrap();
        let done = store.tidy(Timestamp::from_secs(1_777_400_000), 86_400).unwrap();
        assert_eq!((done.rows_evicted, done.rows), (surplus as u64, bound.history_rows));
        let mut noted = other.prepare("SELECT evicted FROM noted WHERE evicted > 0").unwrap();
        let noted = noted.query_map([], |row| row.get::<_, i64>(0)).unwrap();
        let noted = noted.map(|rows| usize::try_from(rows.unwrap()).unwrap());
        assert_eq!(noted.collect::<Vec<_>>(), transactions);
    }
}

/// Each transaction writes the figures once.
const NOTE_EVICTIONS: &str = "
    CREATE TABLE noted (evicted INTEGER);
    CREATE TRIGGER note AFTER UPDATE ON figures
    BEGIN INSERT INTO noted VALUES (old.history_rows - new.history_rows); END;";

/// Fills an empty history with as many rows.
fn rows(number: usize) -> String {
    format!(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {number})
         INSERT INTO history SELECT 'd' || n || '.example', zeroblob(32), 'mail.example.com', 'zi2-cert-2026-04', 1, 1,
             1777300000, 1777300000 FROM n;
         UPDATE figures SET history_rows = {number};"
    )
}

#[test]
fn the_flusher_brings_the_log_to_the_file() {
    let (_folder, path) = folder();
    let store = open(&path).unwrap();
    let before = fs::metadata(&path).unwrap().len();
    let many = |number: u16| {
        let mut id = [0; 16];
        id[..2].copy_from_slice(&number.to_be_bytes());
        Admission { id: AttestationId::from_octets(id), day: 20_571, recipients: vec![1], allowance: 20 }
    };
    store.remember(&Batch { admissions: (0..5000).map(many).collect(), ..Batch::default() }).unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while fs::metadata(&path).unwrap().len() < before + 100_000 {
        assert!(std::time::Instant::now() < deadline, "nothing was flushed");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
