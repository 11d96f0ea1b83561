//! The existing chain in a world of data: the DKIM probes, and an ARC chain of the public suite.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test")]

mod said;

use std::path::{Path, PathBuf};

use said::zi2_cert;
use serde_json::Value;

fn verified(world: &Path, message: &Path) -> Value {
    let said = zi2_cert(&["verify", "--world", world.to_str().unwrap(), "--json", message.to_str().unwrap()]);
    serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{}: {}", message.display(), said.err))
}

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/arc")
}

#[test]
fn every_dkim_probe() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/dkim");
    let probes: Vec<Value> = serde_json::from_slice(&std::fs::read(folder.join("cases.json")).unwrap()).unwrap();
    assert!(probes.len() >= 32);
    let scratch = tempfile::tempdir().unwrap();
    let world = scratch.path().join("world.json");
    for probe in probes {
        std::fs::write(&world, probe["env"].to_string()).unwrap();
        let message = folder.join(probe["message"].as_str().unwrap());
        let report = verified(&world, &message);
        let results: Vec<_> = report["dkim"].as_array().into_iter().flatten().map(|one| &one["result"]).collect();
        let passes = results.iter().filter(|result| **result == "pass").count();
        let right = match probe["expect"].as_str().unwrap() {
            "pass" => passes == results.len() && passes > 0,
            "passany" => passes > 0,
            "fail" | "policy" => passes == 0,
            "limit" => results.len() <= 10,
            // A pass is for the domain that the signature names, and for no other.
            "any" => report["dkim"]
                .as_array()
                .into_iter()
                .flatten()
                .all(|one| one["result"] != "pass" || one["d"].as_str() == named(&message).as_deref()),
            other => panic!("{other} is new"),
        };
        assert!(right, "{}: {} expected, {results:?}", probe["name"], probe["expect"]);
        assert!(report["metrics"]["dns_queries"].as_u64().unwrap() <= 60, "{}", probe["name"]);
    }
}

/// The domain after `d=` of the first signature, as DNS has it.
fn named(message: &Path) -> Option<String> {
    let text = String::from_utf8(std::fs::read(message).unwrap()).ok()?;
    let domain = text.split_once("d=")?.1.split(';').next()?;
    zi2_mail::Domain::parse(domain).ok().map(|domain| domain.to_string())
}

#[test]
fn an_arc_chain_and_the_same_broken() {
    let report = verified(&data().join("world.json"), &data().join("pass.eml"));
    assert_eq!(report["arc"]["result"], "pass", "{report}");
    assert_eq!(report["arc"]["sealers"], serde_json::json!(["example.org", "example.org"]));
    assert_eq!(report["spf"], Value::Null, "no client, no SPF");
    assert_ne!(report["dmarc"]["result"], "fail", "what SPF would have said is not known");

    let scratch = tempfile::tempdir().unwrap();
    let broken = scratch.path().join("broken.eml");
    let text = std::fs::read_to_string(data().join("pass.eml")).unwrap();
    std::fs::write(&broken, text.replace("cv=pass", "cv=none")).unwrap();
    let report = verified(&data().join("world.json"), &broken);
    assert_eq!((&report["arc"]["result"], &report["arc"]["sealers"]), (&"fail".into(), &serde_json::json!([])));
}
