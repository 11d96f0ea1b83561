//! Body canonicalization (RFC 6376 §3.4.3 and §3.4.4) as a stream.
//!
//! The algorithms end in a rule about the end of the body, so nothing is written until it is known to matter: line ends
//! wait as a count, white space as one of two words. Memory is constant and no outcome depends on how the body was cut.

use std::mem;

/// A body canonicalization algorithm. Not a [`HeaderCanon`](super::HeaderCanon), although both have a *simple*.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BodyCanon {
    /// None: every octet as received (zi2.md §3).
    Raw,
    /// RFC 6376 §3.4.3: empty lines at the end removed, then one CRLF; an empty body becomes a CRLF.
    Simple,
    /// RFC 6376 §3.4.4: white space reduced too; an empty body stays empty.
    Relaxed,
}

/// Holds back the CRLFs at the end of what has come so far. What it lets through is the part all algorithms keep.
#[derive(Clone, Debug, Default)]
pub(crate) struct HeldLines {
    crlfs: u64,
    /// A CR that ended a chunk, after the CRLFs.
    cr: Cr,
    text: Text,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Cr {
    #[default]
    None,
    Held,
}

/// Whether anything but CRLFs has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Text {
    #[default]
    None,
    Some,
}

impl HeldLines {
    /// Passes on all octets but the CRLFs at their end.
    pub(crate) fn feed(&mut self, mut octets: &[u8], sink: &mut impl FnMut(&[u8])) {
        if let (Cr::Held, Some((b'\n', rest))) = (self.cr, octets.split_first()) {
            self.cr = Cr::None;
            self.crlfs += 1;
            octets = rest;
        }
        if octets.is_empty() {
            return;
        }
        let (text, crlfs, cr) = split_line_ends(octets);
        // A CR held until now had no LF after it: it was text.
        if !text.is_empty() || self.cr == Cr::Held {
            self.ending(BodyCanon::Raw).write(sink);
            self.crlfs = 0;
            self.text = Text::Some;
            sink(text);
        }
        self.crlfs += crlfs;
        self.cr = cr;
    }

    /// What the algorithm wants of the held end.
    pub(crate) fn ending(&self, canon: BodyCanon) -> Ending {
        match canon {
            BodyCanon::Raw => Ending { crlfs: self.crlfs, after_cr: (self.cr == Cr::Held).then_some(0) },
            // RFC 6376 §3.4.4: an empty body has no CRLF in relaxed form, §3.4.3: it has one in simple form.
            BodyCanon::Relaxed if self.only_crlf() => Ending { crlfs: 0, after_cr: None },
            BodyCanon::Simple | BodyCanon::Relaxed if self.cr == Cr::Held => {
                Ending { crlfs: self.crlfs, after_cr: Some(1) }
            }
            BodyCanon::Simple | BodyCanon::Relaxed => Ending { crlfs: 1, after_cr: None },
        }
    }

    /// Whether nothing but CRLFs has come.
    pub(crate) fn only_crlf(&self) -> bool {
        self.text == Text::None && self.cr == Cr::None
    }
}

/// The end of a canonical form: CRLFs, and perhaps a CR that is text and CRLFs after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    crlfs: u64,
    after_cr: Option<u64>,
}

impl Ending {
    pub(crate) fn write(self, sink: &mut impl FnMut(&[u8])) {
        write_crlfs(self.crlfs, sink);
        if let Some(crlfs) = self.after_cr {
            sink(b"\r");
            write_crlfs(crlfs, sink);
        }
    }
}

fn write_crlfs(mut left: u64, sink: &mut impl FnMut(&[u8])) {
    static CRLFS: [[u8; 2]; 512] = [*b"\r\n"; 512];
    while left > 0 {
        let some = CRLFS.get(..usize::try_from(left).unwrap_or(usize::MAX)).unwrap_or(&CRLFS);
        sink(some.as_flattened());
        left -= some.len() as u64;
    }
}

fn split_line_ends(octets: &[u8]) -> (&[u8], u64, Cr) {
    let (mut text, cr) = match octets {
        [text @ .., b'\r'] => (text, Cr::Held),
        _ => (octets, Cr::None),
    };
    let mut crlfs = 0;
    while let [before @ .., b'\r', b'\n'] = text {
        text = before;
        crlfs += 1;
    }
    (text, crlfs, cr)
}

