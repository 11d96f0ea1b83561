//! DKIM (RFC 6376 with its errata, RFC 8301, RFC 8463, RFC 8616), verified and signed.
//!
//! Machines without input or output, as for `X-ZI2-Certified`. Neither of them sees the body: each asks a [`DigestPlan`] for
//! digests, and one pass over the body serves all who asked the same plan, whatever their scheme.
//!
//! [`DigestPlan`]: zi2_mail::DigestPlan

mod algorithm;
mod field;
mod input;
mod names;
mod outcome;
mod policy;
mod recipe;
mod record;
mod seal;
mod sign;
mod trial;
mod verify;

pub use crate::key::{DkimKey, DkimKeyError, DkimKeyFileError, DkimSigningKey};
pub use algorithm::{Algorithm, Canon};
pub use field::{Family, SignatureField};
pub use names::{Agent, KeyName, Selector, SelectorError};
pub use outcome::{Fault, Mismatch, Objection, Outcome};
pub use policy::{Policy, Uncovered};
pub use recipe::{Cover, Recipe, SignedField, SignedFieldError};
pub use record::{DkimRecord, DkimRecordError, DkimRecords};
pub use seal::{ChainClaim, Seal, SealInput, SealTrial};
pub use sign::{Identity, Refusal, Signer};
pub use trial::{RecordAnswer, SignatureFacts, Trial};
pub use verify::{DKIM_SIGNATURE, Facts, Verifier};
