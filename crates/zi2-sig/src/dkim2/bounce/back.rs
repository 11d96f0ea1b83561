//! A bounce that goes back one hop (§ -08 16.2): the message as it came to us, without what we and those after us did to it,
//! in a new report to who sent it to us. Nothing in it says where we had sent it.

use zi2_mail::{Domain, Header, Message};

use super::{AuthenticBounce, BounceLeave, ComposeError, Failing, House, NoBounce, Reporter, Returning, compose};
use crate::dkim2::undo::{Until, undone_body, undone_header};
use crate::dkim2::verify::{check_header, is_chain_field};
use crate::dkim2::{Binding, Failure, Path, Problem, Signature};

/// A bounce for the hop before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PassedBack {
    /// To whom it goes, and who may sign it.
    pub leave: BounceLeave,
    /// The bounce, to be signed as the reporter's domain.
    pub mail: Vec<u8>,
}

/// Why a bounce goes back no further.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotPassedBack {
    /// The message began here: the bounce is for a user of ours.
    #[error("the message was first sent from here; the bounce is for its sender")]
    Ours,
    /// The hop before takes no bounces.
    #[error("the hop before takes no bounce: {0}")]
    NoBounce(#[from] NoBounce),
    /// Nobody knows for which recipient the message had come.
    #[error("the message came for several recipients, or not for this one; say for which it was sent on")]
    Recipient,
    /// The message as it came cannot be made again.
    #[error("the message as it came cannot be made again: {0}")]
    Undo(Failure),
    /// The report cannot be written.
    #[error("{0}")]
    Compose(#[from] ComposeError),
}

impl AuthenticBounce<'_> {
    /// The bounce for the hop before ours. `recipient` is the one of that hop's for whom we sent the message on; it may be
    /// left out where there was but one.
    ///
    /// # Errors
    /// [`NotPassedBack`].
    pub fn pass_back(
        &self,
        house: &House<'_>,
        recipient: Option<&Path>,
        reporter: &Reporter<'_>,
    ) -> Result<PassedBack, NotPassedBack> {
        let signatures = self.chain.signatures();
        let before = signatures.iter().rposition(|signature| !house.made(signature));
        let (before, own) =
            before.and_then(|at| Some((signatures.get(at)?, signatures.get(at + 1)?))).ok_or(NotPassedBack::Ours)?;
        let leave = BounceLeave::by(before)?;
        let recipient = came_for(before, own.domain(), recipient).ok_or(NotPassedBack::Recipient)?;
        let (mail, returning) = self.undone(before).map_err(NotPassedBack::Undo)?;
        let failing = Failing { recipient, action: self.action(), status: self.status(), diagnostic: None };
        let mail = compose(&leave, &Message::split(&mail), returning, &[failing], reporter)?;
        Ok(PassedBack { leave, mail })
    }

    /// The message as that hop had sent it, with its body if that can be made again. Fields that no hop signs go: those
    /// that came later say where it had been.
    fn undone(&self, before: &Signature) -> Result<(Vec<u8>, Returning), Failure> {
        let until = Until { signature: before.number(), instance: before.instance() };
        let section = undone_header(self.report.returned.header(), &self.chain, until);
        let header = Header::parse(&section);
        check_header(&header, &self.chain, until.instance)?;
        let mut mail: Vec<u8> = Vec::with_capacity(section.len());
        for field in header.fields().filter(|field| self.draft.signs(field.name()) || is_chain_field(*field)) {
            mail.extend_from_slice(field.raw());
            mail.extend_from_slice(b"\r\n");
        }
        mail.extend_from_slice(b"\r\n");
        let Some(body) = self.report.returned.body() else { return Ok((mail, Returning::Header)) };
        match undone_body(body, &self.chain, until) {
            Ok(None) => mail.extend_from_slice(body),
            Ok(Some(version)) => version.write(&mut |octets| mail.extend_from_slice(octets)),
            Err(Failure { problem: Problem::NullBody, .. }) => return Ok((mail, Returning::Header)),
            Err(failure) => return Err(failure),
        }
        Ok((mail, Returning::Whole))
    }
}

/// For which recipient of the hop before the message came to us.
fn came_for<'s>(before: &'s Signature, own: &Domain, named: Option<&Path>) -> Option<&'s Path> {
    let Binding::Envelope { recipients, .. } = before.binding() else { return None };
    if let Some(named) = named {
        return recipients.iter().find(|recipient| *recipient == named);
    }
    let is_here = |domain: &Domain| domain.is_within(own) || own.is_within(domain);
    let mut here = recipients.iter().filter(|recipient| recipient.domain().is_some_and(is_here));
    here.next().filter(|_| here.next().is_none())
}
