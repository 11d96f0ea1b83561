//! The probes of `vectors/dkim`: at each of them one public verifier or another errs.

use std::path::{Path, PathBuf};

use serde_json::Value;
use zi2_mail::{Message, MessageReader};
use zi2_sig::limits;

use super::kit::{Zone, verify, verify_chunks, words};

struct Case {
    name: String,
    octets: Vec<u8>,
    zone: Zone,
    now: u64,
    expect: String,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/dkim")
}

fn cases() -> Vec<Case> {
    let cases: Vec<Value> = serde_json::from_slice(&std::fs::read(folder().join("cases.json")).unwrap()).unwrap();
    assert!(cases.len() >= 32, "only {} cases", cases.len());
    cases.iter().map(read).collect()
}

fn read(case: &Value) -> Case {
    let joined = |record: &Value| record.as_array().unwrap().iter().map(|part| part.as_str().unwrap()).collect();
    let txts = |rows: &Value| rows["txt"].as_array().unwrap().iter().map(joined).collect();
    let dns = case["env"]["dns"].as_object().unwrap();
    Case {
        name: case["name"].as_str().unwrap().to_owned(),
        octets: std::fs::read(folder().join(case["message"].as_str().unwrap())).unwrap(),
        zone: dns.iter().map(|(name, rows)| (name.clone(), txts(rows))).collect(),
        now: case["env"]["now"].as_u64().unwrap(),
        expect: case["expect"].as_str().unwrap().to_owned(),
    }
}

/// `expect` of the README there.
fn is_as_expected(case: &Case, words: &[String]) -> bool {
    let passes = words.iter().filter(|word| *word == "pass").count();
    match case.expect.as_str() {
        "pass" => passes == words.len() && passes > 0,
        "passany" => passes > 0,
        "fail" => passes == 0,
        "policy" => passes == 0 && words.iter().all(|word| !word.starts_with("permerror") && !word.starts_with("temp")),
        "limit" => words.len() <= limits::DKIM_SIGNATURES,
        "any" => true,
        other => panic!("{}: what is {other}?", case.name),
    }
}

#[test]
fn every_case_whole() {
    let mut wrong = Vec::new();
    for case in cases() {
        let facts = verify(&case.octets, &case.zone, case.now);
        let words = words(&facts);
        // Nobody but the domain whose records are there may answer for the message.
        assert!(facts.passed().all(|domain| case.zone.keys().any(|name| name.ends_with(domain.as_str()))));
        if !is_as_expected(&case, &words) {
            wrong.push(format!("{} wants {}: {words:?}", case.name, case.expect));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The reason too, where the case is about one.
#[test]
fn reasons() {
    let expected = [
        ("01", "fail body.changed"),
        ("05", "fail body.changed"),
        ("12", "permerror from.unsigned"),
        ("13", "permerror syntax.taglist"),
        ("16", "permerror key.strict"),
        ("17", "permerror key.service"),
        ("19", "permerror key.revoked"),
        ("20", "policy algorithm.sha1"),
        ("23", "policy time.expired"),
        ("25", "policy time.future"),
        ("26", "policy body.uncovered"),
        ("27", "fail body.shorter"),
        ("28", "policy from.notsingle"),
        ("43", "pass"),
    ];
    for case in cases() {
        let Some((_, word)) = expected.iter().find(|(number, _)| case.name.starts_with(number)) else { continue };
        assert_eq!(words(&verify(&case.octets, &case.zone, case.now)), [*word], "{}", case.name);
    }
}

#[test]
fn every_case_octet_by_octet() {
    for case in cases() {
        let whole = words(&verify(&case.octets, &case.zone, case.now));
        assert_eq!(words(&verify_chunks(case.octets.chunks(1), &case.zone, case.now)), whole, "{}", case.name);
    }
}

#[test]
fn every_case_cut_in_two_anywhere() {
    for case in cases() {
        let whole = words(&verify(&case.octets, &case.zone, case.now));
        // The flood of signatures has 244,188 places to cut, of which each 1,009th must do.
        let step = if case.octets.len() > 10_000 { 1009 } else { 1 };
        for cut in (0..=case.octets.len()).step_by(step) {
            let (first, second) = case.octets.split_at(cut);
            let words = words(&verify_chunks([first, second], &case.zone, case.now));
            assert_eq!(words, whole, "{} cut at {cut}", case.name);
        }
    }
}

/// A reader that sees the octets in pieces sees the same header section.
#[test]
fn pieces_give_the_same_section() {
    for case in cases() {
        let mut reader = MessageReader::new();
        case.octets.chunks(7).for_each(|chunk| drop(reader.feed(chunk).to_vec()));
        assert_eq!(reader.into_header(), Message::split(&case.octets).header, "{}", case.name);
    }
}
