//! What DMARC says of a message.

use zi2_mail::Domain;

use super::record::{Policy, PolicyTag, Record, RecordError, Testing};

/// The result for one message. Says nothing of what a receiver should do beyond the owner's wish.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DmarcResult {
    /// The result.
    pub outcome: Outcome,
    /// Why.
    pub reason: Reason,
    /// The author domain.
    pub domain: Domain,
    /// The author domain's organizational domain, where something depended on it.
    pub organization: Option<Domain>,
    /// The record that applies, where one does.
    pub applied: Option<Applied>,
    /// The identifier that made it pass.
    pub aligned: Option<Aligned>,
}

/// The results of RFC 8601 §2.7 for the method `dmarc`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Outcome {
    /// No policy applies.
    None,
    /// An aligned identifier passed.
    Pass,
    /// None did.
    Fail,
    /// DNS could not be asked; another try may do better.
    TempError,
    /// A record is broken.
    PermError,
}

/// Why a result is as it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// Pass: the identifier and the author domain are aligned.
    Aligned,
    /// Fail: neither SPF nor DKIM authenticated any domain.
    NothingAuthenticated,
    /// Fail: what was authenticated belongs to others.
    NotAligned,
    /// None: no record at any name asked.
    NoRecord,
    /// None: a name has more than one record, so they do not count, and no other name has one.
    SeveralRecords,
    /// None: the record has no valid policy and no reporting address.
    NoPolicy,
    /// Permerror: the only record found is broken.
    BadRecord(RecordError),
    /// Temperror: a question that the result depends on got no answer.
    Unanswered,
    /// Temperror: nothing aligned passed, and SPF or DKIM of an aligned domain could not be decided.
    Undecided,
}

/// The record that applies to the author domain, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Applied {
    /// The domain the record stands at, without `_dmarc`.
    pub place: Domain,
    /// The record.
    pub record: Record,
    /// The tag the policy is from.
    pub tag: PolicyTag,
    /// The policy as published.
    pub policy: Policy,
    /// Whether the author domain exists, as far as anything depended on it.
    pub existence: Existence,
}

/// Whether the author domain exists in DNS (RFC 8020).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Existence {
    /// It does.
    Exists,
    /// It does not.
    Missing,
    /// Nothing depended on it, or DNS gave no answer.
    Unknown,
}

/// An identifier that passed and is aligned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Aligned {
    /// What authenticated it.
    pub method: Method,
    /// The authenticated domain.
    pub domain: Domain,
    /// How alike the two are.
    pub likeness: Likeness,
}

/// What authenticates a domain.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Method {
    /// SPF of the MAIL FROM domain.
    Spf,
    /// A DKIM signature.
    Dkim,
}

/// How alike an identifier and the author domain are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Likeness {
    /// They are the same domain, which is enough for strict alignment.
    Identical,
    /// They have the same organizational domain.
    SameOrganization,
}

impl DmarcResult {
    /// What the domain owner asks for this message: none unless it fails; one level lower while the policy is tried out.
    #[must_use]
    pub fn disposition(&self) -> Policy {
        match (self.outcome, &self.applied) {
            // § RFC 9989 §4.7, t: under test the policy is one level lower
            (Outcome::Fail, Some(applied)) if applied.record.testing() == Testing::On => applied.policy.lower(),
            (Outcome::Fail, Some(applied)) => applied.policy,
            // § RFC 9989 §5.3.6: after errors of DNS no policy is applied
            _ => Policy::None,
        }
    }
}

impl Outcome {
    /// The word of RFC 8601.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Outcome::None => "none",
            Outcome::Pass => "pass",
            Outcome::Fail => "fail",
            Outcome::TempError => "temperror",
            Outcome::PermError => "permerror",
        }
    }
}

impl Reason {
    /// The result that the reason leads to.
    #[must_use]
    pub const fn outcome(self) -> Outcome {
        match self {
            Reason::Aligned => Outcome::Pass,
            Reason::NothingAuthenticated | Reason::NotAligned => Outcome::Fail,
            // § RFC 9989 §4.10.1: without a record, or one that says anything, "Mail Receivers MUST NOT apply the DMARC
            // mechanism to the message"
            Reason::NoRecord | Reason::SeveralRecords | Reason::NoPolicy => Outcome::None,
            // § RFC 8601 §2.7.3 names a "syntactically incorrect DMARC record" as a permerror
            Reason::BadRecord(_) => Outcome::PermError,
            // § RFC 9989 §5.3.6: and the message neither passes nor fails
            Reason::Unanswered | Reason::Undecided => Outcome::TempError,
        }
    }
}
