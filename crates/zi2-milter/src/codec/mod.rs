//! The wire: frames, commands of the MTA and our replies, as values. It does no I/O and keeps no order.

mod command;
mod edit;
mod flags;
mod frame;
mod reply;

pub use command::{ClientAddress, Command, CommandKind, Connect, Envelope, MacroFrame, MacroStage, Malformed, OptNeg};
pub use edit::{EditError, Edits, HeaderName, HeaderValue};
pub use flags::{Actions, Protocol};
pub use frame::{FrameError, FrameReader};
pub use reply::{Outcome, Reason, Reply, ReplyCode, TextError, Verdict};

pub(crate) use command::{cut, pairs};
pub(crate) use frame::write_frame;
