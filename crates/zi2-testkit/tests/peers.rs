//! Bugs that other programs had with DKIM, ARC, SPF, DMARC and their result fields, row by row of the threat model, and what
//! shows that ours has not the same. A row names cases of `cases/`, tests elsewhere, or is checked here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test")]

mod host;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use host::begin;
use serde_json::{Value, json};
use zi2_flow::{Envelope, Services, World};
use zi2_keys::{Documents, Resolver};
use zi2_mail::Message;
use zi2_store::{MemoryStore, Settings, StoreHandle};
use zi2_testkit::{Dkim, Mail, Sealer, cases};
use zi2_trust::Dmarc;
use zi2_trust::render::Report;

/// What shows that a bug is not here.
enum Shown {
    /// These cases, by number.
    Cases(&'static [u16]),
    /// A test of this name in this file, from the folder of the crates.
    Test(&'static str, &'static str),
    /// A function of this file.
    Here(fn()),
}

use Shown::{Cases, Here, Test};

const BODIES: Shown = Test("zi2-sig/tests/dkim/crafted.rs", "bodies_by_the_book");

const ROWS: &[(&str, &str, Shown)] = &[
    ("OpenDKIM", "CVE-2022-48521: fields removed from the top, so that numbers shift", Cases(&[76, 77])),
    ("OpenDKIM", "#24: results inserted below those of strangers", Cases(&[76, 78])),
    ("OpenDKIM", "#271: any number of signatures", Cases(&[91])),
    ("OpenDKIM", "#433: z= decoded into a short buffer", Cases(&[126])),
    ("OpenDKIM", "2.10: checks of fields changed what was hashed", Here(judging_changes_nothing)),
    ("OpenDMARC", "CVE-2019-16378, CVE-2021-34555: several addresses in From", Cases(&[13, 16, 17, 21])),
    ("OpenDMARC", "CVE-2019-20790: Received-SPF and HELO are believed", Here(received_spf_is_not_believed)),
    ("OpenDMARC", "CVE-2019-20790: HELO stands in for a sender", Cases(&[109])),
    ("OpenDMARC", "CVE-2020-12272: octets outside a domain in result fields", Cases(&[32, 110, 111, 112])),
    ("OpenARC", "#121: seals without t= are refused", Here(seals_need_no_time)),
    ("mail-auth", "#22: the empty body", BODIES),
    ("mail-auth", "#62: lines of blanks at the end", BODIES),
    ("mail-auth", "0.9.2: the header's canonicalization for the body", BODIES),
    ("mail-auth", "0.7.3: redirect= behind include:", Here(redirect_behind_include)),
    ("mail-auth", "0.4.2: IPv6 addresses", Here(ip6_of_spf)),
    ("mail-auth", "#17: panic on an RSA key that is none", Here(keys_that_are_none)),
    ("mail-auth", "0.9.1: octets of a sender in result fields", Cases(&[30, 32, 110])),
    ("mailauth", "#64: a long line in a relaxed body takes quadratic time", Here(long_lines)),
    (
        "mailauth",
        "9ae9745: the hash depends on how the body is cut",
        Test("zi2-sig/tests/dkim/vectors.rs", "every_case_cut_in_two_anywhere"),
    ),
    ("mailauth", "0c4bab7: strict alignment is not enforced", Test("zi2-chain/tests/dmarc/alignment.rs", "alignment")),
    ("mailauth", "0c4bab7: tags named like parts of an object", Here(tags_named_like_parts_of_an_object)),
    ("dkimpy", "a blank at the very beginning ends in an exception", Here(blank_at_the_beginning)),
    (
        "libspf2, Exim",
        "CVE-2021-20314, CVE-2023-42118: macros that grow",
        Test("zi2-chain/tests/spf/cases.rs", "expansions_that_grow"),
    ),
    (
        "Exim",
        "CVE-2023-42117: answers of DNS are believed",
        Test("zi2-keys/tests/it/lies.rs", "what_cannot_be_read_is_the_servers_failure"),
    ),
    ("rspamd", "4.1.3: bh=, h= and z= without bounds", Cases(&[126])),
    ("rspamd", "4.1.3: keys of any size", Cases(&[125])),
    ("rspamd", "4.1.3: signatures are counted after the work", Cases(&[91])),
    ("rspamd", "4.1.3: includes without end", Cases(&[93])),
    (
        "rspamd",
        "4.1.3: hosts of mx and names of ptr without bounds",
        Test("zi2-chain/tests/spf/limits.rs", "client_names"),
    ),
    ("rspamd", "4.1.3: comments without bounds", Test("zi2-chain/tests/arc/words.rs", "limits_hold")),
    ("rspamd", "4.1.0: labels longer than DNS has", Test("zi2-chain/src/dns.rs", "names")),
    ("rspamd", "result fields at the wrong place and in the wrong order", Cases(&[76, 78, 79])),
];

#[test]
fn no_bug_of_a_peer_is_ours() {
    let ids: Vec<String> = cases().into_iter().map(|case| case.id).collect();
    for (peer, bug, shown) in ROWS {
        println!("{peer}: {bug}");
        match shown {
            Cases(numbers) => numbers.iter().for_each(|number| {
                assert!(ids.contains(&format!("TC-{number:03}")), "{peer}: {bug}: TC-{number:03} is no case");
            }),
            Test(file, name) => {
                let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
                let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
                assert!(text.contains(&format!("fn {name}(")), "{peer}: {bug}: no {name} in {file}");
            }
            Here(check) => check(),
        }
    }
}

/// The report on a message in the world of the cases, changed in these keys.
fn report(octets: &[u8], change: Value) -> Value {
    let mut world = zi2_testkit::zone();
    merge(&mut world, change);
    let world = World::parse(world.to_string().as_bytes()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = StoreHandle::start(Arc::new(MemoryStore::new(Settings::memory()))).unwrap();
        let services = Services {
            resolver: Resolver::fixed(world.dns.clone()),
            documents: Documents::None,
            store,
            snapshots: None,
        };
        let message = Message::split(octets);
        let mut inbound = begin(&message.header, &services, &world);
        inbound.body(message.body);
        let outcome = inbound.finish(&Envelope::of(&world.recipients), world.submission, Dmarc::Unknown).await;
        let report = Report::new(&outcome.judgement, outcome.dns_queries);
        serde_json::to_value(report.with_chain(&outcome.chain.expect("a client or a signature"))).unwrap()
    })
}

