//! White space within the lines of a body (RFC 6376 §3.4.4).

use std::mem;

use super::runs::{BLOCK, Runs};

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
        for run in Runs::of(decided) {
            self.put(decided.get(clean..).unwrap_or_default(), run.start - clean, sink);
            clean = run.end;
            // The last blank of each run stays: white space goes if more of it or a CRLF is next.
            let after = decided.get(clean..).unwrap_or_default();
            let goes = matches!(after, [b' ' | b'\t', ..] | [b'\r', b'\n', ..]);
            self.stage.push(b' ');
            self.stage.truncate(self.stage.len() - usize::from(goes));
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
        // Room for a whole block too, and for the blank that follows.
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
    let whole = octets.len() - usize::from(octets.ends_with(b" "));
    Runs::of(octets).next().map_or(whole, |run| run.start)
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
