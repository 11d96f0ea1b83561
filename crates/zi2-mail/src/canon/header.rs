//! Header canonicalization (RFC 6376 §3.4.1 and §3.4.2).
//!
//! Writes the octets that are signed or hashed. Never writes the CRLF after a field, which not every caller wants.

use memchr::memchr_iter;

use crate::header::Field;

/// A header canonicalization algorithm. Not a [`BodyCanon`](super::BodyCanon), although both have a *simple*.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HeaderCanon {
    /// RFC 6376 §3.4.1: as received.
    Simple,
    /// RFC 6376 §3.4.2: name in lower case, unfolded, white space reduced.
    Relaxed,
}

impl HeaderCanon {
    /// Appends a field in this form, without its final CRLF.
    pub fn write(self, field: Field<'_>, out: &mut Vec<u8>) {
        match self {
            Self::Simple => out.extend_from_slice(field.raw()),
            Self::Relaxed => {
                let start = out.len();
                out.extend_from_slice(field.name());
                out.get_mut(start..).unwrap_or_default().make_ascii_lowercase();
                out.push(b':');
                relaxed_value(field.value(), out);
            }
        }
    }
}

/// Appends a field value in relaxed form: unfolded, each run of white space one SP, none at either end. A CR or LF that is
/// not part of a fold stays.
pub fn relaxed_value(value: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    let mut rest = Some(value);
    while let Some(unread) = rest {
        let (line, after) = split_fold(unread);
        rest = after;
        let line = trim(line);
        if is_reduced(line) {
            append_word(line, start, out);
        } else {
            line.split(|octet| is_blank(*octet)).for_each(|word| append_word(word, start, out));
        }
    }
}

/// Parts a line from what is after its fold: a CRLF before white space (RFC 5322 §2.2.3), which is left to be trimmed.
fn split_fold(value: &[u8]) -> (&[u8], Option<&[u8]>) {
    let fold = |cr: &usize| matches!(value.get(*cr..), Some([_, b'\n', b' ' | b'\t', ..]));
    match memchr_iter(b'\r', value).find(fold).and_then(|cr| value.split_at_checked(cr)) {
        Some((line, fold)) => (line, fold.get(b"\r\n".len()..)),
        None => (value, None),
    }
}

fn append_word(word: &[u8], start: usize, out: &mut Vec<u8>) {
    if word.is_empty() {
        return;
    }
    if out.len() > start {
        out.push(b' ');
    }
    out.extend_from_slice(word);
}

/// Whether the blanks in a line are single SPs, as most are. The compiler makes vectors of it.
fn is_reduced(line: &[u8]) -> bool {
    let next = line.get(1..).unwrap_or_default();
    let wide = |octet: u8, next: u8| (octet == b'\t') | ((octet == b' ') & (next == b' '));
    !line.iter().zip(next).fold(false, |found, (octet, next)| found | wide(*octet, *next))
}

/// Whether a line is its own relaxed form.
pub(crate) fn is_relaxed(line: &[u8]) -> bool {
    is_reduced(line)
        && !line.first().is_some_and(|first| is_blank(*first))
        && !line.last().is_some_and(|last| is_blank(*last))
}

fn is_blank(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t')
}

fn trim(mut line: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = line {
        line = rest;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    const ROWS: &[(&str, &str)] = &[
        ("A: X\r\n", "a:X"), // RFC 6376 §3.4.5
        ("B: Y\t\r\n\tZ  \r\n", "b:Y Z"),
        ("SubjecT:abc\r\n", "subject:abc"),
        ("A:\r\n", "a:"),
        ("A:   \r\n", "a:"),
        ("A: \r\n \r\n\t\r\n", "a:"),
        ("A:\r\n b\r\n", "a:b"),
        ("A: b \r\n c\r\n  \r\n", "a:b c"),
        ("A: b  c\td \t e\r\n", "a:b c d e"),
        ("A: b\rc\r\n", "a:b\rc"),
        ("A: b \r c\r\n", "a:b \r c"),
        ("A: b\r\r\n c\r\n", "a:b\r c"),
        ("A: b\n c\r\n", "a:b\n c"),
        ("A: \u{e9}\u{a0} \r\n", "a:\u{e9}\u{a0}"),
    ];

    #[test]
    fn relaxed_and_simple() {
        for &(field, relaxed) in ROWS {
            let header = Header::parse(field.as_bytes());
            let field_of_row = header.fields().next().unwrap();
            let mut out = b"before ".to_vec();
            HeaderCanon::Relaxed.write(field_of_row, &mut out);
            assert_eq!(out, [b"before ", relaxed.as_bytes()].concat(), "{field:?}");
            out.clear();
            HeaderCanon::Simple.write(field_of_row, &mut out);
            assert_eq!(out, &field.as_bytes()[..field.len() - 2], "{field:?}");
        }
    }

    #[test]
    fn every_short_value() {
        // Every value of seven octets over a small alphabet, against the RFC's steps taken one by one.
        let alphabet = b" \t\r\na";
        for number in 0..5_usize.pow(7) {
            let value: Vec<u8> = (0..7).map(|place| alphabet[number / 5_usize.pow(place) % 5]).collect();
            let mut out = Vec::new();
            relaxed_value(&value, &mut out);
            assert_eq!(out, by_the_book(&value), "{}", value.escape_ascii());
        }
    }

    fn by_the_book(value: &[u8]) -> Vec<u8> {
        let text = String::from_utf8(value.to_vec()).unwrap();
        let unfolded = text.replace("\r\n ", " ").replace("\r\n\t", "\t").replace('\t', " ");
        let mut words = unfolded.split(' ').filter(|word| !word.is_empty());
        let first = words.next().unwrap_or_default().to_owned();
        words.fold(first, |all, word| all + " " + word).into_bytes()
    }
}
