//! The two header fields, read. Grammar only: whether a chain makes sense is decided elsewhere.

mod instance;
mod path;
mod signature;

use std::ops::Range;

use base64::{Engine, engine::general_purpose::STANDARD};
use zi2_mail::{Domain, Field, Tag, TagList, TagListErrorKind};

pub(super) use instance::hash_name;
pub use instance::{Hashes, Instance};
pub use path::Path;
pub(super) use signature::is_word;
pub use signature::{Algorithm, Binding, Brackets, Member, Signature};

use super::{Draft, Failure, Kind, Place, Problem};

/// The name of the field that says what a message is.
pub const MESSAGE_INSTANCE: &str = "Message-Instance";

/// The name of the field that says who handled it.
pub const DKIM2_SIGNATURE: &str = "DKIM2-Signature";

/// The tags of one field, and how to speak of what is wrong with them.
struct Tags<'a> {
    kind: Kind,
    draft: Draft,
    list: TagList<'a>,
    /// `i=` or `m=`, as soon as it is known.
    number: Option<u32>,
    /// The value, and where it begins in the header section.
    value: &'a [u8],
    base: usize,
}

impl<'a> Tags<'a> {
    fn read(field: Field<'a>, kind: Kind, own: &'static str, limit: usize, draft: Draft) -> Result<Tags<'a>, Failure> {
        let value = field.value();
        let base = value_offset(field);
        let fault = |problem, at| Failure {
            problem,
            draft,
            place: Place { offset: Some(base.saturating_add(at)), ..Place::default() },
        };
        if field.raw().len() > limit {
            let mut failure = fault(Problem::TooLarge(kind), 0);
            failure.place = numbered(failure.place, kind, salvaged(value, own));
            return Err(failure);
        }
        if let Some(at) = value.iter().position(|octet| !octet.is_ascii()) {
            return Err(fault(Problem::Syntax(kind), at));
        }
        let list = TagList::parse(value).map_err(|error| {
            let problem =
                if error.kind == TagListErrorKind::TooMany { Problem::TooLarge(kind) } else { Problem::Syntax(kind) };
            let mut failure = fault(problem, error.offset);
            failure.place = numbered(failure.place, kind, salvaged(value, own));
            failure
        })?;
        let mut tags = Tags { kind, draft, list, number: None, value, base };
        let number = tags.required(own)?;
        tags.number = match number_of(number.value()).and_then(|number| u32::try_from(number).ok()) {
            Some(number @ 1..) => Some(number),
            _ => return Err(tags.syntax(&number, own)),
        };
        Ok(tags)
    }

    /// Its own number. Zero only before it was read.
    fn number(&self) -> u32 {
        self.number.unwrap_or_default()
    }

    fn get(&self, name: &str) -> Option<Tag<'a>> {
        self.list.get(name)
    }

    /// A tag's value with the white space around it, as its span counts.
    fn value_of(&self, tag: &Tag<'_>) -> &'a [u8] {
        self.value.get(tag.span()).unwrap_or_default()
    }

    fn required(&self, name: &'static str) -> Result<Tag<'a>, Failure> {
        self.get(name).ok_or_else(|| self.fault(Problem::TagMissing(self.kind, name), Some(name), None))
    }

    fn syntax(&self, tag: &Tag<'_>, name: &'static str) -> Failure {
        self.fault(Problem::Syntax(self.kind), Some(name), Some(tag.span().start))
    }

    /// `at` counts from the start of the field's value.
    fn fault(&self, problem: Problem, tag: Option<&'static str>, at: Option<usize>) -> Failure {
        let offset = Some(self.base.saturating_add(at.unwrap_or(0)));
        let place = numbered(Place { tag, offset, ..Place::default() }, self.kind, self.number);
        Failure { problem, draft: self.draft, place }
    }

    /// The number in a tag that must be there.
    fn integer(&self, name: &'static str) -> Result<u64, Failure> {
        let tag = self.required(name)?;
        number_of(tag.value()).ok_or_else(|| self.syntax(&tag, name))
    }

    fn domain(&self, tag: &Tag<'_>, name: &'static str) -> Result<Domain, Failure> {
        let domain = std::str::from_utf8(tag.value()).ok().and_then(|text| Domain::parse(text).ok());
        // One label is somebody's top-level domain, under which everybody is.
        domain.filter(|domain| domain.as_str().contains('.')).ok_or_else(|| self.syntax(tag, name))
    }
}

/// Where a field's value begins in the header section.
pub(super) fn value_offset(field: Field<'_>) -> usize {
    field.offset() + field.raw().len() - field.value().len()
}

fn numbered(place: Place, kind: Kind, number: Option<u32>) -> Place {
    match kind {
        Kind::Instance => Place { instance: number, ..place },
        Kind::Signature => Place { hop: number, ..place },
    }
}

/// The number of a field whose tags cannot be read otherwise, for the report.
fn salvaged(value: &[u8], own: &str) -> Option<u32> {
    let mut tags = value.split(|octet| *octet == b';').filter_map(|tag| std::str::from_utf8(tag).ok()?.split_once('='));
    let (_, number) = tags.find(|(name, _)| name.trim() == own)?;
    u32::try_from(number_of(number.trim().as_bytes())?).ok()
}

/// Digits only, within 64 bits; leading zeros count for nothing.
fn number_of(digits: &[u8]) -> Option<u64> {
    let add = |number: u64, digit: &u8| match digit {
        b'0'..=b'9' => number.checked_mul(10)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    };
    if digits.is_empty() { None } else { digits.iter().try_fold(0, add) }
}

/// Padded base64 with white space anywhere in it, of one octet at least.
fn base64(value: &[u8]) -> Option<Vec<u8>> {
    let mut compact = Vec::with_capacity(value.len());
    push_compact(value, &mut compact);
    STANDARD.decode(compact).ok().filter(|octets| !octets.is_empty())
}

/// Appends octets without white space, of which there is little: run by run.
fn push_compact(octets: &[u8], into: &mut Vec<u8>) {
    octets.split(|octet| is_blank(*octet)).for_each(|run| into.extend_from_slice(run));
}

fn is_blank(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | b'\n')
}

fn trimmed(value: &[u8]) -> &[u8] {
    value.trim_ascii()
}

/// The parts of a list, each with where it begins in the whole.
fn parts(value: &[u8], separator: u8) -> impl Iterator<Item = (usize, &[u8])> {
    value.split(move |octet| *octet == separator).scan(0, |start, part| {
        let here = *start;
        *start += part.len() + 1;
        Some((here, part))
    })
}

/// A field as signatures are made over it (§ -08 6.3): lower-case name, `:`, the received octets without any white space
/// and without those of `blanked`, CRLF.
pub(super) fn signed_form(field: Field<'_>, blanked: &[Range<usize>]) -> Vec<u8> {
    let mut form = Vec::with_capacity(field.raw().len() + 2);
    form.extend(field.name().iter().map(u8::to_ascii_lowercase));
    form.push(b':');
    let mut from = 0;
    for range in blanked {
        push_compact(field.value().get(from..range.start).unwrap_or_default(), &mut form);
        from = range.end;
    }
    push_compact(field.value().get(from..).unwrap_or_default(), &mut form);
    form.extend_from_slice(b"\r\n");
    form
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for (digits, number) in [
            ("1", Some(1)),
            ("007", Some(7)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("", None),
            ("-1", None),
            ("1 2", None),
        ] {
            assert_eq!(number_of(digits.as_bytes()), number, "{digits}");
        }
    }
}
