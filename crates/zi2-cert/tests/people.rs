//! `policy show`, `senders check` and `keys map`, on a host of their own.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod said;
mod ward;

use serde_json::json;
use zi2_cert::Exit;
use zi2_mail::{Domain, HostName, Timestamp};
use zi2_sig::{KeyRecord, Kid, PublicKey, RecordKey};
use zi2_store::{Batch, Durability, Settings, SqliteStore, Store};
use zi2_trust::Seen;

use ward::Ward;

fn in_world(ward: &Ward, arguments: &[&str]) -> said::Said {
    ward.write();
    let world = ward.path("world.json");
    ward.run(&[arguments, &["--world", world.to_str().unwrap()]].concat())
}

#[test]
fn the_policy_of_a_domain() {
    let mut ward = Ward::new();
    ward.publish("_zi2policy.example.org", &["v=ZI2POL1; p=enforce"]);
    ward.world["dns"]["_zi2policy.slow.example"] = json!({"status": "TIMEOUT"});
    let shown = in_world(&ward, &["policy", "show", "example.org"]);
    assert_eq!(shown.exit, Exit::Ok, "{}", shown.err);
    assert!(shown.out.starts_with("example.org: enforce\n  all its mail is certified"), "{}", shown.out);
    assert!(shown.out.contains("_zi2policy.example.org  v=ZI2POL1; p=enforce"), "{}", shown.out);
    let none = in_world(&ward, &["policy", "show", "example.net", "--json"]);
    assert_eq!((none.exit, none.json()["result"].clone()), (Exit::Negative, json!("none")));
    assert_eq!(in_world(&ward, &["policy", "show", "slow.example"]).exit, Exit::TempFail);
}

#[test]
fn who_may_send_as_whom() {
    let mut ward = Ward::new();
    let map = ward.path("senders");
    std::fs::write(&map, "# logins\nlogin anna bob@example.com\nlocal root example.com\n").unwrap();
    ward.toml += &format!("[senders]\nmap = [\"{}\"]\n", map.display());
    ward.write();
    for (who, from, exit, says) in [
        ("anna", "bob@example.com", Exit::Ok, "senders line 2"),
        ("anna", "carl@example.com", Exit::Negative, "no rule lets this sender"),
        ("carl@example.com", "x@example.com", Exit::Ok, "the domain of the login"),
        ("carl@example.com", "x@example.org", Exit::Negative, "not hosted here"),
        ("local:root", "x@example.com", Exit::Ok, "senders line 3"),
        ("local", "x@example.com", Exit::Negative, "no rule"),
        ("192.0.2.1", "x@example.com", Exit::Negative, "no rule"),
        ("anna", "no address", Exit::Usage, ""),
    ] {
        let said = ward.run(&["senders", "check", who, from]);
        assert_eq!(said.exit, exit, "{who} as {from}: {} {}", said.out, said.err);
        assert!(said.out.contains(says), "{who} as {from}: {}", said.out);
    }
    let json = ward.run(&["senders", "check", "anna", "Carl@Example.com", "--json"]).json();
    assert_eq!((&json["result"], &json["from"]), (&json!("refused"), &json!("carl@example.com")));
}

#[test]
fn which_domains_share_a_key() {
    let mut ward = Ward::new();
    let (ours, theirs) = (ward.run(&["dns", "show", "--format", "json"]).json(), PublicKey::from_octets([9; 32]));
    let kid = Kid::parse(&ward.kid).unwrap();
    let value = ours["records"][0]["value"].as_str().unwrap().to_owned();
    ward.publish("_zi2cert.twin.example", &[&value]);
    let other = KeyRecord { key: RecordKey::Live(theirs), kid: Some(kid), sid: None }.to_txt();
    ward.publish("_zi2cert.alone.example", &[&other, "v=ZI2CERT1; k=ed25519; p=; kid=zi2-cert-2020-01"]);
    let store = SqliteStore::open(&ward.path("store/zi2.db"), Durability::Grouped, Settings::disk()).unwrap();
    let seen = Seen {
        domain: Domain::parse("seen.example").unwrap(),
        key: theirs,
        sid: HostName::parse("mx.seen.example").unwrap(),
        kid,
        at: Timestamp::from_secs(said::NOW),
        siblings: Vec::new(),
    };
    store.remember(&Batch { issued: Vec::new(), admissions: Vec::new(), seen: vec![seen] }).unwrap();
    drop(store);
    let map = in_world(&ward, &["keys", "map", "twin.example", "alone.example", "--json"]);
    assert_eq!(map.exit, Exit::Ok, "{}", map.err);
    let domains = |key: &serde_json::Value| {
        key["domains"].as_array().unwrap().iter().map(|d| d["domain"].clone()).collect::<Vec<_>>()
    };
    let mut all: Vec<_> = map.json_lines().iter().map(domains).collect();
    all.sort_by_key(|domains| domains[0].to_string());
    assert_eq!(all, [[json!("alone.example"), json!("seen.example")], [json!("example.com"), json!("twin.example")]]);
    let text = in_world(&ward, &["keys", "map", "--shared", "twin.example"]);
    assert!(text.out.contains("  example.com  published, hosted here\n  twin.example  published\n"), "{}", text.out);
    assert!(!text.out.contains("seen.example"), "one domain shares nothing: {}", text.out);
}
