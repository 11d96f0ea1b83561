//! A header section from fields that come one by one, as an MTA gives them to a milter.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

use super::{
    Defect, DefectKind, Header, Span, USUAL_FIELDS, first_stray, is_name_octet, note, note_size, obsolete_colon,
};
use crate::limits;

/// Rebuilds the octets of a header section from names and values. Refuses nothing, and stores no more than
/// [`Header::parse`] would keep of the same section.
#[derive(Clone, Debug)]
pub struct HeaderBuilder {
    octets: Vec<u8>,
    spans: Vec<Span>,
    obsolete: Vec<Span>,
    ambiguity: Option<Defect>,
}

/// Octets of the header section of an ordinary message; a longer one costs a second allocation.
const USUAL_OCTETS: usize = 4096;

impl HeaderBuilder {
    pub(super) fn new() -> Self {
        let (octets, spans) = (Vec::with_capacity(USUAL_OCTETS), Vec::with_capacity(USUAL_FIELDS));
        Self { octets, spans, obsolete: Vec::new(), ambiguity: None }
    }

    /// Appends a field. `value` is everything after the colon, leading blanks included; a fold in it is a LF before white
    /// space, because that is how Postfix and Sendmail keep the CRLF of the wire. A CR is therefore always a stray one.
    pub fn push(&mut self, name: &[u8], value: &[u8]) {
        let start = self.octets.len();
        let named = !name.is_empty() && name.iter().copied().all(is_name_octet);
        self.append(name);
        self.append(b":");
        self.append_value(value);
        let end = self.octets.len();
        self.append(b"\r\n");
        let full = self.spans.len() + self.obsolete.len() >= limits::HEADER_FIELDS;
        let span = Span::new(start, start + name.len(), end);
        match (end <= limits::HEADER_OCTETS, named) {
            (false, _) => {}
            (true, false) => {
                let head = self.octets.get(start..=start + name.len()).unwrap_or_default();
                match obsolete_colon(head).filter(|colon| *colon == name.len() && !full) {
                    Some(_) => self.obsolete.push(span),
                    None => self.note(DefectKind::NotAField, start),
                }
            }
            (true, true) if full => self.note(DefectKind::TooManyFields, start),
            (true, true) => self.spans.push(span),
        }
        if memchr2(b'\r', 0, value).is_some()
            && let Some(stray) = first_stray(self.octets.get(start..).unwrap_or_default())
        {
            self.note(stray.kind, start + stray.offset);
        }
    }

    /// Forgets all fields and keeps the memory.
    pub fn clear(&mut self) {
        self.octets.clear();
        self.spans.clear();
        self.obsolete.clear();
        self.ambiguity = None;
    }

    /// The header section of all fields appended.
    #[must_use]
    pub fn finish(mut self) -> Header<'static> {
        note_size(&mut self.ambiguity, self.octets.len());
        self.octets.truncate(limits::HEADER_OCTETS);
        Header {
            octets: Cow::Owned(self.octets),
            spans: self.spans,
            obsolete: self.obsolete,
            ambiguity: self.ambiguity,
        }
    }

    /// An empty builder in the memory of a header that is no longer needed.
    #[must_use]
    pub fn reuse(header: Header<'static>) -> Self {
        let (octets, spans) = (header.octets.into_owned(), header.spans);
        let mut builder = Self { octets, spans, obsolete: header.obsolete, ambiguity: None };
        builder.clear();
        builder
    }

    fn append_value(&mut self, mut value: &[u8]) {
        while let Some((text, rest)) = memchr(b'\n', value).and_then(|lf| value.split_at_checked(lf)) {
            value = rest.get(1..).unwrap_or_default();
            self.append(text);
            if matches!(value.first(), Some(b' ' | b'\t')) {
                self.append(b"\r\n");
            } else {
                self.note(DefectKind::BareLf, self.octets.len());
                self.append(b"\n");
            }
        }
        self.append(value);
    }

    /// Appends what there is room for: one octet more than is kept, by which the end knows that there was more.
    fn append(&mut self, octets: &[u8]) {
        let room = (limits::HEADER_OCTETS + 1).saturating_sub(self.octets.len());
        self.octets.extend_from_slice(octets.get(..room).unwrap_or(octets));
    }

    fn note(&mut self, kind: DefectKind, offset: usize) {
        note(&mut self.ambiguity, kind, offset);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use DefectKind::*;

    type Row = (&'static [u8], &'static [u8], &'static [u8], Option<(DefectKind, usize)>);

    const ROWS: &[Row] = &[
        (b"A", b" b", b"A: b\r\n", None),
        (b"A", b"", b"A:\r\n", None),
        (b"A", b" b\n c\n\t", b"A: b\r\n c\r\n\t\r\n", None),
        (b"A", b" b\nc", b"A: b\nc\r\n", Some((BareLf, 4))),
        (b"A", b" b\n", b"A: b\n\r\n", Some((BareLf, 4))),
        (b"A", b" b\rc", b"A: b\rc\r\n", Some((BareCr, 4))),
        (b"A", b" b\r\n c", b"A: b\r\r\n c\r\n", Some((BareCr, 4))),
        (b"A", b" b\r", b"A: b\r\r\n", Some((BareCr, 4))),
        (b"A", b" b\n \0", b"A: b\r\n \0\r\n", Some((Nul, 7))),
        (b"A b", b" c", b"A b: c\r\n", Some((NotAField, 0))),
        (b"", b" c", b": c\r\n", Some((NotAField, 0))),
        (b"A \t", b" c", b"A \t: c\r\n", Some((NotAField, 0))),
    ];

    #[test]
    fn values() {
        let mut builder = Header::builder();
        for &(name, value, octets, defect) in ROWS {
            builder.clear();
            builder.push(name, value);
            let header = builder.clone().finish();
            assert_eq!(header.octets(), octets, "{}", value.escape_ascii());
            assert_eq!(header.defect().map(|defect| (defect.kind, defect.offset)), defect, "{}", value.escape_ascii());
            assert_eq!(header, Header::parse(octets), "{}", value.escape_ascii());
        }
    }

    #[test]
    fn the_limits_are_those_of_a_parsed_section() {
        for text in [0, 1, 2, 3, 4, 5, 100] {
            let value = b"\r".repeat(limits::HEADER_OCTETS - b"A: b\r\nC:\r\n".len() + text);
            let mut builder = Header::builder();
            builder.push(b"A", b" b");
            builder.push(b"C", &value);
            builder.push(b"not a field", b"");
            let section = [b"A: b\r\nC:".as_slice(), &value, b"\r\nnot a field:\r\n"].concat();
            assert_eq!(builder.finish(), Header::parse(&section), "{text}");
        }
        let mut builder = HeaderBuilder::reuse(Header::builder().finish());
        (0..1002).for_each(|_| builder.push(b"A", b"b"));
        assert_eq!(builder.finish(), Header::parse(&b"A:b\r\n".repeat(1002)));
    }
}
