//! What the benches of several crates share: how they are called, how they measure, the mail they measure with.
#![allow(dead_code, reason = "each bench uses a part of it")]

pub(crate) mod corpus;
pub(crate) mod options;
pub(crate) mod race;
pub(crate) mod report;
pub(crate) mod sequence;
