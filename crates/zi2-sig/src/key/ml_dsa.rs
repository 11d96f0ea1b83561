//! ML-DSA-44 (FIPS 204), pure and with a context string. aws-lc-rs has ML-DSA without contexts, so this is another library.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use ml_dsa::{B32, EncodedSignature, EncodedVerifyingKey, ExpandedSigningKey, MlDsa44, Signature, VerifyingKey};
use zeroize::Zeroizing;

use super::dkim_signing::pem;

/// A public key of ML-DSA-44. It is kept in the form that is published: ready to verify, it would take 20 KiB of a cache.
#[derive(Clone)]
pub(crate) struct MlDsaKey(EncodedVerifyingKey<MlDsa44>);

impl MlDsaKey {
    /// The key of 1312 octets.
    pub(crate) fn from_octets(octets: &[u8]) -> Option<MlDsaKey> {
        EncodedVerifyingKey::<MlDsa44>::try_from(octets).ok().map(MlDsaKey)
    }

    /// Whether `signature` is this key's over `message` in this context.
    pub(crate) fn verify(&self, message: &[u8], context: &[u8], signature: &[u8]) -> bool {
        let encoded = EncodedSignature::<MlDsa44>::try_from(signature).ok();
        let signature = encoded.and_then(|encoded| Signature::<MlDsa44>::decode(&encoded));
        let key = VerifyingKey::<MlDsa44>::decode(&self.0);
        signature.is_some_and(|signature| key.verify_with_context(message, context, &signature))
    }
}

impl fmt::Debug for MlDsaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MlDsaKey")
    }
}

/// A private key of ML-DSA-44. It can sign and say what to publish; it cannot be printed, cloned or read back.
pub struct MlDsaSigningKey(Box<ExpandedSigningKey<MlDsa44>>);

/// Octets of a signature.
pub(crate) const SIGNATURE_OCTETS: usize = 2420;

// RFC 9881 §6: PrivateKeyInfo { version 0, id-ml-dsa-44, OCTET STRING { ... } }; what is in it begins with the seed.
const SEED_ONLY: &[u8] = &[
    0x30, 0x34, 0x02, 0x01, 0x00, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x11, 0x04,
    0x22, 0x80, 0x20,
];
const SEED_AND_KEY: &[u8] = &[
    0x30, 0x82, 0x0a, 0x3e, 0x02, 0x01, 0x00, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03,
    0x11, 0x04, 0x82, 0x0a, 0x2a, 0x30, 0x82, 0x0a, 0x26, 0x04, 0x20,
];

/// Whether a PKCS#8 structure is said to hold a key of ML-DSA-44.
pub(super) fn is_ml_dsa(der: &[u8]) -> bool {
    const OID: &[u8] = &[0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x11];
    der.get(..32).is_some_and(|head| memchr::memmem::find(head, OID).is_some())
}

impl MlDsaSigningKey {
    /// The key of a seed (FIPS 204 §6.1).
    pub fn from_seed(seed: &[u8; 32]) -> MlDsaSigningKey {
        MlDsaSigningKey(Box::new(ExpandedSigningKey::from_seed(&B32::from(*seed))))
    }

    /// Reads a PKCS#8 PEM with the seed in it (RFC 9881): with or without the expanded key. Nothing for anything else.
    pub fn parse_file(octets: &[u8]) -> Option<MlDsaSigningKey> {
        let der = pem(std::str::from_utf8(octets).ok()?.trim(), "PRIVATE KEY")?;
        let rest = der.strip_prefix(SEED_ONLY).or_else(|| der.strip_prefix(SEED_AND_KEY))?;
        let seed: Zeroizing<[u8; 32]> = Zeroizing::new(rest.get(..32)?.try_into().ok()?);
        Some(MlDsaSigningKey::from_seed(&seed))
    }

    /// The TXT record that publishes the key.
    pub fn record(&self) -> String {
        format!("v=DKIM1; k=mldsa44; p={}", STANDARD.encode(self.0.verifying_key().encode()))
    }

    /// The hedged signature over `message` in this context, with randomness that is used once.
    pub(crate) fn sign(&self, message: &[u8], context: &[u8], random: [u8; 32]) -> Option<Vec<u8>> {
        // FIPS 204 §5.2: 0 for the pure form, then the length of the context
        let head = [0, u8::try_from(context.len()).ok()?];
        Some(self.0.sign_internal(&[&head, context, message], &B32::from(random)).encode().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &str = include_str!("../../../../vectors/dkim2/mldsa44.json");

    #[test]
    fn a_known_answer_and_our_own() {
        let known: serde_json::Value = serde_json::from_str(KNOWN).unwrap();
        let text = |name: &str| known[name].as_str().unwrap();
        let octets = |name: &str| STANDARD.decode(text(name)).unwrap();
        let (public, message) = (MlDsaKey::from_octets(&octets("pk")).unwrap(), octets("m"));
        assert!(public.verify(&message, b"DKIM2", &octets("s")));
        assert!(!public.verify(&message, b"", &octets("s")));
        assert!(!public.verify(&message, b"DKIM2", &octets("s_empty_context")));
        assert!(public.verify(&message, b"", &octets("s_empty_context")));
        for name in ["pkcs8_seed", "pkcs8_both"] {
            let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", text(name));
            let private = MlDsaSigningKey::parse_file(pem.as_bytes()).unwrap();
            assert_eq!(private.record(), format!("v=DKIM1; k=mldsa44; p={}", text("pk")), "{name}");
            let signature = private.sign(&message, b"DKIM2", [7; 32]).unwrap();
            assert_eq!(signature.len(), SIGNATURE_OCTETS);
            assert!(public.verify(&message, b"DKIM2", &signature) && !public.verify(&message, b"", &signature));
            assert!(!public.verify(b"another", b"DKIM2", &signature));
        }
        assert!(!public.verify(&message, b"DKIM2", b"") && !public.verify(&message, b"DKIM2", &[0; SIGNATURE_OCTETS]));
        // RFC 9881 §6: the expanded key alone, an OCTET STRING of 2560.
        let mut der = SEED_AND_KEY[..22].to_vec();
        der.extend([0x04, 0x82, 0x0a, 0x00]);
        der.extend([7; 2560]);
        let pem = super::super::pkcs8_pem_of(&der);
        assert!(MlDsaSigningKey::parse_file(pem.as_bytes()).is_none());
        let error = crate::dkim::DkimSigningKey::parse_file(pem.as_bytes()).err();
        assert_eq!(error, Some(crate::dkim::DkimKeyFileError::NoSeed));
        assert!(MlDsaSigningKey::parse_file(b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----").is_none());
    }
}
