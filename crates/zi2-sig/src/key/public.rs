//! Public keys and strict verification; with `signing.rs` the only place that names a crypto library.

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::{Engine, engine::general_purpose::STANDARD};

use crate::hash::first_octets;

/// An Ed25519 public key as published: 32 octets, not yet known to be a good one.
/// Whether it is canonical and of large order is part of every verification, so a weak key can be held and never verifies.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PublicKey([u8; 32]);

/// Why a text is no public key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PublicKeyError {
    /// Not base64 of RFC 4648 §4.
    #[error("the key is not base64")]
    NotBase64,
    /// Base64, but of another number of octets.
    #[error("the key has {0} octets, an Ed25519 key has 32{hint}", hint = if *.0 == 44 { " (this is an ASN.1 SubjectPublicKeyInfo: publish only its last 32 octets)" } else { "" })]
    Length(usize),
}

impl PublicKey {
    /// The key of these octets.
    pub const fn from_octets(octets: [u8; 32]) -> PublicKey {
        PublicKey(octets)
    }

    /// Reads strict base64 of 32 octets. Refuses white space, missing padding and stray bits.
    pub fn from_base64(text: &[u8]) -> Result<PublicKey, PublicKeyError> {
        let octets = STANDARD.decode(text).map_err(|_| PublicKeyError::NotBase64)?;
        let length = octets.len();
        octets.try_into().map(PublicKey).map_err(|_| PublicKeyError::Length(length))
    }

    /// Base64 as it stands in `p=`.
    pub fn to_base64(self) -> String {
        STANDARD.encode(self.0)
    }

    /// The octets.
    pub fn as_octets(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether `signature` is this key's over `message`, by the strict rules of zi2.md §5: RFC 8032 §5.1.7 without the
    /// cofactor, S < L, canonical encodings of A and R, neither of small order.
    pub fn verify(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        let [a, r] = [self.0, first_octets(signature)];
        // The library recomputes R and compares encodings, so a non-canonical R never matches, and refuses S >= L.
        is_canonical(&a)
            && !is_small_order(&a)
            && !is_small_order(&r)
            && UnparsedPublicKey::new(&ED25519, &self.0).verify(message, signature).is_ok()
    }
}

/// RFC 8032 §5.1.3: y < p, and x = 0 has no sign. Written for the two y that have x = 0, 1 and -1.
fn is_canonical(point: &[u8; 32]) -> bool {
    let [low, middle @ .., high] = point;
    let y_below_p = *low < 0xed || high & 0x7f != 0x7f || middle.iter().any(|b| *b != 0xff);
    let signed_zero = high & 0x80 != 0
        && ((*low == 0x01 && *high == 0x80 && middle.iter().all(|b| *b == 0))
            || (*low == 0xec && *high == 0xff && middle.iter().all(|b| *b == 0xff)));
    y_below_p && !signed_zero
}

/// The five y coordinates of the eight points whose order divides 8, sign bit cleared: 0, 1, -1 and the two of order 8.
const SMALL_ORDER_Y: [[u8; 32]; 5] = [
    [0; 32],
    [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [
        0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
    ],
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf,
        0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20,
        0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
];

fn is_small_order(point: &[u8; 32]) -> bool {
    let mut y = *point;
    if let Some(high) = y.last_mut() {
        *high &= 0x7f;
    }
    SMALL_ORDER_Y.contains(&y)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_wrong_with_a_published_key() {
        assert_eq!(PublicKey::from_base64(b"AAAA"), Err(PublicKeyError::Length(3)));
        assert_eq!(PublicKey::from_base64(b"****"), Err(PublicKeyError::NotBase64));
        let spki = STANDARD.encode([0; 44]);
        assert!(PublicKey::from_base64(spki.as_bytes()).unwrap_err().to_string().contains("SubjectPublicKeyInfo"));
    }

    #[test]
    fn canonical_encodings() {
        let mut p = [0xff; 32];
        (p[0], p[31]) = (0xed, 0x7f); // y = p, which is 0 again
        assert!(!is_canonical(&p));
        p[0] = 0xec;
        assert!(is_canonical(&p));
        p[31] = 0xff; // -1 with a sign on x = 0
        assert!(!is_canonical(&p));
        let mut one = [0; 32];
        one[0] = 1;
        assert!(is_canonical(&one));
        one[31] = 0x80;
        assert!(!is_canonical(&one));
    }
}
