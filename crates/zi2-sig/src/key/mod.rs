//! Keys: identifiers, public and private keys, and the texts they are published in.

mod der;
mod dkim;
mod dkim_signing;
mod document;
mod file;
mod kid;
mod ml_dsa;
mod public;
mod record;
mod signing;

pub(crate) use dkim::InputHash;
pub use dkim::{DkimKey, DkimKeyError};
pub use dkim_signing::{DkimKeyFileError, DkimSigningKey};
pub use document::{DocumentError, KeyDocument, PublishedKey};
pub use file::{KeyFileError, pkcs8_pem, pkcs8_pem_of};
pub use kid::{Kid, KidError};
pub use ml_dsa::MlDsaSigningKey;
pub(crate) use ml_dsa::{MlDsaKey, SIGNATURE_OCTETS as ML_DSA_SIGNATURE_OCTETS};
pub use public::{PublicKey, PublicKeyError};
pub use record::{KeyRecord, RecordError, RecordKey};
pub use signing::SigningKey;
