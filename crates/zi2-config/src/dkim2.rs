//! DKIM2 signing: where, with what, and what is kept for it.
//!
//! Which keys sign whom is DKIM's to say (`crate::dkim`), beside those that only DKIM2 knows.

use std::path::PathBuf;
use std::time::Duration;

use zi2_sig::dkim2::{Draft, Flag, HashChoice};

use crate::listen::Listen;

/// The name, `milter_macro_daemon_name` in Postfix, of the service by which only mail of ours comes back from the queue. The
/// same that administrators give to submission.
pub const ORIGINATING: &str = "ORIGINATING";

/// `[dkim2]`
#[derive(Clone, PartialEq, Debug)]
pub struct Dkim2 {
    /// Whether outgoing mail is signed.
    pub sign: bool,
    /// Where mail comes with the envelope it is sent with; empty: the egress listeners see it.
    pub listen: Vec<Listen>,
    /// The directory of keys that sign nothing else.
    pub dir: PathBuf,
    /// With what messages are hashed.
    pub hashes: HashChoice,
    /// The draft that is followed.
    pub draft: Draft,
    /// What happens to a message with hidden recipients.
    pub hidden: Hidden,
    /// What each signature says of feedback.
    pub feedback: Option<Flag>,
    /// Whether each further signature says that there may be more copies.
    pub exploded: bool,
    /// Whether forwarded mail is signed, too.
    pub forward: bool,
    /// What is done about bounces.
    pub bounces: Bounces,
    /// Where incoming messages are kept for that.
    pub snapshots: SnapshotPlace,
}

impl Dkim2 {
    /// Whether the egress listeners make the signatures.
    pub fn signs_on_egress(&self) -> bool {
        self.sign && self.listen.is_empty()
    }

    /// Whether bounces are signed and checked.
    pub fn knows_bounces(&self) -> bool {
        self.sign && self.bounces != Bounces::Off
    }

    /// Where incoming messages are kept, if they are.
    pub fn keeps(&self) -> Option<&SnapshotPlace> {
        (self.sign && self.forward).then_some(&self.snapshots)
    }
}

/// What happens to a message for several recipients, one of whom stands in neither To nor Cc.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hidden {
    /// It goes out unsigned.
    Skip,
    /// All recipients are named to each.
    Sign,
}

/// What is done about bounces.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bounces {
    /// Nothing.
    Off,
    /// Those made here are signed, those that come in are checked.
    Check,
    /// The same, and forged ones are refused.
    Reject,
}

/// Where incoming messages are kept, and how many of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SnapshotPlace {
    /// The directory.
    pub dir: PathBuf,
    /// For how long.
    pub expiry: Duration,
    /// Octets of all together.
    pub octets: u64,
}
