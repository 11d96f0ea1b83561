//! The DNS records that publish a key (zi2.md §6), and how name servers and panels want to be told.

use clap::ValueEnum;
use serde::Serialize;
use zi2_mail::Domain;
use zi2_sig::dkim::Selector;
use zi2_sig::{KeyRecord, Kid, PublicKey, RecordError, RecordKey};
use zi2_trust::QueryName;

use crate::limits::TXT_STRING;

/// One TXT record to publish.
#[derive(Serialize, Clone, PartialEq, Eq, Debug)]
pub(crate) struct Record {
    /// The full name, without a final dot.
    pub(crate) name: String,
    /// Always `TXT`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// Seconds it may be cached.
    ttl: u32,
    /// The text.
    pub(crate) value: String,
    /// The domain it speaks for.
    pub(crate) domain: String,
    /// The certifying key it publishes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) kid: Option<String>,
    /// The selector of the DKIM key it publishes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) selector: Option<String>,
    /// Who reads it.
    pub(crate) serves: &'static str,
}

/// The texts whose verifiers read a record.
const DRAFT: &str = "verifiers of the Internet-Draft";
const PAGE: &str = "verifiers of the project page";

/// Both records of a key: with `kid=` at place 1, in the page's short form at place 2.
pub(crate) fn of_key(domain: &Domain, kid: Kid, key: PublicKey, ttl: u32) -> [Record; 2] {
    at_both(domain, kid, RecordKey::Live(key), ttl)
}

/// The records that say a key is revoked, by an empty `p=`.
pub(crate) fn of_revoked(domain: &Domain, kid: Kid, ttl: u32) -> [Record; 2] {
    at_both(domain, kid, RecordKey::Revoked, ttl)
}

fn at_both(domain: &Domain, kid: Kid, key: RecordKey, ttl: u32) -> [Record; 2] {
    let record = |name: QueryName, kid_tag, serves| Record {
        name: name.to_string(),
        kind: "TXT",
        ttl,
        value: KeyRecord { key, kid: kid_tag, sid: None }.to_txt(),
        domain: domain.to_string(),
        kid: Some(kid.to_string()),
        selector: None,
        serves,
    };
    [record(QueryName::record(domain), Some(kid), DRAFT), record(QueryName::page_record(kid, domain), None, PAGE)]
}

/// The record of a DKIM key (RFC 6376 §3.6.2.1).
pub(crate) fn of_dkim(domain: &Domain, selector: &Selector, text: &str, ttl: u32) -> Record {
    Record {
        name: format!("{selector}._domainkey.{domain}"),
        kind: "TXT",
        ttl,
        value: text.to_owned(),
        domain: domain.to_string(),
        kid: None,
        selector: Some(selector.to_string()),
        serves: "verifiers of DKIM",
    }
}

/// A published record: read, or what is wrong with it. Nothing for another product's, which is nobody's mistake; but ours with
/// quotes around it is.
pub(crate) fn read(text: &[u8]) -> Option<Result<KeyRecord, RecordError>> {
    let record = KeyRecord::parse(text);
    let is_ours =
        record != Err(RecordError::OtherKind) || text.windows(8).any(|part| part.eq_ignore_ascii_case(b"ZI2CERT1"));
    is_ours.then_some(record)
}

/// For whom records are written.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Format {
    /// A zone file (BIND, NSD, Knot, PowerDNS)
    Zone,
    /// Cloudflare's panel, and most others
    Cloudflare,
    /// The console of Amazon Route 53
    Route53,
    /// Commands for nsupdate(1), RFC 2136
    Nsupdate,
    /// JSON
    Json,
}

impl Format {
    /// The records as text.
    pub(crate) fn write(self, records: &[Record]) -> String {
        match self {
            Format::Zone => records.iter().map(zone).collect(),
            Format::Cloudflare => records.iter().map(|record| panel(record, record.value.clone())).collect(),
            Format::Route53 => route53(records),
            Format::Nsupdate => updates(records.iter().map(nsupdate).collect()),
            Format::Json => {
                let object = serde_json::json!({"schema": "zi2.records.v1", "version": 1, "records": records});
                format!("{object}\n")
            }
        }
    }
}

impl Format {
    /// Records that go, and those that come in their place. Only commands can say so; elsewhere those that come are shown, or
    /// where none come, those that go.
    pub(crate) fn exchange(self, go: &[Record], come: &[Record]) -> String {
        match self {
            Format::Nsupdate => updates(go.iter().map(deletion).chain(come.iter().map(nsupdate)).collect()),
            _ if come.is_empty() => self.write(go),
            _ => self.write(come),
        }
    }
}

fn updates(lines: String) -> String {
    format!(
        "; nsupdate asks DNS for server and zone; write \"server\" and \"zone\" lines here to name them\n{lines}send\n"
    )
}

/// RFC 2136 §2.5.4: one record, so that others of the name stay.
fn deletion(record: &Record) -> String {
    format!("update delete {}. TXT {}\n", record.name, quoted(&record.value))
}

/// RFC 1035 §5.1, with full names so that no origin is added.
fn zone(record: &Record) -> String {
    let Record { name, ttl, value, serves, .. } = record;
    format!("; for {serves}\n{name}. {ttl} IN TXT {}\n", quoted(value))
}

/// RFC 2136, in the words of nsupdate(1).
fn nsupdate(record: &Record) -> String {
    let Record { name, ttl, value, serves, .. } = record;
    format!("; for {serves}\nupdate add {name}. {ttl} TXT {}\n", quoted(value))
}

