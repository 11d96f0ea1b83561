//! TC-085 to TC-090, TC-099: history, expectation, and what does not move them.

use serde_json::{Value, json};

use super::sketch::{CHAIN, GOOD, Sketch, b0, expected_missing, honest, missing, no_key, pass};
use crate::{DAY, Dkim, Dmarc, Forgery, KID, NOW, OLD_KID, Signing, public, record};

pub(super) fn sketches() -> Vec<Sketch> {
    [expectation(), rotation(), outsiders()].into_iter().flatten().collect()
}

/// good.example was seen five times on three days within eight, the last one yesterday, with this key.
pub(super) fn trusted(key: &str) -> Value {
    trusted_as(key, KID)
}

fn trusted_as(key: &str, kid: &str) -> Value {
    json!({"history": [{
        "domain": "good.example", "sid": "mx.good.example", "kid": kid, "p": public(key),
        "valid": 5, "days": 3, "first_seen": NOW - 9 * DAY, "last_seen": NOW - DAY,
    }]})
}

fn policy(text: &str) -> Value {
    json!({"dns": {"_zi2policy.good.example": {"txt": [[text]]}}})
}

fn expectation() -> Vec<Sketch> {
    let bare = |sketch: Sketch| sketch.message("message.eml", &honest());
    let renamed = b0().with("X-ZI2-Certified", "v=1; broken");
    let stripped = Sketch::new(
        86,
        "D1: the header taken away",
        "B0 without its certification; good.example is TRUSTED and publishes no policy",
    );
    let enforce = "v=ZI2POL1; p=enforce";
    vec![
        bare(stripped)
            .world(trusted("good"))
            .step("message.eml", "DMARC passes", missing().by("good.example"))
            .dmarc(Dmarc::Pass)
            .step("message.eml", "DMARC fails", expected_missing("suspected").by("good.example"))
            .dmarc(Dmarc::Fail)
            .step("message.eml", "DMARC was not evaluated", expected_missing("suspected").by("good.example"))
            .step_in(
                "message.eml",
                "30 days after the last one",
                json!({"now": NOW + 29 * DAY}),
                expected_missing("suspected"),
            )
            .step_in("message.eml", "and one second later", json!({"now": NOW + 29 * DAY + 1}), missing())
            .note(
                "Never `yes`: by zi2.md §9 history alone says `suspected`, and not while DMARC \
                passes.",
            ),
        bare(Sketch::new(87, "D1: the header taken away", "the same with a published p=enforce"))
            .message("broken.eml", &renamed)
            .step_in("message.eml", "DMARC fails", policy(enforce), expected_missing("yes").by("good.example"))
            .dmarc(Dmarc::Fail)
            .step_in(
                "message.eml",
                "DMARC passes: the domain's own word stands",
                policy(enforce),
                expected_missing("yes"),
            )
            .dmarc(Dmarc::Pass)
            .step_in(
                "broken.eml",
                "broken instead (D2)",
                policy(enforce),
                super::sketch::malformed("header.syntax").spoof("yes"),
            )
            .step_in("message.eml", "p=monitor never marks", policy("v=ZI2POL1; p=monitor"), missing())
            .step_in("message.eml", "two policies contradict each other and are none", two_policies(), missing()),
    ]
}

fn two_policies() -> Value {
    json!({"dns": {"_zi2policy.good.example": {"txt": [["v=ZI2POL1; p=enforce"], ["v=ZI2POL1; p=monitor"]]}}})
}

