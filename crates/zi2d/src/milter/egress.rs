//! An outgoing message: certified and signed with DKIM and DKIM2, if its submitter may send as its From domain.

use std::sync::Arc;
use std::time::Instant;

use tokio::time::timeout;
use zi2_config::Submitter;
use zi2_flow::{
    Certified, Departed, Departure, Dkim2Unsigned, DkimOutcome, Leaving, Outbound, date_field, message_id_field,
};
use zi2_mail::{Domain, Header, HeaderBuilder, NewField, Timestamp};
use zi2_milter::{Edits, Envelope, LeadingSpace, Macros, Message, Next, Opening, Outcome};
use zi2_trust::Reason;
use zi2_trust::render::{login_mismatch, verified};

use super::bounce::{Bounce, Signs};
use super::edits::{delivered, header_edits, refused, too_many_forged};
use super::envelope::{Wrapper, logged, sender_of};
use super::guard::caught;
use super::ingress::push;
use super::written::{Kind, Written};
use crate::limits::ISSUE_TIME;
use crate::report::{Dkim2Signed, DkimSigned, Line, Result, Signatures, Unsigned};
use crate::{Desk, Live};

/// An outgoing message.
pub struct Egress {
    desk: Arc<Desk>,
    live: Arc<Live>,
    wrapper: Wrapper,
    /// The envelope sender, where DKIM2 is signed here.
    sender: Box<[u8]>,
    submitter: Option<Submitter>,
    space: LeadingSpace,
    written: Written,
    fields: Fields,
    plan: Plan,
    /// The bounce that it is; at the end what became of that.
    bounce: Option<Bounce>,
    bounced: Option<(Vec<NewField>, Dkim2Signed)>,
}

/// The header section while it arrives.
struct Fields {
    header: Option<HeaderBuilder>,
    has_date: bool,
    has_message_id: bool,
}

/// What will become of the message.
enum Plan {
    /// Certified or signed or both, with these fields added.
    Sign { outbound: Box<Outbound>, header: Header<'static>, completed: Vec<NewField>, now: Timestamp },
    /// Left as it is.
    Leave { reason: Reason, from: Option<Domain>, ours: Ours },
    /// Marked for local recipients.
    Mismatch { from: Option<Domain>, now: Timestamp },
    /// Refused.
    Reject { from: Option<Domain> },
    /// A fault of ours.
    Broken,
}

/// Whether a message is ours to speak for. Earlier certifications of others' messages are not ours to remove.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ours {
    Yes,
    No,
}

impl Egress {
    pub(super) fn open(desk: &Arc<Desk>, opening: Opening<'_>) -> Egress {
        let live = desk.live();
        Egress {
            desk: Arc::clone(desk),
            wrapper: Wrapper::from(opening.mail.address, live.addresses),
            sender: sender_of(&opening),
            live,
            submitter: submitter(&opening),
            space: opening.negotiated.leading_space(),
            written: Written::default(),
            fields: Fields { header: Some(Header::builder()), has_date: false, has_message_id: false },
            plan: Plan::Broken,
            bounce: None,
            bounced: None,
        }
    }

    fn plan(&mut self, mut header: HeaderBuilder) -> Plan {
        let now = self.desk.clock.now();
        let completed = self.complete(now);
        for field in &completed {
            header.push(field.name().as_bytes(), field.milter_value().as_bytes());
        }
        let header = header.finish();
        // The mail server writes all fields of a bounce: what has none of its own is not one.
        if completed.is_empty() {
            let (submitter, sender, wrapper) = (self.submitter.as_ref(), &*self.sender, &self.wrapper);
            self.bounce = Bounce::of(&Signs { submitter, sender, wrapper }, &header, now, &self.desk, &self.live);
        }
        let leave = |reason, from, ours| Plan::Leave { reason, from, ours };
        let (Some(submitter), Some(nonce)) = (&self.submitter, self.desk.clock.random()) else {
            let reason = if self.submitter.is_none() { Reason::TenantLoginMismatch } else { Reason::InternalError };
            return leave(reason, None, Ours::Yes);
        };
        match self.live.sender.depart(&header, submitter, now, nonce) {
            Departure::Sign(mut outbound) => {
                if self.bounce.is_none() {
                    self.plan_dkim2(&mut outbound, &header, now);
                }
                Plan::Sign { outbound, header, completed, now }
            }
            Departure::Leave(Reason::NoneAbsent, from) => leave(Reason::NoneAbsent, from, Ours::No),
            Departure::Leave(reason, from) => leave(reason, from, Ours::Yes),
            Departure::Mismatch(from) => Plan::Mismatch { from, now },
            Departure::Reject(from) => Plan::Reject { from },
        }
    }

