//! What the ingress side goes by.

use std::time::Duration;

use zi2_config::HostedDomains;
use zi2_trust::{Held, HistoryPolicy, PageName, ReplayMode, TrustedSealers};

use crate::BodyRoom;

/// What the ingress side goes by. Built once per configuration.
#[derive(Clone, Debug)]
pub struct ReceiverRules {
    /// Seconds for which a certification is fresh.
    pub window: u64,
    /// Whether the page's DNS name counts.
    pub page_name: PageName,
    /// How long the end of a message may wait for keys, and again for the store.
    pub deadline: Duration,
    /// Look-ups one message may cost.
    pub queries: u32,
    /// Time all look-ups of one message may take, in the background.
    pub time: Duration,
    /// What is done about replays.
    pub replay_mode: ReplayMode,
    /// What is done about a second copy of a message whose DKIM2 chain holds.
    pub dkim2_replay: ReplayMode,
    /// Recipients beyond To and Cc one certification may reach.
    pub allowance: u32,
    /// The thresholds of history.
    pub history: HistoryPolicy,
    /// Sealers of ARC whose word counts where a message was changed.
    pub sealers: TrustedSealers,
    /// Domains hosted here.
    pub hosted: HostedDomains,
    /// Our own keys.
    pub local_keys: Vec<Held>,
    /// Keys held from direct exchange.
    pub exchanged: Vec<Held>,
    /// The room for bodies that are kept until the end.
    pub room: BodyRoom,
}
