//! A message: header section, empty line, body.
//!
//! Finds the one border between the two, all at once or piece by piece. Does not look into either.

use std::borrow::Cow;

use memchr::{memchr, memchr_iter, memmem};

use crate::{header::Header, limits};

/// A message cut at the empty line. A message without one is all header, and its body is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// The header section.
    pub header: Header<'a>,
    /// The complete body: every octet after the empty line.
    pub body: &'a [u8],
}

impl<'a> Message<'a> {
    /// Cuts at the first CRLF that ends an empty line. No other line end counts as one.
    #[must_use]
    pub fn split(message: &'a [u8]) -> Self {
        let (header, body) = Header::split(message);
        Self { header, body }
    }
}

/// [`Message::split`] for a message that comes in pieces, with the same outcome for every way to cut it. Stores no more
/// than [`limits::HEADER_OCTETS`] and three octets.
#[derive(Clone, Debug, Default)]
pub struct MessageReader {
    section: Vec<u8>,
    place: Place,
    /// Octets of the header section so far, those too many to be stored included.
    seen: usize,
    /// Octets since the last CRLF.
    line: usize,
    /// The octet before the next one.
    last: u8,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Header,
    Body,
}

impl MessageReader {
    /// A reader before the first octet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next piece of the message and gives back the part of it that is body.
    #[must_use = "the body is not kept"]
    pub fn feed<'c>(&mut self, chunk: &'c [u8]) -> &'c [u8] {
        if self.place == Place::Body {
            return chunk;
        }
        let end = self.find_end(chunk);
        let (header, body) = end.and_then(|end| chunk.split_at_checked(end)).unwrap_or((chunk, &[]));
        self.store(header);
        if end.is_some() {
            self.place = Place::Body;
            self.seen = self.seen.saturating_sub(b"\r\n".len());
            self.section.truncate(self.seen);
        }
        body
    }

    /// Whether the empty line has been seen.
    #[must_use]
    pub fn header_done(&self) -> bool {
        self.place == Place::Body
    }

    /// The header section, which ends here if no empty line has been seen.
    #[must_use]
    pub fn into_header(self) -> Header<'static> {
        Header::from_vec(self.section)
    }

    /// Octets of this piece up to the end of the empty line.
    fn find_end(&mut self, chunk: &[u8]) -> Option<usize> {
        let mut start = 0;
        for lf in memchr_iter(b'\n', chunk) {
            let before = lf.checked_sub(1).map_or(Some(&self.last), |at| chunk.get(at));
            if before == Some(&b'\r') {
                if self.line + (lf - start) == b"\r".len() {
                    return Some(lf + 1);
                }
                (self.line, start) = (0, lf + 1);
            }
        }
        self.line = self.line.saturating_add(chunk.len() - start);
        self.last = chunk.last().copied().unwrap_or(self.last);
        None
    }

    fn store(&mut self, header: &[u8]) {
        let room = STORED_OCTETS.saturating_sub(self.section.len());
        self.section.extend_from_slice(header.get(..room).unwrap_or(header));
        self.seen = self.seen.saturating_add(header.len());
    }
}

/// After a field that ends at the limit: its CRLF, and the octet that says whether the field goes on.
const STORED_OCTETS: usize = limits::HEADER_OCTETS + 3;

/// The octets of a message file as SMTP would carry them: without a single CRLF each LF becomes one, any other mix stays
/// as it is (zi2.md §3).
#[must_use]
pub fn crlf_from_file(file: &[u8]) -> Cow<'_, [u8]> {
    if memchr(b'\n', file).is_none() || memmem::find(file, b"\r\n").is_some() {
        return Cow::Borrowed(file);
    }
    crlf_at_every_lf(file)
}

