//! Line ends at the end of a body, which the algorithms treat in different ways (RFC 6376 §3.4.3 and §3.4.4).

use super::BodyCanon;

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
