//! DKIM2 (draft-ietf-dkim-dkim2-spec): the chain of those who handled a message, verified and extended.
//!
//! Machines without input or output, as for DKIM. What differs between drafts stands in one table (`draft.rs`), and every
//! failure carries the draft's own text. What was proven is a value: [`FullyVerified`] is what extending a chain takes.

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
pub use recipe::{BodyDiff, BodyRecipe, BodyVersion, NotUndoable, Recipe, RecipeError, Step, body_steps, header_steps};
pub use sign::{
    Extension, Flag, HashChoice, Identity, Originator, PrivateKey, Refusal, SigningMember, Terms, extend, recipe_for,
    wrapping_steps,
};
pub use undo::{apply, hashed_header, undo};
pub use verify::{Policy, Verifier};
