//! Private keys of DKIM, and the text of their files.

use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::dkim::InputHash;
use super::ml_dsa::is_ml_dsa;
use super::{SigningKey, der};
use crate::limits;

/// A DKIM private key, RSA or Ed25519. It can sign and say what to publish; it cannot be printed, cloned or read back.
// No Debug, no Clone, no accessor (security.md K4).
pub struct DkimSigningKey(Kind);

enum Kind {
    Ed25519(Box<SigningKey>),
    Rsa(Box<KeyPair>),
}

/// Why the content of a file is no DKIM private key. It never quotes the content.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DkimKeyFileError {
    /// Longer than a key file can be.
    #[error("the file is too long for a private key")]
    TooLong,
    /// Protected by a passphrase.
    #[error("the private key is encrypted; a daemon cannot ask for its passphrase (openssl pkey removes it)")]
    Encrypted,
    /// An RSA key that is shorter than a signer may use.
    #[error("the RSA key has {0} bits; sign with 2048 or more (RFC 8301)")]
    ShortRsa(u32),
    /// An ML-DSA key of which only the expanded form is there.
    #[error("the ML-DSA key comes without its seed (RFC 9881 calls this form expandedKey); write it with the seed")]
    NoSeed,
    /// A PEM of something else, or a damaged one.
    #[error("the file is a PEM, but not an RSA or Ed25519 private key in PKCS#8 or PKCS#1 form")]
    OtherPem,
    /// None of the forms we read.
    #[error("the file is neither a PEM nor an Ed25519 seed")]
    Unknown,
}

impl DkimSigningKey {
    /// Reads a key file: PEM in PKCS#8 (RSA, Ed25519) or PKCS#1 (RSA) form, base64 of an Ed25519 seed, or the raw seed.
    ///
    /// # Errors
    /// [`DkimKeyFileError`]; also for RSA keys that are too short to sign with.
    pub fn parse_file(octets: &[u8]) -> Result<DkimSigningKey, DkimKeyFileError> {
        if octets.len() > limits::DKIM_KEY_FILE_OCTETS {
            return Err(DkimKeyFileError::TooLong);
        }
        let text = std::str::from_utf8(octets).unwrap_or_default().trim();
        if !text.starts_with("-----BEGIN") {
            return ed25519(octets).ok_or(DkimKeyFileError::Unknown);
        }
        if text.contains("ENCRYPTED") {
            return Err(DkimKeyFileError::Encrypted);
        }
        match (pem(text, "RSA PRIVATE KEY"), pem(text, "PRIVATE KEY")) {
            (Some(der), _) => rsa(&der, KeyPair::from_der),
            (None, Some(der)) if der::rsa_private_bits(&der).is_some() => rsa(&der, KeyPair::from_pkcs8),
            (None, Some(der)) if is_ml_dsa(&der) => Err(DkimKeyFileError::NoSeed),
            _ => ed25519(octets).ok_or(DkimKeyFileError::OtherPem),
        }
    }

    /// The TXT record that publishes the key (RFC 6376 §3.6.1).
    pub fn record(&self) -> String {
        match &self.0 {
            Kind::Ed25519(key) => format!("v=DKIM1; k=ed25519; p={}", key.public().to_base64()),
            Kind::Rsa(key) => {
                format!("v=DKIM1; k=rsa; p={}", STANDARD.encode(der::spki_of(key.public_key().as_ref())))
            }
        }
    }

    /// Whether this is an RSA key.
    pub fn is_rsa(&self) -> bool {
        matches!(self.0, Kind::Rsa(_))
    }

    /// Octets of a signature.
    pub(crate) fn signature_octets(&self) -> usize {
        match &self.0 {
            Kind::Ed25519(_) => 64,
            Kind::Rsa(key) => key.public_modulus_len(),
        }
    }

    /// The signature over octets of this hash; nothing if the library fails.
    pub(crate) fn sign(&self, hash: &InputHash) -> Option<Vec<u8>> {
        match &self.0 {
            // RFC 8463 §3: PureEdDSA over the hash.
            Kind::Ed25519(key) => Some(key.sign(hash.digest().as_ref()).to_vec()),
            Kind::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign_digest(&RSA_PKCS1_SHA256, hash.digest(), &mut signature).ok()?;
                Some(signature)
            }
        }
    }
}

impl From<SigningKey> for DkimSigningKey {
    fn from(key: SigningKey) -> DkimSigningKey {
        DkimSigningKey(Kind::Ed25519(Box::new(key)))
    }
}

fn ed25519(octets: &[u8]) -> Option<DkimSigningKey> {
    SigningKey::parse_file(octets).ok().map(DkimSigningKey::from)
}

fn rsa<E>(der: &[u8], read: impl Fn(&[u8]) -> Result<KeyPair, E>) -> Result<DkimSigningKey, DkimKeyFileError> {
    match der::rsa_private_bits(der) {
        Some(bits) if bits < limits::RSA_SIGN_BITS => Err(DkimKeyFileError::ShortRsa(bits)),
        _ => {
            let key = read(der).map_err(|_| DkimKeyFileError::OtherPem)?;
            Ok(DkimSigningKey(Kind::Rsa(Box::new(key))))
        }
    }
}

/// The octets of a PEM (RFC 7468) with this label.
pub(super) fn pem(text: &str, label: &str) -> Option<Zeroizing<Vec<u8>>> {
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let base64 = text.strip_prefix(&begin)?.strip_suffix(&end)?;
    // One allocation of the final size: a text that grows leaves copies of itself behind.
    let mut compact = Zeroizing::new(String::with_capacity(base64.len()));
    base64.split_ascii_whitespace().for_each(|line| compact.push_str(line));
    STANDARD.decode(compact.as_bytes()).ok().map(Zeroizing::new)
}
