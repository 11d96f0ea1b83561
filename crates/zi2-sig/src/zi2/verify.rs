//! Verification (zi2.md §7), as a machine that asks for keys; the body goes through a digest pass that others share.

use base64::{Engine, engine::general_purpose::STANDARD};
use zi2_mail::{DigestPlan, Digests, Domain, Field, Header, Timestamp};

use super::body::BodyLanes;
use super::field::{COVERED_FIELDS, DraftTags, PageTags};
use super::message::author_domain;
use super::payload::{self, DraftParts};
use super::{Certified, FIELD_NAME, Form, Once, Unambiguous};
use crate::facts::{Attested, Facts, Failure, Outcome, Part};
use crate::limits;
use crate::query::{Candidate, KeyAnswer, KeyQuery, Trouble};

/// Verifies one message. It never blocks, never asks twice and keeps no body; without an answer the outcome is a temporary
/// failure.
pub struct Verifier {
    message: Option<Unambiguous>,
    from: Option<Domain>,
    state: State,
    answer: Option<KeyAnswer>,
}

enum State {
    /// Nothing will change the outcome: neither keys nor body.
    Settled(Box<Settled>),
    /// Keys and body decide.
    Open(Box<Open>),
}

impl State {
    fn settled(outcome: Outcome, certified: Option<Certified>) -> State {
        State::Settled(Box::new(Settled { outcome, certified }))
    }
}

struct Settled {
    outcome: Outcome,
    certified: Option<Certified>,
}

struct Open {
    certified: Certified,
    /// The octets that the signature which decides is over.
    input: Vec<u8>,
    query: KeyQuery,
    body: BodyLanes,
    stale: bool,
}

impl Verifier {
    /// Reads the header section, does all checks that need neither key nor body (§7 steps 1 to 4), and asks `plan` for the
    /// digests needed. `window` is the number of seconds for which a signature is fresh.
    pub fn new(header: &Header<'_>, now: Timestamp, window: u64, plan: &mut DigestPlan) -> Verifier {
        let checked = Unambiguous::with_fields(header);
        let state = match &checked {
            // step 1: whatever else is wrong with the message
            _ if header.named(FIELD_NAME).next().is_none() => State::settled(Outcome::Absent, None),
            Err(failure) => State::settled(Outcome::Failed(failure.clone()), None),
            Ok((message, once)) => read(header, message, once, now, window, plan),
        };
        let message = checked.ok().map(|(message, _)| message);
        let from = message.as_ref().map_or_else(|| author_domain(header), |m| Some(m.domain().clone()));
        Verifier { message, from, state, answer: None }
    }

    /// The keys wanted; nothing if no key can change the outcome.
    pub fn query(&self) -> Option<&KeyQuery> {
        match &self.state {
            State::Open(open) => Some(&open.query),
            State::Settled(_) => None,
        }
    }

    /// The single From mailbox and what else the header section proved, if it is unambiguous.
    pub fn message(&self) -> Option<&Unambiguous> {
        self.message.as_ref()
    }

    /// The domain of the only From mailbox, known even where the message is ambiguous in another way.
    pub fn from(&self) -> Option<&Domain> {
        self.from.as_ref()
    }

    /// Whether the body can change the outcome.
    pub fn wants_body(&self) -> bool {
        matches!(self.state, State::Open(_))
    }

    /// Takes the answer to [`Verifier::query`].
    pub fn answer(&mut self, answer: KeyAnswer) {
        self.answer = Some(answer);
    }

    /// The facts, once the body has been digested by the plan that was asked.
    pub fn finish(self, digests: &Digests) -> Facts {
        let Verifier { message, from, state, answer } = self;
        match state {
            State::Settled(settled) => {
                let Settled { outcome, certified } = *settled;
                Facts { outcome, from, message, certified }
            }
            State::Open(open) => {
                let outcome = open.judge(message.as_ref(), answer.as_ref(), digests);
                Facts { outcome, from, message, certified: Some(open.certified) }
            }
        }
    }
}

/// §7 step 2: the field itself.
fn read(
    header: &Header<'_>,
    message: &Unambiguous,
    once: &Once<'_>,
    now: Timestamp,
    window: u64,
    plan: &mut DigestPlan,
) -> State {
    let Some(field) = header.named(FIELD_NAME).next() else { return State::settled(Outcome::Absent, None) };
    match Certified::parse(field) {
        Err(failure) => State::settled(Outcome::Failed(failure), None),
        Ok(certified) => match signed_octets(header, field, (message, once), &certified, now) {
            Ok(input) => {
                let body = BodyLanes::request(plan);
                State::Open(Box::new(Open::new(message, certified, input, now.sub_secs(window), body)))
            }
            Err(failure) => State::settled(Outcome::Failed(failure), Some(certified)),
        },
    }
}

