//! What became of one signature: plain data, without an opinion.

use zi2_mail::{DefectKind, TagListErrorKind};

use super::DkimKeyError;
use crate::Trouble;

/// The outcome of one signature, by the words of RFC 8601 §2.7.1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The signing domain answers for the message as it arrived.
    Pass,
    /// The message is not what was signed.
    Fail(Mismatch),
    /// As [`Outcome::Fail`], by a key that is being tested: to be treated as if there were no signature (RFC 6376 §3.6.1).
    Neutral(Mismatch),
    /// We do not accept signatures of this kind, whatever they prove.
    Policy(Objection),
    /// The signature or its key cannot be used, now or later.
    PermError(Fault),
    /// The key could not be asked for now.
    TempError(Trouble),
}

/// What differs from what was signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mismatch {
    /// The signature does not verify: a signed field was changed, or it was made with another key.
    Signature,
    /// The signature verifies, and the body is another one.
    Body,
    /// The signature verifies, and the body is shorter than `l=` says (RFC 6376 §3.5).
    BodyTooShort,
}

/// Why a signature is not accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Objection {
    /// rsa-sha1 (RFC 8301 §3.1). Nothing else of the signature was looked at.
    Sha1,
    /// An RSA key of so many bits: less than 1024 (RFC 8301 §3.2), or than the operator wants.
    ShortKey(u32),
    /// All holds, and `l=` leaves so many octets of the body unsigned (RFC 6376 §8.2).
    Uncovered(u64),
    /// All holds, and `x=` is over.
    Expired,
    /// Signed in the future.
    Future,
    /// The message has no From field or several: no signature says which one is meant (RFC 6376 §8.15).
    FromNotSingle,
    /// The header section was cut at our limits, or its lines can be told apart in several ways: recipients may see other
    /// fields than those that were signed (RFC 6376 §8.15).
    Section(DefectKind),
}

/// Why a signature or its key cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The field is longer than we read.
    TooLong,
    /// The field is no tag list.
    TagList(TagListErrorKind),
    /// A required tag is missing.
    Missing(&'static str),
    /// The value of a tag is not what its grammar allows.
    Tag(&'static str),
    /// `v=` is not 1.
    Version,
    /// `a=` is not known.
    Algorithm,
    /// `q=` does not offer dns/txt.
    Query,
    /// `h=` does not hold From (RFC 6376 §5.4).
    FromUnsigned,
    /// `h=` holds more names than we search for.
    TooManyNames,
    /// `i=` is not under `d=` (RFC 6376 §3.5).
    AgentOutside,
    /// `x=` is before `t=`.
    ExpiresBeforeSigned,
    /// Selector and domain make no name that DNS carries.
    KeyName,
    /// There is no key record.
    KeyNotFound,
    /// The key was revoked: `p=` is empty.
    KeyRevoked,
    /// The key record is malformed.
    KeySyntax,
    /// More key records than are tried.
    TooManyKeys,
    /// The key is of another type than `a=` names.
    KeyType,
    /// The key's `h=` does not allow SHA-256.
    KeyHash,
    /// The key is not for mail: `s=`.
    KeyService,
    /// The key's `t=s` wants the domain of `i=` to be `d=` itself.
    KeyStrict,
    /// The key itself.
    Key(DkimKeyError),
}

impl Outcome {
    /// The result as RFC 8601 §2.7.1 spells it.
    pub fn result(self) -> &'static str {
        match self {
            Outcome::Pass => "pass",
            Outcome::Fail(_) => "fail",
            Outcome::Neutral(_) => "neutral",
            Outcome::Policy(_) => "policy",
            Outcome::PermError(_) => "permerror",
            Outcome::TempError(_) => "temperror",
        }
    }

    /// A code for the reason, of lower-case letters, digits and dots; nothing for a pass.
    pub fn reason(self) -> Option<&'static str> {
        match self {
            Outcome::Pass => None,
            Outcome::Fail(mismatch) | Outcome::Neutral(mismatch) => Some(mismatch.code()),
            Outcome::Policy(objection) => Some(objection.code()),
            Outcome::PermError(fault) => Some(fault.code()),
            Outcome::TempError(Trouble::Timeout) => Some("dns.timeout"),
            Outcome::TempError(Trouble::ServFail) => Some("dns.servfail"),
            Outcome::TempError(Trouble::Bogus) => Some("dns.bogus"),
        }
    }
}

impl Mismatch {
    fn code(self) -> &'static str {
        match self {
            Mismatch::Signature => "signature.mismatch",
            Mismatch::Body => "body.changed",
            Mismatch::BodyTooShort => "body.shorter",
        }
    }
}

impl Objection {
    fn code(self) -> &'static str {
        match self {
            Objection::Sha1 => "algorithm.sha1",
            Objection::ShortKey(_) => "key.short",
            Objection::Uncovered(_) => "body.uncovered",
            Objection::Expired => "time.expired",
            Objection::Future => "time.future",
            Objection::FromNotSingle => "from.notsingle",
            Objection::Section(DefectKind::TooLarge | DefectKind::TooManyFields) => "header.cut",
            Objection::Section(_) => "header.malformed",
        }
    }
}

impl Fault {
    fn code(self) -> &'static str {
        match self {
            Fault::TooLong => "syntax.length",
            Fault::TagList(_) => "syntax.taglist",
            Fault::Missing(_) => "syntax.missing",
            Fault::Tag(_) => "syntax.tag",
            Fault::Version => "version.unknown",
            Fault::Algorithm => "algorithm.unknown",
            Fault::Query => "query.unknown",
            Fault::FromUnsigned => "from.unsigned",
            Fault::TooManyNames => "syntax.names",
            Fault::AgentOutside => "agent.outside",
            Fault::ExpiresBeforeSigned => "time.order",
            Fault::KeyName => "key.name",
            Fault::KeyNotFound => "key.none",
            Fault::KeyRevoked => "key.revoked",
            Fault::KeySyntax => "key.syntax",
            Fault::TooManyKeys => "key.many",
            Fault::KeyType => "key.type",
            Fault::KeyHash => "key.hash",
            Fault::KeyService => "key.service",
            Fault::KeyStrict => "key.strict",
            Fault::Key(_) => "key.unusable",
        }
    }
}
