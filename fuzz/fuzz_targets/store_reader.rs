//! A store opens with a consistent history or says why not, and never loses what it acknowledged.
//!
//! Input: one octet for what is damaged, then
//! - 0, 1: a cut (two octets, 0 for none) and edits (see [`zi2_fuzz::edit`]) of a good file, or of its log;
//! - 2: the file itself;
//! - 3: lines of an import;
//! - 4: a value somebody else wrote: row, column, and the value (text, octets, or a number of eight octets).
#![no_main]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use rusqlite::{Connection, params, types::Value};
use tempfile::TempDir;
use zi2_fuzz::edit;
use zi2_mail::{Domain, HostName, Timestamp};
use zi2_sig::{AttestationId, Kid, PublicKey};
use zi2_store::{
    Batch, Durability, ImportError, MemoryStore, Page, Settings, SqliteStore, Store, StoreError, export, import,
    parse_line, write_line,
};
use zi2_trust::{Admission, HistoryPolicy, KeyHistory, ReplayVerdict, Seen};

const NOW: Timestamp = Timestamp::from_secs(1_777_400_000);
const DAY: u32 = 20_571;

fuzz_target!(|data: &[u8]| {
    match data {
        [0, damage @ ..] => damaged_file(&damaged(&GOOD.file, damage)),
        [1, damage @ ..] => damaged_log(&damaged(&GOOD.log, damage)),
        [2, file @ ..] => damaged_file(file),
        [3, lines @ ..] => imported(lines),
        [4, row, column, value @ ..] => meddled_with(*row, *column, value),
        _ => {}
    }
});

fn damaged(good: &[u8], damage: &[u8]) -> Vec<u8> {
    let mut octets = good.to_vec();
    if let Some((cut, edits)) = damage.split_first_chunk() {
        edit(&mut octets, edits);
        octets.truncate(Some(u16::from_be_bytes(*cut)).filter(|cut| *cut > 0).map_or(octets.len(), usize::from));
    }
    octets
}

/// So few rows that tidying and eviction have work to do.
fn settings() -> Settings {
    Settings { policy: HistoryPolicy::default(), nonces_per_day: 40, history_rows: 16 }
}

fn open(path: &Path) -> Result<SqliteStore, StoreError> {
    SqliteStore::open(path, Durability::Grouped, settings())
}

/// A folder that costs no disk where there is one.
fn folder() -> (TempDir, PathBuf) {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    let folder = folder.expect("a folder");
    let path = folder.path().join("store.db");
    (folder, path)
}

/// A store after some mails: the closed file, and what a process that was killed leaves.
struct Good {
    file: Vec<u8>,
    /// The file as it was before the log.
    before: Vec<u8>,
    log: Vec<u8>,
    /// The history after each commit.
    states: Vec<Vec<KeyHistory>>,
}

const MAILS: u8 = 18;

static GOOD: LazyLock<Good> = LazyLock::new(|| {
    let (_folder, path) = folder();
    let read = |ending: &str| fs::read(path.with_file_name(format!("store.db{ending}"))).unwrap_or_default();
    drop(open(&path).expect("a new store"));
    let before = read("");
    let store = open(&path).expect("its store");
    let mut states = vec![Vec::new()];
    for number in 0..MAILS {
        store.remember(&mail(number, number)).expect("a mail");
        states.push(store.list(&Page::default()).expect("a page"));
    }
    let log = read("-wal");
    drop(store);
    Good { file: read(""), before, log, states }
});

/// One mail: of a domain that three keys speak for.
fn mail(domain: u8, number: u8) -> Batch {
    let seen = Seen {
        domain: Domain::parse(&format!("d{}.example", domain / 3)).expect("a domain"),
        key: PublicKey::from_octets([domain; 32]),
        sid: HostName::parse("mail.example.com").expect("a host name"),
        kid: Kid::parse("zi2-cert-2026-04").expect("a key identifier"),
        at: NOW,
        siblings: Vec::new(),
    };
    let id = AttestationId::from_octets([number; 16]);
    let admission = Admission { id, day: DAY, recipients: vec![1], allowance: 20 };
    Batch { issued: Vec::new(), admissions: vec![admission], seen: vec![seen] }
}

/// Puts files there and opens them.
fn open_files(path: &Path, file: &[u8], log: &[u8]) -> Result<SqliteStore, StoreError> {
    for (name, octets) in [("store.db", file), ("store.db-wal", log)] {
        let path = path.with_file_name(name);
        fs::write(&path, octets).expect("room");
        fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("our file");
    }
    open(path)
}

fn damaged_file(octets: &[u8]) {
    let (_folder, path) = folder();
    let store = match open_files(&path, octets, b"") {
        Ok(store) => store,
        Err(error) => return assert!(is_about_the_file(&error), "{error:?}"),
    };
    let sound = store.check().is_ok();
    let history = read_or_say(store.list(&Page::default()));
    if let (true, Some(history)) = (sound, &history) {
        one_history(&store, history);
    }
    let remembered = read_or_say(store.remember(&mail(200, 200)));
    let tidied = read_or_say(store.tidy(NOW, 86_400));
    drop(store);
    let store = read_or_say(open(&path));
    // Where SQLite finds the tables whole, an answer is a promise.
    if let (true, Some(store), Some(_), Some(_)) = (sound, store, remembered, tidied) {
        let again = read_or_say(store.remember(&mail(200, 200)));
        assert!(again.is_none_or(|again| again.admitted[0].replay != ReplayVerdict::Fresh));
    }
}

