//! What must hold for any message: what is signed passes, however it arrives; what is changed does not.

use proptest::prelude::*;
use zi2_mail::Message;
use zi2_sig::dkim::{Canon, Recipe, SignatureField, Verifier};

use super::forge::{Forge, TAGS, canonical_body, record};
use super::kit::{Zone, verify, verify_chunks, words, zone};
use super::signing::{both, keys, sign};

const NOW: u64 = 1_795_432_358;

/// Octets that canonicalization is about, and a few that it is not.
fn octets(longest: usize) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        6 => Just(b"\r\n".to_vec()),
        4 => Just(b" ".to_vec()),
        2 => Just(b"\t".to_vec()),
        1 => Just(b"\r".to_vec()),
        1 => Just(b"\n".to_vec()),
        1 => any::<u8>().prop_map(|octet| vec![octet]),
        6 => "[a-z.=]{1,70}".prop_map(String::into_bytes),
    ];
    prop::collection::vec(piece, 0..longest).prop_map(|pieces| pieces.concat())
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(" ".to_owned()),
        Just("\t ".to_owned()),
        Just("\r\n ".to_owned()),
        Just("\r\n\t".to_owned()),
        "[!-~]{1,12}",
        "[\u{a0}-\u{ff}]",
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat().into_bytes())
}

fn fields() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let name = prop_oneof![Just("Subject"), Just("to"), Just("To "), Just("X-A"), Just("SUBJECT\t")];
    let field = (name, value()).prop_map(|(name, value)| [name.as_bytes(), b":", &value].concat());
    prop::collection::vec(field, 0..6).prop_map(|mut fields| {
        fields.insert(fields.len() / 2, b"From: Alice <alice@example.com>".to_vec());
        fields
    })
}

