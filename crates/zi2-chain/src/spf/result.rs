//! What SPF says about a message, and why.

use std::fmt;

use super::record::SpfSyntax;
use crate::dns::DnsName;

/// What one check found. It speaks for the domain of one identity and for no other name in the message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SpfResult {
    /// The result of RFC 7208 §2.6.
    pub verdict: SpfVerdict,
    /// Why.
    pub reason: SpfReason,
    /// Which identity was checked. DMARC aligns with [`SpfIdentity::MailFrom`], and with HELO for the null sender only.
    pub identity: SpfIdentity,
    /// The domain that was checked: letters, digits, hyphens, underscores and dots only, so that it can be written into a
    /// header field. `None` where the identity has no domain; then `verdict` is `None`.
    pub domain: Option<DnsName>,
    /// The domain whose record decided: another one after `redirect`, or inside of `include`. Text of strangers, but
    /// printable ASCII.
    pub decided_at: Option<DnsName>,
    /// The term that matched, as the record of `domain` (or what it redirects to) has it: visible ASCII.
    pub matched: Option<Box<str>>,
    /// Whether what matched lets nearly everybody pass: a network of more than a /16 (IPv4) or a /32 (IPv6), `all`, or an
    /// `exists` that does not look at the client. Such a pass says little about who sent the message.
    pub broad: bool,
    /// Terms that asked DNS (§4.6.4).
    pub lookups: usize,
    /// Those of them that DNS had nothing for.
    pub voids: usize,
    /// What the domain says to who is refused, if that was asked for: one line of printable ASCII, and text of strangers.
    pub explanation: Option<String>,
}

/// The results of RFC 7208 §2.6.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SpfVerdict {
    /// There is no domain or no record: nothing was said.
    None,
    /// The domain says nothing about this client.
    Neutral,
    /// The client may send for the domain.
    Pass,
    /// The client may not.
    Fail,
    /// The client probably may not.
    SoftFail,
    /// DNS did not answer; later it may.
    TempError,
    /// The record cannot be used until somebody changes it.
    PermError,
}

impl SpfVerdict {
    /// The word of RFC 7208 and RFC 8601 for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            SpfVerdict::None => "none",
            SpfVerdict::Neutral => "neutral",
            SpfVerdict::Pass => "pass",
            SpfVerdict::Fail => "fail",
            SpfVerdict::SoftFail => "softfail",
            SpfVerdict::TempError => "temperror",
            SpfVerdict::PermError => "permerror",
        }
    }
}

impl fmt::Display for SpfVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which name of the SMTP session was checked. Never both: a result for one must not be taken for the other.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SpfIdentity {
    /// The reverse-path of MAIL.
    MailFrom,
    /// HELO, since the reverse-path was null.
    Helo,
}

/// Why a check ended as it did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SpfReason {
    /// A mechanism matched.
    #[error("a mechanism matched")]
    Matched,
    /// No mechanism matched, and the record does not end in `all` or `redirect`.
    #[error("no mechanism matched")]
    NothingMatched,
    /// The identity has no domain: a literal, a single label, or an argument that SMTP does not have.
    #[error("the sender has no domain that could have a record")]
    NoDomain,
    /// The domain does not exist.
    #[error("the domain does not exist")]
    NoSuchDomain,
    /// The domain publishes no SPF record.
    #[error("the domain publishes no SPF record")]
    NoRecord,
    /// The domain publishes more than one.
    #[error("the domain publishes more than one SPF record; there must be one")]
    SeveralRecords,
    /// The record is no record of RFC 7208.
    #[error("{syntax} (term {term} of the record)")]
    Syntax {
        /// What is wrong.
        syntax: SpfSyntax,
        /// In which term, counted from 1; 0: the record as a whole.
        term: usize,
    },
    /// `include` or `redirect` leads to a name that has no record or cannot have one.
    #[error("include or redirect leads to a name without an SPF record")]
    TargetWithoutRecord,
    /// More than ten terms ask DNS.
    #[error("more than {} terms of the record ask DNS", crate::limits::SPF_LOOKUPS)]
    TooManyLookups,
    /// More than two terms ask for what is not there.
    #[error("more than {} terms of the record ask DNS for what is not there", crate::limits::SPF_VOIDS)]
    TooManyVoids,
    /// `mx` leads to more than ten hosts.
    #[error("mx leads to more than {} hosts", crate::limits::SPF_MX_HOSTS)]
    TooManyMailHosts,
    /// DNS did not answer, or was not asked to the end.
    #[error("DNS did not answer; try again later")]
    Dns,
}
