//! Private keys.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};

use super::PublicKey;
use crate::hash::first_octets;

/// An Ed25519 private key. It can sign and name its public key; it cannot be printed, cloned or read back.
// No Debug, no Clone, no accessor (security.md K4); the public key is always recomputed from the seed (K5).
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: PublicKey,
}

impl SigningKey {
    /// The key of a 32-octet seed (RFC 8032 §5.1.5); nothing if the library refuses it.
    pub fn from_seed(seed: &[u8; 32]) -> Option<SigningKey> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
        let public = PublicKey::from_octets(pair.public_key().as_ref().try_into().ok()?);
        Some(SigningKey { pair, public })
    }

    /// The public key.
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// The pure Ed25519 signature over `message` (RFC 8032 §5.1.6).
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        first_octets(self.pair.sign(message).as_ref())
    }
}
