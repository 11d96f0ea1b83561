//! Message-Instance (§ -08 9): what one version of the message is, and how to get back to the one before.

use zi2_mail::{Field, HashAlg};

use super::{MESSAGE_INSTANCE, Tags, base64, is_word, parts, signed_form, trimmed};
use crate::dkim2::failure::printable;
use crate::dkim2::{Draft, Failure, Kind, Place, Problem, Recipe, RecipeError};
use crate::limits;

/// A Message-Instance that could be read. Nothing of it is proven.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Instance {
    number: u32,
    groups: Vec<Vec<Hashes>>,
    recipe: Option<Recipe>,
    pub(in crate::dkim2) signed_form: Vec<u8>,
    pub(in crate::dkim2) offset: usize,
    /// Where `r=` stands.
    pub(in crate::dkim2) recipe_offset: usize,
}

/// The hashes of one algorithm.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hashes {
    /// The name, as it stands there.
    pub(in crate::dkim2) name: Box<str>,
    /// The algorithm, if it is known.
    pub(in crate::dkim2) algorithm: Option<HashAlg>,
    pub(in crate::dkim2) header: Box<[u8]>,
    pub(in crate::dkim2) body: Box<[u8]>,
    pub(in crate::dkim2) offset: usize,
}

impl Instance {
    /// Reads a field. The first rule it breaks is the answer.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn parse(field: Field<'_>, draft: Draft) -> Result<Instance, Failure> {
        let tags = Tags::read(field, Kind::Instance, "m", limits::DKIM2_INSTANCE_OCTETS, draft)?;
        let groups = hash_groups(&tags)?;
        let (recipe, recipe_offset) = recipe(&tags)?;
        let (number, signed_form) = (tags.number(), signed_form(field, &[]));
        Ok(Instance { number, groups, recipe, signed_form, offset: field.offset(), recipe_offset })
    }

    /// Whether a field has the name of this one.
    pub(in crate::dkim2) fn is(field: Field<'_>) -> bool {
        field.is_named(MESSAGE_INSTANCE)
    }

    /// `m=`.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// `h=`: alternatives, of each of which all must hold.
    pub fn groups(&self) -> &[Vec<Hashes>] {
        &self.groups
    }

    /// All hashes of all groups.
    pub fn hashes(&self) -> impl Iterator<Item = &Hashes> {
        self.groups.iter().flatten()
    }

    /// `r=`.
    pub fn recipe(&self) -> Option<&Recipe> {
        self.recipe.as_ref()
    }

    pub(in crate::dkim2) fn place(&self, tag: &'static str, offset: usize) -> Place {
        Place { hop: None, instance: Some(self.number), tag: Some(tag), offset: Some(offset) }
    }
}

impl Hashes {
    /// The name of the algorithm.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The hash of the header section.
    pub fn header(&self) -> &[u8] {
        &self.header
    }

    /// The hash of the body.
    pub fn body(&self) -> &[u8] {
        &self.body
    }
}

/// The algorithms of `h=` by name.
pub(in crate::dkim2) const HASH_NAMES: [(&str, HashAlg); 2] =
    [("sha256", HashAlg::Sha256), ("sha512", HashAlg::Sha512)];

/// The name of an algorithm in `h=`; a dash for one that has none there.
pub(in crate::dkim2) fn hash_name(algorithm: HashAlg) -> &'static str {
    HASH_NAMES.iter().find(|(_, other)| *other == algorithm).map_or("-", |(name, _)| name)
}

fn hash_groups(tags: &Tags<'_>) -> Result<Vec<Vec<Hashes>>, Failure> {
    let tag = tags.required("h")?;
    let (value, start) = (tags.value_of(&tag), tag.span().start);
    let mut groups: Vec<Vec<Hashes>> = Vec::new();
    for (group_at, group) in parts(value, b'|') {
        let mut members = Vec::new();
        for (at, item) in parts(group, b',') {
            let offset = start + group_at + at;
            let hashes = hash_set(item, tags.base + offset).ok_or_else(|| tags.syntax(&tag, "h"))?;
            if groups.iter().flatten().chain(&members).any(|other| other.name == hashes.name) {
                return Err(tags.fault(Problem::DuplicateHash, Some("h"), Some(offset)));
            }
            members.push(hashes);
            if groups.iter().map(Vec::len).sum::<usize>() + members.len() > limits::DKIM2_HASHES {
                return Err(tags.fault(Problem::TooLarge(Kind::Instance), Some("h"), Some(offset)));
            }
        }
        groups.push(members);
    }
    Ok(groups)
}

/// § -08 9: name ":" header hash ":" body hash, white space around the name and inside base64.
fn hash_set(item: &[u8], offset: usize) -> Option<Hashes> {
    let mut three = item.split(|octet| *octet == b':');
    let (name, header, body) = (trimmed(three.next()?), base64(three.next()?)?, base64(three.next()?)?);
    let name = std::str::from_utf8(name).ok().filter(|name| is_word(name) && three.next().is_none())?;
    let algorithm = HASH_NAMES.iter().find(|(other, _)| *other == name).map(|(_, algorithm)| *algorithm);
    let length = match algorithm {
        Some(HashAlg::Sha256) => Some(32),
        Some(HashAlg::Sha512) => Some(64),
        _ => None,
    };
    let fits = length.is_none_or(|length: usize| header.len() == length && body.len() == length);
    fits.then(|| Hashes { name: name.into(), algorithm, header: header.into(), body: body.into(), offset })
}

fn recipe(tags: &Tags<'_>) -> Result<(Option<Recipe>, usize), Failure> {
    let Some(tag) = tags.get("r") else { return Ok((None, tags.base)) };
    let at = tag.span().start;
    let fault = |problem| tags.fault(problem, Some("r"), Some(at));
    let json = base64(tag.value()).ok_or_else(|| tags.syntax(&tag, "r"))?;
    match Recipe::parse(&json) {
        Ok(recipe) => Ok((Some(recipe), tags.base + at)),
        Err(RecipeError::Json) => Err(fault(Problem::InvalidJson)),
        Err(RecipeError::Rule(_) | RecipeError::TooLong) => {
            Err(fault(Problem::InvalidRecipe(printable(&json, limits::DKIM2_SHOWN_OCTETS))))
        }
    }
}
