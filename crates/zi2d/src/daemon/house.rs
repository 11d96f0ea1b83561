//! What goes on beside the mail: the store is cleared, our own records are looked at, and figures are there to be asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::time::{MissedTickBehavior, interval};
use zi2_mail::Timestamp;
use zi2_milter::Stats;
use zi2_sig::Kid;
use zi2_store::StoreHandle;

use super::records::all_published;
use crate::Desk;
use crate::limits::TIDY_PAUSE;
use crate::report::{Logging, Watched};

/// What the last clearance of the store left in it.
#[derive(Clone, Default)]
pub(super) struct Counts {
    rows: Arc<AtomicU64>,
    nonces: Arc<AtomicU64>,
}

/// All that is read when somebody asks for figures.
pub(super) fn watched(
    desk: &Arc<Desk>,
    listeners: Vec<(&'static str, Arc<Stats>)>,
    store: &StoreHandle,
    counts: &Counts,
    logging: &Logging,
) -> Watched {
    let (of_resolver, of_key) = (Arc::clone(desk), Arc::clone(desk));
    let dropped = logging.dropped.clone();
    Watched {
        listeners,
        store: store.clone(),
        snapshots: desk.live().services.snapshots.clone(),
        resolver: Box::new(move || of_resolver.live().services.resolver.clone()),
        log_dropped: Box::new(move || u64::try_from(dropped.dropped_lines()).unwrap_or(u64::MAX)),
        key_age: Box::new(move || age(of_key.live().signs_with()?, of_key.clock.now())),
        rows: Arc::clone(&counts.rows),
        nonces: Arc::clone(&counts.nonces),
    }
}

/// Seconds since the month began that a key is named after.
fn age(kid: Kid, now: Timestamp) -> Option<u64> {
    let (year, month) = kid.month();
    Timestamp::of_month(year, month).map(|begins| now.secs().saturating_sub(begins.secs()))
}

/// Clears the store of what is too old to matter, counts what is left, and looks whether our key is published.
pub(super) async fn keep_house(desk: Arc<Desk>, counts: Counts) {
    let mut due = interval(TIDY_PAUSE);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        let live = desk.live();
        match live.services.store.tidy(desk.clock.now(), live.receiver.window).await {
            Ok(tidied) => {
                counts.rows.store(tidied.rows, Ordering::Relaxed);
                counts.nonces.store(tidied.nonces, Ordering::Relaxed);
                tracing::debug!(?tidied, "store cleared");
            }
            Err(error) => tracing::error!(%error, "the store could not be cleared"),
        }
        if let Some(snapshots) = &live.services.snapshots {
            snapshots.tidy(desk.clock.now()).await;
        }
        desk.metrics.records_match(all_published(&live).await);
    }
}
