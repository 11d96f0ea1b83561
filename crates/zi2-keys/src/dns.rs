//! Questions and answers of DNS, and the ways to get one from the other.

mod answer;
mod cache;
mod resolver;
mod servers;
mod walk;
mod world;

pub use resolver::{DnsError, DnsOptions, Resolver, Servers};
pub use servers::TrustAd;
pub use world::{FixedDns, FixedNode, FixedStatus};
