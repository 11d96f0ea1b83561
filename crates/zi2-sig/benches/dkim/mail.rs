//! A message to sign and, signed, to verify.

use std::hint::black_box;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::STANDARD};
use zi2_mail::{DigestPlan, Field, Header, HeaderCanon, Message, TagList, Timestamp, relaxed_value};
use zi2_sig::dkim::{DKIM_SIGNATURE, Policy, Recipe, RecordAnswer, Signer, Verifier};

use crate::common::corpus::{self, Body};
use crate::keys::Key;

pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_777_400_000);

/// One message, signed by one key.
pub(crate) struct Mail {
    recipe: Recipe,
    body_octets: usize,
    unsigned: Vec<u8>,
    pub(crate) signed: Vec<u8>,
    /// What the signature is over, and it.
    pub(crate) input: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

impl Mail {
    pub(crate) fn new(number: u64, kind: Body, octets: usize, key: &Key) -> Mail {
        Mail::of(corpus::unsigned(number, kind, octets), octets, key)
    }

    /// This message, signed.
    pub(crate) fn of(unsigned: Vec<u8>, body_octets: usize, key: &Key) -> Mail {
        let recipe = Recipe::default();
        let (signed, input, signature) = (Vec::new(), Vec::new(), Vec::new());
        let mut mail = Mail { recipe, body_octets, unsigned, signed, input, signature };
        mail.signed = [mail.sign(key).as_bytes(), b"\r\n", &mail.unsigned].concat();
        let header = Message::split(&mail.signed).header;
        let own = header.named(DKIM_SIGNATURE).next().unwrap();
        let tags = TagList::parse(own.value()).unwrap();
        mail.signature = STANDARD.decode(tags.get("b").unwrap().compact()).unwrap();
        mail.input = input_of(&header, own, &tags);
        assert!(key.floor_verify(&mail.input, &mail.signature), "the floor signs the same");
        mail
    }

    pub(crate) fn unsigned(&self) -> &[u8] {
        &self.unsigned
    }

    pub(crate) fn sign(&self, key: &Key) -> String {
        let message = Message::split(black_box(self.unsigned()));
        let mut plan = DigestPlan::new();
        let identities = vec![key.identity.clone()];
        let signer = Signer::new(&message.header, identities, &self.recipe, NOW, &mut plan).unwrap();
        signer.finish(&plan.digest(message.body), &[]).unwrap()[0].wire()
    }

    pub(crate) fn verify(&self, key: &Key) -> bool {
        let message = Message::split(black_box(&self.signed));
        let mut plan = DigestPlan::new();
        let mut verifier = Verifier::new(&message.header, NOW, &Policy::default(), &mut plan);
        for name in verifier.questions() {
            verifier.answer(&name, &RecordAnswer::Records(key.records.clone()));
        }
        verifier.finish(&plan.digest(message.body)).passed().next().is_some()
    }

    pub(crate) fn floor_verify(&self, key: &Key) {
        black_box(digest(&SHA256, black_box(&self.signed[self.signed.len() - self.body_octets..])));
        assert!(key.floor_verify(black_box(&self.input), &self.signature), "a good signature");
    }

    pub(crate) fn floor_sign(&self, key: &Key) {
        black_box(digest(&SHA256, black_box(&self.unsigned[self.unsigned.len() - self.body_octets..])));
        black_box(key.floor_sign(black_box(&self.input)));
    }
}

/// RFC 6376 §3.7, for fields that are there once.
fn input_of(header: &Header<'_>, own: Field<'_>, tags: &TagList<'_>) -> Vec<u8> {
    let mut input = Vec::new();
    let names = String::from_utf8(tags.get("h").unwrap().compact().into_owned()).unwrap();
    let mut seen: Vec<&str> = Vec::new();
    for name in names.split(':').filter(|name| *name != "dkim-signature") {
        let below = seen.iter().filter(|other| **other == name).count();
        if let Some(field) = header.nth_from_bottom(name, below) {
            HeaderCanon::Relaxed.write(field, &mut input);
            input.extend_from_slice(b"\r\n");
        }
        seen.push(name);
    }
    let b = tags.get("b").unwrap().span();
    input.extend_from_slice(b"dkim-signature:");
    relaxed_value(&[&own.value()[..b.start], &own.value()[b.end..]].concat(), &mut input);
    input
}
