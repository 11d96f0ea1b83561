//! Tag lists, `tag=value; tag=value`, of RFC 6376 §3.2: the shape of signature fields and DNS records.
//!
//! Refuses repeated tags and stray octets; knows no tag and no meaning.

use std::borrow::Cow;
use std::ops::Range;

use memchr::{memchr, memchr_iter};

use crate::lexer::stray_octet;
use crate::limits;

/// A tag list that was read, with the place of every value.
///
/// Never empty, and no name is in it twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagList<'a> {
    tags: Vec<Tag<'a>>,
}

impl<'a> TagList<'a> {
    /// Reads a field value or a TXT record. White space and folds may surround names, values and `;`, and a final `;` is
    /// optional.
    ///
    /// Refuses the list as a whole for one bad tag: a reader that skipped it would differ from one that did not.
    ///
    /// ```
    /// let list = zi2_mail::TagList::parse(b" v=1; b=AB\r\n CD;").unwrap();
    /// assert_eq!(list.get("b").unwrap().compact().as_ref(), b"ABCD");
    /// ```
    ///
    /// # Errors
    ///
    /// [`TagListError`] says what is wrong, and where.
    pub fn parse(value: &'a [u8]) -> Result<Self, TagListError> {
        let mut tags: Vec<Tag<'a>> = Vec::with_capacity(USUAL_TAGS);
        // Asked once for all; only a list that has one is looked at tag by tag, for the first thing wrong with it.
        let octets = if stray_octet(value).is_none() { Octets::Good } else { Octets::Unknown };
        let mut start = 0;
        for end in memchr_iter(b';', value).chain([value.len()]) {
            let spec = value.get(start..end).unwrap_or_default();
            octets.check(spec, start)?;
            // § RFC 6376 §3.2: tag-list = tag-spec *( ";" tag-spec ) [ ";" ]
            if end == value.len() && !tags.is_empty() && trim(spec).is_empty() {
                break;
            }
            let tag = parse_tag(spec, start)?;
            if tags.iter().any(|other| other.is_named(tag.name)) {
                return Err(TagListErrorKind::Duplicate.at(start));
            }
            if tags.len() == limits::TAGS {
                return Err(TagListErrorKind::TooMany.at(start));
            }
            tags.push(tag);
            start = end + 1;
        }
        Ok(Self { tags })
    }

    /// The tag of that name. Names are case-sensitive (RFC 6376 §3.2).
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Tag<'a>> {
        self.tags.iter().find(|tag| tag.is_named(name)).cloned()
    }

    /// The tags in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Tag<'a>> {
        self.tags.iter()
    }

    /// The tag that comes first, as `v` must in a key record.
    #[must_use]
    pub fn first(&self) -> Option<&Tag<'a>> {
        self.tags.first()
    }
}

/// Tags of an ordinary signature field; more than this costs a second allocation.
const USUAL_TAGS: usize = 12;

/// One tag of a [`TagList`]: name, value, and where the value stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag<'a> {
    name: &'a str,
    value: &'a [u8],
    span: Range<usize>,
}

impl<'a> Tag<'a> {
    /// Names are too short for the comparison that the compiler calls for strings.
    fn is_named(&self, name: &str) -> bool {
        self.name.len() == name.len() && self.name.bytes().eq(name.bytes())
    }

    /// The name: a letter, then letters, digits and `_`.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// The value without white space around it. Folds inside are kept; octets beyond ASCII are not checked to be UTF-8.
    #[must_use]
    pub fn value(&self) -> &'a [u8] {
        self.value
    }

    /// Everything between `=` and `;` (or the end), as offsets into what was parsed: the octets a signer blanks in `b=`.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// The value without any white space, as base64 is read.
    #[must_use]
    pub fn compact(&self) -> Cow<'a, [u8]> {
        // Nearly always there is none or a fold or two: what is between them is copied as a whole. No octet up to SP but
        // those of white space gets into a list.
        let mut parts = self.value.split(|octet| *octet <= b' ').filter(|part| !part.is_empty());
        let first = parts.next().unwrap_or_default();
        if first.len() == self.value.len() {
            return Cow::Borrowed(self.value);
        }
        let mut compact = Vec::with_capacity(self.value.len());
        compact.extend_from_slice(first);
        parts.for_each(|part| compact.extend_from_slice(part));
        Cow::Owned(compact)
    }
}

