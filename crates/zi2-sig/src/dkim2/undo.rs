//! Earlier versions of a message written out: for people, for bounces, and to look for the version that was certified. The
//! chain is verified without: that hashes versions and makes none.

use std::collections::BTreeMap;

use zi2_mail::{BodyCanon, DigestPlan, Field, HashAlg, Header, Message};

use super::recipe::{HeaderVersion, applied};
use super::{
    BodyRecipe, BodyVersion, Chain, Draft, Failure, FullyVerified, Instance, Place, Problem, Recipe, Signature, Step,
};
use crate::hash::first_octets;

/// The octets over which the header hash of a Message-Instance is made (§ -08 6.1).
pub fn hashed_header(header: &Header<'_>, draft: Draft) -> Vec<u8> {
    let mut octets = Vec::new();
    HeaderVersion::of(header, draft).write(&mut |line| octets.extend_from_slice(line));
    octets
}

/// The values of a header field as recipes count them, the lowest first, each as it is hashed.
pub fn hashed_values(header: &Header<'_>, name: &str, draft: Draft) -> Vec<Vec<u8>> {
    HeaderVersion::of(header, draft).relaxed(name)
}

/// An earlier version of a message.
#[derive(Clone, Debug)]
pub struct Earlier<'a> {
    section: Vec<u8>,
    body: Option<BodyVersion<'a>>,
}

impl<'a> Earlier<'a> {
    /// The version `to` of a message, later DKIM2 fields left out. Nothing is verified.
    pub(super) fn of(header: &Header<'_>, body: &'a [u8], chain: &'a Chain, to: u32) -> Result<Earlier<'a>, Failure> {
        if !chain.instances.iter().any(|instance| instance.number() == to) {
            let place = Place { instance: Some(to), ..Place::default() };
            return Err(Failure { problem: Problem::Missing(super::Kind::Instance), draft: chain.draft, place });
        }
        let known = chain.signatures.iter().filter(|signature| signature.instance() <= to);
        let until = Until { instance: to, signature: known.map(Signature::number).max().unwrap_or(0) };
        Ok(Earlier { section: undone_header(header, chain, until), body: undone_body(body, chain, until)? })
    }

    /// The header section, without the empty line.
    pub fn section(&self) -> &[u8] {
        &self.section
    }

    /// The body; nothing if it is the one that arrived.
    pub fn body(&self) -> Option<&BodyVersion<'a>> {
        self.body.as_ref()
    }
}

/// How far back to go: the newest signature and the newest instance that stay.
#[derive(Clone, Copy, Debug)]
pub(super) struct Until {
    pub(super) signature: u32,
    pub(super) instance: u32,
}

/// The header section as it was, without the DKIM2 fields that came later.
pub(super) fn undone_header(header: &Header<'_>, chain: &Chain, until: Until) -> Vec<u8> {
    let mut section = without_later(fields(header).into_iter(), chain, until);
    for recipe in instances_after(chain, until).filter_map(Instance::recipe) {
        section = undone_section(&section, recipe, chain.draft);
    }
    section
}

/// The body as it was; nothing if it did not change.
pub(super) fn undone_body<'a>(
    body: &'a [u8],
    chain: &'a Chain,
    until: Until,
) -> Result<Option<BodyVersion<'a>>, Failure> {
    let mut version = None;
    for instance in instances_after(chain, until) {
        match instance.recipe().map_or(&BodyRecipe::Unchanged, Recipe::body) {
            BodyRecipe::Unchanged => {}
            BodyRecipe::Null => {
                let place = instance.place("r", instance.recipe_offset);
                return Err(Failure { problem: Problem::NullBody, draft: chain.draft, place });
            }
            BodyRecipe::Steps(steps) => version.get_or_insert_with(|| BodyVersion::of(body)).undo(steps),
        }
    }
    Ok(version)
}

fn instances_after(chain: &Chain, until: Until) -> impl Iterator<Item = &Instance> {
    chain.instances.iter().rev().filter(move |instance| instance.number() > until.instance)
}

impl FullyVerified {
    /// The version `to` of the message that was verified. Nothing if these are the octets of another message, or if there
    /// is no such version. `body` is looked at only where a hop since then changed it.
    pub fn earlier<'a>(&'a self, header: &Header<'_>, body: &'a [u8], to: u32) -> Option<Earlier<'a>> {
        let version = HeaderVersion::of(header, self.chain.draft);
        if first_octets::<32>(&version.hash(HashAlg::Sha256)) != self.received.header {
            return None;
        }
        let earlier = Earlier::of(header, body, &self.chain, to).ok()?;
        let is_its_body = || {
            let mut plan = DigestPlan::new();
            let lane = plan.request(BodyCanon::Simple, HashAlg::Sha256);
            plan.digest(body).get(lane) == self.received.body
        };
        (earlier.body.is_none() || is_its_body()).then_some(earlier)
    }
}

