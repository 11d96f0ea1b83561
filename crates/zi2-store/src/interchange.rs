//! History as JSON Lines: the first line names the schema, each further line is one row.
//!
//! Reading is strict: one spelling for each value, no unknown fields, no line longer than [`LINE_OCTETS`]. A file carries
//! trust from one host to another, so what cannot be history is refused with its line number.

use std::io::{BufRead, Read, Write};

use serde::{Deserialize, Serialize};
use zi2_mail::{Domain, DomainError, HostName, HostNameError, Timestamp};
use zi2_sig::{Kid, KidError, PublicKey, PublicKeyError};
use zi2_trust::KeyHistory;

use crate::limits::{LINE_OCTETS, PAGE_ROWS};
use crate::{Imported, Page, RowFault, Store, StoreError, history};

/// The schema named by the first line.
pub const SCHEMA: &str = "zi2-history-1";

/// Why a line is not taken. The fault is with whoever wrote it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LineFault {
    /// No row needs so much.
    #[error("longer than {LINE_OCTETS} octets")]
    TooLong,
    /// Not the JSON of a row: also an unknown, missing or repeated field.
    #[error("{0}")]
    Json(String),
    /// The first line.
    #[error("the first line must read {{\"schema\":\"{SCHEMA}\"}}")]
    Schema,
    /// No domain.
    #[error("domain: {0}")]
    Domain(#[from] DomainError),
    /// No host name.
    #[error("sid: {0}")]
    Sid(#[from] HostNameError),
    /// A name in another spelling than ours, which would be another row.
    #[error("domain and sid are written with A-labels in lower case")]
    Spelling,
    /// No key.
    #[error("key: {0}")]
    Key(#[from] PublicKeyError),
    /// No key identifier.
    #[error("kid: {0}")]
    Kid(#[from] KidError),
    /// No history.
    #[error("{0}")]
    Row(#[from] RowFault),
    /// Seen later than now.
    #[error("last_seen lies in the future; compare the clocks of the two hosts")]
    Future,
}

/// Why an import stopped. Rows before it may have been imported; importing the corrected file again changes none of them.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file's.
    #[error("line {line}: {fault}")]
    Line {
        /// The line, counted from 1.
        line: u64,
        /// What is wrong with it.
        fault: LineFault,
    },
    /// The store's.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The source's or the target's.
    #[error("the history cannot be read or written: {0}")]
    Io(#[from] std::io::Error),
}

/// Reads the line of a row, with or without its line feed. Refuses every spelling but the one [`write_line`] writes,
/// white space and order of fields excepted.
pub fn parse_line(line: &[u8]) -> Result<KeyHistory, LineFault> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    if line.len() > LINE_OCTETS {
        return Err(LineFault::TooLong);
    }
    let line: Line<'_> = serde_json::from_slice(line).map_err(|error| LineFault::Json(error.to_string()))?;
    let (domain, sid) = (Domain::parse(line.domain)?, HostName::parse(line.sid)?);
    if domain.as_str() != line.domain || sid.as_str() != line.sid {
        return Err(LineFault::Spelling);
    }
    let row = KeyHistory {
        domain,
        key: PublicKey::from_base64(line.key.as_bytes())?,
        sid,
        kid: Kid::parse(line.kid)?,
        valid: line.valid,
        days: line.days,
        first_seen: Timestamp::from_secs(line.first_seen),
        last_seen: Timestamp::from_secs(line.last_seen),
    };
    history::check(&row)?;
    Ok(row)
}

/// The line of a row, with its line feed.
pub fn write_line(row: &KeyHistory, out: &mut dyn Write) -> std::io::Result<()> {
    let (key, kid) = (row.key.to_base64(), row.kid.to_string());
    let line = Line {
        domain: row.domain.as_str(),
        key: &key,
        kid: &kid,
        sid: row.sid.as_str(),
        valid: row.valid,
        days: row.days,
        first_seen: row.first_seen.secs(),
        last_seen: row.last_seen.secs(),
    };
    serde_json::to_writer(&mut *out, &line)?;
    out.write_all(b"\n")
}

/// Writes all history. Says how many rows that were.
pub fn export(store: &dyn Store, out: &mut dyn Write) -> Result<u64, ImportError> {
    writeln!(out, "{{\"schema\":\"{SCHEMA}\"}}")?;
    let (mut page, mut written) = (Page::default(), 0);
    loop {
        let rows = store.list(&page)?;
        let Some(last) = rows.last() else { return Ok(written) };
        page.after = Some((last.domain.clone(), last.key));
        for row in &rows {
            write_line(row, out)?;
            written += 1;
        }
    }
}

/// Merges what [`export`] wrote. Refuses the file at its first bad line, and rows seen after `now`.
pub fn import(store: &dyn Store, from: &mut dyn BufRead, now: Timestamp) -> Result<Imported, ImportError> {
    let mut lines = Lines { from, line: Vec::new(), number: 0 };
    if !lines.next()? || !is_header(&lines.line) {
        return Err(lines.fault(LineFault::Schema));
    }
    let (mut rows, mut done) = (Vec::new(), Imported::default());
    while lines.next()? {
        let row = parse_line(&lines.line).map_err(|fault| lines.fault(fault))?;
        if row.last_seen > now.add_secs(CLOCK_DIFFERENCE_SECS) {
            return Err(lines.fault(LineFault::Future));
        }
        rows.push(row);
        if rows.len() == PAGE_ROWS {
            add(&mut done, store.import(&rows)?);
            rows.clear();
        }
    }
    add(&mut done, store.import(&rows)?);
    Ok(done)
}

/// How far the clocks of two hosts may differ, as for signing times (zi2.md §7).
const CLOCK_DIFFERENCE_SECS: u64 = zi2_sig::limits::FUTURE_SECS;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    domain: &'a str,
    key: &'a str,
    kid: &'a str,
    sid: &'a str,
    valid: u64,
    days: u32,
    first_seen: u64,
    last_seen: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header<'a> {
    schema: &'a str,
}

fn is_header(line: &[u8]) -> bool {
    serde_json::from_slice::<Header<'_>>(line).is_ok_and(|header| header.schema == SCHEMA)
}

/// Lines of bounded length.
struct Lines<'a> {
    from: &'a mut dyn BufRead,
    line: Vec<u8>,
    number: u64,
}

impl Lines<'_> {
    fn next(&mut self) -> Result<bool, ImportError> {
        self.line.clear();
        self.number += 1;
        let bound = u64::try_from(LINE_OCTETS + 1).unwrap_or(u64::MAX);
        self.from.take(bound).read_until(b'\n', &mut self.line)?;
        if self.line.last() == Some(&b'\n') {
            self.line.pop();
        } else if self.line.len() > LINE_OCTETS {
            return Err(self.fault(LineFault::TooLong));
        } else if self.line.is_empty() {
            return Ok(false);
        }
        Ok(true)
    }

    fn fault(&self, fault: LineFault) -> ImportError {
        ImportError::Line { line: self.number, fault }
    }
}

