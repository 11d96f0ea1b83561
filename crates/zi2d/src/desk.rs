//! What all messages share: the rules in force, the figures, time and randomness.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::{Clock, Live, Metrics};

/// The desk at which messages are opened. A reload changes its rules; a message keeps those it began with.
pub struct Desk {
    live: ArcSwap<Live>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Time and randomness.
    pub clock: Clock,
}

impl Desk {
    /// A desk.
    pub fn new(live: Live, metrics: Arc<Metrics>, clock: Clock) -> Desk {
        Desk { live: ArcSwap::from_pointee(live), metrics, clock }
    }

    /// The rules in force.
    pub fn live(&self) -> Arc<Live> {
        self.live.load_full()
    }

    /// Puts other rules in force, all at once.
    pub fn replace(&self, live: Live) {
        self.live.store(Arc::new(live));
    }
}