/// Reduces white space within lines as *relaxed* does: a run becomes one SP, before a CRLF or the end of the body nothing.
/// Octets that need no change are passed on where they lie, if there are many of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Squeezer {
    held: Blank,
    stage: Vec<u8>,
}

/// White space whose meaning the next octets decide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Blank {
    #[default]
    None,
    /// A run of white space.
    Space,
    /// A run of white space, then a CR.
    SpaceCr,
}

/// Octets looked at in one go: a word has one bit for each.
const BLOCK: usize = 64;
/// Size of the staging buffer. Small enough to stay in the first-level cache with what is hashed.
const STAGE: usize = 8 * 1024;
/// Octets that are worth a call of the sink of their own.
const DIRECT: usize = 512;

impl Squeezer {
    /// Passes on the reduced form of these octets, some of it perhaps later.
    pub(crate) fn feed(&mut self, octets: &[u8], sink: &mut impl FnMut(&[u8])) {
        let octets = self.settle(octets, sink);
        if octets.is_empty() {
            return;
        }
        let (decided, held) = split_blank(octets);
        self.held = held;
        let mut clean = 0;
        for block in (0..decided.len()).step_by(BLOCK) {
            let rest = decided.get(block..).unwrap_or_default();
            let mut blanks = match rest.first_chunk::<{ BLOCK + 1 }>() {
                Some(window) => blanks(window),
                None => blanks(&padded(rest)),
            };
            while let Some((place, count)) = next_run(&mut blanks) {
                let last = block + place + count - 1;
                let (stays, kept) = fate(decided.get(last..).unwrap_or_default());
                self.put(decided.get(clean..).unwrap_or_default(), block + place - clean, sink);
                self.stage.extend_from_slice(stays);
                clean = last + 1 - kept;
            }
        }
        let rest = decided.get(clean..).unwrap_or_default();
        self.put(rest, rest.len(), sink);
    }

    /// Passes on what is left. White space at the end of the body is white space at the end of a line.
    pub(crate) fn finish(&mut self, sink: &mut impl FnMut(&[u8])) {
        if mem::take(&mut self.held) == Blank::SpaceCr {
            self.put(b" \r", b" \r".len(), sink);
        }
        self.flush(sink);
    }

    /// Decides about held white space, octet by octet; gives back what comes after it.
    fn settle<'o>(&mut self, mut octets: &'o [u8], sink: &mut impl FnMut(&[u8])) -> &'o [u8] {
        while let (Blank::Space | Blank::SpaceCr, Some((octet, rest))) = (self.held, octets.split_first()) {
            self.held = match (self.held, octet) {
                (Blank::Space, b' ' | b'\t') => Blank::Space,
                (Blank::Space, b'\r') => Blank::SpaceCr,
                (Blank::Space, _) => {
                    self.put(b" ", b" ".len(), sink);
                    self.held = Blank::None;
                    return octets;
                }
                (_, b'\n') => {
                    self.put(b"\r\n", b"\r\n".len(), sink);
                    Blank::None
                }
                _ => {
                    self.put(b" \r", b" \r".len(), sink);
                    self.held = Blank::None;
                    return octets;
                }
            };
            octets = rest;
        }
        octets
    }

    /// Passes on the first `count` octets. Given more than those, a short copy has a fixed length, which is the faster.
    #[inline]
    fn put(&mut self, octets: &[u8], count: usize, sink: &mut impl FnMut(&[u8])) {
        // Room for a whole block too, and for the octet that follows a change.
        if count >= DIRECT || self.stage.len() + count + BLOCK + 1 > self.stage.capacity() {
            return self.put_slow(octets.get(..count).unwrap_or_default(), sink);
        }
        match octets.first_chunk::<BLOCK>() {
            Some(block) if count <= BLOCK => {
                let end = self.stage.len() + count;
                self.stage.extend_from_slice(block);
                self.stage.truncate(end);
            }
            _ => self.stage.extend_from_slice(octets.get(..count).unwrap_or_default()),
        }
    }

    #[cold]
    #[inline(never)]
    fn put_slow(&mut self, octets: &[u8], sink: &mut impl FnMut(&[u8])) {
        self.flush(sink);
        if self.stage.capacity() == 0 {
            self.stage.reserve_exact(STAGE);
        }
        if octets.len() >= DIRECT {
            sink(octets);
        } else {
            self.stage.extend_from_slice(octets);
        }
    }

    fn flush(&mut self, sink: &mut impl FnMut(&[u8])) {
        if !self.stage.is_empty() {
            sink(&self.stage);
            self.stage.clear();
        }
    }
}

