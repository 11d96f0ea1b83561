//! History in SQL: rows in, rows out. What becomes of them is decided in `history.rs`.

use rusqlite::types::Type;
use rusqlite::{Connection, Row, Transaction, params};
use zi2_mail::{Domain, HostName, Timestamp};
use zi2_sig::{Kid, PublicKey};
use zi2_trust::{KeyHistory, Seen, limits::KEYS_PER_DOMAIN};

use super::{Fault, signed, unsigned};
use crate::history::{self, Change, Was};
use crate::{Imported, Page, Remembered, Settings};

const COLUMNS: &str = "domain, key, sid, kid, valid, days, first_seen, last_seen";

pub(super) fn newest_first(connection: &Connection, domain: &Domain) -> Result<Vec<KeyHistory>, Fault> {
    let sql =
        format!("SELECT {COLUMNS} FROM history WHERE domain = ?1 ORDER BY last_seen DESC, key LIMIT {KEYS_PER_DOMAIN}");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([domain.as_str()])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read_as(domain.clone(), row)?);
    }
    Ok(found)
}

pub(super) fn list(connection: &Connection, page: &Page) -> Result<Vec<KeyHistory>, Fault> {
    let (after, key) = page.after.as_ref().map_or(("", &[][..]), |(domain, key)| (domain.as_str(), key.as_octets()));
    let of = page.domain.as_ref().map_or("true", |_| "domain = ?4");
    let sql =
        format!("SELECT {COLUMNS} FROM history WHERE (domain, key) > (?1, ?2) AND {of} ORDER BY domain, key LIMIT ?3");
    let mut statement = connection.prepare_cached(&sql)?;
    let limit = i64::try_from(page.limit()).unwrap_or(i64::MAX);
    let mut rows = match &page.domain {
        Some(domain) => statement.query(params![after, key, limit, domain.as_str()])?,
        None => statement.query(params![after, key, limit])?,
    };
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

pub(super) fn remember(
    transaction: &Transaction<'_>,
    seen: &[Seen],
    settings: &Settings,
    done: &mut Remembered,
) -> Result<(), Fault> {
    let mut figures = Figures::load(transaction)?;
    for seen in seen {
        let past = newest_first(transaction, &seen.domain)?;
        match figures.apply(&seen.domain, history::remember(&past, seen, settings, figures.rows))? {
            None => done.rows_refused += 1,
            Some((_, evicted)) => done.rows_evicted += evicted,
        }
    }
    figures.save()
}

pub(super) fn import(
    transaction: &Transaction<'_>,
    rows: &[KeyHistory],
    settings: &Settings,
) -> Result<Imported, Fault> {
    let mut figures = Figures::load(transaction)?;
    let mut done = Imported::default();
    for row in rows {
        let past = newest_first(transaction, &row.domain)?;
        match figures.apply(&row.domain, history::import(&past, row, settings, figures.rows))? {
            None => done.refused += 1,
            Some((Was::New, evicted)) => (done.added, done.evicted) = (done.added + 1, done.evicted + evicted),
            Some((Was::Known, evicted)) => (done.merged, done.evicted) = (done.merged + 1, done.evicted + evicted),
        }
    }
    figures.save()?;
    Ok(done)
}

pub(super) fn forget(transaction: &Transaction<'_>, domains: &[Domain]) -> Result<u64, Fault> {
    let mut figures = Figures::load(transaction)?;
    let before = figures.rows;
    for domain in domains {
        figures.deleted(transaction.execute("DELETE FROM history WHERE domain = ?1", [domain.as_str()])?);
    }
    let forgotten = before - figures.rows;
    figures.save()?;
    Ok(forgotten)
}

/// The number of rows, kept in the same transaction as the rows: counting a million takes too long.
pub(super) struct Figures<'t> {
    transaction: &'t Transaction<'t>,
    loaded: u64,
    pub(super) rows: u64,
}

