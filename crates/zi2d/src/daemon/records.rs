//! The alarm for a key that signs and is not published: every hosted domain's record is looked at now and then.

use std::time::Duration;

use zi2_flow::DkimRules;
use zi2_keys::Budget;
use zi2_mail::Domain;
use zi2_sig::dkim::Outcome;
use zi2_sig::{KeyRecord, Kid, PublicKey, RecordKey};
use zi2_trust::QueryName;

use crate::Live;
use crate::limits::WATCHED_DOMAINS;

/// Time and look-ups for one domain: it is nobody's mail that waits.
const BUDGET: (u32, Duration) = (8, Duration::from_secs(10));

/// Whether every key that certifies or signs is published; none without a key, and when DNS did not answer for one.
pub(super) async fn all_published(live: &Live) -> Option<bool> {
    match (&live.sender.signer, &live.sender.dkim) {
        (Some(_), None) => all_certifying(live).await,
        (None, Some(dkim)) => all_signing(live, dkim).await,
        (Some(_), Some(dkim)) => {
            // Both are looked at whatever the first says: each warns of its own keys.
            match (all_certifying(live).await, all_signing(live, dkim).await) {
                (Some(certifying), Some(signing)) => Some(certifying && signing),
                (Some(false), _) | (_, Some(false)) => Some(false),
                (None, _) | (_, None) => None,
            }
        }
        (None, None) => None,
    }
}

/// Whether all keys of DKIM are published.
async fn all_signing(live: &Live, dkim: &DkimRules) -> Option<bool> {
    let (look_ups, time) = BUDGET;
    let keys = dkim.keys();
    let mut all = true;
    for key in keys.iter().take(WATCHED_DOMAINS) {
        let outcome = key.published(&live.services.resolver, &Budget::new(look_ups, time)).await.ok()?;
        if outcome != Outcome::Pass {
            let (domain, selector, reason) = (&key.domain, &key.selector, outcome.reason());
            tracing::warn!(%domain, %selector, reason, "does not publish the DKIM key that signs its mail; ask: zi2-cert dns show");
        }
        all &= outcome == Outcome::Pass;
    }
    (!keys.is_empty()).then_some(all)
}

/// Whether every hosted domain publishes the key that certifies.
async fn all_certifying(live: &Live) -> Option<bool> {
    let (identity, key) = live.sender.signer.as_ref()?;
    let mut all = true;
    for domain in live.sender.hosted.iter().take(WATCHED_DOMAINS) {
        let published = is_published(live, domain, identity.kid, key.public()).await?;
        if !published {
            tracing::warn!(%domain, kid = %identity.kid, "does not publish the key that certifies its mail; ask: zi2-cert dns show");
        }
        all &= published;
    }
    Some(all)
}

async fn is_published(live: &Live, domain: &Domain, kid: Kid, key: PublicKey) -> Option<bool> {
    let (look_ups, time) = BUDGET;
    let resolver = &live.services.resolver;
    for name in [QueryName::record(domain), QueryName::page_record(kid, domain)] {
        let answer = resolver.txt(&name, &Budget::new(look_ups, time)).await.ok()?;
        let is_ours =
            |record: &Vec<u8>| KeyRecord::parse(record).is_ok_and(|record| record.key == RecordKey::Live(key));
        if answer.records.iter().any(is_ours) {
            return Some(true);
        }
    }
    Some(false)
}