fn rotation() -> Vec<Sketch> {
    let new = Signing { key: "good next", ..GOOD };
    let at = |days: u64| {
        honest().with("Message-ID", format!("<{days}@mail.example>")).signed(Signing { time: NOW + days * DAY, ..new })
    };
    let at_author = |records: Value| json!({"_zi2cert.good.example": {"txt": records}});
    let published = |days: u64, records: Value| json!({"now": NOW + days * DAY, "dns": at_author(records)});
    let (old_record, new_record) = (record("good", OLD_KID), record("good next", KID));
    let both = json!([[old_record], [new_record]]);
    let alone = json!([[new_record]]);
    let old = || trusted_as("good", OLD_KID);
    let rows: &[(&str, &str, u64, u32)] = &[("good.example", "good", 5, 3), ("good.example", "good next", 2, 2)];
    vec![
        in_order(
            Sketch::new(89, "H8: history inherited by whoever comes", "a new key published alone, the old one gone")
                .world(old())
                .message("message.eml", &at(0))
                .message("later.eml", &at(2))
                .step_in("message.eml", "", published(0, alone.clone()), pass("good.example").history("unverified"))
                .step_in(
                    "later.eml",
                    "two days later",
                    published(2, alone.clone()),
                    pass("good.example").history("provisional"),
                ),
            rows,
        )
        .later("warn=key-change: a judgement has no warnings yet."),
        in_order(
            Sketch::new(
                90,
                "H8: an honest rotation loses its history",
                "both keys published for 48 hours, then the new one alone",
            )
            .world(old())
            .message("message.eml", &at(0))
            .message("later.eml", &at(2))
            .step_in("message.eml", "both published", published(0, both), pass("good.example"))
            .step_in(
                "later.eml",
                "the new one alone",
                published(2, alone),
                pass("good.example").history("trusted"),
            ),
            &[("good.example", "good", 5, 3), ("good.example", "good next", 7, 5)],
        )
        .note("What the first message of the new key says of its history is left open."),
    ]
}

/// Rows stand in the order of their keys.
fn in_order(sketch: Sketch, rows: &[(&str, &str, u64, u32)]) -> Sketch {
    let mut rows = rows.to_vec();
    rows.sort_by_key(|(domain, name, ..)| (*domain, *crate::key(name).public().as_octets()));
    sketch.leaves(&rows)
}

fn outsiders() -> Vec<Sketch> {
    let claim = Forgery::page("evil", "good.example", "mx.evil.example");
    let unpublished = honest().forged(&claim.clone().tag("kid", OLD_KID));
    let dkim = Dkim::of("good", "good.example").tag("h", "from:x-a");
    let broken = honest().with("X-A", "1").signed(GOOD).dkim(&dkim).with("X-A", "2");
    let valid_but_failing = pass("good.example").history("unverified").queries(CHAIN).chain(json!({
        "dkim": [{"result": "fail", "reason": "signature.mismatch"}],
        "spf": {"result": "fail"},
        "dmarc": {"result": "fail", "disposition": "reject"},
    }));
    let suspected = |reason: &str, queries| no_key(reason).by("good.example").spoof("suspected").queries(queries);
    vec![
        Sketch::new(85, "H4: another server speaks for the victim", "evil's server, key and kid, From good.example")
            .world(trusted("good"))
            .message("message.eml", &honest().forged(&claim.tag("kid", "zi2-cert-2026-09")))
            .message("unknown.eml", &unpublished)
            .step_in(
                "message.eml",
                "evil's server publishes the key for itself and claims good.example",
                json!({"dns": {"_zi2cert.mx.evil.example": {"txt": [[record("evil", "zi2-cert-2026-09")]]}},
                       "https": {"mx.evil.example": document("evil", "zi2-cert-2026-09", "good.example")}}),
                suspected("key.unauthorized", super::sketch::NO_KEY),
            )
            .step("unknown.eml", "nobody publishes the key", suspected("key.not_found", super::sketch::NO_KEY))
            .leaves(&[("good.example", "good", 5, 3)])
            .note(
                "key.missing in the threat model. The mark is good.example's history (zi2.md \
                §9), which stays as it was.",
            ),
        Sketch::new(99, "D3: DKIM broken so that only ZI2 is left", "ZI2 passes, DMARC fails")
            .world(json!({"client_ip": "203.0.113.7", "helo": "relay.example"}))
            .message("message.eml", &broken)
            .step("message.eml", "", valid_but_failing)
            .leaves(&[])
            .note("By zi2.md §9 only mail that DMARC does not fail counts for history."),
    ]
}

fn document(key: &str, kid: &str, domain: &str) -> Value {
    json!({
        "version": 1, "sid": "mx.evil.example",
        "keys": [{"kid": kid, "k": "ed25519", "p": public(key), "created": NOW - DAY, "retires": null}],
        "domains": [domain],
    })
}
