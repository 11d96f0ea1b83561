//! The test kit: cases of hostile and unusual mail as files, and a small deterministic maker of signed messages.
//!
//! Every folder of `cases/` is one case of the threat model: messages, the world around them and the verdict that the
//! protocol demands, written by hand. [`cases`] reads them; the tests of this crate run them through the library and the
//! command, those of the daemon through the milter. The messages come from [`table`], and a test holds both together.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "used by tests only: what the kit cannot read or make must stop the test that wants it"
)]

mod case;
mod chain;
pub mod dkim2_vectors;
mod dns;
mod hops;
mod keys;
mod load;
mod mail;
mod milter;
pub mod table;

// the cases
pub use case::{Author, Case, Dmarc, Expect, Row, Step};
pub use load::{cases, folder, later, milter_cases, world, zone};
pub use milter::{After, Client, Decision, MilterStep, Reply, Role};

// a name server that remembers
pub use dns::DnsServer;

// messages
pub use chain::{Dkim, Sealer};
pub use hops::Hop;
pub use keys::{DAY, HOUR, KID, NOW, OLD_KID, TIME, key, nonce, public, record, rsa_record, seed};
pub use mail::{Forgery, Mail, Signing};
