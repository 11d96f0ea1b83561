//! A private key that stands in a KeyTable itself.

use std::fmt;

use zeroize::Zeroizing;
use zi2_sig::dkim::{DkimKeyFileError, DkimSigningKey};

/// The text of a private key. It prints nothing of itself.
#[derive(Clone, PartialEq, Eq)]
pub struct InlineKey(Zeroizing<String>);

impl InlineKey {
    /// Takes the text: a PEM in one line, base64 of its octets, or base64 of an Ed25519 seed.
    pub(super) fn new(text: &str) -> InlineKey {
        InlineKey(Zeroizing::new(text.to_owned()))
    }

    /// The key.
    ///
    /// # Errors
    /// [`DkimKeyFileError`] if the text is none.
    pub fn private_key(&self) -> Result<DkimSigningKey, DkimKeyFileError> {
        let plain = DkimSigningKey::parse_file(self.0.as_bytes());
        if !matches!(plain, Err(DkimKeyFileError::Unknown)) {
            return plain;
        }
        // § opendkim.conf(5), KeyTable: "a base64-encoded DER private key", of either kind
        let as_pem = |label: &str| {
            let pem = Zeroizing::new(format!("-----BEGIN {label}-----{}-----END {label}-----", *self.0));
            DkimSigningKey::parse_file(pem.as_bytes())
        };
        match as_pem("RSA PRIVATE KEY") {
            Err(DkimKeyFileError::OtherPem) => as_pem("PRIVATE KEY"),
            read => read,
        }
    }
}

impl fmt::Debug for InlineKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InlineKey")
    }
}
