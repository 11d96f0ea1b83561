//! The checks of a message one after another, each by the function that does it on the mail path, with a watch in the hand.
//!
//! It decides nothing: the verdict is `zi2-flow`'s, who does all at once.

use std::time::{Duration, Instant};

use zi2_flow::Services;
use zi2_keys::Budget;
use zi2_mail::{AddrSpec, DigestPlan, Domain, Message, parse_envelope_address};
use zi2_sig::{Certified, FIELD_NAME, Facts, Failure, KeyQuery, Outcome, Unambiguous, Verifier};
use zi2_trust::{
    Admission, Admitted, Ask, Findings, Holdings, KeyHistory, Ladder, Place, PublishedPolicy, ReplayMode, Told,
};

use super::super::scene::Scene;

/// A step's result and its duration.
pub(super) struct Timed<T> {
    pub(super) value: T,
    pub(super) took: Duration,
}

/// Every step that was taken. What a message does not need is not there.
pub(super) struct Walk {
    pub(super) fields: Timed<usize>,
    pub(super) message: Timed<Result<Unambiguous, Failure>>,
    pub(super) certified: Option<Timed<Result<Certified, Failure>>>,
    /// Writing down the octets that were signed.
    pub(super) signed_octets: Duration,
    pub(super) asked: Vec<Timed<(Place, Ask, Told)>>,
    pub(super) findings: Option<Findings>,
    pub(super) body: Timed<usize>,
    /// Trying the candidates, and comparing the hash of the body.
    pub(super) facts: Timed<Facts>,
    pub(super) trust: Trust,
}

/// What is asked once the facts are known.
pub(super) struct Trust {
    pub(super) admission: Option<Timed<Admission>>,
    pub(super) admitted: Option<Timed<Option<Admitted>>>,
    pub(super) past: Option<Timed<Option<Vec<KeyHistory>>>>,
    pub(super) policy: Option<Timed<Option<PublishedPolicy>>>,
}

impl Walk {
    /// Takes every step. `services` must not be those of the verdict: the replay store remembers.
    pub(super) async fn through(scene: &Scene, octets: &[u8], services: &Services) -> Walk {
        let Timed { value: message, took } = timed(|| Message::split(octets));
        let header = &message.header;
        let fields = Timed { value: header.fields().len(), took };
        let mut plan = DigestPlan::new();
        let verifier = timed(|| Verifier::new(header, scene.now, scene.rules.window, &mut plan));
        let checked = timed(|| Unambiguous::check(header));
        let certified = header.named(FIELD_NAME).next().map(|field| timed(|| Certified::parse(field)));
        // Verifier::new does these two again; what is left of it are comparisons and the octets that were signed.
        let again = checked.took + certified.as_ref().map_or(Duration::ZERO, |certified| certified.took);
        let signed_octets = verifier.took.saturating_sub(again);
        let mut verifier = verifier.value;

        let budget = Budget::new(scene.rules.queries, scene.rules.time);
        let (asked, findings) = match verifier.query().cloned() {
            Some(query) => keys(scene, query, services, &budget).await,
            None => (Vec::new(), None),
        };
        if let Some(findings) = &findings {
            verifier.answer(findings.answer.clone());
        }
        let Timed { value: digests, took } = timed(|| plan.digest(message.body));
        let body = Timed { value: message.body.len(), took };
        let facts = timed(|| verifier.finish(&digests));
        let trust = Trust::of(scene, &facts.value, services, &budget).await;
        Walk { fields, message: checked, certified, signed_octets, asked, findings, body, facts, trust }
    }
}

impl Trust {
    async fn of(scene: &Scene, facts: &Facts, services: &Services, budget: &Budget) -> Trust {
        let admission = admission(scene, facts);
        let admitted = match &admission {
            Some(admission) => Some(timed_async(admit(services, admission.value.clone())).await),
            None => None,
        };
        let past = match &facts.from {
            Some(from) => Some(timed_async(past(services, from.clone())).await),
            None => None,
        };
        let policy = match facts.from.clone().filter(|_| wants_policy(facts)) {
            Some(from) => Some(timed_async(policy(services, from, budget)).await),
            None => None,
        };
        Trust { admission, admitted, past, policy }
    }
}

/// The places the ladder wants asked, one at a time so that each has its own duration.
async fn keys(
    scene: &Scene,
    query: KeyQuery,
    services: &Services,
    budget: &Budget,
) -> (Vec<Timed<(Place, Ask, Told)>>, Option<Findings>) {
    let rules = &scene.rules;
    let hosted = rules.hosted.contains(&query.from);
    let holdings = Holdings { local: &rules.local_keys, exchanged: &rules.exchanged, hosted };
    let mut ladder = Ladder::new(query, holdings, rules.page_name);
    let mut asked = Vec::new();
    while let Some((place, ask)) = ladder.poll() {
        let question = zi2_keys::answer(&services.resolver, budget, &services.documents, place, ask.clone());
        let Timed { value: (place, told), took } = timed_async(question).await;
        ladder.told(place, told.clone());
        asked.push(Timed { value: (place, ask, told), took });
    }
    (asked, Some(ladder.finish()))
}

fn admission(scene: &Scene, facts: &Facts) -> Option<Timed<Admission>> {
    let (Outcome::Verified(attested), Some(message)) = (&facts.outcome, &facts.message) else { return None };
    (scene.rules.replay_mode != ReplayMode::Off).then(|| {
        timed(|| {
            let parsed = scene.recipients.iter().filter_map(|address| parse_envelope_address(address.as_bytes()));
            let recipients: Vec<AddrSpec> = parsed.collect();
            Admission::new(attested, message, recipients.iter().map(AddrSpec::normalized), scene.rules.allowance)
        })
    })
}

async fn admit(services: &Services, admission: Admission) -> Option<Admitted> {
    services.store.admit(admission).await.ok()
}

async fn past(services: &Services, from: Domain) -> Option<Vec<KeyHistory>> {
    services.store.past(from).await.ok()
}

async fn policy(services: &Services, from: Domain, budget: &Budget) -> Option<PublishedPolicy> {
    zi2_keys::policy(&services.resolver, &from, budget).await.ok()
}

/// § zi2.md §9: a domain's policy matters only where there is no valid header; §2: nothing is asked about an ambiguous message.
fn wants_policy(facts: &Facts) -> bool {
    let is_invalid = matches!(facts.outcome, Outcome::Absent | Outcome::Failed(_) | Outcome::Tampered(..));
    is_invalid && facts.message.is_some()
}

fn timed<T>(step: impl FnOnce() -> T) -> Timed<T> {
    let begun = Instant::now();
    let value = step();
    Timed { value, took: begun.elapsed() }
}

async fn timed_async<T>(step: impl Future<Output = T>) -> Timed<T> {
    let begun = Instant::now();
    let value = step.await;
    Timed { value, took: begun.elapsed() }
}
