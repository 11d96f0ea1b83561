//! What stands in for the certification of a message that was changed on its way (zi2.md §11).

use zi2_chain::ChainResults;
use zi2_mail::{Digests, Header, Timestamp};
use zi2_sig::{Attested, Facts, KeyAnswer, Outcome, Unambiguous, dkim2};
use zi2_trust::{Arrived, Delegation, NotRestored, Restoration};

use crate::ReceiverRules;
use crate::keep::Kept;

/// All that is known of the message, and how it arrived.
pub(crate) struct Known<'a> {
    pub(crate) facts: &'a Facts,
    pub(crate) keys: Option<&'a KeyAnswer>,
    pub(crate) chain: Option<&'a ChainResults>,
    pub(crate) dkim2: Option<&'a dkim2::Verdict>,
    pub(crate) kept: Option<&'a Kept>,
    pub(crate) digests: &'a Digests,
}

/// What was found to stand in for it: the version before the changes, or else somebody's word.
pub(crate) struct StandIn {
    pub(crate) restoration: Result<Restoration, NotRestored>,
    pub(crate) delegation: Option<Delegation>,
}

impl StandIn {
    pub(crate) fn of(known: &Known<'_>, rules: &ReceiverRules, now: Timestamp) -> StandIn {
        let restoration = restoration(known, rules, now);
        let arc = known.chain.map(|chain| &chain.arc);
        let word = || rules.sealers.delegation(known.facts, arc, now.sub_secs(rules.window)).ok();
        let delegation = if restoration.is_ok() { None } else { word() };
        StandIn { restoration, delegation }
    }

    /// Whether anything does.
    pub(crate) fn is_any(&self) -> bool {
        self.restoration.is_ok() || self.delegation.is_some()
    }

    /// The attestation that may pass, which the replay store is asked about, and the message it is of. Whom a restored one
    /// was for says the certified version: who changed it may have added addresses.
    pub(crate) fn passing<'f>(&'f self, facts: &'f Facts) -> Option<(&'f Attested, &'f Unambiguous)> {
        let arrived = facts.message.as_ref()?;
        match (&facts.outcome, &self.restoration) {
            (Outcome::Verified(attested), _) => Some((attested, arrived)),
            (Outcome::Tampered(_, attested), Ok(restoration)) => Some((attested, restoration.message())),
            (Outcome::Tampered(_, attested), Err(_)) if self.is_any() => Some((attested, arrived)),
            _ => None,
        }
    }
}

fn restoration(known: &Known<'_>, rules: &ReceiverRules, now: Timestamp) -> Result<Restoration, NotRestored> {
    let Known { facts, keys, dkim2, kept, digests, .. } = *known;
    let header = Header::parse(kept.map(|kept| kept.section.as_ref()).unwrap_or_default());
    // Without a body that the chain wants there is no full verdict.
    let body = kept.and_then(|kept| kept.whole.as_ref()?.as_ref().ok()).map(|whole| whole.body());
    let body = body.unwrap_or_default();
    let arrived = Arrived { header: &header, body, digests, now, window: rules.window };
    Restoration::find(facts, keys, dkim2, &arrived)
}
