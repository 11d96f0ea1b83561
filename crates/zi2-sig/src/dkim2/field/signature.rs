//! DKIM2-Signature (§ -08 10): who handled the message, and to whom it was sent.

use std::ops::Range;

use zi2_mail::{Domain, Field, Tag, Timestamp};

use super::{DKIM2_SIGNATURE, Path, Tags, base64, parts, signed_form, trimmed};
use crate::dkim::{KeyName, Selector};
use crate::dkim2::{Draft, Failure, Kind, Place, Problem};
use crate::limits;

/// A DKIM2-Signature that could be read. Nothing of it is proven.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signature {
    number: u32,
    instance: u32,
    time: Timestamp,
    domain: Domain,
    groups: Vec<Vec<Member>>,
    binding: Binding,
    nonce: Option<Box<str>>,
    flags: Vec<Box<str>>,
    /// As later signatures sign it.
    pub(in crate::dkim2) signed_form: Vec<u8>,
    /// As it signs itself.
    pub(in crate::dkim2) own_form: Vec<u8>,
    pub(in crate::dkim2) offset: usize,
}

/// One signature value of `s=`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    /// Which key of the domain.
    pub selector: Selector,
    /// How it was made, if that is known.
    pub algorithm: Option<Algorithm>,
    /// What stands there for it.
    pub algorithm_name: Box<str>,
    /// Where the key is; nothing if DNS carries no such name.
    pub key_name: Option<KeyName>,
    pub(in crate::dkim2) value: Box<[u8]>,
    pub(in crate::dkim2) offset: usize,
}

/// A signature algorithm of DKIM2.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Algorithm {
    /// rsa-sha256.
    RsaSha256,
    /// ed25519-sha256: over the SHA-256 of what is signed.
    Ed25519Sha256,
    /// mldsa44: over what is signed itself, with the context "DKIM2".
    MlDsa44,
}

/// To whom the message was sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Binding {
    /// By SMTP, with this envelope.
    Envelope {
        /// `mf=`.
        sender: Path,
        /// `rt=`.
        recipients: Vec<Path>,
    },
    /// Within one operator, to the signer of this domain, `nd=`.
    Next(Domain),
}

/// Whether paths without angle brackets are read, which drafts before -03 wrote.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Brackets {
    /// They break the syntax.
    #[default]
    Required,
    /// They are read, for looking at old mail.
    Optional,
}

impl Signature {
    /// Reads a field. The first rule it breaks is the answer; unknown tags and flags are passed over.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn parse(field: Field<'_>, draft: Draft, brackets: Brackets) -> Result<Signature, Failure> {
        let tags = Tags::read(field, Kind::Signature, "i", limits::DKIM2_SIGNATURE_OCTETS, draft)?;
        let instance = tags.integer("m")?;
        let instance = u32::try_from(instance).ok().filter(|instance| *instance > 0);
        let instance = instance.ok_or_else(|| tags.fault(Problem::Syntax(Kind::Signature), Some("m"), None))?;
        let time = Timestamp::from_secs(tags.integer("t")?);
        let domain = tags.domain(&tags.required("d")?, "d")?;
        let (groups, values) = signature_groups(&tags, &domain)?;
        Ok(Signature {
            number: tags.number(),
            instance,
            time,
            groups,
            binding: binding(&tags, brackets)?,
            nonce: nonce(&tags)?,
            flags: flags(&tags)?,
            domain,
            signed_form: signed_form(field, &[]),
            own_form: signed_form(field, &values),
            offset: field.offset(),
        })
    }

    /// Whether a field has the name of this one.
    pub(in crate::dkim2) fn is(field: Field<'_>) -> bool {
        field.is_named(DKIM2_SIGNATURE)
    }

    /// `i=`.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// `m=`: the newest Message-Instance when this was signed.
    pub fn instance(&self) -> u32 {
        self.instance
    }

    /// `t=`.
    pub fn time(&self) -> Timestamp {
        self.time
    }

    /// `d=`.
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// `s=`: alternatives, of each of which all must verify.
    pub fn groups(&self) -> &[Vec<Member>] {
        &self.groups
    }

    /// `mf=` and `rt=`, or `nd=`.
    pub fn binding(&self) -> &Binding {
        &self.binding
    }

    /// `n=`.
    pub fn nonce(&self) -> Option<&str> {
        self.nonce.as_deref()
    }

    /// `f=`: every flag, known or not.
    pub fn flags(&self) -> impl Iterator<Item = &str> {
        self.flags.iter().map(AsRef::as_ref)
    }

    /// Whether a flag is there. Flags have case.
    pub fn has_flag(&self, name: &str) -> bool {
        self.flags().any(|flag| flag == name)
    }

    pub(in crate::dkim2) fn place(&self, tag: &'static str) -> Place {
        Place { hop: Some(self.number), instance: None, tag: Some(tag), offset: Some(self.offset) }
    }
}

impl Algorithm {
    /// All that are known.
    pub const ALL: [Algorithm; 3] = [Algorithm::RsaSha256, Algorithm::Ed25519Sha256, Algorithm::MlDsa44];