/// Why octets are no [`TagList`], and where. The fault is with whoever wrote the field or record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} (at octet {offset})")]
pub struct TagListError {
    /// What is wrong.
    pub kind: TagListErrorKind,
    /// Offset into the parsed octets.
    pub offset: usize,
}

/// What is wrong with a tag list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TagListErrorKind {
    /// Nothing stands where a tag must: an empty list, or two `;` in a row.
    #[error("a tag is missing before this semicolon or end")]
    Empty,
    /// A tag without `=`.
    #[error("the tag has no equals sign")]
    NoEquals,
    /// A name that is not a letter followed by letters, digits and `_`.
    #[error("the tag name is not a letter followed by letters, digits and underscores")]
    Name,
    /// A control octet, or a line end that is no fold.
    #[error("the tag list holds a control octet or a line end that is no fold")]
    Octet,
    /// A name that occurred before.
    #[error("the tag occurs twice")]
    Duplicate,
    /// More tags than [`limits::TAGS`].
    #[error("the list has more than 32 tags")]
    TooMany,
}

impl TagListErrorKind {
    fn at(self, offset: usize) -> TagListError {
        TagListError { kind: self, offset }
    }
}

/// § RFC 6376 §3.2: tag-spec = [FWS] tag-name [FWS] "=" [FWS] tag-value [FWS]
fn parse_tag(spec: &[u8], start: usize) -> Result<Tag<'_>, TagListError> {
    let Some(equals) = memchr(b'=', spec) else {
        let kind = if trim(spec).is_empty() { TagListErrorKind::Empty } else { TagListErrorKind::NoEquals };
        return Err(kind.at(start));
    };
    let (name, value) = spec.split_at_checked(equals).unwrap_or_default();
    let value = value.get(1..).unwrap_or_default();
    let name = tag_name(trim(name)).ok_or_else(|| TagListErrorKind::Name.at(start))?;
    let value_start = start + equals + 1;
    Ok(Tag { name, value: trim(value), span: value_start..value_start + value.len() })
}

fn tag_name(name: &[u8]) -> Option<&str> {
    let (first, rest) = name.split_first()?;
    let good = first.is_ascii_alphabetic() && rest.iter().all(|octet| octet.is_ascii_alphanumeric() || *octet == b'_');
    if good { std::str::from_utf8(name).ok() } else { None }
}

/// Whether all octets of a list may stand in it: VALCHAR (0x21-0x3A, 0x3C-0x7E) and folding white space.
///
/// Beyond RFC 6376, octets from 0x80 on are let through: a note in UTF-8 must not make a domain's key unreadable.
#[derive(Clone, Copy)]
enum Octets {
    Good,
    Unknown,
}

impl Octets {
    fn check(self, spec: &[u8], start: usize) -> Result<(), TagListError> {
        match self {
            Octets::Good => Ok(()),
            Octets::Unknown => {
                stray_octet(spec).map_or(Ok(()), |offset| Err(TagListErrorKind::Octet.at(start + offset)))
            }
        }
    }
}

fn trim(mut octets: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = octets
        && is_fws(*first)
    {
        octets = rest;
    }
    while let [rest @ .., last] = octets
        && is_fws(*last)
    {
        octets = rest;
    }
    octets
}

