//! A signature field, read (RFC 6376 §3.5). ARC-Message-Signature (RFC 8617 §4.1.2) is read by the same rules.

use std::ops::{Range, RangeInclusive};

use base64::{Engine, engine::general_purpose::STANDARD};
use zi2_mail::{Domain, Field, Tag, TagList, Timestamp};

use super::record::words;
use super::{Agent, Algorithm, Canon, Fault, KeyName, Selector};
use crate::limits;

/// Which field it is: they differ in `v=` and in what `i=` means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Family {
    /// DKIM-Signature.
    Dkim,
    /// ARC-Message-Signature: no `v=`, and `i=` is the instance.
    ArcMessage,
}

impl Family {
    /// What a field without `c=` means. RFC 8617 says nothing of its own, and the signers of ARC mean relaxed: its suite has
    /// a case for it.
    fn canon(self) -> Canon {
        match self {
            Family::Dkim => Canon::SIMPLE,
            Family::ArcMessage => Canon::RELAXED,
        }
    }
}

/// Numbers of ARC sets. § RFC 8617 §4.2.1: from 1 to 50.
pub(super) const ARC_INSTANCES: RangeInclusive<u8> = 1..=50;

/// A signature field that could be read. Nothing of it is proven.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignatureField {
    family: Family,
    algorithm: Algorithm,
    canon: Canon,
    domain: Domain,
    selector: Selector,
    key_name: KeyName,
    agent: Agent,
    instance: Option<u8>,
    /// Signed field names, lower case, with a `:` between each two.
    covered: Box<str>,
    length: Option<u64>,
    signed: Option<Timestamp>,
    expires: Option<Timestamp>,
    pub(super) body_hash: [u8; 32],
    pub(super) signature: Box<[u8]>,
    /// Where the value of `b=` stands in the field's value, white space around it included.
    pub(super) b_span: Range<usize>,
}

impl SignatureField {
    /// Reads a field. The first rule it breaks is the answer. Unknown tags and `z=` are not looked at.
    ///
    /// # Errors
    /// [`Fault`]. A field of rsa-sha1 is read without its hashes, which are of another length and worth nothing.
    pub fn parse(field: Field<'_>, family: Family) -> Result<SignatureField, Fault> {
        if field.raw().len() > limits::DKIM_FIELD_OCTETS {
            return Err(Fault::TooLong);
        }
        let tags = TagList::parse(field.value()).map_err(|error| Fault::TagList(error.kind))?;
        // A field of another version may have other tags: say so before missing ours.
        if family == Family::Dkim && required(&tags, "v")?.value() != b"1" {
            return Err(Fault::Version);
        }
        let algorithm = Algorithm::parse(required(&tags, "a")?.value()).ok_or(Fault::Algorithm)?;
        let canon = optional(&tags, "c", Canon::parse)?.unwrap_or(family.canon());
        if tags.get("q").is_some_and(|q| !words(q.value()).any(|method| method == b"dns/txt")) {
            return Err(Fault::Query);
        }
        let (selector, domain, key_name) = key_place(&tags)?;
        let (agent, instance) = agent_and_instance(&tags, &domain, family)?;
        let covered = covered_names(required(&tags, "h")?, family)?;
        let [signed, expires] = [optional(&tags, "t", number)?, optional(&tags, "x", number)?];
        if signed.zip(expires).is_some_and(|(signed, expires)| expires < signed) {
            return Err(Fault::ExpiresBeforeSigned);
        }
        let length = optional(&tags, "l", number)?;
        let (body_hash, signature) = hashes(&tags, algorithm)?;
        Ok(SignatureField {
            family,
            algorithm,
            canon,
            domain,
            selector,
            key_name,
            agent,
            instance,
            covered,
            length,
            signed: signed.map(Timestamp::from_secs),
            expires: expires.map(Timestamp::from_secs),
            body_hash,
            signature,
            b_span: required(&tags, "b")?.span(),
        })
    }

    /// Which field it is.
    pub fn family(&self) -> Family {
        self.family
    }

    /// `a=`.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// `c=`.
    pub fn canon(&self) -> Canon {
        self.canon
    }

