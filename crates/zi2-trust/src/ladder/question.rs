//! The ladder's questions and answers, as values.

use std::fmt;

use zi2_mail::Domain;
use zi2_sig::{KeyDocument, Kid, Trouble};

/// A place where keys may stand.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Place {
    /// `_zi2cert.<From domain>`: place 1.
    AuthorRecord,
    /// `_zi2cert.<kid>.<From domain>`: place 2.
    PageRecord,
    /// `<kid>.<From domain>`, whose owner must not exist.
    PageParent,
    /// The document at the From domain's HTTPS host.
    AuthorDocument,
    /// `_zi2cert.<sid>`: confirms the server's name only.
    ServerRecord,
    /// The document at the sid's HTTPS host: confirms the server's name only.
    ServerDocument,
}

impl Place {
    pub(crate) const ALL: [Place; 6] = [
        Place::AuthorRecord,
        Place::AuthorDocument,
        Place::ServerRecord,
        Place::ServerDocument,
        Place::PageRecord,
        Place::PageParent,
    ];
}

/// A question for the world.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Ask {
    /// The TXT records of a name.
    Txt(QueryName),
    /// Whether a name has an A, AAAA, MX or NS record.
    Exists(QueryName),
    /// The key document at a host.
    Document(Domain),
}

/// The world's answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Told {
    /// TXT records; none if the name does not exist.
    Txt(TxtAnswer),
    /// Whether the name exists as asked.
    Exists(bool),
    /// The document, if the host serves one.
    Document(Option<KeyDocument>),
    /// No answer.
    Trouble(Trouble),
}

/// The TXT records of a name, each with its strings joined.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TxtAnswer {
    /// The records.
    pub records: Vec<Vec<u8>>,
    /// Their DNSSEC state.
    pub dnssec: Dnssec,
}

/// The DNSSEC state of an answer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Dnssec {
    /// Validated by a resolver we trust.
    Secure,
    /// Not signed, or nobody validated.
    Insecure,
    /// Validation failed.
    Bogus,
}

impl Dnssec {
    /// The word in JSON and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Dnssec::Secure => "secure",
            Dnssec::Insecure => "insecure",
            Dnssec::Bogus => "bogus",
        }
    }
}

/// A name to ask DNS for, without a final dot. It is built from checked parts only, so no octet of a message gets in.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct QueryName(String);

impl QueryName {
    /// `_zi2cert.<domain>`.
    pub fn record(domain: &Domain) -> QueryName {
        QueryName(format!("_zi2cert.{}", domain.as_str()))
    }

    /// `_zi2cert.<kid>.<domain>`.
    pub fn page_record(kid: Kid, domain: &Domain) -> QueryName {
        QueryName(format!("_zi2cert.{kid}.{}", domain.as_str()))
    }

    /// `<kid>.<domain>`.
    pub fn page_parent(kid: Kid, domain: &Domain) -> QueryName {
        QueryName(format!("{kid}.{}", domain.as_str()))
    }

    /// `_zi2policy.<domain>`.
    pub fn policy(domain: &Domain) -> QueryName {
        QueryName(format!("_zi2policy.{}", domain.as_str()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for QueryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
