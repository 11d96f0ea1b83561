//! New DKIM keys, from the system's random numbers only (security.md K1).

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use zeroize::Zeroizing;
use zi2_sig::dkim::DkimSigningKey;
use zi2_sig::pkcs8_pem_of;

use super::seed::{Seed, SeedError};

/// The kind of a new key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DkimKind {
    /// RSA with 2048 bits, which every verifier knows. More do not fit one UDP answer, and some verifiers.
    Rsa,
    /// Ed25519 (RFC 8463).
    Ed25519,
}

/// A key that was read back as a signer reads it. It cannot be printed or copied, and is wiped when dropped.
pub struct NewDkimKey {
    pem: Zeroizing<String>,
    record: String,
}

impl NewDkimKey {
    /// A new key.
    pub fn generate(kind: DkimKind) -> Result<NewDkimKey, SeedError> {
        let pem = match kind {
            DkimKind::Ed25519 => Seed::from_system()?.pem(),
            DkimKind::Rsa => {
                let der = KeyPair::generate(KeySize::Rsa2048).and_then(|pair| pair.as_der());
                pkcs8_pem_of(der.map_err(|_| SeedError::SelfTest)?.as_ref())
            }
        };
        let key = DkimSigningKey::parse_file(pem.as_bytes()).map_err(|_| SeedError::SelfTest)?;
        Ok(NewDkimKey { record: key.record(), pem })
    }

    /// The TXT record that publishes it.
    pub fn record(&self) -> &str {
        &self.record
    }

    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }
}
