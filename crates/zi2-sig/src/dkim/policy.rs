//! What an operator may choose about signatures of others.

use crate::limits;

/// An operator's choices. None of them makes a signature pass that does not verify.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Policy {
    /// Bits of an RSA key below which a signature is not accepted; below [`limits::RSA_MIN_BITS`] none is.
    pub rsa_bits: u32,
    /// What a signature is whose `l=` leaves a part of the body unsigned.
    pub uncovered: Uncovered,
}

/// What to do about `l=` (RFC 6376 §8.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Uncovered {
    /// Anybody may have written the rest: `policy`.
    Refuse,
    /// A pass; the facts say how much is unsigned.
    Accept,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy { rsa_bits: limits::RSA_MIN_BITS, uncovered: Uncovered::Refuse }
    }
}
