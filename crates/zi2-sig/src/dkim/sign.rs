//! Signing (RFC 6376 §5): one field for each identity, over one header section and one digest of the body.

use std::ops::Range;
use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use zi2_mail::{
    DefectKind, DigestPlan, Digests, Domain, FieldError, FieldWriter, HashAlg, Header, Lane, NewField, Timestamp,
};

use super::trial::is_from_single;
use super::{Agent, Algorithm, DKIM_SIGNATURE, DkimSigningKey, Family, Fault, Recipe, Selector, SignatureField};
use crate::key::InputHash;

/// Who signs.
#[derive(Clone)]
pub struct Identity {
    /// `d=`.
    pub domain: Domain,
    /// `s=`.
    pub selector: Selector,
    /// `i=`; nothing leaves it out.
    pub agent: Option<Agent>,
    /// The key whose public half is published under selector and domain.
    pub key: Arc<DkimSigningKey>,
}

/// Why a message is not signed. The message itself is fine to deliver.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// No From field or several: no verifier would accept the signature.
    #[error("the message does not have exactly one From field")]
    FromNotSingle,
    /// The header section is larger than we read, or readers would take it in different ways.
    #[error("the header section is too large or malformed ({0:?})")]
    Section(DefectKind),
    /// A verifier would refuse the signature: a fault of the settings.
    #[error("the signature would be refused by verifiers ({0:?}); check domain, selector and signed fields")]
    Unusable(Fault),
    /// A name or a value did not fit a header field: a fault of the settings.
    #[error("the signature cannot be written: {0}")]
    Field(#[from] FieldError),
    /// The crypto library failed.
    #[error("the crypto library could not sign with this key")]
    Key,
}

/// Signs one message, with one key or several. It never sees the body: `plan` digests it for all.
pub struct Signer {
    identities: Vec<Identity>,
    recipe: Recipe,
    now: Timestamp,
    body: Lane,
    /// The fields that are there, in the order in which they are signed: which of the recipe's, and where in `octets`.
    covered: Vec<(usize, Range<usize>)>,
    /// Canonical fields, each with CRLF.
    octets: Vec<u8>,
}

impl Signer {
    /// Takes what it needs of the header section, and asks `plan` for the digest of the body.
    ///
    /// A body that SMTP cannot carry unchanged (bare CR or LF, NUL) is signed as it is: who lets such mail through must
    /// change it before ([`zi2_mail::SmtpScan`] finds it).
    ///
    /// # Errors
    /// [`Refusal`] for a header section that no verifier accepts a signature of.
    pub fn new(
        header: &Header<'_>,
        identities: Vec<Identity>,
        recipe: &Recipe,
        now: Timestamp,
        plan: &mut DigestPlan,
    ) -> Result<Signer, Refusal> {
        if let Some(defect) = header.ambiguity() {
            return Err(Refusal::Section(defect.kind));
        }
        if !is_from_single(header) {
            return Err(Refusal::FromNotSingle);
        }
        let mut octets = Vec::with_capacity(header.octets().len());
        let mut covered = Vec::with_capacity(recipe.fields().len());
        for (which, signed) in recipe.fields().enumerate() {
            for field in header.from_bottom().filter(|field| field.is_named(signed.name())) {
                let start = octets.len();
                recipe.canon.header().write(field, &mut octets);
                octets.extend_from_slice(b"\r\n");
                covered.push((which, start..octets.len()));
            }
        }
        let body = plan.request(recipe.canon.body(), HashAlg::Sha256);
        Ok(Signer { identities, recipe: recipe.clone(), now, body, covered, octets })
    }

    /// The signature fields, one for each identity, to be put on top of the message.
    ///
    /// `added` are fields made in the same pass, in the order in which they will stand on top of the message under the
    /// signatures. They are signed as if the message had come with them.
    ///
    /// # Errors
    /// [`Refusal`]; then there is no signature at all.
    pub fn finish(&self, digests: &Digests, added: &[NewField]) -> Result<Vec<NewField>, Refusal> {
        let (names, signed) = self.signed_fields(added);
        let body_hash = STANDARD.encode(digests.get(self.body));
        self.identities.iter().map(|identity| self.sign(identity, &names, &signed, &body_hash)).collect()
    }

    /// The names in `h=`, and the canonical fields in their order.
    fn signed_fields(&self, added: &[NewField]) -> (Vec<&str>, Vec<u8>) {
        let mut names = Vec::with_capacity(2 * self.recipe.fields().len());
        let mut signed = Vec::with_capacity(self.octets.len() + USUAL_FIELD);
        let mut covered = self.covered.iter().peekable();
        for (which, name) in self.recipe.fields().enumerate() {
            let (name, is_sealed) = (name.name(), name.is_sealed());
            while let Some((_, place)) = covered.next_if(|(of, _)| *of == which) {
                signed.extend_from_slice(self.octets.get(place.clone()).unwrap_or_default());
                names.push(name);
            }
            for field in added.iter().rev().filter(|field| field.name().eq_ignore_ascii_case(name)) {
                let wire = field.wire();
                let section = Header::parse(wire.as_bytes());
                section.fields().for_each(|field| self.recipe.canon.header().write(field, &mut signed));
                signed.extend_from_slice(b"\r\n");
                names.push(name);
            }
            // §5.4.2: a name more than there are fields covers that there is no further one
            names.extend(is_sealed.then_some(name));
        }
        (names, signed)
    }

    fn sign(&self, who: &Identity, names: &[&str], signed: &[u8], body_hash: &str) -> Result<NewField, Refusal> {
        let unsigned = self.tags(who, names, body_hash)?.unsigned("b")?;
        let mut input = Vec::with_capacity(signed.len() + USUAL_FIELD);
        input.extend_from_slice(signed);
        unsigned.write(self.recipe.canon.header(), &mut input);
        let signature = who.key.sign(&InputHash::of(&input)).ok_or(Refusal::Key)?;
        let field = unsigned.sign(&STANDARD.encode(signature))?;
        check_usable(&field)?;
        Ok(field)
    }

    /// All tags but `b=`.
    fn tags(&self, who: &Identity, names: &[&str], body_hash: &str) -> Result<FieldWriter, FieldError> {
        let algorithm = if who.key.is_rsa() { Algorithm::RsaSha256 } else { Algorithm::Ed25519Sha256 };
        let mut writer = FieldWriter::new(DKIM_SIGNATURE);
        writer.tag("v", "1")?.tag("a", algorithm.as_str())?.tag("c", &self.recipe.canon.to_string())?;
        writer.tag("d", who.domain.as_str())?.tag("s", who.selector.as_str())?;
        if let Some(agent) = &who.agent {
            writer.tag("i", &agent.quoted())?;
        }
        writer.tag("t", &self.now.secs().to_string())?;
        if let Some(lifetime) = self.recipe.lifetime {
            writer.tag("x", &self.now.add_secs(lifetime).secs().to_string())?;
        }
        writer.list("h", names)?.base64("bh", body_hash)?;
        Ok(writer)
    }
}

/// Octets of an ordinary field of ours; a longer one costs a further allocation.
const USUAL_FIELD: usize = 1024;

/// Our own verifier reads it first, so that no settings make signatures that nobody accepts.
fn check_usable(field: &NewField) -> Result<(), Refusal> {
    let wire = field.wire();
    let section = Header::parse(wire.as_bytes());
    let field = section.fields().next().ok_or(Refusal::Unusable(Fault::TooLong))?;
    SignatureField::parse(field, Family::Dkim).map(|_| ()).map_err(Refusal::Unusable)
}
