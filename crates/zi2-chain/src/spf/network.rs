//! Networks: whether an address lies in one, and whether so many do that this says little.

use std::net::IpAddr;

use crate::limits::{SPF_BROAD_V4, SPF_BROAD_V6};

/// A network of `ip4` or `ip6`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Network {
    address: IpAddr,
    length: u8,
}

impl Network {
    /// The network of the addresses that share their first bits with this one.
    pub(super) const fn new(address: IpAddr, length: u8) -> Network {
        Network { address, length }
    }

    /// § 5: addresses of the other family are never in it; IPv4-mapped ones are to be IPv4 before they come here.
    pub(super) fn contains(self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                let different = ours.to_bits() ^ theirs.to_bits();
                different.leading_zeros() >= u32::from(self.length)
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => {
                let different = ours.to_bits() ^ theirs.to_bits();
                different.leading_zeros() >= u32::from(self.length)
            }
            _ => false,
        }
    }

    /// Whether more addresses lie in it than one operator is likely to answer for.
    pub(super) fn is_broad(self) -> bool {
        match self.address {
            IpAddr::V4(_) => self.length < SPF_BROAD_V4,
            IpAddr::V6(_) => self.length < SPF_BROAD_V6,
        }
    }
}

/// The two lengths of `a` and `mx`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Prefixes {
    pub(super) v4: u8,
    pub(super) v6: u8,
}

impl Prefixes {
    /// The network around an address that DNS gave.
    pub(super) const fn around(self, address: IpAddr) -> Network {
        match address {
            IpAddr::V4(_) => Network::new(address, self.v4),
            IpAddr::V6(_) => Network::new(address, self.v6),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks() {
        for (address, length, client, inside, broad) in [
            ("192.0.2.0", 24, "192.0.2.255", true, false),
            ("192.0.2.9", 24, "192.0.3.0", false, false),
            ("192.0.2.1", 32, "192.0.2.1", true, false),
            ("192.0.2.1", 32, "192.0.2.0", false, false),
            ("0.0.0.0", 0, "255.255.255.255", true, true),
            ("10.0.0.0", 15, "10.1.0.0", true, true),
            ("10.0.0.0", 16, "10.1.0.0", false, false),
            ("0.0.0.0", 0, "::", false, true),
            ("::", 0, "0.0.0.0", false, true),
            ("2001:db8::", 31, "2001:db9::1", true, true),
            ("2001:db8::", 32, "2001:db8:ffff::1", true, false),
            ("2001:db8::1", 128, "2001:db8::1", true, false),
            ("2001:db8::1", 128, "2001:db8::", false, false),
        ] {
            let network = Network::new(address.parse().unwrap(), length);
            assert_eq!(network.contains(client.parse().unwrap()), inside, "{client} in {address}/{length}");
            assert_eq!(network.is_broad(), broad, "{address}/{length}");
        }
    }
}
