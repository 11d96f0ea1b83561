//! Public keys of DKIM (RFC 6376, RFC 8463): RSA and Ed25519, read once and then cheap to hold and to use.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{Digest, SHA256, digest};
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY};
use base64::{Engine, engine::general_purpose::STANDARD};

use super::{PublicKey, der};
use crate::limits;

/// A DKIM public key, ready to verify. It is cheap to clone, so that a cache can keep it and hand it out.
#[derive(Clone)]
pub struct DkimKey(Kind);

#[derive(Clone)]
enum Kind {
    Ed25519(PublicKey),
    Rsa(Arc<Rsa>),
}

struct Rsa {
    bits: u32,
    /// Nothing for a key that is too short to verify with.
    key: Option<ParsedPublicKey>,
}

/// Why octets are no key we verify with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DkimKeyError {
    /// Not base64 of RFC 4648 §4.
    #[error("the key is not base64")]
    NotBase64,
    /// Not the DER of an RSA public key.
    #[error("the key is neither a SubjectPublicKeyInfo nor an RSAPublicKey of RSA")]
    NotRsa,
    /// Not 32 octets.
    #[error("the key has {0} octets, an Ed25519 key has 32")]
    NotEd25519(usize),
    /// A larger RSA key than we verify with: a signature would cost too much.
    #[error("the RSA key has {0} bits, at most {max} are used", max = limits::RSA_MAX_BITS)]
    TooLong(u32),
    /// An RSA exponent that is even, 1, or longer than 32 bits.
    #[error("the RSA key has an exponent that is even, 1 or over 32 bits")]
    Exponent,
}

impl DkimKey {
    /// Reads `p=` of an RSA key: base64 of a SubjectPublicKeyInfo or an RSAPublicKey. A key that is too short is read, and
    /// verifies nothing.
    ///
    /// # Errors
    /// [`DkimKeyError`], before any arithmetic with the key.
    pub fn rsa_from_base64(text: &[u8]) -> Result<DkimKey, DkimKeyError> {
        let octets = STANDARD.decode(text).map_err(|_| DkimKeyError::NotBase64)?;
        let public = der::rsa_public(&octets).ok_or(DkimKeyError::NotRsa)?;
        if public.bits > limits::RSA_MAX_BITS {
            return Err(DkimKeyError::TooLong(public.bits));
        }
        if !is_sound(public.exponent) {
            return Err(DkimKeyError::Exponent);
        }
        let algorithm = &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY;
        let key = match public.bits < limits::RSA_MIN_BITS {
            true => None,
            false => Some(ParsedPublicKey::new(algorithm, public.der).map_err(|_| DkimKeyError::NotRsa)?),
        };
        Ok(DkimKey(Kind::Rsa(Arc::new(Rsa { bits: public.bits, key }))))
    }

    /// Reads `p=` of an Ed25519 key: base64 of 32 octets (RFC 8463 §4).
    ///
    /// # Errors
    /// [`DkimKeyError`].
    pub fn ed25519_from_base64(text: &[u8]) -> Result<DkimKey, DkimKeyError> {
        let octets = STANDARD.decode(text).map_err(|_| DkimKeyError::NotBase64)?;
        let length = octets.len();
        let octets = octets.try_into().map_err(|_| DkimKeyError::NotEd25519(length))?;
        Ok(DkimKey(Kind::Ed25519(PublicKey::from_octets(octets))))
    }

    /// Bits of the modulus of an RSA key, 256 for Ed25519.
    pub fn bits(&self) -> u32 {
        match &self.0 {
            Kind::Ed25519(_) => 256,
            Kind::Rsa(rsa) => rsa.bits,
        }
    }

    /// Whether this is an RSA key.
    pub fn is_rsa(&self) -> bool {
        matches!(self.0, Kind::Rsa(_))
    }

