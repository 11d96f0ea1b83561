//! The two fields, written. Our own verifier reads them first, so that no settings make what nobody accepts.

use base64::{Engine, engine::general_purpose::STANDARD};
use zi2_mail::{FieldWriter, Header, NewField, Part};

use super::{HashChoice, Identity, PrivateKey, Refusal, SigningMember, Terms};
use crate::dkim2::field::hash_name;
use crate::dkim2::key::{CONTEXT, Input};
use crate::dkim2::{Binding, Brackets, DKIM2_SIGNATURE, Draft, Instance, MESSAGE_INSTANCE, Path, Recipe, Signature};
use crate::key::ML_DSA_SIGNATURE_OCTETS;

/// Name, hash of the header and hash of the body, for each algorithm of the choice.
pub(super) fn hash_parts(choice: HashChoice, headers: &[Box<[u8]>], bodies: &[Box<[u8]>]) -> Vec<[String; 3]> {
    let names = choice.algorithms().iter().map(|algorithm| hash_name(*algorithm));
    let hashes = names.zip(headers).zip(bodies);
    hashes.map(|((name, header), body)| [name.to_owned(), STANDARD.encode(header), STANDARD.encode(body)]).collect()
}

pub(super) fn instance_field(
    number: u32,
    hashes: &[[String; 3]],
    recipe: Option<&Recipe>,
) -> Result<NewField, Refusal> {
    let mut writer = FieldWriter::new(MESSAGE_INSTANCE);
    writer.tag("m", &number.to_string())?;
    let names: Vec<String> = hashes.iter().map(|[name, ..]| format!("{name}:")).collect();
    let mut parts = Vec::new();
    for (place, ([_, header, body], name)) in hashes.iter().zip(&names).enumerate() {
        parts.extend((place > 0).then_some(Part::Whole(",")));
        parts.extend([Part::Whole(name), Part::Base64(header), Part::Whole(":"), Part::Base64(body)]);
    }
    writer.parts("h", &parts)?;
    if let Some(recipe) = recipe {
        writer.base64("r", &recipe.to_base64())?;
    }
    Ok(writer.finish_closed())
}

/// The signature over the fields before it, which are given in their signed form.
pub(super) fn signature_field(
    number: u32,
    instance: u32,
    terms: &Terms,
    identity: &Identity,
    before: &[u8],
) -> Result<NewField, Refusal> {
    let blank = |member: &SigningMember| Some(vec![0; octets(&member.key)]);
    let draft = written(number, instance, terms, identity, blank)?;
    let own = parsed_signature(&draft, terms.draft)?.own_form;
    let input = Input::of([before, &own].concat());
    written(number, instance, terms, identity, |member| match &member.key {
        PrivateKey::Dkim(key) => key.sign(input.hash()),
        PrivateKey::MlDsa(key, random) => key.sign(input.octets(), CONTEXT, *random),
    })
}

fn octets(key: &PrivateKey) -> usize {
    match key {
        PrivateKey::Dkim(key) => key.signature_octets(),
        PrivateKey::MlDsa(..) => ML_DSA_SIGNATURE_OCTETS,
    }
}

fn written(
    number: u32,
    instance: u32,
    terms: &Terms,
    identity: &Identity,
    value: impl Fn(&SigningMember) -> Option<Vec<u8>>,
) -> Result<NewField, Refusal> {
    let mut writer = FieldWriter::new(DKIM2_SIGNATURE);
    writer.tag("i", &number.to_string())?.tag("m", &instance.to_string())?;
    writer.tag("t", &terms.now.secs().to_string())?.tag("d", identity.domain.as_str())?;
    match &terms.binding {
        Binding::Next(domain) => drop(writer.tag("nd", domain.as_str())?),
        Binding::Envelope { sender, recipients } => {
            writer.base64("mf", &wire_path(sender))?;
            let paths: Vec<String> = recipients.iter().map(wire_path).collect();
            let mut parts: Vec<Part<'_>> = Vec::new();
            for path in &paths {
                parts.extend((!parts.is_empty()).then_some(Part::Whole(",")));
                parts.push(Part::Base64(path));
            }
            writer.parts("rt", &parts)?;
        }
    }
    let values = values(identity, value).ok_or(Refusal::Key)?;
    let parts: Vec<_> = values.iter().flat_map(|(head, value)| [Part::Whole(head), Part::Base64(value)]).collect();
    writer.parts("s", &parts)?;
    if let Some(nonce) = &terms.nonce {
        writer.tag("n", nonce)?;
    }
    if !terms.flags.is_empty() {
        let flags: Vec<&str> = terms.flags.iter().map(|flag| flag.as_str()).collect();
        writer.tag("f", &flags.join(","))?;
    }
    Ok(writer.finish_closed())
}

/// What stands before each value, and the value; nothing without any key, or if one cannot sign.
fn values(identity: &Identity, value: impl Fn(&SigningMember) -> Option<Vec<u8>>) -> Option<Vec<(String, String)>> {
    let mut values = Vec::new();
    for group in &identity.groups {
        for (place, member) in group.iter().enumerate() {
            let separator = match (values.is_empty(), place) {
                (true, _) => "",
                (false, 0) => "|",
                (false, _) => ",",
            };
            let head = format!("{separator}{}:{}:", member.selector, member.key.algorithm().as_str());
            values.push((head, STANDARD.encode(value(member)?)));
        }
    }
    (!values.is_empty()).then_some(values)
}

/// § -08 8.1: the domain as A-labels.
fn wire_path(path: &Path) -> String {
    STANDARD.encode(path.with_a_labels())
}

pub(super) fn parsed_instance(field: &NewField, draft: Draft) -> Result<Instance, Refusal> {
    let wire = field.wire();
    let header = Header::parse(wire.as_bytes());
    let field = header.fields().next().ok_or(Refusal::SelfCheck)?;
    Instance::parse(field, draft).map_err(Refusal::Unusable)
}

pub(super) fn parsed_signature(field: &NewField, draft: Draft) -> Result<Signature, Refusal> {
    let wire = field.wire();
    let header = Header::parse(wire.as_bytes());
    let field = header.fields().next().ok_or(Refusal::SelfCheck)?;
    Signature::parse(field, draft, Brackets::Required).map_err(Refusal::Unusable)
}
