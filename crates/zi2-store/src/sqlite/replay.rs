//! Attestations in SQL: a table for each UTC day, so that a day is forgotten in one stroke.

use std::collections::BTreeMap;

use rusqlite::types::ValueRef;
use rusqlite::{OptionalExtension, Row, Transaction, params};
use zi2_sig::AttestationId;
use zi2_trust::{Admission, Admitted};

use super::{Fault, signed, unsigned};
use crate::replay::{self, Claim, Entry, Fill, Issuing};
use crate::{Batch, Issued, Remembered, Settings, limits};

pub(super) fn remember(
    transaction: &Transaction<'_>,
    batch: &Batch,
    settings: &Settings,
    done: &mut Remembered,
) -> Result<(), Fault> {
    let mut days = Days { transaction, capacity: settings.nonces_per_day, known: BTreeMap::new() };
    for issued in &batch.issued {
        done.issued_refused += u64::from(!days.issue(issued)?);
    }
    for admission in &batch.admissions {
        let answer = days.admit(admission)?;
        done.admitted.push(answer);
    }
    days.save()
}

/// The table of a day.
pub(super) fn table(day: u32) -> String {
    format!("day_{day}")
}

/// The days a batch has touched.
struct Days<'t> {
    transaction: &'t Transaction<'t>,
    capacity: u64,
    known: BTreeMap<u32, Option<Fill>>,
}

impl Days<'_> {
    fn issue(&mut self, issued: &Issued) -> Result<bool, Fault> {
        let Some(mut fill) = self.fill(issued.day)? else { return Ok(false) };
        match replay::issue(self.entry(issued.day, issued.id)?, &mut fill, self.capacity) {
            Issuing::New(entry) => self.put(issued.day, issued.id, &entry)?,
            Issuing::Known => {}
            Issuing::Full => return Ok(false),
        }
        self.known.insert(issued.day, Some(fill));
        Ok(true)
    }

    fn admit(&mut self, admission: &Admission) -> Result<Admitted, Fault> {
        let Some(mut fill) = self.fill(admission.day)? else { return Ok(replay::UNKNOWN) };
        let before = self.entry(admission.day, admission.id)?;
        let (answer, keep) = replay::admit(admission, before, &mut fill, self.capacity);
        if let Some(entry) = keep {
            self.put(admission.day, admission.id, &entry)?;
        }
        self.known.insert(admission.day, Some(fill));
        Ok(answer)
    }

    /// How full a day is; `None` where it is forgotten or cannot be opened.
    fn fill(&mut self, day: u32) -> Result<Option<Fill>, Fault> {
        if let Some(fill) = self.known.get(&day) {
            return Ok(*fill);
        }
        let mut load = self.transaction.prepare_cached("SELECT forgotten, nonces, issued FROM days WHERE day = ?1")?;
        let found = load.query_row([day], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
        let fill = match found {
            Some((0_i64, nonces, issued)) => Some(Fill { nonces: unsigned(nonces)?, issued: unsigned(issued)? }),
            Some(_) => None,
            None => self.open(day)?,
        };
        self.known.insert(day, fill);
        Ok(fill)
    }

    fn open(&self, day: u32) -> Result<Option<Fill>, Fault> {
        let open = "SELECT count(*) FROM days WHERE forgotten = 0";
        let open = unsigned(self.transaction.query_row(open, [], |row| row.get(0))?)?;
        if usize::try_from(open).is_ok_and(|open| open < limits::OPEN_DAYS) {
            self.transaction.execute_batch(&format!(
                "CREATE TABLE {} (id BLOB PRIMARY KEY, claim INTEGER NOT NULL, recipients BLOB) STRICT, WITHOUT ROWID;
                 INSERT INTO days VALUES ({day}, 0, 0, 0)",
                table(day)
            ))?;
            return Ok(Some(Fill::default()));
        }
        Ok(None)
    }

    fn entry(&self, day: u32, id: AttestationId) -> Result<Option<Entry>, Fault> {
        let sql = format!("SELECT claim, recipients FROM {} WHERE id = ?1", table(day));
        let mut statement = self.transaction.prepare_cached(&sql)?;
        let mut rows = statement.query([id.as_octets()])?;
        rows.next()?.map(read).transpose()
    }

    fn put(&self, day: u32, id: AttestationId, entry: &Entry) -> Result<(), Fault> {
        let sql = format!("INSERT OR REPLACE INTO {} VALUES (?1, ?2, ?3)", table(day));
        let claim = i64::from(entry.claim == Claim::Open);
        let recipients: Option<Vec<u8>> =
            entry.recipients.as_ref().map(|set| set.iter().flat_map(|hash| hash.to_be_bytes()).collect());
        self.transaction.prepare_cached(&sql)?.execute(params![id.as_octets(), claim, recipients])?;
        Ok(())
    }

    fn save(self) -> Result<(), Fault> {
        let mut save = self.transaction.prepare_cached("UPDATE days SET nonces = ?2, issued = ?3 WHERE day = ?1")?;
        for (day, fill) in self.known {
            if let Some(fill) = fill {
                save.execute(params![day, signed(fill.nonces), signed(fill.issued)])?;
            }
        }
        Ok(())
    }
}

fn read(row: &Row<'_>) -> Result<Entry, Fault> {
    let claim = if row.get::<_, i64>(0)? == 0 { Claim::None } else { Claim::Open };
    let recipients = match row.get_ref(1)? {
        ValueRef::Null => None,
        ValueRef::Blob(octets) => Some(hashes(octets)?),
        _ => return Err(Fault::Damaged("recipients are no blob")),
    };
    Ok(Entry { claim, recipients })
}

fn hashes(octets: &[u8]) -> Result<Vec<u64>, Fault> {
    let (hashes, rest) = octets.as_chunks::<8>();
    if !rest.is_empty() {
        return Err(Fault::Damaged("recipients are cut short"));
    }
    Ok(hashes.iter().map(|hash| u64::from_be_bytes(*hash)).collect())
}