/// Octets at the start that are in relaxed form as they are, whatever comes after them: the first blank that goes or may go
/// ends them.
pub(crate) fn unchanged(octets: &[u8]) -> usize {
    for (block, rest) in (0..octets.len()).step_by(BLOCK).map(|block| (block, octets.get(block..).unwrap_or_default()))
    {
        let blanks = match rest.first_chunk::<{ BLOCK + 1 }>() {
            Some(window) => blanks(window),
            None => blanks(&padded(rest)),
        };
        if blanks != 0 {
            return block + blanks.trailing_zeros() as usize;
        }
    }
    octets.len() - usize::from(octets.ends_with(b" "))
}

/// Parts white space at the end, with or without a CR, from octets about which everything is known.
fn split_blank(octets: &[u8]) -> (&[u8], Blank) {
    let (mut decided, held) = match octets {
        [decided @ .., b' ' | b'\t', b'\r'] => (decided, Blank::SpaceCr),
        [decided @ .., b' ' | b'\t'] => (decided, Blank::Space),
        _ => return (octets, Blank::None),
    };
    while let [before @ .., b' ' | b'\t'] = decided {
        decided = before;
    }
    (decided, held)
}

/// The last octets, and after them some that are no white space.
fn padded(rest: &[u8]) -> [u8; BLOCK + 1] {
    let mut window = [b'x'; BLOCK + 1];
    window.iter_mut().zip(rest).for_each(|(place, octet)| *place = *octet);
    window
}

/// One bit for each octet of a block that may change: a TAB, or a SP before another blank, a CR or another control octet.
/// Most blocks have none, which the compiler makes vectors of.
fn blanks(window: &[u8; BLOCK + 1]) -> u64 {
    let mut flags = [0_u8; BLOCK];
    let next = window.get(1..).unwrap_or_default();
    for ((flag, octet), next) in flags.iter_mut().zip(window).zip(next) {
        *flag = u8::from((*octet == b'\t') | ((*octet == b' ') & (*next <= b' ')));
    }
    let (groups, _) = flags.as_chunks::<8>();
    if groups.iter().fold(0, |any, group| any | u64::from_ne_bytes(*group)) == 0 {
        return 0;
    }
    // The lowest bits of eight octets, gathered in the highest octet of the product, the first octet's lowest.
    let gather = |group: u64| group.wrapping_mul(0x0102_0408_1020_4080) >> 56;
    groups.iter().rev().fold(0, |bits, group| bits << 8 | gather(u64::from_le_bytes(*group)))
}

/// Takes the first run of ones: its place and length. All octets of such a run but the last have a blank next.
fn next_run(bits: &mut u64) -> Option<(usize, usize)> {
    let place = bits.trailing_zeros();
    let count = bits.checked_shr(place)?.trailing_ones();
    *bits &= u64::MAX.checked_shl(place + count).unwrap_or(0);
    Some((place as usize, count as usize))
}

