//! The resolved configuration: every value there, in its range, in its type.
//!
//! Holds no file name that still must be read, but those of keys and store, which other crates open.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use zi2_mail::HostName;
use zi2_sig::{Form, Kid};
use zi2_trust::{HistoryPolicy, PageName, ReplayMode, TrustedSealers};

use crate::dkim::Dkim;
use crate::dkim2::Dkim2;
use crate::hosted::HostedDomains;
use crate::listen::Listen;
use crate::notice::Notice;
use crate::origins::Origins;
use crate::problem::Problems;
use crate::read::Paths;
use crate::resolve;
use crate::senders::SenderMap;

/// The configuration, one field a section of `zi2.toml`.
#[derive(Clone, PartialEq, Debug)]
pub struct Config {
    /// `[server]`
    pub server: Server,
    /// `[keys]`
    pub keys: Keys,
    /// `[egress]`
    pub egress: Egress,
    /// `[senders]`
    pub senders: SenderMap,
    /// `[dkim]`
    pub dkim: Dkim,
    /// `[dkim2]`
    pub dkim2: Dkim2,
    /// `[ingress]`
    pub ingress: Ingress,
    /// `[chain]`
    pub chain: Chain,
    /// `[replay]`
    pub replay: Replay,
    /// `[history]`
    pub history: HistoryPolicy,
    /// `[dns]`
    pub dns: Dns,
    /// `[store]`
    pub store: StoreConfig,
    /// `[log]`
    pub log: Log,
    /// `[metrics]`
    pub metrics: Metrics,
    /// `[limits]`
    pub limits: Limits,
}

/// A configuration with what is to be said about it.
#[derive(Clone, PartialEq, Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// Every value in force and where it comes from.
    pub origins: Origins,
    /// What the operator should know.
    pub notices: Vec<Notice>,
}

impl Config {
    /// Reads and resolves everything: files, `conf.d`, environment, then the tables they name.
    ///
    /// Refuses a configuration with any problem in it, also in a value that another one replaces. A program that only
    /// verifies on a host without a name gives `ZI2__SERVER__SID` itself.
    ///
    /// # Errors
    ///
    /// [`Problems`] holds all of them, each with its place.
    pub fn load(
        paths: &Paths,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Loaded, Problems> {
        resolve::load(paths, environment)
    }
}

/// Who this server is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Server {
    /// Its name in certifications.
    pub sid: HostName,
    /// Its name in Authentication-Results.
    pub authserv_id: HostName,
    /// The domains hosted here, those of `hosted_file` included.
    pub hosted: HostedDomains,
    /// The account to run as.
    pub user: String,
    /// The group to run as; `None`: the account's primary group.
    pub group: Option<String>,
}

/// The private keys.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Keys {
    /// Where they are.
    pub source: KeySource,
    /// The key to use; `None`: the active one of the rotation, or else the newest whose month is not in the future. Always there for [`KeySource::ProductFile`]
    /// when egress listens.
    pub kid: Option<Kid>,
}

/// Where private keys are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KeySource {
    /// In this directory, as `KID.key`.
    Directory(PathBuf),
    /// The one file of the product page.
    ProductFile(PathBuf),
}

/// Certifying.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Egress {
    /// Where to listen.
    pub listen: Vec<Listen>,
    /// The form of the field.
    pub form: Form,
    /// Mail whose sender may not use its From domain.
    pub on_mismatch: OnMismatch,
    /// Whether Date and Message-ID are added.
    pub add_missing: bool,
    /// Whether issued nonces are remembered.
    pub issued_log: bool,
}

/// What happens to mail whose sender may not use its From domain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnMismatch {
    /// It goes out uncertified.
    Skip,
    /// It is refused.
    Reject,
}

/// Verifying.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ingress {
    /// Where to listen.
    pub listen: Vec<Listen>,
    /// Whether messages are changed.
    pub mode: IngressMode,
    /// How long a message waits for keys.
    pub deadline: Duration,
    /// How old a certification may be.
    pub window: Duration,
    /// Whether the page's DNS name counts.
    pub page_name: PageName,
}

/// Whether messages are changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IngressMode {
    /// The result is written into them.
    Mark,
    /// They are not.
    Monitor,
}

/// The existing chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chain {
    /// What is done with it.
    pub mode: ChainMode,
    /// How long a message waits for it.
    pub deadline: Duration,
    /// Sealers of ARC whose word counts.
    pub trusted_sealers: TrustedSealers,
}

/// What is done with the existing chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChainMode {
    /// Its results are written into messages.
    Mark,
    /// They are looked at.
    Evaluate,
    /// It is left to others.
    Off,
}

/// Replay detection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Replay {
    /// What is done.
    pub mode: ReplayMode,
    /// What is done about a second copy of a message with DKIM2.
    pub dkim2: ReplayMode,
    /// Recipients beyond To and Cc.
    pub allowance: u32,
    /// Whether to wait for the disk.
    pub sync: bool,
    /// Certifications remembered of a day.
    pub capacity: u64,
}

/// Looking up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dns {
    /// Resolvers; empty: the system's.
    pub servers: Vec<SocketAddr>,
    /// When the AD bit is believed.
    pub trust_ad: TrustAd,
    /// For one question.
    pub timeout: Duration,
    /// Questions one message may cause.
    pub queries: u32,
}

/// When the AD bit is believed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TrustAd {
    /// From resolvers on this host.
    Loopback,
    /// From every resolver.
    Always,
    /// From none.
    Never,
}

/// The store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoreConfig {
    /// What it is made of.
    pub backend: StoreBackend,
    /// The file, for sqlite.
    pub path: PathBuf,
}

/// What a store is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StoreBackend {
    /// A file.
    Sqlite,
    /// Memory, gone at the end.
    Memory,
}

/// Logging.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Log {
    /// The form of a line.
    pub format: LogFormat,
    /// How much of addresses.
    pub addresses: LogAddresses,
    /// How much at all.
    pub level: LogLevel,
}

/// The form of a log line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// How much of mail addresses is logged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogAddresses {
    /// Nothing.
    None,
    /// The domain.
    Domain,
    /// A hash.
    Hash,
    /// All.
    Full,
}

/// How much is logged.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum LogLevel {
    /// What failed.
    Error,
    /// And what might.
    Warn,
    /// And what happened.
    Info,
    /// And how.
    Debug,
    /// And every step.
    Trace,
}

/// Figures for monitoring.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Metrics {
    /// Where they are served: a loopback address; `None`: nowhere.
    pub listen: Option<SocketAddr>,
}

/// How much the daemon takes on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Connections at once.
    pub connections: u32,
    /// For messages under way at a stop.
    pub shutdown: Duration,
}
