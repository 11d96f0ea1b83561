//! The header section as an arena: the received octets, and where each field lies in them.
//!
//! Nothing is decoded or rebuilt, so what is hashed is what arrived. Refuses no input: what zi2.md §2 forbids is kept as
//! the first [`Defect`], and the fields around it are still listed.

mod builder;

use std::borrow::Cow;
use std::iter;

use memchr::{memchr_iter, memchr2_iter};

pub use self::builder::HeaderBuilder;
use crate::limits;

/// A header section and the places of its fields. Holds at most [`limits::HEADER_OCTETS`] and [`limits::HEADER_FIELDS`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    octets: Cow<'a, [u8]>,
    spans: Vec<Span>,
    /// Fields with blanks before their colon, which only signatures of others know about.
    obsolete: Vec<Span>,
    /// The first defect that is not one of them.
    ambiguity: Option<Defect>,
}

impl<'a> Header<'a> {
    /// Reads a header section, with or without the empty line that ends it. Octets after an empty line are no part of it.
    #[must_use]
    pub fn parse(section: &'a [u8]) -> Self {
        Self::split(section).0
    }

    /// Starts a header whose fields come one by one, as from a milter.
    #[must_use]
    pub fn builder() -> HeaderBuilder {
        HeaderBuilder::new()
    }

    /// The header section at the start of a message, and what follows the empty line.
    pub(crate) fn split(message: &'a [u8]) -> (Self, &'a [u8]) {
        let scan = Scan::of(message);
        let octets = message.get(..scan.kept).unwrap_or_default();
        let body = message.get(scan.body..).unwrap_or_default();
        let (spans, obsolete) = (scan.spans, scan.obsolete);
        (Self { octets: Cow::Borrowed(octets), spans, obsolete, ambiguity: scan.ambiguity }, body)
    }

    /// A field's place in the message, in order of appearance.
    pub fn fields(&self) -> impl DoubleEndedIterator<Item = Field<'_>> + ExactSizeIterator {
        self.spans.iter().map(|span| span.of(&self.octets))
    }

    /// The fields of this name in order of appearance; names differ in more than ASCII case or not at all.
    pub fn named(&self, name: &str) -> impl DoubleEndedIterator<Item = Field<'_>> {
        // Most fields differ in the length of their name already, for which nobody has to look at the octets.
        let like = self.spans.iter().filter(|span| (span.colon - span.start) as usize == name.len());
        like.map(|span| span.of(&self.octets)).filter(|field| field.name().eq_ignore_ascii_case(name.as_bytes()))
    }

    /// The fields from the last one up: how DKIM counts those of one name (RFC 6376 §5.4.2).
    ///
    /// Here, and nowhere else, a field counts whose colon has blanks before it (RFC 5322 §4.5.8): it is a [`Defect`], but
    /// DKIM defines how it is signed, and mail programs show it.
    pub fn from_bottom(&self) -> impl Iterator<Item = Field<'_>> {
        let (mut strict, mut obsolete) = (self.spans.as_slice(), self.obsolete.as_slice());
        iter::from_fn(move || {
            let place = |spans: &[Span]| spans.last().map(|span| span.start);
            let lower = if place(strict) > place(obsolete) { &mut strict } else { &mut obsolete };
            let (last, above) = lower.split_last()?;
            *lower = above;
            Some(last.of(&self.octets))
        })
    }

    /// The field of this name that has `below` fields of the name under it, counted as [`Header::from_bottom`] does.
    #[must_use]
    pub fn nth_from_bottom(&self, name: &str, below: usize) -> Option<Field<'_>> {
        self.from_bottom().filter(|field| field.is_named(name)).nth(below)
    }

    /// The first thing in the section that zi2.md §2 forbids.
    #[must_use]
    pub fn defect(&self) -> Option<Defect> {
        let obsolete = self.obsolete.first().map(|span| span.start as usize);
        match (self.ambiguity, obsolete) {
            (ambiguity, Some(offset)) if ambiguity.is_none_or(|other| offset < other.offset) => {
                Some(Defect { kind: DefectKind::NotAField, offset })
            }
            (ambiguity, _) => ambiguity,
        }
    }

    /// The first [`Header::defect`] that is more than blanks before a colon: readers take such a section in different ways.
    #[must_use]
    pub fn ambiguity(&self) -> Option<Defect> {
        self.ambiguity
    }

    /// The section as received, without the empty line that ends it, cut at [`limits::HEADER_OCTETS`].
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }
}

