//! The look-ups: each place that was asked, with its answer.

use std::time::Duration;

use zi2_sig::{KeyRecord, Kid, RecordKey};
use zi2_trust::{Ask, Place, Told};

use super::walk::Timed;
use super::{Check, Word, micros_of};
use crate::words::no_answer;

/// One row for each place, in the order in which they were asked.
pub(super) fn rows(asked: &[Timed<(Place, Ask, Told)>], kid: Option<Kid>) -> Vec<Check> {
    asked.iter().map(|Timed { value: (place, ask, told), took }| row(*place, ask, told, kid, *took)).collect()
}

fn row(place: Place, ask: &Ask, told: &Told, kid: Option<Kid>, took: Duration) -> Check {
    let question = match ask {
        Ask::Txt(name) => format!("TXT {name}"),
        Ask::Exists(name) => format!("A AAAA MX NS {name}"),
        Ask::Document(host) => format!("https://{host}/.well-known/zi2-cert.json"),
    };
    let (result, answer) = match told {
        Told::Txt(txt) => {
            let (live, revoked) = of_kid(&txt.records, place, kid);
            let word = match (live, revoked) {
                (0, 0) => Word::None,
                (0, _) => Word::Fail,
                _ => Word::Ok,
            };
            let revoked = if revoked > 0 { format!(", {revoked} revoked") } else { String::new() };
            let (all, dnssec) = (txt.records.len(), txt.dnssec.as_str());
            (word, format!("{} with {live} key{} of this kid{revoked} ({dnssec})", records(all), plural(live)))
        }
        // § zi2.md §6 place 2
        Told::Exists(true) => (Word::Fail, "exists, so the record below it does not count".to_owned()),
        Told::Exists(false) => (Word::Ok, "does not exist, so the record below it counts".to_owned()),
        Told::Document(None) => (Word::None, "no document at hand".to_owned()),
        Told::Document(Some(document)) => {
            let live = document.keys.iter().filter(|published| Some(published.kid) == kid).count();
            let word = if live == 0 { Word::None } else { Word::Ok };
            (word, format!("a document with {live} key{} of this kid", plural(live)))
        }
        Told::Trouble(found) => (Word::TempError, no_answer(*found).to_owned()),
    };
    Check {
        check: name(place),
        result,
        micros: Some(micros_of(took)),
        seen: format!("{question}: {answer}"),
        paragraph: "§6",
    }
}

/// Live and revoked keys of this identifier. At the page's name a record may lack it.
fn of_kid(records: &[Vec<u8>], place: Place, kid: Option<Kid>) -> (usize, usize) {
    let parsed = records.iter().filter_map(|record| KeyRecord::parse(record).ok());
    let is_wanted = |found: &KeyRecord| found.kid == kid || (place == Place::PageRecord && found.kid.is_none());
    let (live, revoked): (Vec<_>, Vec<_>) =
        parsed.filter(is_wanted).partition(|record| matches!(record.key, RecordKey::Live(_)));
    (live.len(), revoked.len())
}

fn name(place: Place) -> &'static str {
    match place {
        Place::AuthorRecord => "key.record",
        Place::PageRecord => "key.page",
        Place::PageParent => "key.parent",
        Place::AuthorDocument => "key.document",
        Place::ServerRecord => "sid.record",
        Place::ServerDocument => "sid.document",
    }
}

fn records(count: usize) -> String {
    format!("{count} record{}", plural(count))
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}
