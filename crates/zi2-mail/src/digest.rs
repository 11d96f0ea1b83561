//! Body digests: which are wanted, and one pass that makes them all.
//!
//! Equal work is done once, and the body is never stored. Compares no digest with anything.

use std::array;

use aws_lc_rs::digest::{self, Context, Digest};

use crate::canon::{BodyCanon, HeldLines, Squeezer};
use crate::limits;

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

/// A digest that was asked for. Means nothing to another plan.
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

    fn place_if_counted(self) -> Option<usize> {
        usize::from(self.0).checked_sub(Self::COUNT)
    }
}

/// The digests that are wanted of one body.
#[derive(Clone, Debug, Default)]
pub struct DigestPlan {
    /// One bit for each lane.
    lanes: u16,
    counted: Vec<First>,
}

/// A digest that is wanted of the first octets of a canonical form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct First {
    canon: BodyCanon,
    alg: HashAlg,
    octets: u64,
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

    /// Ends the asking and starts the pass.
    #[must_use]
    pub fn start(self) -> BodyDigester {
        let when = |canons: &[BodyCanon]| {
            let wanted = |alg| canons.iter().any(|canon| self.wants(*canon, alg));
            let counted = self.counted.iter().zip(0..).filter(|(first, _)| canons.contains(&first.canon));
            Hashes {
                whole: HashAlg::ALL.map(|alg| wanted(alg).then(|| alg.context())),
                counted: counted.map(|(first, place)| Counted::new(*first, place)).collect(),
            }
        };
        let exact = when(&[BodyCanon::Raw, BodyCanon::Simple]);
        let relaxed = when(&[BodyCanon::Relaxed]);
        let relaxed = (!relaxed.is_empty()).then(|| Relaxed {
            hashes: relaxed,
            lines: HeldLines::default(),
            squeezer: Squeezer::default(),
        });
        BodyDigester { plan: self, octets: 0, exact, lines: HeldLines::default(), relaxed }
    }

    fn wants(&self, canon: BodyCanon, alg: HashAlg) -> bool {
        self.lanes & (1 << Lane::of(canon, alg).0) != 0
    }
}

/// The pass over a body, in pieces of any size. Its outcome does not depend on how the body is cut.
pub struct BodyDigester {
    plan: DigestPlan,
    octets: u64,
    /// Raw and simple: they differ only in the line ends at the end, which [`HeldLines`] holds.
    exact: Hashes,
    lines: HeldLines,
    relaxed: Option<Relaxed>,
}

/// Octets that go through all algorithms before the next ones do, so that they are read from memory once.
const PIECE: usize = 16 * 1024;

impl BodyDigester {
    /// Takes the next piece of the body.
    pub fn feed(&mut self, body: &[u8]) {
        self.octets += body.len() as u64;
        let Some(relaxed) = &mut self.relaxed else {
            self.lines.feed(body, &mut |octets| self.exact.update(octets));
            return;
        };
        for piece in body.chunks(PIECE) {
            self.lines.feed(piece, &mut |octets| self.exact.update(octets));
            relaxed.feed(piece);
        }
    }

    /// Ends the body.
    #[must_use]
    pub fn finish(self) -> Digests {
        let mut digests = Digests {
            values: array::from_fn(|_| None),
            counted: vec![None; self.plan.counted.len()],
            octets: self.octets,
            only_crlf: self.lines.only_crlf(),
        };
        self.exact.counted.into_iter().for_each(|counted| digests.set_counted(counted, &self.lines));
        for (alg, hash) in HashAlg::ALL.into_iter().zip(self.exact.whole) {
            let Some(hash) = hash else { continue };
            let wanted = (self.plan.wants(BodyCanon::Raw, alg), self.plan.wants(BodyCanon::Simple, alg));
            match wanted {
                (true, true) if self.lines.simple_is_raw() => {
                    let both = end(hash, BodyCanon::Simple, &self.lines);
                    digests.set(BodyCanon::Raw, alg, both);
                    digests.set(BodyCanon::Simple, alg, both);
                }
                (true, true) => {
                    digests.set(BodyCanon::Raw, alg, end(hash.clone(), BodyCanon::Raw, &self.lines));
                    digests.set(BodyCanon::Simple, alg, end(hash, BodyCanon::Simple, &self.lines));
                }
                (true, false) => digests.set(BodyCanon::Raw, alg, end(hash, BodyCanon::Raw, &self.lines)),
                (false, _) => digests.set(BodyCanon::Simple, alg, end(hash, BodyCanon::Simple, &self.lines)),
            }
        }
        if let Some(relaxed) = self.relaxed {
            relaxed.finish(&mut digests);
        }
        digests
    }
}

