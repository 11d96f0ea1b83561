//! What the signatures of a message that leaves are called in log and figures.

use zi2_flow::Dkim2Unsigned;
use zi2_trust::Reason;

/// What DKIM did with a message on egress.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum DkimSigned {
    /// Mail is not signed here, or this message is not ours to sign.
    NotAsked,
    /// So many signatures were made.
    Signed(usize),
    /// None was made.
    Unsigned(Reason),
}

impl DkimSigned {
    /// Result and reason, as counted; nothing where nothing was asked.
    pub(super) fn words(self) -> Option<(&'static str, &'static str)> {
        match self {
            DkimSigned::NotAsked => None,
            DkimSigned::Signed(_) => Some(("signed", "ok")),
            DkimSigned::Unsigned(reason) => Some(("skipped", reason.as_str())),
        }
    }

    pub(super) fn count(self) -> Option<usize> {
        match self {
            DkimSigned::Signed(count) => Some(count),
            DkimSigned::NotAsked | DkimSigned::Unsigned(_) => None,
        }
    }
}

/// What was signed on egress beside the certification.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Signatures {
    /// DKIM.
    pub(crate) dkim: DkimSigned,
    /// DKIM2, where it is signed before the queue.
    pub(crate) dkim2: Dkim2Signed,
}

/// What DKIM2 did with a message that leaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Dkim2Signed {
    /// Mail is not signed here, or this message is not ours to sign.
    NotAsked,
    /// It has a first hop now.
    First,
    /// It has a further one.
    Further,
    /// It is a bounce of the mail server, and signed.
    Bounce,
    /// Nothing was added.
    Unsigned(Dkim2Unsigned),
}

impl Dkim2Signed {
    /// Result and reason, as counted; nothing where nothing was asked.
    pub(super) fn words(self) -> Option<(&'static str, &'static str)> {
        match self {
            Dkim2Signed::NotAsked => None,
            Dkim2Signed::First => Some(("signed", "first")),
            Dkim2Signed::Further => Some(("signed", "further")),
            Dkim2Signed::Bounce => Some(("signed", "bounce")),
            Dkim2Signed::Unsigned(reason) => Some(("skipped", reason.as_str())),
        }
    }

    /// What the operator can do about it.
    pub(super) fn advice(self) -> Option<&'static str> {
        match self {
            Dkim2Signed::Unsigned(reason) if reason != Dkim2Unsigned::Absent => Some(reason.advice()),
            _ => None,
        }
    }
}
