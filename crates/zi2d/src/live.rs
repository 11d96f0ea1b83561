//! The rules in force: a configuration with its keys, ready for messages.

use std::path::Path;
use std::sync::Arc;

use zi2_config::{Bounces, ChainMode, Config, IngressMode, LogAddresses};
use zi2_flow::{ChainRules, Dkim2Rules, DkimRules, ReceiverRules, SenderRules, Services};
use zi2_keys::{FileError, Keyring, Resolver};
use zi2_mail::{HostName, Timestamp};
use zi2_sig::Kid;

/// The private keys of a configuration.
pub struct Keys {
    /// Those that certify.
    pub ring: Keyring,
    /// Those of DKIM; nothing where mail is not signed.
    pub dkim: Option<Arc<DkimRules>>,
    /// Those of DKIM2, likewise.
    pub dkim2: Option<Arc<Dkim2Rules>>,
}

/// What messages go by.
pub struct Live {
    /// The host's services.
    pub services: Services,
    /// Rules of the ingress side.
    pub receiver: Arc<ReceiverRules>,
    /// Rules of the egress side.
    pub sender: SenderRules,
    /// What DKIM2 goes by on the last way out; nothing where mail is not signed with it. What it goes by before the queue is
    /// among the rules of the egress side.
    pub dkim2: Option<Arc<Dkim2Rules>>,
    /// What is done about bounces, where mail is signed with DKIM2.
    pub bounces: Bounces,
    /// Who says so.
    pub authserv_id: HostName,
    /// The name in Message-IDs of ours.
    pub sid: HostName,
    /// What the existing chain goes by, and whether its results are written; none where it is left to others.
    pub chain: Option<(ChainRules, ChainMode)>,
    /// Whether messages are changed on ingress.
    pub mode: IngressMode,
    /// Whether Date and Message-ID are added on egress.
    pub add_missing: bool,
    /// Whether issued nonces are remembered.
    pub issued_log: bool,
    /// How much of addresses is logged.
    pub addresses: LogAddresses,
}

impl Live {
    /// The rules of a configuration.
    pub fn new(config: &Config, keys: &Keys, services: Services, now: Timestamp) -> Live {
        let mut sender = SenderRules::of(config, &keys.ring, keys.dkim.clone(), now);
        sender.dkim2 = keys.dkim2.clone().filter(|_| config.dkim2.signs_on_egress());
        Live {
            services,
            receiver: Arc::new(ReceiverRules::of(config, &keys.ring)),
            sender,
            dkim2: keys.dkim2.clone(),
            bounces: config.dkim2.bounces,
            authserv_id: config.server.authserv_id.clone(),
            sid: config.server.sid.clone(),
            chain: chain(config),
            mode: config.ingress.mode,
            add_missing: config.egress.add_missing,
            issued_log: config.egress.issued_log,
            addresses: config.log.addresses,
        }
    }

    /// The key that signs now.
    pub fn signs_with(&self) -> Option<Kid> {
        self.sender.signer.as_ref().map(|(identity, _)| identity.kid)
    }
}

fn chain(config: &Config) -> Option<(ChainRules, ChainMode)> {
    let rules = ChainRules { receiver: config.server.authserv_id.clone(), deadline: config.chain.deadline };
    (config.chain.mode != ChainMode::Off).then_some((rules, config.chain.mode))
}

/// Our keys; a directory that does not exist holds none.
pub(crate) fn keys(config: &Config) -> Result<Keys, FileError> {
    let credentials = std::env::var_os("CREDENTIALS_DIRECTORY");
    let credentials = credentials.as_deref().map(Path::new);
    let ring = match zi2_flow::keyring(config, credentials) {
        Err(error) if error.is_absent() => Keyring::empty(),
        other => other?,
    };
    let dkim = DkimRules::load(config, credentials)?.map(Arc::new);
    let dkim2 = Dkim2Rules::load(config, &ring, credentials)?.map(Arc::new);
    Ok(Keys { ring, dkim, dkim2 })
}

/// A resolver as configured.
pub(crate) fn resolver(config: &Config) -> Result<Resolver, zi2_keys::DnsError> {
    Resolver::new(&zi2_flow::dns_options(config))
}
