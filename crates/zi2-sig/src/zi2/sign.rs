//! Signing (zi2.md §1 to §5): one field for one message.

use base64::{Engine, engine::general_purpose::STANDARD};
use zi2_mail::{
    BodyCanon, DigestPlan, Digests, FieldError, FieldWriter, HashAlg, Header, HeaderCanon, HostName, Lane, NewField,
    NotSmtp, Timestamp,
};

use super::field::ReplayNonce;
use super::payload::{self, DraftParts};
use super::{FIELD_NAME, Form, Unambiguous};
use crate::facts::{AttestationId, Failure};
use crate::{Kid, PublicKey, SigningKey};

/// §1: the signer's default h=. Naming an absent field covers its absence.
const SIGNED_FIELDS: [&str; 13] = [
    "from",
    "to",
    "cc",
    "reply-to",
    "sender",
    "subject",
    "date",
    "message-id",
    "in-reply-to",
    "references",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
];

/// Who signs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    /// The server's name.
    pub sid: HostName,
    /// The key's identifier.
    pub kid: Kid,
}

/// Why a message is not certified. The message itself is fine to deliver.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// The header section breaks a rule of §2.
    Header(Failure),
    /// SMTP cannot carry the body unchanged (§3).
    NotSmtp(NotSmtp),
    /// A name or a value did not fit a header field: a fault of the caller.
    Field(FieldError),
    /// These are not the digests of the plan that was asked: a fault of the caller.
    Digests,
}

/// A finished signature.
#[derive(Clone, Debug)]
pub struct Signed {
    /// The field to insert.
    pub field: NewField,
    key: PublicKey,
    nonce: ReplayNonce,
}

impl Signed {
    /// What a replay store will know it by.
    pub fn id(&self) -> AttestationId {
        AttestationId::of(self.key, &self.nonce.octets())
    }
}

/// Signs one message. It never sees the body: `plan` digests it, for others too.
pub struct Signer {
    message: Unambiguous,
    identity: Identity,
    form: Form,
    time: Timestamp,
    nonce: [u8; 16],
    covered: Vec<u8>,
    body: Lane,
}

impl Signer {
    /// Checks the header section, from which earlier ZI2 fields must have been removed, and asks `plan` for what is to be
    /// known of the body. `nonce` is 16 random octets.
    ///
    /// # Errors
    /// [`Refusal::Header`].
    pub fn new(
        header: &Header<'_>,
        identity: &Identity,
        form: Form,
        now: Timestamp,
        nonce: [u8; 16],
        plan: &mut DigestPlan,
    ) -> Result<Signer, Refusal> {
        let (message, once) = Unambiguous::with_fields(header).map_err(Refusal::Header)?;
        let mut covered = Vec::new();
        if form != Form::Draft {
            covered.reserve(header.octets().len());
            payload::covered_fields(header, once, &SIGNED_FIELDS, &mut covered);
        }
        plan.request_smtp();
        let body = plan.request(BodyCanon::Raw, HashAlg::Sha256);
        Ok(Signer { message, identity: identity.clone(), form, time: now, nonce, covered, body })
    }

    /// The message as checked.
    pub fn message(&self) -> &Unambiguous {
        &self.message
    }

    /// The field, signed, once the body has been digested by the plan that was asked.
    ///
    /// # Errors
    /// [`Refusal`]; a body that SMTP cannot carry unchanged is not signed.
    pub fn finish(self, digests: &Digests, key: &SigningKey) -> Result<Signed, Refusal> {
        digests.smtp().ok_or(Refusal::Digests)?.map_err(Refusal::NotSmtp)?;
        let body_hash = STANDARD.encode(digests.get(self.body));
        let text = Text {
            message: self.message,
            identity: self.identity,
            form: self.form,
            time: self.time,
            nonce: self.nonce,
        };
        let (field, nonce) = text.write(self.covered, &body_hash, key)?;
        Ok(Signed { field, key: key.public(), nonce })
    }
}

/// What the field says, all but the body hash and the signatures.
struct Text {
    message: Unambiguous,
    identity: Identity,
    form: Form,
    time: Timestamp,
    nonce: [u8; 16],
}

impl Text {
    /// §1: the order of tags emitted.
    fn write(&self, covered: Vec<u8>, body_hash: &str, key: &SigningKey) -> Result<(NewField, ReplayNonce), Refusal> {
        let (is_draft, is_page) = (self.form != Form::Page, self.form != Form::Draft);
        let (sid, nonce) = (self.identity.sid.as_str(), STANDARD.encode(self.nonce));
        let mut writer = FieldWriter::new(FIELD_NAME);
        writer.tag("v", "1")?;
        if is_page {
            writer.tag("d", self.message.domain().as_str())?.tag("s", sid)?;
        }
        if is_draft {
            writer.tag("sid", sid)?;
        }
        writer.tag("kid", &self.identity.kid.to_string())?.tag("t", &self.time.secs().to_string())?;
        if is_draft {
            writer.tag("n", &nonce)?;
        }
        if is_page {
            writer.list("h", &SIGNED_FIELDS)?;
        }
        writer.base64("bh", body_hash)?;
        if is_draft {
            let parts = DraftParts { time: self.time, sid: &self.identity.sid, body_hash, nonce: &nonce };
            let payload = payload::draft_payload(&self.message, &parts).map_err(Refusal::Header)?;
            writer.base64("sig", &STANDARD.encode(key.sign(&payload)))?;
        }
        if is_page {
            return Ok(sign_page(writer, covered, key)?);
        }
        Ok((writer.finish(), ReplayNonce::Draft(self.nonce)))
    }
}

/// §5: `b` covers the field it stands in, itself empty.
fn sign_page(writer: FieldWriter, mut input: Vec<u8>, key: &SigningKey) -> Result<(NewField, ReplayNonce), FieldError> {
    let unsigned = writer.unsigned("b")?;
    unsigned.write(HeaderCanon::Relaxed, &mut input);
    let signature = key.sign(&input);
    Ok((unsigned.sign(&STANDARD.encode(signature))?, ReplayNonce::Page(signature)))
}

impl From<FieldError> for Refusal {
    fn from(error: FieldError) -> Refusal {
        Refusal::Field(error)
    }
}
