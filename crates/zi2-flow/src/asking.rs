//! What one message may ask of DNS, and which part of it for what.

use std::sync::Arc;
use std::time::Duration;

use zi2_keys::{Budget, Resolver};

/// The resolver, and the budgets of one message.
#[derive(Clone)]
pub(crate) struct Asking {
    pub(crate) resolver: Resolver,
    /// Of the whole message.
    pub(crate) budget: Arc<Budget>,
    /// Of the keys of DKIM, ARC and DKIM2 together, which a sender's own fields name.
    pub(crate) keys: Arc<Budget>,
}

/// Look-ups SPF may cause of those of the message: its questions are of the sender's choosing, and DMARC's are about whom
/// the sender pretends to be.
const SPF_SHARE: u32 = 30;

/// The same for keys of DKIM, ARC and DKIM2: ten signatures with a CNAME each. DKIM2 often has the keys of DKIM, and what
/// is in the cache costs nothing.
const KEYS_SHARE: u32 = 20;

impl Asking {
    pub(crate) fn new(resolver: &Resolver, look_ups: u32, time: Duration) -> Asking {
        let budget = Arc::new(Budget::new(look_ups, time));
        let keys = Arc::new(Budget::part(&budget, KEYS_SHARE));
        Asking { resolver: resolver.clone(), budget, keys }
    }

    /// The part of SPF.
    pub(crate) fn spf(&self) -> Arc<Budget> {
        Arc::new(Budget::part(&self.budget, SPF_SHARE))
    }
}
