//! One address in its one spelling.
//!
//! Refuses control octets: a normalized address is signed, and logged, as text.

use std::fmt;

use crate::lexer::{DomainForm, is_atext};
use crate::name::Domain;

/// An address, `local@domain`, normalized as zi2.md §4 wants it.
///
/// Two spellings of one address are equal; two addresses that only look alike are not.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AddrSpec {
    local: String,
    domain: AddrDomain,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum AddrDomain {
    Name(Domain),
    /// With its brackets, in lower case.
    Literal(Box<str>),
}

impl AddrSpec {
    /// Takes the contents of a local part (quotes and escapes undone) and a domain as it was written.
    pub(super) fn new(local: &str, domain: &str, form: DomainForm) -> Option<Self> {
        // A tab can stand in a quoted string; zi2.md §4 signs no control octet.
        if local.bytes().chain(domain.bytes()).any(|octet| octet.is_ascii_control()) {
            return None;
        }
        let domain = match form {
            DomainForm::Name | DomainForm::RootedName => AddrDomain::Name(Domain::parse(domain).ok()?),
            DomainForm::Literal => AddrDomain::Literal(domain.to_ascii_lowercase().into_boxed_str()),
        };
        Some(Self { local: normalized_local(local), domain })
    }

    /// The domain, if it has a name: `None` for a domain literal such as `[192.0.2.1]`.
    #[must_use]
    pub fn domain(&self) -> Option<&Domain> {
        match &self.domain {
            AddrDomain::Name(domain) => Some(domain),
            AddrDomain::Literal(_) => None,
        }
    }

    /// The local part: a dot-atom, or a quoted string with its quotes; ASCII letters in lower case.
    #[must_use]
    pub fn local(&self) -> &str {
        &self.local
    }

    /// The whole address. Holds no control octet.
    #[must_use]
    pub fn normalized(&self) -> String {
        let domain = match &self.domain {
            AddrDomain::Name(domain) => domain.as_str(),
            AddrDomain::Literal(literal) => literal,
        };
        [&self.local, "@", domain].concat()
    }
}

impl fmt::Display for AddrSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.domain {
            AddrDomain::Name(domain) => write!(f, "{}@{domain}", self.local),
            AddrDomain::Literal(literal) => write!(f, "{}@{literal}", self.local),
        }
    }
}

/// § zi2.md §4: unquoted when a dot-atom, else quoted with only `"` and `\` escaped; ASCII letters lower-cased, no others.
fn normalized_local(contents: &str) -> String {
    let mut atoms = contents.as_bytes().split(|octet| *octet == b'.');
    if atoms.all(|atom| !atom.is_empty() && atom.iter().copied().all(is_atext)) {
        return contents.to_ascii_lowercase();
    }
    let mut quoted = String::with_capacity(contents.len() + 2);
    quoted.push('"');
    for character in contents.chars() {
        if matches!(character, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(character.to_ascii_lowercase());
    }
    quoted.push('"');
    quoted
}
