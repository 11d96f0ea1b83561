//! What a configuration means for a message: keys, resolver and the rules of both directions, the same for every program.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use zi2_config::{Config, HostedDomains, KeySource};
use zi2_keys::{DnsOptions, FileError, KeyPlace, Keyring, Servers, TrustAd};
use zi2_mail::Timestamp;
use zi2_sig::Identity;
use zi2_trust::{Held, HistoryPolicy, PageName, ReplayMode, TrustedSealers};

use crate::{BodyRoom, DkimRules, ReceiverRules, SenderRules};

/// Our private keys: those systemd handed over (`credentials`), then those the configuration names. Refuses them all when
/// one cannot be trusted.
///
/// # Errors
///
/// [`FileError`] says which file, why, and the command that repairs it.
pub fn keyring(config: &Config, credentials: Option<&Path>) -> Result<Keyring, FileError> {
    if let Some(directory) = credentials {
        let handed_over = Keyring::load(directory, KeyPlace::Credentials)?;
        // systemd's copies stand for the files they were made of, which the daemon may not read.
        if handed_over.public_keys().next().is_some() {
            return Ok(handed_over);
        }
    }
    match (&config.keys.source, config.keys.kid) {
        (KeySource::Directory(directory), _) => Keyring::load(directory, KeyPlace::Ours),
        (KeySource::ProductFile(file), Some(kid)) => Keyring::load_file(file, kid, KeyPlace::Ours),
        (KeySource::ProductFile(_), None) => Ok(Keyring::empty()),
    }
}

/// How DNS is asked.
pub fn dns_options(config: &Config) -> DnsOptions {
    let servers =
        if config.dns.servers.is_empty() { Servers::System } else { Servers::These(config.dns.servers.clone()) };
    let trust_ad = match config.dns.trust_ad {
        zi2_config::TrustAd::Loopback => TrustAd::Loopback,
        zi2_config::TrustAd::Always => TrustAd::Always,
        zi2_config::TrustAd::Never => TrustAd::Never,
    };
    DnsOptions { servers, trust_ad, time: config.dns.timeout }
}

impl ReceiverRules {
    /// The protocol's own rules, whatever is configured here: nothing is held, and whoever waits does so for `patience`.
    pub fn protocol(hosted: HostedDomains, patience: Duration) -> ReceiverRules {
        ReceiverRules {
            window: zi2_sig::limits::WINDOW_SECS,
            page_name: PageName::Fallback,
            deadline: patience,
            queries: zi2_keys::limits::LOOK_UPS,
            time: patience,
            replay_mode: ReplayMode::Fail,
            dkim2_replay: ReplayMode::Off,
            allowance: zi2_trust::limits::REPLAY_ALLOWANCE,
            history: HistoryPolicy::default(),
            sealers: TrustedSealers::default(),
            hosted,
            local_keys: Vec::new(),
            exchanged: Vec::new(),
            room: BodyRoom::default(),
        }
    }

    /// The rules of the ingress side, with our own keys.
    pub fn of(config: &Config, keys: &Keyring) -> ReceiverRules {
        let sid = &config.server.sid;
        let held = |(kid, key)| Held { sid: Some(sid.clone()), kid, key };
        ReceiverRules {
            window: config.ingress.window.as_secs(),
            page_name: config.ingress.page_name,
            deadline: config.ingress.deadline,
            queries: config.dns.queries,
            time: zi2_keys::limits::MESSAGE_TIME,
            replay_mode: config.replay.mode,
            dkim2_replay: config.replay.dkim2,
            allowance: config.replay.allowance,
            history: config.history,
            sealers: config.chain.trusted_sealers.clone(),
            hosted: config.server.hosted.clone(),
            local_keys: keys.public_keys().map(held).collect(),
            exchanged: Vec::new(),
            room: BodyRoom::default(),
        }
    }
}

impl SenderRules {
    /// The rules of the egress side. Which key certifies depends on the month: ask again when it has changed.
    pub fn of(config: &Config, keys: &Keyring, dkim: Option<Arc<DkimRules>>, now: Timestamp) -> SenderRules {
        let active = keys.active(now, config.keys.kid);
        let identity = |kid| Identity { sid: config.server.sid.clone(), kid };
        SenderRules {
            signer: active.map(|(kid, key)| (identity(kid), Arc::clone(key))),
            dkim,
            dkim2: None,
            form: config.egress.form,
            senders: config.senders.clone(),
            hosted: config.server.hosted.clone(),
            on_mismatch: config.egress.on_mismatch,
            window: config.ingress.window.as_secs(),
        }
    }
}
