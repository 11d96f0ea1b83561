//! DKIM2 for one message: its keys asked for, each once, while the body arrives, and its chain judged.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use zi2_chain::DnsName;
use zi2_keys::{Budget, Resolver};
use zi2_mail::{DigestPlan, Digests, Header, Message, Timestamp};
use zi2_sig::dkim::KeyName;
use zi2_sig::dkim2::{Envelope, KeyAnswer, KeyRecords, Policy, Unkept, Verdict, Verifier};

use crate::asking::Asking;
use crate::background::{Background, ask_each};
use crate::keep::Received;

/// The chain of a message whose body is still to come.
pub(crate) struct Dkim2 {
    verifier: Verifier,
    keys: Option<Background<Vec<(KeyName, KeyAnswer)>>>,
    deadline: Duration,
}

impl Dkim2 {
    /// Does all that needs neither keys nor body, asks for the keys if that leaves anything to know, and asks `plan` for
    /// the digests needed.
    pub(crate) fn begin(
        header: &Header<'_>,
        envelope: &Envelope,
        now: Timestamp,
        plan: &mut DigestPlan,
        asking: &Asking,
        deadline: Duration,
    ) -> Dkim2 {
        let verifier = Verifier::new(header, envelope, now, &Policy::default(), plan);
        let names = verifier.questions();
        let keys = (!names.is_empty()).then(|| fetch(names, &asking.resolver, &asking.keys));
        Dkim2 { verifier, keys, deadline }
    }

    /// Whether the body can change the verdict.
    pub(crate) fn wants_digests(&self) -> bool {
        !self.verifier.is_settled()
    }

    /// Whether the verdict needs the body as a whole.
    pub(crate) fn wants_body(&self) -> bool {
        self.verifier.wants_body()
    }

    /// The verdict, at the deadline at the latest, once the body has been digested by the plan that was asked.
    pub(crate) async fn finish(mut self, digests: Arc<Digests>, whole: Option<&Result<Received, Unkept>>) -> Verdict {
        let deadline = Instant::now() + self.deadline;
        let answers = match self.keys {
            Some(keys) => keys.by(deadline).await.unwrap_or_default(),
            None => Vec::new(),
        };
        // What has no answer could not be asked.
        answers.iter().for_each(|(name, answer)| self.verifier.answer(name, answer));
        let verifier = self.verifier;
        match whole {
            _ if !verifier.wants_body() => verifier.finish(&digests, b""),
            None => verifier.finish_unkept(&digests, Unkept::NoRoom),
            Some(Err(unkept)) => verifier.finish_unkept(&digests, *unkept),
            // A stranger says how many versions there are, each as long as the body: no other message waits for that.
            Some(Ok(received)) => {
                let received = received.clone();
                let judging = tokio::task::spawn_blocking(move || verifier.finish(&digests, received.body()));
                match judging.await {
                    Ok(verdict) => verdict,
                    // A fault of ours is that of this message, as if it had happened here.
                    Err(fault) => resume_unwind(fault.try_into_panic().unwrap_or_else(|ended| Box::new(ended))),
                }
            }
        }
    }
}

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
    let keys = fetch(verifier.questions(), resolver, budget);
    let digests = plan.digest(message.body);
    for (name, answer) in keys.whole().await.unwrap_or_default() {
        verifier.answer(&name, &answer);
    }
    verifier.finish(&digests, message.body)
}

fn fetch(names: Vec<KeyName>, resolver: &Resolver, budget: &Arc<Budget>) -> Background<Vec<(KeyName, KeyAnswer)>> {
    let (resolver, budget) = (resolver.clone(), Arc::clone(budget));
    ask_each(names, move |name| {
        let (resolver, budget) = (resolver.clone(), Arc::clone(&budget));
        async move {
            let answer = records(&name, &resolver, &budget).await;
            (name, answer)
        }
    })
}

/// What DNS says of one key.
pub async fn records(name: &KeyName, resolver: &Resolver, budget: &Budget) -> KeyAnswer {
    let Ok(name) = DnsName::parse(name.as_str()) else {
        return KeyAnswer::Records(KeyRecords::parse([])); // a name DNS cannot carry has no records
    };
    match resolver.dkim2_keys(&name, budget).await {
        Ok(records) => KeyAnswer::Records(records),
        Err(trouble) => KeyAnswer::Unavailable(trouble),
    }
}
