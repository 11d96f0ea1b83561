//! A further hop (§ -08 12): only for a message that was fully verified, with a recipe for whatever changed here, and not
//! before that recipe was seen to lead back.

use std::collections::BTreeSet;

use zi2_mail::{BodyCanon, DigestPlan, HashAlg, Header, Message, NewField, NotSmtp, limits as mail_limits};

use super::write::{hash_parts, instance_field, parsed_instance, parsed_signature, signature_field};
use super::{Identity, Refusal, Terms, check_binding, check_from};
use crate::dkim2::chain::check_link;
use crate::dkim2::field::signed_form;
use crate::dkim2::outcome::Fingerprint;
use crate::dkim2::recipe::{BodyDiff, HeaderVersion, body_lines, body_steps, header_steps};
use crate::dkim2::verify::is_chain_field;
use crate::dkim2::{
    Binding, BodyRecipe, BodyVersion, Chain, Draft, Failure, Flag, FullyVerified, Place, Problem, Recipe, Step,
};
use crate::hash::first_octets;
use crate::limits;

/// A hop that was signed.
#[derive(Clone, Debug)]
pub struct Extension {
    /// The fields to be put on top of the message, the upper one first.
    pub fields: Vec<NewField>,
    /// How to get back to the message as it came; nothing if it goes out as it came.
    pub recipe: Option<Recipe>,
}

/// Signs a further hop. `received` is the message that was verified, `outgoing` what will be sent, DKIM2 fields included.
///
/// # Errors
/// [`Refusal`].
pub fn extend(
    evidence: &FullyVerified,
    received: &Message<'_>,
    outgoing: &Message<'_>,
    terms: &Terms,
    identity: &Identity,
) -> Result<Extension, Refusal> {
    signed(evidence, received, outgoing, terms, &[Hop { identity, binding: &terms.binding }])
}

/// The same with two hops (§ -08 8.4): `recipient` is the domain the message came to, which hands it on within the house
/// (`nd=`) to the one that sends it.
///
/// # Errors
/// [`Refusal`].
pub fn extend_through(
    evidence: &FullyVerified,
    received: &Message<'_>,
    outgoing: &Message<'_>,
    terms: &Terms,
    recipient: &Identity,
    identity: &Identity,
) -> Result<Extension, Refusal> {
    let next = Binding::Next(identity.domain.clone());
    let hops = [Hop { identity: recipient, binding: &next }, Hop { identity, binding: &terms.binding }];
    signed(evidence, received, outgoing, terms, &hops)
}

/// Who signs, and to whom the message goes then.
struct Hop<'a> {
    identity: &'a Identity,
    binding: &'a Binding,
}

