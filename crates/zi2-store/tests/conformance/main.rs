//! What every backend does: one suite, run on the store in memory and on SQLite, by hand and against a model.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test")]

mod given;
mod history;
mod model;
mod properties;
mod replay;
