//! What the value of a setting looks like, and what is wrong with one that does not.
//!
//! Knows no setting: the table names a [`Kind`] for each. Opens nothing a value names.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use serde_json::json;
use zi2_mail::{Domain, HostName};
use zi2_sig::Kid;

use crate::dkim::{TablePath, field_name};
use crate::duration;
use crate::limits::ACCOUNT_OCTETS;
use crate::listen::Listen;
use crate::problem::{Fault, Hint};
use crate::suggest::nearest;

pub(crate) const MS: u64 = 1;
pub(crate) const SECOND: u64 = 1_000;
pub(crate) const MINUTE: u64 = 60 * SECOND;
pub(crate) const HOUR: u64 = 60 * MINUTE;
pub(crate) const DAY: u64 = 24 * HOUR;

/// The type of a setting, with its range.
#[derive(Debug)]
pub(crate) enum Kind {
    Host,
    Kid,
    Account,
    Path,
    /// A path of a table, `file:` or `refile:` before it.
    Table,
    /// `ADDRESS:PORT` on this host, or nothing.
    Loopback,
    Word(&'static [&'static str]),
    Flag,
    Count {
        min: u64,
        max: u64,
    },
    /// A duration; the range is in milliseconds.
    Span {
        min: u64,
        max: u64,
    },
    Domains,
    FieldNames,
    Paths,
    Listeners,
    Servers,
}

/// A value as it was written, before anybody knows what it should be.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Raw {
    Text(String),
    Integer(i64),
    Flag(bool),
    /// Items with their offsets.
    List(Vec<(Raw, usize)>),
    /// Something no setting has; its name for a message.
    Other(&'static str),
}

/// A value that its kind allows.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Value {
    /// Said to be nothing: `""`.
    Unset,
    Host(HostName),
    Kid(Kid),
    Account(String),
    Path(PathBuf),
    Table(TablePath),
    Address(SocketAddr),
    Word(&'static str),
    Flag(bool),
    Count(u64),
    Span(u64),
    Domains(Vec<Domain>),
    FieldNames(Vec<String>),
    Paths(Vec<PathBuf>),
    Listeners(Vec<Listen>),
    Servers(Vec<SocketAddr>),
}

impl Kind {
    /// Whether a value is a list.
    pub(crate) fn is_list(&self) -> bool {
        matches!(self, Kind::Domains | Kind::FieldNames | Kind::Paths | Kind::Listeners | Kind::Servers)
    }

    /// The range or the choices, in words, when there are any.
    pub(crate) fn range(&self) -> Option<String> {
        match self {
            Kind::Word(words) => Some(words.join(" | ")),
            Kind::Count { min, max } => Some(format!("{min} to {max}")),
            Kind::Span { min, max } => Some(format!("{} to {}", duration::write(*min), duration::write(*max))),
            _ => None,
        }
    }

    /// Reads a value. Every fault comes with the offset of the list item it is about, or 0.
    pub(crate) fn value(&self, name: &str, raw: &Raw) -> Result<Value, Vec<(usize, Fault)>> {
        match (self, raw) {
            (Kind::Flag, Raw::Flag(flag)) => Ok(Value::Flag(*flag)),
            (Kind::Count { min, max }, Raw::Integer(number)) => count(name, *number, *min, *max).map_err(alone),
            (kind, Raw::List(items)) if kind.is_list() => kind.list(name, items),
            (kind, Raw::Text(text)) if !kind.is_list() => kind.text(name, text).map_err(alone),
            _ => Err(alone(self.wrong_type(name, raw))),
        }
    }