/// The digests of one body, and what else the pass has seen.
#[derive(Clone, Debug)]
pub struct Digests {
    values: [Option<Digest>; Lane::COUNT],
    /// For each counted request its digest, and the octets of the whole canonical form.
    counted: Vec<Option<(Digest, u64)>>,
    octets: u64,
    only_crlf: bool,
}

impl Digests {
    /// A digest that was asked for; no octets for the lane of another plan.
    #[must_use]
    pub fn get(&self, lane: Lane) -> &[u8] {
        let digest = match lane.place_if_counted() {
            None => self.values.get(usize::from(lane.0)).and_then(Option::as_ref),
            Some(place) => self.counted.get(place).and_then(Option::as_ref).map(|(digest, _)| digest),
        };
        digest.map_or(&[], AsRef::as_ref)
    }

    /// Octets of the whole canonical form, of which a lane of [`DigestPlan::request_first`] took the first ones.
    #[must_use]
    pub fn canonical_octets(&self, lane: Lane) -> Option<u64> {
        self.counted.get(lane.place_if_counted()?)?.as_ref().map(|(_, octets)| *octets)
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

    fn set(&mut self, canon: BodyCanon, alg: HashAlg, digest: Digest) {
        if let Some(value) = self.values.get_mut(usize::from(Lane::of(canon, alg).0)) {
            *value = Some(digest);
        }
    }

    fn set_counted(&mut self, mut counted: Counted, lines: &HeldLines) {
        lines.finish(counted.canon, &mut |octets| counted.update(octets));
        if let Some(value) = self.counted.get_mut(counted.place) {
            *value = Some((counted.hash.finish(), counted.octets));
        }
    }
}

/// The hash states that one canonical form is fed to.
struct Hashes {
    /// One for each algorithm that is wanted.
    whole: [Option<Context>; HashAlg::ALL.len()],
    counted: Vec<Counted>,
}

impl Hashes {
    fn update(&mut self, octets: &[u8]) {
        self.whole.iter_mut().flatten().for_each(|hash| hash.update(octets));
        self.counted.iter_mut().for_each(|counted| counted.update(octets));
    }

    fn is_empty(&self) -> bool {
        self.whole.iter().all(Option::is_none) && self.counted.is_empty()
    }
}

/// A hash state for the first octets of a canonical form.
struct Counted {
    place: usize,
    canon: BodyCanon,
    hash: Context,
    left: u64,
    octets: u64,
}

impl Counted {
    fn new(first: First, place: usize) -> Self {
        Self { place, canon: first.canon, hash: first.alg.context(), left: first.octets, octets: 0 }
    }

    fn update(&mut self, octets: &[u8]) {
        self.octets += octets.len() as u64;
        let first = usize::try_from(self.left).ok().and_then(|left| octets.get(..left)).unwrap_or(octets);
        if !first.is_empty() {
            self.hash.update(first);
            self.left -= first.len() as u64;
        }
    }
}

/// The relaxed form, made once for all hash algorithms.
struct Relaxed {
    hashes: Hashes,
    lines: HeldLines,
    squeezer: Squeezer,
}

impl Relaxed {
    fn feed(&mut self, body: &[u8]) {
        let Self { hashes, lines, squeezer } = self;
        squeezer.feed(body, &mut |octets| lines.feed(octets, &mut |octets| hashes.update(octets)));
    }