/// The same for a file whose line ends are mixed, because a program put fields with CRLF on top of lines with LF: each LF
/// ends a line. For looking at stored mail; what SMTP delivers has no LF without a CR.
#[must_use]
pub fn crlf_at_every_lf(file: &[u8]) -> Cow<'_, [u8]> {
    let is_bare = |lf: usize| lf.checked_sub(1).and_then(|cr| file.get(cr)) != Some(&b'\r');
    let bare = memchr_iter(b'\n', file).filter(|lf| is_bare(*lf)).count();
    if bare == 0 {
        return Cow::Borrowed(file);
    }
    let mut message = Vec::with_capacity(file.len() + bare);
    for line in file.split_inclusive(|octet| *octet == b'\n') {
        match line {
            [.., b'\r', b'\n'] => message.extend_from_slice(line),
            [text @ .., b'\n'] => message.extend(text.iter().chain(b"\r\n")),
            _ => message.extend_from_slice(line),
        }
    }
    Cow::Owned(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixed_line_ends() {
        for (file, strict, every) in [
            ("a\nb\n", "a\r\nb\r\n", "a\r\nb\r\n"),
            ("a\r\nb\nc", "a\r\nb\nc", "a\r\nb\r\nc"),
            ("\n\r\n\r", "\n\r\n\r", "\r\n\r\n\r"),
            ("a", "a", "a"),
        ] {
            assert_eq!(crlf_from_file(file.as_bytes()).as_ref(), strict.as_bytes(), "{file:?}");
            assert_eq!(crlf_at_every_lf(file.as_bytes()).as_ref(), every.as_bytes(), "{file:?}");
        }
    }

    const ROWS: &[(&str, &str, &str)] = &[
        ("A: b\r\n\r\nbody\r\n", "A: b\r\n", "body\r\n"),
        ("A: b\r\n\r\n", "A: b\r\n", ""),
        ("A: b\r\n", "A: b\r\n", ""),
        ("A: b", "A: b", ""),
        ("", "", ""),
        ("\r\n", "", ""),
        ("\r\nbody", "", "body"),
        ("\r\n\r\nbody", "", "\r\nbody"),
        ("A: b\n\nno body", "A: b\n\nno body", ""),
        ("A: b\n\r\nC: d\r\n\r\nbody", "A: b\n\r\nC: d\r\n", "body"),
        ("A: b\r\r\n\r\nbody", "A: b\r\r\n", "body"),
        ("A: b\r\n\r", "A: b\r\n\r", ""),
        ("A: b\r\n\n\r\n\r\nbody", "A: b\r\n\n\r\n", "body"),
    ];

    #[test]
    fn every_two_way_cut() {
        for &(message, header, body) in ROWS {
            let whole = Message::split(message.as_bytes());
            assert_eq!((whole.header.octets(), whole.body), (header.as_bytes(), body.as_bytes()), "{message:?}");
            for cut in 0..=message.len() {
                let (one, two) = message.as_bytes().split_at(cut);
                let mut reader = MessageReader::new();
                let body = [reader.feed(one), reader.feed(two)].concat();
                assert_eq!(body, whole.body, "{message:?} cut at {cut}");
                assert_eq!(reader.into_header(), whole.header, "{message:?} cut at {cut}");
            }
        }
    }

    #[test]
    fn an_endless_header_is_not_stored() {
        let flood = [b"A: ".as_slice(), &b"x".repeat(3 * limits::HEADER_OCTETS), b"\r\n\r\nbody"].concat();
        let mut reader = MessageReader::new();
        let body: Vec<u8> = flood.chunks(1021).flat_map(|chunk| reader.feed(chunk).to_vec()).collect();
        assert!(reader.section.len() <= STORED_OCTETS);
        assert_eq!(Message { header: reader.into_header(), body: &body }, Message::split(&flood));
    }

    #[test]
    fn a_field_that_ends_at_the_limit() {
        for (end, rest) in
            (0..6).flat_map(|end| ["\r\n", "\r\n\r\nbody", "\r\n x", "\r\nB:", "\r", ""].map(|rest| (end, rest)))
        {
            let text = "x".repeat(limits::HEADER_OCTETS - "A:".len() - 3 + end);
            let message = ["A:", &text, rest].concat();
            let (one, two) = message.as_bytes().split_at(limits::HEADER_OCTETS - 5);
            let mut reader = MessageReader::new();
            let body = [reader.feed(one), reader.feed(two)].concat();
            assert_eq!(Message { header: reader.into_header(), body: &body }, Message::split(message.as_bytes()));
        }
    }

    #[test]
    fn files() {
        let rows = [
            ("", ""),
            ("a", "a"),
            ("a\nb", "a\r\nb"),
            ("\n\n", "\r\n\r\n"),
            ("a\r\nb\n", "a\r\nb\n"),
            ("a\rb\n", "a\rb\r\n"),
        ];
        for (file, message) in rows {
            assert_eq!(crlf_from_file(file.as_bytes()), message.as_bytes(), "{file:?}");
        }
    }
}
