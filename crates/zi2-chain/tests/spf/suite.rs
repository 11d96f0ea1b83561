//! The openspf suite (`vectors/spf`), as it is: every case of every scenario, results and explanations.

use std::path::{Path, PathBuf};

use saphyr::{LoadableYamlNode, Yaml};
use zi2_chain::DnsName;

use crate::world::{Record, Session, Zone};

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/spf/rfc7208-tests.yml")
}

fn scenarios(text: &str) -> Vec<Yaml<'_>> {
    Yaml::load_from_str(text).unwrap()
}

#[test]
fn every_case() {
    let text = std::fs::read_to_string(file()).unwrap();
    let mut wrong = Vec::new();
    let mut cases = 0;
    for scenario in scenarios(&text) {
        let zone = zone(&scenario["zonedata"]);
        for (name, case) in scenario["tests"].as_mapping().unwrap() {
            cases += 1;
            let name = name.as_str().unwrap();
            wrong.extend(judge(case, &zone).err().map(|problem| format!("{name}: {problem}")));
        }
    }
    assert_eq!(cases, 200);
    assert!(wrong.is_empty(), "{} of {cases} cases are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

fn judge(case: &Yaml<'_>, zone: &Zone) -> Result<(), String> {
    let text = |key: &str| case[key].as_str().unwrap_or_else(|| panic!("no {key}"));
    let mail_from = argument_of_mail(text("mailfrom"));
    let session = Session { client: text("host"), helo: text("helo"), mail_from: &mail_from };
    let result = session.explained(zone);
    let allowed = match case["result"].as_str() {
        Some(only) => vec![only],
        None => case["result"].as_sequence().unwrap().iter().map(|one| one.as_str().unwrap()).collect(),
    };
    if !allowed.contains(&result.verdict.as_str()) {
        return Err(format!("{}, not {allowed:?}: {}", result.verdict, result.reason));
    }
    match case.as_mapping_get("explanation").map(|wanted| wanted.as_str().unwrap()) {
        // What a receiver says by default is not for a library to make up.
        Some("DEFAULT") if result.explanation.is_none() => Ok(()),
        Some(wanted) if result.explanation.as_deref() == Some(wanted) => Ok(()),
        None => Ok(()),
        Some(wanted) => Err(format!("{:?}, not {wanted:?}", result.explanation)),
    }
}

/// The suite has addresses as a library sees them; SMTP puts a local part that is no dot-string into quotes.
fn argument_of_mail(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((local, domain)) if local.contains(' ') => format!("<\"{local}\"@{domain}>"),
        _ => format!("<{address}>"),
    }
}

fn zone(data: &Yaml<'_>) -> Zone {
    let mut zone = Zone::default();
    for (name, entries) in data.as_mapping().unwrap() {
        let name = name.as_str().unwrap();
        zone.add_name(name);
        let entries = entries.as_sequence().unwrap();
        let has_txt = entries.iter().any(|entry| entry.as_mapping_get("TXT").is_some());
        for entry in entries {
            records(entry, has_txt).into_iter().for_each(|record| zone.add(name, record));
        }
    }
    zone
}

/// The head of the file says: records of type SPF are meant to be there as TXT too, unless TXT records are.
fn records(entry: &Yaml<'_>, has_txt: bool) -> Option<Record> {
    if entry.as_str() == Some("TIMEOUT") {
        return Some(Record::Timeout);
    }
    let (kind, value) = entry.as_mapping().unwrap().iter().next().unwrap();
    let name = |value: &Yaml<'_>| DnsName::parse(value.as_str().unwrap()).ok();
    match kind.as_str().unwrap() {
        "SPF" if has_txt => None,
        "TXT" if value.as_str() == Some("NONE") => None,
        "SPF" | "TXT" => Some(Record::Txt(octets(value))),
        "A" => Some(Record::V4(value.as_str().unwrap().parse().unwrap())),
        "AAAA" => Some(Record::V6(value.as_str().unwrap().parse().unwrap())),
        "MX" => Some(Record::Mx(name(&value[1]))),
        "PTR" => Some(Record::Pointer(name(value).unwrap())),
        "CNAME" => Some(Record::Alias(name(value).unwrap())),
        other => panic!("a record of type {other}"),
    }
}

/// Strings of one record are joined; `"\x96"` in the file means that octet.
fn octets(value: &Yaml<'_>) -> Vec<u8> {
    let strings: Vec<&str> = match value.as_str() {
        Some(only) => vec![only],
        None => value.as_sequence().unwrap().iter().map(|string| string.as_str().unwrap()).collect(),
    };
    strings.concat().chars().map(|character| u8::try_from(u32::from(character)).unwrap()).collect()
}
