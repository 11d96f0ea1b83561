//! DKIM2 (draft-ietf-dkim-dkim2-spec): the chain of those who handled a message, verified and extended.
//!
//! Machines without input or output, as for DKIM. What differs between drafts stands in one table (`draft.rs`), and every
//! failure carries the draft's own text. What was proven is a value: [`FullyVerified`] is what extending a chain takes.
//!
//! ```
//! use std::sync::Arc;
//! use zi2_mail::{DigestPlan, Domain, Message, Timestamp};
//! use zi2_sig::SigningKey;
//! use zi2_sig::dkim::{DkimSigningKey, Selector};
//! use zi2_sig::dkim2::{
//!     Binding, Draft, Envelope, HashChoice, Identity, KeyAnswer, KeyRecords, Originator, Outcome, Policy, PrivateKey,
//!     SigningMember, Terms, Verifier, extend,
//! };
//!
//! let key = |seed| DkimSigningKey::from(SigningKey::from_seed(&[seed; 32]).expect("a seed"));
//! let identity = |domain, seed| Identity {
//!     domain: Domain::parse(domain).expect("a domain"),
//!     groups: vec![vec![SigningMember {
//!         selector: Selector::parse("s").expect("a selector"),
//!         key: PrivateKey::Dkim(Arc::new(key(seed))),
//!     }]],
//! };
//! let terms = |envelope: &Envelope| Terms {
//!     draft: Draft::default(),
//!     now: Timestamp::from_secs(1_777_400_000),
//!     binding: Binding::of(envelope).expect("a known envelope"),
//!     flags: Vec::new(),
//!     nonce: None,
//!     hashes: HashChoice::Sha256,
//! };
//! let with = |fields: &[zi2_mail::NewField], mail: &[u8]| {
//!     fields.iter().rev().fold(mail.to_vec(), |mail, field| [field.wire().as_bytes(), b"\r\n", &mail].concat())
//! };
//!
//! // The first hop: what goes out by this envelope.
//! let octets = b"From: ann@a.example\r\nSubject: Hi\r\n\r\nHello\r\n";
//! let message = Message::split(octets);
//! let envelope = Envelope::of(b"<ann@a.example>", ["<list@b.example>"]);
//! let mut plan = DigestPlan::new();
//! let signer = Originator::new(&message.header, terms(&envelope), identity("a.example", 1), &mut plan).expect("ours");
//! let mut body = plan.start();
//! body.feed(message.body);
//! let received = with(&signer.finish(&body.finish()).expect("a usable key"), octets);
//!
//! // The second one: verified as it came in, changed, and signed for the next envelope.
//! let message = Message::split(&received);
//! let (mut plan, now) = (DigestPlan::new(), Timestamp::from_secs(1_777_400_060));
//! let mut verifier = Verifier::new(&message.header, &envelope, now, &Policy::default(), &mut plan);
//! for name in verifier.questions() {
//!     assert_eq!(name.as_str(), "s._domainkey.a.example");
//!     verifier.answer(&name, &KeyAnswer::Records(KeyRecords::parse([key(1).record().as_bytes()])));
//! }
//! let mut body = plan.start();
//! body.feed(message.body);
//! let Outcome::Full(evidence) = verifier.finish(&body.finish(), message.body).outcome else { panic!("it verifies") };
//! let outgoing = [received.as_slice(), b"-- \r\nthe list\r\n"].concat();
//! let next = Envelope::of(b"<bounce@b.example>", ["<bob@c.example>"]);
//! let extension = extend(&evidence, &message, &Message::split(&outgoing), &terms(&next), &identity("b.example", 2));
//! let extension = extension.expect("the change can be undone");
//! assert_eq!(extension.recipe.expect("it changed").to_json(), r#"{"b":[{"c":[1,1]}]}"#);
//! assert_eq!(extension.fields.len(), 2);
//! ```

pub mod bounce;
mod chain;
mod draft;
mod failure;
mod field;
mod groups;
mod key;
mod outcome;
mod recipe;
mod sign;
mod undo;
mod verify;

pub use crate::key::MlDsaSigningKey;
pub use chain::{Chain, Envelope};
pub use draft::Draft;
pub use failure::{Failure, KeyProblem, Kind, Place, Problem, Status};
pub use field::{
    Algorithm, Binding, Brackets, DKIM2_SIGNATURE, Hashes, Instance, MESSAGE_INSTANCE, Member, Path, Signature,
};
pub use key::{KeyAnswer, KeyRecords};
pub use outcome::{FullyVerified, Hop, Outcome, ProvisionallyVerified, Verdict};
pub use recipe::{BodyRecipe, BodyVersion, NotUndoable, Recipe, RecipeError, Step, body_lines};
pub use sign::{
    Extension, Flag, HashChoice, Identity, Originator, PrivateKey, Refusal, SigningMember, Terms, extend,
    extend_through, recipe_for,
};
pub use undo::{Earlier, apply, hashed_header, hashed_values, undo};
pub use verify::{Policy, Unkept, Verifier};
