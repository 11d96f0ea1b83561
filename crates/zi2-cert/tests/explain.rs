//! `verify --explain` on every vector: the check that decided is the one that is marked, and the verdict is the same.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test")]

mod said;

use said::{cases, vectors, zi2_cert};
use serde_json::Value;

/// The checks that decide, in their order, and those that are made whatever is decided.
const DECIDING: [&str; 11] =
    ["section", "message", "certified", "identity", "time", "key", "signature", "header", "body", "replay", "level"];
const OTHERS: [&str; 6] = ["recipients", "history", "spoof", "restoration", "delegation", "all"];
const LOOK_UPS: [&str; 6] = ["key.record", "key.page", "key.parent", "key.document", "sid.record", "sid.document"];

/// The check of a reason, and the word it has.
fn decided(reason: &str) -> (&'static [&'static str], &'static str) {
    match reason {
        "header.syntax" => (&["section", "message", "certified"], "fail"),
        "header.duplicate" | "header.missing_field" | "header.from_ambiguous" => (&["message"], "fail"),
        "header.version" => (&["certified"], "fail"),
        "none.absent" | "policy.expected_missing" => (&["certified"], "none"),
        "domain.mismatch" | "header.uncovered" => (&["identity"], "fail"),
        "clock.future" | "expired.window" => (&["time"], "fail"),
        "key.not_found" | "key.unauthorized" | "key.revoked" | "dns.too_many" => (&["key"], "fail"),
        "dns.timeout" | "dns.servfail" | "dns.bogus" => (&["key"], "temperror"),
        "signature.invalid" => (&["signature"], "fail"),
        "tampered.header" => (&["header"], "fail"),
        "tampered.body" => (&["body"], "fail"),
        ok => (&["level"], if ok.starts_with("ok.") { "ok" } else { panic!("{ok} is in no table") }),
    }
}

#[test]
fn every_vector_explained() {
    let folder = tempfile::tempdir().unwrap();
    let world = folder.path().join("world.json");
    for case in cases() {
        std::fs::write(&world, case["env"].to_string()).unwrap();
        let message = vectors().join(case["message"].as_str().unwrap());
        let arguments =
            ["verify", "--world", world.to_str().unwrap(), "--json", message.to_str().unwrap(), "--explain"];
        let (bare, explained) = (zi2_cert(&arguments[..5]), zi2_cert(&arguments));
        let mut report = explained.json();
        let checks = report.as_object_mut().unwrap().remove("explain").unwrap();
        assert_eq!((bare.exit, bare.json()), (explained.exit, report), "nothing else changes");
        examine(case["name"].as_str().unwrap(), case["expect"]["reason"].as_str().unwrap(), checks.as_array().unwrap());
    }
}

fn examine(name: &str, reason: &str, checks: &[Value]) {
    let of = |check: &str| checks.iter().find(|found| found["check"] == check);
    let (places, word) = decided(reason);
    let place = DECIDING.iter().position(|check| places.contains(check) && of(check).unwrap()["result"] == word);
    let place = place.unwrap_or_else(|| panic!("{name}: no check of {places:?} has {word}: {checks:?}"));
    for (at, check) in DECIDING.iter().enumerate() {
        let found = of(check).unwrap();
        let expired = reason == "expired.window"; // all else was checked and holds
        // it decides only if all else holds, but it is stale in any case
        let age =
            found["seen"].as_str().unwrap().strip_prefix("signed ").and_then(|seen| seen.split_once(" s before now"));
        let is_stale = age.is_some_and(|(seconds, _)| seconds.parse::<u64>().unwrap() > 86_400);
        let expected = match at.cmp(&place) {
            std::cmp::Ordering::Less if is_stale => "fail",
            std::cmp::Ordering::Less => "ok",
            std::cmp::Ordering::Equal => word,
            std::cmp::Ordering::Greater if expired && !["replay", "level"].contains(check) => "ok",
            std::cmp::Ordering::Greater => "skipped",
        };
        assert_eq!(found["result"], expected, "{name} {check}: {checks:?}");
        let has_duration = expected != "skipped" && !["identity", "time", "key", "level"].contains(check);
        let absent = found["result"] == "none";
        assert_eq!(found["micros"].is_u64(), has_duration && !absent, "{name} {check}");
    }
    for check in checks {
        let name = check["check"].as_str().unwrap();
        assert!(DECIDING.contains(&name) || OTHERS.contains(&name) || LOOK_UPS.contains(&name), "{name}");
        assert!(check["paragraph"].as_str().unwrap().starts_with('§'));
        assert_eq!(check["seen"].as_str().unwrap().is_empty(), check["result"] == "skipped", "{check}");
        assert!(!LOOK_UPS.contains(&name) || check["micros"].is_u64(), "every look-up has its duration");
    }
    assert_eq!(checks.last().unwrap()["check"], "all");
    assert!(checks.last().unwrap()["micros"].as_u64().unwrap() > 0);
}

#[test]
fn the_table_names_the_place_that_was_asked() {
    let folder = tempfile::tempdir().unwrap();
    let world = folder.path().join("world.json");
    for (name, row) in [
        ("pass-combined", ["key.record ok", "TXT _zi2cert.example.com: 1 record with 1 key of this kid (insecure)"]),
        ("servfail-combined", ["key.record temperror", "the name servers failed (SERVFAIL)"]),
        ("revoked-combined", ["key.record fail", "0 keys of this kid, 1 revoked"]),
        ("future-combined", ["time fail", "signed 301 s after now"]),
        ("subject-changed-combined", ["signature ok", "sig= holds, b= does not"]),
        ("missing-hosted-here", ["spoof fail", "yes; the domain publishes no policy"]),
    ] {
        let case = cases().into_iter().find(|case| case["name"] == name).unwrap();
        std::fs::write(&world, case["env"].to_string()).unwrap();
        let message = vectors().join(case["message"].as_str().unwrap());
        let said = zi2_cert(&["verify", "--world", world.to_str().unwrap(), "--explain", message.to_str().unwrap()]);
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        let found = said.out.lines().any(|line| words(line).starts_with(row[0]) && line.contains(row[1]));
        assert!(found, "{row:?} in {}", said.out);
    }
}