    fn plan_dkim2(&self, outbound: &mut Outbound, header: &Header<'_>, now: Timestamp) {
        let (Some(rules), Some(random)) = (&self.live.sender.dkim2, self.desk.clock.random_key()) else { return };
        let envelope = self.wrapper.dkim2(&self.sender).unwrap_or_default();
        outbound.sign_dkim2(rules, &Leaving { header, envelope: &envelope, now, random });
    }

    /// The fields that the client left out and a certification needs. An MTA that adds them later comes too late.
    fn complete(&self, now: Timestamp) -> Vec<NewField> {
        if !self.live.add_missing {
            return Vec::new();
        }
        let date = if self.fields.has_date { None } else { date_field(now) };
        let unique = if self.fields.has_message_id { None } else { self.desk.clock.random() };
        let message_id = unique.and_then(|unique| message_id_field(&unique, &self.live.sid));
        date.into_iter().chain(message_id).collect()
    }

    async fn carry_out(&mut self) -> (Outcome, Verdict) {
        match std::mem::replace(&mut self.plan, Plan::Broken) {
            Plan::Sign { outbound, header, completed, now } => self.sign(*outbound, &header, &completed, now).await,
            Plan::Leave { reason, from, ours } => self.leave(Unsigned::Skipped, reason, from, ours, &[]),
            Plan::Mismatch { from, now } => {
                // A bounce of the mail server to somebody here is no spoof, though nobody has logged in for it.
                let local = self.bounced.is_none() && self.wrapper.envelope().any_hosted(&self.live.sender.hosted);
                let mark = local.then(|| login_mismatch(&self.live.authserv_id, from.as_ref(), now));
                let mark: Vec<_> = mark.into_iter().flatten().collect();
                self.leave(Unsigned::Skipped, Reason::TenantLoginMismatch, from, Ours::Yes, &mark)
            }
            Plan::Reject { from } => {
                let text = "this login may not send as the domain of the From field";
                let (reason, ours) = (Reason::TenantLoginMismatch, Ours::Yes);
                let verdict = Verdict::Unsigned(Unsigned::Rejected, reason, from, self.left(ours, reason));
                (refused((5, 7, 1), text), verdict)
            }
            Plan::Broken => self.leave(Unsigned::Skipped, Reason::InternalError, None, Ours::Yes, &[]),
        }
    }

    async fn sign(
        &self,
        outbound: Outbound,
        header: &Header<'_>,
        completed: &[NewField],
        now: Timestamp,
    ) -> (Outcome, Verdict) {
        let from = outbound.from().domain().cloned();
        let envelope = self.wrapper.envelope();
        let finished = caught(|| outbound.finish(header, &envelope, &self.live.sender.hosted));
        let Some(Departed { certified, dkim, dkim2 }) = finished else {
            return self.leave(Unsigned::Skipped, Reason::InternalError, from, Ours::Yes, &[]);
        };
        let (hop, dkim2) = self.bounced.clone().unwrap_or_else(|| hop(dkim2));
        let (signatures, dkim) = signatures(dkim);
        let made = Signatures { dkim, dkim2 };
        if let Ok(certified) = &certified {
            self.issue_if_local(certified, &envelope, now).await;
        }
        // Without a signature nothing depends on the fields that the client left out: the message stays as it is.
        let is_signed = certified.is_ok() || !signatures.is_empty() || !hop.is_empty();
        let completed = if is_signed { completed } else { &[] };
        let (certificate, verdict) = match certified {
            Ok(Certified { signed, local }) => {
                let mark = local.as_ref().map(|judgement| verified(judgement, &self.live.authserv_id, now));
                (Some((mark, signed.field)), Verdict::Signed(from, made))
            }
            Err(reason) => (None, Verdict::Unsigned(Unsigned::Skipped, reason, from, made)),
        };
        let (mark, field) = certificate.unzip();
        // DKIM covers the certification, so it stands above it; and a further hop of DKIM2 finds its fields on top.
        let mark = mark.flatten().into_iter().flatten();
        let on_top: Vec<_> = hop.into_iter().chain(mark).chain(signatures).chain(field).collect();
        (self.edited(Ours::Yes, &on_top, completed), verdict)
    }

