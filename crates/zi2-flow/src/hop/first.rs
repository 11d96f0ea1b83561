//! The first hop: a message of ours that has no DKIM2 fields.

use zi2_mail::{DigestPlan, Digests, NewField, NotSmtp};
use zi2_sig::dkim2::{Binding, Originator};

use super::hidden::check_hidden;
use super::proof::Proof;
use super::{Dkim2Rules, Dkim2Unsigned, Leaving, fitting};
use crate::outbound::only_author;

/// A first hop that waits for the digest of the body.
pub struct FirstHop {
    originator: Originator,
    proof: Option<Proof>,
}

impl FirstHop {
    /// For a message whose submitter may use its From domain: the caller has seen to that. Asks `plan` for digests.
    ///
    /// # Errors
    /// [`Dkim2Unsigned`].
    pub fn of_submitter(
        rules: &Dkim2Rules,
        leaving: &Leaving<'_>,
        plan: &mut DigestPlan,
    ) -> Result<FirstHop, Dkim2Unsigned> {
        let originator = originator(rules, leaving, plan)?;
        Ok(FirstHop { originator, proof: None })
    }

    /// For a message that must prove by a certification of ours that its submitter may.
    ///
    /// # Errors
    /// [`Dkim2Unsigned`].
    pub fn of_proven(
        rules: &Dkim2Rules,
        leaving: &Leaving<'_>,
        plan: &mut DigestPlan,
    ) -> Result<FirstHop, Dkim2Unsigned> {
        let proof = Proof::look(rules, leaving.header, leaving.now, plan).ok_or(Dkim2Unsigned::NotOurs)?;
        let originator = originator(rules, leaving, plan)?;
        Ok(FirstHop { originator, proof: Some(proof) })
    }

    /// The fields that go on top of everything, the upper one first.
    ///
    /// # Errors
    /// [`Dkim2Unsigned`].
    pub fn finish(self, digests: &Digests) -> Result<Vec<NewField>, Dkim2Unsigned> {
        match digests.smtp() {
            // The hash holds however long a line is; that Postfix leaves it so is for doctor to see.
            Some(Err(why)) if why != NotSmtp::LongLine => return Err(Dkim2Unsigned::NotSmtp),
            _ => {}
        }
        if self.proof.is_some_and(|proof| !proof.holds(digests)) {
            return Err(Dkim2Unsigned::NotOurs);
        }
        fitting(self.originator.finish(digests).map_err(|refusal| Dkim2Unsigned::from(&refusal))?)
    }
}

fn originator(rules: &Dkim2Rules, leaving: &Leaving<'_>, plan: &mut DigestPlan) -> Result<Originator, Dkim2Unsigned> {
    let Leaving { header, envelope, now, random } = *leaving;
    let binding = Binding::of(envelope).ok_or(Dkim2Unsigned::Recipients)?;
    check_hidden(rules, leaving)?;
    let author = only_author(header).ok_or(Dkim2Unsigned::From)?;
    let above = rules.above(author.domain().ok_or(Dkim2Unsigned::From)?);
    let nearest = above.first().ok_or(Dkim2Unsigned::KeyMissing)?;
    // § -08 10.8, 11: From and the envelope sender are both under the domain that signs.
    let sender = envelope.sender().filter(|sender| !sender.is_null());
    let fits = |domain: &&&_| sender.is_none_or(|sender| sender.domain().is_some_and(|name| name.is_within(domain)));
    let domain = above.iter().find(fits).unwrap_or(nearest);
    let identity = rules.identity(domain, random).ok_or(Dkim2Unsigned::KeyMissing)?;
    plan.request_smtp();
    Originator::new(header, rules.terms(binding, now), identity, plan).map_err(|refusal| Dkim2Unsigned::from(&refusal))
}
