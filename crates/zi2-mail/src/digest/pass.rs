//! The pass over a body.

use std::mem;

use aws_lc_rs::digest::Context;

use super::plan::{First, Scan};
use super::{DigestPlan, Digests, HashAlg, Lane, Made};
use crate::canon::{BodyCanon, Ending, HeldLines, Squeezer, unchanged};
use crate::smtp::SmtpScan;

/// The pass over a body, in pieces of any size. Its outcome does not depend on how the body is cut.
///
/// A body that is its own relaxed form is hashed once for all canonical forms; the first octets that are not part the two.
pub struct BodyDigester {
    plan: DigestPlan,
    octets: u64,
    scan: Option<SmtpScan>,
    /// Raw and simple: they differ only in the line ends at the end, which [`HeldLines`] holds.
    exact: Stream,
    relaxed: Relaxed,
}

/// Where the relaxed form is made.
enum Relaxed {
    Unwanted,
    /// In `exact`, because so far it is the same. What is held here is in neither: the next octet decides about it.
    Shared(&'static [u8]),
    Apart(Box<Apart>),
}

struct Apart {
    stream: Stream,
    squeezer: Squeezer,
}

/// Octets that go through all algorithms before the next ones do, so that they are read from memory once.
const PIECE: usize = 16 * 1024;

impl BodyDigester {
    pub(super) fn new(plan: DigestPlan) -> Self {
        let exact = Hashes::new(&plan, &[BodyCanon::Raw, BodyCanon::Simple]);
        let relaxed = Hashes::new(&plan, &[BodyCanon::Relaxed]);
        let (exact, relaxed) = match (exact.is_empty(), relaxed.is_empty()) {
            (_, true) => (exact, Relaxed::Unwanted),
            (true, false) => (exact, Relaxed::Apart(Box::new(Apart::new(Stream::new(relaxed))))),
            (false, false) => {
                let all = [BodyCanon::Raw, BodyCanon::Simple, BodyCanon::Relaxed];
                (Hashes::new(&plan, &all), Relaxed::Shared(b""))
            }
        };
        let scan = (plan.scan() == Scan::Wanted).then(SmtpScan::new);
        Self { plan, octets: 0, scan, exact: Stream::new(exact), relaxed }
    }

    /// Takes the next piece of the body.
    pub fn feed(&mut self, body: &[u8]) {
        self.octets += body.len() as u64;
        for piece in body.chunks(PIECE) {
            self.feed_forms(piece);
            // Last: a hash fetches the octets from memory while it computes, a scan would wait for them.
            if let Some(scan) = &mut self.scan {
                scan.feed(piece);
            }
        }
    }

    /// Ends the body.
    #[must_use]
    pub fn finish(mut self) -> Digests {
        // White space at the end of the body is white space at the end of a line: relaxed leaves it out.
        if let Relaxed::Shared(held @ [_, ..]) = self.relaxed {
            self.part(held, b"");
        }
        let only_crlf = self.exact.lines.only_crlf();
        let mut made = Vec::with_capacity(Lane::COUNT);
        let exact: &[BodyCanon] = match self.relaxed {
            Relaxed::Shared(_) => &[BodyCanon::Raw, BodyCanon::Simple, BodyCanon::Relaxed],
            Relaxed::Unwanted | Relaxed::Apart(_) => &[BodyCanon::Raw, BodyCanon::Simple],
        };
        self.exact.end(&self.plan, exact, &mut made);
        if let Relaxed::Apart(apart) = self.relaxed {
            apart.finish().end(&self.plan, &[BodyCanon::Relaxed], &mut made);
        }
        Digests { made, octets: self.octets, only_crlf, smtp: self.scan.map(SmtpScan::finish) }
    }

    fn feed_forms(&mut self, piece: &[u8]) {
        match &mut self.relaxed {
            Relaxed::Unwanted => self.exact.feed(piece),
            Relaxed::Apart(apart) => {
                self.exact.feed(piece);
                apart.feed(piece);
            }
            Relaxed::Shared(held) => {
                let held = mem::take(held);
                self.feed_shared(held, piece);
            }
        }
    }

    fn feed_shared(&mut self, held: &'static [u8], piece: &[u8]) {
        if !held.is_empty() && piece.first().is_some_and(|next| *next <= b' ') {
            return self.part(held, piece);
        }
        let (same, rest) = piece.split_at_checked(unchanged(piece)).unwrap_or_default();
        self.exact.feed(held);
        self.exact.feed(same);
        match rest {
            [] => {}
            [b' '] => self.relaxed = Relaxed::Shared(b" "),
            _ => self.part(b"", rest),
        }
    }

    /// Goes on with two forms, from what was held.
    fn part(&mut self, held: &[u8], piece: &[u8]) {
        let mut apart = Apart::new(self.exact.part_relaxed(&self.plan));
        for octets in [held, piece] {
            self.exact.feed(octets);
            apart.feed(octets);
        }
        self.relaxed = Relaxed::Apart(Box::new(apart));
    }
}

impl Apart {
    fn new(stream: Stream) -> Self {
        Self { stream, squeezer: Squeezer::default() }
    }

    fn feed(&mut self, octets: &[u8]) {
        let Self { stream, squeezer } = self;
        squeezer.feed(octets, &mut |octets| stream.feed(octets));
    }

