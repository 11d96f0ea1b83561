//! The files are what the table makes of them, and every case of the threat model has its place.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test")]

use std::collections::{BTreeMap, BTreeSet};

use zi2_testkit::table::{table, zone};
use zi2_testkit::{cases, folder, later};

/// `cargo run -p zi2-testkit --bin make-cases` makes them so.
#[test]
fn files_are_made_by_the_table() {
    let sketches = table();
    assert_eq!(zi2_testkit::zone(), zone(), "zone.json");
    let cases = cases();
    let ids = |ids: &mut dyn Iterator<Item = String>| ids.collect::<Vec<_>>();
    let made = ids(&mut sketches.iter().map(|sketch| sketch.case.id.clone()));
    assert_eq!(ids(&mut cases.iter().map(|case| case.id.clone())), made);
    for (case, sketch) in cases.iter().zip(&sketches) {
        assert_eq!(case, &sketch.case, "{}", case.id);
        let mut files = vec!["case.json".to_owned()];
        for (name, octets) in &sketch.messages {
            assert!(case.octets(name) == *octets, "{}/{name} differs", case.id);
            files.push(name.clone());
        }
        files.sort();
        let mut found: Vec<String> = std::fs::read_dir(folder().join(&case.id))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        found.sort();
        assert_eq!(found, files, "{}: each file once", case.id);
    }
}

/// All 130, each either here or, for a reason, later; and none in both.
#[test]
fn no_case_is_forgotten() {
    let here: BTreeSet<String> = cases().into_iter().map(|case| case.id).collect();
    let later = later();
    let all: BTreeSet<String> = (1..=130).map(|number| format!("TC-{number:03}")).collect();
    assert_eq!(here.union(&later).cloned().collect::<BTreeSet<_>>(), all);
    assert_eq!(here.intersection(&later).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn every_case_says_something() {
    for case in cases() {
        assert!(!case.steps.is_empty() || !case.milter.is_empty(), "{}", case.id);
        assert!(case.rows.is_none() || case.in_sequence, "{}: rows belong to a sequence", case.id);
        let messages = case.steps.iter().map(|step| &step.message).chain(case.milter.iter().map(|step| &step.message));
        let used: BTreeMap<_, _> = messages.map(|message| (message.clone(), case.octets(message))).collect();
        let files = std::fs::read_dir(folder().join(&case.id)).unwrap().count();
        assert_eq!(files, used.len() + 1, "{}: every message is used", case.id);
        for step in &case.steps {
            let Some(reason) = zi2_trust::Reason::parse(&step.expect.reason) else {
                panic!("{}: {} is no reason", case.id, step.expect.reason)
            };
            assert_eq!(step.expect.result == "pass", reason.as_str().starts_with("ok."), "{}", case.id);
            assert!(step.expect.result == "pass" || step.expect.level == 0, "{}: no level without pass", case.id);
        }
    }
}