impl<'t> Figures<'t> {
    pub(super) fn load(transaction: &'t Transaction<'t>) -> Result<Figures<'t>, Fault> {
        let mut statement = transaction.prepare_cached("SELECT history_rows FROM figures")?;
        let rows = unsigned(statement.query_row([], |row| row.get(0))?)?;
        Ok(Figures { transaction, loaded: rows, rows })
    }

    pub(super) fn deleted(&mut self, rows: usize) {
        self.rows = self.rows.saturating_sub(u64::try_from(rows).unwrap_or(u64::MAX));
    }

    pub(super) fn save(self) -> Result<(), Fault> {
        if self.rows != self.loaded {
            let mut statement = self.transaction.prepare_cached("UPDATE figures SET history_rows = ?1")?;
            statement.execute([signed(self.rows)])?;
        }
        Ok(())
    }

    fn apply(&mut self, domain: &Domain, change: Change) -> Result<Option<(Was, u64)>, Fault> {
        let Change::Put(row, was, evicted) = change else { return Ok(None) };
        put(self.transaction, &row)?;
        self.rows += u64::from(was == Was::New);
        let mut delete = self.transaction.prepare_cached("DELETE FROM history WHERE domain = ?1 AND key = ?2")?;
        for key in &evicted {
            self.deleted(delete.execute(params![domain.as_str(), key.as_octets()])?);
        }
        Ok(Some((was, u64::try_from(evicted.len()).unwrap_or(u64::MAX))))
    }
}

fn put(transaction: &Transaction<'_>, row: &KeyHistory) -> Result<(), Fault> {
    let sql = format!("INSERT OR REPLACE INTO history ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
    transaction.prepare_cached(&sql)?.execute(params![
        row.domain.as_str(),
        row.key.as_octets(),
        row.sid.as_str(),
        row.kid.to_string(),
        signed(row.valid),
        row.days,
        signed(row.first_seen.secs()),
        signed(row.last_seen.secs()),
    ])?;
    Ok(())
}

fn read(row: &Row<'_>) -> Result<KeyHistory, Fault> {
    let text: String = row.get(0)?;
    // Another spelling would be shown as a domain under which nobody can find the row.
    let domain = Domain::parse(&text).ok().filter(|domain| domain.as_str() == text);
    let domain = domain.ok_or(Fault::Damaged("a domain of history is none"))?;
    read_as(domain, row)
}

/// What is in the file came through the parsers once; it goes through them again, for others can write to a file.
fn read_as(domain: Domain, row: &Row<'_>) -> Result<KeyHistory, Fault> {
    let fault = |what: &'static str| Fault::Row(domain.as_str().to_owned(), what);
    let key: [u8; 32] = row.get(1).map_err(|_| fault("key"))?;
    let sid = text(row, 2).and_then(|text| HostName::parse(text).ok()).ok_or_else(|| fault("sid"))?;
    let kid = text(row, 3).and_then(|text| Kid::parse(text).ok()).ok_or_else(|| fault("kid"))?;
    let number = |at: usize| row.get::<_, i64>(at).ok().and_then(|number| u64::try_from(number).ok());
    let valid = number(4).ok_or_else(|| fault("valid"))?;
    let days = number(5).and_then(|days| u32::try_from(days).ok()).ok_or_else(|| fault("days"))?;
    let first_seen = number(6).map(Timestamp::from_secs).ok_or_else(|| fault("first_seen"))?;
    let last_seen = number(7).map(Timestamp::from_secs).ok_or_else(|| fault("last_seen"))?;
    Ok(KeyHistory { key: PublicKey::from_octets(key), sid, kid, valid, days, first_seen, last_seen, domain })
}

fn text<'r>(row: &'r Row<'_>, at: usize) -> Option<&'r str> {
    let value = row.get_ref(at).ok().filter(|value| value.data_type() == Type::Text)?;
    value.as_str().ok()
}