fn add(total: &mut Imported, more: Imported) {
    total.added += more.added;
    total.merged += more.merged;
    total.refused += more.refused;
    total.evicted += more.evicted;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{MemoryStore, Settings};

    const KEY: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

    fn line() -> String {
        format!(
            r#"{{"domain":"example.com","key":"{KEY}","kid":"zi2-cert-2026-04","sid":"mail.example.com","valid":5,"days":3,"first_seen":1777300000,"last_seen":1777900000}}"#
        )
    }

    fn import_text(text: &str) -> Result<Imported, ImportError> {
        let store = MemoryStore::new(Settings::memory());
        import(&store, &mut text.as_bytes(), Timestamp::from_secs(1_778_000_000))
    }

    #[test]
    fn lines_round_trip() {
        let mut out = Vec::new();
        write_line(&parse_line(line().as_bytes()).unwrap(), &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), format!("{}\n", line()));
    }

    #[test]
    fn reading_is_strict() {
        for (from, to) in [
            ("example.com\",\"key", "Example.com\",\"key"),
            ("example.com\",\"key", "example.com.\",\"key"),
            ("example.com\",\"key", "ex\\u0061mple.com\",\"key"),
            ("mail.example.com", "localhost"),
            ("Bwc=", "Bw=="),
            ("2026-04", "2026-13"),
            ("\"valid\":5", "\"valid\":-5"),
            ("\"valid\":5", "\"valid\":2"),
            ("\"valid\":5", "\"valid\":5.0"),
            ("\"valid\":5", "\"valid\":5,\"valid\":5"),
            ("\"valid\":5", "\"valid\":5,\"more\":1"),
            ("\"valid\":5,", ""),
            ("1777300000", "1777900001"),
            ("}", "}}"),
        ] {
            assert!(line().contains(from), "{from}");
            let changed = line().replace(from, to);
            assert!(parse_line(changed.as_bytes()).is_err(), "{changed}");
        }
    }

    #[test]
    fn lines_have_a_length() {
        let header = format!("{{\"schema\":\"{SCHEMA}\"}}\n");
        let full = format!("{:LINE_OCTETS$}", line());
        for end in ["", "\n"] {
            let [full, over] = [format!("{full}{end}"), format!("{full} {end}")];
            assert_eq!(parse_line(full.as_bytes()), parse_line(line().as_bytes()), "{end:?}");
            assert_eq!(parse_line(over.as_bytes()), Err(LineFault::TooLong), "{end:?}");
            assert_eq!(import_text(&format!("{header}{full}")).unwrap().added, 1, "{end:?}");
            let refused = import_text(&format!("{header}{over}"));
            assert!(matches!(refused, Err(ImportError::Line { line: 2, fault: LineFault::TooLong })), "{refused:?}");
        }
    }

    #[test]
    fn errors_name_the_line() {
        let header = format!("{{\"schema\":\"{SCHEMA}\"}}\n");
        let row = line() + "\n";
        for (text, number) in [
            (String::new(), 1),
            (row.clone(), 1),
            (header.replace('1', "2"), 1),
            (format!("{header}{row}\n{row}"), 3),
            (format!("{header}{row}x"), 3),
            (format!("{header}{row}{}", " ".repeat(LINE_OCTETS + 1)), 3),
            (format!("{header}{}", row.replace("1777900000", "1778000301")), 2),
        ] {
            match import_text(&text) {
                Err(ImportError::Line { line, .. }) => assert_eq!(line, number, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
        assert_eq!(import_text(&format!("{header}{row}{}", line())).unwrap().merged, 1);
        assert_eq!(import_text(&header).unwrap(), Imported::default());
    }

    proptest! {
        #[test]
        fn any_octets_are_a_row_or_a_fault(octets: Vec<u8>, at in 0_usize..240, octet: u8) {
            let _ = parse_line(&octets);
            let mut changed = line().into_bytes();
            if let Some(place) = changed.get_mut(at) {
                *place = octet;
            }
            if let Ok(row) = parse_line(&changed) {
                let mut out = Vec::new();
                write_line(&row, &mut out).unwrap();
                prop_assert_eq!(parse_line(&out), Ok(row));
            }
        }
    }
}
