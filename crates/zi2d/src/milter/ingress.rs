//! An incoming message: verified, cleared of forged results, marked with ours.

use std::sync::Arc;
use std::time::Instant;

use zi2_config::{Bounces, ChainMode, IngressMode};
use zi2_flow::{CheckedBounce, Client, Dkim2Rules, Inbound, Outcome as Judged, ReceivedBounce};
use zi2_mail::{Header, HeaderBuilder, NewField, Timestamp};
use zi2_milter::{Envelope, LeadingSpace, Macros, Message, Next, Opening, Outcome};
use zi2_sig::dkim2;
use zi2_store::{Snapshot, SnapshotKey};
use zi2_trust::render::{authentication_results, existing_chain, verified};
use zi2_trust::{Dmarc, Judgement, Submission};

use super::edits::{delivered, header_edits, refused, too_many_forged};
use super::envelope::Wrapper;
use super::guard::{caught, caught_future};
use super::written::{Kind, SNAPSHOT_FIELD, Written};
use crate::limits::ADDRESS;
use crate::report::{Existing, Line, Result};
use crate::{Desk, Live};

/// An incoming message.
pub struct Ingress {
    desk: Arc<Desk>,
    live: Arc<Live>,
    wrapper: Wrapper,
    client: Client,
    space: LeadingSpace,
    written: Written,
    header: Option<HeaderBuilder>,
    /// None once a fault of ours has ended the judging.
    inbound: Option<(Inbound, Timestamp)>,
}

impl Ingress {
    pub(super) fn open(desk: &Arc<Desk>, opening: Opening<'_>) -> Ingress {
        let live = desk.live();
        Ingress {
            desk: Arc::clone(desk),
            wrapper: Wrapper::from(opening.mail.address, live.addresses),
            client: client(&opening, &live),
            live,
            space: opening.negotiated.leading_space(),
            written: Written::default(),
            header: Some(Header::builder()),
            inbound: None,
        }
    }

    fn begin(&self, header: HeaderBuilder) -> (Inbound, Timestamp) {
        let (now, header) = (self.desk.clock.now(), header.finish());
        let mut inbound = Inbound::begin(&header, &self.live.services, &self.live.receiver, now);
        if let Some((rules, _)) = &self.live.chain {
            inbound.evaluate_chain(&header, &self.client, rules);
            if let Some(envelope) = self.wrapper.dkim2(&self.client.mail_from) {
                inbound.evaluate_dkim2(&header, &envelope, rules.deadline);
                if self.is_acceptable() {
                    inbound.watch_copies(&envelope);
                }
                if self.live.services.snapshots.is_some() || self.house().is_some() {
                    inbound.keep_received();
                }
            }
        }
        (inbound, now)
    }

    /// Who we are to a bounce, where this may be one.
    fn house(&self) -> Option<&Arc<Dkim2Rules>> {
        let is_null = matches!(self.client.mail_from.as_slice(), b"<>" | b"");
        self.live.dkim2.as_ref().filter(|_| is_null && self.live.bounces != Bounces::Off)
    }

    /// Whether the header section is no reason to refuse the message.
    fn is_acceptable(&self) -> bool {
        self.live.mode == IngressMode::Monitor || self.written.removals(FORGEABLE).is_ok()
    }

    /// The judgement with what shall be remembered of it; a fault of ours leaves neither.
    async fn judge(&mut self) -> Option<(Judged, Option<CheckedBounce>, Timestamp)> {
        let (inbound, now) = self.inbound.take()?;
        let envelope = self.wrapper.envelope();
        let judged = caught_future(inbound.finish(&envelope, Submission::Outside, Dmarc::Unknown)).await?;
        if let Some(seen) = judged.seen(now) {
            self.live.services.store.record(seen);
        }
        let bounce = caught_future(self.check_bounce(&judged, now)).await?;
        Some((judged, bounce, now))
    }

    /// Whose mail it is about, if it is a bounce that is signed. One that is not stays what it is without DKIM2.
    async fn check_bounce(&self, judged: &Judged, now: Timestamp) -> Option<CheckedBounce> {
        let rules = self.house()?;
        let dkim2::Outcome::Full(evidence) = &judged.dkim2.as_ref()?.outcome else { return None };
        let envelope = self.wrapper.dkim2(&self.client.mail_from)?;
        let bounce = ReceivedBounce { evidence, received: judged.received.as_ref()?, envelope: &envelope, now };
        bounce.check(rules, &self.live.services.resolver).await
    }

    /// Keeps what may be sent on, and gives the field by which it will be found: only what is proven, so that a stranger
    /// fills no disk with what nobody would sign, and so that a forgery with the DKIM2 fields of a good message is not taken
    /// for that one, changed here.
    fn keep(&self, judged: &Judged, now: Timestamp) -> Option<NewField> {
        let snapshots = self.live.services.snapshots.as_ref()?;
        let verdict = judged.dkim2.as_ref().map(|verdict| &verdict.outcome);
        let (Some(dkim2::Outcome::Full(_)), Some(received)) = (verdict, &judged.received) else { return None };
        let snapshot = Snapshot {
            received: now,
            mail_from: self.client.mail_from.clone(),
            recipients: self.wrapper.recipients(),
            section: received.section().to_vec(),
            body: received.body().to_vec(),
        };
        let key = SnapshotKey::from_octets(self.desk.clock.random_key()?);
        let field = NewField::unfolded(SNAPSHOT_FIELD, &key.to_string()).ok()?;
        snapshots.keep(key, snapshot);
        Some(field)
    }

