//! The milter protocol, version 6 (and down to 2): codec, session and server. It knows mail servers and nothing else:
//! no DNS, no signatures, no policy; and it has no way to replace a body, to touch an envelope, or to send the shutdown
//! reply that makes Postfix lose mail.
//!
//! Three layers, each usable alone: the codec turns octets into values; a [`Session`] keeps the order of one
//! connection, without I/O; [`serve`] runs sessions on sockets for one [`Message`] type. [`client`] is the other side.

pub mod client;
mod codec;
pub mod limits;
mod negotiation;
mod server;
mod session;

pub use codec::{
    Actions, ClientAddress, Command, CommandKind, Connect, EditError, Edits, Envelope, FrameError, FrameReader,
    HeaderName, HeaderValue, MacroFrame, MacroStage, Malformed, OptNeg, Outcome, Protocol, Reason, Reply, ReplyCode,
    TextError, Verdict,
};
pub use limits::Limits;
pub use negotiation::{LeadingSpace, Negotiated, NegotiationError, SymbolStage, Unwanted, Wishes};
pub use server::{Inherited, Listener, Message, Next, Opening, Peer, Service, Stats, serve};
pub use session::{Event, Macros, ProtocolError, ReplyError, Seen, Session, State};
