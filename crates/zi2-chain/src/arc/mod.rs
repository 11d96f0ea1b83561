//! ARC (RFC 8617), verified only: whether a chain of handlers is unbroken, and what the first of them saw.
//!
//! A good chain proves who handled a message, not that any of them tells the truth: whom to believe is for the operator to
//! say. Nothing is sealed here, since ARC is being made historic.

mod chain;
mod set;
mod words;

use zi2_mail::{DigestPlan, Digests, Header, Timestamp};
use zi2_sig::dkim::{
    Family, KeyName, Outcome as SignatureOutcome, Policy, RecordAnswer, SealInput, SealTrial, SignatureFacts,
    SignatureField, Trial,
};

use crate::limits;

pub use chain::{ArcResult, Broken, Chain, FieldKind, Hop, Outcome, Reason};
pub use words::{AuthResults, MethodResult, Property};

use set::{Set, gather};

/// The verification of one message's chain, as a machine that asks for keys; the body goes through a digest pass that
/// others share, as for DKIM. It asks at most for a key for each set and one more.
pub struct Arc {
    state: State,
}

enum State {
    Settled(Reason),
    Open(Vec<Link>),
}

/// One set on its way.
struct Link {
    hop: Hop,
    seal: SealTrial,
    /// Of the newest sets only: older ones tell how long the message is unchanged, and nobody waits for that.
    message: Option<Trial>,
}

impl Arc {
    /// Reads the ARC fields of a header section, does all checks that need neither keys nor body, and asks `plan` for the
    /// digests of the body it needs.
    pub fn new(header: &Header<'_>, now: Timestamp, policy: &Policy, plan: &mut DigestPlan) -> Arc {
        let state = match gather(header) {
            Ok(sets) if sets.is_empty() => State::Settled(Reason::NoSets),
            Ok(sets) => begin(header, &sets, now, policy, plan),
            Err(broken) => State::Settled(Reason::Broken(broken)),
        };
        Arc { state }
    }

    /// The names whose key records are wanted, each once.
    #[must_use]
    pub fn questions(&self) -> Vec<KeyName> {
        let mut names: Vec<KeyName> = Vec::new();
        let mut want = |name: &KeyName| {
            if !names.contains(name) {
                names.push(name.clone());
            }
        };
        // § RFC 8617 §5.2: the newest message signature first, then the seals from the newest to the oldest
        let newest = self.links().last().and_then(|link| link.message.as_ref());
        newest.and_then(Trial::key_name).into_iter().for_each(&mut want);
        self.links().iter().rev().map(|link| link.seal.key_name()).for_each(&mut want);
        names
    }

    /// Takes the answer about one name.
    pub fn answer(&mut self, name: &KeyName, answer: &RecordAnswer) {
        let State::Open(links) = &mut self.state else { return };
        for link in links {
            if link.seal.key_name() == name {
                link.seal.answer(answer.clone());
            }
            if let Some(trial) = link.message.as_mut().filter(|trial| trial.key_name() == Some(name)) {
                trial.answer(answer.clone());
            }
        }
    }

    /// The result, once the body has been digested by the plan that was asked. What was not answered by now could not be
    /// asked.
    #[must_use]
    pub fn finish(self, digests: &Digests) -> ArcResult {
        match self.state {
            State::Settled(reason) => ArcResult::without_chain(reason),
            State::Open(links) => conclude(links, digests),
        }
    }

    fn links(&self) -> &[Link] {
        match &self.state {
            State::Settled(_) => &[],
            State::Open(links) => links,
        }
    }
}

fn begin(header: &Header<'_>, sets: &[Set<'_>], now: Timestamp, policy: &Policy, plan: &mut DigestPlan) -> State {
    let mut input = SealInput::begin();
    let mut links = Vec::with_capacity(sets.len());
    for (set, age) in sets.iter().zip((0..sets.len()).rev()) {
        input.add(set.results);
        input.add(set.message);
        let seal = match SealTrial::new(set.seal, &input, policy) {
            Ok(seal) => seal,
            Err(fault) => return State::Settled(Reason::Seal(set.instance, SignatureOutcome::PermError(fault))),
        };
        input.add(set.seal);
        let message = SignatureField::parse(set.message, Family::ArcMessage).ok();
        if let Err(reason) = set.check(seal.seal(), message.as_ref(), age) {
            return State::Settled(reason);
        }
        let start = || Trial::new(header, set.message, Family::ArcMessage, now, policy, plan);
        let trial = (age < limits::ARC_MESSAGES).then(start);
        links.push(Link { hop: set.hop(seal.seal(), message.as_ref()), seal, message: trial });
    }
    State::Open(links)
}

/// § RFC 8617 §5.2: the newest message signature, then all seals; anything but a pass breaks the chain.
fn conclude(links: Vec<Link>, digests: &Digests) -> ArcResult {
    let mut hops = Vec::with_capacity(links.len());
    let (mut covered, mut oldest_pass) = (Vec::new(), None);
    for (age, link) in links.into_iter().rev().enumerate() {
        let instance = link.hop.instance;
        let message = link.message.map(|trial| trial.finish(digests));
        if age == 0 {
            covered = message.iter().filter_map(SignatureFacts::field).flat_map(names).collect();
        }
        match message.map(|message| message.outcome()) {
            Some(SignatureOutcome::Pass) => {}
            Some(outcome) if age == 0 => return ArcResult::without_chain(Reason::Message(outcome)),
            _ => oldest_pass = oldest_pass.or(Some(instance.saturating_add(1))),
        }
        match link.seal.finish() {
            SignatureOutcome::Pass => hops.push(link.hop),
            outcome => return ArcResult::without_chain(Reason::Seal(instance, outcome)),
        }
    }
    hops.reverse();
    ArcResult::of(Chain::new(hops, covered, oldest_pass.unwrap_or(0)))
}

fn names(field: &SignatureField) -> impl Iterator<Item = Box<str>> {
    field.covered().filter(|name| !name.is_empty()).map(Box::from)
}
