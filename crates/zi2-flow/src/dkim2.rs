//! DKIM2 for one message: its keys asked for, each once, and its chain judged.

use std::sync::Arc;

use tokio::task::JoinSet;
use zi2_chain::DnsName;
use zi2_keys::{Budget, Resolver};
use zi2_mail::{DigestPlan, Message, Timestamp};
use zi2_sig::dkim::KeyName;
use zi2_sig::dkim2::{Envelope, KeyAnswer, KeyRecords, Policy, Verdict, Verifier};

/// The DKIM2 verdict on a message that is there as a whole. Nothing is asked about one without such fields.
pub async fn dkim2(
    message: &Message<'_>,
    envelope: &Envelope,
    now: Timestamp,
    policy: &Policy,
    resolver: &Resolver,
    budget: &Arc<Budget>,
) -> Verdict {
    let mut plan = DigestPlan::new();
    let mut verifier = Verifier::new(&message.header, envelope, now, policy, &mut plan);
    let mut asked = JoinSet::new();
    for name in verifier.questions() {
        let (resolver, budget) = (resolver.clone(), Arc::clone(budget));
        asked.spawn(async move {
            let answer = records(&name, &resolver, &budget).await;
            (name, answer)
        });
    }
    let mut body = plan.start();
    body.feed(message.body);
    while let Some(answered) = asked.join_next().await {
        // What has no answer could not be asked.
        if let Ok((name, answer)) = answered {
            verifier.answer(&name, &answer);
        }
    }
    verifier.finish(&body.finish(), message.body)
}

async fn records(name: &KeyName, resolver: &Resolver, budget: &Budget) -> KeyAnswer {
    let Ok(name) = DnsName::parse(name.as_str()) else {
        return KeyAnswer::Records(KeyRecords::parse([])); // a name DNS cannot carry has no records
    };
    match resolver.dkim2_keys(&name, budget).await {
        Ok(records) => KeyAnswer::Records(records),
        Err(trouble) => KeyAnswer::Unavailable(trouble),
    }
}
