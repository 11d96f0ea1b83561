//! A message on its last way out, with the envelope it is sent with: signed with DKIM2, a first hop or a further one.
//!
//! It comes back from the queue to a second smtpd, where nobody has logged in. So a first hop needs both: the service that
//! only mail of ours comes back by, and the proof that our egress side let the message pass; a further one needs the name
//! that our ingress side gave to the message as it came in. Nothing is ever refused here.

use std::sync::Arc;
use std::time::Instant;

use zi2_config::{IngressMode, ORIGINATING};
use zi2_flow::{Dkim2Rules, Dkim2Unsigned, FirstHop, Further, Leaving, has_dkim2};
use zi2_mail::{BodyDigester, DigestPlan, Header, HeaderBuilder, NewField};
use zi2_milter::{Edits, Envelope, LeadingSpace, Macros, Message, Next, Opening, Outcome};

use super::edits::{delivered, header_edits};
use super::envelope::{Wrapper, sender_of};
use super::guard::{caught, caught_future};
use super::ingress::push;
use super::written::{Kind, Written};
use crate::report::{Dkim2Signed, Line, Result};
use crate::{Desk, Live};
use zi2_store::SnapshotKey;

/// More than one field holds in the milter protocol.
const TOO_LARGE: Dkim2Signed = Dkim2Signed::Unsigned(Dkim2Unsigned::TooLarge);

/// A message on its last way out.
pub struct Handoff {
    desk: Arc<Desk>,
    live: Arc<Live>,
    wrapper: Wrapper,
    sender: Box<[u8]>,
    way: Way,
    space: LeadingSpace,
    header: Option<HeaderBuilder>,
    written: Written,
    came_in: CameIn,
    plan: Plan,
}

/// What ingress says the message came in as.
#[derive(Clone, Copy, Default)]
enum CameIn {
    #[default]
    Unsaid,
    As(SnapshotKey),
    /// Two such fields: one is not ours.
    Ambiguous,
}

/// By which service it came back.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// By the one that only mail of ours comes back by.
    Originating,
    /// By another: what came in from elsewhere and is sent on.
    Passing,
}

/// What will become of it.
enum Plan {
    First(Box<(FirstHop, BodyDigester)>),
    Further(Box<Further>),
    Leave(Dkim2Signed),
}

impl Handoff {
    pub(super) fn open(desk: &Arc<Desk>, opening: Opening<'_>) -> Handoff {
        let live = desk.live();
        let is_originating = opening.macros.value("{daemon_name}") == Some(ORIGINATING.as_bytes());
        Handoff {
            desk: Arc::clone(desk),
            wrapper: Wrapper::from(opening.mail.address, live.addresses),
            sender: sender_of(&opening),
            way: if is_originating { Way::Originating } else { Way::Passing },
            live,
            space: opening.negotiated.leading_space(),
            header: Some(Header::builder()),
            written: Written::default(),
            came_in: CameIn::default(),
            plan: Plan::Leave(Dkim2Signed::Unsigned(Dkim2Unsigned::Internal)),
        }
    }

    fn plan(&self, header: HeaderBuilder) -> Plan {
        let Some(rules) = &self.live.dkim2 else { return Plan::Leave(Dkim2Signed::NotAsked) };
        self.hop(rules, &header.finish()).unwrap_or_else(|why| Plan::Leave(Dkim2Signed::Unsigned(why)))
    }

    fn hop(&self, rules: &Arc<Dkim2Rules>, header: &Header<'_>) -> std::result::Result<Plan, Dkim2Unsigned> {
        let envelope = self.wrapper.dkim2(&self.sender).ok_or(Dkim2Unsigned::Recipients)?;
        let random = self.desk.clock.random_key().ok_or(Dkim2Unsigned::Internal)?;
        let leaving = Leaving { header, envelope: &envelope, now: self.desk.clock.now(), random };
        if has_dkim2(header, rules) {
            let snapshots = self.live.services.snapshots.as_ref().ok_or(Dkim2Unsigned::HasChain)?;
            // Where ingress changes nothing, the field is whoever's.
            let (CameIn::As(key), IngressMode::Mark) = (self.came_in, self.live.mode) else {
                return Err(Dkim2Unsigned::NoSnapshot);
            };
            let further = Further::begin(rules, &leaving, (snapshots, key), &self.live.receiver.room)?;
            return Ok(Plan::Further(Box::new(further)));
        }
        if self.way == Way::Passing {
            return Err(Dkim2Unsigned::Absent);
        }
        let mut plan = DigestPlan::new();
        let first = FirstHop::of_proven(rules, &leaving, &mut plan)?;
        Ok(Plan::First(Box::new((first, plan.start()))))
    }

