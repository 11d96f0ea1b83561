//! DKIM2, beside mail-auth.

mod bench;
pub(crate) mod house;

pub(crate) use bench::tables;
