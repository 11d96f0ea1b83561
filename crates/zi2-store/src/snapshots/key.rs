//! The name of a snapshot.

use std::fmt;

/// What a message is found by: octets that nobody can foresee. As text 64 digits, in lower case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SnapshotKey([u8; 32]);

impl SnapshotKey {
    /// The name made of these octets.
    pub const fn from_octets(octets: [u8; 32]) -> SnapshotKey {
        SnapshotKey(octets)
    }

    /// Reads a name. It has one spelling.
    pub fn parse(text: &str) -> Option<SnapshotKey> {
        let octet = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let octets: Vec<u8> = text.as_bytes().chunks(2).map(octet).collect::<Option<_>>()?;
        let key = SnapshotKey(octets.try_into().ok()?);
        (key.to_string() == text).then_some(key)
    }
}

impl fmt::Display for SnapshotKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling() {
        let key = SnapshotKey::from_octets([0xa5; 32]);
        assert_eq!(SnapshotKey::parse(&"a5".repeat(32)), Some(key));
        for other in
            ["A5".repeat(32), "a5".repeat(31), "a5".repeat(33), "+5".repeat(32), format!("{key}0"), String::new()]
        {
            assert_eq!(SnapshotKey::parse(&other), None, "{other}");
        }
    }
}
