//! Signatures made by hand, one rule each: what `vectors/dkim` has no message of, and the rows of the threat model.

use std::time::{Duration, Instant};

use zi2_mail::Message;
use zi2_sig::dkim::{Objection, Outcome, Policy, Uncovered};
use zi2_sig::limits;

use super::forge::{Forge, TAGS, record};
use super::kit::{Zone, verify, verify_parts, words, zone};

const NOW: u64 = 1_795_432_358;
const FIELDS: [&[u8]; 3] = [b"From: Alice <alice@example.com>", b"To: bob@example.org", b"Subject: hello   world"];
const BODY: &[u8] = b"Hello there,  this is a test line.\r\nSecond line\t of the body \r\n\r\nEnd.\r\n\r\n";

fn keys() -> Zone {
    zone(&[("ed._domainkey.example.com", &record())])
}

/// The outcome of a message that holds one signature.
fn outcome(octets: &[u8], keys: &Zone) -> String {
    words(&verify(octets, keys, NOW)).join(", ")
}

#[test]
fn tags() {
    let with = |from: &str, to: &str| TAGS.replace(from, to);
    for (tags, expected) in [
        (TAGS.to_owned(), "pass"),
        (with("v=1; ", ""), "permerror syntax.missing"),
        (with("v=1", "v=1.0"), "permerror version.unknown"),
        (with("a=ed25519-sha256; ", ""), "permerror syntax.missing"),
        (with("a=ed25519-sha256", "a=ed25519-sha512"), "permerror algorithm.unknown"),
        (with("d=example.com", "d=example.com; i=a@evilexample.com"), "permerror agent.outside"),
        (with("d=example.com", "d=example.com; i=@other.example"), "permerror agent.outside"),
        (with("d=example.com", "d=example.com; i=@sub.example.com"), "pass"),
        (with("s=ed", "s=ed; q=foo/bar"), "permerror query.unknown"),
        (with("s=ed", "s=ed; q=foo/bar:dns/txt"), "pass"),
        (with("s=ed", "s=ed; x=1795432357"), "policy time.expired"),
        (with("s=ed", "s=ed; x=1795432358"), "pass"),
        (with("s=ed", "s=ed; x=99999999999999999999999"), "pass"),
        (with("s=ed", "s=ed; t=1795432358; x=1795432357"), "permerror time.order"),
        (with("s=ed", "s=ed; t=1795432658"), "pass"),
        (with("s=ed", "s=ed; t=1795432659"), "policy time.future"),
        (with("s=ed", "s=ed; z=From:alice@example.com|To:=20x"), "pass"),
        (with("s=ed", "s=ed; zz=1"), "pass"),
        (with("s=ed", "s=ed; s=ed"), "permerror syntax.taglist"),
        (with("s=ed", "s=other"), "permerror key.none"),
        (with("s=ed", "s=sel._domainkey.evil.\0.any"), "permerror syntax.taglist"),
        (with("d=example.com", "d=good.example'a.evil.example"), "permerror syntax.tag"),
        (with("d=example.com", "d=com"), "permerror syntax.tag"),
        ("b={b}; v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.com; s=ed; h=from:to:subject; bh={bh}".to_owned(), "pass"),
        ("b = {b} ;\r\n\tv=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n d=EXAMPLE.com; s=ed; h= From :\r\n To:SUBJECT ; bh={bh};".to_owned(), "pass"),
    ] {
        let octets = Forge { tags: &tags, ..Forge::default() }.sign(&FIELDS, BODY);
        assert_eq!(outcome(&octets, &keys()), expected, "{tags}");
    }
}

