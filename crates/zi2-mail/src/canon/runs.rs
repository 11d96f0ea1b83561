//! Where in a body white space may change.
//!
//! Most octets of most bodies stay as they are. To see that costs more than anything else here, so it is written for vectors:
//! plain loops without branches, which the compiler turns into the instructions of the machine.

use std::ops::Range;

/// The runs of octets that may change: each TAB, and each SP before another blank, a CR or another control octet.
pub(super) struct Runs<'o> {
    octets: &'o [u8],
    /// The block of `bits`, and what comes after it.
    block: usize,
    next: usize,
    /// One bit for each octet of the block that may change and was not given out yet.
    bits: u64,
    /// Octets since the last one that may change.
    calm: usize,
}

/// Octets looked at in one go: a word has one bit for each.
pub(super) const BLOCK: usize = 64;

/// Octets looked at in one go after as many in which nothing was found: the quicker way, but twice the work where there is
/// something to find.
const SPAN: usize = 2 * BLOCK;

impl<'o> Runs<'o> {
    pub(super) fn of(octets: &'o [u8]) -> Self {
        Self { octets, block: 0, next: 0, bits: 0, calm: SPAN }
    }

    /// The bits of the next block that has some.
    fn next_bits(&mut self) -> Option<u64> {
        loop {
            let rest = self.octets.get(self.next..).filter(|rest| !rest.is_empty())?;
            if self.calm >= SPAN {
                if is_reduced(rest) {
                    self.next += SPAN;
                    continue;
                }
                self.calm = 0;
            }
            (self.block, self.next) = (self.next, self.next + BLOCK);
            let bits = match rest.first_chunk::<{ BLOCK + 1 }>() {
                Some(window) => blanks(window),
                None => blanks(&padded(rest)),
            };
            if bits != 0 {
                self.calm = 0;
                return Some(bits);
            }
            self.calm += BLOCK;
        }
    }
}

impl Iterator for Runs<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        if self.bits == 0 {
            self.bits = self.next_bits()?;
        }
        let place = self.bits.trailing_zeros();
        let count = self.bits.checked_shr(place)?.trailing_ones();
        self.bits &= u64::MAX.checked_shl(place + count).unwrap_or(0);
        let start = self.block + place as usize;
        Some(start..start + count as usize)
    }
}

/// Whether nothing in a span may change. The compiler makes vectors of it: the least of 16 differences is one instruction.
fn is_reduced(rest: &[u8]) -> bool {
    let next = rest.get(1..).unwrap_or_default();
    let (Some(octets), Some(next)) = (rest.first_chunk::<SPAN>(), next.first_chunk::<SPAN>()) else { return false };
    let difference = |octet: u8, next: u8| (octet ^ b'\t').min((octet ^ b' ') | next.saturating_sub(b' '));
    octets.iter().zip(next).fold(u8::MAX, |least, (octet, next)| least.min(difference(*octet, *next))) != 0
}

/// The last octets, and after them some that are no white space.
fn padded(rest: &[u8]) -> [u8; BLOCK + 1] {
    let mut window = [b'x'; BLOCK + 1];
    window.iter_mut().zip(rest).for_each(|(place, octet)| *place = *octet);
    window
}

/// One bit for each octet of a block that may change. Most blocks have none, which the compiler makes vectors of.
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
