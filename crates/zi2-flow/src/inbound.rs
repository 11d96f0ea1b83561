//! Inbound: one message verified, its keys searched while the body still arrives, and judged.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use zi2_chain::ChainResults;
use zi2_config::HostedDomains;
use zi2_keys::{Budget, Search};
use zi2_mail::{AddrSpec, DigestPlan, Domain, Header, Timestamp, parse_envelope_address};
use zi2_sig::{Attested, Facts, KeyQuery, Unambiguous, Verifier};
use zi2_trust::{
    Admission, Admitted, Circumstances, Delegation, Dmarc, Findings, Held, HistoryPolicy, Holdings, Judgement,
    KeyHistory, Ladder, PageName, PublishedPolicy, ReplayMode, ReplayVerdict, Seen, Submission, TrustedSealers, judge,
};

use crate::Services;
use crate::background::Background;
use crate::chain::{Arrival, Chain, ChainRules, Client};
use crate::pass::Pass;

/// What the ingress side goes by. Built once per configuration.
#[derive(Clone, Debug)]
pub struct ReceiverRules {
    /// Seconds for which a certification is fresh.
    pub window: u64,
    /// Whether the page's DNS name counts.
    pub page_name: PageName,
    /// How long the end of a message may wait for keys, and again for the store.
    pub deadline: Duration,
    /// Look-ups one message may cost.
    pub queries: u32,
    /// Time all look-ups of one message may take, in the background.
    pub time: Duration,
    /// What is done about replays.
    pub replay_mode: ReplayMode,
    /// Recipients beyond To and Cc one certification may reach.
    pub allowance: u32,
    /// The thresholds of history.
    pub history: HistoryPolicy,
    /// Sealers of ARC whose word counts where a message was changed.
    pub sealers: TrustedSealers,
    /// Domains hosted here.
    pub hosted: HostedDomains,
    /// Our own keys.
    pub local_keys: Vec<Held>,
    /// Keys held from direct exchange.
    pub exchanged: Vec<Held>,
}

/// The envelope recipients of a message, as far as they can be read.
#[derive(Clone, Debug, Default)]
pub struct Envelope {
    recipients: Vec<AddrSpec>,
    unread: usize,
}

impl Envelope {
    /// The recipients of RCPT arguments, with or without angle brackets.
    pub fn of<A: AsRef<[u8]>>(arguments: impl IntoIterator<Item = A>) -> Envelope {
        let mut envelope = Envelope::default();
        for argument in arguments {
            match parse_envelope_address(argument.as_ref()) {
                Some(recipient) => envelope.recipients.push(recipient),
                None => envelope.unread = envelope.unread.saturating_add(1),
            }
        }
        envelope
    }

    /// Whether every recipient is known to be hosted here, so that no copy leaves. False for an empty envelope.
    pub fn all_hosted(&self, hosted: &HostedDomains) -> bool {
        let here = |recipient: &AddrSpec| recipient.domain().is_some_and(|domain| hosted.contains(domain));
        self.unread == 0 && !self.recipients.is_empty() && self.recipients.iter().all(here)
    }

    /// Whether a recipient's domain is hosted here.
    pub fn any_hosted(&self, hosted: &HostedDomains) -> bool {
        self.recipients.iter().filter_map(AddrSpec::domain).any(|domain| hosted.contains(domain))
    }
}

/// The end of the matter.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The judgement.
    pub judgement: Judgement,
    /// The facts it rests on.
    pub facts: Facts,
    /// Questions put to DNS.
    pub dns_queries: u32,
    /// How long keys were searched, if they were and if that has ended.
    pub key_search: Option<Duration>,
    /// What DMARC said, as far as that counts for history and suspicion.
    pub dmarc: Dmarc,
    /// The existing chain, if it was evaluated.
    pub chain: Option<ChainResults>,
    siblings: Vec<zi2_sig::PublicKey>,
}

/// A message being verified.
pub struct Inbound {
    verifier: Verifier,
    /// Shared by all who want something of the body.
    pass: Pass,
    services: Services,
    rules: Arc<ReceiverRules>,
    now: Timestamp,
    budget: Arc<Budget>,
    past: Option<Background<Option<Vec<KeyHistory>>>>,
    keys: Option<Background<(Findings, Duration)>>,
    policy: Option<Background<PublishedPolicy>>,
    chain: Option<Chain>,
}

