//! What a verification gives: the verdict, each hop for a report, and what was proven as values of their own.

use std::sync::Arc;

use zi2_mail::{BodyCanon, DigestPlan, Domain, HashAlg, Message};

use super::recipe::HeaderVersion;
use super::{Binding, Chain, Draft, Failure, Instance, Path, Problem, Signature};
use crate::AttestationId;
use crate::hash::{first_octets, sha256};

/// The outcome of one message.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// No DKIM2 field at all.
    Absent,
    /// Everything holds.
    Full(Box<FullyVerified>),
    /// Everything holds as far as it could be asked: the envelope is not known, so this is no evidence.
    Unbound,
    /// The newest hop holds, and something before it does not.
    Provisional(Box<ProvisionallyVerified>, Failure),
    /// The newest hop does not hold.
    Failed(Failure),
}

/// The newest signature and the newest Message-Instance hold for this transaction (§ -08 13.2). Enough to accept a message
/// and to send a bounce; not enough to go by its author, or to extend the chain.
///
/// Only [`Verifier::finish`](super::Verifier::finish) makes one.
#[derive(Clone, Debug)]
pub struct ProvisionallyVerified {
    newest: Signature,
}

/// Every hop holds, back to the first version (§ -08 13.3). Extending a chain takes this value.
///
/// Only [`Verifier::finish`](super::Verifier::finish) makes one.
#[derive(Clone, Debug)]
pub struct FullyVerified {
    /// Shared with the verdict: a chain of many hops is large.
    pub(super) chain: Arc<Chain>,
    pub(super) newest: ProvisionallyVerified,
    pub(super) received: Fingerprint,
}

/// What tells one version of a message from another: SHA-256 of its signed header fields and of its body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Fingerprint {
    pub(super) header: [u8; 32],
    pub(super) body: [u8; 32],
}

impl ProvisionallyVerified {
    pub(super) fn new(newest: Signature) -> ProvisionallyVerified {
        ProvisionallyVerified { newest }
    }

    /// The newest signature.
    pub fn signature(&self) -> &Signature {
        &self.newest
    }

    /// To whom a bounce goes (§ -08 16): nobody for a null sender.
    pub fn bounce_to(&self) -> Option<&Path> {
        match self.newest.binding() {
            Binding::Envelope { sender, .. } if !sender.is_null() => Some(sender),
            _ => None,
        }
    }
}

impl FullyVerified {
    /// The newest hop.
    pub fn newest(&self) -> &ProvisionallyVerified {
        &self.newest
    }

    /// The chain.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Whether these are the octets that were verified.
    pub(super) fn is_of(&self, message: &Message<'_>) -> bool {
        let mut plan = DigestPlan::new();
        let lane = plan.request(BodyCanon::Simple, HashAlg::Sha256);
        let header = HeaderVersion::of(&message.header, self.chain.draft).hash(HashAlg::Sha256);
        *header == self.received.header && plan.digest(message.body).get(lane) == self.received.body
    }

    /// The domain of the first hop, which answers for the author.
    pub fn originator(&self) -> &Domain {
        self.chain.signatures.first().unwrap_or(&self.newest.newest).domain()
    }

    /// Whether a hop said that there are several copies; without one, a second copy is a replay (§ -08 13).
    pub fn is_exploded(&self) -> bool {
        self.chain.signatures.iter().any(|signature| signature.has_flag("exploded"))
    }

    /// What a replay store knows the copy for one recipient by (§ -08 13): the newest signature, which names the envelope, and
    /// the recipient. A copy of the same message by another way has another one.
    pub fn copy_id(&self, recipient: &Path) -> AttestationId {
        let newest = &self.newest.newest.signed_form;
        AttestationId::from_octets(first_octets(&sha256(
            &[b"dkim2 copy\0", recipient.canonical().as_slice(), b"\0", newest].concat(),
        )))
    }

    /// Why a second copy of the message is refused; nothing where a hop said that there are several.
    pub fn replayed(&self) -> Option<Failure> {
        let place = self.newest.newest.place("f");
        (!self.is_exploded()).then_some(Failure { problem: Problem::Replay, draft: self.chain.draft, place })
    }

    /// Who wants feedback: the hops with `feedback`; where one wants it to go through itself, the newest such hop for all
    /// before it, and those after it (§ -08 12).
    pub fn feedback(&self) -> Vec<&Domain> {
        match self.chain.signatures.iter().rfind(|signature| signature.has_flag("feedhere")) {
            Some(relay) => {
                let later = self.chain.signatures.iter().filter(|signature| signature.number() > relay.number());
                let wanting = later.filter(|signature| signature.has_flag("feedback")).map(Signature::domain);
                std::iter::once(relay.domain()).chain(wanting).collect()
            }
            None => {
                let wanting = self.chain.signatures.iter().filter(|signature| signature.has_flag("feedback"));
                wanting.map(Signature::domain).collect()
            }
        }
    }
}

/// The verdict on one message.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The rules it went by.
    pub draft: Draft,
    /// What came out.
    pub outcome: Outcome,
    pub(super) chain: Option<Arc<Chain>>,
    /// For each signature, what became of it alone; nothing if it was not looked at.
    pub(super) signed: Vec<Option<Result<(), Failure>>>,
}

/// One hop, for a report.
#[derive(Clone, Copy, Debug)]
pub struct Hop<'v> {
    /// Its signature.
    pub signature: &'v Signature,
    /// The version it made of the message, if it made one.
    pub made: Option<&'v Instance>,
    /// Whether the signature value verifies; nothing if it was not looked at.
    pub signed: Option<&'v Result<(), Failure>>,
}

impl Verdict {
    /// The word of RFC 8601.
    pub fn result(&self) -> &'static str {
        match &self.outcome {
            Outcome::Absent => "none",
            Outcome::Full(_) | Outcome::Unbound => "pass",
            Outcome::Provisional(_, failure) | Outcome::Failed(failure) => failure.status().as_str(),
        }
    }

    /// Why it is no pass.
    pub fn failure(&self) -> Option<&Failure> {
        match &self.outcome {
            Outcome::Provisional(_, failure) | Outcome::Failed(failure) => Some(failure),
            Outcome::Absent | Outcome::Full(_) | Outcome::Unbound => None,
        }
    }

    /// The evidence that the newest hop holds, also where nothing more is known.
    pub fn provisional(&self) -> Option<&ProvisionallyVerified> {
        match &self.outcome {
            Outcome::Full(full) => Some(full.newest()),
            Outcome::Provisional(newest, _) => Some(newest),
            Outcome::Absent | Outcome::Unbound | Outcome::Failed(_) => None,
        }
    }

    /// The chain, if it could be read.
    pub fn chain(&self) -> Option<&Chain> {
        self.chain.as_deref()
    }

    /// The hops, the oldest first; none if the chain could not be read.
    pub fn hops(&self) -> Vec<Hop<'_>> {
        let Some(chain) = &self.chain else { return Vec::new() };
        let mut before = 0;
        let hop = |(place, signature): (usize, &'_ Signature)| {
            (place, before, {
                before = signature.instance();
                before
            })
        };
        let spans: Vec<_> = chain.signatures.iter().enumerate().map(hop).collect();
        let made = |before: u32, newest: u32| {
            chain.instances.iter().rfind(|one| (before + 1..=newest).contains(&one.number()))
        };
        let signed = |place: usize| self.signed.get(place).and_then(Option::as_ref);
        let hops = chain.signatures.iter().zip(spans);
        hops.map(|(signature, (place, before, newest))| Hop {
            signature,
            made: made(before, newest),
            signed: signed(place),
        })
        .collect()
    }
}