/// `hops` come one after the other; the first answers for what changed.
fn signed(
    evidence: &FullyVerified,
    received: &Message<'_>,
    outgoing: &Message<'_>,
    terms: &Terms,
    hops: &[Hop<'_>],
) -> Result<Extension, Refusal> {
    let draft = terms.draft;
    let version = HeaderVersion::of(&outgoing.header, draft);
    let digests = OutgoingDigests::of(outgoing.body, terms);
    check_messages(evidence, received, outgoing, &digests)?;
    check_hops(evidence.newest().signature().binding(), hops)?;
    let (mut fields, mut recipe) = (Vec::new(), None);
    let number = evidence.newest().signature().number().saturating_add(1);
    let mut newest = u32::try_from(evidence.chain().instances().len()).unwrap_or(u32::MAX);
    let mut before = evidence.chain.fields_before(number, newest);
    if digests.fingerprint(&version) != evidence.received {
        let body = match digests.sha256 == evidence.received.body {
            // Empty lines at the end are no change: they are not hashed.
            true => BodyRecipe::Unchanged,
            false => body_recipe(received.body, outgoing.body)?,
        };
        let made = Recipe::new(header_recipe(received, &version, draft)?, body);
        check_leads_back(&made, &version, received, outgoing, evidence.received)?;
        if let Some(first) = hops.first().filter(|_| made.header().any(|(name, _)| name == "from")) {
            check_from(&version, &first.identity.domain)?;
        }
        newest = newest.saturating_add(1);
        let instance = instance_field(newest, &digests.hashes(terms, &version), Some(&made))?;
        // § -08 6.3: all instances come before all signatures
        before = with_instance(evidence, number, parsed_instance(&instance, draft)?.signed_form);
        fields.push(instance);
        recipe = Some(made);
    }
    for (at, hop) in hops.iter().enumerate() {
        let number = number.saturating_add(u32::try_from(at).unwrap_or(u32::MAX));
        let terms = terms_of(terms, hop.binding);
        let signature = signature_field(number, newest, &terms, hop.identity, &before)?;
        if at + 1 < hops.len() {
            before.extend(parsed_signature(&signature, draft)?.signed_form);
        }
        fields.insert(0, signature);
    }
    check_room(&fields, &evidence.chain, outgoing, hops)?;
    Ok(Extension { fields, recipe })
}

/// Each hop fits its envelope, and follows the one before.
fn check_hops(before: &Binding, hops: &[Hop<'_>]) -> Result<(), Refusal> {
    let mut before = before;
    for Hop { identity, binding } in hops {
        check_binding(binding, &identity.domain)?;
        check_link(before, &identity.domain, binding).map_err(Refusal::Custody)?;
        before = binding;
    }
    Ok(())
}

/// What one hop says. § -08 10, step 6: who sends to several says so; within a house nobody is sent to.
fn terms_of(terms: &Terms, binding: &Binding) -> Terms {
    let mut terms = Terms { binding: binding.clone(), ..terms.clone() };
    match binding {
        Binding::Next(_) => terms.flags.retain(|flag| *flag != Flag::Exploded),
        Binding::Envelope { recipients, .. } => {
            if recipients.len() > 1 && !terms.flags.contains(&Flag::Exploded) {
                terms.flags.push(Flag::Exploded);
            }
        }
    }
    terms
}

/// With the new fields, each of which can be read, the chain must still be one that is read: they may be one too many, or
/// too long together.
fn check_room(fields: &[NewField], chain: &Chain, outgoing: &Message<'_>, hops: &[Hop<'_>]) -> Result<(), Refusal> {
    let failure = |problem| Refusal::Unusable(Failure { problem, draft: chain.draft, place: Place::default() });
    let instances = chain.instances.len() + fields.len() - hops.len();
    if chain.signatures.len() + hops.len() > limits::DKIM2_FIELDS || instances > limits::DKIM2_FIELDS {
        return Err(failure(Problem::TooMany));
    }
    let octets: usize = fields.iter().map(|field| field.wire().len() + b"\r\n".len()).sum();
    let header = &outgoing.header;
    let fits = header.octets().len() + octets <= mail_limits::HEADER_OCTETS
        && header.from_bottom().count() + fields.len() <= mail_limits::HEADER_FIELDS;
    if fits { Ok(()) } else { Err(failure(Problem::Section)) }
}

/// The recipe that makes `received` of `outgoing`.
///
/// # Errors
/// [`Refusal::NotUndoable`], [`Refusal::BodyNotUndoable`].
pub fn recipe_for(received: &Message<'_>, outgoing: &Message<'_>, draft: Draft) -> Result<Recipe, Refusal> {
    let header = header_recipe(received, &HeaderVersion::of(&outgoing.header, draft), draft)?;
    let body = match same_but_for_empty_lines(received.body, outgoing.body) {
        true => BodyRecipe::Unchanged,
        false => body_recipe(received.body, outgoing.body)?,
    };
    Ok(Recipe::new(header, body))
}

type HeaderSteps = Vec<(Box<str>, Vec<Step>)>;

fn header_recipe(received: &Message<'_>, new: &HeaderVersion<'_>, draft: Draft) -> Result<HeaderSteps, Refusal> {
    let old = HeaderVersion::of(&received.header, draft);
    let names: BTreeSet<&[u8]> = old.names().chain(new.names()).collect();
    let mut header = Vec::new();
    for name in names.into_iter().filter_map(|name| std::str::from_utf8(name).ok()) {
        if old.values(name) == new.values(name) {
            continue;
        }
        if let Some(steps) = header_steps(&old.relaxed(name), &new.relaxed(name))? {
            header.push((Box::from(name), steps));
        }
    }
    Ok(header)
}

/// Whether bodies differ at most in the empty lines at their ends, which are not hashed.
fn same_but_for_empty_lines(one: &[u8], other: &[u8]) -> bool {
    without_empty_lines(one) == without_empty_lines(other)
}

fn without_empty_lines(body: &[u8]) -> &[u8] {
    let mut body = body;
    while let Some(rest) = body.strip_suffix(b"\r\n") {
        body = rest;
    }
    body
}

fn body_recipe(received: &[u8], outgoing: &[u8]) -> Result<BodyRecipe, Refusal> {
    match body_steps(received, outgoing) {
        BodyDiff::Same => Ok(BodyRecipe::Unchanged),
        BodyDiff::Steps(steps) => Ok(BodyRecipe::Steps(steps)),
        BodyDiff::TooBig | BodyDiff::Impossible => {
            wrapping_steps(received, outgoing).map(BodyRecipe::Steps).ok_or(Refusal::BodyNotUndoable)
        }
    }
}

/// The recipe of a list that puts the original body, untouched, between parts of its own: one copy. Nothing if the original
/// is not in it line by line. It is taken where a search for less is too much work.
fn wrapping_steps(original: &[u8], wrapped: &[u8]) -> Option<Vec<Step>> {
    let (inner, outer) = (body_lines(original), body_lines(wrapped));
    if inner.is_empty() {
        return Some(Vec::new());
    }
    let first = inner.first()?;
    let starts = outer.iter().enumerate().filter(|(_, line)| *line == first).map(|(at, _)| at);
    let at = starts.take(limits::DKIM2_WRAP_STARTS).find(|at| outer.get(*at..*at + inner.len()) == Some(&inner))?;
    let number = |line: usize| u64::try_from(line).unwrap_or(u64::MAX);
    Some(vec![Step::Copy(number(at + 1), number(at + inner.len()))])
}

fn check_messages(
    evidence: &FullyVerified,
    received: &Message<'_>,
    outgoing: &Message<'_>,
    digests: &OutgoingDigests,
) -> Result<(), Refusal> {
    if let Some(defect) = outgoing.header.ambiguity() {
        return Err(Refusal::Section(defect.kind));
    }
    match digests.smtp {
        // What is long is no business of a signature: it survives most relays.
        Ok(()) | Err(NotSmtp::LongLine) => {}
        Err(why) => return Err(Refusal::NotSmtp(why)),
    }
    let draft = evidence.chain.draft;
    let body = match received.body == outgoing.body {
        true => digests.sha256,
        false => first_octets(&digest(received.body)),
    };
    let header = first_octets(&HeaderVersion::of(&received.header, draft).hash(HashAlg::Sha256));
    if (Fingerprint { header, body }) != evidence.received {
        return Err(Refusal::NotTheSnapshot);
    }
    if has_the_fields(&outgoing.header, &evidence.chain) { Ok(()) } else { Err(Refusal::FieldsChanged) }
}

/// Whether a header section has the fields of a chain, as they are signed, and no others.
fn has_the_fields(header: &Header<'_>, chain: &Chain) -> bool {
    let mut known: Vec<&[u8]> = chain.instances.iter().map(|instance| instance.signed_form.as_slice()).collect();
    known.extend(chain.signatures.iter().map(|signature| signature.signed_form.as_slice()));
    for field in header.from_bottom().filter(|field| is_chain_field(*field)) {
        let form = signed_form(field, &[]);
        let Some(at) = known.iter().position(|other| *other == form) else { return false };
        known.swap_remove(at);
    }
    known.is_empty()
}

/// `received` is known to be what was verified, so the body needs no hash: it is compared.
fn check_leads_back(
    recipe: &Recipe,
    version: &HeaderVersion<'_>,
    received: &Message<'_>,
    outgoing: &Message<'_>,
    to: Fingerprint,
) -> Result<(), Refusal> {
    let mut header = version.clone();
    header.undo(recipe.header(), version.draft());
    let is_back = match recipe.body() {
        BodyRecipe::Steps(steps) => {
            let mut body = BodyVersion::of(outgoing.body);
            body.undo(steps);
            is_written(&body, without_empty_lines(received.body))
        }
        BodyRecipe::Unchanged | BodyRecipe::Null => same_but_for_empty_lines(received.body, outgoing.body),
    };
    let is_back = is_back && first_octets::<32>(&header.hash(HashAlg::Sha256)) == to.header;
    if is_back { Ok(()) } else { Err(Refusal::SelfCheck) }
}

/// Whether a version is these octets and empty lines after them.
fn is_written(version: &BodyVersion<'_>, octets: &[u8]) -> bool {
    let (mut rest, mut tail, mut is_same) = (octets, Vec::new(), true);
    version.write(&mut |piece| {
        let (here, after) = piece.split_at(piece.len().min(rest.len()));
        is_same = is_same && rest.starts_with(here);
        rest = rest.get(here.len()..).unwrap_or_default();
        // A tail that is none has no end.
        is_same = is_same && after.iter().all(|octet| matches!(octet, b'\r' | b'\n'));
        tail.extend_from_slice(if is_same { after } else { b"" });
    });
    is_same && rest.is_empty() && without_empty_lines(&tail).is_empty()
}

/// What one pass over the body that goes out gives.
struct OutgoingDigests {
    sha256: [u8; 32],
    /// Those of the new Message-Instance.
    named: Vec<Box<[u8]>>,
    smtp: Result<(), NotSmtp>,
}

impl OutgoingDigests {
    fn of(body: &[u8], terms: &Terms) -> OutgoingDigests {
        let mut plan = DigestPlan::new();
        plan.request_smtp();
        let sha256 = plan.request(BodyCanon::Simple, HashAlg::Sha256);
        let lanes = terms.hashes.algorithms().iter().map(|algorithm| plan.request(BodyCanon::Simple, *algorithm));
        let lanes: Vec<_> = lanes.collect();
        let digests = plan.digest(body);
        let named = lanes.into_iter().map(|lane| Box::from(digests.get(lane))).collect();
        let smtp = digests.smtp().unwrap_or(Ok(()));
        OutgoingDigests { sha256: first_octets(digests.get(sha256)), named, smtp }
    }

    fn fingerprint(&self, version: &HeaderVersion<'_>) -> Fingerprint {
        Fingerprint { header: first_octets(&version.hash(HashAlg::Sha256)), body: self.sha256 }
    }

    fn hashes(&self, terms: &Terms, version: &HeaderVersion<'_>) -> Vec<[String; 3]> {
        let algorithms = terms.hashes.algorithms();
        let headers: Vec<_> = algorithms.iter().map(|algorithm| version.hash(*algorithm)).collect();
        hash_parts(terms.hashes, &headers, &self.named)
    }
}

fn digest(body: &[u8]) -> Box<[u8]> {
    let mut plan = DigestPlan::new();
    let lane = plan.request(BodyCanon::Simple, HashAlg::Sha256);
    plan.digest(body).get(lane).into()
}

fn with_instance(evidence: &FullyVerified, number: u32, instance: Vec<u8>) -> Vec<u8> {
    evidence.chain.fields_with(number, u32::MAX, &instance)
}
