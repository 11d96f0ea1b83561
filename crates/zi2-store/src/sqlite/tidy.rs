//! Forgetting on disk: short transactions, so that admissions get in between.

use std::thread;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use zi2_mail::Timestamp;
use zi2_trust::HistoryPolicy;

use super::past::Figures;
use super::{Fault, SqliteStore, file, flusher, replay, schema, signed, unsigned};
use crate::clock::Forgetting;
use crate::{Settings, StoreError, Tidied, limits};

/// Between two transactions: a mutex is not fair, and those who wait for it shall have it.
const BREATH: Duration = Duration::from_millis(1);

pub(super) fn tidy(store: &SqliteStore, now: Timestamp, window: u64) -> Result<Tidied, StoreError> {
    let step = store.write(|transaction| step(transaction, now))?;
    let mut done = Tidied { clock_ahead: now.secs().saturating_sub(step.time.secs()), ..Tidied::default() };
    while let Some(nonces) = store.write(|transaction| forget_day(transaction, step.first_kept_day(window)))? {
        done.days_forgotten += 1;
        done.nonces_forgotten += nonces;
        thread::sleep(BREATH);
    }
    // A connection of its own: the scan takes as long as the history is, and nobody shall wait for it.
    let beside =
        file::connect(&store.path).and_then(schema::reader).map_err(|error| Fault::from(error).at(&store.path))?;
    loop {
        let leaving = surplus(&beside, &store.settings, step.time).map_err(|fault| fault.at(&store.path))?;
        if leaving.is_empty() {
            break;
        }
        let before = done.rows_evicted;
        for leaving in leaving.chunks(limits::EVICTED_ROWS) {
            done.rows_evicted += store.write(|transaction| evict(transaction, leaving))?;
            thread::sleep(BREATH);
        }
        // All have moved, or a damaged file shows rows that cannot be found: the next tidying looks again.
        if done.rows_evicted == before {
            break;
        }
    }
    // The flusher cannot report that the disk is full; this can.
    flusher::flush(&beside).map_err(|error| Fault::from(error).at(&store.path))?;
    measure(&beside, done).map_err(|fault| fault.at(&store.path))
}

fn step(transaction: &Transaction<'_>, now: Timestamp) -> Result<Forgetting, Fault> {
    let before: Option<i64> = transaction.query_row("SELECT clock FROM figures", [], |row| row.get(0))?;
    let before = before.map(unsigned).transpose()?.map(Timestamp::from_secs);
    let step = Forgetting::step(before, now);
    transaction.execute("UPDATE figures SET clock = ?1", [signed(step.reached.secs())])?;
    Ok(step)
}

/// Forgets one day: the table goes, a row stays that says so (the day's mail is `Unknown` from now on, not `Fresh`).
fn forget_day(transaction: &Transaction<'_>, first_kept: u32) -> Result<Option<u64>, Fault> {
    let next = "SELECT day, nonces FROM days WHERE forgotten = 0 AND day < ?1 ORDER BY day LIMIT 1";
    let found = transaction.query_row(next, [first_kept], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((day, nonces)): Option<(u32, i64)> = found else { return Ok(None) };
    transaction.execute_batch(&format!("DROP TABLE {}", replay::table(day)))?;
    transaction.execute("UPDATE days SET forgotten = 1, nonces = 0, issued = 0 WHERE day = ?1", [day])?;
    Ok(Some(unsigned(nonces)?))
}

/// Some of the rows above the bound, in the order of `history::eviction_rank`.
fn surplus(beside: &Connection, settings: &Settings, now: Timestamp) -> Result<Vec<Place>, Fault> {
    let held = unsigned(beside.query_row("SELECT history_rows FROM figures", [], |row| row.get(0))?)?;
    let surplus = usize::try_from(held.saturating_sub(settings.history_rows)).unwrap_or(usize::MAX);
    match surplus.min(limits::EVICTABLE_ROWS) {
        0 => Ok(Vec::new()),
        rows => first_to_leave(beside, &settings.policy, now, rows),
    }
}

/// Evicts the rows that have not moved since they were looked for.
fn evict(transaction: &Transaction<'_>, leaving: &[Place]) -> Result<u64, Fault> {
    let mut figures = Figures::load(transaction)?;
    let before = figures.rows;
    let sql = "DELETE FROM history WHERE domain = ?1 AND key = ?2 AND last_seen = ?3";
    let mut delete = transaction.prepare_cached(sql)?;
    for (domain, key, last_seen) in leaving {
        figures.deleted(delete.execute(params![domain, key, last_seen])?);
    }
    let evicted = before - figures.rows;
    figures.save()?;
    Ok(evicted)
}

type Place = (String, Vec<u8>, i64);

fn first_to_leave(
    reader: &Connection,
    policy: &HistoryPolicy,
    now: Timestamp,
    rows: usize,
) -> Result<Vec<Place>, Fault> {
    // The same words as `zi2_trust::standing`; tests/conformance.rs holds the two together.
    let mut statement = reader.prepare_cached(
        "SELECT domain, key, last_seen FROM history
         WHERE last_seen < ?1 OR valid < ?2 OR days < ?3 OR last_seen - first_seen < ?4
         ORDER BY last_seen >= ?1, days, last_seen, domain, key LIMIT ?5",
    )?;
    let alive_since = signed(now.sub_secs(policy.idle).secs());
    let limit = i64::try_from(rows).unwrap_or(i64::MAX);
    let values = params![alive_since, signed(policy.trusted), policy.min_days, signed(policy.min_span), limit];
    let found = statement.query_map(values, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    found.collect::<Result<Vec<Place>, _>>().map_err(Fault::from)
}

fn measure(reader: &Connection, done: Tidied) -> Result<Tidied, Fault> {
    let held = "SELECT coalesce(sum(nonces), 0), coalesce(sum(issued), 0), (SELECT history_rows FROM figures)
                FROM days WHERE forgotten = 0";
    let (nonces, issued, rows) = reader.query_row(held, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let octets = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()";
    let octets = unsigned(reader.query_row(octets, [], |row| row.get(0))?)?;
    Ok(Tidied { nonces: unsigned(nonces)?, issued: unsigned(issued)?, rows: unsigned(rows)?, octets, ..done })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_rows_are_looked_for_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let settings = Settings { history_rows: 0, ..Settings::disk() };
        let _store = SqliteStore::open(&path, crate::Durability::Grouped, settings).unwrap();
        let connection = Connection::open(&path).unwrap();
        let insert = "WITH RECURSIVE n (n) AS (SELECT ?1 UNION ALL SELECT n + 1 FROM n WHERE n < ?2)
            INSERT INTO history SELECT 'd' || n || '.example', zeroblob(32), 'mail.example.com', 'zi2-cert-2026-04', 1,
            1, 0, 0 FROM n";
        let full = limits::EVICTABLE_ROWS;
        for (first, held, found) in [(1, full - 1, full - 1), (full, full, full), (full + 1, full + 1, full)] {
            connection.execute(insert, [first, held].map(|row| i64::try_from(row).unwrap())).unwrap();
            connection.execute("UPDATE figures SET history_rows = (SELECT count(*) FROM history)", []).unwrap();
            let leaving = surplus(&connection, &settings, Timestamp::from_secs(1)).map(|leaving| leaving.len());
            assert_eq!(leaving.ok(), Some(found), "{held} held");
        }
    }
}
