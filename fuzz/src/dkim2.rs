//! Messages signed with DKIM2, and judged.

use std::sync::Arc;

use zi2_mail::{DigestPlan, Domain, Message, Timestamp, parse_from};
use zi2_sig::SigningKey;
use zi2_sig::dkim::{DkimSigningKey, Selector};
use zi2_sig::dkim2::{
    Binding, Draft, Envelope, HashChoice, Identity, KeyAnswer, KeyRecords, Originator, Policy, PrivateKey,
    SigningMember, Terms, Verdict, Verifier,
};

/// The time of everything.
pub const NOW: Timestamp = Timestamp::from_secs(1_777_400_000);

/// The key of this number.
///
/// # Panics
/// Never: any seed makes one.
pub fn key(seed: u8) -> DkimSigningKey {
    SigningKey::from_seed(&[seed; 32]).expect("a seed").into()
}

/// What the message is to its receiver, if each key that is asked for has this record.
pub fn verify(mail: &[u8], envelope: &Envelope, draft: Draft, record: &str) -> Verdict {
    let message = Message::split(mail);
    let mut plan = DigestPlan::new();
    let policy = Policy { draft, ..Policy::default() };
    let mut verifier = Verifier::new(&message.header, envelope, NOW, &policy, &mut plan);
    for name in verifier.questions() {
        verifier.answer(&name, &KeyAnswer::Records(KeyRecords::parse([record.as_bytes()])));
    }
    verifier.finish(&plan.digest(message.body), message.body)
}

/// The message with a first hop of its From domain for this envelope, if it can have one.
pub fn sign(mail: &[u8], envelope: &Envelope, key: DkimSigningKey) -> Option<Vec<u8>> {
    let message = Message::split(mail);
    let from = parse_from(message.header.named("from").next()?.value()).ok()?;
    let domain: Domain = from.domain().filter(|domain| domain.as_str().contains('.'))?.clone();
    let member = SigningMember { selector: Selector::parse("s").ok()?, key: PrivateKey::Dkim(Arc::new(key)) };
    let identity = Identity { domain, groups: vec![vec![member]] };
    let terms = Terms {
        draft: Draft::D08,
        now: NOW,
        binding: Binding::of(envelope)?,
        flags: Vec::new(),
        nonce: None,
        hashes: HashChoice::Both,
    };
    let mut plan = DigestPlan::new();
    let signer = Originator::new(&message.header, terms, identity, &mut plan).ok()?;
    let fields = signer.finish(&plan.digest(message.body)).ok()?;
    // With them the section must still be one that is read whole.
    let signed =
        fields.iter().rev().fold(mail.to_vec(), |mail, field| [field.wire().as_bytes(), b"\r\n", &mail].concat());
    Message::split(&signed).header.ambiguity().is_none().then_some(signed)
}
