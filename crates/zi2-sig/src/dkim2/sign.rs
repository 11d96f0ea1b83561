//! Signing (§ -08 12): a first hop for a message of our own, a further hop for one that was verified.

mod extend;
mod write;

use std::sync::Arc;

use zi2_mail::{
    BodyCanon, DefectKind, DigestPlan, Digests, Domain, FieldError, HashAlg, Header, Lane, NewField, NotSmtp,
    Timestamp, limits as mail_limits,
};

use self::write::{hash_parts, instance_field, signature_field};
use super::recipe::HeaderVersion;
use super::verify::author;
use super::{
    Algorithm, Binding, Brackets, Chain, Draft, Envelope, Failure, Instance, MlDsaSigningKey, NotUndoable, Problem,
    Signature,
};
use crate::dkim::{DkimSigningKey, Selector};

pub use extend::{Extension, extend, extend_through, recipe_for};

/// Who signs: the domain, and alternatives of keys, of each of which all must verify.
#[derive(Clone)]
pub struct Identity {
    /// `d=`.
    pub domain: Domain,
    /// `s=`.
    pub groups: Vec<Vec<SigningMember>>,
}

/// One key of an identity.
#[derive(Clone)]
pub struct SigningMember {
    /// Under which selector its public half is published.
    pub selector: Selector,
    /// The key.
    pub key: PrivateKey,
}

/// A private key of one of the algorithms.
#[derive(Clone)]
pub enum PrivateKey {
    /// RSA or Ed25519.
    Dkim(Arc<DkimSigningKey>),
    /// ML-DSA-44, with randomness that nothing else is signed with.
    MlDsa(Arc<MlDsaSigningKey>, [u8; 32]),
}

impl PrivateKey {
    /// The algorithm it signs by.
    pub fn algorithm(&self) -> Algorithm {
        match self {
            PrivateKey::Dkim(key) if key.is_rsa() => Algorithm::RsaSha256,
            PrivateKey::Dkim(_) => Algorithm::Ed25519Sha256,
            PrivateKey::MlDsa(..) => Algorithm::MlDsa44,
        }
    }
}

/// What one signature says beside who made it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Terms {
    /// The draft it is made by.
    pub draft: Draft,
    /// `t=`.
    pub now: Timestamp,
    /// To whom the message will be sent, with the envelope that will really be used.
    pub binding: Binding,
    /// `f=`.
    pub flags: Vec<Flag>,
    /// `n=`.
    pub nonce: Option<String>,
    /// The algorithms of a new Message-Instance.
    pub hashes: HashChoice,
}

/// What a signer may say in `f=`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flag {
    /// This hop sends the message to more than one address; not for the first hop.
    Exploded,
    /// This signer wants feedback.
    Feedback,
    /// Feedback shall go through this hop.
    FeedHere,
}

impl Flag {
    /// The word in `f=`.
    pub fn as_str(self) -> &'static str {
        match self {
            Flag::Exploded => "exploded",
            Flag::Feedback => "feedback",
            Flag::FeedHere => "feedhere",
        }
    }
}

/// With what a version is hashed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum HashChoice {
    /// SHA-256.
    #[default]
    Sha256,
    /// SHA-512.
    Sha512,
    /// Both, of which both must match.
    Both,
}

impl HashChoice {
    fn algorithms(self) -> &'static [HashAlg] {
        match self {
            HashChoice::Sha256 => &[HashAlg::Sha256],
            HashChoice::Sha512 => &[HashAlg::Sha512],
            HashChoice::Both => &[HashAlg::Sha256, HashAlg::Sha512],
        }
    }
}

impl Binding {
    /// The binding to the envelope of a transaction; nothing for one that is not known.
    pub fn of(envelope: &Envelope) -> Option<Binding> {
        let sender = envelope.sender()?.clone();
        envelope.is_known().then(|| Binding::Envelope { sender, recipients: envelope.recipients().to_vec() })
    }
}

