//! One signature on its way: from the header section over its key and the body to an outcome.

use zi2_mail::{DigestPlan, Digests, Domain, Field, HashAlg, Header, Lane, Timestamp};

use super::field::claimed_domain;
use super::input::input_hash;
use super::record::Demand;
use super::{Algorithm, DkimRecords, Family, KeyName, Mismatch, Objection, Outcome, Policy, SignatureField, Uncovered};
use crate::key::InputHash;
use crate::{Trouble, limits};

/// What DNS said about the name of a key.
#[derive(Clone, Debug)]
pub enum RecordAnswer {
    /// The TXT records of the name; empty if it has none or does not exist.
    Records(DkimRecords),
    /// The name could not be asked for.
    Unavailable(Trouble),
}

/// One signature of a message, being verified. It never blocks; without an answer the outcome is a temporary error.
pub struct Trial {
    offset: usize,
    domain: Option<Domain>,
    field: Option<SignatureField>,
    state: State,
    rsa_bits: u32,
    uncovered: Uncovered,
}

enum State {
    /// Nothing will change the outcome: neither key nor body.
    Settled(Outcome),
    /// Key and body decide.
    Open(Open),
}

struct Open {
    hash: InputHash,
    body: Lane,
    /// What the signature becomes if all else holds.
    objection: Option<Objection>,
    answer: Option<RecordAnswer>,
}

impl Trial {
    /// Reads a signature field of this header section, does all checks that need neither key nor body, and asks `plan` for
    /// the digest of the body it needs.
    pub fn new(
        header: &Header<'_>,
        field: Field<'_>,
        family: Family,
        now: Timestamp,
        policy: &Policy,
        plan: &mut DigestPlan,
    ) -> Trial {
        let (offset, rsa_bits, uncovered) = (field.offset(), policy.rsa_bits, policy.uncovered);
        match SignatureField::parse(field, family) {
            Err(fault) => {
                let state = State::Settled(Outcome::PermError(fault));
                Trial { offset, domain: claimed_domain(field), field: None, state, rsa_bits, uncovered }
            }
            Ok(signature) => {
                let state = begin(header, field, &signature, now, plan);
                let domain = Some(signature.domain().clone());
                Trial { offset, domain, field: Some(signature), state, rsa_bits, uncovered }
            }
        }
    }

    /// The name whose key records are wanted; nothing if no key can change the outcome.
    pub fn key_name(&self) -> Option<&KeyName> {
        match self.state {
            State::Open(_) => self.field.as_ref().map(SignatureField::key_name),
            State::Settled(_) => None,
        }
    }

    /// Takes the answer to [`Trial::key_name`].
    pub fn answer(&mut self, answer: RecordAnswer) {
        if let State::Open(open) = &mut self.state {
            open.answer = Some(answer);
        }
    }

    /// The facts, once the body has been digested by the plan that was asked.
    pub fn finish(self, digests: &Digests) -> SignatureFacts {
        let Trial { offset, domain, field, state, rsa_bits, uncovered } = self;
        let judged = match (&state, &field) {
            (State::Open(open), Some(field)) => open.judge(field, digests, rsa_bits, uncovered),
            (State::Settled(outcome), _) => Judged::settled(*outcome),
            (State::Open(_), None) => Judged::settled(Outcome::TempError(Trouble::Timeout)),
        };
        let Judged { outcome, key_bits, testing, uncovered } = judged;
        SignatureFacts { offset, domain, field, outcome, key_bits, testing, uncovered }
    }
}

fn begin(
    header: &Header<'_>,
    field: Field<'_>,
    signature: &SignatureField,
    now: Timestamp,
    plan: &mut DigestPlan,
) -> State {
    if signature.algorithm() == Algorithm::RsaSha1 {
        return State::Settled(Outcome::Policy(Objection::Sha1));
    }
    if let Some(defect) = header.ambiguity() {
        return State::Settled(Outcome::Policy(Objection::Section(defect.kind)));
    }
    let (canon, alg) = (signature.canon().body(), HashAlg::Sha256);
    let body = match signature.length() {
        Some(octets) => plan.request_first(canon, alg, octets),
        None => plan.request(canon, alg),
    };
    let is_future = signature.signed_at().is_some_and(|signed| signed > now.add_secs(limits::FUTURE_SECS));
    let is_over = signature.expires().is_some_and(|expires| expires < now);
    let objection = match () {
        // § RFC 6376 §8.15: which From is shown is for the mail program to choose
        () if !is_from_single(header) => Some(Objection::FromNotSingle),
        () if is_future => Some(Objection::Future),
        () if is_over => Some(Objection::Expired),
        () => None,
    };
    State::Open(Open { hash: input_hash(header, field, signature), body, objection, answer: None })
}

