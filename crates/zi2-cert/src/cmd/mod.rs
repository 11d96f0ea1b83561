//! One file per command.

pub(crate) mod explain;
mod input;
pub(crate) mod keygen;
pub(crate) mod sign;
pub(crate) mod verify;
