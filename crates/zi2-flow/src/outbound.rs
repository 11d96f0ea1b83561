//! Outbound: who may be certified (zi2.md §9) and signed with DKIM and DKIM2, the certification and the signatures.

use std::sync::Arc;

use zi2_config::{HostedDomains, OnMismatch, SenderDecision, SenderMap, Submitter};
use zi2_mail::{AddrSpec, DigestPlan, Digests, Domain, Header, NewField, Timestamp, format_date, parse_from};
use zi2_sig::dkim;
use zi2_sig::{Candidate, Form, Identity, KeyAnswer, Origin, Signed, Signer, SigningKey, Unambiguous, Verifier};
use zi2_trust::{
    Circumstances, Dmarc, Findings, HistoryPolicy, Judgement, PublishedPolicy, Reason, ReplayMode, ReplayVerdict,
    Submission, judge,
};

use crate::pass::Pass;
use crate::{Dkim2Rules, Dkim2Unsigned, DkimRules, Envelope, FirstHop, Leaving};

/// What the egress side goes by. Built once per configuration.
pub struct SenderRules {
    /// The key in use and its names; nothing while there is none.
    pub signer: Option<(Identity, Arc<SigningKey>)>,
    /// The keys of DKIM; nothing where mail is not signed.
    pub dkim: Option<Arc<DkimRules>>,
    /// What DKIM2 goes by; nothing where mail is not signed before it is queued.
    pub dkim2: Option<Arc<Dkim2Rules>>,
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
    /// The message will be certified, signed with DKIM, or both.
    Sign(Box<Outbound>),
    /// It goes out as it is.
    Leave(Reason, Option<Domain>),
    /// It is marked for local recipients: the login may not use this From domain.
    Mismatch(Option<Domain>),
    /// It is refused, because the operator wants mismatches refused.
    Reject(Option<Domain>),
}

/// A message on its way to be signed. Its body is digested once for both signatures.
pub struct Outbound {
    from: AddrSpec,
    certifier: Result<(Signer, Arc<SigningKey>), Reason>,
    dkim: Option<Result<dkim::Signer, Reason>>,
    dkim2: Option<Result<FirstHop, Dkim2Unsigned>>,
    body: Pass,
    time: Timestamp,
    window: u64,
}

/// What became of a message on its way.
#[derive(Clone, Debug)]
pub struct Departed {
    /// The certification, or why there is none.
    pub certified: Result<Certified, Reason>,
    /// The signatures of DKIM.
    pub dkim: DkimOutcome,
    /// The fields of DKIM2, which go on top of all others; nothing where it was not asked for.
    pub dkim2: Option<Result<Vec<NewField>, Dkim2Unsigned>>,
}

/// What became of signing with DKIM. A failure never keeps a message.
#[derive(Clone, Debug)]
pub enum DkimOutcome {
    /// Mail is not signed here.
    Off,
    /// These fields go on top of the certification.
    Signed(Vec<NewField>),
    /// There is no signature.
    Unsigned(Reason),
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
        let checked = Unambiguous::check(header);
        let author = match &checked {
            Ok(message) => Some(message.from().clone()),
            // What is ambiguous in another way cannot be certified, but DKIM may sign it: it is known whose mail it is.
            Err(_) => self.dkim.as_ref().and_then(|_| only_author(header)),
        };
        let known = author.and_then(|from| Some((from.domain()?.clone(), from)));
        let Some((domain, from)) = known else {
            let reason = checked.as_ref().map_or_else(Reason::from, |_| Reason::HeaderSyntax);
            return Departure::Leave(reason, None);
        };
        if !self.hosted.contains(&domain) {
            return Departure::Leave(Reason::NoneAbsent, Some(domain)); // relayed, forwarded: not ours to speak for
        }
        if let SenderDecision::Refused(_) = self.senders.allows(submitter, &from) {
            // An unauthenticated stranger must never be able to have mail refused by pretending; only a login is rejected.
            let refusing = self.on_mismatch == OnMismatch::Reject && matches!(submitter, Submitter::Login(_));
            return if refusing { Departure::Reject(Some(domain)) } else { Departure::Mismatch(Some(domain)) };
        }
        let mut plan = DigestPlan::new();
        let certifier = self.certifier(header, now, nonce, &mut plan);
        let dkim = self.dkim.as_ref().map(|rules| dkim_signer(rules, header, &from, now, &mut plan));
        match (certifier, dkim) {
            (Err(reason), None | Some(Err(_))) if self.dkim2.is_none() => Departure::Leave(reason, Some(domain)),
            (certifier, dkim) => {
                let (body, window) = (Pass::Asked(plan), self.window);
                Departure::Sign(Box::new(Outbound { from, certifier, dkim, dkim2: None, body, time: now, window }))
            }
        }
    }

    fn certifier(
        &self,
        header: &Header<'_>,
        now: Timestamp,
        nonce: [u8; 16],
        plan: &mut DigestPlan,
    ) -> Result<(Signer, Arc<SigningKey>), Reason> {
        let (identity, key) = self.signer.as_ref().ok_or(Reason::KeyMissing)?;
        let signer =
            Signer::new(header, identity, self.form, now, nonce, plan).map_err(|refusal| Reason::from(&refusal))?;
        Ok((signer, Arc::clone(key)))
    }
}

