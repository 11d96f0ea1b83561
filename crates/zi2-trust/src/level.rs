//! The level of a certification by where its key came from (zi2.md §9): one table.

use zi2_sig::Origin;

use crate::Reason;

/// The draft's trust level.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Level {
    /// 0: no valid certification.
    Unknown,
    /// 1: key from DNS or HTTPS.
    Dns,
    /// 2: key from a direct exchange.
    Verified,
    /// 3: our own key, both domains hosted here, submitted here.
    Absolute,
}

impl Level {
    /// The number in headers and JSON.
    pub fn number(self) -> u8 {
        match self {
            Level::Unknown => 0,
            Level::Dns => 1,
            Level::Verified => 2,
            Level::Absolute => 3,
        }
    }
}

/// How a message with our own signature reached us.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Submission {
    /// From elsewhere. Every mail we ever sent out verifies with our own key when somebody sends it back in.
    Outside,
    /// Certified in this very transaction, or its nonce stands unconsumed in the log of issued nonces.
    Here,
}

/// Whether sender and at least one recipient are hosted here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum BothHosted {
    Yes,
    No,
}

/// The table.
pub(crate) fn level_of(origin: Origin, submission: Submission, both: BothHosted) -> (Level, Reason) {
    match (origin, submission, both) {
        (Origin::Local, Submission::Here, BothHosted::Yes) => (Level::Absolute, Reason::OkLocal),
        (Origin::Local, _, _) => (Level::Dns, Reason::OkReturned), // §9: level at most 1
        (Origin::Exchanged, _, _) => (Level::Verified, Reason::OkPeer),
        (Origin::Dns, _, _) => (Level::Dns, Reason::OkDns),
        (Origin::Https, _, _) => (Level::Dns, Reason::OkHttps),
    }
}
