//! DKIM2 through its public surface: the vectors of independent programs, crafted chains, and what must hold for any message.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::disallowed_methods,
    reason = "a test may fail by panic, and reads files"
)]

mod bounce;
mod bounds;
mod chains;
mod forge;
mod gaps;
mod kit;
mod properties;
mod signing;
mod vectors;