/// Why a message is not signed. The message itself may be fine to deliver.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// The header section is larger than is read, or can be read in several ways.
    #[error("the header section is too large or malformed ({0:?})")]
    Section(DefectKind),
    /// SMTP would change the message.
    #[error("{0}")]
    NotSmtp(NotSmtp),
    /// A first hop for a message that has one.
    #[error("the message has DKIM2 fields already; verify it and extend its chain")]
    AlreadySigned,
    /// From is not one mailbox at or below the signing domain.
    #[error("From is not one mailbox at or below {0}; sign as its domain, or rewrite From")]
    From(Domain),
    /// The envelope sender is not at or below the signing domain.
    #[error("MAIL FROM is not at or below {0}; sign as its domain")]
    Sender(Domain),
    /// No recipients, or one without a domain.
    #[error("the envelope has no recipient, or one without a domain; complete it")]
    Recipients,
    /// The hop before did not send to this one.
    #[error(
        "the hop before did not send the message here; sign for the recipient's domain, with nd= where another sends it on"
    )]
    Custody(Problem),
    /// `exploded` on the first hop.
    #[error("the first hop cannot say exploded")]
    ExplodedAtOrigin,
    /// What was verified is not what the snapshot holds.
    #[error("the snapshot is not the message that was verified")]
    NotTheSnapshot,
    /// DKIM2 fields were changed or lost on the way through.
    #[error("DKIM2 fields of the message were changed here; keep them as they came")]
    FieldsChanged,
    /// A header change cannot be undone.
    #[error(transparent)]
    NotUndoable(#[from] NotUndoable),
    /// A body change cannot be undone, or only by a recipe beyond all bounds.
    #[error("the change of the body cannot be put into a recipe; wrap the original body instead of editing it")]
    BodyNotUndoable,
    /// Our own recipe does not lead back: a fault of ours.
    #[error("the recipe does not lead back to the message as it came")]
    SelfCheck,
    /// A verifier would refuse the signature: a fault of the settings.
    #[error("the signature would be refused by verifiers ({0}); check domain, selectors, nonce and chain")]
    Unusable(Failure),
    /// A name or a value did not fit a header field: a fault of the settings.
    #[error("the signature cannot be written: {0}")]
    Field(#[from] FieldError),
    /// There is no key, or the crypto library failed.
    #[error("there is no key to sign with, or the crypto library failed")]
    Key,
}

/// Signs the first hop of a message. It never sees the body: `plan` digests it.
pub struct Originator {
    terms: Terms,
    identity: Identity,
    headers: Vec<Box<[u8]>>,
    lanes: Vec<Lane>,
    /// Octets and fields of the header section, to which ours come.
    size: (usize, usize),
}

impl Originator {
    /// Takes what it needs of the header section, and asks `plan` for digests of the body.
    ///
    /// A body that SMTP cannot carry unchanged is signed as it is: who lets such mail through must change it before
    /// ([`zi2_mail::SmtpScan`] finds it).
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn new(
        header: &Header<'_>,
        terms: Terms,
        identity: Identity,
        plan: &mut DigestPlan,
    ) -> Result<Originator, Refusal> {
        if let Some(defect) = header.ambiguity() {
            return Err(Refusal::Section(defect.kind));
        }
        // From the bottom, as whoever verifies counts: with blanks before the colon, too.
        if header.from_bottom().any(|field| Instance::is(field) || Signature::is(field)) {
            return Err(Refusal::AlreadySigned);
        }
        // § -08 12: from the second hop on
        if terms.flags.contains(&Flag::Exploded) {
            return Err(Refusal::ExplodedAtOrigin);
        }
        check_binding(&terms.binding, &identity.domain)?;
        let version = HeaderVersion::of(header, terms.draft);
        check_from(&version, &identity.domain)?;
        let algorithms = terms.hashes.algorithms();
        let headers = algorithms.iter().map(|algorithm| version.hash(*algorithm)).collect();
        let lanes = algorithms.iter().map(|algorithm| plan.request(BodyCanon::Simple, *algorithm)).collect();
        let size = (header.octets().len(), header.from_bottom().count());
        Ok(Originator { terms, identity, headers, lanes, size })
    }

    /// The fields to be put on top of the message, the upper one first.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn finish(&self, digests: &Digests) -> Result<Vec<NewField>, Refusal> {
        let bodies = self.lanes.iter().map(|lane| Box::from(digests.get(*lane))).collect::<Vec<_>>();
        let hashes = hash_parts(self.terms.hashes, &self.headers, &bodies);
        let instance = instance_field(1, &hashes, None)?;
        let before = write::parsed_instance(&instance, self.terms.draft)?.signed_form;
        let signature = signature_field(1, 1, &self.terms, &self.identity, &before)?;
        self.check_whole(&[&signature, &instance])?;
        Ok(vec![signature, instance])
    }

    /// What goes out must be a chain that is read: our fields may make the header section too long.
    fn check_whole(&self, fields: &[&NewField]) -> Result<(), Refusal> {
        let section: String = fields.iter().flat_map(|field| [field.wire(), "\r\n".to_owned()]).collect();
        let (octets, count) = self.size;
        if octets + section.len() > mail_limits::HEADER_OCTETS || count + fields.len() > mail_limits::HEADER_FIELDS {
            return Err(Refusal::Section(DefectKind::TooLarge));
        }
        match Chain::read(&Header::parse(section.as_bytes()), self.terms.draft, Brackets::Required) {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err(Refusal::SelfCheck),
            Err(failure) => Err(Refusal::Unusable(failure)),
        }
    }
}

/// § -08 10.8: the sender is under the signing domain, and every recipient has a domain.
fn check_binding(binding: &Binding, domain: &Domain) -> Result<(), Refusal> {
    let Binding::Envelope { sender, recipients } = binding else { return Ok(()) };
    if !sender.is_null() && !sender.domain().is_some_and(|sender| sender.is_within(domain)) {
        return Err(Refusal::Sender(domain.clone()));
    }
    match recipients.is_empty() || recipients.iter().any(|recipient| recipient.domain().is_none()) {
        true => Err(Refusal::Recipients),
        false => Ok(()),
    }
}

/// § -08 11.
fn check_from(version: &HeaderVersion<'_>, domain: &Domain) -> Result<(), Refusal> {
    match author(version).is_some_and(|from| from.is_within(domain)) {
        true => Ok(()),
        false => Err(Refusal::From(domain.clone())),
    }
}
