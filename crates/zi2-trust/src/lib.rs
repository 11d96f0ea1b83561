//! Judgement: what we make of the facts. Levels, history, expectation, replay, and the words for them.
//!
//! Pure functions over facts and past. How keys travel and where history is kept is not known here: [`Ladder`] says which
//! place is asked next, [`Admission`] and [`Seen`] say what a store shall remember.

mod delegation;
mod explanation;
mod history;
mod judge;
mod ladder;
mod level;
pub mod limits;
mod policy;
mod reason;
pub mod render;
mod replay;
mod restoration;

// where keys come from
pub use ladder::{Ask, Dnssec, Findings, Held, Holdings, Ladder, PageName, Place, QueryName, Told, TxtAnswer};
pub use level::{Level, Submission};

// what was seen
pub use history::{HistoryPolicy, KeyHistory, Seen, Standing, advance, expects, standing};
pub use replay::{Admission, Admitted, Copies, ReplayMode, ReplayVerdict};

// on whose word
pub use delegation::{Delegation, NotDelegated, TrustedSealers};
pub use restoration::{Arrived, NotRestored, Restoration};

// what is expected
pub use policy::{Dmarc, PublishedPolicy};

// the judgement
pub use judge::{Circumstances, Judgement, Spoof, Verdict, judge};
pub use reason::{Explanation, Fault, Reason};
