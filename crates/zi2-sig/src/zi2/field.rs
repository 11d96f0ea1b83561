//! The `X-ZI2-Certified` field, read (zi2.md §1).

use std::ops::Range;

use base64::{Engine, engine::general_purpose::STANDARD};
use zi2_mail::{Domain, Field, HostName, Tag, TagList, Timestamp};

use super::message::is_field_name;
use crate::facts::{Failure, SyntaxFault};
use crate::hash::{first_octets, sha256};
use crate::{Kid, limits};

/// The field's name.
pub const FIELD_NAME: &str = "X-ZI2-Certified";

/// Fields that `h=` must hold (§1).
pub(super) const COVERED_FIELDS: [&str; 5] = ["from", "to", "subject", "date", "message-id"];

/// Which of the two texts' signatures a field carries.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Form {
    /// `sig` over the draft's payload.
    Draft,
    /// `b` over the fields of `h=`.
    Page,
    /// Both; verified by `b`, which covers more.
    Combined,
}

impl Form {
    /// The word for it in configuration and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Form::Draft => "draft",
            Form::Page => "page",
            Form::Combined => "combined",
        }
    }
}

/// A field that could be read. Nothing of it is proven.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Certified {
    /// The form in which it is verified.
    pub form: Form,
    /// Signing time, `t=`.
    pub time: Timestamp,
    /// Key identifier, `kid=`.
    pub kid: Kid,
    /// The server's name, `sid=` or in page form `s=`.
    pub sid: HostName,
    /// Signed field names with a `:` between each two; empty in draft form.
    covered: Box<str>,
    pub(super) body_hash: [u8; 32],
    pub(super) draft: Option<DraftTags>,
    pub(super) page: Option<PageTags>,
}

/// The tags only the draft form has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct DraftTags {
    pub(super) sid: HostName,
    pub(super) nonce: [u8; 16],
    pub(super) signature: [u8; 64],
}

/// The tags only the page form has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct PageTags {
    pub(super) domain: Domain,
    pub(super) signature: [u8; 64],
    /// Where the value of `b=` stands in the field's value, white space around it included.
    pub(super) b_span: Range<usize>,
}

impl Certified {
    /// Reads a field. The first rule it breaks is the answer.
    pub fn parse(field: Field<'_>) -> Result<Certified, Failure> {
        if field.raw().len() > limits::CERTIFIED_OCTETS {
            return Err(Failure::Syntax(SyntaxFault::Certified("longer than 4096 octets")));
        }
        let tags =
            TagList::parse(field.value()).map_err(|_| Failure::Syntax(SyntaxFault::Certified("not a tag list")))?;
        // A field of another version may have other tags: say so before missing ours.
        if required(&tags, "v")?.value() != b"1" {
            return Err(Failure::Version);
        }
        let common = (
            parse_time(required(&tags, "t")?)?,
            parse_with(&tags, "kid", |t| Kid::parse(t).ok())?,
            octets(&tags, "bh")?,
        );
        // §1: a field with b is read in the page form, otherwise in the draft form.
        if tags.get("b").is_some() { page_form(&tags, common) } else { draft_form(&tags, common) }
    }

    /// Signed field names, `h=`, in their order; none in draft form.
    pub fn covered(&self) -> impl Iterator<Item = &str> {
        self.covered.split(is_colon).filter(|name| !name.is_empty())
    }

    /// What makes the signature one of a kind.
    pub(crate) fn replay_nonce(&self) -> [u8; 16] {
        match (&self.page, &self.draft) {
            (Some(page), _) => ReplayNonce::Page(page.signature).octets(),
            (None, Some(draft)) => ReplayNonce::Draft(draft.nonce).octets(),
            (None, None) => [0; 16],
        }
    }
}

/// What makes a signature one of a kind (zi2.md §8).
#[derive(Clone, Copy, Debug)]
pub(super) enum ReplayNonce {
    /// `b=`, which is hashed.
    Page([u8; 64]),
    /// `n=`.
    Draft([u8; 16]),
}

impl ReplayNonce {
    pub(super) fn octets(&self) -> [u8; 16] {
        match self {
            ReplayNonce::Page(signature) => first_octets(&sha256(signature)),
            ReplayNonce::Draft(nonce) => *nonce,
        }
    }
}

type Common = (Timestamp, Kid, [u8; 32]);