    fn finish(mut self) -> Stream {
        self.squeezer.finish(&mut |octets| self.stream.feed(octets));
        self.stream
    }
}

/// Hashes what has no white space to reduce, the line ends at its end held back.
struct Stream {
    lines: HeldLines,
    hashes: Hashes,
}

impl Stream {
    fn new(hashes: Hashes) -> Self {
        Self { lines: HeldLines::default(), hashes }
    }

    fn feed(&mut self, octets: &[u8]) {
        self.lines.feed(octets, &mut |octets| self.hashes.update(octets));
    }

    /// Parts the stream that goes on with the relaxed form from the one that goes on without it.
    fn part_relaxed(&mut self, plan: &DigestPlan) -> Self {
        Self { lines: self.lines.clone(), hashes: self.hashes.part_relaxed(plan) }
    }

    fn end(self, plan: &DigestPlan, canons: &[BodyCanon], made: &mut Vec<Made>) {
        let Self { lines, hashes } = self;
        for (alg, hash) in HashAlg::ALL.into_iter().zip(hashes.whole) {
            let Some(hash) = hash else { continue };
            let mut wanted = canons.iter().filter(|canon| plan.wants(**canon, alg));
            let lanes = [(); FORMS].map(|()| wanted.next().map(|canon| (Lane::of(*canon, alg), lines.ending(*canon))));
            end_each(hash, lanes, made);
        }
        made.extend(hashes.counted.into_iter().map(|counted| counted.end(&lines)));
    }
}

/// Canonical forms that one stream can end in.
const FORMS: usize = 3;

/// Ends one hash in different ways; equal endings share a digest, and only different ones need the state again.
fn end_each(hash: Context, mut lanes: [Option<(Lane, Ending)>; FORMS], made: &mut Vec<Made>) {
    let mut hash = Some(hash);
    while let Some((_, ending)) = lanes.iter().flatten().next().copied() {
        let others = lanes.iter().flatten().any(|(_, other)| *other != ending);
        let Some(mut hash) = (if others { hash.clone() } else { hash.take() }) else { return };
        ending.write(&mut |octets| hash.update(octets));
        let digest = hash.finish();
        let same = lanes.iter_mut().filter_map(|lane| lane.take_if(|(_, other)| *other == ending));
        made.extend(same.map(|(lane, _)| Made { lane, digest, whole: None }));
    }
}

/// The hash states that one canonical form is fed to.
struct Hashes {
    /// One for each algorithm that is wanted.
    whole: [Option<Context>; HashAlg::ALL.len()],
    counted: Vec<Counted>,
}

impl Hashes {
    /// Those wanted of any of these forms.
    fn new(plan: &DigestPlan, canons: &[BodyCanon]) -> Self {
        let wanted = |alg| canons.iter().any(|canon| plan.wants(*canon, alg));
        let counted = plan.counted().filter(|(first, _)| canons.contains(&first.canon));
        Self {
            whole: HashAlg::ALL.map(|alg| wanted(alg).then(|| alg.context())),
            counted: counted.map(|(first, lane)| Counted::new(first, lane)).collect(),
        }
    }

    fn update(&mut self, octets: &[u8]) {
        self.whole.iter_mut().flatten().for_each(|hash| hash.update(octets));
        self.counted.iter_mut().for_each(|counted| counted.update(octets));
    }

    fn is_empty(&self) -> bool {
        self.whole.iter().all(Option::is_none) && self.counted.is_empty()
    }

    fn part_relaxed(&mut self, plan: &DigestPlan) -> Self {
        let mut whole = HashAlg::ALL.map(|_| None);
        for ((alg, hash), relaxed) in HashAlg::ALL.into_iter().zip(&mut self.whole).zip(&mut whole) {
            if plan.wants(BodyCanon::Relaxed, alg) {
                relaxed.clone_from(hash);
            }
            hash.take_if(|_| !plan.wants(BodyCanon::Raw, alg) && !plan.wants(BodyCanon::Simple, alg));
        }
        let counted = mem::take(&mut self.counted).into_iter();
        let (relaxed, exact) = counted.partition(|counted| counted.canon == BodyCanon::Relaxed);
        self.counted = exact;
        Self { whole, counted: relaxed }
    }
}

/// A hash state for the first octets of a canonical form.
struct Counted {
    lane: Lane,
    canon: BodyCanon,
    hash: Context,
    left: u64,
    octets: u64,
}

impl Counted {
    fn new(first: First, lane: Lane) -> Self {
        Self { lane, canon: first.canon, hash: first.alg.context(), left: first.octets, octets: 0 }
    }

    fn update(&mut self, octets: &[u8]) {
        self.octets += octets.len() as u64;
        let first = usize::try_from(self.left).ok().and_then(|left| octets.get(..left)).unwrap_or(octets);
        if !first.is_empty() {
            self.hash.update(first);
            self.left -= first.len() as u64;
        }
    }

    fn end(mut self, lines: &HeldLines) -> Made {
        lines.ending(self.canon).write(&mut |octets| self.update(octets));
        Made { lane: self.lane, digest: self.hash.finish(), whole: Some(self.octets) }
    }
}
