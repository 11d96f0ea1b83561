//! TC-075, TC-097, TC-098, TC-113 to TC-119, TC-121, TC-124: what DNS says of a key.

use serde_json::{Value, json};

use super::sketch::{EVIL, GOOD, KEYS, NO_KEY, POLICY, Sketch, b0, fail, honest, no_key, pass, temperror, valid};
use crate::{DAY, Forgery, KID, NOW, Signing, public, record};

pub(super) fn sketches() -> Vec<Sketch> {
    [withdrawn(), places(), weak(), troubles()].into_iter().flatten().collect()
}

const AUTHOR: &str = "_zi2cert.good.example";

fn author(txt: &[&str]) -> Value {
    let records: Vec<[&str; 1]> = txt.iter().map(|text| [*text]).collect();
    json!({"dns": {AUTHOR: {"txt": records}}})
}

fn withdrawn() -> Vec<Sketch> {
    let revoked = format!("v=ZI2CERT1; k=ed25519; p=; kid={KID}");
    let peer = json!({"exchanged": [{"sid": "mx.good.example", "kid": KID, "p": public("good")}]});
    let gone = json!({"dns": {AUTHOR: null}});
    vec![
        Sketch::new(75, "L2: an exchanged key outlives its withdrawal", "an exchanged key, p= empty in DNS")
            .world(peer)
            .message("message.eml", &b0())
            .step_in("message.eml", "", author(&[&revoked]), fail("key.revoked").by("good.example"))
            .step_in("message.eml", "the record gone altogether", gone, no_key("key.unauthorized"))
            .step("message.eml", "the record in place: level 2", valid("good.example", 2, "ok.peer").confirmed(true)),
        Sketch::new(117, "C: a withdrawn key", "p= empty")
            .message("message.eml", &b0())
            .step_in("message.eml", "", author(&[&revoked]), fail("key.revoked").by("good.example"))
            .step_in(
                "message.eml",
                "a live one beside it",
                author(&[&revoked, &record("good", KID)]),
                pass("good.example"),
            ),
    ]
}

fn places() -> Vec<Sketch> {
    let short = |owner: &str| format!("v=ZI2CERT1; k=ed25519; p={}", public(owner));
    let page = |owner: &str, parent: Value| {
        json!({"dns": {
            AUTHOR: null,
            "_zi2cert.zi2-cert-2026-11.good.example": {"txt": [[short(owner)]]},
            "zi2-cert-2026-11.good.example": parent,
        }})
    };
    let everywhere = || json!({"txt": [["v=spf1 -all"]]});
    let wildcard = json!({"dns": {
        AUTHOR: everywhere(), "_zi2cert.mx.good.example": everywhere(), "_zi2policy.good.example": everywhere(),
        "_zi2cert.zi2-cert-2026-11.good.example": everywhere(), "zi2-cert-2026-11.good.example": everywhere(),
    }});
    let evil = honest().forged(&Forgery::page("evil", "good.example", "mail.evil.example"));
    let taken = || no_key("key.not_found").by("good.example").queries(NO_KEY + 4);
    vec![
        Sketch::one(
            98,
            "R12: a wildcard answers everywhere",
            "*.good.example TXT \"v=spf1 -all\"",
            &b0(),
            no_key("key.not_found").by("good.example"),
        )
        .world(wildcard)
        .note(
            "key.missing in the threat model. The world has no wildcards; every name that \
                is asked answers so.",
        ),
        Sketch::one(
            118,
            "the page's DNS name",
            "the record only at _zi2cert.<kid>.good.example",
            &b0(),
            pass("good.example").queries(KEYS + 5),
        )
        .world(page("good", Value::Null))
        .note(
            "By zi2.md §6 it passes while <kid>.good.example itself is empty, as the head \
                of the threat model says.",
        ),
        Sketch::new(
            119,
            "A4: a delegated name speaks for its parent",
            "evil owns <kid>.good.example and publishes below it",
        )
        .message("message.eml", &evil)
        .message("own-server.eml", &honest().forged(&Forgery::page("evil", "good.example", "mx.evil.example")))
        .step_in("message.eml", "it has an address", page("evil", json!({"a": ["198.51.100.66"]})), taken())
        .step_in("message.eml", "it has an IPv6 address", page("evil", json!({"aaaa": ["2001:db8::66"]})), taken())
        .step_in("message.eml", "it has mail", page("evil", json!({"mx": ["mx.evil.example"]})), taken())
        .step_in("message.eml", "it is delegated", page("evil", json!({"ns": ["ns.evil.example"]})), taken())
        .step_in(
            "own-server.eml",
            "and the server publishes the key for itself",
            page("evil", json!({"a": ["198.51.100.66"]})),
            no_key("key.unauthorized").queries(NO_KEY + 4),
        ),
        Sketch::one(
            121,
            "R1: a server's name that leads inside",
            "mx.good.example has the address 10.0.0.5",
            &b0(),
            pass("good.example"),
        )
        .world(json!({"dns": {"mx.good.example": {"a": ["10.0.0.5"]}}}))
        .later(
            "That the document at that host is not fetched: there is no fetcher on the mail \
                 path.",
        ),
    ]
}

/// The points whose order divides four, as octets.
fn small(low: u8, middle: u8, high: u8) -> [u8; 32] {
    let mut point = [middle; 32];
    (point[0], point[31]) = (low, high);
    point
}