    /// The name in `s=`.
    pub fn as_str(self) -> &'static str {
        match self {
            Algorithm::RsaSha256 => "rsa-sha256",
            Algorithm::Ed25519Sha256 => "ed25519-sha256",
            Algorithm::MlDsa44 => "mldsa44",
        }
    }
}

type Groups = Vec<Vec<Member>>;

/// The groups, and where in the field's value the signature values stand.
fn signature_groups(tags: &Tags<'_>, domain: &Domain) -> Result<(Groups, Vec<Range<usize>>), Failure> {
    let tag = tags.required("s")?;
    let span = tag.span();
    // The untrimmed value: it counts from the span.
    let value = tags.value_of(&tag);
    let (mut groups, mut spans) = (Groups::new(), Vec::new());
    for (group_at, group) in parts(value, b'|') {
        let mut members = Vec::new();
        for (at, item) in parts(group, b',') {
            let start = span.start + group_at + at;
            if spans.len() == limits::DKIM2_MEMBERS {
                return Err(tags.fault(Problem::TooManySelectors, Some("s"), Some(start)));
            }
            let offset = tags.base + start;
            let (member, value_at) = member(item, domain, offset)
                .ok_or_else(|| tags.fault(Problem::Syntax(Kind::Signature), Some("s"), Some(start)))?;
            if groups.iter().flatten().chain(&members).any(|other: &Member| other.selector == member.selector) {
                return Err(tags.fault(Problem::DuplicateSelector, Some("s"), Some(start)));
            }
            spans.push(start + value_at..start + item.len());
            members.push(member);
        }
        groups.push(members);
    }
    Ok((groups, spans))
}

/// § -08 10.9: selector ":" algorithm ":" base64. Gives where in the item the base64 begins.
fn member(item: &[u8], domain: &Domain, offset: usize) -> Option<(Member, usize)> {
    let first = item.iter().position(|octet| *octet == b':')?;
    let second = first + 1 + item.get(first + 1..)?.iter().position(|octet| *octet == b':')?;
    let text = |range: Range<usize>| std::str::from_utf8(trimmed(item.get(range)?)).ok();
    let selector = Selector::parse(text(0..first)?).ok()?;
    let name = text(first + 1..second).filter(|name| is_word(name))?;
    let algorithm = Algorithm::ALL.into_iter().find(|algorithm| algorithm.as_str() == name);
    let value = base64(item.get(second + 1..)?)?;
    let key_name = KeyName::new(&selector, domain);
    let (algorithm_name, value) = (name.into(), value.into());
    Some((Member { selector, algorithm, algorithm_name, key_name, value, offset }, second + 1))
}

fn binding(tags: &Tags<'_>, brackets: Brackets) -> Result<Binding, Failure> {
    let unexpected = |tag: &Tag<'_>| tags.fault(Problem::TagUnexpected("nd"), Some("nd"), Some(tag.span().start));
    match (tags.get("nd"), tags.get("mf"), tags.get("rt")) {
        (Some(nd), None, None) => Ok(Binding::Next(tags.domain(&nd, "nd")?)),
        (Some(nd), _, _) => Err(unexpected(&nd)),
        (None, None, _) => Err(tags.fault(Problem::TagMissing(Kind::Signature, "mf"), Some("mf"), None)),
        (None, Some(_), None) => Err(tags.fault(Problem::TagMissing(Kind::Signature, "rt"), Some("rt"), None)),
        (None, Some(mf), Some(rt)) => {
            let path = |value: &[u8]| Path::parse(base64(value)?, brackets);
            let sender = path(mf.value()).ok_or_else(|| tags.syntax(&mf, "mf"))?;
            let mut recipients = Vec::new();
            for (_, item) in parts(rt.value(), b',') {
                if recipients.len() == limits::DKIM2_RECIPIENTS {
                    return Err(tags.fault(Problem::TooLarge(Kind::Signature), Some("rt"), Some(rt.span().start)));
                }
                // § -08 8.1: nobody is sent to the null path
                let recipient = path(item).filter(|path| !path.is_null());
                recipients.push(recipient.ok_or_else(|| tags.syntax(&rt, "rt"))?);
            }
            Ok(Binding::Envelope { sender, recipients })
        }
    }
}

fn nonce(tags: &Tags<'_>) -> Result<Option<Box<str>>, Failure> {
    let Some(tag) = tags.get("n") else { return Ok(None) };
    let text = std::str::from_utf8(tag.value()).ok();
    let fits = |text: &&str| text.len() <= limits::DKIM2_NONCE && text.bytes().all(|octet| octet.is_ascii_graphic());
    text.filter(fits).map(|text| Some(text.into())).ok_or_else(|| tags.syntax(&tag, "n"))
}

fn flags(tags: &Tags<'_>) -> Result<Vec<Box<str>>, Failure> {
    let Some(tag) = tags.get("f") else { return Ok(Vec::new()) };
    let flag = |(_, flag)| std::str::from_utf8(trimmed(flag)).ok().filter(|flag| is_word(flag)).map(Box::from);
    parts(tag.value(), b',').map(flag).collect::<Option<_>>().ok_or_else(|| tags.syntax(&tag, "f"))
}

/// A word of the grammar: letters, digits, `-`, `_`.
pub(in crate::dkim2) fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_'))
}

#[cfg(test)]
mod tests;
