//! How much a store holds, and what it costs to ask it when it is full.
//!
//!     cargo bench -p zi2-store [-- --identities 1000000 --nonces 10000000 --dir /var/tmp --json]
//!
//! Rows come in groups of the size that the actor makes; nonces are all of one UTC day, which is the worst case.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench: it may stop")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a bench: it prints")]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a bench: figures for people")]

#[path = "../../../zi2-mail/benches/common/mod.rs"]
mod common;
mod fill;
mod latency;
mod rows;

use std::path::Path;
use std::sync::Arc;

use zi2_store::{Durability, MemoryStore, Settings, SqliteStore, Store};

use common::options::{Effort, Options};
use common::report::{Report, Table};
use rows::Rows;

fn main() {
    let options = Options::read();
    let rows = wanted(&options);
    let room = options.text("--dir").map_or_else(std::env::temp_dir, Into::into);
    let directory = tempfile::tempdir_in(room).unwrap();
    let file = directory.path().join("zi2.db");

    let mut filled = Table::new("filling", &fill::COLUMNS);
    let mut asked = Table::new("asking the full store", &latency::COLUMNS);
    // The one in memory comes last, because freed memory would still count as resident.
    for (name, path) in [("SqliteStore", Some(file.as_path())), ("MemoryStore", None)] {
        let before = fill::resident();
        let store = open(path, &rows);
        fill::fill(name, &*store, path, before, &rows, &mut filled);
        latency::ask(name, &store, &rows, &mut asked);
    }
    let mut report = Report::new("zi2-store: capacity");
    report
        .note(format!(
            "{} identities (one domain and key each) and {} nonces of one day, in commits of up to {} rows. One nonce in \
             five has a recipient that stands neither in To nor in Cc.",
            rows.identities,
            rows.nonces,
            zi2_store::limits::GROUP,
        ))
        .table(filled)
        .table(asked)
        .print(&options);
}

fn wanted(options: &Options) -> Rows {
    let or =
        |flag, full, smoke| options.number(flag).unwrap_or(if options.effort == Effort::Full { full } else { smoke });
    Rows { identities: or("--identities", 1_000_000, 500), nonces: or("--nonces", 10_000_000, 2000) }
}

fn open(path: Option<&Path>, rows: &Rows) -> Arc<dyn Store> {
    // The bounds are out of the way: what is measured is what they could be set to.
    let settings = Settings { nonces_per_day: u64::MAX, history_rows: rows.identities.max(1) * 2, ..Settings::disk() };
    match path {
        Some(path) => Arc::new(SqliteStore::open(path, Durability::Grouped, settings).unwrap()),
        None => Arc::new(MemoryStore::new(settings)),
    }
}
