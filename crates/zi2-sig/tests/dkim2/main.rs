//! DKIM2 through the public surface: the vectors of independent programs, crafted chains, and properties.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test")]
#![allow(clippy::disallowed_methods, reason = "vectors are files")]

mod kit;
mod vectors;
