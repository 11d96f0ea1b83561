//! The alarm for a key that signs and is not published: every hosted domain's record is looked at now and then.

use std::time::Duration;

use zi2_keys::Budget;
use zi2_mail::Domain;
use zi2_sig::{KeyRecord, Kid, PublicKey, RecordKey};
use zi2_trust::QueryName;

use crate::Live;
use crate::limits::WATCHED_DOMAINS;

/// Time and look-ups for one domain: it is nobody's mail that waits.
const BUDGET: (u32, Duration) = (8, Duration::from_secs(10));

/// Whether every hosted domain publishes the key that signs; none without a key, and when DNS did not answer for one.
pub(super) async fn all_published(live: &Live) -> Option<bool> {
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