    fn text(&self, name: &str, text: &str) -> Result<Value, Fault> {
        let bad = |why: String| Fault::BadText { setting: name.to_owned(), found: text.to_owned(), why };
        if text.chars().any(char::is_control) {
            return Err(bad("it holds a control character".to_owned()));
        }
        match self {
            Kind::Host => HostName::parse(text).map(Value::Host).map_err(|error| bad(error.to_string())),
            Kind::Kid => Kid::parse(text).map(Value::Kid).map_err(|error| bad(error.to_string())),
            Kind::Account if is_account(text) => Ok(Value::Account(text.to_owned())),
            Kind::Account => Err(bad("write the name of an account, as in zi2".to_owned())),
            Kind::Path => path(text).map(Value::Path).map_err(bad),
            Kind::Table if text.is_empty() => Ok(Value::Unset),
            Kind::Table => TablePath::parse(text).map(Value::Table).map_err(bad),
            Kind::Loopback if text.is_empty() => Ok(Value::Unset),
            Kind::Loopback => loopback(text).map(Value::Address).map_err(bad),
            Kind::Word(words) => word(name, text, words),
            Kind::Span { min, max } => span(name, text, *min, *max),
            _ => Err(self.wrong_type(name, &Raw::Text(text.to_owned()))),
        }
    }

    fn list(&self, name: &str, items: &[(Raw, usize)]) -> Result<Value, Vec<(usize, Fault)>> {
        match self {
            Kind::Domains => {
                each(name, self, items, |t| Domain::parse(t).map_err(|e| e.to_string())).map(Value::Domains)
            }
            Kind::FieldNames => each(name, self, items, field_name).map(Value::FieldNames),
            Kind::Paths => each(name, self, items, path).map(Value::Paths),
            Kind::Listeners => {
                each(name, self, items, |t| Listen::parse(t).map_err(|e| e.to_string())).map(Value::Listeners)
            }
            _ => each(name, self, items, server).map(Value::Servers),
        }
    }

    fn wrong_type(&self, name: &str, raw: &Raw) -> Fault {
        Fault::WrongType { setting: name.to_owned(), found: raw.type_name(), wanted: self.wanted() }
    }

    /// What to write, with an example.
    pub(crate) fn wanted(&self) -> String {
        let text = match self {
            Kind::Host => "a host name in quotes, as in \"mail.example.com\"",
            Kind::Kid => "a key identifier in quotes, as in \"zi2-cert-2026-04\"",
            Kind::Account => "the name of an account in quotes, as in \"zi2\"",
            Kind::Path => "an absolute path in quotes, as in \"/etc/zi2/keys\"",
            Kind::Table => "a file in quotes, as in \"refile:/etc/opendkim/SigningTable\", or \"\"",
            Kind::Loopback => "a loopback address with a port in quotes, as in \"127.0.0.1:9629\", or \"\"",
            Kind::Word(words) => return format!("one of these words in quotes: {}", words.join(", ")),
            Kind::Flag => "true or false, without quotes",
            Kind::Count { min, max } => return format!("a whole number from {min} to {max}, without quotes"),
            Kind::Span { .. } => "a duration in quotes, as in \"60ms\", \"25s\", \"24h\" or \"7d\"",
            Kind::Domains => "a list of domains, as in [\"example.com\", \"example.org\"]",
            Kind::FieldNames => "a list of header field names, as in [\"from\", \"subject\"]",
            Kind::Paths => "a list of absolute paths, as in [\"/etc/zi2/senders\"]",
            Kind::Listeners => "a list of sockets, as in [\"unix:/run/zi2/egress.sock\"]",
            Kind::Servers => "a list of addresses, as in [\"127.0.0.1:53\"]",
        };
        text.to_owned()
    }
}

impl Raw {
    fn type_name(&self) -> &'static str {
        match self {
            Raw::Text(_) => "a text",
            Raw::Integer(_) => "a number",
            Raw::Flag(_) => "true or false",
            Raw::List(_) => "a list",
            Raw::Other(name) => name,
        }
    }
}

