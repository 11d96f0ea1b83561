//! The host that the cases arrive at: everything as it is without a configuration.

use std::sync::Arc;
use std::time::Duration;

use zi2_flow::{ReceiverRules, World};

pub(crate) fn rules(world: &World) -> Arc<ReceiverRules> {
    Arc::new(ReceiverRules {
        local_keys: world.local_keys.clone(),
        exchanged: world.exchanged.clone(),
        ..ReceiverRules::protocol(world.hosted.clone(), Duration::from_secs(30))
    })
}