fn weak() -> Vec<Sketch> {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let with = |key: [u8; 32]| author(&[&format!("v=ZI2CERT1; k=ed25519; p={}; kid={KID}", STANDARD.encode(key))]);
    let invalid = || fail("signature.invalid").by("good.example");
    let points = [small(1, 0, 0), small(0xec, 0xff, 0x7f), small(0, 0, 0), small(0, 0, 0x80)];
    let constant = |sketch: Sketch| {
        points.iter().enumerate().fold(sketch, |sketch, (number, point)| {
            let mut signature = [0; 64];
            signature[..32].copy_from_slice(point);
            let forgery = Forgery::page("evil", "good.example", "mail.evil.example").signature(signature);
            sketch.arrives(
                &format!("r{number}.eml"),
                &honest().forged(&forgery),
                "a signature of S=0 and this R",
                invalid(),
            )
        })
    };
    let note = "key.weak in the threat model; by zi2.md §5 a weak key is a candidate that \
                verifies nothing. Of the four constant signatures at least one holds for a lax \
                 library, whatever the message.";
    let spki = format!(
        "v=ZI2CERT1; k=ed25519; p={}; kid={KID}",
        STANDARD.encode(
            [&b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00"[..], crate::key("good").public().as_octets()]
                .concat()
        )
    );
    let many = |others: usize| {
        let mut records: Vec<String> = (0..others).map(|number| record(&format!("other{number}"), KID)).collect();
        records.push(record("good", KID));
        author(&records.iter().map(String::as_str).collect::<Vec<_>>())
    };
    vec![
        constant(
            Sketch::new(113, "a key that verifies anything", "the identity as key, constant signatures")
                .world(with(points[0])),
        )
        .note(note),
        constant(
            Sketch::new(114, "a key that verifies anything", "all zero as key, constant signatures")
                .world(with(points[2])),
        )
        .note(note),
        Sketch::one(
            115,
            "a key in the wrong wrapping",
            "a SubjectPublicKeyInfo of 44 octets in p=",
            &b0(),
            no_key("key.not_found"),
        )
        .world(json!({"dns": {AUTHOR: {"txt": [[spki]]}, "_zi2cert.mx.good.example": null}}))
        .note(
            "key.length in the threat model: the record is none, and `zi2-cert verify \
                --domain` says why.",
        ),
        Sketch::new(116, "several records of one kid", "two records with the same kid")
            .message("message.eml", &b0())
            .step_in("message.eml", "", many(1), pass("good.example"))
            .step_in("message.eml", "four", many(3), pass("good.example"))
            .step_in("message.eml", "five", many(4), fail("dns.too_many"))
            .note(
                "key.duplicate in the threat model; by zi2.md §6 up to four coexist, as in \
                rotation and with several servers.",
            ),
    ]
}

fn troubles() -> Vec<Sketch> {
    let mail = honest().signed(Signing { sid: "good.example", ..GOOD }); // the author's record is the server's
    let most = 5;
    let chain = |links: u32| {
        let mut dns = serde_json::Map::new();
        let name = |number: u32| if number == 0 { AUTHOR.to_owned() } else { format!("a{number}.good.example") };
        for link in 0..links {
            dns.insert(name(link), json!({"cname": name(link + 1), "txt": null}));
        }
        dns.insert(name(links), json!({"txt": [[record("good", KID)]]}));
        json!({"dns": dns})
    };
    let looped =
        json!({"dns": {AUTHOR: {"cname": "a1.good.example", "txt": null}, "a1.good.example": {"cname": AUTHOR}}});
    let servfail = || temperror("dns.servfail").by("good.example");
    let status = |status: &str| json!({"dns": {AUTHOR: {"status": status}}});
    let with_document = |host: &str, owner: &str| {
        json!({"dns": {AUTHOR: {"status": "SERVFAIL"}}, "https": {host: {
            "version": 1, "sid": host, "domains": ["good.example"],
            "keys": [{"kid": KID, "k": "ed25519", "p": public(owner), "created": NOW - DAY, "retires": null}],
        }}})
    };
    vec![
        Sketch::new(97, "R11: CNAME chains", "_zi2cert.good.example is a loop, or a chain of six")
            .message("message.eml", &mail)
            .step_in("message.eml", "a loop", looped, servfail().queries(most))
            .step_in("message.eml", "a chain of six", chain(6), servfail().queries(most))
            .step_in("message.eml", "of five", chain(5), servfail().queries(most))
            .step_in("message.eml", "of four", chain(4), pass("good.example").queries(most)),
        Sketch::new(124, "R8: DNS in trouble", "SERVFAIL for the key")
            .world(super::trust::trusted("good"))
            .message("message.eml", &b0())
            .message("evil.eml", &honest().signed(EVIL))
            .step_in("message.eml", "", status("SERVFAIL"), servfail())
            .step_in("message.eml", "no answer", status("TIMEOUT"), temperror("dns.timeout"))
            .step_in(
                "message.eml",
                "a bogus answer",
                json!({"dns": {AUTHOR: {"dnssec": "bogus"}}}),
                temperror("dns.bogus"),
            )
            .step_in(
                "message.eml",
                "the server's own document has the key",
                with_document("mx.good.example", "good"),
                servfail(),
            )
            .step_in("evil.eml", "evil's server and its document", with_document("mx.evil.example", "evil"), servfail())
            .step_in(
                "message.eml",
                "the document at the From domain's own host has the key",
                with_document("good.example", "good"),
                valid("good.example", 1, "ok.https").queries(KEYS + POLICY),
            )
            .note(
                "Never the server's HTTPS instead. The From domain's own document is a place of \
                 equal standing by zi2.md §6, and §7 step 5 gives temperror only if no \
                candidate verifies.",
            ),
    ]
}
