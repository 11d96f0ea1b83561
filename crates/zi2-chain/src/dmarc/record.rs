//! A DMARC policy record: its tags, nothing of where it stands or what applies.

use crate::limits;

use super::tags::{Tags, Written, after_version};
use super::uri::{ReportUri, report_uris};

/// A DMARC policy record (RFC 9989 §4.7), or one of RFC 7489, whose `pct`, `rf` and `ri` say nothing any more.
///
/// Refuses text that does not begin with `v=DMARC1`, repeated tags, and sizes over the [`limits`]. Other errors of syntax
/// cost only the tag they are in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    p: Option<Policy>,
    sp: Option<Policy>,
    np: Option<Policy>,
    adkim: Alignment,
    aspf: Alignment,
    psd: Psd,
    testing: Testing,
    fo: Vec<FailureOption>,
    rua: Vec<ReportUri>,
    ruf: Vec<ReportUri>,
    force: Force,
}

/// What a domain owner asks for mail that fails.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Policy {
    /// Nothing.
    None,
    /// Treat it as suspicious.
    Quarantine,
    /// Do not accept it.
    Reject,
}

/// How alike an identifier and the author domain must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Alignment {
    /// The same organizational domain.
    Relaxed,
    /// The same domain.
    Strict,
}

/// What the record says of public suffixes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Psd {
    /// `psd=y`: the domain is a public suffix.
    Suffix,
    /// `psd=n`: the domain is an organizational domain.
    Organization,
    /// `psd=u`, or no such tag: the tree walk decides.
    Unsaid,
}

/// Whether the owner is still trying the policy out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Testing {
    /// `t=y`: apply the policy one level lower.
    On,
    /// `t=n`, or no such tag.
    Off,
}

/// When a failure report is wanted. Says nothing without `ruf`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FailureOption {
    /// `0`: nothing aligned and passed.
    NothingPassed,
    /// `1`: something did not align and pass.
    SomethingFailed,
    /// `d`: a DKIM signature failed.
    Dkim,
    /// `s`: SPF failed.
    Spf,
}

/// The tag a policy was taken from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PolicyTag {
    /// `p`: the domain itself, or no other tag applies.
    P,
    /// `sp`: a subdomain.
    Sp,
    /// `np`: a subdomain that does not exist.
    Np,
}

/// What can be done with a record, seen as a whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Force {
    /// Its policies hold.
    Full,
    /// A policy tag is invalid or `p` is missing, but reports are wanted.
    Monitor,
    /// The same, and nobody wants reports.
    Nil,
}

/// Why a record cannot be read. The fault is with the domain owner, who must publish another.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RecordError {
    /// It does not begin with exactly `v=DMARC1`.
    #[error("the record does not begin with v=DMARC1")]
    NotDmarc,
    /// It is longer than [`limits::DMARC_RECORD_OCTETS`].
    #[error("the record has {0} octets; at most 4096 are read")]
    TooLong(usize),
    /// It has more tags than [`limits::DMARC_TAGS`].
    #[error("the record has more than 32 tags")]
    TooManyTags,
    /// A tag stands in it twice.
    #[error("the record has a tag twice; readers would differ on which holds")]
    Duplicate,
}

