//! Inbound: one message verified, its keys searched while the body still arrives, and judged.

mod late;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use zi2_chain::ChainResults;
use zi2_keys::Search;
use zi2_mail::{DigestPlan, Domain, Header, Timestamp};
use zi2_sig::{Facts, KeyQuery, Verifier, dkim2};
use zi2_trust::{
    Circumstances, Copies, Dmarc, Findings, Holdings, Judgement, KeyHistory, Ladder, NotRestored, PublishedPolicy,
    ReplayMode, Restoration, Seen, Submission, judge,
};

use self::late::{admit, admit_copies, evaluated, published};
use crate::asking::Asking;
use crate::background::Background;
use crate::chain::{Arrival, Chain, ChainRules, Client};
use crate::changed::{Known, StandIn};
use crate::dkim2::Dkim2;
use crate::keep::{Keeper, Kept, Received};
use crate::pass::Pass;
use crate::{Envelope, ReceiverRules, Services};

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
    /// The DKIM2 verdict with its evidence, if that chain was evaluated.
    pub dkim2: Option<dkim2::Verdict>,
    /// The certified version of a message that was changed, or why there is none.
    pub restoration: Result<Restoration, NotRestored>,
    /// The message as it was received, if somebody asked for it and it could be kept.
    pub received: Option<Received>,
    /// Whether its DKIM2 copies came before, if that was asked.
    pub copies: Option<Copies>,
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
    asking: Asking,
    past: Option<Background<Option<Vec<KeyHistory>>>>,
    keys: Option<Background<(Findings, Duration)>>,
    policy: Option<Background<PublishedPolicy>>,
    chain: Option<Chain>,
    dkim2: Option<Dkim2>,
    copies: Option<dkim2::Envelope>,
    keeper: Option<Keeper>,
}