/// What stays of a blank and of what is after it: what a TAB becomes, or how many octets are as they should be.
///
/// The rule without a state: white space goes if more of it or a CRLF is next, so the last blank of each run stays.
fn fate(octets: &[u8]) -> (&'static [u8], usize) {
    match octets {
        [_, b' ' | b'\t', ..] | [_, b'\r', b'\n', ..] => (b"", 0),
        [b'\t', ..] => (b" ", 0),
        _ => (b"", 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(canon: BodyCanon, chunks: &[&[u8]]) -> String {
        let (mut lines, mut squeezer, mut out) = (HeldLines::default(), Squeezer::default(), Vec::new());
        let mut sink = |octets: &[u8]| out.extend_from_slice(octets);
        for chunk in chunks {
            match canon {
                BodyCanon::Relaxed => squeezer.feed(chunk, &mut |octets| lines.feed(octets, &mut sink)),
                BodyCanon::Raw | BodyCanon::Simple => lines.feed(chunk, &mut sink),
            }
        }
        squeezer.finish(&mut |octets| lines.feed(octets, &mut sink));
        lines.ending(canon).write(&mut sink);
        String::from_utf8(out).unwrap()
    }

    /// Body, simple, relaxed. The first eight are those on which five programs disagree.
    const ROWS: &[(&str, &str, &str)] = &[
        ("a\r\n \r\n", "a\r\n \r\n", "a\r\n"),
        (" \r\n", " \r\n", ""),
        ("\r\n", "\r\n", ""),
        ("a", "a\r\n", "a\r\n"),
        ("a\nb\r\n", "a\nb\r\n", "a\nb\r\n"),
        ("a\rb\r\n", "a\rb\r\n", "a\rb\r\n"),
        ("a\r\r\n", "a\r\r\n", "a\r\r\n"),
        ("a \t", "a \t\r\n", "a\r\n"),
        ("", "\r\n", ""),
        (" ", " \r\n", ""),
        (" C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n", " C\r\nD E\r\n"), // RFC 6376 §3.4.5
        ("\r\n\r\n\r\n", "\r\n", ""),
        ("\r\n\r\na\r\n\r\nb\r\n\r\n", "\r\n\r\na\r\n\r\nb\r\n", "\r\n\r\na\r\n\r\nb\r\n"),
        ("a\r\n\r", "a\r\n\r\r\n", "a\r\n\r\r\n"),
        ("\r", "\r\r\n", "\r\r\n"),
        ("\n", "\n\r\n", "\n\r\n"),
        ("a\n", "a\n\r\n", "a\n\r\n"),
        ("a \n", "a \n\r\n", "a \n\r\n"),
        ("a \rb", "a \rb\r\n", "a \rb\r\n"),
        ("a \r", "a \r\r\n", "a \r\r\n"),
        ("a \r\r\n", "a \r\r\n", "a \r\r\n"),
        ("a \r \r\n", "a \r \r\n", "a \r\r\n"),
        ("a\r\n\t \r\n\r\n ", "a\r\n\t \r\n\r\n \r\n", "a\r\n"),
        ("\t\ta\tb\t \r\n", "\t\ta\tb\t \r\n", " a b\r\n"),
        ("\r\n\n", "\r\n\n\r\n", "\r\n\n\r\n"),
        ("\r\n \n", "\r\n \n\r\n", "\r\n \n\r\n"),
    ];

    #[test]
    fn rows_at_every_cut_and_in_front_of_every_block_border() {
        for &(body, simple, relaxed) in ROWS {
            for canon in [BodyCanon::Raw, BodyCanon::Simple, BodyCanon::Relaxed] {
                let expected = [body, simple, relaxed][canon as usize];
                for cut in 0..=body.len() {
                    let (one, two) = body.as_bytes().split_at(cut);
                    assert_eq!(canonical(canon, &[one, b"", two]), expected, "{canon:?} {body:?} cut at {cut}");
                }
                let octets: Vec<_> = body.as_bytes().chunks(1).collect();
                assert_eq!(canonical(canon, &octets), expected, "{canon:?} {body:?} octet by octet");
                for before in [40, 50, 60, 120].into_iter().flat_map(|start| start..start + 10) {
                    let before = "x".repeat(before);
                    // With text before it, a body is never empty.
                    let expected = if expected.is_empty() { "\r\n" } else { expected };
                    let lines = canonical(canon, &[before.as_bytes(), b"\r\n", body.as_bytes()]);
                    if !matches!(body, "" | "\r\n" | "\r\n\r\n\r\n" | " \r\n" | " ") {
                        assert_eq!(lines, [&before, "\r\n", expected].concat(), "{canon:?} {body:?}");
                    }
                    let whole = canonical(canon, &[[&before, "\r\n", body].concat().as_bytes()]);
                    assert_eq!(lines, whole, "{canon:?} {body:?}");
                }
            }
        }
    }

    #[test]
    fn floods_are_counted() {
        for flood in ["\r\n", " \r\n", "\r", " ", "\t", " \r", "\n"] {
            let flood = flood.repeat(10_000);
            for body in [flood.clone(), flood.clone() + "a", flood.clone() + "a" + &flood] {
                for canon in [BodyCanon::Raw, BodyCanon::Simple, BodyCanon::Relaxed] {
                    let pieces: Vec<_> = body.as_bytes().chunks(7).collect();
                    assert_eq!(canonical(canon, &[body.as_bytes()]), canonical(canon, &pieces));
                }
            }
        }
    }
}
