//! Questions and answers of DNS, and the ways to get one from the other.

mod answer;
mod authority;
mod cache;
mod resolver;
mod servers;
mod walk;
mod world;

pub use authority::ServerAnswer;
pub use resolver::{DnsError, DnsOptions, Resolver, Servers};
pub use servers::TrustAd;
pub use world::{FixedDns, FixedNode, FixedStatus};