    /// Whether `signature` is this key's over octets of this hash: RSASSA-PKCS1-v1_5 with SHA-256, or Ed25519 over the hash
    /// itself (RFC 8463 §3), by the strict rules of [`PublicKey::verify`].
    pub(crate) fn verify(&self, hash: &InputHash, signature: &[u8]) -> bool {
        match &self.0 {
            Kind::Ed25519(key) => signature.try_into().is_ok_and(|signature| key.verify(hash.0.as_ref(), signature)),
            Kind::Rsa(rsa) => rsa.key.as_ref().is_some_and(|key| key.verify_digest_sig(&hash.0, signature).is_ok()),
        }
    }
}

impl fmt::Debug for DkimKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DkimKey({} {})", if self.is_rsa() { "rsa" } else { "ed25519" }, self.bits())
    }
}

/// Odd, from 3, within 32 bits: 65537, 3 and 17 are in use; larger ones only cost time.
fn is_sound(exponent: &[u8]) -> bool {
    exponent.len() <= limits::RSA_EXPONENT_OCTETS && exponent != [1] && exponent.last().is_some_and(|low| low % 2 == 1)
}

/// SHA-256 of the octets a signature is over.
#[derive(Clone)]
pub(crate) struct InputHash(Digest);

impl InputHash {
    pub(crate) fn of(octets: &[u8]) -> InputHash {
        InputHash(digest(&SHA256, octets))
    }

    /// A hash made elsewhere, which must be SHA-256.
    pub(crate) fn from_digest(digest: Digest) -> InputHash {
        InputHash(digest)
    }

    pub(super) fn digest(&self) -> &Digest {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The DER of a key whose modulus has that many bits, all ones.
    fn public(bits: usize, exponent: &[u8]) -> String {
        let mut modulus = vec![0xff; bits.div_ceil(8)];
        modulus[0] >>= (8 - bits % 8) % 8;
        modulus.insert(0, 0);
        let parts = [der::wrap(der::INTEGER, &modulus), der::wrap(der::INTEGER, exponent)].concat();
        STANDARD.encode(der::wrap(der::SEQUENCE, &parts))
    }

    #[test]
    fn sizes_at_and_beyond_the_limits() {
        let read = |bits: u32| DkimKey::rsa_from_base64(public(bits as usize, &[1, 0, 1]).as_bytes());
        for (bits, expected) in [
            (512, Ok(512)),
            (limits::RSA_MIN_BITS - 1, Ok(limits::RSA_MIN_BITS - 1)),
            (limits::RSA_MAX_BITS + 1, Err(DkimKeyError::TooLong(limits::RSA_MAX_BITS + 1))),
            (16_384, Err(DkimKeyError::TooLong(16_384))),
        ] {
            assert_eq!(read(bits).map(|key| key.bits()), expected, "{bits}");
        }
        let short = read(512).unwrap();
        assert!(!short.verify(&InputHash::of(b""), &[0; 64]));
    }

    #[test]
    fn exponents() {
        let read = |exponent: &[u8]| DkimKey::rsa_from_base64(public(768, exponent).as_bytes());
        for good in [[3].as_slice(), &[17], &[1, 0, 1], &[0, 0xff, 0xff, 0xff, 0xff]] {
            assert!(read(good).is_ok(), "{good:?}");
        }
        for bad in [[1].as_slice(), &[2], &[1, 0, 0], &[1, 0, 0, 0, 1]] {
            assert_eq!(read(bad).err(), Some(DkimKeyError::Exponent), "{bad:?}");
        }
    }

    #[test]
    fn what_is_no_key() {
        for (text, why) in
            [(b"*".as_slice(), DkimKeyError::NotBase64), (b"AAAA", DkimKeyError::NotRsa), (b"", DkimKeyError::NotRsa)]
        {
            assert_eq!(DkimKey::rsa_from_base64(text).err(), Some(why));
        }
        assert_eq!(DkimKey::ed25519_from_base64(b"AAAA").err(), Some(DkimKeyError::NotEd25519(3)));
        assert_eq!(DkimKey::ed25519_from_base64(b"*").err(), Some(DkimKeyError::NotBase64));
    }
}
