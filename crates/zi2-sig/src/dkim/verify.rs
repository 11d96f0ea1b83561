//! Verification (RFC 6376 §6), as a machine that asks for keys; the body goes through a digest pass that others share.

use zi2_mail::{DigestPlan, Digests, Domain, Field, Header, Timestamp, parse_from};

use super::field::claimed_domain;
use super::{Family, KeyName, Policy, RecordAnswer, SignatureFacts, Trial};
use crate::limits;

/// The name of the field.
pub const DKIM_SIGNATURE: &str = "DKIM-Signature";

/// Verifies the DKIM signatures of one message, the most telling ones first. It never blocks and keeps no body.
pub struct Verifier {
    trials: Vec<Trial>,
    untried: usize,
}

impl Verifier {
    /// Reads the header section, does all checks that need neither keys nor body, and asks `plan` for the digests needed.
    /// At most [`limits::DKIM_SIGNATURES`] signatures are looked at, those of the From domain first.
    pub fn new(header: &Header<'_>, now: Timestamp, policy: &Policy, plan: &mut DigestPlan) -> Verifier {
        let (chosen, untried) = choose(header);
        let start = |field| Trial::new(header, field, Family::Dkim, now, policy, plan);
        Verifier { trials: chosen.into_iter().map(start).collect(), untried }
    }

    /// The names whose key records are wanted, each once, those of the From domain first: a budget may end before them all.
    pub fn questions(&self) -> Vec<KeyName> {
        let mut names = Vec::with_capacity(self.trials.len());
        for name in self.trials.iter().filter_map(Trial::key_name) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }

    /// Takes the answer about one name.
    pub fn answer(&mut self, name: &KeyName, answer: &RecordAnswer) {
        let asked = self.trials.iter_mut().filter(|trial| trial.key_name() == Some(name));
        asked.for_each(|trial| trial.answer(answer.clone()));
    }

    /// The facts, once the body has been digested by the plan that was asked.
    pub fn finish(self, digests: &Digests) -> Facts {
        let mut signatures: Vec<_> = self.trials.into_iter().map(|trial| trial.finish(digests)).collect();
        signatures.sort_by_key(SignatureFacts::offset);
        Facts { signatures, untried: self.untried }
    }
}

/// What is true of the DKIM signatures of a message.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Each signature that was looked at, from the top of the header section down.
    pub signatures: Vec<SignatureFacts>,
    /// Signatures beyond the limit, of which nothing is known.
    pub untried: usize,
}

impl Facts {
    /// The domains that answer for the message.
    pub fn passed(&self) -> impl Iterator<Item = &Domain> {
        self.signatures.iter().filter_map(SignatureFacts::passed)
    }
}

/// The signatures to look at, the most telling ones first, and how many are left out.
fn choose<'h>(header: &'h Header<'_>) -> (Vec<Field<'h>>, usize) {
    let mut fields: Vec<Field<'_>> = header.named(DKIM_SIGNATURE).collect();
    let untried = fields.len().saturating_sub(limits::DKIM_SIGNATURES);
    if fields.len() > 1 {
        let from = author_domain(header);
        // A stable sort: among equals, the ones on top were made last.
        fields.sort_by_cached_key(|field| rank(*field, from.as_ref()));
        fields.truncate(limits::DKIM_SIGNATURES);
    }
    (fields, untried)
}

/// How much a signature can say about the From domain; the best is 0.
fn rank(field: Field<'_>, from: Option<&Domain>) -> u8 {
    match (claimed_domain(field), from) {
        (Some(domain), Some(from)) if domain == *from => 0,
        (Some(domain), Some(from)) if from.is_within(&domain) => 1,
        (Some(domain), Some(from)) if domain.is_within(from) => 2,
        (Some(_), _) => 3,
        (None, _) => 4,
    }
}

fn author_domain(header: &Header<'_>) -> Option<Domain> {
    parse_from(header.nth_from_bottom("from", 0)?.value()).ok()?.domain().cloned()
}
