//! The existing chain beside DKIM: SPF (RFC 7208), DMARC (RFC 9989, RFC 7489 records) and ARC (RFC 8617, verifying only).
//!
//! Each is a machine that asks and is told: `poll` gives the next [`Question`]s, `answer` takes what DNS said, `finish`
//! gives the result. Nothing here waits, reads a clock or opens a socket.

pub mod arc;
pub mod dmarc;
mod dns;
pub mod limits;
mod results;
pub mod spf;

pub use results::ChainResults;

pub use dns::{Answer, DnsName, DnsNameError, Question};