impl Record {
    /// Reads a TXT record, its strings joined.
    ///
    /// ```
    /// use zi2_chain::dmarc::{Policy, PolicyTag, Record};
    ///
    /// let record = Record::parse(b"v=DMARC1; p=reject; sp=quarantine").unwrap();
    /// assert_eq!(record.policy(PolicyTag::Np), Some((PolicyTag::Sp, Policy::Quarantine)));
    /// assert!(Record::parse(b"v=dmarc1; p=reject").is_err());
    /// ```
    ///
    /// # Errors
    /// [`RecordError`] says what is wrong with the record as a whole.
    pub fn parse(txt: &[u8]) -> Result<Record, RecordError> {
        let rest = after_version(txt).ok_or(RecordError::NotDmarc)?;
        if txt.len() > limits::DMARC_RECORD_OCTETS {
            return Err(RecordError::TooLong(txt.len()));
        }
        let tags = Tags::parse(rest)?;
        let [p, sp, np] = ["p", "sp", "np"].map(|name| tags.policy(name));
        let rua = report_uris(tags.get("rua").unwrap_or_default());
        Ok(Record {
            force: force([p, sp, np], !rua.is_empty()),
            p: p.valid(),
            sp: sp.valid(),
            np: np.valid(),
            adkim: tags.alignment("adkim"),
            aspf: tags.alignment("aspf"),
            psd: tags.psd(),
            testing: if tags.is("t", "y") { Testing::On } else { Testing::Off },
            fo: tags.failure_options(),
            rua,
            ruf: report_uris(tags.get("ruf").unwrap_or_default()),
        })
    }

    /// The policy for a domain that a tag is meant for, and the tag it was really taken from. `None`: the record has no
    /// valid policy and DMARC does not apply.
    #[must_use]
    pub fn policy(&self, wanted: PolicyTag) -> Option<(PolicyTag, Policy)> {
        let p = (PolicyTag::P, self.p.unwrap_or(Policy::None));
        // § RFC 9989 §4.7, np: without np it is sp that counts, and without both p
        let sp = self.sp.map_or(p, |policy| (PolicyTag::Sp, policy));
        match (self.force, wanted) {
            (Force::Nil, _) => None,
            (Force::Monitor, _) => Some((PolicyTag::P, Policy::None)),
            (Force::Full, PolicyTag::P) => Some(p),
            (Force::Full, PolicyTag::Sp) => Some(sp),
            (Force::Full, PolicyTag::Np) => Some(self.np.map_or(sp, |policy| (PolicyTag::Np, policy))),
        }
    }

    /// How alike a DKIM signing domain must be.
    #[must_use]
    pub fn adkim(&self) -> Alignment {
        self.adkim
    }

    /// How alike the SPF domain must be.
    #[must_use]
    pub fn aspf(&self) -> Alignment {
        self.aspf
    }

    /// What it says of public suffixes.
    #[must_use]
    pub fn psd(&self) -> Psd {
        self.psd
    }

    /// Whether the policy is still being tried out.
    #[must_use]
    pub fn testing(&self) -> Testing {
        self.testing
    }

    /// When failure reports are wanted, in the order written.
    #[must_use]
    pub fn failure_options(&self) -> &[FailureOption] {
        &self.fo
    }

    /// Where aggregate reports go.
    #[must_use]
    pub fn rua(&self) -> &[ReportUri] {
        &self.rua
    }

    /// Where failure reports go.
    #[must_use]
    pub fn ruf(&self) -> &[ReportUri] {
        &self.ruf
    }
}

impl Policy {
    /// The word of the record: `none`, `quarantine` or `reject`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Policy::None => "none",
            Policy::Quarantine => "quarantine",
            Policy::Reject => "reject",
        }
    }

    /// One level lower, as a policy under test is applied.
    #[must_use]
    pub const fn lower(self) -> Policy {
        match self {
            Policy::None | Policy::Quarantine => Policy::None,
            Policy::Reject => Policy::Quarantine,
        }
    }
}

/// § RFC 9989 §4.10.1: a record without a valid `p`, or with an invalid `sp` or `np`, is `p=none` if it has a valid
/// reporting URI; "Otherwise, the Mail Receiver applies no DMARC processing to this message".
fn force([p, sp, np]: [Written; 3], reports: bool) -> Force {
    let sound = p.valid().is_some() && sp != Written::Invalid && np != Written::Invalid;
    match (sound, reports) {
        (true, _) => Force::Full,
        (false, true) => Force::Monitor,
        (false, false) => Force::Nil,
    }
}
