//! Every bound of the crate, each with its reason. Nothing here is a protocol constant; those live in `codec`.

use std::time::Duration;

/// Largest frame taken from the MTA, checked when its length is read and before anything is allocated.
/// The largest body chunk any version of the protocol knows is 1 MiB; 64 KiB is room for the rest.
pub const FRAME: usize = 1024 * 1024 + 64 * 1024;

/// Largest macro frame, which is also what one stage may keep: real ones are below 1 KiB.
pub const MACROS: usize = 64 * 1024;

/// Longest host name, address or HELO argument. SMTP command lines of Postfix end at 2,048 octets.
pub const CLIENT_TEXT: usize = 4096;

/// Header edits of one message. A hostile message can carry a thousand fields that all must be deleted.
pub const EDITS: usize = 4096;

/// Octets of all edits of one message: what one write may hold in memory.
pub const EDIT_OCTETS: usize = 1024 * 1024;

/// Longest header value we hand to an MTA: Postfix cuts a header near 60,000 octets when a milter is on.
pub const HEADER_VALUE: usize = 59_000;

/// Longest header name (RFC 5322 §2.1.1: a line is at most 998 octets; no real name comes near 256).
pub const HEADER_NAME: usize = 256;

/// Longest reply line we send to the client (RFC 5321 §4.5.3.1.5: 512 octets with CRLF).
pub const REPLY_LINE: usize = 510;

/// Read buffer of a new connection; a thousand silent peers then cost 4 MiB.
pub const BUFFER_FIRST: usize = 4096;

/// Size the read buffer grows to while a peer keeps it full; larger only for one larger frame.
pub const BUFFER_BUSY: usize = 128 * 1024;

/// Capacity kept in buffers that grew for one large frame or reply, once it is gone.
pub const BUFFER_KEPT: usize = 128 * 1024;

/// Time one frame may take from its first octet to its last, and an MTA to begin the negotiation.
pub const FRAME_TIME: Duration = Duration::from_secs(30);

/// Time between two commands of one message: Postfix allows an SMTP client 300 s between commands.
pub const COMMAND_TIME: Duration = Duration::from_secs(300);

/// Time between two messages of a connection: longer than an SMTP session may idle, so that the MTA closes first.
pub const IDLE_TIME: Duration = Duration::from_secs(600);

/// Time an answer at end of message may take: Postfix stops waiting after 300 s.
pub const END_TIME: Duration = Duration::from_secs(240);

/// Pause between two signs of life while an answer is awaited (Sendmail's read timeout is 10 s by default).
pub const PROGRESS_TIME: Duration = Duration::from_secs(5);

/// Time a peer may take to read our replies.
pub const WRITE_TIME: Duration = Duration::from_secs(30);

/// Time messages in flight get to finish after a request to stop.
pub const DRAIN_TIME: Duration = Duration::from_secs(30);

/// Connections at once; Postfix opens one per SMTP session and has 100 processes by default.
pub const CONNECTIONS: usize = 1000;

/// Time an evicted connection gets to leave before its successor is turned away.
pub const EVICTION_TIME: Duration = Duration::from_secs(1);

/// Silence inside a message after which a connection may be evicted for a new one.
pub const STALLED_TIME: Duration = Duration::from_secs(30);

/// Pause after accept failed for want of file descriptors or memory.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The bounds an operator may set; [`Limits::STANDARD`] are the constants of this module.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections at once, over all peers.
    pub connections: usize,
    /// Time for one frame, first octet to last.
    pub frame: Duration,
    /// Time between two commands of one message.
    pub command: Duration,
    /// Time between two messages of one connection.
    pub idle: Duration,
    /// Time for the answer at end of message.
    pub end_of_message: Duration,
    /// Time for messages in flight after a request to stop.
    pub drain: Duration,
}

impl Limits {
    /// The bounds for an ordinary mail server.
    pub const STANDARD: Limits = Limits {
        connections: CONNECTIONS,
        frame: FRAME_TIME,
        command: COMMAND_TIME,
        idle: IDLE_TIME,
        end_of_message: END_TIME,
        drain: DRAIN_TIME,
    };
}
