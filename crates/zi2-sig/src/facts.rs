//! What a verification found: plain data, without an opinion.

use zi2_mail::{DefectKind, Domain, Timestamp};

use crate::hash::{first_octets, sha256};
use crate::{Certified, Form, Kid, Origin, PublicKey, Trouble, Unambiguous};

/// All that is true of a message as far as ZI2 can tell.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Facts {
    /// The outcome of the checks, in the order of zi2.md §7.
    pub outcome: Outcome,
    /// The domain of the single From mailbox, where the message has one.
    pub from: Option<Domain>,
    /// The header section, where it is unambiguous.
    pub message: Option<Unambiguous>,
    /// The header field, where it could be read; what it says is only proven by [`Outcome::Verified`].
    pub certified: Option<Certified>,
}

/// The outcome of the checks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// There is no `X-ZI2-Certified` field.
    Absent,
    /// A check failed for good.
    Failed(Failure),
    /// The key holder signed something else than what arrived.
    Tampered(Part, Attested),
    /// The key could not be asked for now.
    Unavailable(Trouble),
    /// All holds, but the signing time is older than the window.
    Expired(Attested),
    /// All holds.
    Verified(Attested),
}

/// The part of a message that differs from what was signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// The body.
    Body,
    /// A header field that only the page form covers.
    Header,
}

/// Evidence: a signature of this key over this header was verified. Made in `zi2/verify.rs` and nowhere else.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attested {
    key: PublicKey,
    origin: Origin,
    kid: Kid,
    form: Form,
    time: Timestamp,
    id: AttestationId,
}

impl Attested {
    pub(crate) fn new(key: PublicKey, origin: Origin, certified: &Certified) -> Attested {
        let (kid, form, time, nonce) = (certified.kid, certified.form, certified.time, certified.replay_nonce());
        Attested { key, origin, kid, form, time, id: AttestationId::of(key, &nonce) }
    }

    /// The key that verified.
    pub fn key(&self) -> PublicKey {
        self.key
    }

    /// The strongest source that holds it.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Its identifier.
    pub fn kid(&self) -> Kid {
        self.kid
    }

    /// The form that was verified.
    pub fn form(&self) -> Form {
        self.form
    }

    /// The signing time.
    pub fn time(&self) -> Timestamp {
        self.time
    }

    /// What the replay store knows this attestation by.
    pub fn id(&self) -> AttestationId {
        self.id
    }
}

/// One attestation among all: the public key and the nonce, hashed (zi2.md §8). It says nothing about the message.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AttestationId([u8; 16]);

impl AttestationId {
    pub(crate) fn of(key: PublicKey, nonce: &[u8; 16]) -> AttestationId {
        let mut octets = [0; 48];
        octets.iter_mut().zip(key.as_octets().iter().chain(nonce)).for_each(|(to, from)| *to = *from);
        AttestationId(first_octets(&sha256(&octets)))
    }

    /// The identifier of these octets, as read back from a store.
    pub const fn from_octets(octets: [u8; 16]) -> AttestationId {
        AttestationId(octets)
    }

    /// The octets.
    pub fn as_octets(&self) -> &[u8; 16] {
        &self.0
    }
}

/// A check that failed for good. Each one is somebody's fault: see `zi2-trust`'s reasons for whose.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Failure {
    /// The header section, or a field the payload needs, or the ZI2 field, is not what its grammar allows.
    Syntax(SyntaxFault),
    /// A field that may appear once appears more often.
    Duplicate(&'static str),
    /// A field every certified message has is missing.
    MissingField(&'static str),
    /// From does not name exactly one mailbox.
    FromAmbiguous,
    /// `v=` is not 1.
    Version,
    /// `d=` is not the From domain.
    DomainMismatch,
    /// `h=` leaves out a field that must be signed.
    Uncovered(&'static str),
    /// Signed in the future.
    Future,
    /// Nobody publishes a key with this identifier.
    KeyNotFound,
    /// The key is held, but may not speak for the From domain.
    KeyUnauthorized,
    /// The domain revoked the key.
    KeyRevoked,
    /// The domain publishes more keys with this identifier than are tried.
    TooManyKeys,
    /// No key verifies the signature.
    SignatureInvalid,
}

/// What exactly is malformed, for `--explain`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SyntaxFault {
    /// The header section, at an octet offset.
    Section(DefectKind, usize),
    /// The From, To or Message-ID field.
    Field(&'static str),
    /// A value that must go into the payload holds a control octet.
    Control(&'static str),
    /// The ZI2 field as a whole.
    Certified(&'static str),
    /// One tag of it is missing or malformed.
    Tag(&'static str),
}