impl Header<'static> {
    /// As [`Header::parse`], for octets that are to be kept.
    pub(crate) fn from_vec(mut section: Vec<u8>) -> Self {
        let scan = Scan::of(&section);
        section.truncate(scan.kept);
        Self { octets: Cow::Owned(section), spans: scan.spans, obsolete: scan.obsolete, ambiguity: scan.ambiguity }
    }
}

/// One header field, exactly as received. Cannot be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    raw: &'a [u8],
    colon: usize,
    offset: usize,
}

impl<'a> Field<'a> {
    /// The octets before the colon: 0x21-0x7E, never empty.
    #[must_use]
    pub fn name(&self) -> &'a [u8] {
        let mut name = self.raw.get(..self.colon).unwrap_or_default();
        // Only a field of `Header::nth_from_bottom` has any.
        while let [rest @ .., b' ' | b'\t'] = name {
            name = rest;
        }
        name
    }

    /// Whether the field has this name; letter case does not count.
    #[must_use]
    pub fn is_named(&self, name: &str) -> bool {
        self.name().eq_ignore_ascii_case(name.as_bytes())
    }

    /// Everything after the colon, folds and blanks included, without the CRLF that ends the field.
    #[must_use]
    pub fn value(&self) -> &'a [u8] {
        self.raw.get(self.colon + 1..).unwrap_or_default()
    }

    /// The whole field without the CRLF that ends it.
    #[must_use]
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// Where the field begins, counted from the start of the header section.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }
}

/// What makes a header section ambiguous, and where. Only the first one is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Defect {
    /// Which rule is broken.
    pub kind: DefectKind,
    /// The first octet that breaks it, counted from the start of the header section.
    pub offset: usize,
}

/// The rules of zi2.md §2 for the octets of a header section. Rules for single fields live elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DefectKind {
    /// A line that is neither a field nor the continuation of one.
    NotAField,
    /// The first line starts with white space.
    LeadingWhitespace,
    /// An octet of value zero.
    Nul,
    /// A CR without a LF after it.
    BareCr,
    /// A LF without a CR before it.
    BareLf,
    /// More than [`limits::HEADER_FIELDS`] fields.
    TooManyFields,
    /// More than [`limits::HEADER_OCTETS`] octets.
    TooLarge,
}

/// Where a field lies in its section. `u32`, because a section is far smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    start: u32,
    colon: u32,
    end: u32,
}

impl Span {
    fn new(start: usize, colon: usize, end: usize) -> Self {
        // A section has at most limits::HEADER_OCTETS: nothing is ever clamped here.
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self { start: place(start), colon: place(colon), end: place(end) }
    }

    fn of(self, octets: &[u8]) -> Field<'_> {
        let (start, colon, end) = (self.start as usize, self.colon as usize, self.end as usize);
        Field { raw: octets.get(start..end).unwrap_or_default(), colon: colon - start, offset: start }
    }
}

/// Keeps the earlier of two defects.
fn note(first: &mut Option<Defect>, kind: DefectKind, offset: usize) {
    if first.is_none_or(|known| offset < known.offset) {
        *first = Some(Defect { kind, offset });
    }
}

/// A defect beyond the limit is none of our business: that there is so much is the first one.
fn note_size(first: &mut Option<Defect>, octets: usize) {
    if octets > limits::HEADER_OCTETS && first.is_none_or(|known| known.offset >= limits::HEADER_OCTETS) {
        *first = Some(Defect { kind: DefectKind::TooLarge, offset: limits::HEADER_OCTETS });
    }
}

/// Fields of an ordinary message; more than this costs a second allocation.
const USUAL_FIELDS: usize = 32;

