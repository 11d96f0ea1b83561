//! The public surface against real files, real sockets and fixed worlds.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::cast_possible_truncation,
    reason = "a test stops at its first surprise"
)]

mod authority;
mod dkim;
mod files;
mod lies;
mod limits;
mod rotation;
mod search;
mod server;
mod zone;