    fn finish(self, digests: &mut Digests) {
        let Self { mut hashes, mut lines, mut squeezer } = self;
        squeezer.finish(&mut |octets| lines.feed(octets, &mut |octets| hashes.update(octets)));
        hashes.counted.into_iter().for_each(|counted| digests.set_counted(counted, &lines));
        for (alg, hash) in HashAlg::ALL.into_iter().zip(hashes.whole) {
            if let Some(hash) = hash {
                digests.set(BodyCanon::Relaxed, alg, end(hash, BodyCanon::Relaxed, &lines));
            }
        }
    }
}

fn end(mut hash: Context, canon: BodyCanon, lines: &HeldLines) -> Digest {
    lines.finish(canon, &mut |octets| hash.update(octets));
    hash.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lane_of_some_bodies() {
        let rows = [
            ("", "", "\r\n", "", true),
            ("\r\n", "\r\n", "\r\n", "", true),
            ("\r\n\r\n", "\r\n\r\n", "\r\n", "", true),
            ("\r", "\r", "\r\r\n", "\r\r\n", false),
            ("a  b\r\n", "a  b\r\n", "a  b\r\n", "a b\r\n", false),
            ("a \r\n\r\n", "a \r\n\r\n", "a \r\n", "a\r\n", false),
            ("a", "a", "a\r\n", "a\r\n", false),
        ];
        for (body, raw, simple, relaxed, only_crlf) in rows {
            let forms = [(BodyCanon::Raw, raw), (BodyCanon::Simple, simple), (BodyCanon::Relaxed, relaxed)];
            let mut plan = DigestPlan::new();
            for (canon, alg) in forms.iter().flat_map(|(canon, _)| HashAlg::ALL.map(|alg| (*canon, alg))) {
                assert_eq!(plan.request(canon, alg), plan.request(canon, alg));
            }
            let mut digester = plan.start();
            digester.feed(body.as_bytes());
            let digests = digester.finish();
            assert_eq!((digests.octets(), digests.only_crlf()), (body.len() as u64, only_crlf), "{body:?}");
            for (canon, form) in forms {
                for alg in HashAlg::ALL {
                    let mut expected = alg.context();
                    expected.update(form.as_bytes());
                    assert_eq!(
                        digests.get(Lane::of(canon, alg)),
                        expected.finish().as_ref(),
                        "{canon:?} {alg:?} {body:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_first_octets_of_every_form() {
        let rows = [
            ("", "", "\r\n", ""),
            ("\r\n\r\n", "\r\n\r\n", "\r\n", ""),
            ("a  b \r\n\r\nc\r\n\r\n", "a  b \r\n\r\nc\r\n\r\n", "a  b \r\n\r\nc\r\n", "a b\r\n\r\nc\r\n"),
        ];
        for (body, raw, simple, relaxed) in rows {
            let forms = [(BodyCanon::Raw, raw), (BodyCanon::Simple, simple), (BodyCanon::Relaxed, relaxed)];
            for (canon, form) in forms {
                for (octets, cut) in
                    (0..=form.len() + 2).flat_map(|octets| (0..=body.len()).map(move |cut| (octets, cut)))
                {
                    let mut plan = DigestPlan::new();
                    let lane = plan.request_first(canon, HashAlg::Sha256, octets as u64);
                    assert_eq!(plan.request_first(canon, HashAlg::Sha256, octets as u64), lane);
                    let whole = plan.request(canon, HashAlg::Sha256);
                    let mut digester = plan.start();
                    let (one, two) = body.as_bytes().split_at(cut);
                    [one, two].into_iter().for_each(|piece| digester.feed(piece));
                    let digests = digester.finish();
                    let digest_of = |octets: &[u8]| digest::digest(&digest::SHA256, octets);
                    let first = &form.as_bytes()[..octets.min(form.len())];
                    assert_eq!(digests.get(lane), digest_of(first).as_ref(), "{canon:?} {body:?} {octets}");
                    assert_eq!(digests.get(whole), digest_of(form.as_bytes()).as_ref());
                    assert_eq!(digests.canonical_octets(lane), Some(form.len() as u64));
                    assert_eq!(digests.canonical_octets(whole), None);
                }
            }
        }
    }

    #[test]
    fn counted_digests_are_limited() {
        let mut plan = DigestPlan::new();
        let limit = limits::COUNTED_DIGESTS as u64;
        let lanes: Vec<_> =
            (0..=limit).map(|octets| plan.request_first(BodyCanon::Simple, HashAlg::Sha256, octets)).collect();
        let digests = plan.start().finish();
        let digested = lanes.iter().filter(|lane| digests.get(**lane).len() == 32).count();
        assert_eq!((digested, digests.get(lanes[limits::COUNTED_DIGESTS])), (limits::COUNTED_DIGESTS, b"".as_slice()));
    }

    #[test]
    fn a_lane_alone_is_the_same() {
        let canons = [BodyCanon::Raw, BodyCanon::Simple, BodyCanon::Relaxed];
        let digests_of = |canons: &[BodyCanon], body: &str| {
            let mut plan = DigestPlan::new();
            for canon in canons {
                plan.request(*canon, HashAlg::Sha256);
            }
            let mut digester = plan.start();
            digester.feed(body.as_bytes());
            digester.finish()
        };
        for (body, canon) in
            ["", "\r\n", "a", "a\r\n", "a \r\n\r\n"].into_iter().flat_map(|body| canons.map(|canon| (body, canon)))
        {
            let lane = Lane::of(canon, HashAlg::Sha256);
            let alone = digests_of(&[canon], body);
            assert_eq!(alone.get(lane), digests_of(&canons, body).get(lane), "{canon:?} {body:?}");
            assert_eq!(alone.get(Lane::of(canon, HashAlg::Sha512)), b"");
        }
    }
}
