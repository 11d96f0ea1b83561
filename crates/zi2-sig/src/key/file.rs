//! The text of private key files. Opening them, and their modes and owners, is the business of `zi2-keys`.

use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::SigningKey;
use crate::limits;

/// Why the content of a file is no private key. It never quotes the content.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum KeyFileError {
    /// Longer than a key file can be.
    #[error("the file is too long for an Ed25519 private key")]
    TooLong,
    /// A PEM of something else.
    #[error("the file is a PEM, but not a PKCS#8 Ed25519 private key (openssl genpkey -algorithm ed25519 makes one)")]
    OtherPem,
    /// None of the forms we read.
    #[error("the file is neither a PKCS#8 PEM, nor base64 of a 32-octet seed, nor 32 raw octets")]
    Unknown,
}

// RFC 8410 §7: PrivateKeyInfo { version 0, id-Ed25519, OCTET STRING { OCTET STRING seed } }; the seed follows.
const PKCS8_PREFIX: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
/// Columns of a line of a PEM (RFC 7468 §2).
const PEM_COLUMNS: usize = 64;
const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

impl SigningKey {
    /// Reads a key file: PKCS#8 PEM, base64 of the seed (what dkimpy and rspamd use), or the raw seed.
    pub fn parse_file(octets: &[u8]) -> Result<SigningKey, KeyFileError> {
        if octets.len() > limits::KEY_FILE_OCTETS {
            return Err(KeyFileError::TooLong);
        }
        let seed = seed_of(octets)?;
        SigningKey::from_seed(&seed).ok_or(KeyFileError::Unknown)
    }
}

/// The PKCS#8 PEM of a seed, as `openssl pkey` reads it.
pub fn pkcs8_pem(seed: &[u8; 32]) -> Zeroizing<String> {
    pkcs8_pem_of(&Zeroizing::new([PKCS8_PREFIX.as_slice(), seed].concat()))
}

/// The PEM (RFC 7468) of a PKCS#8 structure.
pub fn pkcs8_pem_of(der: &[u8]) -> Zeroizing<String> {
    let base64 = Zeroizing::new(STANDARD.encode(der));
    let size = BEGIN.len() + END.len() + 3 + base64.len() + base64.len() / PEM_COLUMNS;
    // One allocation of the final size: a text that grows leaves copies of itself behind.
    let mut pem = Zeroizing::new(String::with_capacity(size));
    pem.push_str(BEGIN);
    for (place, c) in base64.char_indices() {
        if place.is_multiple_of(PEM_COLUMNS) {
            pem.push('\n');
        }
        pem.push(c);
    }
    pem.push('\n');
    pem.push_str(END);
    pem.push('\n');
    pem
}

fn seed_of(octets: &[u8]) -> Result<Zeroizing<[u8; 32]>, KeyFileError> {
    if let Ok(raw) = <[u8; 32]>::try_from(octets) {
        return Ok(Zeroizing::new(raw));
    }
    let text = std::str::from_utf8(octets).map_err(|_| KeyFileError::Unknown)?.trim();
    match text.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(END)) {
        Some(base64) => decode(base64)
            .and_then(|der| der.strip_prefix(&PKCS8_PREFIX).and_then(|seed| seed.get(..32)?.try_into().ok()))
            .map(Zeroizing::new)
            .ok_or(KeyFileError::OtherPem),
        None if text.starts_with("-----BEGIN") => Err(KeyFileError::OtherPem),
        None => decode(text)
            .and_then(|seed| seed.as_slice().try_into().ok())
            .map(Zeroizing::new)
            .ok_or(KeyFileError::Unknown),
    }
}

fn decode(base64: &str) -> Option<Zeroizing<Vec<u8>>> {
    let compact = Zeroizing::new(base64.split_ascii_whitespace().collect::<String>());
    STANDARD.decode(compact.as_bytes()).ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    // openssl genpkey -algorithm ed25519
    const OPENSSL: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";

    #[test]
    fn every_form_gives_the_same_key() {
        let key = SigningKey::parse_file(OPENSSL.as_bytes()).unwrap();
        // RFC 8410 §10.3: the public key of that very seed
        assert_eq!(key.public().to_base64(), "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=");
        let seed = seed_of(OPENSSL.as_bytes()).unwrap();
        for form in [pkcs8_pem(&seed).as_bytes().to_vec(), seed.to_vec(), STANDARD.encode(*seed).into_bytes()] {
            assert_eq!(SigningKey::parse_file(&form).unwrap().public(), key.public());
        }
        assert_eq!(pkcs8_pem(&seed).as_str(), OPENSSL);
    }

    #[test]
    fn anything_else_is_refused() {
        for (bad, why) in [
            (vec![b'A'; 5000], KeyFileError::TooLong),
            (b"-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----".to_vec(), KeyFileError::OtherPem),
            (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----".to_vec(), KeyFileError::OtherPem),
            (Vec::new(), KeyFileError::Unknown),
            (vec![0xff; 31], KeyFileError::Unknown),
        ] {
            assert_eq!(SigningKey::parse_file(&bad).err(), Some(why));
        }
    }
}