fn merge(world: &mut Value, change: Value) {
    let (Value::Object(world), Value::Object(change)) = (world, change) else { return };
    for (key, value) in change {
        match world.get_mut(&key) {
            Some(old) if old.is_object() => merge(old, value),
            _ => drop(world.insert(key, value)),
        }
    }
}

fn by_ann() -> Mail {
    Mail::by("Ann <ann@good.example>")
}

fn signed() -> Mail {
    by_ann().dkim(&Dkim::of("good", "good.example"))
}

/// SPF for a client, of a sender at evil.example with this record and more of DNS.
fn spf(client: &str, record: &str, more: Value) -> Value {
    let mut change = json!({"client_ip": client, "mail_from": "x@evil.example", "dns": more});
    change["dns"]["evil.example"] = json!({"txt": [[record]]});
    report(&by_ann().octets(), change)["spf"]["result"].clone()
}

fn judging_changes_nothing() {
    let octets = signed().above("X-Folded: a\r\n\t b").octets();
    let before = octets.clone();
    assert_eq!(report(&octets, json!({})), report(&octets, json!({})));
    assert_eq!(octets, before);
}

fn received_spf_is_not_believed() {
    let mail = by_ann()
        .above("Received-SPF: pass (mx.recv.example: domain of ann@good.example) identity=helo; helo=good.example")
        .above("Authentication-Results: mx.recv.example; spf=pass smtp.mailfrom=good.example");
    let change = json!({"client_ip": "198.51.100.66", "helo": "mx.evil.example", "mail_from": ""});
    let report = report(&mail.octets(), change);
    assert_eq!((&report["spf"]["identity"], &report["dmarc"]["result"]), (&json!("helo"), &json!("fail")));
}

fn seals_need_no_time() {
    let sealer = Sealer::of("list", "list.example", "mx.list.example; none");
    let bare = by_ann().sealed(&sealer);
    assert!(!bare.fields()[0].contains("t="), "{:?}", bare.fields()[0]);
    for mail in [bare, by_ann().sealed(&sealer.with_seal_tag("t", "1793534400"))] {
        assert_eq!(report(&mail.octets(), json!({}))["arc"]["result"], "pass");
    }
}

