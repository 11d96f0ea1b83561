//! Questions for DNS and its answers, as values.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A name to ask DNS for: 1 to 127 labels of 1 to 63 octets, at most 253 octets, no final dot, lower case. Labels may hold
/// any printable ASCII octet but the dot, since SPF macros make such names (RFC 7208 §7.1: `%_` is a space); a NUL, control
/// or 8-bit octet never gets in. Whoever asks takes the labels as octets: a backslash or a space in them means itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DnsName(Box<str>);

/// Why a text is no name to ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a DNS name has labels of 1 to 63 printable octets, and at most 253 octets")]
pub struct DnsNameError;

const NAME_OCTETS: usize = 253;
const LABEL_OCTETS: usize = 63;

impl DnsName {
    /// Reads a name, with or without its final dot.
    ///
    /// # Errors
    /// [`DnsNameError`] for anything that cannot be asked for.
    pub fn parse(text: &str) -> Result<DnsName, DnsNameError> {
        let text = text.strip_suffix('.').unwrap_or(text);
        let label_fits = |label: &str| {
            (1..=LABEL_OCTETS).contains(&label.len()) && label.bytes().all(|octet| matches!(octet, b' '..=b'~'))
        };
        if text.len() > NAME_OCTETS || !text.split('.').all(label_fits) {
            return Err(DnsNameError);
        }
        Ok(DnsName(text.to_ascii_lowercase().into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A question for DNS.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Question {
    /// TXT records, strings of one record joined.
    Txt(DnsName),
    /// A records.
    V4(DnsName),
    /// AAAA records.
    V6(DnsName),
    /// MX records.
    Mx(DnsName),
    /// The names of an address.
    Pointer(IpAddr),
}

/// What DNS said to a question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// TXT records.
    Txt(Vec<Vec<u8>>),
    /// A records.
    V4(Vec<Ipv4Addr>),
    /// AAAA records.
    V6(Vec<Ipv6Addr>),
    /// MX records, in order of preference.
    Mx(Vec<DnsName>),
    /// The names of an address.
    Pointer(Vec<DnsName>),
    /// The name exists and has nothing of the kind.
    NoData,
    /// There is no such name (RCODE 3).
    NoSuchName,
    /// No answer: time-out, SERVFAIL, or the message's budget is spent.
    Trouble,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let label = "a".repeat(63);
        let longest = format!("{label}.{label}.{label}.{}", "a".repeat(61));
        for good in ["a", "A.b.", "_spf.example.com", "1.0.0.127._spf.a'b", "a b", "a\\b", &label, &longest] {
            let name = DnsName::parse(good).unwrap();
            assert_eq!(name.as_str(), good.trim_end_matches('.').to_ascii_lowercase());
        }
        let long_label = "a".repeat(64);
        let too_long = format!("{longest}a");
        for bad in ["", ".", "a..b", ".a", "a\tb", "a\0b", "\u{e4}", "a\n", &long_label, &too_long] {
            assert_eq!(DnsName::parse(bad), Err(DnsNameError), "{bad:?}");
        }
    }
}