#[test]
fn key_records() {
    let octets = Forge::default().sign(&FIELDS, BODY);
    let strict =
        Forge { tags: &TAGS.replace("s=ed", "s=ed; i=@x.example.com"), ..Forge::default() }.sign(&FIELDS, BODY);
    let p = record().rsplit_once("p=").unwrap().1.to_owned();
    let other = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=".to_owned();
    let rsa512 = "v=DKIM1; p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKrbqbLqJ1iwmqEgVmM2k2m1cHhVkZkVjP4cvDLFw2KKQVbqzJKKdTxqAqGvOW5n3eVvHbbC5WhYJr7rQwMDAQECAwEAAQ==".to_owned();
    let rows: Vec<(Vec<String>, &str)> = vec![
        (vec![format!("k=ed25519; p={p}")], "pass"),
        (vec![format!("v=DKIM1; k=ed25519; n=Schl\u{fc}ssel; p={p}")], "pass"),
        (vec![format!("k=ed25519; p={p}; v=DKIM1")], "permerror key.syntax"),
        (vec![format!("v=DKIM1; k=ed25519; h=sha1; p={p}")], "permerror key.hash"),
        (vec![format!("v=DKIM1; k=ed25519; h=sha1:sha256; p={p}")], "pass"),
        (vec![format!("v=DKIM1; k=ed25519; s=other; p={p}")], "permerror key.service"),
        (vec![format!("v=DKIM1; k=ed25519; t=s; p={p}")], "pass"),
        (vec![format!("v=DKIM1; p={p}")], "permerror key.unusable"),
        (vec![format!("v=DKIM1; k=foo; p={p}")], "permerror key.type"),
        (vec!["v=DKIM1; k=ed25519; p=".to_owned()], "permerror key.revoked"),
        (vec!["v=DKIM1; k=ed25519".to_owned()], "permerror key.syntax"),
        (vec!["v=spf1 -all".to_owned()], "permerror key.none"),
        (vec![], "permerror key.none"),
        (vec![other.clone()], "fail signature.mismatch"),
        (vec![other.replace("k=", "t=y; k=")], "neutral signature.mismatch"),
        (vec![other.clone(), "v=spf1 -all".to_owned(), record()], "pass"),
        (vec!["v=DKIM1; p=".to_owned(), record()], "pass"),
        (vec![record(), other.clone()], "pass"),
        (vec![other.clone(); 4], "fail signature.mismatch"),
        (vec![other.clone(); 5], "permerror key.many"),
        (vec![rsa512], "permerror key.type"),
    ];
    for (txts, expected) in rows {
        let keys = Zone::from([("ed._domainkey.example.com".to_owned(), txts.clone())]);
        assert_eq!(outcome(&octets, &keys), expected, "{txts:?}");
    }
    let keys = Zone::from([("ed._domainkey.example.com".to_owned(), vec![record().replace("k=", "t=s; k=")])]);
    assert_eq!(outcome(&strict, &keys), "permerror key.strict");
}

/// TC-125: what would be slow is refused before any arithmetic.
#[test]
fn absurd_rsa_keys() {
    let key = |bits: usize, exponent: u8| {
        let element = |tag: u8, content: &[u8]| {
            let length = u16::try_from(content.len()).unwrap().to_be_bytes();
            let head = match length {
                [0, low @ 0..=0x7f] => vec![tag, low],
                [0, low] => vec![tag, 0x81, low],
                [high, low] => vec![tag, 0x82, high, low],
            };
            [head.as_slice(), content].concat()
        };
        let modulus = element(0x02, &[vec![0], vec![0xff; bits / 8]].concat());
        let der = element(0x30, &[modulus, element(0x02, &[exponent])].concat());
        format!("v=DKIM1; p={}", base64::Engine::encode(&base64::engine::general_purpose::STANDARD, der))
    };
    let tags = TAGS.replace("ed25519-sha256", "rsa-sha256");
    let octets = Forge { tags: &tags, ..Forge::default() }.sign(&FIELDS, BODY);
    let start = Instant::now();
    for (txt, expected) in [
        (key(512, 3), "policy key.short"),
        (key(768, 3), "policy key.short"),
        (key(1016, 3), "policy key.short"),
        (key(1024, 3), "fail signature.mismatch"),
        (key(2048, 1), "permerror key.unusable"),
        (key(2048, 2), "permerror key.unusable"),
        (key(8192, 3), "fail signature.mismatch"),
        (key(8200, 3), "permerror key.unusable"),
        (key(16_384, 3), "permerror key.unusable"),
    ] {
        let keys = Zone::from([("ed._domainkey.example.com".to_owned(), vec![txt])]);
        assert_eq!(outcome(&octets, &keys), expected, "{}", keys["ed._domainkey.example.com"][0].len());
    }
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
}

