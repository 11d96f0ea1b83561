//! The daemon's messages through the milter protocol, with a mail server's side that applies edits as Postfix does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test")]

mod cases;
mod chain;
mod dkim;
mod dkim2;
mod dkim2_bounces;
mod dkim2_hops;
mod dkim2_replay;
mod faults;
mod forged;
mod kit;
mod process;
mod tenants;
mod vectors;
