//! Trust restored by DKIM2 (zi2.md §11): the recipes of those who changed a certified message lead back to a version that
//! holds. It says nothing of what they changed, and never speaks for a message whose certification does not verify at all.

use zi2_mail::{DigestPlan, Digests, Domain, Header, Timestamp};
use zi2_sig::dkim2::{self, BodyRecipe, Chain, Earlier, FullyVerified, Instance};
use zi2_sig::{Attested, Facts, KeyAnswer, Outcome, Unambiguous, Verifier};

use crate::judge::covers;
use crate::limits::RESTORED_VERSIONS;

/// Evidence: a version of this message that the author's domain signed into an unbroken DKIM2 chain is certified, by the
/// same certification. Made by [`Restoration::find`] and nowhere else.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Restoration {
    message: Unambiguous,
    revisers: Vec<Domain>,
    covers: Vec<String>,
}

/// Why there is no such version.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotRestored {
    /// The message is as certified, or was never validly certified.
    #[error("the message is not one that was changed after its certification")]
    NotTampered,
    /// The chain was not evaluated.
    #[error("DKIM2 was not evaluated")]
    NotEvaluated,
    /// The chain is not verified back to its first hop, for this envelope.
    #[error("the DKIM2 chain is {0}")]
    NotVerified(&'static str),
    /// The first hop is nobody's who speaks for the author.
    #[error("the first hop of the DKIM2 chain is {0}, which does not speak for the author")]
    Originator(Domain),
    /// None of the author's versions is certified.
    #[error("no earlier version that the author's domain signed is certified")]
    NoVersion,
}

/// A message as it arrived.
#[derive(Clone, Copy, Debug)]
pub struct Arrived<'a> {
    /// The header section.
    pub header: &'a Header<'a>,
    /// The body, where the chain changes it.
    pub body: &'a [u8],
    /// What all who verify asked of the body.
    pub digests: &'a Digests,
    /// When.
    pub now: Timestamp,
    /// Seconds for which a certification is fresh.
    pub window: u64,
}

impl Restoration {
    /// Looks for the certified version of a message that is tampered with, the newest first. `keys` is the answer by which
    /// the certification verified.
    ///
    /// # Errors
    /// [`NotRestored`], by the first condition that does not hold.
    pub fn find(
        facts: &Facts,
        keys: Option<&KeyAnswer>,
        dkim2: Option<&dkim2::Verdict>,
        arrived: &Arrived<'_>,
    ) -> Result<Restoration, NotRestored> {
        let (Outcome::Tampered(_, attested), Some(message), Some(keys)) = (&facts.outcome, &facts.message, keys) else {
            return Err(NotRestored::NotTampered);
        };
        let verdict = dkim2.ok_or(NotRestored::NotEvaluated)?;
        let dkim2::Outcome::Full(evidence) = &verdict.outcome else {
            return Err(NotRestored::NotVerified(match verdict.outcome {
                dkim2::Outcome::Unbound => "bound to no known envelope",
                _ => verdict.result(),
            }));
        };
        if !message.domain().is_within(evidence.originator()) {
            return Err(NotRestored::Originator(evidence.originator().clone()));
        }
        let sought = Sought { attested, message, keys, arrived };
        let chain = evidence.chain();
        let (number, message) = versions_of(message.domain(), chain)
            .find_map(|number| Some((number, sought.certified(evidence, number)?)))
            .ok_or(NotRestored::NoVersion)?;
        let covers = facts.certified.as_ref().map(covers).unwrap_or_default();
        Ok(Restoration {
            message,
            revisers: revisers_since(number, chain),
            covers: unchanged_since(number, chain, covers),
        })
    }

    /// The message as it was certified: to whom it was addressed says this version, and not the one that arrived.
    pub fn message(&self) -> &Unambiguous {
        &self.message
    }

    /// Who changed the message after it was certified, the first to do so first.
    pub fn revisers(&self) -> &[Domain] {
        &self.revisers
    }

    /// What is as it was certified.
    pub fn covers(&self) -> &[String] {
        &self.covers
    }
}

/// The versions before this one for which the author's domain answers, the newest first. Another hop could put a
/// certification of the author, and the message it belongs to, into a version of its own.
fn versions_of(author: &Domain, chain: &Chain) -> impl Iterator<Item = u32> {
    let before = chain.instances().iter().rev().skip(1).take(RESTORED_VERSIONS).map(Instance::number);
    before.filter(|number| chain.first_over(*number).is_some_and(|signature| author.is_within(signature.domain())))
}

/// The version that is looked for.
struct Sought<'a> {
    attested: &'a Attested,
    message: &'a Unambiguous,
    keys: &'a KeyAnswer,
    arrived: &'a Arrived<'a>,
}

impl Sought<'_> {
    fn certified(&self, evidence: &FullyVerified, number: u32) -> Option<Unambiguous> {
        let Arrived { header, body, .. } = *self.arrived;
        let facts = self.verified(&evidence.earlier(header, body, number)?);
        let message = facts.message?;
        let is_same = message.from().normalized() == self.message.from().normalized()
            && message.message_id() == self.message.message_id();
        let holds = matches!(&facts.outcome, Outcome::Verified(restored) if restored.id() == self.attested.id());
        (is_same && holds).then_some(message)
    }

    /// A version verified as if it had arrived.
    fn verified(&self, earlier: &Earlier<'_>) -> Facts {
        let Arrived { digests, now, window, .. } = *self.arrived;
        let header = Header::parse(earlier.section());
        let mut plan = DigestPlan::new();
        let mut verifier = Verifier::new(&header, now, window, &mut plan);
        verifier.answer(self.keys.clone());
        match earlier.body() {
            None => verifier.finish(digests),
            Some(body) => {
                let mut digester = plan.start();
                body.write(&mut |octets| digester.feed(octets));
                verifier.finish(&digester.finish())
            }
        }
    }
}

/// The versions made after this one, with what they changed.
fn changes_since(number: u32, chain: &Chain) -> impl Iterator<Item = &Instance> {
    chain.instances().iter().filter(move |instance| instance.number() > number && instance.recipe().is_some())
}

fn revisers_since(number: u32, chain: &Chain) -> Vec<Domain> {
    let mut revisers: Vec<Domain> = Vec::new();
    for signature in changes_since(number, chain).filter_map(|instance| chain.first_over(instance.number())) {
        if !revisers.contains(signature.domain()) {
            revisers.push(signature.domain().clone());
        }
    }
    revisers
}

fn unchanged_since(number: u32, chain: &Chain, mut covers: Vec<String>) -> Vec<String> {
    for recipe in changes_since(number, chain).filter_map(Instance::recipe) {
        let is_changed = |part: &str| match part {
            "body" => *recipe.body() != BodyRecipe::Unchanged,
            part => recipe.header().any(|(name, _)| part.eq_ignore_ascii_case(name)),
        };
        covers.retain(|part| !is_changed(part));
    }
    covers
}