/// One pass over a header section.
struct Scan {
    spans: Vec<Span>,
    obsolete: Vec<Span>,
    ambiguity: Option<Defect>,
    /// Octets of the section that are kept.
    kept: usize,
    /// Where the body begins.
    body: usize,
    /// What a continuation line continues.
    above: Above,
}

/// The line above the one being read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Above {
    Nothing,
    Field,
    Obsolete,
    Skipped,
}

impl Scan {
    fn of(message: &[u8]) -> Self {
        let spans = Vec::with_capacity(USUAL_FIELDS);
        let (obsolete, above) = (Vec::new(), Above::Nothing);
        let mut scan = Self { spans, obsolete, ambiguity: None, kept: 0, body: message.len(), above };
        let end = scan.lines(message);
        scan.kept = end.min(limits::HEADER_OCTETS);
        note_size(&mut scan.ambiguity, end);
        // One octet more than is kept, because it decides about a last CR.
        if let Some(stray) = first_stray(message.get(..end.min(scan.kept + 1)).unwrap_or_default()) {
            note(&mut scan.ambiguity, stray.kind, stray.offset);
        }
        scan
    }

    /// Lists the fields up to the first empty line; the place of that line is the end of the section.
    fn lines(&mut self, message: &[u8]) -> usize {
        let mut start = 0;
        for lf in memchr_iter(b'\n', message) {
            // Only CRLF ends a line; any other LF is text (zi2.md §2 makes it a defect).
            let Some(end) = lf.checked_sub(1).filter(|&cr| message.get(cr) == Some(&b'\r')) else {
                note(&mut self.ambiguity, DefectKind::BareLf, lf);
                continue;
            };
            if end == start {
                self.body = lf + 1;
                return start;
            }
            self.line(message, start, end);
            start = lf + 1;
        }
        if start < message.len() {
            self.line(message, start, message.len());
        }
        message.len()
    }

    fn line(&mut self, message: &[u8], start: usize, end: usize) {
        let line = message.get(start..end).unwrap_or_default();
        let continues = matches!(line.first(), Some(b' ' | b'\t'));
        if end > limits::HEADER_OCTETS {
            if continues {
                self.above_spans().and_then(Vec::pop);
            }
            self.above = Above::Skipped;
        } else if continues {
            self.continuation(start, end);
        } else {
            self.field(line, start, end);
        }
    }

    fn continuation(&mut self, start: usize, end: usize) {
        if self.above == Above::Nothing {
            return self.skip(DefectKind::LeadingWhitespace, start);
        }
        if let Some(field) = self.above_spans().and_then(|spans| spans.last_mut()) {
            *field = Span { end: Span::new(start, start, end).end, ..*field };
        }
    }

    /// The list whose last field a continuation line continues.
    fn above_spans(&mut self) -> Option<&mut Vec<Span>> {
        match self.above {
            Above::Field => Some(&mut self.spans),
            Above::Obsolete => Some(&mut self.obsolete),
            Above::Nothing | Above::Skipped => None,
        }
    }

    fn field(&mut self, line: &[u8], start: usize, end: usize) {
        let full = self.spans.len() + self.obsolete.len() >= limits::HEADER_FIELDS;
        match name_length(line) {
            None => match obsolete_colon(line).filter(|_| !full) {
                Some(colon) => {
                    self.obsolete.push(Span::new(start, start + colon, end));
                    self.above = Above::Obsolete;
                }
                None => self.skip(DefectKind::NotAField, start),
            },
            Some(_) if full => self.skip(DefectKind::TooManyFields, start),
            Some(length) => {
                self.spans.push(Span::new(start, start + length, end));
                self.above = Above::Field;
            }
        }
    }

    fn skip(&mut self, kind: DefectKind, start: usize) {
        note(&mut self.ambiguity, kind, start);
        self.above = Above::Skipped;
    }
}

