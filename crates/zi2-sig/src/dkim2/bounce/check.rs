//! A bounce that came in: whether it is about mail that we sent, from those we sent it to (§ -08 16.3). All of it must hold;
//! what does not is refused, or anybody could have us mail anybody.

use std::sync::Arc;

use zi2_mail::{DigestPlan, Digests, Domain, Message, Timestamp};

use super::report::{Report, Returned};
use super::{Action, NonceKey, ReportError, StatusCode, is_aligned};
use crate::dkim::KeyName;
use crate::dkim2::verify::NewestHop;
use crate::dkim2::{
    Binding, Brackets, Chain, Draft, Envelope, Failure, FullyVerified, KeyAnswer, Path, Signature, Status,
};

/// Who we are.
#[derive(Clone, Copy)]
pub struct House<'a> {
    /// The domains that we sign as.
    pub domains: &'a [Domain],
    /// The key of our `n=`, where all our signatures have one.
    pub nonces: Option<&'a NonceKey>,
}

impl House<'_> {
    pub(super) fn made(&self, signature: &Signature) -> bool {
        self.domains.contains(signature.domain())
    }
}

/// Checks one bounce. As [`Verifier`](crate::dkim2::Verifier), it asks for keys: those of the returned message's newest
/// signature, which are our own.
pub struct BounceVerifier<'m> {
    draft: Draft,
    report: Report<'m>,
    newest: NewestHop,
    digests: Option<Digests>,
}

/// A bounce of mail that we sent, from where we sent it. Only [`BounceVerifier::finish`] makes one.
#[derive(Clone, Debug)]
pub struct AuthenticBounce<'m> {
    pub(super) draft: Draft,
    pub(super) report: Report<'m>,
    pub(super) chain: Arc<Chain>,
    pub(super) newest: Signature,
}

/// Why a bounce is refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BounceFault {
    /// What was verified is another message: a fault of the caller.
    #[error("the evidence is about another message")]
    OtherMessage,
    /// It has a sender: no bounce.
    #[error("a bounce has no sender (MAIL FROM:<>)")]
    HasSender,
    /// It is no report that can be gone by.
    #[error("{0}")]
    Report(#[from] ReportError),
    /// The returned message has no DKIM2 fields.
    #[error("the returned message has no DKIM2 fields; it was not sent from here")]
    Unsigned,
    /// We did not send the returned message.
    #[error("the returned message was last sent by {0}, not from here")]
    NotOurs(Domain),
    /// `n=` of the returned message is none of ours.
    #[error("the returned message names no transaction of ours (n=)")]
    Nonce,
    /// The bounce goes to another one than the returned message came from.
    #[error("the bounce is not addressed to the sender of the returned message (mf=)")]
    Addressee,
    /// The returned message was not sent to who signed the bounce.
    #[error("the returned message was not sent to {0}, which signed the bounce")]
    Stranger(Domain),
    /// The newest signature or version of the returned message does not hold.
    #[error("returned message: {0}")]
    Returned(Failure),
}

impl BounceFault {
    /// The reply of SMTP: code, enhanced status. Only what may be known later is temporary.
    pub fn reply(&self) -> (u16, &'static str) {
        match self {
            BounceFault::Returned(failure) if failure.status() == Status::TempError => (451, "4.7.5"),
            _ => (550, "5.7.1"),
        }
    }
}

impl<'m> BounceVerifier<'m> {
    /// Checks all that needs no keys. `evidence` is that of the bounce itself, `by` the envelope by which it came.
    ///
    /// # Errors
    /// [`BounceFault`].
    pub fn new(
        evidence: &FullyVerified,
        by: &Envelope,
        bounce: &Message<'m>,
        house: &House<'_>,
        now: Timestamp,
    ) -> Result<BounceVerifier<'m>, BounceFault> {
        let draft = evidence.chain().draft;
        if !evidence.is_of(bounce) {
            return Err(BounceFault::OtherMessage);
        }
        if !by.sender().is_some_and(Path::is_null) {
            return Err(BounceFault::HasSender);
        }
        let report = Report::read(bounce)?;
        let header = report.returned.header();
        let chain = Chain::read(header, draft, Brackets::Required).map_err(BounceFault::Returned)?;
        let chain = chain.ok_or(BounceFault::Unsigned)?;
        let newest = chain.newest().ok_or(BounceFault::Unsigned)?;
        check_sent(newest, evidence, by, house)?;
        let mut plan = DigestPlan::new();
        let newest = NewestHop::new(header, chain, now, &mut plan).map_err(BounceFault::Returned)?;
        let digests = report.returned.body().map(|body| plan.digest(body));
        Ok(BounceVerifier { draft, report, newest, digests })
    }

    /// The names whose key records are wanted, each once.
    pub fn questions(&self) -> Vec<KeyName> {
        self.newest.questions()
    }

    /// Takes the answer about one name.
    pub fn answer(&mut self, name: &KeyName, answer: &KeyAnswer) {
        self.newest.answer(name, answer);
    }

    /// The bounce, if it is about mail that we sent.
    ///
    /// # Errors
    /// [`BounceFault::Returned`].
    pub fn finish(self) -> Result<AuthenticBounce<'m>, BounceFault> {
        let (chain, newest) = self.newest.finish(self.digests.as_ref()).map_err(BounceFault::Returned)?;
        Ok(AuthenticBounce { draft: self.draft, report: self.report, chain, newest })
    }
}

/// What the returned message's newest signature says, against who signed the bounce and to whom it came.
fn check_sent(
    newest: &Signature,
    evidence: &FullyVerified,
    by: &Envelope,
    house: &House<'_>,
) -> Result<(), BounceFault> {
    if !house.made(newest) {
        return Err(BounceFault::NotOurs(newest.domain().clone()));
    }
    let is_known = |nonces: &NonceKey| newest.nonce().is_some_and(|nonce| nonces.transaction(nonce).is_some());
    if !house.nonces.is_none_or(is_known) {
        return Err(BounceFault::Nonce);
    }
    // Who made the bounce, whoever brought it.
    let signer = evidence.originator();
    let Binding::Envelope { sender, recipients } = newest.binding() else {
        return Err(BounceFault::Stranger(signer.clone()));
    };
    // § -08 16.1: to mf=, and never to nobody
    let to_sender = |recipient: &Path| recipient == sender;
    if sender.is_null() || by.recipients().is_empty() || !by.recipients().iter().all(to_sender) {
        return Err(BounceFault::Addressee);
    }
    let sent_to: Vec<Domain> = recipients.iter().filter_map(Path::domain).cloned().collect();
    if is_aligned(&sent_to, signer) { Ok(()) } else { Err(BounceFault::Stranger(signer.clone())) }
}

impl<'m> AuthenticBounce<'m> {
    /// Our signature on the message that came back.
    pub fn signature(&self) -> &Signature {
        &self.newest
    }

    /// What became of the message.
    pub fn action(&self) -> Action {
        self.report.action
    }

    /// Why.
    pub fn status(&self) -> StatusCode {
        self.report.status
    }

    /// Whether the body came back, too.
    pub fn is_whole(&self) -> bool {
        matches!(self.report.returned, Returned::Whole(_))
    }
}