/// Appendix A of the style guide and the probes 01 to 10: bodies on which verifiers disagree, signed by the book.
#[test]
fn bodies_by_the_book() {
    let bodies: [&[u8]; 19] = [
        b"a\r\n \r\n",
        b" \r\n",
        b"\r\n",
        b"a",
        b"a\nb\r\n",
        b"a\rb\r\n",
        b"a\r\r\n",
        b"a \t",
        b"",
        b" ",
        b"\r\n\r\n",
        b"Hi\r\n \t\r\n  \r\n",
        b"a\0b\r\n",
        b"a \rb\r\n",
        b"\xff\xfe \r\n",
        b"a\n\n",
        b"\r",
        b"\n",
        b"a\r\n\r\n\t\r\n ",
    ];
    for (body, relaxed_header, relaxed_body) in
        bodies.iter().flat_map(|body| [0, 1, 2, 3].map(|both| (body, both & 1 == 1, both & 2 == 2)))
    {
        let name = |relaxed| if relaxed { "relaxed" } else { "simple" };
        let tags = TAGS.replace("relaxed/relaxed", &format!("{}/{}", name(relaxed_header), name(relaxed_body)));
        let forge = Forge { tags: &tags, relaxed_header, relaxed_body, ..Forge::default() };
        assert_eq!(outcome(&forge.sign(&FIELDS, body), &keys()), "pass", "{}", body.escape_ascii());
    }
}

/// TC-041, TC-042: what `l=` leaves open is not covered, whatever it is.
#[test]
fn partial_bodies() {
    let form = super::forge::canonical_body(BODY, true).len();
    for length in 0..=form + 2 {
        let tags = TAGS.replace("s=ed", &format!("s=ed; l={length}"));
        let octets = Forge { tags: &tags, length: Some(length), ..Forge::default() }.sign(&FIELDS, BODY);
        let message = Message::split(&octets);
        let accept = Policy { uncovered: Uncovered::Accept, ..Policy::default() };
        let facts = |policy: &Policy| verify_parts(&message.header, [message.body], &keys(), NOW, policy);
        let expected = match length.cmp(&form) {
            std::cmp::Ordering::Less => ("policy body.uncovered", "pass"),
            std::cmp::Ordering::Equal => ("pass", "pass"),
            std::cmp::Ordering::Greater => ("fail body.shorter", "fail body.shorter"),
        };
        let got = [words(&facts(&Policy::default())), words(&facts(&accept))];
        assert_eq!((got[0].join(","), got[1].join(",")), (expected.0.to_owned(), expected.1.to_owned()), "l={length}");
        assert_eq!(facts(&accept).signatures[0].uncovered(), form.saturating_sub(length) as u64);
    }
    let tags = TAGS.replace("s=ed", "s=ed; l=0");
    let octets = Forge { tags: &tags, length: Some(0), ..Forge::default() }.sign(&FIELDS, b"");
    let replaced = [octets.as_slice(), b"<html>anything at all</html>\r\n"].concat();
    assert_eq!(outcome(&octets, &keys()), "pass");
    assert_eq!(outcome(&replaced, &keys()), "policy body.uncovered");
}