/// The only mailbox of the only From field.
pub(crate) fn only_author(header: &Header<'_>) -> Option<AddrSpec> {
    let mut all = header.named("from");
    let only = all.next().filter(|_| all.next().is_none())?;
    parse_from(only.value()).ok()
}

fn dkim_signer(
    rules: &DkimRules,
    header: &Header<'_>,
    from: &AddrSpec,
    now: Timestamp,
    plan: &mut DigestPlan,
) -> Result<dkim::Signer, Reason> {
    let identities = rules.identities(from);
    if identities.is_empty() {
        return Err(Reason::KeyMissing);
    }
    plan.request_smtp();
    dkim::Signer::new(header, identities, &rules.recipe, now, plan).map_err(unsigned)
}

/// DKIM's refusals in the words that the log has for all of them.
fn unsigned(refusal: dkim::Refusal) -> Reason {
    match refusal {
        dkim::Refusal::FromNotSingle => Reason::HeaderDuplicate,
        dkim::Refusal::Section(_) => Reason::HeaderSyntax,
        dkim::Refusal::Unusable(_) | dkim::Refusal::Field(_) | dkim::Refusal::Key => Reason::InternalError,
    }
}

impl Outbound {
    /// The From mailbox.
    pub fn from(&self) -> &AddrSpec {
        &self.from
    }

    /// Signs with DKIM2 as well, on the same pass over the body. Call it before the body: afterwards it does nothing.
    pub fn sign_dkim2(&mut self, rules: &Dkim2Rules, leaving: &Leaving<'_>) {
        if let Pass::Asked(plan) = &mut self.body {
            self.dkim2 = Some(FirstHop::of_submitter(rules, leaving, plan));
        }
    }

    /// Takes the next octets of the body.
    pub fn body(&mut self, chunk: &[u8]) {
        self.body.feed(chunk);
    }

    /// Certifies, and for recipients hosted here verifies our own output (zi2.md §10); then DKIM signs, and covers the
    /// certification. DKIM2 is over none of that, and needs none of it.
    pub fn finish(self, header: &Header<'_>, envelope: &Envelope, hosted: &HostedDomains) -> Departed {
        let Outbound { certifier, dkim, dkim2, body, time, window, .. } = self;
        let digests = body.finish();
        let certified = certifier.and_then(|(signer, key)| {
            let signed = signer.finish(&digests, &key).map_err(|refusal| Reason::from(&refusal))?;
            let own = Own { field: &signed.field, header, digests: &digests, key: &key };
            let local = envelope.any_hosted(hosted).then(|| own.judge(time, window));
            Ok(Certified { signed, local })
        });
        let added = certified.as_ref().map_or(&[][..], |certified| std::slice::from_ref(&certified.signed.field));
        let dkim = match dkim {
            None => DkimOutcome::Off,
            Some(signer) => match signer.and_then(|signer| signatures(&signer, &digests, added)) {
                Ok(fields) => DkimOutcome::Signed(fields),
                Err(reason) => DkimOutcome::Unsigned(reason),
            },
        };
        let dkim2 = dkim2.map(|hop| hop.and_then(|hop| hop.finish(&digests)));
        Departed { certified, dkim, dkim2 }
    }
}

/// A body that a relay must change would not verify anywhere.
fn signatures(signer: &dkim::Signer, digests: &Digests, added: &[NewField]) -> Result<Vec<NewField>, Reason> {
    if let Some(Err(_)) = digests.smtp() {
        return Err(Reason::MessageNotSmtp);
    }
    signer.finish(digests, added).map_err(unsigned)
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
                restoration: None,
                delegation: None,
            },
        )
    }
}

/// A Date field for a client that sent none (RFC 5322 §3.6.1), in UTC.
pub fn date_field(now: Timestamp) -> Option<NewField> {
    NewField::unfolded("Date", &format_date(now)).ok()
}

/// A Message-ID field for a client that sent none (RFC 5322 §3.6.4); `random` makes it unique.
pub fn message_id_field(random: &[u8; 16], host: &zi2_mail::HostName) -> Option<NewField> {
    let unique = u128::from_be_bytes(*random);
    NewField::unfolded("Message-ID", &format!("<{unique:032x}@{host}>")).ok()
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
