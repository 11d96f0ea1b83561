//! What is wanted of a body.

use super::{BodyDigester, Digests, HashAlg, Lane};
use crate::canon::BodyCanon;
use crate::limits;

/// The digests that are wanted of one body. Several readers of a message ask the same plan, and the body is read once.
#[derive(Clone, Debug, Default)]
pub struct DigestPlan {
    /// One bit for each lane.
    lanes: u16,
    counted: Vec<First>,
    scan: Scan,
}

/// A digest that is wanted of the first octets of a canonical form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct First {
    pub(super) canon: BodyCanon,
    pub(super) alg: HashAlg,
    pub(super) octets: u64,
}

/// Whether somebody wants to know if SMTP can carry the body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Scan {
    #[default]
    Unwanted,
    Wanted,
}

impl DigestPlan {
    /// A plan for no digest.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for a digest. Equal requests share one.
    pub fn request(&mut self, canon: BodyCanon, alg: HashAlg) -> Lane {
        let lane = Lane::of(canon, alg);
        self.lanes |= 1 << lane.0;
        lane
    }

    /// Asks for a digest of no more than the first octets of the canonical form (`l=` of RFC 6376 §3.5). Equal requests
    /// share one. Beyond [`limits::COUNTED_DIGESTS`] different ones, the digest stays without octets and matches nothing.
    pub fn request_first(&mut self, canon: BodyCanon, alg: HashAlg, octets: u64) -> Lane {
        let first = First { canon, alg, octets };
        let known = self.counted.iter().position(|other| *other == first);
        let place = known.unwrap_or(self.counted.len());
        if known.is_none() {
            if place >= limits::COUNTED_DIGESTS {
                return Lane(u8::MAX);
            }
            self.counted.push(first);
        }
        Lane::counted(place)
    }

    /// Asks whether SMTP can carry the body unchanged: [`Digests::smtp`].
    pub fn request_smtp(&mut self) {
        self.scan = Scan::Wanted;
    }

    /// Ends the asking and starts the pass.
    #[must_use]
    pub fn start(self) -> BodyDigester {
        BodyDigester::new(self)
    }

    /// The whole pass, for a body that is in memory.
    #[must_use]
    pub fn digest(self, body: &[u8]) -> Digests {
        let mut digester = self.start();
        digester.feed(body);
        digester.finish()
    }

    /// Whether the digest of a whole body is wanted.
    pub(super) fn wants(&self, canon: BodyCanon, alg: HashAlg) -> bool {
        self.lanes & (1 << Lane::of(canon, alg).0) != 0
    }

    pub(super) fn counted(&self) -> impl Iterator<Item = (First, Lane)> {
        self.counted.iter().zip(0..).map(|(first, place)| (*first, Lane::counted(place)))
    }

    pub(super) fn scan(&self) -> Scan {
        self.scan
    }
}
