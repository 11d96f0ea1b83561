//! Outbound: who may be certified (zi2.md §9), and the certification itself.

use std::sync::Arc;

use zi2_config::{HostedDomains, OnMismatch, SenderDecision, SenderMap, Submitter};
use zi2_mail::{AddrSpec, BodyDigester, DigestPlan, Digests, Domain, Header, NewField, Timestamp};
use zi2_sig::{
    Candidate, Form, Identity, KeyAnswer, Origin, Refusal, Signed, Signer, SigningKey, Unambiguous, Verifier,
};
use zi2_trust::{
    Circumstances, Dmarc, Findings, HistoryPolicy, Judgement, PublishedPolicy, Reason, ReplayMode, ReplayVerdict,
    Submission, judge,
};

use crate::Envelope;

/// What the egress side goes by. Built once per configuration.
pub struct SenderRules {
    /// The key in use and its names; nothing while there is none.
    pub signer: Option<(Identity, Arc<SigningKey>)>,
    /// Which form is signed.
    pub form: Form,
    /// Who may send as whom.
    pub senders: SenderMap,
    /// Domains hosted here.
    pub hosted: HostedDomains,
    /// What happens when a login may not send as the From domain.
    pub on_mismatch: OnMismatch,
    /// The freshness window, in seconds: our own verifier looks at what we sign.
    pub window: u64,
}

/// The decision at the end of the header section.
pub enum Departure {
    /// The message will be certified.
    Certify(Box<Outbound>),
    /// It goes out as it is.
    Leave(Reason, Option<Domain>),
    /// It is marked for local recipients: the login may not use this From domain.
    Mismatch(Option<Domain>),
    /// It is refused, because the operator wants mismatches refused.
    Reject(Option<Domain>),
}

/// A message on its way to be certified.
pub struct Outbound {
    signer: Signer,
    body: BodyDigester,
    key: Arc<SigningKey>,
    time: Timestamp,
    window: u64,
}

/// A certified message's fields.
#[derive(Clone, Debug)]
pub struct Certified {
    /// The signature.
    pub signed: Signed,
    /// For a recipient hosted here: what our verifier says of our own output, level 3.
    pub local: Option<Judgement>,
}

impl SenderRules {
    /// Decides about a message. Earlier ZI2 fields must have been left out of `header`.
    pub fn depart(&self, header: &Header<'_>, submitter: &Submitter, now: Timestamp, nonce: [u8; 16]) -> Departure {
        let message = match Unambiguous::check(header) {
            Ok(message) => message,
            Err(failure) => return Departure::Leave(Reason::from(&failure), None),
        };
        let from = message.domain().clone();
        if !self.hosted.contains(&from) {
            return Departure::Leave(Reason::NoneAbsent, Some(from)); // relayed, forwarded: not ours to speak for
        }
        if let SenderDecision::Refused(_) = self.senders.allows(submitter, message.from()) {
            // An unauthenticated stranger must never be able to have mail refused by pretending; only a login is rejected.
            let refusing = self.on_mismatch == OnMismatch::Reject && matches!(submitter, Submitter::Login(_));
            return if refusing { Departure::Reject(Some(from)) } else { Departure::Mismatch(Some(from)) };
        }
        let Some((identity, key)) = &self.signer else { return Departure::Leave(Reason::KeyMissing, Some(from)) };
        let mut plan = DigestPlan::new();
        match Signer::new(header, identity, self.form, now, nonce, &mut plan) {
            Ok(signer) => {
                let (body, key) = (plan.start(), Arc::clone(key));
                let outbound = Outbound { signer, body, key, time: now, window: self.window };
                Departure::Certify(Box::new(outbound))
            }
            Err(refusal) => Departure::Leave(Reason::from(&refusal), Some(from)),
        }
    }
}

impl Outbound {
    /// The From mailbox.
    pub fn from(&self) -> &AddrSpec {
        self.signer.message().from()
    }

    /// Takes the next octets of the body.
    pub fn body(&mut self, chunk: &[u8]) {
        self.body.feed(chunk);
    }

    /// Signs, and for recipients hosted here verifies our own output (zi2.md §10).
    pub fn finish(
        self,
        header: &Header<'_>,
        envelope: &Envelope,
        hosted: &HostedDomains,
    ) -> Result<Certified, Refusal> {
        let digests = self.body.finish();
        let signed = self.signer.finish(&digests, &self.key)?;
        let own = Own { field: &signed.field, header, digests: &digests, key: &self.key };
        let local = envelope.any_hosted(hosted).then(|| own.judge(self.time, self.window));
        Ok(Certified { signed, local })
    }
}

/// A message as we certified it.
struct Own<'a> {
    field: &'a NewField,
    header: &'a Header<'a>,
    digests: &'a Digests,
    key: &'a SigningKey,
}

impl Own<'_> {
    /// The verifier on the signer's own output, with our own key and nothing else.
    fn judge(&self, now: Timestamp, window: u64) -> Judgement {
        let Own { field, header, digests, key } = self;
        let octets = [field.wire().as_bytes(), b"\r\n", header.octets()].concat();
        // What it asks of the body the signer has asked: we sign the body as it is.
        let mut verifier = Verifier::new(&Header::parse(&octets), now, window, &mut DigestPlan::new());
        let answer = KeyAnswer {
            candidates: vec![Candidate { key: key.public(), origin: Origin::Local }],
            ..KeyAnswer::default()
        };
        verifier.answer(answer.clone());
        let facts = verifier.finish(digests);
        let findings = Findings { answer, dnssec: None, confirmed: vec![key.public()], siblings: Vec::new() };
        judge(
            &facts,
            &Circumstances {
                now,
                submission: Submission::Here,
                from_hosted: true,
                recipient_hosted: true,
                published: PublishedPolicy::Nothing,
                dmarc: Dmarc::Unknown,
                past: &[],
                history: &HistoryPolicy::default(),
                replay: ReplayVerdict::Fresh,
                replay_mode: ReplayMode::Off,
                findings: Some(&findings),
                delegation: None,
            },
        )
    }
}

/// A Date field for a client that sent none (RFC 5322 §3.6.1), in UTC.
pub fn date_field(now: Timestamp) -> Option<NewField> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]; // day 0 was a Thursday
    let (year, month, day) = now.date();
    let weekday = WEEKDAYS.iter().cycle().nth(usize::try_from(now.day() % 7).ok()?)?;
    let month = MONTHS.get(usize::from(month).checked_sub(1)?)?;
    let second = now.secs() % 86_400;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    NewField::unfolded(
        "Date",
        &format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} +0000"),
    )
    .ok()
}

/// A Message-ID field for a client that sent none (RFC 5322 §3.6.4); `random` makes it unique.
pub fn message_id_field(random: &[u8; 16], host: &zi2_mail::HostName) -> Option<NewField> {
    let unique: String = random.iter().map(|b| format!("{b:02x}")).collect();
    NewField::unfolded("Message-ID", &format!("<{unique}@{host}>")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_back() {
        for secs in [0, 951_782_400, 1_777_400_000, 4_102_444_799] {
            let field = date_field(Timestamp::from_secs(secs)).unwrap();
            let value = field.milter_value().to_owned();
            assert_eq!(zi2_mail::parse_date(value.as_bytes()).unwrap().secs(), secs, "{value}");
        }
        assert!(
            date_field(Timestamp::from_secs(1_777_400_000)).unwrap().wire().contains("Tue, 28 Apr 2026 18:13:20 +0000")
        );
    }
}
