//! The keys, ours and the same ones of the library alone.

use std::sync::Arc;

use aws_lc_rs::digest::{Digest, SHA256, digest};
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    ED25519, Ed25519KeyPair, KeyPair, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use zi2_mail::Domain;
use zi2_sig::SigningKey;
use zi2_sig::dkim::{DkimRecords, DkimSigningKey, Identity, Selector};

const RSA_PKCS8: &[u8] = include_bytes!("../../tests/dkim/keys/rsa2048-pkcs8.pem");
pub(crate) const SEED: [u8; 32] = [7; 32];

/// A key with all that is known of it before a message comes.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) identity: Identity,
    pub(crate) records: DkimRecords,
    public: ParsedPublicKey,
    floor: Floor,
}

enum Floor {
    Ed25519(Box<Ed25519KeyPair>),
    Rsa(Box<rsa::KeyPair>),
}

impl Key {
    pub(crate) fn all() -> [Key; 2] {
        [Key::rsa(), Key::ed25519()]
    }

    pub(crate) fn rsa() -> Key {
        let pair = rsa::KeyPair::from_pkcs8(&rsa_der()).unwrap();
        let public = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref()).unwrap();
        Key::of("RSA-2048", DkimSigningKey::parse_file(RSA_PKCS8).unwrap(), public, Floor::Rsa(Box::new(pair)))
    }

    pub(crate) fn ed25519() -> Key {
        let pair = Ed25519KeyPair::from_seed_unchecked(&SEED).unwrap();
        let public = ParsedPublicKey::new(&ED25519, pair.public_key().as_ref()).unwrap();
        let ours = SigningKey::from_seed(&SEED).unwrap().into();
        Key::of("Ed25519", ours, public, Floor::Ed25519(Box::new(pair)))
    }

    fn of(name: &'static str, key: DkimSigningKey, public: ParsedPublicKey, floor: Floor) -> Key {
        let records = DkimRecords::parse([key.record().as_bytes()]);
        let domain = Domain::parse("example.com").unwrap();
        let identity =
            Identity { domain, selector: Selector::parse("s2026").unwrap(), agent: None, key: Arc::new(key) };
        Key { name, identity, records, public, floor }
    }

    /// RFC 8463 §3: Ed25519 over the hash.
    pub(crate) fn floor_verify(&self, input: &[u8], signature: &[u8]) -> bool {
        let hash = digest(&SHA256, input);
        match self.floor {
            Floor::Ed25519(_) => self.public.verify_sig(hash.as_ref(), signature).is_ok(),
            Floor::Rsa(_) => self.public.verify_digest_sig(&hash, signature).is_ok(),
        }
    }

    pub(crate) fn floor_sign(&self, input: &[u8]) -> Vec<u8> {
        let hash: Digest = digest(&SHA256, input);
        match &self.floor {
            Floor::Ed25519(pair) => pair.sign(hash.as_ref()).as_ref().to_vec(),
            Floor::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign_digest(&RSA_PKCS1_SHA256, &hash, &mut signature).unwrap();
                signature
            }
        }
    }
}

/// The RSA key in PKCS#8.
pub(crate) fn rsa_der() -> Vec<u8> {
    let pem = std::str::from_utf8(RSA_PKCS8).unwrap();
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(base64).unwrap()
}
