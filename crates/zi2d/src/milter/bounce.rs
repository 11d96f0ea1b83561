//! Bounces that the mail server itself has made, as the egress side sees them.

use zi2_config::{Bounces, Submitter};
use zi2_flow::{BounceHop, Dkim2Unsigned, Leaving};
use zi2_mail::{Header, NewField, Timestamp};

use super::envelope::Wrapper;
use super::guard::{caught, caught_future};
use crate::report::Dkim2Signed;
use crate::{Desk, Live};

/// A bounce of the mail server, to be signed with DKIM2 on its only way out: what bounce(8) makes takes no way around the
/// queue, so it is signed here also where other mail is signed behind it.
pub(super) struct Bounce(Option<BounceHop>);

/// What a message must show to be one.
pub(super) struct Signs<'a> {
    pub(super) submitter: Option<&'a Submitter>,
    pub(super) sender: &'a [u8],
    pub(super) wrapper: &'a Wrapper,
}

impl Bounce {
    /// The bounce that a message is, where bounces are signed. Postfix shows its own ones as mail of a program on this host
    /// without a sender, to one recipient, from MAILER-DAEMON. Such a program can do the same; but nothing is signed that does not return mail
    /// which the recipient had sent here.
    pub(super) fn of(
        signs: &Signs<'_>,
        header: &Header<'_>,
        now: Timestamp,
        desk: &Desk,
        live: &Live,
    ) -> Option<Bounce> {
        let rules = live.dkim2.as_ref().filter(|_| live.bounces != Bounces::Off)?;
        let is_local = matches!(signs.submitter, Some(Submitter::Local(_)));
        if !is_local || signs.sender != b"<>" || signs.wrapper.count() != 1 {
            return None;
        }
        let (envelope, random) = (signs.wrapper.dkim2(signs.sender)?, desk.clock.random_key()?);
        let leaving = Leaving { header, envelope: &envelope, now, random };
        Some(Bounce(Some(BounceHop::begin(rules, &leaving, &live.receiver.room)?)))
    }

    pub(super) fn body(&mut self, chunk: &[u8]) {
        self.0 = self.0.take().and_then(|mut hop| {
            caught(|| {
                hop.body(chunk);
                hop
            })
        });
    }

    /// The fields that go on top of everything, if it may be signed.
    pub(super) async fn finish(self, live: &Live) -> (Vec<NewField>, Dkim2Signed) {
        let signed = match self.0 {
            Some(hop) => caught_future(hop.finish(&live.services.resolver)).await,
            None => None,
        };
        match signed.unwrap_or(Err(Dkim2Unsigned::Internal)) {
            Ok(fields) => (fields, Dkim2Signed::Bounce),
            Err(why) => (Vec::new(), Dkim2Signed::Unsigned(why)),
        }
    }
}
