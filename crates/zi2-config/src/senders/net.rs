//! Networks: an address and a prefix length (RFC 4632 §3.1, RFC 4291 §2.3).
//!
//! Refuses a network with bits beyond its prefix, and one of all addresses.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A network of client addresses. An IPv4 address in IPv6 clothes (`::ffff:192.0.2.1`) is the IPv4 address.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

/// Family and length of a prefix.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Prefix {
    V4(u8),
    V6(u8),
}

impl Network {
    /// Reads `ADDRESS/BITS`, or an address, which is a network of one.
    ///
    /// # Errors
    ///
    /// [`NetworkError`] says what to write.
    pub fn parse(text: &str) -> Result<Network, NetworkError> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let written: IpAddr = address.parse().map_err(|_| NetworkError::Syntax)?;
        let whole = if written.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => whole,
            Some(bits) if is_number(bits) => bits.parse().unwrap_or(u8::MAX),
            Some(_) => return Err(NetworkError::Syntax),
        };
        match bits {
            0 => Err(NetworkError::Everyone),
            bits if bits > whole => Err(NetworkError::Bits(whole)),
            bits => Network::exact(written, bits),
        }
    }

    fn exact(written: IpAddr, bits: u8) -> Result<Network, NetworkError> {
        let address = written.to_canonical();
        // ::ffff:192.0.2.0/120 is 192.0.2.0/24; a shorter prefix holds more than IPv4 and stays as it is.
        let (address, bits) = match (written, bits.checked_sub(96)) {
            (IpAddr::V6(_), Some(rest)) if address.is_ipv4() && rest > 0 => (address, rest),
            _ => (written, bits),
        };
        let network = Network { address: masked(address, bits), bits };
        if network.address == address { Ok(network) } else { Err(NetworkError::HostBits(network)) }
    }

    /// The network of this prefix length that an address is in, when they are of one family.
    pub(super) fn around(address: IpAddr, prefix: Prefix) -> Option<Network> {
        let address = address.to_canonical();
        let bits = match (address, prefix) {
            (IpAddr::V4(_), Prefix::V4(bits)) | (IpAddr::V6(_), Prefix::V6(bits)) => bits,
            _ => return None,
        };
        Some(Network { address: masked(address, bits), bits })
    }

    pub(super) fn prefix(self) -> Prefix {
        if self.address.is_ipv4() { Prefix::V4(self.bits) } else { Prefix::V6(self.bits) }
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit())
}

fn masked(address: IpAddr, bits: u8) -> IpAddr {
    let bits = u32::from(bits);
    match address {
        IpAddr::V4(v4) => Ipv4Addr::from_bits(v4.to_bits() & !u32::MAX.checked_shr(bits).unwrap_or(0)).into(),
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::MAX.checked_shr(bits).unwrap_or(0)).into(),
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

/// Why a text is no network.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NetworkError {
    /// No address, or no number behind it.
    #[error("write an address and a prefix length, as in 192.0.2.0/24 or 2001:db8::/32")]
    Syntax,
    /// A longer prefix than the address has bits.
    #[error("the prefix length is at most {0} here")]
    Bits(u8),
    /// Bits beyond the prefix.
    #[error("the address has bits beyond the prefix; write {0}, or a longer prefix")]
    HostBits(Network),
    /// All addresses.
    #[error("this is every client there is; name the networks you run")]
    Everyone,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks() {
        for (text, shown) in [
            ("192.0.2.0/24", "192.0.2.0/24"),
            ("192.0.2.1", "192.0.2.1/32"),
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("128.0.0.0/1", "128.0.0.0/1"),
            ("2001:DB8::/32", "2001:db8::/32"),
            ("::1", "::1/128"),
            ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
            ("::ffff:192.0.2.1", "192.0.2.1/32"),
        ] {
            assert_eq!(Network::parse(text).unwrap().to_string(), shown);
        }
        for (text, error) in [
            ("", NetworkError::Syntax),
            ("mail.example.com", NetworkError::Syntax),
            ("192.0.2/24", NetworkError::Syntax),
            ("192.0.2.0/", NetworkError::Syntax),
            ("192.0.2.0/+24", NetworkError::Syntax),
            ("192.0.2.0/255.255.255.0", NetworkError::Syntax),
            ("[::1]/128", NetworkError::Syntax),
            ("192.0.2.0/33", NetworkError::Bits(32)),
            ("192.0.2.0/999999", NetworkError::Bits(32)),
            ("::/129", NetworkError::Bits(128)),
            ("192.0.2.1/24", NetworkError::HostBits(Network::parse("192.0.2.0/24").unwrap())),
            ("0.0.0.0/0", NetworkError::Everyone),
            ("::/0", NetworkError::Everyone),
        ] {
            assert_eq!(Network::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn around_an_address() {
        let around = |address: &str, prefix| Network::around(address.parse().unwrap(), prefix).map(|n| n.to_string());
        assert_eq!(around("192.0.2.77", Prefix::V4(24)).as_deref(), Some("192.0.2.0/24"));
        assert_eq!(around("::ffff:192.0.2.77", Prefix::V4(32)).as_deref(), Some("192.0.2.77/32"));
        assert_eq!(around("2001:db8::1", Prefix::V6(64)).as_deref(), Some("2001:db8::/64"));
        assert_eq!(around("192.0.2.77", Prefix::V6(24)), None);
    }
}