fn is_fws(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | b'\n')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lists() {
        type Tags<'a> = &'a [(&'a str, &'a [u8])];
        let cases: [(&[u8], Tags<'_>); 12] = [
            (b"v=1", &[("v", b"1")]),
            (b"v=1;", &[("v", b"1")]),
            (b"v=1; \r\n\t", &[("v", b"1")]),
            (b" v = 1 ;\td=a", &[("v", b"1"), ("d", b"a")]),
            (b"\r\n v\r\n =\r\n 1\r\n ;d=a", &[("v", b"1"), ("d", b"a")]),
            (b"b=AB\r\n CD ==; s=", &[("b", b"AB\r\n CD =="), ("s", b"")]),
            (b"a=b=c=", &[("a", b"b=c=")]),
            (b"V=1;v=2", &[("V", b"1"), ("v", b"2")]),
            (b"a_1=:<>@[]!~", &[("a_1", b":<>@[]!~")]),
            (b"n=Schl\xc3\xbcssel", &[("n", b"Schl\xc3\xbcssel")]),
            (b"n=\xff\x80", &[("n", b"\xff\x80")]),
            (b"p=;k=x", &[("p", b""), ("k", b"x")]),
        ];
        for (value, wanted) in cases {
            let list = TagList::parse(value).unwrap();
            assert_eq!(list.iter().map(|tag| (tag.name(), tag.value())).collect::<Vec<_>>(), wanted);
            assert_eq!(list.first().map(Tag::name), Some(wanted[0].0));
        }
    }

    #[test]
    fn refusals() {
        use TagListErrorKind::{Duplicate, Empty, Name, NoEquals, Octet};
        let cases: [(&[u8], TagListErrorKind, usize); 19] = [
            (b"", Empty, 0),
            (b" \r\n ", Empty, 0),
            (b";", Empty, 0),
            (b";v=1", Empty, 0),
            (b"v=1;;", Empty, 4),
            (b"v=1; ;d=2", Empty, 4),
            (b"v=1;d", NoEquals, 4),
            (b"=1", Name, 0),
            (b"1v=1", Name, 0),
            (b"_v=1", Name, 0),
            (b"v x=1", Name, 0),
            (b"v\xc3\xbc=1", Name, 0),
            (b"v=1;d=2;v=1", Duplicate, 8),
            (b"v=\x001", Octet, 2),
            (b"v=1;d=a\x7f", Octet, 7),
            (b"v=1\r\n", Octet, 3),
            (b"v=1\n d=2", Octet, 3),
            (b"v=1\r d=2", Octet, 3),
            (b"v=1; \r\n", Octet, 5),
        ];
        for (value, kind, offset) in cases {
            assert_eq!(TagList::parse(value), Err(kind.at(offset)), "{}", value.escape_ascii());
        }
    }

    #[test]
    fn at_most_32_tags() {
        let list = |tags: usize| (0..tags).map(|tag| format!("t{tag}=;")).collect::<String>();
        assert!(TagList::parse(list(limits::TAGS).as_bytes()).is_ok());
        let error = TagList::parse(list(limits::TAGS + 1).as_bytes()).unwrap_err();
        assert_eq!(error.kind, TagListErrorKind::TooMany);
    }

    #[test]
    fn values_keep_their_place() {
        let value = b" a=1;b= AB\r\n\tC ; c=x";
        let tag = TagList::parse(value).unwrap().get("b").unwrap();
        assert_eq!(&value[tag.span()], b" AB\r\n\tC ");
        assert_eq!((tag.value(), tag.compact().as_ref()), (&b"AB\r\n\tC"[..], &b"ABC"[..]));
        assert!(matches!(TagList::parse(value).unwrap().get("c").unwrap().compact(), Cow::Borrowed(b"x")));
    }

    proptest! {
        #[test]
        fn total_and_exact(value in "([a-c=; \t\u{fc}]|\r\n |\\PC|[\0\r\n]){0,40}") {
            let Ok(list) = TagList::parse(value.as_bytes()) else { return Ok(()) };
            for tag in list.iter() {
                let whole = &value.as_bytes()[tag.span()];
                prop_assert_eq!(trim(whole), tag.value());
                prop_assert_eq!(value.as_bytes()[tag.span().start - 1], b'=');
                prop_assert!(matches!(value.as_bytes().get(tag.span().end), None | Some(b';')));
            }
        }

        #[test]
        fn any_octets(value in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = TagList::parse(&value);
        }
    }
}
