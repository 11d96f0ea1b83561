//! Body digests: which are wanted, and one pass that makes them all.
//!
//! Equal work is done once, and the body is never stored. Compares no digest with anything.

mod pass;
mod plan;
#[cfg(test)]
mod tests;

use aws_lc_rs::digest::{self, Context, Digest};

pub use self::pass::BodyDigester;
pub use self::plan::DigestPlan;
use crate::canon::BodyCanon;
use crate::smtp::NotSmtp;

/// A hash algorithm of a body digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HashAlg {
    /// SHA-1, which signatures of old still name.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl HashAlg {
    const ALL: [Self; 3] = [Self::Sha1, Self::Sha256, Self::Sha512];

    fn context(self) -> Context {
        Context::new(match self {
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &digest::SHA256,
            Self::Sha512 => &digest::SHA512,
        })
    }
}

/// A digest that was asked for. That of a whole body means the same to every plan, one of [`DigestPlan::request_first`] only
/// to its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lane(u8);

impl Lane {
    const COUNT: usize = 3 * HashAlg::ALL.len();

    fn of(canon: BodyCanon, alg: HashAlg) -> Self {
        Self(canon as u8 * 3 + alg as u8)
    }

    /// The lane of the counted request at this place; beyond the limit the last lane, which nobody fills.
    fn counted(place: usize) -> Self {
        Self(u8::try_from(Self::COUNT + place).unwrap_or(u8::MAX))
    }
}

/// The digests of one body, and what else the pass has seen.
#[derive(Clone, Debug)]
pub struct Digests {
    made: Vec<Made>,
    octets: u64,
    only_crlf: bool,
    smtp: Option<Result<(), NotSmtp>>,
}

#[derive(Clone, Debug)]
struct Made {
    lane: Lane,
    digest: Digest,
    /// For a counted request, the octets of the whole canonical form.
    whole: Option<u64>,
}

impl Digests {
    /// A digest that was asked for; no octets for a lane that nobody asked for.
    #[must_use]
    pub fn get(&self, lane: Lane) -> &[u8] {
        self.made(lane).map_or(&[], |made| made.digest.as_ref())
    }

    /// Octets of the whole canonical form, of which a lane of [`DigestPlan::request_first`] took the first ones.
    #[must_use]
    pub fn canonical_octets(&self, lane: Lane) -> Option<u64> {
        self.made(lane)?.whole
    }

    /// Length of the body as received.
    #[must_use]
    pub fn octets(&self) -> u64 {
        self.octets
    }

    /// Whether the body holds nothing but CRLFs, or nothing at all (zi2.md §3, case c).
    #[must_use]
    pub fn only_crlf(&self) -> bool {
        self.only_crlf
    }

    /// Whether SMTP can carry the body unchanged; nothing if [`DigestPlan::request_smtp`] was not called.
    #[must_use]
    pub fn smtp(&self) -> Option<Result<(), NotSmtp>> {
        self.smtp
    }

    fn made(&self, lane: Lane) -> Option<&Made> {
        self.made.iter().find(|made| made.lane == lane)
    }
}
