//! ARC from outside: the suite of the working group, the shape of chains, what handlers report, and any octets.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod any;
mod shape;
mod suite;
mod words;
mod world;
