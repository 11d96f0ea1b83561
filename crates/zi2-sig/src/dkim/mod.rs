//! DKIM (RFC 6376 with its errata, RFC 8301, RFC 8463, RFC 8616), verified and signed.
//!
//! Machines without input or output, as for `X-ZI2-Certified`. Neither of them sees the body: each asks a [`DigestPlan`] for
//! digests, and one pass over the body serves all who asked the same plan, whatever their scheme.
//!
//! ```
//! use std::sync::Arc;
//! use zi2_mail::{DigestPlan, Domain, Message, Timestamp};
//! use zi2_sig::{SigningKey, dkim::{DkimRecords, Identity, Policy, RecordAnswer, Recipe, Selector, Signer, Verifier}};
//!
//! let octets = b"From: ann@example.com\r\nSubject: Hi\r\n\r\nHello\r\n";
//! let (message, now) = (Message::split(octets), Timestamp::from_secs(1_777_400_000));
//! let identity = Identity {
//!     domain: Domain::parse("example.com").expect("a domain"),
//!     selector: Selector::parse("s1").expect("a selector"),
//!     agent: None,
//!     key: Arc::new(SigningKey::from_seed(&[7; 32]).expect("a seed").into()),
//! };
//! let record = identity.key.record();
//! let mut plan = DigestPlan::new();
//! let signer = Signer::new(&message.header, vec![identity], &Recipe::default(), now, &mut plan).expect("one From");
//! let mut body = plan.start();
//! body.feed(message.body);
//! let fields = signer.finish(&body.finish(), &[]).expect("a usable key");
//!
//! let mail = [fields[0].wire().as_bytes(), b"\r\n", octets].concat();
//! let message = Message::split(&mail);
//! let mut plan = DigestPlan::new();
//! let mut verifier = Verifier::new(&message.header, now, &Policy::default(), &mut plan);
//! for name in verifier.questions() {
//!     assert_eq!(name.as_str(), "s1._domainkey.example.com");
//!     verifier.answer(&name, &RecordAnswer::Records(DkimRecords::parse([record.as_bytes()])));
//! }
//! let mut body = plan.start();
//! body.feed(message.body);
//! let facts = verifier.finish(&body.finish());
//! assert_eq!(facts.passed().map(Domain::as_str).collect::<Vec<_>>(), ["example.com"]);
//! ```
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
