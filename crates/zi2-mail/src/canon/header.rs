//! Header canonicalization (RFC 6376 §3.4.1 and §3.4.2).
//!
//! Writes the octets that are signed or hashed. Never writes the CRLF after a field, which not every caller wants.

use memchr::memchr2;

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
    if memchr2(b'\t', b'\r', value).is_none() && !has_double_blank(value) {
        out.extend_from_slice(trim(value));
        return;
    }
    let start = out.len();
    let mut rest = value;
    while !rest.is_empty() {
        let blanks = blank_length(rest);
        rest = rest.get(blanks..).unwrap_or_default();
        if blanks > 0 && out.len() > start && !rest.is_empty() {
            out.push(b' ');
        }
        // A CR that is no fold is text, hence at least one octet.
        let text = rest.iter().skip(1).position(|octet| matches!(octet, b' ' | b'\t' | b'\r'));
        let (text, after) = rest.split_at_checked(text.map_or(rest.len(), |at| at + 1)).unwrap_or((rest, &[]));
        out.extend_from_slice(text);
        rest = after;
    }
}

/// Octets of white space and folds at the start. A fold is a CRLF before white space (RFC 5322 §2.2.3).
fn blank_length(octets: &[u8]) -> usize {
    let mut rest = octets;
    while let [b' ' | b'\t', after @ ..] | [b'\r', b'\n', b' ' | b'\t', after @ ..] = rest {
        rest = after;
    }
    octets.len() - rest.len()
}

fn has_double_blank(value: &[u8]) -> bool {
    let next = value.get(1..).unwrap_or_default();
    value.iter().zip(next).fold(false, |found, (octet, next)| found | ((*octet == b' ') & (*next == b' ')))
}

fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ', rest @ ..] | [rest @ .., b' '] = value {
        value = rest;
    }
    value
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
    fn the_fast_path_changes_nothing() {
        // Every value of five octets over a small alphabet, against the RFC's steps taken one by one.
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
