//! One file for each command: its arguments and what it does with them.

pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod dkim2;
pub(crate) mod dns;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod keygen;
pub(crate) mod keys;
pub(crate) mod man;
pub(crate) mod policy;
pub(crate) mod rotate;
pub(crate) mod senders;
pub(crate) mod setup;
pub(crate) mod sign;
pub(crate) mod trust;
pub(crate) mod verify;

use zi2_mail::Domain;
use zi2_sig::Kid;

fn domain(text: &str) -> Result<Domain, String> {
    // A name copied from a zone file ends with a dot.
    Domain::parse(text.strip_suffix('.').unwrap_or(text)).map_err(|error| error.to_string())
}

fn kid(text: &str) -> Result<Kid, String> {
    Kid::parse(text).map_err(|error| error.to_string())
}