#[test]
fn header_sections() {
    let signed = |fields: &[&[u8]]| Forge::default().sign(fields, BODY);
    let with = |octets: &[u8], line: &[u8]| [line, b"\r\n", octets].concat();
    let good = signed(&FIELDS);
    let obsolete = signed(&[FIELDS[0], b"To \t: bob@example.org", b"Subject : hello   world"]);
    let sealed = TAGS.replace("h=from:to:subject", "h=from:to:subject:subject");
    let names = ["from", "to", "subject", "subject"];
    let sealed = Forge { tags: &sealed, names: &names, ..Forge::default() }.sign(&FIELDS, BODY);
    for (name, octets, expected) in [
        ("as signed", good.clone(), "pass"),
        ("obsolete colons", obsolete.clone(), "pass"),
        ("the colon moved", with_replaced(&obsolete, b"Subject : h", b"Subject:h"), "pass"),
        ("a second From on top", with(&good, b"From: evil@example.net"), "policy from.notsingle"),
        ("a second From, obsolete", with(&good, b"From : evil@example.net"), "policy from.notsingle"),
        ("no From", signed(&FIELDS[1..]), "policy from.notsingle"),
        ("a second Subject on top", with(&good, b"Subject: other"), "pass"),
        ("the same, sealed", with(&sealed, b"Subject: other"), "fail signature.mismatch"),
        ("the same, sealed and obsolete", with(&sealed, b"Subject : other"), "fail signature.mismatch"),
        ("Latin-1", signed(&[FIELDS[0], b"Subject: caf\xe9"]), "pass"),
        ("a bare CR", with_replaced(&good, b"hello   world", b"hello\r   world"), "policy header.malformed"),
        ("a bare LF", with_replaced(&good, b"hello   world", b"hello\n   world"), "policy header.malformed"),
        ("a field behind a bare LF", with(&good, b"X: y\nFrom: evil@example.net"), "policy header.malformed"),
        ("a field behind a bare CR", with(&good, b"X: y\rFrom: evil@example.net"), "policy header.malformed"),
        ("a NUL", with(&good, b"X: y\0"), "policy header.malformed"),
        ("a line that is no field", with(&good, b"this is text"), "policy header.malformed"),
        ("white space at the start", with(&good, b" From: evil@example.net"), "policy header.malformed"),
        ("a trailing space", with_replaced(&good, b"world\r\n", b"world \r\n"), "pass"),
        ("an added fold", with_replaced(&good, b"hello   world", b"hello\r\n\tworld"), "pass"),
        ("a bare LF in the body", with_replaced(&good, b"line.\r\n", b"line.\n"), "fail body.changed"),
        ("a trailing space in the body", with_replaced(&good, b"line.\r\n", b"line. \r\n"), "pass"),
    ] {
        assert_eq!(outcome(&octets, &keys()), expected, "{name}");
    }
}

fn with_replaced(octets: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = octets.windows(from.len()).position(|window| window == from).unwrap();
    [&octets[..at], to, &octets[at + from.len()..]].concat()
}

/// §5.4: a signature may cover other signatures, never itself.
#[test]
fn signatures_over_signatures() {
    let other: &[u8] = b"DKIM-Signature: v=1; a=x; b=old";
    let tags = TAGS.replace("h=from:to:subject", "h=from:dkim-signature:dkim-signature");
    let names = ["from", "dkim-signature", "dkim-signature"];
    let forge = Forge { tags: &tags, names: &names, ..Forge::default() };
    for fields in [vec![FIELDS[0]], vec![FIELDS[0], other], vec![other, FIELDS[0], other]] {
        assert_eq!(words(&verify(&forge.sign(&fields, BODY), &keys(), NOW))[0], "pass");
    }
    // Obsolete colons do not confuse the count, neither below nor above.
    let obsolete: &[u8] = b"DKIM-Signature : v=1; a=x; b=old";
    assert_eq!(outcome(&forge.sign(&[FIELDS[0], obsolete], BODY), &keys()), "pass");
    assert_eq!(outcome(&forge.sign(&[obsolete, FIELDS[0], obsolete], BODY), &keys()), "pass");
    // The one that is verified lies under another that is not signed.
    let octets = [other, b"\r\n", &forge.sign(&[FIELDS[0], other], BODY)].concat();
    let facts = words(&verify(&octets, &keys(), NOW));
    assert_eq!(facts, ["permerror algorithm.unknown", "fail signature.mismatch", "permerror algorithm.unknown"]);
}

/// TC-091, probe 38: at most ten signatures, those of the From domain first.
#[test]
fn floods_of_signatures() {
    let good = Forge::default().sign(&FIELDS, BODY);
    for count in [9, 10, 500, 900] {
        let junk: Vec<u8> = (0..count)
            .flat_map(|i| {
                format!("DKIM-Signature: {}\r\n", TAGS.replace("example.com", &format!("e{i}.example"))).into_bytes()
            })
            .collect();
        let facts = verify(&[junk.as_slice(), &good].concat(), &keys(), NOW);
        assert_eq!(facts.passed().count(), 1, "{count}");
        assert_eq!(facts.signatures.len(), limits::DKIM_SIGNATURES);
        assert_eq!(facts.untried, count + 1 - limits::DKIM_SIGNATURES);
    }
    let copies = [b"DKIM-Signature: v=1\r\n".repeat(zi2_mail::limits::HEADER_FIELDS - 3), good[..good.len()].to_vec()];
    let facts = verify(&copies.concat(), &keys(), NOW);
    assert_eq!(words(&facts).iter().filter(|word| *word == "policy header.cut").count(), 1);
}