/// §7 steps 3 and 4, and the octets that were signed.
fn signed_octets(
    header: &Header<'_>,
    field: Field<'_>,
    (message, once): (&Unambiguous, &Once<'_>),
    certified: &Certified,
    now: Timestamp,
) -> Result<Vec<u8>, Failure> {
    let covered: Vec<&str> = certified.covered().collect();
    if let Some(page) = &certified.page {
        if page.domain != *message.domain() {
            return Err(Failure::DomainMismatch);
        }
        if let Some(name) = COVERED_FIELDS.into_iter().find(|name| !covered.contains(name)) {
            return Err(Failure::Uncovered(name));
        }
    }
    if certified.time > now.add_secs(limits::FUTURE_SECS) {
        return Err(Failure::Future);
    }
    match (&certified.page, &certified.draft) {
        (Some(page), _) => Ok(page_input(header, field, once, &covered, page)),
        (None, Some(draft)) => draft_input(message, certified, draft),
        (None, None) => Ok(Vec::new()),
    }
}

fn page_input(header: &Header<'_>, field: Field<'_>, once: &Once<'_>, covered: &[&str], page: &PageTags) -> Vec<u8> {
    let mut input = Vec::with_capacity(header.octets().len());
    payload::covered_fields(header, once.clone(), covered, &mut input);
    payload::own_field(payload::without_b(field, &page.b_span), &mut input);
    input
}

fn draft_input(message: &Unambiguous, certified: &Certified, draft: &DraftTags) -> Result<Vec<u8>, Failure> {
    // What was read was strict base64, which has one spelling: this one.
    let (body_hash, nonce) = (STANDARD.encode(certified.body_hash), STANDARD.encode(draft.nonce));
    let parts = DraftParts { time: certified.time, sid: &draft.sid, body_hash: &body_hash, nonce: &nonce };
    payload::draft_payload(message, &parts)
}

impl Open {
    fn new(message: &Unambiguous, certified: Certified, input: Vec<u8>, oldest: Timestamp, body: BodyLanes) -> Open {
        let query = KeyQuery { from: message.domain().clone(), kid: certified.kid, sid: certified.sid.clone() };
        Open { stale: certified.time < oldest, certified, input, query, body }
    }

    /// §7 steps 4 to 6, once everything is known.
    fn judge(&self, message: Option<&Unambiguous>, answer: Option<&KeyAnswer>, digests: &Digests) -> Outcome {
        let Some(answer) = answer else { return Outcome::Unavailable(Trouble::Timeout) };
        if answer.too_many {
            return Outcome::Failed(Failure::TooManyKeys);
        }
        if let Some(attested) = self.attest(answer) {
            return match self.body.matches(digests, &self.certified.body_hash) {
                false => Outcome::Tampered(Part::Body, attested),
                true if self.stale => Outcome::Expired(attested), // §7 step 4: only if everything else holds
                true => Outcome::Verified(attested),
            };
        }
        match message.and_then(|message| self.attest_draft_of_combined(message, answer)) {
            Some(attested) => Outcome::Tampered(Part::Header, attested),
            None => unverified(answer),
        }
    }

    fn attest(&self, answer: &KeyAnswer) -> Option<Attested> {
        let page = self.certified.page.as_ref().map(|page| &page.signature);
        let signature = page.or(self.certified.draft.as_ref().map(|draft| &draft.signature))?;
        self.verifying_key(answer, &self.input, signature)
    }

    fn attest_draft_of_combined(&self, message: &Unambiguous, answer: &KeyAnswer) -> Option<Attested> {
        let draft = self.certified.draft.as_ref().filter(|_| self.certified.form == Form::Combined)?;
        let input = draft_input(message, &self.certified, draft).ok()?;
        self.verifying_key(answer, &input, &draft.signature)
    }

    fn verifying_key(&self, answer: &KeyAnswer, input: &[u8], signature: &[u8; 64]) -> Option<Attested> {
        let candidate = |c: &&Candidate| c.key.verify(input, signature);
        answer.candidates.iter().find(candidate).map(|c| Attested::new(c.key, c.origin, &self.certified))
    }
}

/// §7 step 5: no candidate verifies. What could not be asked outranks what was found wanting.
fn unverified(answer: &KeyAnswer) -> Outcome {
    if let Some(trouble) = answer.trouble {
        return Outcome::Unavailable(trouble);
    }
    Outcome::Failed(match answer {
        KeyAnswer { candidates, .. } if !candidates.is_empty() => Failure::SignatureInvalid,
        KeyAnswer { revoked: true, .. } => Failure::KeyRevoked,
        KeyAnswer { unauthorized: true, .. } => Failure::KeyUnauthorized,
        _ => Failure::KeyNotFound,
    })
}
