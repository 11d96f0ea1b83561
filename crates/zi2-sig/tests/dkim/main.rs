//! DKIM through its public surface: vectors of others, examples of the RFCs, what must hold for any message.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::disallowed_methods,
    reason = "a test may fail by panic, and reads files"
)]

mod crafted;
mod forge;
mod kit;
mod properties;
mod rfc;
mod signing;
mod vectors;