    /// §9: who brings an unconsumed nonce has level 3. A copy that leaves could be brought back by anybody, so only messages
    /// that stay here are in the log.
    async fn issue_if_local(&self, certified: &Certified, envelope: &zi2_flow::Envelope, now: Timestamp) {
        if self.live.issued_log && envelope.all_hosted(&self.live.sender.hosted) {
            self.issue(certified, now).await;
        }
    }

    /// Remembers a nonce before the message leaves. Without the entry the message has a lower level where it comes in.
    async fn issue(&self, certified: &Certified, now: Timestamp) {
        let issued = self.live.services.store.issue(certified.signed.id(), now.day());
        if !matches!(timeout(ISSUE_TIME, issued).await, Ok(Ok(()))) {
            self.desk.metrics.issue_failed();
        }
    }

    fn leave(
        &self,
        how: Unsigned,
        reason: Reason,
        from: Option<Domain>,
        ours: Ours,
        on_top: &[NewField],
    ) -> (Outcome, Verdict) {
        let hop = self.bounced.iter().flat_map(|(fields, _)| fields).cloned();
        let on_top: Vec<_> = hop.chain(on_top.iter().cloned()).collect();
        (self.edited(ours, &on_top, &[]), Verdict::Unsigned(how, reason, from, self.left(ours, reason)))
    }

    /// What is not certified for this reason is not signed either, if it is ours at all.
    fn left(&self, ours: Ours, reason: Reason) -> Signatures {
        let sender = &self.live.sender;
        let is_asked = |asked: bool| asked && ours == Ours::Yes;
        let dkim = is_asked(sender.dkim.is_some()).then_some(DkimSigned::Unsigned(reason));
        let why = Dkim2Unsigned::of_departure(reason);
        let dkim2 = is_asked(sender.dkim2.is_some()).then_some(Dkim2Signed::Unsigned(why));
        let dkim2 = self.bounced.as_ref().map(|(_, signed)| *signed).or(dkim2);
        Signatures { dkim: dkim.unwrap_or(DkimSigned::NotAsked), dkim2: dkim2.unwrap_or(Dkim2Signed::NotAsked) }
    }

    fn edited(&self, ours: Ours, on_top: &[NewField], at_the_end: &[NewField]) -> Outcome {
        let kinds: &[Kind] = match ours {
            Ours::Yes => &[Kind::Certified, Kind::Verified, Kind::Results, Kind::Snapshot],
            Ours::No => &[Kind::Verified, Kind::Results, Kind::Snapshot],
        };
        let Ok(removals) = self.written.removals(kinds) else { return too_many_forged() };
        // Fields of ours that do not fit the protocol are a fault of ours: the message leaves without them.
        let edits = header_edits(&removals, on_top, at_the_end).or_else(|_| header_edits(&removals, &[], &[]));
        delivered(edits.unwrap_or_else(|_| Edits::new()))
    }
}

/// The signatures of DKIM, and what log and figures say of them.
fn signatures(dkim: DkimOutcome) -> (Vec<NewField>, DkimSigned) {
    match dkim {
        DkimOutcome::Off => (Vec::new(), DkimSigned::NotAsked),
        DkimOutcome::Unsigned(reason) => (Vec::new(), DkimSigned::Unsigned(reason)),
        DkimOutcome::Signed(fields) => {
            let count = fields.len();
            (fields, DkimSigned::Signed(count))
        }
    }
}