fn panel(record: &Record, value: String) -> String {
    let Record { name, ttl, domain, serves, .. } = record;
    // Panels add the zone themselves: a full name there is the classic error of a doubled name.
    let label = name.strip_suffix(domain.as_str()).and_then(|label| label.strip_suffix('.')).unwrap_or(name);
    format!(
        "# {name}, for {serves}\nType: TXT\nName: {label}   (in the zone {domain})\nContent: {value}\nTTL: {ttl}\n\n"
    )
}

/// One record set for each name: a second "create" of the same name is refused there. Values in quotes, one a line.
fn route53(records: &[Record]) -> String {
    let mut names: Vec<&str> = Vec::new();
    let mut text = String::new();
    for record in records {
        if names.contains(&record.name.as_str()) {
            continue;
        }
        names.push(&record.name);
        let values: Vec<String> = records.iter().filter(|r| r.name == record.name).map(|r| quoted(&r.value)).collect();
        text.push_str(&panel(record, values.join("\n")));
    }
    text
}

/// The character strings of a text (RFC 1035 §3.3 and §5.1): each in quotes and at most 255 octets, cut before escaping.
pub(crate) fn quoted(text: &str) -> String {
    let mut strings = vec![String::new()];
    let mut octets = 0;
    for c in text.chars() {
        if octets + c.len_utf8() > TXT_STRING {
            strings.push(String::new());
            octets = 0;
        }
        octets += c.len_utf8();
        if let Some(last) = strings.last_mut() {
            if matches!(c, '"' | '\\') {
                last.push('\\');
            }
            last.push(c);
        }
    }
    strings.iter().map(|string| format!("\"{string}\"")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const P: &str = "V7srNmbCvR82CBFMP6iWDZTQaFODxBloQf9GWfDGITY=";

    fn records() -> [Record; 2] {
        let key = PublicKey::from_base64(P.as_bytes()).unwrap();
        let kid = Kid::parse("zi2-cert-2026-04").unwrap();
        of_key(&Domain::parse("example.com").unwrap(), kid, key, 3600)
    }

    #[test]
    fn every_format() {
        let (draft, page) =
            (format!("v=ZI2CERT1; k=ed25519; p={P}; kid=zi2-cert-2026-04"), format!("v=ZI2CERT1; k=ed25519; p={P}"));
        for (format, lines) in [
            (
                Format::Zone,
                [
                    format!("_zi2cert.example.com. 3600 IN TXT \"{draft}\"\n"),
                    format!("_zi2cert.zi2-cert-2026-04.example.com. 3600 IN TXT \"{page}\"\n"),
                ],
            ),
            (
                Format::Cloudflare,
                [
                    format!("Name: _zi2cert   (in the zone example.com)\nContent: {draft}\n"),
                    format!("Name: _zi2cert.zi2-cert-2026-04   (in the zone example.com)\nContent: {page}\n"),
                ],
            ),
            (Format::Route53, [format!("\nContent: \"{draft}\"\n"), format!("\nContent: \"{page}\"\n")]),
            (
                Format::Nsupdate,
                [format!("update add _zi2cert.example.com. 3600 TXT \"{draft}\"\n"), format!("TXT \"{page}\"\nsend\n")],
            ),
            (Format::Json, [format!("\"value\":\"{draft}\""), format!("\"value\":\"{page}\"")]),
        ] {
            let text = format.write(&records());
            assert!(lines.iter().all(|line| text.contains(line.as_str())), "{format:?}: {text}");
        }
    }

    #[test]
    fn a_record_of_rsa_is_cut_where_strings_are_written() {
        let domain = Domain::parse("example.com").unwrap();
        let (first, second) = (format!("v=DKIM1; k=rsa; p={}", "A".repeat(237)), "A".repeat(155));
        assert_eq!(first.len(), 255);
        let text = [first.as_str(), &second].concat();
        let record = of_dkim(&domain, &Selector::parse("s1").unwrap(), &text, 60);
        let strings = format!("\"{first}\" \"{second}\"");
        for (format, wanted) in [
            (Format::Zone, format!("s1._domainkey.example.com. 60 IN TXT {strings}\n")),
            (Format::Cloudflare, format!("Name: s1._domainkey   (in the zone example.com)\nContent: {text}\n")),
            (Format::Route53, format!("\nContent: {strings}\n")),
            (Format::Nsupdate, format!("update add s1._domainkey.example.com. 60 TXT {strings}\n")),
            (Format::Json, "\"selector\":\"s1\",\"serves\":\"verifiers of DKIM\"".to_owned()),
        ] {
            let shown = format.write(std::slice::from_ref(&record));
            assert!(shown.contains(&wanted), "{format:?}: {shown}");
        }
    }

    #[test]
    fn records_of_one_name_are_one_set() {
        let [one, _] = records();
        let other = Record { value: "other".to_owned(), ..one.clone() };
        let text = Format::Route53.write(&[one.clone(), other]);
        assert!(text.contains(&format!("Content: \"{}\"\n\"other\"\n", one.value)), "{text}");
    }

    #[test]
    fn long_texts_are_cut_by_octets_and_escaped_whole() {
        let text = format!("{}\"\u{fc}", "x".repeat(254));
        let quoted = quoted(&text);
        assert_eq!(quoted, format!("\"{}\\\"\" \"\u{fc}\"", "x".repeat(254)));
    }
}
