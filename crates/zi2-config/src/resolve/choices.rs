//! What the words of closed lists mean. The words themselves stand in the table of settings; a test holds the two together.

use zi2_sig::Form;
use zi2_sig::dkim2::{Draft, Flag, HashChoice};
use zi2_trust::{PageName, ReplayMode};

use crate::config::{ChainMode, IngressMode, LogAddresses, LogFormat, LogLevel, OnMismatch, StoreBackend, TrustAd};
use crate::dkim2::{Bounces, Hidden};

type Words<T> = &'static [(&'static str, T)];

pub(super) const FORM: Words<Form> = &[("combined", Form::Combined), ("draft", Form::Draft), ("page", Form::Page)];
pub(super) const ON_MISMATCH: Words<OnMismatch> = &[("skip", OnMismatch::Skip), ("reject", OnMismatch::Reject)];
pub(super) const HASH: Words<HashChoice> =
    &[("sha256", HashChoice::Sha256), ("sha512", HashChoice::Sha512), ("both", HashChoice::Both)];
pub(super) const DRAFT: Words<Draft> = &[("08", Draft::D08), ("09", Draft::D09)];
pub(super) const HIDDEN: Words<Hidden> = &[("skip", Hidden::Skip), ("sign", Hidden::Sign)];
pub(super) const BOUNCES: Words<Bounces> =
    &[("off", Bounces::Off), ("check", Bounces::Check), ("reject", Bounces::Reject)];
pub(super) const FEEDBACK: Words<Option<Flag>> =
    &[("none", None), ("wanted", Some(Flag::Feedback)), ("through_here", Some(Flag::FeedHere))];
pub(super) const INGRESS_MODE: Words<IngressMode> = &[("mark", IngressMode::Mark), ("monitor", IngressMode::Monitor)];
pub(super) const CHAIN_MODE: Words<ChainMode> =
    &[("mark", ChainMode::Mark), ("evaluate", ChainMode::Evaluate), ("off", ChainMode::Off)];
pub(super) const PAGE_NAME: Words<PageName> = &[("fallback", PageName::Fallback), ("off", PageName::Off)];
pub(super) const REPLAY_MODE: Words<ReplayMode> =
    &[("off", ReplayMode::Off), ("flag", ReplayMode::Flag), ("fail", ReplayMode::Fail)];
pub(super) const DKIM2_REPLAY: Words<ReplayMode> =
    &[("off", ReplayMode::Off), ("log", ReplayMode::Flag), ("fail", ReplayMode::Fail)];
pub(super) const TRUST_AD: Words<TrustAd> =
    &[("loopback", TrustAd::Loopback), ("always", TrustAd::Always), ("never", TrustAd::Never)];
pub(super) const STORE_BACKEND: Words<StoreBackend> =
    &[("sqlite", StoreBackend::Sqlite), ("memory", StoreBackend::Memory)];
pub(super) const LOG_FORMAT: Words<LogFormat> = &[("text", LogFormat::Text), ("json", LogFormat::Json)];
pub(super) const LOG_ADDRESSES: Words<LogAddresses> = &[
    ("none", LogAddresses::None),
    ("domain", LogAddresses::Domain),
    ("hash", LogAddresses::Hash),
    ("full", LogAddresses::Full),
];
pub(super) const LOG_LEVEL: Words<LogLevel> = &[
    ("error", LogLevel::Error),
    ("warn", LogLevel::Warn),
    ("info", LogLevel::Info),
    ("debug", LogLevel::Debug),
    ("trace", LogLevel::Trace),
];
