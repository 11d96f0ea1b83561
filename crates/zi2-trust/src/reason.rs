//! Reason codes: a closed set, with for each who is at fault, a sentence for people, one for admins, and the remedy.

use zi2_sig::{Failure, Refusal, Trouble};

/// Why a result is what it is. The text form is stable: other programs match on it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs, reason = "each is explained in full by `Reason::explanation`")]
pub enum Reason {
    OkLocal,
    OkPeer,
    OkDns,
    OkHttps,
    OkReturned,
    OkRestoredDkim2,
    OkDelegatedArc,
    NoneAbsent,
    PolicyExpectedMissing,
    HeaderSyntax,
    HeaderDuplicate,
    HeaderMissingField,
    HeaderFromAmbiguous,
    HeaderVersion,
    HeaderUncovered,
    DomainMismatch,
    ClockFuture,
    ExpiredWindow,
    KeyNotFound,
    KeyUnauthorized,
    KeyRevoked,
    DnsTooMany,
    DnsTimeout,
    DnsServfail,
    DnsBogus,
    SignatureInvalid,
    TamperedBody,
    TamperedHeader,
    ReplayNonce,
    TenantLoginMismatch,
    MessageNotSmtp,
    KeyMissing,
    StoreUnavailable,
    InternalError,
}

/// Who can change it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Nobody is at fault.
    Nobody,
    /// The sender's side.
    Sender,
    /// Something between sender and receiver.
    Transport,
    /// The receiving host.
    Here,
}

/// What is said about a reason.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Explanation {
    /// One sentence for people.
    pub people: &'static str,
    /// One sentence for admins.
    pub admins: &'static str,
    /// What to do.
    pub remedy: &'static str,
    /// The paragraph that makes the rule.
    pub paragraph: &'static str,
    /// Who can change it.
    pub fault: Fault,
    /// Whether trying again later can change the result.
    pub retryable: bool,
}

impl Reason {
    /// Every reason, in the order of the manual page.
    pub const ALL: [Reason; 34] = [
        Reason::OkLocal,
        Reason::OkPeer,
        Reason::OkDns,
        Reason::OkHttps,
        Reason::OkReturned,
        Reason::OkRestoredDkim2,
        Reason::OkDelegatedArc,
        Reason::NoneAbsent,
        Reason::PolicyExpectedMissing,
        Reason::HeaderSyntax,
        Reason::HeaderDuplicate,
        Reason::HeaderMissingField,
        Reason::HeaderFromAmbiguous,
        Reason::HeaderVersion,
        Reason::HeaderUncovered,
        Reason::DomainMismatch,
        Reason::ClockFuture,
        Reason::ExpiredWindow,
        Reason::KeyNotFound,
        Reason::KeyUnauthorized,
        Reason::KeyRevoked,
        Reason::DnsTooMany,
        Reason::DnsTimeout,
        Reason::DnsServfail,
        Reason::DnsBogus,
        Reason::SignatureInvalid,
        Reason::TamperedBody,
        Reason::TamperedHeader,
        Reason::ReplayNonce,
        Reason::TenantLoginMismatch,
        Reason::MessageNotSmtp,
        Reason::KeyMissing,
        Reason::StoreUnavailable,
        Reason::InternalError,
    ];

    /// The code in headers, logs and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::OkLocal => "ok.local",
            Reason::OkPeer => "ok.peer",
            Reason::OkDns => "ok.dns",
            Reason::OkHttps => "ok.https",
            Reason::OkReturned => "ok.returned",
            Reason::OkRestoredDkim2 => "ok.restored.dkim2",
            Reason::OkDelegatedArc => "ok.delegated.arc",
            Reason::NoneAbsent => "none.absent",
            Reason::PolicyExpectedMissing => "policy.expected_missing",
            Reason::HeaderSyntax => "header.syntax",
            Reason::HeaderDuplicate => "header.duplicate",
            Reason::HeaderMissingField => "header.missing_field",
            Reason::HeaderFromAmbiguous => "header.from_ambiguous",
            Reason::HeaderVersion => "header.version",
            Reason::HeaderUncovered => "header.uncovered",
            Reason::DomainMismatch => "domain.mismatch",
            Reason::ClockFuture => "clock.future",
            Reason::ExpiredWindow => "expired.window",
            Reason::KeyNotFound => "key.not_found",
            Reason::KeyUnauthorized => "key.unauthorized",
            Reason::KeyRevoked => "key.revoked",
            Reason::DnsTooMany => "dns.too_many",
            Reason::DnsTimeout => "dns.timeout",
            Reason::DnsServfail => "dns.servfail",
            Reason::DnsBogus => "dns.bogus",
            Reason::SignatureInvalid => "signature.invalid",
            Reason::TamperedBody => "tampered.body",
            Reason::TamperedHeader => "tampered.header",
            Reason::ReplayNonce => "replay.nonce",
            Reason::TenantLoginMismatch => "tenant.login_mismatch",
            Reason::MessageNotSmtp => "message.not_smtp",
            Reason::KeyMissing => "key.missing",
            Reason::StoreUnavailable => "store.unavailable",
            Reason::InternalError => "internal.error",
        }
    }

    /// The reason of a code.
    pub fn parse(code: &str) -> Option<Reason> {
        Reason::ALL.into_iter().find(|reason| reason.as_str() == code)
    }
}

impl From<&Failure> for Reason {
    fn from(failure: &Failure) -> Reason {
        match failure {
            Failure::Syntax(_) => Reason::HeaderSyntax,
            Failure::Duplicate(_) => Reason::HeaderDuplicate,
            Failure::MissingField(_) => Reason::HeaderMissingField,
            Failure::FromAmbiguous => Reason::HeaderFromAmbiguous,
            Failure::Version => Reason::HeaderVersion,
            Failure::DomainMismatch => Reason::DomainMismatch,
            Failure::Uncovered(_) => Reason::HeaderUncovered,
            Failure::Future => Reason::ClockFuture,
            Failure::KeyNotFound => Reason::KeyNotFound,
            Failure::KeyUnauthorized => Reason::KeyUnauthorized,
            Failure::KeyRevoked => Reason::KeyRevoked,
            Failure::TooManyKeys => Reason::DnsTooMany,
            Failure::SignatureInvalid => Reason::SignatureInvalid,
        }
    }
}

impl From<Trouble> for Reason {
    fn from(trouble: Trouble) -> Reason {
        match trouble {
            Trouble::Timeout => Reason::DnsTimeout,
            Trouble::ServFail => Reason::DnsServfail,
            Trouble::Bogus => Reason::DnsBogus,
        }
    }
}

impl From<&Refusal> for Reason {
    fn from(refusal: &Refusal) -> Reason {
        match refusal {
            Refusal::Header(failure) => Reason::from(failure),
            Refusal::NotSmtp(_) => Reason::MessageNotSmtp,
            Refusal::Field(_) | Refusal::Digests => Reason::InternalError,
        }
    }
}
