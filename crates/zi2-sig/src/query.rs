//! What a verifier wants to know about keys, and what it can be told.

use zi2_mail::{Domain, HostName};

use crate::{Kid, PublicKey};

/// The one question of a verifier: which keys with this identifier may speak for this domain?
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyQuery {
    /// The domain of the From mailbox.
    pub from: Domain,
    /// The key identifier in the header.
    pub kid: Kid,
    /// The server the header names; nothing is believed of it.
    pub sid: HostName,
}

/// The answer. Domain authorization (zi2.md §6) has been settled: every candidate may speak for the From domain.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct KeyAnswer {
    /// Authorized keys, each once, with the strongest source that holds it.
    pub candidates: Vec<Candidate>,
    /// The domain published more keys than we try.
    pub too_many: bool,
    /// The domain revoked the key of this identifier and has no live one.
    pub revoked: bool,
    /// A key with this identifier is held or offered by somebody who may not speak for the domain.
    pub unauthorized: bool,
    /// A place that could not be asked.
    pub trouble: Option<Trouble>,
}

/// A key to try.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// The key.
    pub key: PublicKey,
    /// Its strongest source.
    pub origin: Origin,
}

/// Where a key came from, weakest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Origin {
    /// The document at the From domain's HTTPS host.
    Https,
    /// The From domain's DNS.
    Dns,
    /// A direct exchange with the server.
    Exchanged,
    /// Our own key store.
    Local,
}

/// Why a place could not be asked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Trouble {
    /// No answer in time, or the message's budget is spent.
    Timeout,
    /// The resolver could not get an answer.
    ServFail,
    /// The answer failed DNSSEC validation.
    Bogus,
}

impl From<PublicKey> for KeyAnswer {
    /// One key from DNS: for examples and tests.
    fn from(key: PublicKey) -> KeyAnswer {
        KeyAnswer { candidates: vec![Candidate { key, origin: Origin::Dns }], ..KeyAnswer::default() }
    }
}
