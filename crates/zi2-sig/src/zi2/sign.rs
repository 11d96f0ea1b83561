//! Signing (zi2.md §1 to §5): one field for one message.

use base64::{Engine, engine::general_purpose::STANDARD};
use zi2_mail::{FieldError, FieldWriter, Header, HostName, NewField, NotSmtp, SmtpScan, Timestamp};

use super::body::{BodyHasher, BodyHashes};
use super::payload::{self, DraftParts};
use super::{FIELD_NAME, Form, Unambiguous};
use crate::facts::{AttestationId, Failure};
use crate::hash::{first_octets, sha256};
use crate::{Kid, SigningKey};

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

/// Octets that are looked at and hashed before the next ones are.
const PIECE: usize = 16 * 1024;

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
}

/// A finished signature.
#[derive(Clone, Debug)]
pub struct Signed {
    /// The field to insert.
    pub field: NewField,
    /// What a replay store will know it by.
    pub id: AttestationId,
    /// The body's hashes, with which our own verifier can look at the result.
    pub body: BodyHashes,
}

/// Signs one message. It takes the body chunk by chunk and never keeps it.
pub struct Signer {
    message: Unambiguous,
    identity: Identity,
    form: Form,
    time: Timestamp,
    nonce: [u8; 16],
    covered: Vec<u8>,
    body: BodyHasher,
    scan: SmtpScan,
}

impl Signer {
    /// Checks the header section, from which earlier ZI2 fields must have been removed. `nonce` is 16 random octets.
    pub fn new(
        header: &Header<'_>,
        identity: &Identity,
        form: Form,
        now: Timestamp,
        nonce: [u8; 16],
    ) -> Result<Signer, Refusal> {
        let message = Unambiguous::check(header).map_err(Refusal::Header)?;
        let mut covered = Vec::with_capacity(header.octets().len());
        if form != Form::Draft {
            payload::covered_fields(header, &SIGNED_FIELDS, &mut covered);
        }
        Ok(Signer {
            message,
            identity: identity.clone(),
            form,
            time: now,
            nonce,
            covered,
            body: BodyHasher::new(),
            scan: SmtpScan::new(),
        })
    }

    /// The message as checked.
    pub fn message(&self) -> &Unambiguous {
        &self.message
    }

    /// Takes the next octets of the body, cut anywhere.
    pub fn body(&mut self, chunk: &[u8]) {
        // In pieces that stay in the first-level cache, so that a long body is read from memory once.
        for piece in chunk.chunks(PIECE) {
            self.scan.feed(piece);
            self.body.feed(piece);
        }
    }

    /// The field, signed.
    pub fn finish(self, key: &SigningKey) -> Result<Signed, Refusal> {
        self.scan.finish().map_err(Refusal::NotSmtp)?;
        let body = self.body.finish();
        let text = Text {
            message: self.message,
            identity: self.identity,
            form: self.form,
            time: self.time,
            nonce: self.nonce,
        };
        let (field, replay_nonce) = text.write(self.covered, &STANDARD.encode(body.raw()), key)?;
        Ok(Signed { field, id: AttestationId::of(key.public(), &replay_nonce), body })
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
    fn write(&self, covered: Vec<u8>, body_hash: &str, key: &SigningKey) -> Result<(NewField, [u8; 16]), Refusal> {
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
            writer.list("h", &SIGNED_FIELDS.join(":"))?;
        }
        writer.base64("bh", body_hash)?;
        if is_draft {
            let parts = DraftParts { time: self.time, sid: &self.identity.sid, body_hash, nonce: &nonce };
            let payload = payload::draft_payload(&self.message, &parts).map_err(Refusal::Header)?;
            writer.base64("sig", &STANDARD.encode(key.sign(&payload)))?;
        }
        let replay_nonce = if is_page { sign_page(&mut writer, covered, key)? } else { self.nonce };
        Ok((writer.finish(), replay_nonce))
    }
}

/// §5: `b` covers the field it stands in, itself empty. Gives what §8 knows the signature by.
fn sign_page(writer: &mut FieldWriter, mut input: Vec<u8>, key: &SigningKey) -> Result<[u8; 16], FieldError> {
    let mut unsigned = writer.clone();
    unsigned.base64("b", "")?;
    let unsigned = unsigned.finish().wire();
    payload::own_field(
        unsigned.strip_prefix(FIELD_NAME).and_then(|rest| rest.strip_prefix(':')).unwrap_or_default(),
        &mut input,
    );
    let signature = key.sign(&input);
    writer.base64("b", &STANDARD.encode(signature))?;
    Ok(first_octets(&sha256(&signature)))
}

impl From<FieldError> for Refusal {
    fn from(error: FieldError) -> Refusal {
        Refusal::Field(error)
    }
}