    fn answer(&self, judgement: &Judgement, chain: Existing<'_>, now: Timestamp, kept: Option<NewField>) -> Outcome {
        if self.live.mode == IngressMode::Monitor {
            return delivered(zi2_milter::Edits::new());
        }
        if let (Some(CheckedBounce::Forged(fault)), Bounces::Reject) = (chain.bounce, self.live.bounces) {
            return refused((5, 7, 1), &fault.to_string());
        }
        let Ok(removals) = self.written.removals(FORGEABLE) else {
            return too_many_forged();
        };
        let by = &self.live.authserv_id;
        // Words of a closed set and checked names always fit; were there ever another, the field is left out.
        let ours = [verified(judgement, by, now), authentication_results(judgement, by)];
        let written = matches!(self.live.chain, Some((_, ChainMode::Mark)));
        let chain = chain.results.filter(|_| written).map(|results| existing_chain(results, chain.dkim2, by));
        let ours: Vec<_> = ours.into_iter().chain(chain).flatten().chain(kept).collect();
        let edits = header_edits(&removals, &ours, &[]).or_else(|_| header_edits(&removals, &[], &[]));
        edits.map_or_else(|_| too_many_forged(), delivered)
    }
}

/// What only we may write into a message that comes in.
const FORGEABLE: &[Kind] = &[Kind::Verified, Kind::Results, Kind::Snapshot];

impl Message for Ingress {
    fn recipient(&mut self, recipient: Envelope<'_>, _: &Macros) {
        self.wrapper.to(recipient.address);
    }

    fn header(&mut self, name: &[u8], value: &[u8]) {
        self.written.note(name, value, self.live.authserv_id.as_str());
        if let Some(mut header) = self.header.take() {
            self.header = caught(|| {
                push(&mut header, name, value, self.space);
                header
            });
        }
    }

    fn end_of_headers(&mut self, _: &Macros) -> Next {
        if let Some(header) = self.header.take() {
            self.inbound = caught(|| self.begin(header));
        }
        match &self.inbound {
            Some((inbound, _)) if inbound.wants_body() => Next::More,
            _ => Next::Enough,
        }
    }

    fn body(&mut self, chunk: &[u8]) -> Next {
        let Some((mut inbound, now)) = self.inbound.take() else { return Next::Enough };
        self.inbound = caught(|| {
            inbound.body(chunk);
            (inbound, now)
        });
        Next::More
    }

    async fn end(mut self, macros: &Macros) -> Outcome {
        let began = Instant::now();
        let judged = self.judge().await;
        let fallback = Judgement::internal_error();
        let (judgement, now) = match &judged {
            Some((judged, _, now)) => (&judged.judgement, *now),
            None => (&fallback, caught(|| self.desk.clock.now()).unwrap_or(Timestamp::from_secs(0))),
        };
        let chain = judged.as_ref().map(|(judged, bounce, _)| Existing::of(judged, bounce.as_ref()));
        let chain = chain.unwrap_or_default();
        // What changes nothing has no way to say which message this is.
        let keeps = judged.as_ref().filter(|_| self.live.mode != IngressMode::Monitor);
        let kept = keeps.and_then(|(judged, _, now)| caught(|| self.keep(judged, *now)).flatten());
        let outcome = self.answer(judgement, chain, now, kept);
        let line = Line {
            queue_id: macros.value("i"),
            result: Result::Verified(judgement, chain),
            queries: judged.as_ref().map_or(0, |(judged, ..)| judged.dns_queries),
            sender: self.wrapper.logged_sender(self.live.addresses),
            login: None,
            recipients: self.wrapper.count(),
            took: began.elapsed(),
        };
        line.tell(&self.desk.metrics);
        if let Some(took) = judged.as_ref().and_then(|(judged, ..)| judged.key_search) {
            self.desk.metrics.searched(judgement, took);
        }
        outcome
    }
}

/// The client for SPF. Whoever logged in sends from wherever they are, so their address says nothing.
fn client(opening: &Opening<'_>, live: &Live) -> Client {
    let logged_in = opening.macros.value("{auth_authen}").is_some_and(|login| !login.is_empty());
    if live.chain.is_none() {
        return Client::default();
    }
    // No mail server takes a longer sender. If one did, it would have no domain for SPF, and DMARC would still be judged.
    let mail_from = Some(opening.mail.address).filter(|sender| sender.len() <= ADDRESS);
    Client {
        address: opening.peer.address.map(|address| address.ip()).filter(|_| !logged_in),
        helo: opening.peer.helo.to_vec(),
        mail_from: mail_from.unwrap_or_default().to_vec(),
    }
}

/// A field as the wire had it. Where the MTA has taken the space after the colon, there most likely was one.
pub(super) fn push(header: &mut HeaderBuilder, name: &[u8], value: &[u8], space: LeadingSpace) {
    match space {
        LeadingSpace::Kept => header.push(name, value),
        LeadingSpace::Lost => header.push(name, &[b" ", value].concat()),
    }
}