fn redirect_behind_include() {
    let more = json!({
        "inner.example": {"txt": [["v=spf1 -all"]]},
        "other.example": {"txt": [["v=spf1 ip4:198.51.100.66 -all"]]},
        "jump.example": {"txt": [["v=spf1 redirect=other.example"]]},
    });
    let of = |record: &str| spf("198.51.100.66", record, more.clone());
    assert_eq!(of("v=spf1 include:inner.example redirect=other.example"), "pass");
    assert_eq!(of("v=spf1 include:jump.example -all"), "pass");
    assert_eq!(of("v=spf1 include:jump.example redirect=inner.example"), "pass");
}

fn ip6_of_spf() {
    for (client, record, result) in [
        ("2001:db8::1", "v=spf1 ip6:2001:db8::/32 -all", "pass"),
        ("2001:db9::1", "v=spf1 ip6:2001:db8::/32 -all", "fail"),
        ("2001:db8::1", "v=spf1 a -all", "pass"),
        ("2001:db8::1", "v=spf1 ip4:192.0.2.0/24 -all", "fail"),
        ("::ffff:192.0.2.1", "v=spf1 ip4:192.0.2.0/24 -all", "pass"),
    ] {
        let more = json!({"evil.example": {"aaaa": ["2001:db8::1"]}});
        let mut change = json!({"client_ip": client, "mail_from": "x@evil.example", "dns": more});
        change["dns"]["evil.example"]["txt"] = json!([[record]]);
        assert_eq!(report(&by_ann().octets(), change)["spf"]["result"], result, "{client} {record}");
    }
}

fn keys_that_are_none() {
    for p in ["AAAA", "MIGf", "*", "MA==", "MAA=", "MAMCAQA=", "MAYCAQACAQA=", "//////////8=", "MIIBCgKCAQEA"] {
        for k in ["rsa", "ed25519"] {
            let record = format!("v=DKIM1; k={k}; p={p}");
            let mail = by_ann().dkim(&Dkim::of("good", "good.example").tag("a", format!("{k}-sha256")));
            let report = report(&mail.octets(), json!({"dns": {"s1._domainkey.good.example": {"txt": [[record]]}}}));
            let result = report["dkim"][0]["result"].as_str().unwrap().to_owned();
            assert!(result == "permerror" || result == "policy", "{k} {p}: {result}");
        }
    }
}

/// Quadratic time would be hours, linear time is a fraction of a second.
fn long_lines() {
    let blanks = [vec![b' '; 4 << 20], vec![b'x'; 4 << 20], b"\r\n".to_vec()].concat();
    let octets = by_ann().body(blanks).dkim(&Dkim::of("good", "good.example")).octets();
    let began = Instant::now();
    assert_eq!(report(&octets, json!({}))["dkim"][0]["result"], "pass");
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

fn tags_named_like_parts_of_an_object() {
    let dkim = Dkim::of("good", "good.example").tag("__proto__", "x").tag("constructor", "y");
    assert_eq!(report(&by_ann().dkim(&dkim).octets(), json!({}))["dkim"][0]["result"], "permerror", "no name of a tag");
    let dkim = Dkim::of("good", "good.example").tag("constructor", "y").tag("toString", "z");
    assert_eq!(report(&by_ann().dkim(&dkim).octets(), json!({}))["dkim"][0]["result"], "pass");
    let record = "v=DMARC1; constructor=x; p=reject";
    let change = json!({"client_ip": "198.51.100.66", "dns": {"_dmarc.good.example": {"txt": [[record]]}}});
    assert_eq!(report(&by_ann().octets(), change)["dmarc"]["disposition"], "reject");
}

fn blank_at_the_beginning() {
    for start in [" ", "\t", "\r\n", " \r\n", "\r\n\r\n", "\n", "\r", "\0", ":", " :", ""] {
        let octets = [start.as_bytes(), &signed().octets()].concat();
        let report = report(&octets, json!({"client_ip": "192.0.2.10"}));
        let passes = report["dkim"].as_array().unwrap().iter().filter(|one| one["result"] == "pass").count();
        assert_eq!(passes > 0, start.is_empty(), "{start:?}: {report}");
    }
}
