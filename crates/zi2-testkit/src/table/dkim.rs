//! TC-030, TC-032, TC-091, TC-125 to TC-127: DKIM signatures and keys that mean harm. Each stands on mail that is not
//! certified, so that ZI2 says `missing`.

use serde_json::{Value, json};

use super::sketch::{CHAIN, Sketch, honest, missing};
use crate::{Dkim, Expect, Mail, NOW, rsa_record};

pub(super) fn sketches() -> Vec<Sketch> {
    vec![nul(), odd_domain(), flood(), rsa_keys(), huge(), contradictions()]
}

fn by_good() -> Dkim<'static> {
    Dkim::of("good", "good.example")
}

/// One signature with this result.
fn one(result: &str, reason: &str) -> Expect {
    of(json!([{"result": result, "reason": reason}]))
}

fn of(dkim: Value) -> Expect {
    missing().queries(CHAIN).chain(json!({"dkim": dkim}))
}

fn nul() -> Sketch {
    let mail = honest().dkim(&by_good().tag("s", "sel._domainkey.evil.\0.any"));
    let expect = one("permerror", "syntax.taglist").queries(1).without(&["evil"]);
    Sketch::one(30, "A3: a NUL in a name for DNS", "d=good.example; s=sel._domainkey.evil, NUL, .any", &mail, expect)
        .note("No key is asked for; DMARC's one question is about From.")
}

fn odd_domain() -> Sketch {
    let mail = honest().dkim(&by_good().tag("d", "good.example'a.evil.example"));
    let expect = one("permerror", "syntax.tag").without(&["evil", "'"]);
    Sketch::one(32, "A4: octets outside a domain in d=", "DKIM d=good.example'a.evil.example", &mail, expect)
}

fn flood() -> Sketch {
    let junk = |mail: Mail, count: usize| {
        (0..count).fold(mail, |mail, number| {
            mail.above(format!(
                "DKIM-Signature: v=1;a=ed25519-sha256;d=evil.example;s=x{number};h=from;bh={};b=AAAA",
                "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
            ))
        })
    };
    let none = json!({"result": "permerror", "reason": "key.none"});
    let ten = vec![none.clone(); 10];
    let mut tried = vec![none; 9];
    tried.push(json!({"result": "pass", "d": "good.example"}));
    let lookups = 10 + CHAIN;
    Sketch::one(
        91,
        "R7: a flood of signatures",
        "990 signatures of other selectors",
        &junk(honest(), 990),
        of(Value::from(ten)).queries(lookups),
    )
    .arrives(
        "below.eml",
        &junk(honest().dkim(&by_good()), 200),
        "the author's own below 200 others is among those that are tried",
        of(Value::from(tried)).queries(lookups),
    )
}

fn rsa_keys() -> Sketch {
    let mail = honest().dkim(&by_good().tag("a", "rsa-sha256"));
    let published =
        |bits, exponent| json!({"dns": {"s1._domainkey.good.example": {"txt": [rsa_record(bits, exponent)]}}});
    let (short, unusable) = (one("policy", "key.short"), one("permerror", "key.unusable"));
    Sketch::new(125, "R7: keys that are too small, or cost too much", "RSA keys of odd sizes")
        .message("message.eml", &mail)
        .step_in("message.eml", "512 bits", published(512, 3), short.clone())
        .step_in("message.eml", "768 bits", published(768, 3), short)
        .step_in("message.eml", "the exponent 1", published(2048, 1), unusable.clone())
        .step_in("message.eml", "16,384 bits", published(16_384, 3), unusable)
}

fn huge() -> Sketch {
    let names = vec!["from"; 10_000].join(":");
    let long_hash = b"x: y".iter().map(|_| "A".repeat(2500)).collect::<String>();
    let own_hash = format!("v=1; a=ed25519-sha256; d=good.example; s=s1; h=from; bh={long_hash}; b=AAAA");
    let too_long = one("permerror", "syntax.length");
    Sketch::one(
        126,
        "rspamd, OpenDKIM: bounds",
        "bh= of 10,000 octets",
        &honest().with("DKIM-Signature", own_hash),
        one("permerror", "syntax.tag"),
    )
    .arrives("names.eml", &honest().dkim(&by_good().tag("h", names)), "h= of 10,000 names", too_long.clone())
    .arrives("z.eml", &honest().dkim(&by_good().tag("z", "a:b|".repeat(16_384))), "z= of 64 KiB", too_long)
}

fn contradictions() -> Sketch {
    let later = (NOW + 3600).to_string();
    let signed = |tags: &[(&'static str, &str)]| {
        let dkim = tags.iter().fold(by_good(), |dkim, (name, value)| dkim.tag(name, *value));
        honest().dkim(&dkim)
    };
    Sketch::one(
        127,
        "DKIM: tags that contradict",
        "i=@other.example",
        &signed(&[("i", "@other.example")]),
        one("permerror", "agent.outside"),
    )
    .arrives("future.eml", &signed(&[("t", &later)]), "t= in the future", one("policy", "time.future"))
    .arrives(
        "order.eml",
        &signed(&[("t", "1793534400"), ("x", "1793534399")]),
        "x= before t=",
        one("permerror", "time.order"),
    )
}
