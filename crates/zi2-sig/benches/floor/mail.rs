//! A message to sign and, signed, to verify.

use zi2_mail::{DigestPlan, HostName, Message, Timestamp};
use zi2_sig::{Form, Identity, Kid, Outcome, PublicKey, Signed, Signer, SigningKey, Verifier, limits};

use crate::common::corpus;
use crate::common::sequence::Sequence;
use crate::inputs;

pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_777_400_000);

/// The key of all messages.
pub(crate) const SEED: [u8; 32] = [7; 32];

pub(crate) fn signing_key() -> SigningKey {
    SigningKey::from_seed(&SEED).unwrap()
}

/// One message in one form.
pub(crate) struct Mail {
    form: Form,
    identity: Identity,
    nonce: [u8; 16],
    body_octets: usize,
    unsigned: Vec<u8>,
    signed: Vec<u8>,
    /// What is signed, and the signature: the ones that are verified come last.
    inputs: Vec<(Vec<u8>, [u8; 64])>,
}

impl Mail {
    pub(crate) fn new(number: u64, body_octets: usize, form: Form) -> Mail {
        Mail::of(corpus::message(number, body_octets), number, form)
    }

    /// This message in that form.
    pub(crate) fn of(unsigned: Vec<u8>, number: u64, form: Form) -> Mail {
        let kid = Kid::parse("zi2-cert-2026-04").unwrap();
        let identity = Identity { sid: HostName::parse("mail.example.com").unwrap(), kid };
        let body_octets = Message::split(&unsigned).body.len();
        let nonce = Sequence::new(!number).octets();
        let (signed, inputs) = (Vec::new(), Vec::new());
        let mut mail = Mail { form, identity, nonce, body_octets, unsigned, signed, inputs };
        let field = mail.sign(&signing_key());
        mail.signed = [field.as_bytes(), b"\r\n", &mail.unsigned].concat();
        mail.inputs = inputs::of(&mail.signed);
        let key = signing_key().public();
        assert!(mail.inputs.iter().all(|(input, signature)| key.verify(input, signature)), "the floor signs the same");
        mail
    }

    /// Signs, as a program does that has the message in memory: the field as it goes on the wire.
    pub(crate) fn sign(&self, key: &SigningKey) -> String {
        let message = Message::split(&self.unsigned);
        let mut plan = DigestPlan::new();
        let signer = Signer::new(&message.header, &self.identity, self.form, NOW, self.nonce, &mut plan).unwrap();
        let Signed { field, .. } = signer.finish(&plan.digest(message.body), key).unwrap();
        field.wire()
    }

    /// Verifies; the key is at hand, as from a cache.
    pub(crate) fn verify(&self, key: PublicKey) -> bool {
        let message = Message::split(&self.signed);
        let mut plan = DigestPlan::new();
        let mut verifier = Verifier::new(&message.header, NOW, limits::WINDOW_SECS, &mut plan);
        verifier.answer(key.into());
        matches!(verifier.finish(&plan.digest(message.body)).outcome, Outcome::Verified(_))
    }

    /// The body where [`Mail::sign`] reads it.
    pub(crate) fn body(&self) -> &[u8] {
        &self.unsigned[self.unsigned.len() - self.body_octets..]
    }

    /// The body where [`Mail::verify`] reads it.
    pub(crate) fn signed_body(&self) -> &[u8] {
        &self.signed[self.signed.len() - self.body_octets..]
    }

    /// The octets whose signature decides, and it.
    pub(crate) fn verified(&self) -> (&[u8], &[u8; 64]) {
        let (input, signature) = self.inputs.last().unwrap();
        (input, signature)
    }

    /// All that is signed.
    pub(crate) fn inputs(&self) -> &[(Vec<u8>, [u8; 64])] {
        &self.inputs
    }

    /// The message where [`Mail::sign`] reads it.
    pub(crate) fn unsigned(&self) -> &[u8] {
        &self.unsigned
    }

    /// The message where [`Mail::verify`] reads it.
    pub(crate) fn signed(&self) -> &[u8] {
        &self.signed
    }
}