/// RFC 5322 §2.2: octets of a field name that is followed by a colon at once.
fn name_length(line: &[u8]) -> Option<usize> {
    let colon = line.iter().position(|octet| !is_name_octet(*octet))?;
    (colon > 0 && line.get(colon) == Some(&b':')).then_some(colon)
}

/// RFC 5322 §4.5.8: `field-name *WSP ":"`, and only where there is some white space.
fn obsolete_colon(line: &[u8]) -> Option<usize> {
    let name = line.iter().position(|octet| !is_name_octet(*octet)).filter(|length| *length > 0)?;
    let blanks =
        line.get(name..)?.iter().position(|octet| !matches!(octet, b' ' | b'\t')).filter(|count| *count > 0)?;
    (line.get(name + blanks) == Some(&b':')).then_some(name + blanks)
}

/// RFC 5322 §3.6.8 ftext.
pub(crate) fn is_name_octet(octet: u8) -> bool {
    matches!(octet, 0x21..=0x7E) && octet != b':'
}

/// The first NUL or CR without a LF. Nearly every section has none, and the compiler makes vectors of that question.
fn first_stray(octets: &[u8]) -> Option<Defect> {
    let next = octets.get(1..).unwrap_or_default();
    let stray = |octet: u8, next: u8| (octet == 0) | ((octet == b'\r') & (next != b'\n'));
    let found = octets.iter().zip(next).fold(false, |found, (octet, next)| found | stray(*octet, *next));
    if !found && !octets.last().is_some_and(|last| stray(*last, 0)) {
        return None;
    }
    memchr2_iter(b'\r', 0, octets).find_map(|offset| match (octets.get(offset), octets.get(offset + 1)) {
        (Some(b'\r'), Some(b'\n')) => None,
        (Some(b'\r'), _) => Some(Defect { kind: DefectKind::BareCr, offset }),
        _ => Some(Defect { kind: DefectKind::Nul, offset }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use DefectKind::*;

    type Row = (&'static [u8], &'static [(&'static str, &'static str)], Option<(DefectKind, usize)>);

    const ROWS: &[Row] = &[
        (b"", &[], None),
        (b"\r\n", &[], None),
        (b"\r\nA: b\r\n", &[], None),
        (b"A: b\r\nC:d\r\n", &[("A", " b"), ("C", "d")], None),
        (b"A: b\r\n\r\nC: d\r\n", &[("A", " b")], None),
        (b"A: b", &[("A", " b")], None),
        (b"A:\r\n", &[("A", "")], None),
        (b"A::\r\n", &[("A", ":")], None),
        (b"A: b\r\n c\r\n\t\r\nD: e", &[("A", " b\r\n c\r\n\t"), ("D", " e")], None),
        (b"A: b\r\nnot a field\r\n at all\r\nC: d\r\n", &[("A", " b"), ("C", " d")], Some((NotAField, 6))),
        (b"A : b\r\nC: d\r\n", &[("C", " d")], Some((NotAField, 0))),
        (b": b\r\n", &[], Some((NotAField, 0))),
        (b"A\xC3\xA9: b\r\n", &[], Some((NotAField, 0))),
        (b"A", &[], Some((NotAField, 0))),
        (b" A: b\r\n\tc\r\nD: e\r\n", &[("D", " e")], Some((LeadingWhitespace, 0))),
        (b"A: b\0\r\nC: d\r\n", &[("A", " b\0"), ("C", " d")], Some((Nul, 4))),
        (b"A: b\rc\r\n", &[("A", " b\rc")], Some((BareCr, 4))),
        (b"A: b\r\r\n", &[("A", " b\r")], Some((BareCr, 4))),
        (b"A: b\r", &[("A", " b\r")], Some((BareCr, 4))),
        (b"A: b\nC: d\r\n", &[("A", " b\nC: d")], Some((BareLf, 4))),
        (b"A: b\n\nC: d\r\n\r\n", &[("A", " b\n\nC: d")], Some((BareLf, 4))),
        (b"A: b\n\r\n\r\n", &[("A", " b\n")], Some((BareLf, 4))),
        (b"\nA: b\r\n", &[], Some((BareLf, 0))),
        (b"A: \0\rx\r\nB\r\n", &[("A", " \0\rx")], Some((Nul, 3))),
    ];

    #[test]
    fn sections() {
        for &(section, fields, defect) in ROWS {
            let header = Header::parse(section);
            let seen: Vec<_> = header.fields().map(|field| (field.name(), field.value())).collect();
            let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
            assert_eq!(seen, fields, "{}", section.escape_ascii());
            assert_eq!(
                header.defect().map(|defect| (defect.kind, defect.offset)),
                defect,
                "{}",
                section.escape_ascii()
            );
            assert!(header.fields().all(|field| section[field.offset()..].starts_with(field.raw())));
        }
    }

    #[test]
    fn names_ignore_ascii_case() {
        let header = Header::parse(b"To: 1\r\nSubject: x\r\nTO: 2\r\ntO: 3\r\n");
        let values: Vec<_> = header.named("to").rev().map(|field| field.value()).collect();
        assert_eq!(values, [b" 3", b" 2", b" 1"]);
    }

    #[test]
    fn counting_from_the_bottom_knows_obsolete_fields() {
        let header = Header::parse(b"To: 1\r\ntO \t: 2\r\n 3\r\nX y: 4\r\nTO: 5\r\n : 6\r\nTo :7\r\nTo\r\n : 8\r\n");
        let counted = |name| (0..9).map_while(|below| header.nth_from_bottom(name, below)).collect::<Vec<_>>();
        let values: Vec<_> = counted("to").iter().map(|field| (field.name(), field.value())).collect();
        let expected = [("To", "7"), ("TO", " 5\r\n : 6"), ("tO", " 2\r\n 3"), ("To", " 1")];
        assert_eq!(values, expected.map(|(name, value)| (name.as_bytes(), value.as_bytes())));
        assert_eq!((counted("x").len(), counted("X y").len(), header.named("to").count()), (0, 0, 2));
        assert_eq!(header.defect(), Some(Defect { kind: NotAField, offset: 7 }));
        assert_eq!(header.ambiguity(), Some(Defect { kind: NotAField, offset: 20 }));
        assert_eq!(Header::parse(b"To : 1\r\n 2\r\nTo: 3\r\n").ambiguity(), None);
        let strict = Header::parse(b"To: 1\r\nto: 2\r\n");
        assert_eq!(strict.nth_from_bottom("TO", 1).map(|field| field.value()), Some(b" 1".as_slice()));
        assert_eq!(strict.nth_from_bottom("to", 2), None);
    }

    #[test]
    fn limits_hold() {
        let section = b"A: b\r\n".repeat(limits::HEADER_FIELDS + 1);
        let header = Header::parse(&section);
        assert_eq!(header.fields().len(), limits::HEADER_FIELDS);
        assert_eq!(header.defect(), Some(Defect { kind: TooManyFields, offset: 6 * limits::HEADER_FIELDS }));

        for (text, fields, defect) in [(0, 2, None), (1, 2, Some(TooLarge)), (3, 1, Some(TooLarge))] {
            let text = limits::HEADER_OCTETS - b"A: b\r\nC:\r\n".len() + text;
            let section = [b"A: b\r\nC:".as_slice(), &b"x".repeat(text), b"\r\n\r\nbody"].concat();
            let (header, body) = Header::split(&section);
            assert_eq!((header.fields().len(), header.defect().map(|defect| defect.kind)), (fields, defect));
            assert_eq!((header.octets(), body), (&section[..limits::HEADER_OCTETS], b"body".as_slice()));
        }

        // A field goes as a whole, even if only its last line is beyond the limit.
        let section = [b"A: b\r\nC:".as_slice(), &b"x".repeat(limits::HEADER_OCTETS - 15), b"\r\n and so on"].concat();
        let header = Header::parse(&section);
        assert_eq!(header.fields().map(|field| field.name()).collect::<Vec<_>>(), [b"A"]);
        assert_eq!(header.defect(), Some(Defect { kind: TooLarge, offset: limits::HEADER_OCTETS }));
    }
}
