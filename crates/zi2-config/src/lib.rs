//! The configuration, resolved once, and the sender map.
//!
//! Files and environment become one [`Config`] whose every value is there and in range, or a list of all problems with
//! their places. Opens no socket, key or store, and knows no default that is not in its one table.
//!
//! ```
//! use zi2_config::{Config, Paths};
//!
//! let paths = Paths::below("/nowhere".as_ref());
//! let environment = [("ZI2__SERVER__SID", "mail.example.com"), ("ZI2__REPLAY__MODE", "flagg")];
//! let problems = Config::load(&paths, environment.map(|(k, v)| (k.into(), v.into()))).expect_err("a typo");
//! assert_eq!(problems.to_string(), r#"ZI2__REPLAY__MODE: replay.mode = "flagg" is unknown; did you mean flag?"#);
//! ```

mod config;
mod defs;
mod dkim;
mod dkim2;
mod duration;
mod hosted;
mod kind;
pub mod limits;
mod listen;
mod notice;
mod origins;
mod place;
mod problem;
mod read;
mod render;
mod resolve;
mod senders;
mod suggest;

// loading
pub use config::{Config, Loaded};
pub use notice::Notice;
pub use problem::{Fault, Hint, Problem, Problems};
pub use read::{Paths, Presence};

// the sections
pub use config::{
    Chain, ChainMode, Dns, Egress, Ingress, IngressMode, KeySource, Keys, Limits, Log, LogAddresses, LogFormat,
    LogLevel, Metrics, OnMismatch, Replay, Server, StoreBackend, StoreConfig, TrustAd,
};
pub use listen::{Listen, ListenError};

// who may be certified as whom
pub use hosted::HostedDomains;
pub use senders::{
    Network, NetworkError, OwnDomain, SenderDecision, SenderMap, SenderRefusal, SenderRule, Submitter, TableFault,
};

// which keys sign mail of whom
pub use dkim::{Dkim, DkimChoice, DkimKeyEntry, DkimKeyPlace, DkimTableFault, DkimTables, InlineKey};

// how DKIM2 signs
pub use dkim2::{Bounces, Dkim2, Hidden, ORIGINATING, SnapshotPlace};

// in words
pub use origins::{Effective, Origins};
pub use place::{Origin, Place};
pub use render::{dump_json, dump_table, man_keys, sample};
