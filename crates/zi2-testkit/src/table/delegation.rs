//! TC-100: the word of those who sealed a message with ARC (zi2.md §11).

use serde_json::{Value, json};

use zi2_sig::Form;

use super::sketch::{CHAIN, GOOD, Sketch, b0, fail, honest, merged, missing, tampered, valid};
use crate::{Expect, HOUR, KID, Mail, NOW, OLD_KID, Sealer, Signing, public};

pub(super) fn sketches() -> Vec<Sketch> {
    vec![one_condition_missing(believed(attacked()))]
}

fn report(result: &str, domain: &str, kid: &str) -> String {
    format!("mx.list.example; dmarc=pass;\r\n x-zi2={result} header.d={domain} header.s={kid} policy.level=1")
}

/// What a handler says who saw B0 before it changed it.
pub(super) fn valid_then() -> String {
    report("pass", "good.example", KID)
}

/// What a mailing list makes of B0.
pub(super) fn changed() -> Mail {
    b0().with("Subject", "[list] Lunch").in_body("Ann\r\n", "Ann\r\n___\r\nlist mailing list\r\n")
}

pub(super) fn by_list(mail: Mail, results: &str) -> Mail {
    mail.sealed(&Sealer::of("list", "list.example", results))
}

pub(super) fn trusting(sealers: &[&str]) -> Value {
    json!({"trusted_sealers": sealers})
}

/// Nobody's word counts.
fn stays() -> Expect {
    tampered("tampered.header").by("good.example").queries(CHAIN)
}

fn passes() -> Expect {
    let expect = valid("good.example", 1, "ok.delegated.arc").queries(CHAIN);
    expect.history("unverified").chain(arc("pass"))
}

fn arc(result: &str) -> Value {
    json!({"arc": {"result": result}})
}

fn attacked() -> Sketch {
    let attacker = "ARC-Authentication-Results: i=1; mx.evil.example; dmarc=pass;\r\n \
                    x-zi2=pass header.d=good.example header.s=zi2-cert-2026-11";
    let unsigned = b0()
        .body("Pay at once.\r\n")
        .above(attacker)
        .above("ARC-Message-Signature: i=1; a=ed25519-sha256; d=evil.example; s=s1; h=from; bh=AAAA; b=AAAA")
        .above("ARC-Seal: i=1; a=ed25519-sha256; d=evil.example; s=s1; cv=none; b=AAAA");
    let sealed = changed().sealed(&Sealer::of("evil", "evil.example", &valid_then()));
    let body = || tampered("tampered.body").by("good.example").queries(CHAIN);
    let title = "a changed mail with evil's seal over x-zi2=pass";
    Sketch::new(100, "D4: ARC sealed by the attacker", title)
        .arrives("message.eml", &unsigned, "a seal that does not hold", body())
        .step_in("message.eml", "the same by a name that is trusted", trusting(&["evil.example"]), body())
        .arrives("sealed.eml", &sealed, "one that holds, and nobody is trusted", stays().chain(arc("pass")))
        .step_in("sealed.eml", "one that holds, of somebody else than is trusted", trusting(LIST), stays())
}

const LIST: &[&str] = &["list.example"];
const BOTH: &[&str] = &["list.example", "relay.example"];

