//! Nothing verifies by keys that never signed it; a first hop of ours verifies, and no edit of it does but where nothing
//! that counts was changed.
//!
//! Input: one octet for the number of edits, the edits (see [`zi2_fuzz::edit`]), then a message, with or without DKIM2 fields.
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use zi2_fuzz::edit;
use zi2_mail::{DigestPlan, Domain, Message, Timestamp};
use zi2_sig::SigningKey;
use zi2_sig::dkim::{DkimSigningKey, Selector};
use zi2_sig::dkim2::{
    Binding, Draft, Envelope, HashChoice, Identity, KeyAnswer, KeyRecords, Originator, Outcome, Policy, PrivateKey,
    SigningMember, Terms, Verdict, Verifier, hashed_header,
};

const NOW: Timestamp = Timestamp::from_secs(1_777_400_000);

fn key(seed: u8) -> DkimSigningKey {
    SigningKey::from_seed(&[seed; 32]).expect("a seed").into()
}

static OURS: LazyLock<String> = LazyLock::new(|| key(42).record());
static UNUSED: LazyLock<String> = LazyLock::new(|| key(43).record());

fuzz_target!(|data: &[u8]| {
    let [edits, rest @ ..] = data else { return };
    let Some((edits, message)) = rest.split_at_checked(3 * usize::from(*edits)) else { return };
    for draft in Draft::ALL {
        let verdict = verify(message, &Envelope::unknown(), draft, &UNUSED);
        assert!(!matches!(verdict.outcome, Outcome::Full(_) | Outcome::Unbound), "{verdict:?}");
        if let Some(failure) = verdict.failure() {
            assert!(failure.to_string().bytes().all(|octet| (b' '..=b'~').contains(&octet)));
        }
    }
    let Some(signed) = sign(message) else { return };
    let verdict = verify(&signed, &envelope(), Draft::D08, &OURS);
    assert!(matches!(verdict.outcome, Outcome::Full(_)), "{:?}", verdict.failure());
    let mut edited = signed.clone();
    edit(&mut edited, edits);
    if let Outcome::Full(_) = verify(&edited, &envelope(), Draft::D08, &OURS).outcome {
        let (signed, edited) = (Message::split(&signed), Message::split(&edited));
        let hashed = |message: &Message<'_>| hashed_header(&message.header, Draft::D08);
        assert_eq!(hashed(&signed), hashed(&edited), "another header section");
        assert_eq!(without_ends(signed.body), without_ends(edited.body), "another body");
    }
});

fn envelope() -> Envelope {
    Envelope::of(b"<>", ["<bob@example.net>"])
}

fn verify(mail: &[u8], envelope: &Envelope, draft: Draft, record: &str) -> Verdict {
    let message = Message::split(mail);
    let mut plan = DigestPlan::new();
    let policy = Policy { draft, ..Policy::default() };
    let mut verifier = Verifier::new(&message.header, envelope, NOW, &policy, &mut plan);
    for name in verifier.questions() {
        verifier.answer(&name, &KeyAnswer::Records(KeyRecords::parse([record.as_bytes()])));
    }
    let mut body = plan.start();
    body.feed(message.body);
    verifier.finish(&body.finish(), message.body)
}

fn sign(mail: &[u8]) -> Option<Vec<u8>> {
    let message = Message::split(mail);
    let from = zi2_mail::parse_from(message.header.named("from").next()?.value()).ok()?;
    let domain: Domain = from.domain().filter(|domain| domain.as_str().contains('.'))?.clone();
    let member = SigningMember { selector: Selector::parse("s").ok()?, key: PrivateKey::Dkim(Arc::new(key(42))) };
    let identity = Identity { domain, groups: vec![vec![member]] };
    let terms = Terms {
        draft: Draft::D08,
        now: NOW,
        binding: Binding::of(&envelope())?,
        flags: Vec::new(),
        nonce: None,
        hashes: HashChoice::Both,
    };
    let mut plan = DigestPlan::new();
    let signer = Originator::new(&message.header, terms, identity, &mut plan).ok()?;
    let mut body = plan.start();
    body.feed(message.body);
    let fields = signer.finish(&body.finish()).ok()?;
    // With them the section must still be one that is read whole.
    let signed = fields.iter().rev().fold(mail.to_vec(), |mail, field| [field.wire().as_bytes(), b"\r\n", &mail].concat());
    Message::split(&signed).header.ambiguity().is_none().then_some(signed)
}

fn without_ends(body: &[u8]) -> &[u8] {
    body.strip_suffix(b"\r\n").map_or(body, without_ends)
}
