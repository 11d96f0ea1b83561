//! What is asked after the body has ended: results under way, the replay store, and the policy of a domain that may be forged.

use std::sync::Arc;

use tokio::time::{Instant, timeout_at};
use zi2_chain::ChainResults;
use zi2_keys::Budget;
use zi2_mail::Digests;
use zi2_sig::{Facts, dkim2};
use zi2_trust::{Admission, Admitted, Copies, PublishedPolicy, ReplayMode, ReplayVerdict};

use crate::background::{Background, ask_each};
use crate::chain::Chain;
use crate::changed::StandIn;
use crate::dkim2::Dkim2;
use crate::keep::Kept;
use crate::{Envelope, ReceiverRules, Services, limits};

/// The existing chain and DKIM2, both waited for at once.
pub(super) async fn evaluated(
    chain: Option<Chain>,
    dkim2: Option<Dkim2>,
    digests: &Arc<Digests>,
    kept: Option<&Kept>,
) -> (Option<ChainResults>, Option<dkim2::Verdict>) {
    let chain = async { Some(chain?.finish(digests).await) };
    let whole = kept.and_then(|kept| kept.whole.as_ref());
    let dkim2 = async { Some(dkim2?.finish(Arc::clone(digests), whole).await) };
    tokio::join!(chain, dkim2)
}

/// Asks and tells the replay store in one step; only an attestation that may pass gets that far.
pub(super) async fn admit(
    services: &Services,
    rules: &ReceiverRules,
    facts: &Facts,
    stand_in: &StandIn,
    envelope: &Envelope,
) -> Admitted {
    let unknown = |replay| Admitted { replay, issued: false };
    let Some((attested, message)) = stand_in.passing(facts) else {
        return unknown(ReplayVerdict::Fresh);
    };
    if rules.replay_mode == ReplayMode::Off {
        return unknown(ReplayVerdict::Fresh);
    }
    let admission = envelope.admission(attested, message, rules.allowance);
    let answer = timeout_at(Instant::now() + rules.deadline, services.store.admit(admission)).await;
    answer.ok().and_then(Result::ok).unwrap_or(unknown(ReplayVerdict::Unknown))
}

/// Asks and tells the replay store about the copies of a message whose DKIM2 chain holds (§ -08 13). Where replays fail, a
/// replayed one has that verdict.
pub(super) async fn admit_copies(
    services: &Services,
    rules: &ReceiverRules,
    verdict: Option<&mut dkim2::Verdict>,
    envelope: Option<dkim2::Envelope>,
) -> Option<Copies> {
    let (verdict, envelope) = verdict.zip(envelope)?;
    let dkim2::Outcome::Full(evidence) = &verdict.outcome else { return None };
    if evidence.is_exploded() {
        return Some(Copies::Exploded);
    }
    let mut admissions = Admission::of_copies(evidence, &envelope);
    admissions.truncate(limits::DKIM2_COPIES);
    let (asked, store) = (admissions.len(), services.store.clone());
    let answers = ask_each(admissions, move |admission| {
        let store = store.clone();
        async move { store.admit(admission).await.ok() }
    });
    let answers = answers.by(Instant::now() + rules.deadline).await.unwrap_or_default();
    let mut answers: Vec<Admitted> = answers.into_iter().flatten().collect();
    answers.resize(asked, Admitted { replay: ReplayVerdict::Unknown, issued: false });
    let copies = Copies::of(evidence, &answers);
    if let (Copies::Replayed(failure), ReplayMode::Fail) = (&copies, rules.dkim2_replay) {
        verdict.outcome = dkim2::Outcome::Failed(failure.clone());
    }
    Some(copies)
}

/// The domain's own policy, asked for only where it can matter: there is no valid header.
pub(super) async fn published(
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
