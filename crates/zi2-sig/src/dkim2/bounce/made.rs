//! A bounce that the mail server has made of mail it took: whether it may be signed (§ -08 16.1). The report itself says
//! what came in, so that nothing needs to be kept for it.

use zi2_mail::{DigestPlan, Digests, Message, Timestamp};

use super::report::Report;
use super::{BounceLeave, NoBounce, ReportError};
use crate::dkim::KeyName;
use crate::dkim2::verify::NewestHop;
use crate::dkim2::{Brackets, Chain, Draft, Envelope, KeyAnswer};

/// Checks a bounce of our own before it is signed. As [`Verifier`](crate::dkim2::Verifier), it asks for keys: those of the
/// returned message's newest signature.
pub struct MadeBounce {
    newest: NewestHop,
    digests: Option<Digests>,
}

/// Why a bounce that was made here is not signed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotSignable {
    /// It is no report that can be gone by.
    #[error("{0}")]
    Report(#[from] ReportError),
    /// No bounce is due of the returned message.
    #[error("{0}")]
    NoBounce(#[from] NoBounce),
    /// It goes to another one than the returned message came from, or to several.
    #[error("the bounce is not addressed to the sender of the returned message (mf=) alone")]
    Addressee,
}

impl MadeBounce {
    /// Checks all that needs no keys.
    ///
    /// # Errors
    /// [`NotSignable`].
    pub fn new(bounce: &Message<'_>, draft: Draft, now: Timestamp) -> Result<MadeBounce, NotSignable> {
        let report = Report::read(bounce)?;
        let header = report.returned.header();
        let chain = Chain::read(header, draft, Brackets::Required).map_err(NoBounce::Unproven)?;
        let mut plan = DigestPlan::new();
        let newest = NewestHop::new(header, chain.ok_or(NoBounce::Absent)?, now, &mut plan);
        let newest = newest.map_err(NoBounce::Unproven)?;
        Ok(MadeBounce { newest, digests: report.returned.body().map(|body| plan.digest(body)) })
    }

    /// The names whose key records are wanted, each once.
    pub fn questions(&self) -> Vec<KeyName> {
        self.newest.questions()
    }

    /// Takes the answer about one name.
    pub fn answer(&mut self, name: &KeyName, answer: &KeyAnswer) {
        self.newest.answer(name, answer);
    }

    /// Leave to sign it, for the envelope by which it is sent. Its recipient is the sender that the message came by, so the
    /// newest signature is one for the transaction in which it came.
    ///
    /// # Errors
    /// [`NotSignable`].
    pub fn finish(self, by: &Envelope) -> Result<BounceLeave, NotSignable> {
        let (_, newest) = self.newest.finish(self.digests.as_ref()).map_err(NoBounce::Unproven)?;
        let leave = BounceLeave::by(&newest)?;
        let is_due = by.recipients() == [leave.to().clone()];
        if is_due { Ok(leave) } else { Err(NotSignable::Addressee) }
    }
}
