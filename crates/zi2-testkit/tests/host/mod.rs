//! The host that the cases arrive at: everything as it is without a configuration.

use std::sync::Arc;
use std::time::Duration;

use zi2_flow::{ReceiverRules, World};
use zi2_sig::limits::WINDOW_SECS;
use zi2_trust::{HistoryPolicy, PageName, ReplayMode};

pub(crate) fn rules(world: &World) -> Arc<ReceiverRules> {
    Arc::new(ReceiverRules {
        window: WINDOW_SECS,
        page_name: PageName::Fallback,
        deadline: Duration::from_secs(30),
        queries: zi2_keys::limits::LOOK_UPS,
        time: Duration::from_secs(30),
        replay_mode: ReplayMode::Fail,
        allowance: zi2_trust::limits::REPLAY_ALLOWANCE,
        history: HistoryPolicy::default(),
        hosted: world.hosted.clone(),
        local_keys: world.local_keys.clone(),
        exchanged: world.exchanged.clone(),
    })
}
