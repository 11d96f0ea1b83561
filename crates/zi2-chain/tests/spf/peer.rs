//! Records at random (`vectors/spf`): what pyspf says of each, and what we do.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use zi2_chain::DnsName;

use crate::world::{Record, Session, Zone};

#[derive(Deserialize)]
struct Case {
    client: String,
    helo: String,
    mail_from: String,
    result: String,
    zone: std::collections::BTreeMap<String, Vec<(String, Value)>>,
}

#[test]
fn pyspf_says_the_same() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/spf/pyspf.jsonl");
    let text = std::fs::read_to_string(file).unwrap();
    assert_eq!(text.lines().count(), 410);
    for line in text.lines() {
        let case: Case = serde_json::from_str(line).unwrap();
        let mut zone = Zone::default();
        for (name, records) in &case.zone {
            records.iter().for_each(|(kind, value)| zone.add(name, record(kind, value)));
        }
        let mail_from = format!("<{}>", case.mail_from);
        let result = Session { client: &case.client, helo: &case.helo, mail_from: &mail_from }.check(&zone);
        assert_eq!(result.verdict.as_str(), case.result, "{}: {line}", result.reason);
    }
}

fn record(kind: &str, value: &Value) -> Record {
    let text = || value.as_str().unwrap();
    let name = |text: &str| DnsName::parse(text).unwrap();
    match kind {
        "TXT" => Record::Txt(text().as_bytes().to_vec()),
        "A" => Record::V4(text().parse().unwrap()),
        "AAAA" => Record::V6(text().parse().unwrap()),
        "MX" => Record::Mx(Some(name(value[1].as_str().unwrap()))),
        "PTR" => Record::Pointer(name(text())),
        other => panic!("a record of type {other}"),
    }
}
