//! Signature facts: what is cryptographically true of a message.
//!
//! Machines without input or output: [`Verifier`] and [`Signer`] take a header section, keys, the time and nonces as
//! arguments and say what they want as values; of the body they want digests, which one pass makes for all of them. What to *make* of the facts (levels, trust, words) is not decided here.
//!
//! ```
//! use zi2_mail::{DigestPlan, HostName, Message, Timestamp};
//! use zi2_sig::{Form, Identity, Kid, Outcome, Signer, SigningKey, Verifier};
//!
//! let octets = b"From: ann@example.com\r\nTo: bob@example.net\r\nSubject: Hi\r\nDate: Tue, 28 Apr 2026 17:30:00 +0000\r\n\
//!     Message-ID: <1@example.com>\r\n\r\nHello\r\n";
//! let message = Message::split(octets);
//! let key = SigningKey::from_seed(&[7; 32]).expect("a seed");
//! let identity = Identity {
//!     sid: HostName::parse("mail.example.com").expect("a host name"),
//!     kid: Kid::parse("zi2-cert-2026-04").expect("a kid"),
//! };
//! let now = Timestamp::from_secs(1_777_400_000);
//! let mut plan = DigestPlan::new();
//! let signer = Signer::new(&message.header, &identity, Form::Combined, now, [1; 16], &mut plan).expect("unambiguous");
//! let signed = signer.finish(&plan.digest(message.body), &key).expect("fit for SMTP");
//! assert!(signed.field.wire().starts_with("X-ZI2-Certified: v=1; d=example.com;"));
//!
//! let mail = [signed.field.wire().as_bytes(), b"\r\n", octets].concat();
//! let message = Message::split(&mail);
//! let mut plan = DigestPlan::new();
//! let mut verifier = Verifier::new(&message.header, now, zi2_sig::limits::WINDOW_SECS, &mut plan);
//! assert!(verifier.query().is_some(), "it wants the keys of example.com");
//! verifier.answer(key.public().into());
//! let facts = verifier.finish(&plan.digest(message.body));
//! assert!(matches!(facts.outcome, Outcome::Verified(_)));
//! ```

pub mod dkim;
pub mod dkim2;
mod facts;
mod hash;
mod key;
pub mod limits;
mod query;
mod zi2;

// what was found
pub use facts::{AttestationId, Attested, Facts, Failure, Outcome, Part, SyntaxFault};
pub use hash::recipient_hash;

// keys
pub use key::{
    DocumentError, KeyDocument, KeyFileError, KeyRecord, Kid, KidError, PublicKey, PublicKeyError, PublishedKey,
    RecordError, RecordKey, SigningKey, pkcs8_pem, pkcs8_pem_of,
};

// what a verifier wants to know
pub use query::{Candidate, KeyAnswer, KeyQuery, Origin, Trouble};

// X-ZI2-Certified
pub use zi2::{
    Certified, FIELD_NAME, Form, Identity, REQUIRED_FIELDS, Refusal, Signed, Signer, UNIQUE_FIELDS, Unambiguous,
    Verifier,
};