/// Lists that are trusted: what they may say and what they may not.
fn believed(sketch: Sketch) -> Sketch {
    let good = &valid_then();
    let sealed = || by_list(changed(), good);
    let draft = honest().signed(Signing { form: Form::Draft, ..GOOD }).in_body("Ann", "Anna");
    let exchanged = json!({"exchanged": [{"sid": "mx.good.example", "kid": KID, "p": public("good")}]});
    let enforce = json!({"dns": {"_zi2policy.good.example": {"txt": [["v=ZI2POL1; p=enforce"]]}}});
    let with = |more: Value| merged(trusting(LIST), &more);
    let many: Vec<String> = (0..21).map(|number| format!("member{number}@recv.example")).collect();
    let replayed = verdict_of_a_replay();
    sketch
        .message("list.eml", &sealed())
        .step_in("list.eml", "a list that is trusted and saw it valid", trusting(LIST), passes())
        .step_in("list.eml", "with a key that would be worth level 2", with(exchanged), passes())
        .step_in("list.eml", "from a domain that enforces: no mark", with(enforce), passes())
        .step_in("list.eml", "to more people than one certification may reach", with(json!({"rcpt": many})), replayed)
        .step_in("list.eml", "after the window", with(json!({"now": NOW + 24 * HOUR})), stays())
        .step_in(
            "list.eml",
            "the sealer's key cannot be asked for",
            with(sealer_is("TIMEOUT")),
            stays().chain(arc("temperror")),
        )
        .step_in("list.eml", "the sealer's key is gone", with(sealer_is("NXDOMAIN")), stays().chain(arc("fail")))
        .step_in("list.eml", "a subdomain is trusted, which is another sealer", trusting(&["a.list.example"]), stays())
        .message("draft.eml", &by_list(draft, good))
        .step_in("draft.eml", "in draft form", trusting(LIST), passes().not_covering(&["from.address"]))
}

/// One condition each that does not hold.
fn one_condition_missing(sketch: Sketch) -> Sketch {
    let good = &valid_then();
    let sealed = || by_list(changed(), good);
    let relay = |mail: Mail, results: &str| mail.sealed(&Sealer::of("relay", "relay.example", results));
    let none = "mx.relay.example; none";
    let open = changed().sealed(&Sealer::of("list", "list.example", good).covering("to:subject:date:message-id"));
    let unbound = changed().sealed(&Sealer::of("list", "list.example", good).covering("from:to:subject:date"));
    let given_up = sealed().sealed(&Sealer::of("list", "list.example", good).with_seal_tag("cv", "fail"));
    let twice = format!("{good}; x-zi2=pass header.d=good.example header.s={KID}");
    let forged_below = format!("ARC-Authentication-Results: i=1; {good}");
    let stays_so = [
        ("kid.eml", "the report is of another key", by_list(changed(), &report("pass", "good.example", OLD_KID))),
        ("d.eml", "the report is of another domain", by_list(changed(), &report("pass", "evil.example", KID))),
        ("fail.eml", "the report says fail", by_list(changed(), &report("fail", "good.example", KID))),
        ("none.eml", "there is no report", by_list(changed(), none)),
        ("twice.eml", "there are two reports", by_list(changed(), &twice)),
        ("forged.eml", "a forged report below the list's", by_list(changed(), none).below(&forged_below)),
        ("plain.eml", "a forged Authentication-Results below", by_list(changed().below(results_field()), none)),
        ("later.eml", "only the second handler reports it", relay(by_list(changed(), none), good)),
        ("open.eml", "From is not covered by the list", open),
        ("unbound.eml", "nothing ties the certification to what the list sealed", unbound),
        ("broken.eml", "changed after the seal", sealed().with("Subject", "[list] Pay at once")),
        ("given-up.eml", "the newest sealer found the chain broken", given_up),
    ];
    let sketch = stays_so.into_iter().fold(sketch, |sketch, (file, what, mail)| {
        sketch.message(file, &mail).step_in(file, what, trusting(BOTH), stays())
    });
    let second = by_list(relay(changed(), good), none);
    let invalid = by_list(b0().with("From", "Boss <boss@good.example>"), good);
    sketch
        .message("two.eml", &second)
        .step_in("two.eml", "two handlers, both trusted", trusting(BOTH), passes())
        .step_in("two.eml", "two handlers, and only the second is trusted", trusting(LIST), stays())
        .message("invalid.eml", &invalid)
        .step_in("invalid.eml", "not changed but never valid", trusting(LIST), fail("signature.invalid").queries(CHAIN))
        .message("bare.eml", &by_list(changed().without("X-ZI2-Certified"), good))
        .step_in("bare.eml", "not certified at all", trusting(LIST), missing().queries(CHAIN))
}

fn results_field() -> String {
    format!("Authentication-Results: {}", valid_then())
}

fn sealer_is(status: &str) -> Value {
    json!({"dns": {"s1._domainkey.list.example": {"status": status, "txt": null}}})
}

fn verdict_of_a_replay() -> Expect {
    fail("replay.nonce").by("good.example").queries(CHAIN)
}
