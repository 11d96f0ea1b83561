//! TC-093 to TC-095, TC-102, TC-104, TC-109, TC-111, TC-112, TC-128: SPF, DMARC and ARC. Unless a case says otherwise the mail is
//! evil's, not certified, and from evil's own address.

use serde_json::{Value, json};

use super::sketch::{CHAIN, Sketch, honest, merged, missing};
use crate::{Expect, Mail};

pub(super) fn sketches() -> Vec<Sketch> {
    let mut all = vec![look_ups(), labels(), sets(), broad(), no_such_sender(), policies()];
    all.extend(odd_senders());
    all
}

/// From evil's server, for this sender.
fn from_evil(mail_from: &str) -> Value {
    json!({"client_ip": "198.51.100.66", "helo": "mx.evil.example", "mail_from": mail_from})
}

fn evil() -> Mail {
    Mail::by("x@evil.example")
}

fn says(chain: Value) -> Expect {
    missing().queries(CHAIN).chain(chain)
}

fn spf(result: &str) -> Expect {
    says(json!({"spf": {"result": result}}))
}

fn look_ups() -> Sketch {
    let mut include = serde_json::Map::new();
    for number in 0..30 {
        let record = format!("v=spf1 include:i{}.evil.example -all", number + 1);
        include.insert(format!("i{number}.evil.example"), json!({"txt": [[record]]}));
    }
    include.insert("evil.example".to_owned(), json!({"txt": [["v=spf1 include:i0.evil.example -all"]]}));
    let void: String = (0..5).map(|number| format!("a:v{number}.evil.example ")).collect();
    let void = json!({"evil.example": {"txt": [[format!("v=spf1 {void}ip4:198.51.100.66 -all")]]}});
    Sketch::new(93, "R7: SPF that costs many questions", "a chain of 30 includes")
        .message("message.eml", &evil())
        .world(from_evil("x@evil.example"))
        .step_in("message.eml", "", json!({"dns": include}), spf("permerror").queries(11 + CHAIN))
        .step_in(
            "message.eml",
            "five names that do not exist",
            json!({"dns": void}),
            spf("permerror").queries(5 + CHAIN),
        )
}

fn labels() -> Sketch {
    let domain = format!("{}xy", "a.".repeat(119));
    let expect = says(json!({"dmarc": {"result": "none"}})).queries(8 + CHAIN);
    Sketch::one(
        94,
        "R7: a tree walk without end",
        "From with a domain of 120 labels",
        &Mail::by(&format!("x@{domain}")),
        expect,
    )
    .world(from_evil("x@evil.example"))
}

fn sets() -> Sketch {
    let hash = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    let mail = (1..=51).fold(evil(), |mail, number| {
        let claim = if number == 1 { "none" } else { "pass" };
        mail.above(format!("ARC-Authentication-Results: i={number}; mx.evil.example; none"))
            .above(format!("ARC-Message-Signature: i={number}; a=ed25519-sha256; d=evil.example; s=x{number}; h=from; bh={hash}; b=AAAA"))
            .above(format!("ARC-Seal: i={number}; a=ed25519-sha256; cv={claim}; d=evil.example; s=x{number}; b=AAAA"))
    });
    let expect = says(json!({"arc": {"result": "fail", "sealers": []}}));
    Sketch::one(95, "R7: ARC without end", "51 sets", &mail, expect).world(from_evil("x@evil.example"))
}

fn broad() -> Sketch {
    let record = json!({"dns": {"shared.example": {"txt": [["v=spf1 ip4:128.0.0.0/1 -all"]]}}});
    let mail = Mail::by("x@shared.example");
    Sketch::one(
        102,
        "BreakSPF: half of the internet may send",
        "SPF ip4:128.0.0.0/1, the attacker within",
        &mail,
        says(json!({"spf": {"result": "pass", "broad": true}, "dmarc": {"result": "none"}})),
    )
    .world(merged(from_evil("x@shared.example"), &record))
    .note("The threat model's warn=broad is `broad` of the report: zi2.md §9 counts what DMARC does not fail.")
}

fn no_such_sender() -> Sketch {
    let expect = says(json!({"spf": {"result": "none"}, "dmarc": {"result": "fail", "disposition": "reject"}}));
    Sketch::one(
        104,
        "A1: a sender below the victim that does not exist",
        "MAIL FROM any@notexist.good.example, From good.example",
        &honest(),
        expect,
    )
    .world(from_evil("any@notexist.good.example"))
}

fn odd_senders() -> Vec<Sketch> {
    let helo = json!({"client_ip": "192.0.2.10", "helo": "good.example", "mail_from": "(any@good.example"});
    let nobody = json!({"spf": {"domain": null}, "dmarc": {"result": "fail"}});
    let odd = |number, attack: &str, sender: &str| {
        let expect = says(json!({"spf": {"domain": null}})).without(&["good"]);
        Sketch::one(number, attack, &format!("MAIL FROM {sender}"), &evil(), expect).world(from_evil(sender))
    };
    vec![
        Sketch::one(
            109,
            "A2: HELO instead of a sender that cannot be read",
            "MAIL FROM <(any@good.example>, HELO good.example from its address",
            &honest(),
            says(nobody),
        )
        .world(helo),
        odd(111, "A6: an apostrophe in the sender", "any@good.example'@any.evil"),
        odd(112, "A7: a source route in the sender", "<@good,@any:'any@evil>"),
    ]
}

fn policies() -> Sketch {
    let records = |records: &[&str]| {
        let records: Vec<[&str; 1]> = records.iter().map(|record| [*record]).collect();
        json!({"dns": {"_dmarc.good.example": {"txt": records}}})
    };
    let dmarc =
        |result: &str, disposition: &str| says(json!({"dmarc": {"result": result, "disposition": disposition}}));
    Sketch::new(128, "DMARC: records that contradict", "odd records of good.example")
        .message("message.eml", &honest())
        .world(from_evil("x@evil.example"))
        .step_in(
            "message.eml",
            "two records",
            records(&["v=DMARC1; p=reject", "v=DMARC1; p=none"]),
            dmarc("none", "none"),
        )
        .step_in("message.eml", "p= twice", records(&["v=DMARC1; p=reject; p=none"]), dmarc("permerror", "none"))
        .step_in(
            "message.eml",
            "no p=, but rua=",
            records(&["v=DMARC1; rua=mailto:x@good.example"]),
            dmarc("fail", "none"),
        )
        .step_in("message.eml", "one that is sound", records(&["v=DMARC1; p=reject"]), dmarc("fail", "reject"))
}
