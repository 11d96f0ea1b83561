//! Canonical forms of RFC 6376 §3.4, for header fields and for bodies.
//!
//! Each form exists once, here. What is a line end is decided here too: CRLF only; a bare CR or LF is text.

mod body;
mod header;
mod lines;
mod runs;
mod squeezer;

pub use self::{
    body::BodyCanon,
    header::{HeaderCanon, relaxed_value},
};
pub(crate) use self::{
    header::is_relaxed,
    lines::{Ending, HeldLines},
    squeezer::{Squeezer, unchanged},
};