/// The fields of DKIM2, and what log and figures say of them.
fn hop(dkim2: Option<std::result::Result<Vec<NewField>, Dkim2Unsigned>>) -> (Vec<NewField>, Dkim2Signed) {
    match dkim2 {
        None => (Vec::new(), Dkim2Signed::NotAsked),
        Some(Ok(fields)) => (fields, Dkim2Signed::First),
        Some(Err(why)) => (Vec::new(), Dkim2Signed::Unsigned(why)),
    }
}

/// What became of it, for log and figures.
enum Verdict {
    Signed(Option<Domain>, Signatures),
    Unsigned(Unsigned, Reason, Option<Domain>, Signatures),
}

impl Message for Egress {
    fn recipient(&mut self, recipient: Envelope<'_>, _: &Macros) {
        self.wrapper.to(recipient.address);
    }

    fn header(&mut self, name: &[u8], value: &[u8]) {
        let kind = self.written.note(name, value, self.live.authserv_id.as_str());
        if kind == Some(Kind::Certified) {
            return; // it will be removed, so it is not there for the signature
        }
        self.fields.note(name, value, self.space);
    }

    fn end_of_headers(&mut self, _: &Macros) -> Next {
        if let Some(header) = self.fields.header.take() {
            self.plan = caught(|| self.plan(header)).unwrap_or(Plan::Broken);
        }
        match self.plan {
            Plan::Sign { .. } => Next::More,
            _ if self.bounce.is_some() => Next::More,
            _ => Next::Enough,
        }
    }

    fn body(&mut self, chunk: &[u8]) -> Next {
        if let Some(bounce) = &mut self.bounce {
            bounce.body(chunk);
        }
        if let Plan::Sign { outbound, .. } = &mut self.plan
            && caught(|| outbound.body(chunk)).is_none()
        {
            self.plan = Plan::Broken;
        }
        match (&self.plan, &self.bounce) {
            (Plan::Broken, None) => Next::Enough,
            _ => Next::More,
        }
    }

    async fn end(mut self, macros: &Macros) -> Outcome {
        let began = Instant::now();
        if let Some(bounce) = self.bounce.take() {
            self.bounced = Some(bounce.finish(&self.live).await);
        }
        let (outcome, verdict) = self.carry_out().await;
        let signer = self.live.sender.signer.as_ref().map(|(identity, _)| identity);
        let result = match &verdict {
            Verdict::Signed(from, signed) => Result::Signed { from: from.as_ref(), identity: signer, signed: *signed },
            Verdict::Unsigned(how, reason, from, signed) => {
                Result::Unsigned { how: *how, reason: *reason, from: from.as_ref(), signed: *signed }
            }
        };
        let line = Line {
            queue_id: macros.value("i"),
            result,
            queries: 0,
            sender: self.wrapper.logged_sender(self.live.addresses),
            login: match &self.submitter {
                Some(Submitter::Login(login)) => logged(login.as_bytes(), self.live.addresses),
                _ => None,
            },
            recipients: self.wrapper.count(),
            took: began.elapsed(),
        };
        line.tell(&self.desk.metrics);
        outcome
    }
}

impl Fields {
    fn note(&mut self, name: &[u8], value: &[u8], space: LeadingSpace) {
        self.has_date |= name.eq_ignore_ascii_case(b"Date");
        self.has_message_id |= name.eq_ignore_ascii_case(b"Message-ID");
        if let Some(mut header) = self.header.take() {
            self.header = caught(|| {
                push(&mut header, name, value, space);
                header
            });
        }
    }
}

/// Who handed the message in. A login is what the server authenticated, never what the message says of itself.
fn submitter(opening: &Opening<'_>) -> Option<Submitter> {
    let login = opening.macros.value("{auth_authen}").filter(|login| !login.is_empty());
    if let Some(login) = login {
        return std::str::from_utf8(login).ok().map(|login| Submitter::Login(login.to_owned()));
    }
    let address = opening.peer.address?;
    let ip = address.ip().to_canonical();
    // Postfix shows sendmail(1) as localhost with port 0, which no connection from the network can have.
    if address.port() == 0 && ip.is_loopback() && opening.peer.host.as_ref() == b"localhost" {
        return Some(Submitter::Local(None));
    }
    Some(Submitter::Network(ip))
}
