//! SPF from outside: the openspf suite, the cases of the threat model, the limits, and any octets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test")]

mod any;
mod cases;
mod limits;
mod peer;
mod suite;
mod world;