    /// The signing domain, `d=`.
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// `s=`.
    pub fn selector(&self) -> &Selector {
        &self.selector
    }

    /// Where the key is published.
    pub fn key_name(&self) -> &KeyName {
        &self.key_name
    }

    /// `i=`, or what it is without one.
    pub fn agent(&self) -> &Agent {
        &self.agent
    }

    /// `i=` of an ARC-Message-Signature.
    pub fn instance(&self) -> Option<u8> {
        self.instance
    }

    /// Signed field names, `h=`, in their order and in lower case; a name stands there once for each field it covers.
    pub fn covered(&self) -> impl Iterator<Item = &str> {
        self.covered.split(is_colon)
    }

    /// `l=`: only so many octets of the canonical body are signed.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// `t=`.
    pub fn signed_at(&self) -> Option<Timestamp> {
        self.signed
    }

    /// `x=`.
    pub fn expires(&self) -> Option<Timestamp> {
        self.expires
    }

    /// The start of `b=`, by which RFC 6008 tells signatures apart: eight characters of base64.
    pub fn b_start(&self) -> String {
        STANDARD.encode(self.signature.get(..6).unwrap_or_default())
    }
}

/// `d=` of a field that may be malformed otherwise, for telling whose it is.
pub(super) fn claimed_domain(field: Field<'_>) -> Option<Domain> {
    if field.raw().len() > limits::DKIM_FIELD_OCTETS {
        return None;
    }
    signing_domain(&TagList::parse(field.value()).ok()?).ok()
}

/// Where the key is: `s=`, `d=`, and the name they make.
pub(super) fn key_place(tags: &TagList<'_>) -> Result<(Selector, Domain, KeyName), Fault> {
    let domain = signing_domain(tags)?;
    let selector = text(required(tags, "s")?).and_then(|s| Selector::parse(s).ok()).ok_or(Fault::Tag("s"))?;
    let key_name = KeyName::new(&selector, &domain).ok_or(Fault::KeyName)?;
    Ok((selector, domain, key_name))
}

/// §3.5: `d=` has two labels at least.
fn signing_domain(tags: &TagList<'_>) -> Result<Domain, Fault> {
    let domain = text(required(tags, "d")?).and_then(|d| Domain::parse(d).ok());
    domain.filter(|domain| domain.as_str().contains('.')).ok_or(Fault::Tag("d"))
}

fn agent_and_instance(tags: &TagList<'_>, domain: &Domain, family: Family) -> Result<(Agent, Option<u8>), Fault> {
    if family == Family::ArcMessage {
        let instance = number(required(tags, "i")?.value()).and_then(|instance| u8::try_from(instance).ok());
        let instance = instance.filter(|instance| ARC_INSTANCES.contains(instance)).ok_or(Fault::Tag("i"))?;
        return Ok((Agent::of_domain(domain.clone()), Some(instance)));
    }
    let agent = optional(tags, "i", Agent::parse)?.unwrap_or_else(|| Agent::of_domain(domain.clone()));
    // §3.5: "The domain part of the address MUST be the same as, or a subdomain of, the value of the "d=" tag"
    if agent.domain().is_within(domain) { Ok((agent, None)) } else { Err(Fault::AgentOutside) }
}

/// §3.5: field names joined by `:`, folding white space around them. Names have no case.
///
/// An ARC-Message-Signature may cover nothing, and empty names mean nothing: the suite of the ARC working group wants both,
/// and who relies on a chain looks at what is covered.
fn covered_names(tag: Tag<'_>, family: Family) -> Result<Box<str>, Fault> {
    let mut names = Vec::with_capacity(tag.value().len());
    let mut has_from = false;
    for (place, name) in words(tag.value()).enumerate() {
        if place == limits::DKIM_SIGNED_NAMES {
            return Err(Fault::TooManyNames);
        }
        match name.is_empty() {
            true if family == Family::ArcMessage => continue,
            true => return Err(Fault::Tag("h")),
            false => {}
        }
        has_from |= name.eq_ignore_ascii_case(b"from");
        names.extend_from_slice(if names.is_empty() { b"" } else { b":" });
        names.extend_from_slice(name);
    }
    // RFC 5322 §3.6.8. All names at once, which the compiler makes vectors of.
    let are_names = names.iter().fold(true, |good, octet| good & octet.is_ascii_graphic());
    names.make_ascii_lowercase();
    let names = String::from_utf8(names).ok().filter(|_| are_names).ok_or(Fault::Tag("h"))?;
    // §5.4: "The From header field MUST be signed"
    if has_from || family == Family::ArcMessage { Ok(names.into()) } else { Err(Fault::FromUnsigned) }
}

