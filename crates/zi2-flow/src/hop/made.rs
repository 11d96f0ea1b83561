//! A bounce that the mail server has made of mail it took: its only hop.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use zi2_keys::{Budget, Resolver};
use zi2_mail::{DigestPlan, Header, Message, NewField, NotSmtp, Timestamp};
use zi2_sig::dkim2::bounce::{BounceLeave, MadeBounce, NoBounce, NotSignable};
use zi2_sig::dkim2::{Envelope, Originator, Unkept};

use super::{Dkim2Rules, Dkim2Unsigned, Leaving};
use crate::dkim2::records;
use crate::keep::{Keeper, Received};
use crate::outbound::only_author;
use crate::{BodyRoom, limits};

/// A bounce that waits for its body. The caller knows that the mail server made it.
pub struct BounceHop {
    rules: Arc<Dkim2Rules>,
    keeper: Keeper,
    envelope: Envelope,
    now: Timestamp,
    random: [u8; 32],
}

impl BounceHop {
    /// Takes a message without a sender and from the mail server itself; nothing of another one.
    pub fn begin(rules: &Arc<Dkim2Rules>, leaving: &Leaving<'_>, room: &BodyRoom) -> Option<BounceHop> {
        leaving.envelope.sender().filter(|sender| sender.is_null())?;
        only_author(leaving.header).filter(|author| author.local().eq_ignore_ascii_case(MAIL_SERVER))?;
        let mut keeper = Keeper::new(leaving.header);
        keeper.want_body(room);
        let (rules, envelope) = (Arc::clone(rules), leaving.envelope.clone());
        Some(BounceHop { rules, keeper, envelope, now: leaving.now, random: leaving.random })
    }

    /// Takes the next octets of the body.
    pub fn body(&mut self, chunk: &[u8]) {
        self.keeper.feed(chunk);
    }

    /// Verifies what the bounce returns, and signs. No stranger's DNS holds it longer than [`limits::PROVING_SECS`].
    ///
    /// # Errors
    /// [`Dkim2Unsigned`]: it leaves as it is.
    pub async fn finish(self, resolver: &Resolver) -> Result<Vec<NewField>, Dkim2Unsigned> {
        let BounceHop { rules, keeper, envelope, now, random } = self;
        let bounce = match keeper.finish().whole {
            Some(Ok(bounce)) => bounce,
            Some(Err(Unkept::TooLarge | Unkept::NoRoom)) | None => return Err(Dkim2Unsigned::TooLarge),
        };
        let (resolver, runtime) = (resolver.clone(), tokio::runtime::Handle::current());
        let work = move || {
            let made = Made { rules, bounce, now, random };
            let leave = runtime.block_on(made.leave(&envelope, &resolver))?;
            made.sign(&leave)
        };
        tokio::task::spawn_blocking(work).await.unwrap_or(Err(Dkim2Unsigned::Internal))
    }
}

/// As whom Postfix writes.
const MAIL_SERVER: &str = "MAILER-DAEMON";

/// A bounce with all that signing it takes.
struct Made {
    rules: Arc<Dkim2Rules>,
    bounce: Received,
    now: Timestamp,
    random: [u8; 32],
}

impl Made {
    async fn leave(&self, by: &Envelope, resolver: &Resolver) -> Result<BounceLeave, Dkim2Unsigned> {
        let mut made = MadeBounce::new(&self.message(), self.rules.draft, self.now).map_err(|why| unsigned(&why))?;
        let time = Duration::from_secs(limits::PROVING_SECS);
        let budget = Budget::new(zi2_keys::limits::LOOK_UPS, time);
        for name in made.questions() {
            // What has no answer in time was not proven.
            if let Ok(answer) = timeout(time, records(&name, resolver, &budget)).await {
                made.answer(&name, &answer);
            }
        }
        made.finish(by).map_err(|why| unsigned(&why))
    }

    /// § -08 16.2: signed as a domain that the message was sent to, or as one above it; and as that of From, which the mail
    /// server chose.
    fn sign(&self, leave: &BounceLeave) -> Result<Vec<NewField>, Dkim2Unsigned> {
        let message = self.message();
        let author = only_author(&message.header).ok_or(Dkim2Unsigned::From)?;
        let above = self.rules.above(author.domain().ok_or(Dkim2Unsigned::From)?);
        let domain = above.into_iter().find(|domain| leave.may_sign(domain)).ok_or(Dkim2Unsigned::BounceDomain)?;
        let identity = self.rules.identity(domain, self.random).ok_or(Dkim2Unsigned::KeyMissing)?;
        let mut terms = self.rules.terms(leave.binding(), self.now);
        terms.flags.clear(); // nobody gives feedback on a bounce
        let mut plan = DigestPlan::new();
        plan.request_smtp();
        let signer = Originator::new(&message.header, terms, identity, &mut plan);
        let signer = signer.map_err(|refusal| Dkim2Unsigned::from(&refusal))?;
        let digests = plan.digest(message.body);
        match digests.smtp() {
            Some(Err(why)) if why != NotSmtp::LongLine => Err(Dkim2Unsigned::NotSmtp),
            _ => signer.finish(&digests).map_err(|refusal| Dkim2Unsigned::from(&refusal)),
        }
    }

    fn message(&self) -> Message<'_> {
        Message { header: Header::parse(self.bounce.section()), body: self.bounce.body() }
    }
}

fn unsigned(why: &NotSignable) -> Dkim2Unsigned {
    match why {
        NotSignable::Report(_) => Dkim2Unsigned::BounceReport,
        NotSignable::NoBounce(NoBounce::Absent) => Dkim2Unsigned::Absent,
        NotSignable::NoBounce(NoBounce::Unproven(_) | NoBounce::Unbound) => Dkim2Unsigned::Unproven,
        NotSignable::NoBounce(NoBounce::NullSender | NoBounce::Imaginary) | NotSignable::Addressee => {
            Dkim2Unsigned::BounceAddressee
        }
    }
}