/// The message as it was when the Message-Instance `to` was made, later DKIM2 fields left out. Nothing is verified.
///
/// # Errors
/// [`Failure`], if there is no such version, or its body cannot be made again.
pub fn undo(message: &Message<'_>, chain: &Chain, to: u32) -> Result<Vec<u8>, Failure> {
    let earlier = Earlier::of(&message.header, message.body, chain, to)?;
    let mut made = [earlier.section.as_slice(), b"\r\n"].concat();
    match &earlier.body {
        None => made.extend_from_slice(message.body),
        Some(body) => body.write(&mut |octets| made.extend_from_slice(octets)),
    }
    Ok(made)
}

/// What a recipe makes of one message, whoever wrote either.
///
/// # Errors
/// [`Problem::NullBody`], if it says that the body cannot be made again.
pub fn apply(message: &Message<'_>, recipe: &Recipe, draft: Draft) -> Result<Vec<u8>, Problem> {
    let section: Vec<u8> = fields(&message.header).into_iter().flat_map(line).collect();
    let mut made = undone_section(&section, recipe, draft);
    made.extend_from_slice(b"\r\n");
    match recipe.body() {
        BodyRecipe::Unchanged => made.extend_from_slice(message.body),
        BodyRecipe::Null => return Err(Problem::NullBody),
        BodyRecipe::Steps(steps) => {
            let mut body = BodyVersion::of(message.body);
            body.undo(steps);
            body.write(&mut |octets| made.extend_from_slice(octets));
        }
    }
    Ok(made)
}

/// The fields that the hash counts, from the top down: those with blanks before the colon, too.
fn fields<'h>(header: &'h Header<'_>) -> Vec<Field<'h>> {
    let mut fields: Vec<Field<'_>> = header.from_bottom().collect();
    fields.reverse();
    fields
}

fn line(field: Field<'_>) -> Vec<u8> {
    [field.raw(), b"\r\n"].concat()
}

/// The fields that the version knew: what was added later in its stead goes.
fn without_later<'f>(fields: impl Iterator<Item = Field<'f>>, chain: &Chain, until: Until) -> Vec<u8> {
    let is_later = |field: Field<'_>| {
        let instance = chain.instances.iter().find(|instance| instance.offset == field.offset());
        let signature = chain.signatures.iter().find(|signature| signature.offset == field.offset());
        instance.is_some_and(|instance| instance.number() > until.instance)
            || signature.is_some_and(|signature| signature.number() > until.signature)
    };
    fields.filter(|field| !is_later(*field)).flat_map(line).collect()
}

/// Fields of a name that changes go where the first of them was, or on top.
fn undone_section(section: &[u8], recipe: &Recipe, draft: Draft) -> Vec<u8> {
    let header = Header::parse(section);
    let mut made = Vec::with_capacity(section.len());
    // A stranger chooses how many names there are, and how many fields: each is looked up, none searched for.
    let mut by_name: BTreeMap<Vec<u8>, Vec<Field<'_>>> = BTreeMap::new();
    for field in header.from_bottom() {
        by_name.entry(field.name().to_ascii_lowercase()).or_default().push(field);
    }
    let mut changes: BTreeMap<Vec<u8>, (&str, &[Step])> = BTreeMap::new();
    for (name, steps) in recipe.header().filter(|(name, _)| draft.signs(name.as_bytes())) {
        let key = name.to_ascii_lowercase().into_bytes();
        if !by_name.contains_key(&key) {
            made.extend(remade(&[], name, steps));
        }
        changes.insert(key, (name, steps));
    }
    for field in fields(&header) {
        let key = field.name().to_ascii_lowercase();
        match changes.get(&key) {
            None => made.extend(line(field)),
            // All of a name are made where the first of them stood.
            Some((name, steps)) => {
                by_name.remove(&key).into_iter().for_each(|kept| made.extend(remade(&kept, name, steps)))
            }
        }
    }
    made
}

/// The fields of one name, the lowest last: kept ones octet by octet, others as `Name: value`. `kept` are those there are,
/// the lowest first.
fn remade(kept: &[Field<'_>], name: &str, steps: &[Step]) -> Vec<u8> {
    let raw: Vec<&[u8]> = kept.iter().map(Field::raw).collect();
    // Case was not kept: as the field there is has it, or as people write names.
    let spelled = kept.first().map_or_else(|| capitalized(name), |field| field.name().to_vec());
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for step in steps {
        let made = applied(&raw, std::slice::from_ref(step));
        let is_kept = matches!(step, Step::Copy(..));
        lines.extend(made.into_iter().map(|octets| match is_kept {
            true => [octets, b"\r\n".as_slice()].concat(),
            false => [spelled.as_slice(), b": ", octets, b"\r\n"].concat(),
        }));
    }
    lines.into_iter().rev().flatten().collect()
}

fn capitalized(name: &str) -> Vec<u8> {
    let mut octets = name.as_bytes().to_vec();
    for word in octets.split_mut(|octet| *octet == b'-') {
        word.iter_mut().take(1).for_each(u8::make_ascii_uppercase);
    }
    octets
}