/// Signed octets at the limits of the section are covered; beyond them nothing is.
#[test]
fn sections_at_the_limit() {
    let good = Forge::default().sign(&FIELDS, BODY);
    for (above, expected) in [(0, "pass"), (1, "policy header.cut")] {
        let fields = zi2_mail::limits::HEADER_FIELDS - 4 + above;
        let octets = [b"X: y\r\n".repeat(fields), good.clone()].concat();
        // With one field too many the Subject below is the one that nobody sees.
        assert_eq!(outcome(&octets, &keys()), expected);
        let section = good.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 2;
        let filling = zi2_mail::limits::HEADER_OCTETS - section - b"X:\r\n".len() + above;
        let octets = [b"X:", b"x".repeat(filling).as_slice(), b"\r\n", &good].concat();
        assert_eq!(outcome(&octets, &keys()), expected);
    }
}

/// TC-126: huge values cost little and pass nothing.
#[test]
fn huge_tags() {
    let start = Instant::now();
    for (tags, expected) in [
        (TAGS.replace("{bh}", &"A".repeat(10_000)), "permerror syntax.tag"),
        (TAGS.replace("h=from", &format!("h={}", "from:".repeat(10_000) + "from")), "permerror syntax.length"),
        (TAGS.replace("h=from", &format!("h={}", "a:".repeat(1_000) + "from")), "permerror syntax.names"),
        (TAGS.replace("s=ed", &format!("s=ed; z={}", "a:b|".repeat(16_000))), "permerror syntax.length"),
        (
            TAGS.replace("s=ed", &format!("s=ed; {}", (0..40).map(|i| format!("t{i}=;")).collect::<String>())),
            "permerror syntax.taglist",
        ),
        (TAGS.replace("s=ed", &format!("s={}", "s.".repeat(200))), "permerror syntax.tag"),
    ] {
        let octets = Forge { tags: &tags, ..Forge::default() }.sign(&FIELDS, BODY);
        assert_eq!(outcome(&octets, &keys()), expected, "{tags:.80}");
    }
    // The most expensive section there is: ten signatures over as many names as we take, of the longest section.
    let names = vec!["x"; limits::DKIM_SIGNED_NAMES - 1].join(":") + ":from";
    let tags = TAGS.replace("h=from:to:subject", &format!("h={names}"));
    let signatures =
        format!("DKIM-Signature: {}\r\n", tags.replace("{bh}", &"A".repeat(43)).replace("{b}", "AAAA")).repeat(10);
    let octets = [signatures.as_bytes(), &b"x: y\r\n".repeat(900), b"From: a@example.com\r\n\r\n"].concat();
    verify(&octets, &keys(), NOW);
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}

#[test]
fn a_short_key_is_the_operators_choice() {
    let octets = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors/dkim/messages/22.eml")).unwrap();
    let cases = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors/dkim/cases.json")).unwrap();
    let cases: serde_json::Value = serde_json::from_slice(&cases).unwrap();
    let case = cases.as_array().unwrap().iter().find(|case| case["message"] == "messages/22.eml").unwrap();
    let txt = case["env"]["dns"]["w._domainkey.example.com"]["txt"][0][0].as_str().unwrap();
    let keys = zone(&[("w._domainkey.example.com", txt)]);
    let message = Message::split(&octets);
    for (rsa_bits, expected) in [
        (0, Outcome::Pass),
        (1024, Outcome::Pass),
        (1025, Outcome::Policy(Objection::ShortKey(1024))),
        (2048, Outcome::Policy(Objection::ShortKey(1024))),
    ] {
        let policy = Policy { rsa_bits, ..Policy::default() };
        let facts = verify_parts(&message.header, [message.body], &keys, NOW, &policy);
        assert_eq!(facts.signatures[0].outcome(), expected, "{rsa_bits}");
        assert_eq!(facts.signatures[0].key_bits(), Some(1024));
    }
}