impl Inbound {
    /// Reads the header section and starts, in the background, all that must be asked. Needs a tokio runtime.
    pub fn begin(header: &Header<'_>, services: &Services, rules: &Arc<ReceiverRules>, now: Timestamp) -> Inbound {
        let mut plan = DigestPlan::new();
        let verifier = Verifier::new(header, now, rules.window, &mut plan);
        let asking = Asking::new(&services.resolver, rules.queries, rules.time);
        let mut inbound = Inbound {
            verifier,
            pass: Pass::Asked(plan),
            services: services.clone(),
            rules: Arc::clone(rules),
            now,
            asking,
            past: None,
            keys: None,
            policy: None,
            chain: None,
            dkim2: None,
            copies: None,
            keeper: None,
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
        self.chain = Some(Chain::begin(&arrival, plan, &self.asking, rules));
    }

    /// Evaluates the DKIM2 chain as well, for a message that came by this envelope and waits so long for its keys. Call it
    /// before the body: afterwards it does nothing.
    pub fn evaluate_dkim2(&mut self, header: &Header<'_>, envelope: &dkim2::Envelope, deadline: Duration) {
        let Pass::Asked(plan) = &mut self.pass else { return };
        let dkim2 = Dkim2::begin(header, envelope, self.now, plan, &self.asking, deadline);
        if dkim2.wants_digests() {
            let keeper = self.keeper.insert(Keeper::new(header));
            if dkim2.wants_body() {
                keeper.want_body(&self.rules.room);
            }
        }
        self.dkim2 = Some(dkim2);
    }

    /// Keeps the whole message for whoever sends it on, if it has a DKIM2 chain that may be extended: then it is in
    /// [`Outcome::received`]. Call it after [`Inbound::evaluate_dkim2`] and before the body.
    pub fn keep_received(&mut self) {
        if let (Pass::Asked(_), Some(keeper)) = (&self.pass, &mut self.keeper) {
            keeper.send_on(&self.rules.room);
        }
    }

    /// Asks the replay store, and tells it, about the DKIM2 copies for the recipients of this envelope, if the chain holds and
    /// the rules want it. Only for a message that will be accepted: what was refused comes again by right.
    pub fn watch_copies(&mut self, envelope: &dkim2::Envelope) {
        if self.rules.dkim2_replay != ReplayMode::Off {
            self.copies = Some(envelope.clone());
        }
    }

    /// Whether the rest of the body can still change the outcome.
    pub fn wants_body(&self) -> bool {
        self.verifier.wants_body()
            || self.chain.as_ref().is_some_and(Chain::wants_body)
            || self.dkim2.as_ref().is_some_and(Dkim2::wants_digests)
    }

    /// Takes the next octets of the body.
    pub fn body(&mut self, chunk: &[u8]) {
        if self.wants_body() {
            self.pass.feed(chunk);
            if let Some(keeper) = &mut self.keeper {
                keeper.feed(chunk);
            }
        }
    }

    /// The judgement, at the latest two deadlines from now, one for keys and policy, one for the store, and the chain's own
    /// deadline where that is evaluated.
    pub async fn finish(mut self, envelope: &Envelope, submission: Submission, dmarc: Dmarc) -> Outcome {
        let deadline = Instant::now() + self.rules.deadline;
        let (findings, key_search) = self.answered(deadline).await;
        let past = match self.past.take() {
            Some(past) => past.by(deadline).await.flatten(),
            None => None,
        };
        let Inbound { verifier, pass, services, rules, now, asking, policy, chain, dkim2, copies, keeper, .. } = self;
        let (digests, kept) = (Arc::new(pass.finish()), keeper.map(Keeper::finish));
        let (chain, mut dkim2) = evaluated(chain, dkim2, &digests, kept.as_ref()).await;
        let copies = admit_copies(&services, &rules, dkim2.as_mut(), copies).await;
        let dmarc = chain.as_ref().map_or(dmarc, |chain| Dmarc::of(chain.dmarc.as_ref()));
        let facts = verifier.finish(&digests);
        let known = Known {
            facts: &facts,
            keys: findings.as_ref().map(|findings| &findings.answer),
            chain: chain.as_ref(),
            dkim2: dkim2.as_ref(),
            kept: kept.as_ref(),
            digests: &digests,
        };
        let stand_in = StandIn::of(&known, &rules, now);
        let admitted = admit(&services, &rules, &facts, &stand_in, envelope).await;
        let published = match stand_in.is_any() {
            false => published(&services, &facts, policy, &asking.budget, deadline).await,
            true => PublishedPolicy::Nothing, // §9: never marked
        };
        let around = Circumstances {
            now,
            submission: match (submission, admitted.issued) {
                (Submission::Outside, false) => Submission::Outside,
                _ => Submission::Here,
            },
            from_hosted: facts.from.as_ref().is_some_and(|from| rules.hosted.contains(from)),
            recipient_hosted: envelope.any_hosted(&rules.hosted),
            published,
            dmarc,
            past: past.as_deref().unwrap_or_default(),
            history: &rules.history,
            replay: admitted.replay,
            replay_mode: rules.replay_mode,
            findings: findings.as_ref(),
            restoration: stand_in.restoration.as_ref().ok(),
            delegation: stand_in.delegation.as_ref(),
        };
        Outcome {
            judgement: judge(&facts, &around),
            facts,
            dns_queries: asking.budget.spent(),
            key_search,
            dmarc,
            chain,
            dkim2,
            restoration: stand_in.restoration,
            received: kept.and_then(Kept::sent_on),
            copies,
            siblings: findings.map(|findings| findings.siblings).unwrap_or_default(),
        }
    }

    /// Hands the verifier its keys: what was found, and how long that took if it has ended.
    async fn answered(&mut self, deadline: Instant) -> (Option<Findings>, Option<Duration>) {
        let (findings, took) = match self.keys.take() {
            Some(keys) => keys.by(deadline).await.unzip(),
            None => (None, None),
        };
        if let Some(findings) = &findings {
            self.verifier.answer(findings.answer.clone());
        }
        (findings, took)
    }

    fn search(&self, query: KeyQuery) -> Background<(Findings, Duration)> {
        let (services, rules, budget) =
            (self.services.clone(), Arc::clone(&self.rules), Arc::clone(&self.asking.budget));
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
        let (resolver, budget) = (self.asking.resolver.clone(), Arc::clone(&self.asking.budget));
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
