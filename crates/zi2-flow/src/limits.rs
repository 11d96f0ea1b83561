//! Every bound of this crate, with its reason.

/// DKIM signatures made on one message: verifiers try ten at most, and one of RSA takes a third of a millisecond.
pub const DKIM_SIGNATURES: usize = 4;
