//! What a signature says of how it was made: `a=` and `c=`.

use std::fmt;

use zi2_mail::{BodyCanon, HeaderCanon};

/// A signature algorithm (RFC 6376 §3.3, RFC 8463 §3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Algorithm {
    /// rsa-sha1, which proves nothing any more (RFC 8301 §3.1).
    RsaSha1,
    /// rsa-sha256.
    RsaSha256,
    /// ed25519-sha256.
    Ed25519Sha256,
}

impl Algorithm {
    /// Reads the value of `a=`.
    pub fn parse(value: &[u8]) -> Option<Algorithm> {
        let all = [Algorithm::RsaSha1, Algorithm::RsaSha256, Algorithm::Ed25519Sha256];
        all.into_iter().find(|algorithm| algorithm.as_str().as_bytes() == value)
    }

    /// The value of `a=`.
    pub fn as_str(self) -> &'static str {
        match self {
            Algorithm::RsaSha1 => "rsa-sha1",
            Algorithm::RsaSha256 => "rsa-sha256",
            Algorithm::Ed25519Sha256 => "ed25519-sha256",
        }
    }
}

/// The canonicalization of header and body, `c=` (RFC 6376 §3.4). The body's is never [`BodyCanon::Raw`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Canon {
    header: HeaderCanon,
    body: BodyCanon,
}

impl Canon {
    /// simple/simple, which a signature without `c=` has (§3.5).
    pub const SIMPLE: Canon = Canon { header: HeaderCanon::Simple, body: BodyCanon::Simple };
    /// relaxed/relaxed, which survives most of what relays do.
    pub const RELAXED: Canon = Canon { header: HeaderCanon::Relaxed, body: BodyCanon::Relaxed };

    /// Reads the value of `c=`.
    pub fn parse(value: &[u8]) -> Option<Canon> {
        let slash = value.iter().position(|octet| *octet == b'/');
        let (header, body) = match slash.and_then(|slash| value.split_at_checked(slash)) {
            Some((header, body)) => (header, body.get(1..).unwrap_or_default()),
            None => (value, b"simple".as_slice()), // § RFC 6376 §3.5: only the header's is named
        };
        Some(Canon {
            header: choose(header, HeaderCanon::Simple, HeaderCanon::Relaxed)?,
            body: choose(body, BodyCanon::Simple, BodyCanon::Relaxed)?,
        })
    }

    /// The header's.
    pub fn header(self) -> HeaderCanon {
        self.header
    }

    /// The body's.
    pub fn body(self) -> BodyCanon {
        self.body
    }
}

impl fmt::Display for Canon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = if self.header == HeaderCanon::Relaxed { "relaxed" } else { "simple" };
        let body = if self.body == BodyCanon::Relaxed { "relaxed" } else { "simple" };
        write!(f, "{header}/{body}")
    }
}

fn choose<T>(name: &[u8], simple: T, relaxed: T) -> Option<T> {
    match name {
        b"simple" => Some(simple),
        b"relaxed" => Some(relaxed),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        for (value, canon) in [
            ("simple", Some("simple/simple")),
            ("relaxed", Some("relaxed/simple")),
            ("simple/relaxed", Some("simple/relaxed")),
            ("relaxed/relaxed", Some("relaxed/relaxed")),
            ("relaxed/", None),
            ("/simple", None),
            ("", None),
            ("Relaxed", None),
            ("relaxed/relaxed/relaxed", None),
            ("nowsp", None),
        ] {
            let read = Canon::parse(value.as_bytes()).map(|canon| canon.to_string());
            assert_eq!(read.as_deref(), canon, "{value}");
        }
        assert_eq!(Algorithm::parse(b"ed25519-sha256"), Some(Algorithm::Ed25519Sha256));
        assert_eq!(Algorithm::parse(b"rsa-sha512"), None);
    }
}