impl Value {
    /// The value in JSON.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        match self {
            Value::Unset => json!(""),
            Value::Host(name) => json!(name.as_str()),
            Value::Kid(kid) => json!(kid.to_string()),
            Value::Account(name) => json!(name),
            Value::Path(path) => json!(path.display().to_string()),
            Value::Table(table) => json!(table.to_string()),
            Value::Address(address) => json!(address.to_string()),
            Value::Word(word) => json!(word),
            Value::Flag(flag) => json!(flag),
            Value::Count(number) => json!(number),
            Value::Span(millis) => json!(duration::write(*millis)),
            Value::Domains(list) => list.iter().map(|domain| json!(domain.as_str())).collect(),
            Value::FieldNames(list) => json!(list),
            Value::Paths(list) => list.iter().map(|path| json!(path.display().to_string())).collect(),
            Value::Listeners(list) => list.iter().map(|listen| json!(listen.to_string())).collect(),
            Value::Servers(list) => list.iter().map(|address| json!(address.to_string())).collect(),
        }
    }

    /// The value in TOML: values hold no controls, and for such texts JSON and TOML are one.
    pub(crate) fn to_toml(&self) -> String {
        match self.to_json() {
            serde_json::Value::Array(items) => {
                let items: Vec<String> = items.iter().map(serde_json::Value::to_string).collect();
                format!("[{}]", items.join(", "))
            }
            other => other.to_string(),
        }
    }
}

fn alone(fault: Fault) -> Vec<(usize, Fault)> {
    vec![(0, fault)]
}

fn each<T>(
    name: &str,
    kind: &Kind,
    items: &[(Raw, usize)],
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, Vec<(usize, Fault)>> {
    let (mut values, mut faults) = (Vec::new(), Vec::new());
    for (raw, offset) in items {
        let setting = || format!("an item of {name}");
        let bad = |found: &str, why| Fault::BadText { setting: setting(), found: found.to_owned(), why };
        match raw {
            Raw::Text(text) if text.chars().any(char::is_control) => {
                faults.push((*offset, bad(text, "it holds a control character".to_owned())));
            }
            Raw::Text(text) => match read(text) {
                Ok(value) => values.push(value),
                Err(why) => faults.push((*offset, bad(text, why))),
            },
            other => faults.push((*offset, kind.wrong_type(&setting(), other))),
        }
    }
    if faults.is_empty() { Ok(values) } else { Err(faults) }
}

fn count(name: &str, number: i64, min: u64, max: u64) -> Result<Value, Fault> {
    match u64::try_from(number) {
        Ok(number) if (min..=max).contains(&number) => Ok(Value::Count(number)),
        _ => Err(out_of_range(name, &number.to_string(), &min.to_string(), &max.to_string())),
    }
}

fn span(name: &str, text: &str, min: u64, max: u64) -> Result<Value, Fault> {
    match duration::parse(text) {
        Some(millis) if (min..=max).contains(&millis) => Ok(Value::Span(millis)),
        Some(_) => Err(out_of_range(name, text, &duration::write(min), &duration::write(max))),
        None => Err(Fault::BadText {
            setting: name.to_owned(),
            found: text.to_owned(),
            why: "write a whole number with ms, s, m, h or d, as in \"60ms\" or \"7d\"".to_owned(),
        }),
    }
}

fn out_of_range(name: &str, found: &str, min: &str, max: &str) -> Fault {
    let own = str::to_owned;
    Fault::OutOfRange { setting: own(name), found: own(found), min: own(min), max: own(max) }
}

fn word(name: &str, text: &str, words: &'static [&'static str]) -> Result<Value, Fault> {
    words.iter().find(|word| **word == text).map(|word| Value::Word(word)).ok_or_else(|| Fault::UnknownWord {
        setting: name.to_owned(),
        found: text.to_owned(),
        hint: match nearest(text, words.iter().copied()) {
            Some(word) => Hint::Similar(word.to_owned()),
            None => Hint::OneOf(words.to_vec()),
        },
    })
}

fn path(text: &str) -> Result<PathBuf, String> {
    match text.split_once(":/") {
        _ if text.starts_with('/') => Ok(PathBuf::from(text)),
        Some((_, rest)) => Err(format!("write the path alone: /{rest}")),
        // A daemon has no directory of its own to start from.
        None => Err("write the path from the root, beginning with /".to_owned()),
    }
}

fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr =
        text.parse().map_err(|_| "write an address and a port, as in 127.0.0.1:9629".to_owned())?;
    let here = address.ip().to_canonical().is_loopback();
    if here { Ok(address) } else { Err("only loopback addresses are served; put a proxy in front".to_owned()) }
}