fn draft_form(tags: &TagList<'_>, (time, kid, body_hash): Common) -> Result<Certified, Failure> {
    let draft = draft_tags(tags, host(tags, "sid")?)?;
    Ok(Certified {
        form: Form::Draft,
        time,
        kid,
        sid: draft.sid.clone(),
        covered: Box::default(),
        body_hash,
        draft: Some(draft),
        page: None,
    })
}

fn page_form(tags: &TagList<'_>, (time, kid, body_hash): Common) -> Result<Certified, Failure> {
    let s = host(tags, "s")?;
    let domain = parse_with(tags, "d", |t| Domain::parse(t).ok())?;
    let covered = signed_names(required(tags, "h")?)?;
    let page = PageTags { domain, signature: octets(tags, "b")?, b_span: required(tags, "b")?.span() };
    // §1: with all tags of both it is the combined form, and then s must equal sid. In plain page form they are ignored.
    let has_all = ["sid", "n", "sig"].iter().all(|name| tags.get(name).is_some());
    let sid = if has_all { Some(host(tags, "sid")?) } else { None };
    if sid.as_ref().is_some_and(|sid| *sid != s) {
        return Err(Failure::Syntax(SyntaxFault::Certified("s and sid differ")));
    }
    Ok(Certified {
        form: if has_all { Form::Combined } else { Form::Page },
        time,
        kid,
        sid: s,
        covered,
        body_hash,
        draft: sid.and_then(|sid| draft_tags(tags, sid).ok()),
        page: Some(page),
    })
}

fn draft_tags(tags: &TagList<'_>, sid: HostName) -> Result<DraftTags, Failure> {
    Ok(DraftTags { sid, nonce: octets(tags, "n")?, signature: octets(tags, "sig")? })
}

fn host(tags: &TagList<'_>, name: &'static str) -> Result<HostName, Failure> {
    parse_with(tags, name, |text| HostName::parse(text).ok())
}

fn fault(name: &'static str) -> Failure {
    Failure::Syntax(SyntaxFault::Tag(name))
}

fn required<'a>(tags: &TagList<'a>, name: &'static str) -> Result<Tag<'a>, Failure> {
    tags.get(name).ok_or_else(|| fault(name))
}

fn parse_with<T>(tags: &TagList<'_>, name: &'static str, parse: impl Fn(&str) -> Option<T>) -> Result<T, Failure> {
    let tag = required(tags, name)?;
    std::str::from_utf8(tag.value()).ok().and_then(parse).ok_or_else(|| fault(name))
}

/// §1: decimal, no sign, no leading zero, at most 12 digits.
fn parse_time(tag: Tag<'_>) -> Result<Timestamp, Failure> {
    let digits = tag.value();
    let well_formed = !digits.is_empty()
        && digits.len() <= limits::TIME_DIGITS
        && digits.iter().all(u8::is_ascii_digit)
        && (digits.len() == 1 || !digits.starts_with(b"0"));
    let secs = std::str::from_utf8(digits).ok().filter(|_| well_formed).and_then(|t| t.parse().ok());
    secs.map(Timestamp::from_secs).ok_or_else(|| fault("t"))
}

/// Strict base64 of exactly `N` octets, folding white space removed: these octets have no other spelling.
fn octets<const N: usize>(tags: &TagList<'_>, name: &'static str) -> Result<[u8; N], Failure> {
    let mut octets = [0; N];
    match STANDARD.decode_slice(required(tags, name)?.compact(), &mut octets) {
        Ok(length) if length == N => Ok(octets),
        _ => Err(fault(name)),
    }
}

/// The names are short: looking at each character is quicker than a search.
fn is_colon(character: char) -> bool {
    character == ':'
}

/// §1: field names, lower case, `:`-separated. White space around them goes.
fn signed_names(tag: Tag<'_>) -> Result<Box<str>, Failure> {
    let list = std::str::from_utf8(tag.value()).map_err(|_| fault("h"))?;
    let mut names = String::with_capacity(list.len());
    for name in list.split(is_colon).map(str::trim_ascii) {
        if !is_field_name(name.as_bytes()) || name.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(fault("h"));
        }
        names.push_str(if names.is_empty() { "" } else { ":" });
        names.push_str(name);
    }
    Ok(names.into_boxed_str())
}