fn read_or_say<T>(answer: Result<T, StoreError>) -> Option<T> {
    answer.inspect_err(|error| assert!(is_about_the_file(error), "{error:?}")).ok()
}

fn is_about_the_file(error: &StoreError) -> bool {
    use StoreError::{Corrupt, Foreign, Io, Newer, Row};
    matches!(error, Corrupt { .. } | Foreign { .. } | Io { .. } | Newer { .. } | Row { .. })
}

/// Both ways to read it say the same, each row once and in order.
fn one_history(store: &SqliteStore, history: &[KeyHistory]) {
    let place = |row: &KeyHistory| (row.domain.as_str().to_owned(), row.key);
    assert!(history.is_sorted_by(|one, other| place(one) < place(other)));
    for rows in history.chunk_by(|one, other| one.domain == other.domain) {
        let Some(mut past) = read_or_say(store.past(&[rows[0].domain.clone()])) else { continue };
        past[0].sort_by_key(place);
        assert_eq!(past[0], rows[..rows.len().min(zi2_trust::limits::KEYS_PER_DOMAIN)]);
    }
}

const COLUMNS: [(&str, &str); 14] = [
    ("history", "domain"),
    ("history", "sid"),
    ("history", "kid"),
    ("history", "key"),
    ("history", "valid"),
    ("history", "days"),
    ("history", "first_seen"),
    ("history", "last_seen"),
    ("days", "day"),
    ("days", "forgotten"),
    ("days", "nonces"),
    ("days", "issued"),
    ("figures", "history_rows"),
    ("figures", "clock"),
];

fn meddled_with(row: u8, column: u8, value: &[u8]) {
    let (_folder, path) = folder();
    fs::write(&path, &GOOD.file).expect("room");
    let (table, name) = COLUMNS[usize::from(column) % COLUMNS.len()];
    let value = match (column, std::str::from_utf8(value), value.first_chunk()) {
        (0..=2, Ok(text), _) => Value::Text(text.to_owned()),
        (4.., _, Some(number)) => Value::Integer(i64::from_be_bytes(*number)),
        _ => Value::Blob(value.to_vec()),
    };
    let file = Connection::open(&path).expect("a good file");
    let which = if table == "history" { "WHERE key = ?2" } else { "WHERE ?2 NOT NULL" };
    let key = [row % MAILS; 32];
    // What the tables refuse, nobody can have written.
    if file.execute(&format!("UPDATE {table} SET {name} = ?1 {which}"), params![value, key]).is_ok() {
        file.close().expect("all was written");
        damaged_file(&fs::read(&path).expect("the file"));
    }
}

/// What a kill leaves is whole commits, the first ones; and all of them if the log is.
fn damaged_log(log: &[u8]) {
    let (_folder, path) = folder();
    let store = open_files(&path, &GOOD.before, log).expect("a log that breaks off is no damage");
    store.check().expect("a sound file");
    let history = store.list(&Page::default()).expect("a page");
    let commits = GOOD.states.iter().position(|state| *state == history).expect("the history after some commit");
    assert!(log != GOOD.log || commits == usize::from(MAILS), "an acknowledged row is lost");
    let mut admitted =
        (0..MAILS).map(|number| store.remember(&mail(number, number)).expect("an answer").admitted[0].replay);
    assert!(admitted.by_ref().take(commits).all(|replay| replay == ReplayVerdict::Duplicate));
    assert!(admitted.all(|replay| replay == ReplayVerdict::Fresh));
}

fn imported(lines: &[u8]) {
    lines.split(|octet| *octet == b'\n').for_each(line_reads_as_itself);
    let store = MemoryStore::new(settings());
    let done = import(&store, &mut &lines[..], NOW);
    let rows = store.list(&Page::default()).expect("memory");
    match done {
        Ok(done) => assert_eq!(done.added - done.evicted, rows.len() as u64),
        Err(error) => return assert!(matches!(error, ImportError::Line { line: 1.., .. }), "{error:?}"),
    }
    // What comes out goes in again, changes nothing there, and makes the same store elsewhere.
    let mut out = Vec::new();
    assert_eq!(export(&store, &mut out).expect("memory"), rows.len() as u64);
    let again = import(&store, &mut &out[..], NOW).expect("what we wrote");
    assert_eq!((again.added, again.merged, again.evicted), (0, rows.len() as u64, 0));
    let other = MemoryStore::new(settings());
    import(&other, &mut &out[..], NOW).expect("what we wrote");
    assert_eq!(store.list(&Page::default()), Ok(rows.clone()));
    assert_eq!(other.list(&Page::default()), Ok(rows));
}

fn line_reads_as_itself(line: &[u8]) {
    let Ok(row) = parse_line(line) else { return };
    let mut written = Vec::new();
    write_line(&row, &mut written).expect("memory");
    assert_eq!(parse_line(&written), Ok(row));
}