/// Whether there is one From field, counted as DKIM and mail programs do.
pub(super) fn is_from_single(header: &Header<'_>) -> bool {
    header.from_bottom().filter(|field| field.is_named("from")).take(2).count() == 1
}

struct Judged {
    outcome: Outcome,
    key_bits: Option<u32>,
    testing: bool,
    uncovered: u64,
}

impl Judged {
    fn settled(outcome: Outcome) -> Judged {
        Judged { outcome, key_bits: None, testing: false, uncovered: 0 }
    }
}

impl Open {
    fn judge(&self, field: &SignatureField, digests: &Digests, rsa_bits: u32, on_uncovered: Uncovered) -> Judged {
        let records = match &self.answer {
            Some(RecordAnswer::Records(records)) => records,
            Some(RecordAnswer::Unavailable(trouble)) => return Judged::settled(Outcome::TempError(*trouble)),
            None => return Judged::settled(Outcome::TempError(Trouble::Timeout)),
        };
        let (outcome, record) = records.judge(&Demand {
            algorithm: field.algorithm(),
            hash: &self.hash,
            signature: &field.signature,
            agent_is_domain: field.agent().domain() == field.domain(),
            rsa_bits,
        });
        let testing = record.is_some_and(|record| record.is_testing());
        let key_bits = record.and_then(|record| record.key()).map(|key| key.bits());
        let octets = digests.canonical_octets(self.body);
        let uncovered = field.length().zip(octets).map_or(0, |(length, octets)| octets.saturating_sub(length));
        let outcome = match outcome {
            Outcome::Pass => match self.body_mismatch(field, digests) {
                Some(mismatch) if testing => Outcome::Neutral(mismatch),
                Some(mismatch) => Outcome::Fail(mismatch),
                None => self.unless_objected(uncovered, on_uncovered),
            },
            other => other,
        };
        Judged { outcome, key_bits, testing, uncovered }
    }

    /// § RFC 6376 §3.7: the body is what was signed, as far as `l=` goes.
    fn body_mismatch(&self, field: &SignatureField, digests: &Digests) -> Option<Mismatch> {
        let is_shorter = match field.length() {
            Some(length) => digests.canonical_octets(self.body).is_none_or(|octets| octets < length),
            None => false,
        };
        match digests.get(self.body) == field.body_hash {
            _ if is_shorter => Some(Mismatch::BodyTooShort),
            true => None,
            false => Some(Mismatch::Body),
        }
    }

    fn unless_objected(&self, uncovered: u64, on_uncovered: Uncovered) -> Outcome {
        match self.objection {
            Some(objection) => Outcome::Policy(objection),
            None if uncovered > 0 && on_uncovered == Uncovered::Refuse => {
                Outcome::Policy(Objection::Uncovered(uncovered))
            }
            None => Outcome::Pass,
        }
    }
}

/// What is true of one signature. Made here and nowhere else, so that a pass is evidence.
#[derive(Clone, Debug)]
pub struct SignatureFacts {
    offset: usize,
    domain: Option<Domain>,
    field: Option<SignatureField>,
    outcome: Outcome,
    key_bits: Option<u32>,
    testing: bool,
    uncovered: u64,
}

impl SignatureFacts {
    /// The outcome.
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The domain that answers for the message, if the signature passes.
    pub fn passed(&self) -> Option<&Domain> {
        self.domain.as_ref().filter(|_| self.outcome == Outcome::Pass)
    }

    /// Where the field begins in the header section.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// The domain the field names, `d=`, even if the field is malformed otherwise. Nothing is proven of it.
    pub fn domain(&self) -> Option<&Domain> {
        self.domain.as_ref()
    }

    /// The field, where it could be read.
    pub fn field(&self) -> Option<&SignatureField> {
        self.field.as_ref()
    }

    /// Bits of the key that decided.
    pub fn key_bits(&self) -> Option<u32> {
        self.key_bits
    }

    /// Whether the key that decided is being tested (`t=y`).
    pub fn is_testing(&self) -> bool {
        self.testing
    }

    /// Octets of the canonical body that `l=` leaves unsigned; 0 without `l=`.
    pub fn uncovered(&self) -> u64 {
        self.uncovered
    }
}