fn hashes(tags: &TagList<'_>, algorithm: Algorithm) -> Result<([u8; 32], Box<[u8]>), Fault> {
    let (body_hash, signature) = (required(tags, "bh")?.compact(), required(tags, "b")?.compact());
    let signature = STANDARD.decode(signature).ok().filter(|octets| !octets.is_empty()).ok_or(Fault::Tag("b"))?;
    let longest = match algorithm {
        Algorithm::Ed25519Sha256 => 64,
        _ => limits::RSA_MAX_BITS as usize / 8,
    };
    if signature.len() > longest {
        return Err(Fault::Tag("b"));
    }
    let mut hash = [0; 32];
    let expected = if algorithm == Algorithm::RsaSha1 { 20 } else { 32 };
    match STANDARD.decode_slice(body_hash, &mut hash) {
        Ok(length) if length == expected => Ok((hash, signature.into())),
        _ => Err(Fault::Tag("bh")),
    }
}

/// A function, because the search that std has for a character is made for long texts.
fn is_colon(char: char) -> bool {
    char == ':'
}

pub(super) fn required<'a>(tags: &TagList<'a>, name: &'static str) -> Result<Tag<'a>, Fault> {
    tags.get(name).ok_or(Fault::Missing(name))
}

pub(super) fn optional<T>(
    tags: &TagList<'_>,
    name: &'static str,
    read: impl Fn(&[u8]) -> Option<T>,
) -> Result<Option<T>, Fault> {
    tags.get(name).map(|tag| read(tag.value()).ok_or(Fault::Tag(name))).transpose()
}

/// Digits only. What is beyond 64 bits is as good as the largest number: §3.5 lets a reader take long times for infinite.
pub(super) fn number(digits: &[u8]) -> Option<u64> {
    let add = |number: u64, digit: &u8| {
        digit.is_ascii_digit().then(|| number.saturating_mul(10).saturating_add(u64::from(digit - b'0')))
    };
    if digits.is_empty() { None } else { digits.iter().try_fold(0, add) }
}

fn text(tag: Tag<'_>) -> Option<&str> {
    std::str::from_utf8(tag.value()).ok()
}

#[cfg(test)]
mod tests {
    use zi2_mail::{Header, TagListErrorKind};

    use super::*;

    const HASH: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

    fn parse(tags: &str) -> Result<SignatureField, Fault> {
        let section = format!("DKIM-Signature: {tags}\r\n");
        let header = Header::parse(section.as_bytes());
        let field = header.fields().next().unwrap();
        SignatureField::parse(field, Family::Dkim)
    }

