//! Fills a store and says what that took: time, memory, disk.

use std::fs;
use std::path::Path;
use std::time::Instant;

use zi2_store::{Batch, Store, limits};

use crate::common::report::{Cell, Table};
use crate::rows::{self, Rows};

pub(crate) const COLUMNS: [&str; 8] =
    ["store", "rows", "count", "seconds", "rows/s", "file, octets/row", "file and log, MB", "resident, MB"];

/// Rows between two lines of progress.
const PROGRESS: u64 = 1_000_000;

/// What is put in, how many of it, and how a range of it becomes a group.
type Stage = (&'static str, u64, fn(u64, u64) -> Batch);

/// Figures before a stage, to be subtracted.
struct Before {
    start: Instant,
    file: u64,
}

/// Identities, then nonces. `resident` is what the process had before the store was opened.
pub(crate) fn fill(
    name: &str,
    store: &dyn Store,
    path: Option<&Path>,
    resident_before: u64,
    rows: &Rows,
    table: &mut Table,
) {
    let stages: [Stage; 2] = [("identities", rows.identities, identities), ("nonces", rows.nonces, nonces)];
    for (what, count, batch) in stages {
        let before = Before { start: Instant::now(), file: octets_of(path) };
        put(&format!("{name}, {what}"), store, count, batch);
        let seconds = before.start.elapsed().as_secs_f64();
        settle(store);
        let on_disk = |cell: Cell| if path.is_some() { cell } else { Cell::Empty };
        table.row([
            Cell::Text(name.to_owned()),
            Cell::Text(what.to_owned()),
            Cell::Count(count),
            Cell::Number(seconds),
            Cell::Count((count as f64 / seconds) as u64),
            on_disk(Cell::Number((octets_of(path) - before.file) as f64 / count.max(1) as f64)),
            on_disk(Cell::Number((octets_of(path) + log_of(path)) as f64 / 1e6)),
            Cell::Number(resident().saturating_sub(resident_before) as f64 / 1e6),
        ]);
    }
}

fn put(what: &str, store: &dyn Store, count: u64, batch: fn(u64, u64) -> Batch) {
    let group = limits::GROUP as u64;
    for start in (0..count).step_by(limits::GROUP) {
        let done = store.remember(&batch(start, count.min(start + group))).unwrap();
        assert_eq!(done.rows_refused + done.rows_evicted, 0, "all rows have room");
        if start / PROGRESS != (start + group) / PROGRESS {
            eprintln!("{what}: {} million", (start + group) / PROGRESS);
        }
    }
}

fn identities(from: u64, to: u64) -> Batch {
    Batch { seen: (from..to).map(rows::seen).collect(), ..Batch::default() }
}

fn nonces(from: u64, to: u64) -> Batch {
    Batch { admissions: (from..to).map(rows::admission).collect(), ..Batch::default() }
}

/// Tidying brings the log into the file; nothing is old enough to be forgotten.
fn settle(store: &dyn Store) {
    let tidied = store.tidy(rows::NOW, 86_400).unwrap();
    assert_eq!((tidied.nonces_forgotten, tidied.rows_evicted), (0, 0), "nothing is forgotten");
}

fn octets_of(path: Option<&Path>) -> u64 {
    path.and_then(|path| fs::metadata(path).ok()).map_or(0, |metadata| metadata.len())
}

fn log_of(path: Option<&Path>) -> u64 {
    octets_of(path.map(|path| path.with_extension("db-wal")).as_deref())
}

/// Octets of this process that are in memory.
pub(crate) fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|text| text.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) * 1024
}
