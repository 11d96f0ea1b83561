//! A bounce that came in: whether it is about mail that was sent from here, by those it was sent to.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use zi2_keys::{Budget, Resolver};
use zi2_mail::{Domain, Header, Message, Timestamp};
use zi2_sig::dkim2::bounce::{BounceFault, BounceVerifier, House, ReportError};
use zi2_sig::dkim2::{Envelope, FullyVerified, Status};

use crate::dkim2::records;
use crate::keep::Received;
use crate::{Dkim2Rules, limits};

/// What became of checking a bounce that is signed with DKIM2 (§ -08 16.3).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CheckedBounce {
    /// It is about mail of ours, from where that was sent.
    Authentic,
    /// It pretends to be.
    Forged(BounceFault),
    /// It does not say that it is about mail that was signed here.
    Foreign,
    /// Our own keys could not be asked for.
    Unknown,
}

/// A bounce that is there as a whole.
pub struct ReceivedBounce<'a> {
    /// What proves that it is signed.
    pub evidence: &'a FullyVerified,
    /// The message.
    pub received: &'a Received,
    /// By which envelope it came.
    pub envelope: &'a Envelope,
    /// When.
    pub now: Timestamp,
}

impl ReceivedBounce<'_> {
    /// Checks it; nothing for a message that is no report of delivery. Takes [`limits::PROVING_SECS`] at most.
    pub async fn check(&self, rules: &Arc<Dkim2Rules>, resolver: &Resolver) -> Option<CheckedBounce> {
        let (evidence, envelope, now) = (self.evidence.clone(), self.envelope.clone(), self.now);
        let (received, rules, resolver) = (self.received.clone(), Arc::clone(rules), resolver.clone());
        let runtime = tokio::runtime::Handle::current();
        // A stranger says how much there is to hash: no other message waits for it.
        let work = move || {
            let bounce = Message { header: Header::parse(received.section()), body: received.body() };
            let domains: Vec<Domain> = rules.domains().cloned().collect();
            let house = House { domains: &domains, nonces: None };
            let verifier = BounceVerifier::new(&evidence, &envelope, &bounce, &house, now);
            let checked = verifier.and_then(|verifier| runtime.block_on(answered(verifier, &resolver)));
            of(checked.err())
        };
        tokio::task::spawn_blocking(work).await.unwrap_or(Some(CheckedBounce::Unknown))
    }
}

async fn answered(mut verifier: BounceVerifier<'_>, resolver: &Resolver) -> Result<(), BounceFault> {
    let time = Duration::from_secs(limits::PROVING_SECS);
    let budget = Budget::new(zi2_keys::limits::LOOK_UPS, time);
    let questions = verifier.questions();
    let asking = async {
        for name in questions {
            let answer = records(&name, resolver, &budget).await;
            verifier.answer(&name, &answer);
        }
    };
    let _what_has_no_answer_could_not_be_asked = timeout(time, asking).await;
    verifier.finish().map(drop)
}

/// What a fault means. Refused is only what says that it is about mail of ours and is not: whoever sends mail without DKIM2
/// beside signed mail gets bounces of that, too.
fn of(fault: Option<BounceFault>) -> Option<CheckedBounce> {
    match fault {
        None => Some(CheckedBounce::Authentic),
        Some(BounceFault::HasSender | BounceFault::Report(ReportError::NotAReport)) => None,
        Some(BounceFault::Report(_) | BounceFault::Unsigned | BounceFault::NotOurs(_)) => Some(CheckedBounce::Foreign),
        Some(BounceFault::OtherMessage) => Some(CheckedBounce::Unknown), // a fault of ours
        Some(BounceFault::Returned(failure)) if failure.status() == Status::TempError => Some(CheckedBounce::Unknown),
        Some(fault) => Some(CheckedBounce::Forged(fault)),
    }
}

impl CheckedBounce {
    /// The word in log and figures. It is stable: other programs match on it.
    pub fn as_str(&self) -> &'static str {
        match self {
            CheckedBounce::Authentic => "authentic",
            CheckedBounce::Forged(_) => "forged",
            CheckedBounce::Foreign => "foreign",
            CheckedBounce::Unknown => "unknown",
        }
    }
}
