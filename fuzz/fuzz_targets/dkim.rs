//! What we sign with DKIM verifies, in any pieces; what verifies was signed; and no signature passes by a key that never signed.
//!
//! Input: one octet for the canonicalization, one for the size of the pieces, one for the number of edits, the edits (see
//! [`zi2_fuzz::edit`]), then a message, with or without DKIM-Signature fields.
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use zi2_fuzz::{edit, pieces};
use zi2_mail::{BodyCanon, DigestPlan, Domain, HashAlg, Header, Message, MessageReader, Timestamp};
use zi2_sig::SigningKey;
use zi2_sig::dkim::{
    Canon, DKIM_SIGNATURE, DkimRecords, Facts, Identity, Outcome, Policy, Recipe, RecordAnswer, Selector, Signer,
    Verifier,
};
use zi2_sig::limits;

const NOW: Timestamp = Timestamp::from_secs(1_777_400_000);

static OURS: LazyLock<Identity> = LazyLock::new(|| identity(42));
static UNUSED: LazyLock<Identity> = LazyLock::new(|| identity(43));

fn identity(seed: u8) -> Identity {
    Identity {
        domain: Domain::parse("example.com").expect("a domain"),
        selector: Selector::parse("s1").expect("a selector"),
        agent: None,
        key: Arc::new(SigningKey::from_seed(&[seed; 32]).expect("a seed").into()),
    }
}

fuzz_target!(|data: &[u8]| {
    let [canon, size, edits, rest @ ..] = data else { return };
    let Some((edits, message)) = rest.split_at_checked(3 * usize::from(*edits)) else { return };
    let facts = verify(message, &UNUSED);
    assert!(facts.passed().next().is_none() && facts.signatures.len() <= limits::DKIM_SIGNATURES, "{facts:?}");
    assert_eq!(words(&verify_in_pieces(message, &UNUSED, *size)), words(&facts));
    let canon =
        [b"simple/simple".as_slice(), b"simple/relaxed", b"relaxed/simple", b"relaxed/relaxed"][usize::from(canon % 4)];
    let canon = Canon::parse(canon).expect("a canonicalization");
    let plain = without_signatures(message);
    let Some(signed) = sign(&plain, canon) else { return };
    let facts = verify(&signed, &OURS);
    assert_eq!(words(&facts), ["pass"], "{}", signed.escape_ascii());
    assert_eq!(words(&verify_in_pieces(&signed, &OURS, *size)), ["pass"]);
    assert_ne!(words(&verify(&signed, &UNUSED)), ["pass"]);
    let mut edited = signed.clone();
    edit(&mut edited, edits);
    if verify(&edited, &OURS).passed().next().is_some() {
        let (before, after) = (Message::split(&signed), Message::split(&edited));
        assert_eq!(sealed(&before.header, canon), sealed(&after.header, canon));
        assert_eq!(body(before.body, canon), body(after.body, canon), "another body");
    }
});

fn verify(octets: &[u8], by: &Identity) -> Facts {
    let message = Message::split(octets);
    facts(&message.header, [message.body], by)
}

fn verify_in_pieces(octets: &[u8], by: &Identity, size: u8) -> Facts {
    let mut reader = MessageReader::new();
    let body: Vec<&[u8]> = pieces(octets, size).map(|piece| reader.feed(piece)).collect();
    facts(&reader.into_header(), body, by)
}

/// The key is at every name.
fn facts<'b>(header: &Header<'_>, body: impl IntoIterator<Item = &'b [u8]>, by: &Identity) -> Facts {
    let mut plan = DigestPlan::new();
    let mut verifier = Verifier::new(header, NOW, &Policy::default(), &mut plan);
    let record = by.key.record();
    for name in verifier.questions() {
        verifier.answer(&name, &RecordAnswer::Records(DkimRecords::parse([record.as_bytes()])));
    }
    let mut digester = plan.start();
    body.into_iter().for_each(|piece| digester.feed(piece));
    verifier.finish(&digester.finish())
}

fn words(facts: &Facts) -> Vec<String> {
    let word = |outcome: Outcome| {
        [Some(outcome.result()), outcome.reason()].into_iter().flatten().collect::<Vec<_>>().join(" ")
    };
    facts.signatures.iter().map(|signature| word(signature.outcome())).collect()
}

fn without_signatures(message: &[u8]) -> Vec<u8> {
    let Message { header, body } = Message::split(message);
    let fields = header.fields().filter(|field| !field.is_named(DKIM_SIGNATURE));
    let mut plain: Vec<u8> = fields.flat_map(|field| [field.raw(), b"\r\n"].concat()).collect();
    plain.extend_from_slice(b"\r\n");
    plain.extend_from_slice(body);
    plain
}

fn sign(octets: &[u8], canon: Canon) -> Option<Vec<u8>> {
    let message = Message::split(octets);
    let mut plan = DigestPlan::new();
    let recipe = Recipe::default().with_canon(canon);
    let signer = Signer::new(&message.header, vec![OURS.clone()], &recipe, NOW, &mut plan).ok()?;
    let mut digester = plan.start();
    digester.feed(message.body);
    let fields = signer.finish(&digester.finish(), &[]).ok()?;
    Some([fields[0].wire().as_bytes(), b"\r\n", octets].concat())
}

/// What no field may be added to, in canonical form.
fn sealed(header: &Header<'_>, canon: Canon) -> Vec<Vec<u8>> {
    let names = ["from", "to", "cc", "reply-to", "subject", "date", "message-id", "content-type", "mime-version"];
    let fields = names.iter().flat_map(|name| header.from_bottom().filter(move |field| field.is_named(name)));
    let mut forms: Vec<Vec<u8>> = Vec::new();
    for field in fields {
        forms.push(Vec::new());
        canon.header().write(field, forms.last_mut().expect("just pushed"));
    }
    forms
}

fn body(octets: &[u8], canon: Canon) -> Vec<u8> {
    let mut plan = DigestPlan::new();
    let lane = plan.request(
        match canon.body() {
            BodyCanon::Relaxed => BodyCanon::Relaxed,
            _ => BodyCanon::Simple,
        },
        HashAlg::Sha256,
    );
    let mut digester = plan.start();
    digester.feed(octets);
    digester.finish().get(lane).to_vec()
}
