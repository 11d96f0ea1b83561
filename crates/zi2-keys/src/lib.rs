//! Fetching and keeping keys: DNS look-ups and our own key files.
//!
//! It does input and output for the layers below, and decides nothing: which place is asked is [`zi2_trust::Ladder`]'s
//! word, what a record says is `zi2-sig`'s. Every look-up is paid from a [`Budget`].

mod budget;
mod dns;
mod files;
pub mod limits;
mod rotation;
mod search;

// asking
pub use budget::Budget;
pub use dns::{DnsError, DnsOptions, Resolver, ServerAnswer, Servers, TrustAd};
pub use search::{Documents, Search, answer, gather, policy};

// a world of data, for --world and tests
pub use dns::{FixedDns, FixedNode, FixedStatus};

// our own keys
pub use files::{
    Dkim2Key, DkimFile, DkimKind, NewDkimKey, check_dkim_table, create_dkim, load_dkim, load_dkim_file, load_dkim2,
    replace_dkim,
};
pub use files::{FileError, KeyPlace, Keyring, Seed, SeedError, Written, create, replace};

// one key after another
pub use rotation::{
    Entry, Gap, Proof, Queue, RecordPlace, Refusal, Rotation, RotationError, RotationFile, ServerWord, Settling, Stage,
    Step, Survey, Task, TextError,
};
