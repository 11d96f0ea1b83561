//! Recipes (§ -08 5): how to make the version before out of this one, by copies and literals.
//!
//! Copies ascend and do not overlap, so that what is made is never longer than what there was and the literals together.

mod body;
mod diff;
mod header;
mod json;

pub use body::{BodyVersion, body_lines};
pub use diff::NotUndoable;
pub(super) use diff::{BodyDiff, body_steps, header_steps};
pub(super) use header::{HeaderVersion, applied};
pub use json::RecipeError;

use base64::{Engine, engine::general_purpose::STANDARD};

/// A recipe that could be read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Recipe {
    /// Steps for each name that changes, in lower case; no steps: the version before had no such field.
    header: Vec<(Box<str>, Vec<Step>)>,
    body: BodyRecipe,
}

/// What a recipe says of the body.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum BodyRecipe {
    /// It did not change.
    #[default]
    Unchanged,
    /// It is made by these steps; none: it was empty.
    Steps(Vec<Step>),
    /// It cannot be made again.
    Null,
}

/// One step: lines of the body from its start, or fields of one name from the bottom up, counted from 1.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// Copies the lines or fields from the first to the last one, both included.
    Copy(u64, u64),
    /// Puts these lines or values, without their ends.
    Literal(Vec<Box<[u8]>>),
}

impl Recipe {
    /// A recipe of these parts. Names must be names of fields, in lower case.
    pub(super) fn new(header: Vec<(Box<str>, Vec<Step>)>, body: BodyRecipe) -> Recipe {
        Recipe { header, body }
    }

    /// Reads JSON.
    ///
    /// # Errors
    /// [`RecipeError`].
    pub fn parse(octets: &[u8]) -> Result<Recipe, RecipeError> {
        json::parse(octets)
    }

    /// The JSON, as short as can be.
    pub fn to_json(&self) -> String {
        json::write(self)
    }

    /// The value of `r=`.
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.to_json())
    }

    /// The names of fields that change, with their steps.
    pub fn header(&self) -> impl ExactSizeIterator<Item = (&str, &[Step])> {
        self.header.iter().map(|(name, steps)| (name.as_ref(), steps.as_slice()))
    }

    /// What it says of the body.
    pub fn body(&self) -> &BodyRecipe {
        &self.body
    }
}
