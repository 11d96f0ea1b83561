//! Canonical forms of RFC 6376 §3.4, for header fields and for bodies.
//!
//! Each form exists once, here. What is a line end is decided here too: CRLF only; a bare CR or LF is text.

mod body;
mod header;

pub(crate) use self::body::{Ending, HeldLines, Squeezer, unchanged};
pub use self::{
    body::BodyCanon,
    header::{HeaderCanon, relaxed_value},
};
