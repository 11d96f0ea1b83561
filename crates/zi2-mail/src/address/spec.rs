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
    /// The whole address.
    text: String,
    /// Octets of the local part.
    local: usize,
    /// Nothing where a domain literal stands, with its brackets, in lower case.
    domain: Option<Domain>,
}

impl AddrSpec {
    /// Takes the contents of a local part (quotes and escapes undone), of so many octets, and a domain as it was written.
    pub(super) fn new(contents: String, local: usize, form: DomainForm) -> Option<Self> {
        // A tab can stand in a quoted string; zi2.md §4 signs no control octet.
        if contents.bytes().fold(false, |found, octet| found | octet.is_ascii_control()) {
            return None;
        }
        let domain = contents.get(local..)?;
        let (domain, literal) = match form {
            DomainForm::Name | DomainForm::RootedName => (Some(Domain::parse(domain).ok()?), String::new()),
            DomainForm::Literal => (None, domain.to_ascii_lowercase()),
        };
        let mut text = normalized_local(contents, local)?;
        let local = text.len();
        text.push('@');
        text.push_str(domain.as_ref().map_or(&literal, Domain::as_str));
        Some(Self { text, local, domain })
    }

    /// The domain, if it has a name: `None` for a domain literal such as `[192.0.2.1]`.
    #[must_use]
    pub fn domain(&self) -> Option<&Domain> {
        self.domain.as_ref()
    }

    /// The local part: a dot-atom, or a quoted string with its quotes; ASCII letters in lower case.
    #[must_use]
    pub fn local(&self) -> &str {
        self.text.get(..self.local).unwrap_or_default()
    }

    /// The whole address. Holds no control octet.
    #[must_use]
    pub fn normalized(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for AddrSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// § zi2.md §4: unquoted when a dot-atom, else quoted with only `"` and `\` escaped; ASCII letters lower-cased, no others.
fn normalized_local(mut contents: String, octets: usize) -> Option<String> {
    let local = contents.get(..octets)?;
    let mut atoms = local.as_bytes().split(|octet| *octet == b'.');
    if atoms.all(|atom| !atom.is_empty() && atom.iter().copied().all(is_atext)) {
        contents.truncate(octets);
    } else {
        contents = quoted(local);
    }
    contents.make_ascii_lowercase();
    Some(contents)
}

fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted.push('"');
    quoted
}