impl Inbound {
    /// Reads the header section and starts, in the background, all that must be asked. Needs a tokio runtime.
    pub fn begin(header: &Header<'_>, services: &Services, rules: &Arc<ReceiverRules>, now: Timestamp) -> Inbound {
        let mut plan = DigestPlan::new();
        let verifier = Verifier::new(header, now, rules.window, &mut plan);
        let budget = Arc::new(Budget::new(rules.queries, rules.time));
        let mut inbound = Inbound {
            verifier,
            pass: Pass::Asked(plan),
            services: services.clone(),
            rules: Arc::clone(rules),
            now,
            budget,
            past: None,
            keys: None,
            policy: None,
            chain: None,
        };
        inbound.keys = inbound.verifier.query().cloned().map(|query| inbound.search(query));
        if let Some(from) = inbound.verifier.from().cloned() {
            // §2: nothing is asked of the network about an ambiguous message; and nothing is expected of our own domains.
            if inbound.keys.is_none() && inbound.verifier.message().is_some() {
                inbound.policy = Some(inbound.ask_policy(from.clone()));
            }
            inbound.past = Some(inbound.read_past(from));
        }
        inbound
    }

    /// Evaluates the existing chain as well, for a message of this client. DMARC's result then counts, whatever
    /// [`Inbound::finish`] is told. Call it before the body: afterwards it does nothing.
    pub fn evaluate_chain(&mut self, header: &Header<'_>, client: &Client, rules: &ChainRules) {
        let Pass::Asked(plan) = &mut self.pass else { return };
        let arrival = Arrival { header, from: self.verifier.from(), client, now: self.now };
        self.chain = Some(Chain::begin(&arrival, plan, &self.services, &self.budget, rules));
    }

    /// Whether the rest of the body can still change the outcome.
    pub fn wants_body(&self) -> bool {
        self.verifier.wants_body() || self.chain.as_ref().is_some_and(Chain::wants_body)
    }

    /// Takes the next octets of the body.
    pub fn body(&mut self, chunk: &[u8]) {
        if self.wants_body() {
            self.pass.feed(chunk);
        }
    }

    /// The judgement, at the latest two deadlines from now, one for keys and policy, one for the store, and the chain's own
    /// deadline where that is evaluated.
    pub async fn finish(mut self, envelope: &Envelope, submission: Submission, dmarc: Dmarc) -> Outcome {
        let deadline = Instant::now() + self.rules.deadline;
        let (findings, key_search) = match self.keys.take() {
            Some(keys) => keys.by(deadline).await.unzip(),
            None => (None, None),
        };
        if let Some(findings) = &findings {
            self.verifier.answer(findings.answer.clone());
        }
        let past = match self.past.take() {
            Some(past) => past.by(deadline).await.flatten(),
            None => None,
        };
        let Inbound { verifier, pass, services, rules, now, budget, policy, chain, .. } = self;
        let digests = pass.finish();
        let chain = match chain {
            Some(chain) => Some(chain.finish(&digests).await),
            None => None,
        };
        let dmarc = chain.as_ref().map_or(dmarc, |chain| Dmarc::of(chain.dmarc.as_ref()));
        let facts = verifier.finish(&digests);
        let delegation = rules.delegation(&facts, chain.as_ref(), now);
        let admitted = admit(&services, &rules, &facts, delegation.as_ref(), envelope).await;
        let around = Circumstances {
            now,
            submission: match (submission, admitted.issued) {
                (Submission::Outside, false) => Submission::Outside,
                _ => Submission::Here,
            },
            from_hosted: facts.from.as_ref().is_some_and(|from| rules.hosted.contains(from)),
            recipient_hosted: envelope.any_hosted(&rules.hosted),
            published: PublishedPolicy::Nothing,
            dmarc,
            past: past.as_deref().unwrap_or_default(),
            history: &rules.history,
            replay: admitted.replay,
            replay_mode: rules.replay_mode,
            findings: findings.as_ref(),
            delegation: delegation.as_ref(),
        };
        let published = match delegation {
            None => published(&services, &facts, policy, &budget, deadline).await,
            Some(_) => PublishedPolicy::Nothing, // §9: never marked
        };
        let judgement = judge(&facts, &Circumstances { published, ..around });
        let siblings = findings.map(|f| f.siblings).unwrap_or_default();
        Outcome { judgement, facts, dns_queries: budget.spent(), key_search, dmarc, chain, siblings }
    }