    async fn carry_out(&mut self) -> (Vec<NewField>, Dkim2Signed) {
        let internal = Err(Dkim2Unsigned::Internal);
        let (fields, signed) = match std::mem::replace(&mut self.plan, Plan::Leave(Dkim2Signed::NotAsked)) {
            Plan::Leave(why) => return (Vec::new(), why),
            Plan::First(asked) => {
                let (first, body) = *asked;
                (caught(|| first.finish(&body.finish())).unwrap_or(internal), Dkim2Signed::First)
            }
            Plan::Further(further) => {
                let fields = caught_future(further.finish(&self.live.services.resolver)).await;
                (fields.unwrap_or(internal), Dkim2Signed::Further)
            }
        };
        match fields {
            Ok(fields) => (fields, signed),
            Err(why) => (Vec::new(), Dkim2Signed::Unsigned(why)),
        }
    }
}

impl Message for Handoff {
    fn recipient(&mut self, recipient: Envelope<'_>, _: &Macros) {
        self.wrapper.to(recipient.address);
    }

    fn header(&mut self, name: &[u8], value: &[u8]) {
        if self.written.note(name, value, self.live.authserv_id.as_str()) == Some(Kind::Snapshot) {
            let key = std::str::from_utf8(value.trim_ascii()).ok().and_then(SnapshotKey::parse);
            self.came_in = match (self.came_in, key) {
                (CameIn::Unsaid, Some(key)) => CameIn::As(key),
                _ => CameIn::Ambiguous,
            };
        }
        if let Some(mut header) = self.header.take() {
            self.header = caught(|| {
                push(&mut header, name, value, self.space);
                header
            });
        }
    }

    fn end_of_headers(&mut self, _: &Macros) -> Next {
        if let Some(header) = self.header.take()
            && let Some(plan) = caught(|| self.plan(header))
        {
            self.plan = plan;
        }
        match self.plan {
            Plan::Leave(_) => Next::Enough,
            _ => Next::More,
        }
    }

    fn body(&mut self, chunk: &[u8]) -> Next {
        let fed = match &mut self.plan {
            Plan::First(asked) => caught(|| asked.1.feed(chunk)),
            Plan::Further(further) => caught(|| further.body(chunk)),
            Plan::Leave(_) => return Next::Enough,
        };
        if fed.is_none() {
            self.plan = Plan::Leave(Dkim2Signed::Unsigned(Dkim2Unsigned::Internal));
        }
        Next::More
    }

    async fn end(mut self, macros: &Macros) -> Outcome {
        let began = Instant::now();
        let (fields, signed) = self.carry_out().await;
        // Once signed it leaves for good; until then it may come by again, as from a list's server behind this one.
        let removals = if fields.is_empty() { Ok(Vec::new()) } else { self.written.removals(&[Kind::Snapshot]) };
        let edits = header_edits(&removals.unwrap_or_default(), &fields, &[]);
        // What does not fit the protocol is left out: the message goes as it is.
        let (edits, signed) = edits.map_or((Edits::new(), TOO_LARGE), |edits| (edits, signed));
        let line = Line {
            queue_id: macros.value("i"),
            result: Result::HandedOff(signed),
            queries: 0,
            sender: self.wrapper.logged_sender(self.live.addresses),
            login: None,
            recipients: self.wrapper.count(),
            took: began.elapsed(),
        };
        line.tell(&self.desk.metrics);
        delivered(edits)
    }
}
