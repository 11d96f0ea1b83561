//! What SMTP cannot carry unchanged (zi2.md §3).
//!
//! A signer asks before it signs, because a relay would break the signature. Changes nothing, and says only what is wrong,
//! not where.

use memchr::memrchr;
use thiserror::Error;

use crate::limits;

/// Why SMTP cannot carry a message unchanged. If there are several reasons, the first in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum NotSmtp {
    /// An octet of value zero.
    #[error("the message holds a NUL octet; have the sending program encode it (base64 or quoted-printable)")]
    Nul,
    /// A CR without a LF after it.
    #[error("the message holds a CR without LF; have the sending program end lines with CRLF and encode other CRs")]
    BareCr,
    /// A LF without a CR before it.
    #[error("the message holds a LF without CR; have the sending program end lines with CRLF and encode other LFs")]
    BareLf,
    /// A line over [`limits::LINE_OCTETS`].
    #[error("a line is longer than 998 octets; have the sending program fold or encode it")]
    LongLine,
}

/// Looks at a message, or its body, in pieces of any size. Its outcome does not depend on how they are cut.
#[derive(Clone, Debug, Default)]
pub struct SmtpScan {
    /// The octet before the next one.
    last: Option<u8>,
    found: Found,
    /// Octets since the last LF.
    line: usize,
}

/// Which reasons have been seen.
#[derive(Clone, Copy, Debug, Default)]
struct Found(u8);

impl Found {
    const ORDER: [NotSmtp; 4] = [NotSmtp::Nul, NotSmtp::BareCr, NotSmtp::BareLf, NotSmtp::LongLine];

    fn add(&mut self, reason: NotSmtp) {
        self.0 |= 1 << reason as u8;
    }

    fn has(self, reason: NotSmtp) -> bool {
        self.0 & (1 << reason as u8) != 0
    }
}

/// Octets looked at in one go.
const BLOCK: usize = 4096;

/// Octets of the longest line with its CRLF. No LF among so many octets of a line: it is too long.
const FULL_LINE: usize = limits::LINE_OCTETS + b"\r\n".len();

impl SmtpScan {
    /// A scan before the first octet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next piece.
    pub fn feed(&mut self, octets: &[u8]) {
        let Some(first) = octets.first() else { return };
        self.pair(self.last, Some(*first));
        for (index, block) in octets.chunks(BLOCK).enumerate() {
            // With the octet after the block: each octet is looked at together with its next.
            let start = index * BLOCK;
            self.block(octets.get(start..octets.len().min(start + block.len() + 1)).unwrap_or_default());
        }
        self.last = octets.last().copied();
        self.lines(octets);
    }

    /// Says what was found.
    ///
    /// # Errors
    ///
    /// The first reason in the order of [`NotSmtp`], wherever it lies.
    pub fn finish(mut self) -> Result<(), NotSmtp> {
        self.pair(self.last, None);
        if self.line > limits::LINE_OCTETS {
            self.found.add(NotSmtp::LongLine);
        }
        Found::ORDER.into_iter().find(|reason| self.found.has(*reason)).map_or(Ok(()), Err)
    }

    /// All pairs of neighbours. A block is clean if a CR always goes with a LF; only one that is not is read closely.
    fn block(&mut self, block: &[u8]) {
        let next = block.get(1..).unwrap_or_default();
        let pairs = block.iter().zip(next);
        // A minimum is one instruction for many octets, a comparison and its use are two.
        let look =
            |(least, bad): (u8, bool), (a, b): (&u8, &u8)| (least.min(*a), bad | ((*a == b'\r') != (*b == b'\n')));
        let (least, bad) = pairs.clone().fold((u8::MAX, false), look);
        if bad || least == 0 {
            pairs.for_each(|(a, b)| self.pair(Some(*a), Some(*b)));
        }
    }

    /// Two neighbours; nothing before the first octet and after the last.
    fn pair(&mut self, octet: Option<u8>, next: Option<u8>) {
        if octet == Some(0) {
            self.found.add(NotSmtp::Nul);
        }
        match (octet == Some(b'\r'), next == Some(b'\n')) {
            (true, false) => self.found.add(NotSmtp::BareCr),
            (false, true) => self.found.add(NotSmtp::BareLf),
            _ => {}
        }
    }

    /// Jumps from the last LF within a full line to the next such LF. That LF may be bare, which is a reason before this one.
    /// Stays at a line that is too long.
    fn lines(&mut self, mut octets: &[u8]) {
        while !octets.is_empty() && self.line < FULL_LINE {
            let full = octets.len().min(FULL_LINE - self.line);
            let (window, rest) = octets.split_at_checked(full).unwrap_or((octets, &[]));
            if let Some(lf) = memrchr(b'\n', window) {
                self.line = 0;
                octets = octets.get(lf + 1..).unwrap_or_default();
            } else {
                self.line += window.len();
                octets = rest;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(chunks: &[&[u8]]) -> Result<(), NotSmtp> {
        let mut scan = SmtpScan::new();
        chunks.iter().for_each(|chunk| scan.feed(chunk));
        scan.finish()
    }

    #[test]
    fn rows_at_every_cut() {
        let line = |octets: usize| "x".repeat(octets);
        let rows = [
            (String::new(), Ok(())),
            ("\r\n\r\n".into(), Ok(())),
            ("a\r\nb".into(), Ok(())),
            ("a\r".into(), Err(NotSmtp::BareCr)),
            ("\n".into(), Err(NotSmtp::BareLf)),
            ("\r\r\n".into(), Err(NotSmtp::BareCr)),
            ("\r\n\n".into(), Err(NotSmtp::BareLf)),
            ("\n\r\r".into(), Err(NotSmtp::BareCr)),
            ("\n\r\0".into(), Err(NotSmtp::Nul)),
            ("\0".into(), Err(NotSmtp::Nul)),
            (line(998), Ok(())),
            (line(999), Err(NotSmtp::LongLine)),
            (line(998) + "\r\n", Ok(())),
            (line(999) + "\r\n", Err(NotSmtp::LongLine)),
            (line(998) + "\r\n" + &line(998) + "\r\n" + &line(998), Ok(())),
            ("a\r\n".to_owned() + &line(999) + "\r\n", Err(NotSmtp::LongLine)),
            (line(998) + "\r", Err(NotSmtp::BareCr)),
            (line(9000) + "\n", Err(NotSmtp::BareLf)),
            (line(900) + "\r\n" + &line(9000), Err(NotSmtp::LongLine)),
        ];
        for (message, expected) in rows {
            for cut in 0..=message.len() {
                let (one, two) = message.as_bytes().split_at(cut);
                assert_eq!(scan(&[one, two]), expected, "{} octets cut at {cut}", message.len());
            }
        }
    }
}