    fn search(&self, query: KeyQuery) -> Background<(Findings, Duration)> {
        let (services, rules, budget) = (self.services.clone(), Arc::clone(&self.rules), Arc::clone(&self.budget));
        Background::spawn(move |mut stop| async move {
            let began = Instant::now();
            let hosted = rules.hosted.contains(&query.from);
            let holdings = Holdings { local: &rules.local_keys, exchanged: &rules.exchanged, hosted };
            let ladder = Ladder::new(query, holdings, rules.page_name);
            let mut search = Search::new(ladder, &services.resolver, &budget, &services.documents);
            tokio::select! {
                biased;
                () = search.run() => {}
                _ = &mut stop => {} // the deadline: what is known by now has to do
            }
            (search.findings(), began.elapsed())
        })
    }

    fn read_past(&self, from: Domain) -> Background<Option<Vec<KeyHistory>>> {
        let store = self.services.store.clone();
        Background::spawn(move |_| async move { store.past(from).await.ok() })
    }

    fn ask_policy(&self, from: Domain) -> Background<PublishedPolicy> {
        let (resolver, budget) = (self.services.resolver.clone(), Arc::clone(&self.budget));
        Background::spawn(move |_| async move {
            zi2_keys::policy(&resolver, &from, &budget).await.unwrap_or(PublishedPolicy::Nothing)
        })
    }
}

impl Outcome {
    /// What the store shall remember, if anything: only a pass, and only where DMARC does not fail (zi2.md §9).
    pub fn seen(&self, at: Timestamp) -> Option<Seen> {
        let certified = self.judgement.certified.filter(|_| self.dmarc != Dmarc::Fail)?;
        Some(Seen {
            domain: self.judgement.from.clone()?,
            key: certified.key(),
            sid: self.judgement.sid.clone()?,
            kid: certified.kid(),
            at,
            siblings: self.siblings.clone(),
        })
    }
}

impl ReceiverRules {
    /// On whose word a changed message passes, where the chain is there to say so.
    fn delegation(&self, facts: &Facts, chain: Option<&ChainResults>, now: Timestamp) -> Option<Delegation> {
        self.sealers.delegation(facts, chain.map(|chain| &chain.arc), now.sub_secs(self.window)).ok()
    }
}

/// Asks and tells the replay store in one step; only an attestation that may pass gets that far.
async fn admit(
    services: &Services,
    rules: &ReceiverRules,
    facts: &Facts,
    delegation: Option<&Delegation>,
    envelope: &Envelope,
) -> Admitted {
    let unknown = |replay| Admitted { replay, issued: false };
    let attested = match &facts.outcome {
        zi2_sig::Outcome::Verified(attested) => Some(attested),
        zi2_sig::Outcome::Tampered(_, attested) if delegation.is_some() => Some(attested),
        _ => None,
    };
    let (Some(attested), Some(message)) = (attested, &facts.message) else {
        return unknown(ReplayVerdict::Fresh);
    };
    if rules.replay_mode == ReplayMode::Off {
        return unknown(ReplayVerdict::Fresh);
    }
    let admission = admission(attested, message, envelope, rules.allowance);
    let answer = timeout_at(Instant::now() + rules.deadline, services.store.admit(admission)).await;
    answer.ok().and_then(Result::ok).unwrap_or(unknown(ReplayVerdict::Unknown))
}

fn admission(attested: &Attested, message: &Unambiguous, envelope: &Envelope, allowance: u32) -> Admission {
    let recipients: Vec<String> = envelope.recipients.iter().map(AddrSpec::normalized).collect();
    Admission::new(attested, message, recipients.iter().map(String::as_str), allowance)
}

/// The domain's own policy, asked for only where it can matter: there is no valid header.
async fn published(
    services: &Services,
    facts: &Facts,
    asked: Option<Background<PublishedPolicy>>,
    budget: &Arc<Budget>,
    deadline: Instant,
) -> PublishedPolicy {
    if let Some(asked) = asked {
        return asked.by(deadline).await.unwrap_or(PublishedPolicy::Nothing);
    }
    let (Some(from), true) = (&facts.from, facts.message.is_some()) else { return PublishedPolicy::Nothing };
    match facts.outcome {
        zi2_sig::Outcome::Failed(_) | zi2_sig::Outcome::Tampered(..) => {
            let answer = timeout_at(deadline, zi2_keys::policy(&services.resolver, from, budget)).await;
            answer.ok().and_then(Result::ok).unwrap_or(PublishedPolicy::Nothing)
        }
        _ => PublishedPolicy::Nothing,
    }
}