const DNS_PORT: u16 = 53;

fn server(text: &str) -> Result<SocketAddr, String> {
    let bare = || text.parse().map(|address: IpAddr| SocketAddr::new(address, DNS_PORT));
    let address: SocketAddr = text
        .parse()
        .or_else(|_| bare())
        .map_err(|_| "write an IP address, or one with a port, as in 127.0.0.1:53 or [::1]:53".to_owned())?;
    if address.port() == 0 { Err("no resolver has port 0".to_owned()) } else { Ok(address) }
}

/// § useradd(8), and numbers, which containers use.
fn is_account(text: &str) -> bool {
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'_' | b'-' | b'.');
    !text.is_empty() && text.len() <= ACCOUNT_OCTETS && !text.starts_with(['-', '.']) && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(kind: &Kind, raw: &Raw) -> String {
        match kind.value("s.k", raw) {
            Ok(value) => value.to_toml(),
            Err(faults) => faults.iter().map(|(_, fault)| fault.to_string()).collect::<Vec<_>>().join("; "),
        }
    }

    const WORDS: Kind = Kind::Word(&["combined", "draft", "page"]);

    #[test]
    fn texts() {
        let span = Kind::Span { min: HOUR, max: 7 * DAY };
        for (kind, text, wanted) in [
            (&Kind::Host, "Mail.Example.com", r#""mail.example.com""#),
            (
                &Kind::Host,
                "mail",
                r#"s.k = "mail": the host name has one label; write it in full, as in mail.example.com"#,
            ),
            (&Kind::Kid, "zi2-cert-2026-04", r#""zi2-cert-2026-04""#),
            (
                &Kind::Kid,
                "april",
                r#"s.k = "april": a key identifier reads zi2-cert-YYYY-MM, with a month from 01 to 12"#,
            ),
            (&Kind::Account, "zi2", r#""zi2""#),
            (&Kind::Account, "10001", r#""10001""#),
            (&Kind::Account, "-x", r#"s.k = "-x": write the name of an account, as in zi2"#),
            (&Kind::Account, "", r#"s.k = "": write the name of an account, as in zi2"#),
            (&Kind::Path, "/etc/zi2", r#""/etc/zi2""#),
            (&Kind::Path, "zi2", r#"s.k = "zi2": write the path from the root, beginning with /"#),
            (&Kind::Path, "hash:/etc/map", r#"s.k = "hash:/etc/map": write the path alone: /etc/map"#),
            (&Kind::Path, "/a\nb", r#"s.k = "/a\u{a}b": it holds a control character"#),
            (&Kind::Table, "refile:/a", r#""refile:/a""#),
            (&Kind::Table, "file:/a", r#""/a""#),
            (
                &Kind::Table,
                "ldap:x",
                r#"s.k = "ldap:x": only text files are read: write the path from the root, after file: or refile:"#,
            ),
            (&Kind::Table, "", r#""""#),
            (&Kind::Loopback, "", r#""""#),
            (&Kind::Loopback, "[::1]:1", r#""[::1]:1""#),
            (&Kind::Loopback, "127.0.0.1", r#"s.k = "127.0.0.1": write an address and a port, as in 127.0.0.1:9629"#),
            (
                &Kind::Loopback,
                "0.0.0.0:9629",
                r#"s.k = "0.0.0.0:9629": only loopback addresses are served; put a proxy in front"#,
            ),
            (&WORDS, "page", r#""page""#),
            (&WORDS, "combind", r#"s.k = "combind" is unknown; did you mean combined?"#),
            (&WORDS, "quantum", r#"s.k = "quantum" is unknown; write combined, draft or page"#),
            (&span, "24h", r#""24h""#),
            (&span, "59m", "s.k = 59m is out of range; write 1h to 7d"),
            (&span, "8d", "s.k = 8d is out of range; write 1h to 7d"),
            (&span, "1w", r#"s.k = "1w": write a whole number with ms, s, m, h or d, as in "60ms" or "7d""#),
        ] {
            assert_eq!(shown(kind, &Raw::Text(text.to_owned())), wanted);
        }
    }

    #[test]
    fn types() {
        let count = Kind::Count { min: 0, max: 64 };
        for (kind, raw, wanted) in [
            (&Kind::Flag, Raw::Flag(true), "true"),
            (&Kind::Flag, Raw::Text("yes".into()), "s.k is a text; write true or false, without quotes"),
            (&count, Raw::Integer(64), "64"),
            (&count, Raw::Integer(65), "s.k = 65 is out of range; write 0 to 64"),
            (&count, Raw::Integer(-1), "s.k = -1 is out of range; write 0 to 64"),
            (&count, Raw::Text("5".into()), "s.k is a text; write a whole number from 0 to 64, without quotes"),
            (&count, Raw::Other("a date"), "s.k is a date; write a whole number from 0 to 64, without quotes"),
            (&Kind::Host, Raw::Integer(1), "s.k is a number; write a host name in quotes, as in \"mail.example.com\""),
            (
                &WORDS,
                Raw::Flag(true),
                "s.k is true or false; write one of these words in quotes: combined, draft, page",
            ),
            (
                &Kind::Domains,
                Raw::Text("example.com".into()),
                "s.k is a text; write a list of domains, as in [\"example.com\", \"example.org\"]",
            ),
            (
                &Kind::Kid,
                Raw::List(vec![]),
                "s.k is a list; write a key identifier in quotes, as in \"zi2-cert-2026-04\"",
            ),
        ] {
            assert_eq!(shown(kind, &raw), wanted);
        }
    }

    #[test]
    fn lists() {
        let list = |items: &[&str]| Raw::List(items.iter().map(|text| (Raw::Text((*text).to_owned()), 7)).collect());
        for (kind, items, wanted) in [
            (&Kind::Domains, &[][..], "[]"),
            (&Kind::Domains, &["Example.com", "b.example"], r#"["example.com", "b.example"]"#),
            (
                &Kind::Domains,
                &["a..b", "*.c"],
                "an item of s.k = \"a..b\": the domain has an empty label; write it without a leading, final or double dot; \
                 an item of s.k = \"*.c\": the domain holds octet 0x2a; letters, digits, hyphens and dots are allowed",
            ),
            (&Kind::FieldNames, &["From", "x-a"], r#"["from", "x-a"]"#),
            (&Kind::FieldNames, &["a b"], "an item of s.k = \"a b\": not a name of a header field that can be signed"),
            (
                &Kind::FieldNames,
                &["Received"],
                "an item of s.k = \"Received\": this field changes on the way, and the signature would break; leave it out",
            ),
            (&Kind::Paths, &["/a"], r#"["/a"]"#),
            (&Kind::Listeners, &["inet:127.0.0.1:1"], r#"["inet:127.0.0.1:1"]"#),
            (&Kind::Listeners, &["/a"], "an item of s.k = \"/a\": a path of a socket is written with unix: in front"),
            (&Kind::Servers, &["127.0.0.1", "::1", "[::1]:5353"], r#"["127.0.0.1:53", "[::1]:53", "[::1]:5353"]"#),
            (
                &Kind::Servers,
                &["dns.example"],
                "an item of s.k = \"dns.example\": write an IP address, or one with a port, as in 127.0.0.1:53 or [::1]:53",
            ),
            (&Kind::Servers, &["127.0.0.1:0"], "an item of s.k = \"127.0.0.1:0\": no resolver has port 0"),
        ] {
            assert_eq!(shown(kind, &list(items)), wanted);
        }
        let faults = Kind::Paths.value("s.k", &Raw::List(vec![(Raw::Flag(true), 9)])).unwrap_err();
        assert_eq!(faults.first().map(|(offset, _)| *offset), Some(9));
        assert_eq!(
            faults.first().unwrap().1.to_string(),
            "an item of s.k is true or false; write a list of absolute paths, as in [\"/etc/zi2/senders\"]"
        );
    }
}
