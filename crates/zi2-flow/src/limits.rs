//! Every bound of this crate, with its reason.

/// DKIM signatures made on one message: verifiers try ten at most, and one of RSA takes a third of a millisecond.
pub const DKIM_SIGNATURES: usize = 4;

/// Octets of one body that are kept until the end: more than mail servers take at most by default (Postfix: 10,240,000
/// with the header section). Above it the changes of a DKIM2 chain are not undone.
pub const KEPT_BODY: usize = 16 * 1024 * 1024;

/// Octets of all bodies kept at once: a stranger chooses that a body is kept, and opens a thousand connections. Memory for
/// them may grow to twice as much.
pub const KEPT_TOGETHER: usize = 256 * 1024 * 1024;
