//! Why a chain does not verify: the status, the draft's own text, and where.

use std::fmt;

use super::{Chain, Draft, Signature};

/// What kind of failure it is. Its words are those of RFC 8601.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Status {
    /// Something does not match what was signed.
    Fail,
    /// Something cannot be used, now or later.
    PermError,
    /// A key could not be asked for now.
    TempError,
}

impl Status {
    /// The word of RFC 8601.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Fail => "fail",
            Status::PermError => "permerror",
            Status::TempError => "temperror",
        }
    }
}

/// One failure.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// What went wrong.
    pub problem: Problem,
    /// The rules by which it is one.
    pub draft: Draft,
    /// Where.
    pub place: Place,
}

/// Where a failure lies, as far as it lies anywhere.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Place {
    /// `i=` of the signature.
    pub hop: Option<u32>,
    /// `m=` of the Message-Instance.
    pub instance: Option<u32>,
    /// The tag.
    pub tag: Option<&'static str>,
    /// The octet, counted from the start of the header section.
    pub offset: Option<usize>,
}

/// Which of the two fields a problem is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Message-Instance.
    Instance,
    /// DKIM2-Signature.
    Signature,
}

/// What can go wrong. Texts from the message are held as they will be shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Problem {
    /// More fields of a kind than are read, or one that is too long.
    TooMany,
    /// A field that is longer, or lists more, than is read (local rule).
    TooLarge(Kind),
    /// More different keys than are asked for (local rule).
    TooManyKeys,
    /// The header section can be read in several ways, or is too large (local rule).
    Section,
    /// A field is not what its grammar allows.
    Syntax(Kind),
    /// A required tag is missing.
    TagMissing(Kind, &'static str),
    /// A tag stands where it may not.
    TagUnexpected(&'static str),
    /// The same hash algorithm twice.
    DuplicateHash,
    /// `r=` is no JSON.
    InvalidJson,
    /// `r=` is JSON, and no recipe: its start.
    InvalidRecipe(String),
    /// The same selector twice.
    DuplicateSelector,
    /// More signature values than are read.
    TooManySelectors,
    /// A number is missing in the sequence.
    Missing(Kind),
    /// The newest Message-Instance came after the newest signature.
    NotSigned,
    /// The signature is too old.
    Expired,
    /// The signature was made tomorrow or later.
    Future,
    /// The envelope sender is another one than `mf=`.
    MailFrom(String),
    /// An envelope recipient is not in `rt=`.
    RcptTo(String),
    /// The newest signature has `nd=`: it says nothing of this transaction.
    NextAtTop,
    /// `mf=` is not under `d=`.
    SenderDomain,
    /// `nd=` of the hop before is not `d=`.
    NextDomain,
    /// `mf=` is not under a recipient's domain of the hop before.
    CustodySender,
    /// No recipient's domain of the hop before is under `d=`.
    CustodyDomain,
    /// A hash algorithm that is not known.
    HashUnknown(String),
    /// The header section is another one.
    HeaderHash(&'static str),
    /// The body is another one.
    BodyHash(&'static str),
    /// None of several groups of hashes passed.
    NoHashGroup,
    /// The body before this hop cannot be made again.
    NullBody,
    /// More octets would have to be hashed than one message may cost (local rule).
    TooMuchWork,
    /// Bodies of other messages take all the room there is (local rule).
    NoRoom,
    /// From is not one mailbox at or below `d=`.
    From,
    /// The key of this selector.
    Key(String, KeyProblem),
    /// A signature algorithm that is not known.
    AlgorithmUnknown(String),
    /// The signature value does not verify.
    Incorrect(String),
    /// None of several groups of signatures passed.
    NoSignatureGroup,
    /// The same copy came before, and no hop said that there are several (§ -08 13).
    Replay,
}

/// What is wrong with a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyProblem {
    /// It could not be asked for.
    Unfetched,
    /// There is none.
    Missing,
    /// There are several records.
    Several,
    /// The record is no key record.
    Syntax,
    /// The key is of another type than the signature says.
    Algorithm,
    /// It was revoked.
    Revoked,
    /// The key itself, or its size.
    Malformed,
}

impl Failure {
    /// What kind of failure it is.
    pub fn status(&self) -> Status {
        use Problem as P;
        match &self.problem {
            P::TooMany
            | P::TooLarge(_)
            | P::TooManyKeys
            | P::Section
            | P::Syntax(_)
            | P::TagMissing(..)
            | P::DuplicateHash => Status::PermError,
            P::InvalidJson | P::InvalidRecipe(_) | P::DuplicateSelector | P::TooManySelectors => Status::PermError,
            P::Missing(_) | P::NotSigned | P::HashUnknown(_) | P::AlgorithmUnknown(_) => Status::PermError,
            P::TooMuchWork => Status::PermError,
            P::TagUnexpected(_) => Status::PermError,
            P::NextAtTop => Status::Fail,
            P::Expired | P::Future | P::MailFrom(_) | P::RcptTo(_) | P::SenderDomain => Status::Fail,
            P::NextDomain | P::CustodySender | P::CustodyDomain | P::From => Status::Fail,
            P::HeaderHash(_) | P::BodyHash(_) | P::NoHashGroup => Status::Fail,
            P::NullBody => self.draft.rules().null_body,
            P::NoRoom | P::Key(_, KeyProblem::Unfetched) => Status::TempError,
            P::Key(..) => Status::PermError,
            P::Incorrect(_) | P::NoSignatureGroup | P::Replay => Status::Fail,
        }
    }

    /// The hop at which it went wrong: that of the signature, or of the one that first covered the Message-Instance.
    pub fn hop(&self, chain: &Chain) -> Option<u32> {
        let of_instance = || chain.first_over(self.place.instance?).map(Signature::number);
        self.place.hop.or_else(of_instance)
    }

    /// What went wrong in a word of a closed set, for fields and logs that hold nothing of a sender's choosing.
    pub fn code(&self) -> &'static str {
        use Problem as P;
        match &self.problem {
            P::TooMany
            | P::TooLarge(_)
            | P::TooManyKeys
            | P::DuplicateSelector
            | P::TooManySelectors
            | P::DuplicateHash => "fields",
            P::Section => "section",
            P::Syntax(_) | P::TagMissing(..) | P::TagUnexpected(_) => "syntax",
            P::InvalidJson | P::InvalidRecipe(_) => "recipe",
            P::Missing(_) | P::NotSigned => "sequence",
            P::Expired => "expired",
            P::Future => "future",
            P::MailFrom(_) => "mail_from",
            P::RcptTo(_) => "rcpt_to",
            P::NextAtTop | P::NextDomain | P::SenderDomain | P::CustodySender | P::CustodyDomain => "custody",
            P::HeaderHash(_) => "header_hash",
            P::BodyHash(_) => "body_hash",
            P::NoHashGroup => "hash",
            P::NullBody => "null_recipe",
            P::TooMuchWork | P::NoRoom => "too_large",
            P::From => "from",
            P::Key(..) => "key",
            P::HashUnknown(_) | P::AlgorithmUnknown(_) => "algorithm",
            P::Incorrect(_) | P::NoSignatureGroup => "signature",
            P::Replay => "replay",
        }
    }

    /// The draft's text, without the status.
    pub fn text(&self) -> String {
        use Problem as P;
        let (i, m) = (shown(self.place.hop), shown(self.place.instance));
        let of = |kind| match kind {
            Kind::Instance => format!("Message-Instance m={m}"),
            Kind::Signature => format!("DKIM2-Signature i={i}"),
        };
        let (instance, signature) = (of(Kind::Instance), of(Kind::Signature));
        let before = shown(self.place.hop.and_then(|hop| hop.checked_sub(1)));
        match &self.problem {
            P::TooMany => "Too many DKIM2 header fields".to_owned(),
            P::TooLarge(kind) => format!("{} is longer or lists more than is read", of(*kind)),
            P::TooManyKeys => "The chain names more keys than are asked for".to_owned(),
            P::Section => "The header section is malformed or too large".to_owned(),
            P::Syntax(kind) => format!("{} syntax error", of(*kind)),
            P::TagMissing(kind, tag) => format!("{} tag={tag} missing", of(*kind)),
            P::TagUnexpected(tag) => format!("{signature} tag={tag} was unexpected"),
            P::NextAtTop => format!("{signature} tag=nd was unexpected"),
            P::DuplicateHash => format!("{instance} has a duplicate hash algorithm"),
            P::InvalidJson => format!("{instance} contains invalid JSON"),
            P::InvalidRecipe(start) => format!("{instance} Recipe {start} is invalid"),
            P::DuplicateSelector => format!("{signature} has a duplicate selector"),
            P::TooManySelectors => format!("{signature} has more selectors than allowed"),
            P::Missing(kind) => format!("{} missing", of(*kind)),
            P::NotSigned => format!("{instance} is not signed"),
            P::Expired => format!("{signature} signature expired"),
            P::Future => format!("{signature} signature is from the future"),
            P::MailFrom(value) => format!("{signature} MAIL FROM {value} did not match"),
            P::RcptTo(value) => format!("{signature} RCPT TO {value} did not match"),
            P::SenderDomain => format!("{signature} MAIL FROM and d= do not match"),
            P::NextDomain => format!("{signature} nd= does not match"),
            P::CustodySender => format!("{signature} mf= does not match the rt= of i={before}"),
            P::CustodyDomain => format!("{signature} d= does not match the rt= of i={before}"),
            P::HashUnknown(name) => format!("{instance} algorithm {name} unknown"),
            P::HeaderHash(name) => format!("{instance} header hash {name} mismatch"),
            P::BodyHash(name) => format!("{instance} body hash {name} mismatch"),
            P::NoHashGroup => format!("{instance} no group of hashes passed"),
            P::NullBody => format!("{instance} has a null Recipe, earlier body hashes cannot be checked"),
            P::TooMuchWork => format!("{instance} earlier bodies are too large to be checked"),
            P::NoRoom => format!("{instance} earlier bodies cannot be checked now"),
            P::From => format!("{signature} matching From is not authentic"),
            P::Key(selector, problem) => format!("{signature} public key {selector} {}", problem.text()),
            P::AlgorithmUnknown(selector) => format!("{signature} selector {selector} algorithm unknown"),
            P::Incorrect(selector) => format!("{signature} selector {selector} incorrect signature"),
            P::NoSignatureGroup => format!("{signature} no group of signatures passed"),
            P::Replay => "Duplicate message with no exploded flag".to_owned(),
        }
    }
}

impl KeyProblem {
    fn text(self) -> &'static str {
        match self {
            KeyProblem::Unfetched => "could not be fetched",
            KeyProblem::Missing => "does not exist",
            KeyProblem::Several => "has multiple records",
            KeyProblem::Syntax => "has a syntax error",
            KeyProblem::Algorithm => "algorithm mismatch",
            KeyProblem::Revoked => "has been revoked",
            KeyProblem::Malformed => "is malformed",
        }
    }
}

/// With its status, as a reply of SMTP or a log shows it.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.status().as_str().to_ascii_uppercase(), self.text())
    }
}

/// A number of a field, or that it could not be read.
fn shown(number: Option<u32>) -> String {
    number.map_or_else(|| "?".to_owned(), |number| number.to_string())
}

/// Octets of a message as text that is safe in a reply: at most so many, printable ASCII, all else escaped.
pub(super) fn printable(octets: &[u8], most: usize) -> String {
    let mut text = String::new();
    for octet in octets.get(..most).unwrap_or(octets) {
        match octet {
            b' '..=b'~' => text.push(char::from(*octet)),
            _ => text.push_str(&format!("\\x{octet:02x}")),
        }
    }
    text
}
