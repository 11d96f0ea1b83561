//! Signing (zi2.md §1 to §5): one field for one message.

use base64::{Engine, engine::general_purpose::STANDARD};
use zi2_mail::{
    BodyCanon, BodyDigester, DigestPlan, FieldError, FieldWriter, HashAlg, Header, HostName, Lane, NewField, NotSmtp, SmtpScan,
    Timestamp,
};

use super::payload::{self, DraftParts};
use super::{FIELD_NAME, Form, Unambiguous};
use crate::facts::Failure;
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
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signed {
    /// The field to insert.
    pub field: NewField,
    /// What a replay store will know it by.
    pub id: AttestationId,
}

/// Signs one message. It takes the body chunk by chunk and never keeps it.
pub struct Signer {
    message: Unambiguous,
    identity: Identity,
    form: Form,
    time: Timestamp,
    nonce: String,
    covered: Vec<u8>,
    digester: BodyDigester,
    raw: Lane,
    scan: SmtpScan,
}

impl Signer {
    /// Checks the header section, from which earlier ZI2 fields must have been removed. `nonce` is 16 random octets.
    pub fn new(header: &Header<'_>, identity: &Identity, form: Form, now: Timestamp, nonce: [u8; 16]) -> Result<Signer, Refusal> {
        let message = Unambiguous::check(header).map_err(Refusal::Header)?;
        let mut covered = Vec::with_capacity(header.octets().len());
        if form != Form::Draft {
            payload::covered_fields(header, &SIGNED_FIELDS, &mut covered);
        }
        let mut plan = DigestPlan::new();
        let raw = plan.request(BodyCanon::Raw, HashAlg::Sha256);
        Ok(Signer {
            message,
            identity: identity.clone(),
            form,
            time: now,
            nonce: STANDARD.encode(nonce),
            covered,
            digester: plan.start(),
            raw,
            scan: SmtpScan::new(),
        })
    }

    /// The message as checked.
    pub fn message(&self) -> &Unambiguous {
        &self.message
    }

    /// Takes the next octets of the body, cut anywhere.
    pub fn body(&mut self, chunk: &[u8]) {
        self.scan.feed(chunk);
        self.digester.feed(chunk);
    }

    /// The field, signed.
    pub fn finish(self, key: &SigningKey) -> Result<Signed, Refusal> {
        self.scan.finish().map_err(Refusal::NotSmtp)?;
        let body_hash = STANDARD.encode(self.digester.finish().get(self.raw));
        let (form, sid, domain) = (self.form, self.identity.sid.as_str(), self.message.domain().as_str());
        let draft_signature = match form {
            Form::Page => None,
            Form::Draft | Form::Combined => {
                let parts =
                    DraftParts { time: self.time, sid: &self.identity.sid, body_hash: &body_hash, nonce: &self.nonce };
                let payload = payload::draft_payload(&self.message, &parts).map_err(Refusal::Header)?;
                Some(STANDARD.encode(key.sign(&payload)))
            }
        };
        let is_page = form != Form::Draft;
        // §1: the order of tags emitted
        let mut writer = FieldWriter::new(FIELD_NAME);
        let mut tag = |present: bool, name: &str, value: &str| if present { writer.tag(name, value) } else { Ok(()) };
        tag(true, "v", "1")?;
        tag(is_page, "d", domain)?;
        tag(is_page, "s", sid)?;
        tag(form != Form::Page, "sid", sid)?;
        tag(true, "kid", &self.identity.kid.to_string())?;
        tag(true, "t", &self.time.secs().to_string())?;
        tag(form != Form::Page, "n", &self.nonce)?;
        if is_page {
            writer.name_list("h", &SIGNED_FIELDS)?;
        }
        writer.base64("bh", &body_hash)?;
        if let Some(signature) = draft_signature {
            writer.base64("sig", &signature)?;
        }
        if is_page {
            sign_page(&mut writer, self.covered, key)?;
        }
        Ok(Signed { field: writer.finish() })
    }
}

/// §5: `b` covers the field it stands in, itself empty.
fn sign_page(writer: &mut FieldWriter, mut input: Vec<u8>, key: &SigningKey) -> Result<(), FieldError> {
    let mut unsigned = writer.clone();
    unsigned.base64("b", "")?;
    input.extend_from_slice(b"x-zi2-certified:");
    zi2_mail::relaxed_value(unsigned.finish().wire_value().as_bytes(), &mut input);
    writer.base64("b", &STANDARD.encode(key.sign(&input)))
}

impl From<FieldError> for Refusal {
    fn from(error: FieldError) -> Refusal {
        Refusal::Field(error)
    }
}