fn forger() -> Zone {
    zone(&[("ed._domainkey.example.com", &record())])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Signed by the book, read by us.
    #[test]
    fn signed_by_hand(fields in fields(), body in octets(12), relaxed in any::<[bool; 2]>(), length in 0..200_usize) {
        let name = |relaxed| if relaxed { "relaxed" } else { "simple" };
        let form = canonical_body(&body, relaxed[1]).len();
        let counted = (length <= form).then_some(length);
        let tag = counted.map(|length| format!("; l={length}")).unwrap_or_default();
        let tags = TAGS
            .replace("relaxed/relaxed", &format!("{}/{}{tag}", name(relaxed[0]), name(relaxed[1])))
            .replace("h=from:to:subject", "h=from:to:subject:to:subject:subject:x-b");
        let names = ["from", "to", "subject", "to", "subject", "subject", "x-b"];
        let forge =
            Forge { tags: &tags, relaxed_header: relaxed[0], relaxed_body: relaxed[1], names: &names, length: counted };
        let fields: Vec<&[u8]> = fields.iter().map(Vec::as_slice).collect();
        let facts = verify(&forge.sign(&fields, &body), &forger(), NOW);
        let expected = if counted.is_some_and(|length| length < form) { "policy body.uncovered" } else { "pass" };
        prop_assert_eq!(words(&facts), [expected]);
    }

    /// Signed by us, read by us, however the octets are cut.
    #[test]
    fn signed_by_us(fields in fields(), body in octets(12), canon in 0..4_usize, sizes in prop::collection::vec(1..40_usize, 1..5)) {
        let canon = ["simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed"][canon];
        let section: Vec<&[u8]> = fields.iter().map(Vec::as_slice).collect();
        let octets = [section.join(b"\r\n".as_slice()).as_slice(), b"\r\n\r\n", &body].concat();
        let who = both();
        let recipe = Recipe::default().with_canon(Canon::parse(canon.as_bytes()).unwrap());
        let signed = sign(&octets, who.clone(), &recipe, &[]).unwrap();
        let mut chunks = Vec::new();
        let mut rest = signed.as_slice();
        for size in sizes.iter().cycle() {
            let (chunk, after) = rest.split_at((*size).min(rest.len()));
            chunks.push(chunk);
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        let zone = keys(&who);
        prop_assert_eq!(words(&verify(&signed, &zone, NOW)), ["pass", "pass"]);
        prop_assert_eq!(words(&verify_chunks(chunks, &zone, NOW)), ["pass", "pass"]);
    }

    /// A change that the canonical forms show is noticed; one that they do not show is not.
    #[test]
    fn changes(fields in fields(), body in octets(8), relaxed in any::<bool>(), at in any::<prop::sample::Index>(), bit in 0..8_u32) {
        let name = if relaxed { "relaxed/relaxed" } else { "simple/simple" };
        let tags = TAGS.replace("relaxed/relaxed", name);
        let forge = Forge { tags: &tags, relaxed_header: relaxed, relaxed_body: relaxed, ..Forge::default() };
        let section: Vec<&[u8]> = fields.iter().map(Vec::as_slice).collect();
        let mut octets = forge.sign(&section, &body);
        let start = octets.len() - body.len();
        prop_assume!(!body.is_empty());
        let at = start + at.index(body.len());
        octets[at] ^= 1 << bit;
        let is_same = canonical_body(&octets[start..], relaxed) == canonical_body(&body, relaxed);
        let expected = if is_same { "pass" } else { "fail body.changed" };
        prop_assert_eq!(words(&verify(&octets, &forger(), NOW)), [expected]);
    }

    /// Nothing a stranger writes into the field makes it pass or makes us fall over.
    #[test]
    fn any_signature_field(tags in "(([a-z]{1,2}|v|a|b|bh|c|d|h|i|l|q|s|t|x)=([0-9]{1,30}|1|[a-z]{1,8}|from|ed25519-sha256|example.com|\u{fc}|@|=4|:|AAAA|\r\n )*;? ?){0,12}") {
        let octets = format!("DKIM-Signature: {tags}\r\nFrom: a@example.com\r\n\r\nbody");
        let facts = verify(octets.as_bytes(), &forger(), NOW);
        prop_assert_eq!(facts.passed().count(), 0);
    }

    #[test]
    fn any_octets(octets in octets(60), junk in prop::collection::vec(any::<u8>(), 0..60)) {
        let octets = [b"From: a@example.com\r\nDKIM-Signature:", junk.as_slice(), b"\r\n", &octets].concat();
        let facts = verify(&octets, &forger(), NOW);
        prop_assert_eq!(facts.passed().count(), 0);
    }

    /// Key records of strangers are read or refused, and never make a foreign signature pass.
    #[test]
    fn any_record(txt in "(v=DKIM1; )?(([khpstn]|xx)=(rsa|ed25519|[A-Za-z0-9+/=]{0,60}|\\*|email|y:s|sha256)?;? ?){0,6}") {
        let octets = Forge::default().sign(&[b"From: a@example.com"], b"x");
        let facts = verify(&octets, &zone(&[("ed._domainkey.example.com", &txt)]), NOW);
        prop_assert_eq!(facts.passed().count(), 0);
    }
}

/// Every bit of a signature field, flipped: it never passes unless the field says the same (letter case of its name,
/// white space, unused bits).
#[test]
fn bits_of_the_signature_field() {
    let fields: [&[u8]; 2] = [b"From: Alice <alice@example.com>", b"Subject: x"];
    let octets = Forge::default().sign(&fields, b"body\r\n");
    let end = octets.windows(5).position(|window| window == b"From:").unwrap() - 2;
    let start = b"DKIM-Signature:".len();
    for (at, bit) in (start..end).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
        let mut changed = octets.clone();
        changed[at] ^= 1 << bit;
        let words = words(&verify(&changed, &forger(), NOW));
        assert!(words.iter().all(|word| word != "pass"), "octet {at}, bit {bit}: {}", changed[..end].escape_ascii());
    }
}

/// A field that was read gives back what it said.
#[test]
fn accessors() {
    let octets = Forge::default().sign(&[b"From: a@example.com"], b"");
    let message = Message::split(&octets);
    let field = message.header.named("dkim-signature").next().unwrap();
    let read = SignatureField::parse(field, zi2_sig::dkim::Family::Dkim).unwrap();
    assert_eq!((read.selector().as_str(), read.key_name().as_str()), ("ed", "ed._domainkey.example.com"));
    assert_eq!((read.length(), read.expires(), read.instance()), (None, None, None));
    let mut plan = zi2_mail::DigestPlan::new();
    let now = zi2_mail::Timestamp::from_secs(NOW);
    let verifier = Verifier::new(&message.header, now, &zi2_sig::dkim::Policy::default(), &mut plan);
    assert_eq!(verifier.questions().len(), 1);
    // Nobody answered: not yet is not never.
    assert_eq!(words(&verifier.finish(&plan.start().finish())), ["temperror dns.timeout"]);
}