    /// A good signature with some tags replaced; an empty value removes the tag.
    fn with(changes: &[(&str, &str)]) -> String {
        let (b, bh) = ("AAAA".to_owned(), HASH.to_owned());
        let mut tags = vec![
            ("v", "1".to_owned()),
            ("a", "rsa-sha256".to_owned()),
            ("d", "example.com".to_owned()),
            ("s", "sel".to_owned()),
            ("h", "from".to_owned()),
            ("bh", bh),
            ("b", b),
        ];
        for (name, value) in changes {
            tags.retain(|(other, _)| other != name);
            tags.extend((!value.is_empty()).then(|| (*name, (*value).to_owned())));
        }
        tags.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn faults() {
        let names = |count: usize| vec!["from"; count].join(":");
        let signature = |octets: usize| STANDARD.encode(vec![1; octets]);
        type Changes<'a> = Vec<(&'a str, &'a str)>;
        let rows: Vec<(Changes<'_>, Option<Fault>)> = vec![
            (vec![], None),
            (vec![("v", "")], Some(Fault::Missing("v"))),
            (vec![("v", "2")], Some(Fault::Version)),
            (vec![("v", "01")], Some(Fault::Version)),
            (vec![("a", "")], Some(Fault::Missing("a"))),
            (vec![("a", "rsa-sha512")], Some(Fault::Algorithm)),
            (vec![("c", "relaxed/x")], Some(Fault::Tag("c"))),
            (vec![("q", "dns/txt")], None),
            (vec![("q", "x/y : dns/txt")], None),
            (vec![("q", "dns/x")], Some(Fault::Query)),
            (vec![("d", "")], Some(Fault::Missing("d"))),
            (vec![("d", "com")], Some(Fault::Tag("d"))),
            (vec![("d", "a_b.example")], Some(Fault::Tag("d"))),
            (vec![("d", "good.example'a.evil.example")], Some(Fault::Tag("d"))),
            (vec![("s", "a b")], Some(Fault::Tag("s"))),
            (vec![("i", "@example.com")], None),
            (vec![("i", "a@x.example.com")], None),
            (vec![("i", "@other.example")], Some(Fault::AgentOutside)),
            (vec![("i", "@evilexample.com")], Some(Fault::AgentOutside)),
            (vec![("i", "@example.com=40evil.example")], Some(Fault::AgentOutside)),
            (vec![("i", "example.com")], Some(Fault::Tag("i"))),
            (vec![("h", "to:subject")], Some(Fault::FromUnsigned)),
            (vec![("h", "from:")], Some(Fault::Tag("h"))),
            (vec![("h", "from::to")], Some(Fault::Tag("h"))),
            (vec![("h", "from:t o")], Some(Fault::Tag("h"))),
            (vec![("h", " From : to\r\n\t: x")], None),
            (vec![("l", "0")], None),
            (vec![("l", "-1")], Some(Fault::Tag("l"))),
            (vec![("l", "99999999999999999999999999")], None),
            (vec![("t", "1"), ("x", "1")], None),
            (vec![("t", "2"), ("x", "1")], Some(Fault::ExpiresBeforeSigned)),
            (vec![("t", "now")], Some(Fault::Tag("t"))),
            (vec![("bh", "AAAA")], Some(Fault::Tag("bh"))),
            (vec![("b", "*")], Some(Fault::Tag("b"))),
            (vec![("z", "a:b|c:d")], None),
            (vec![("zz", "1")], None),
        ];
        for (changes, expected) in rows {
            assert_eq!(parse(&with(&changes)).err(), expected, "{changes:?}");
        }
        let (most, more) = (names(limits::DKIM_SIGNED_NAMES), names(limits::DKIM_SIGNED_NAMES + 1));
        assert_eq!(parse(&with(&[("h", &most)])).map(|f| f.covered().count()), Ok(limits::DKIM_SIGNED_NAMES));
        assert_eq!(parse(&with(&[("h", &more)])).err(), Some(Fault::TooManyNames));
        let (longest, longer) = (signature(1024), signature(1025));
        assert!(parse(&with(&[("b", &longest)])).is_ok());
        assert_eq!(parse(&with(&[("b", &longer)])).err(), Some(Fault::Tag("b")));
        assert_eq!(
            parse(&with(&[("s", &"s".repeat(63)), ("d", &vec!["d"; 100].join("."))])).err(),
            Some(Fault::KeyName)
        );
        let duplicate = with(&[]) + "; d=example.com";
        assert_eq!(parse(&duplicate).err(), Some(Fault::TagList(TagListErrorKind::Duplicate)));
    }

    #[test]
    fn length_of_the_field() {
        let tags = with(&[("z", "x")]);
        let padded = |octets: usize| {
            let start = format!("DKIM-Signature: {tags}");
            parse(&format!("{tags}{}", "x".repeat(octets - start.len()))).err()
        };
        assert_eq!(padded(limits::DKIM_FIELD_OCTETS), None);
        assert_eq!(padded(limits::DKIM_FIELD_OCTETS + 1), Some(Fault::TooLong));
    }
}
