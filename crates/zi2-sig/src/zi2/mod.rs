//! ZI2 Certified: the `X-ZI2-Certified` field, signed and verified (zi2.md §1 to §5 and §7).

mod body;
mod field;
mod message;
mod payload;
mod sign;
mod verify;

pub use field::{Certified, FIELD_NAME, Form};
pub use message::{REQUIRED_FIELDS, UNIQUE_FIELDS, Unambiguous};
pub use sign::{Identity, Refusal, Signed, Signer};
pub use verify::Verifier;

use message::Once;
