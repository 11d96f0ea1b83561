//! Addresses of From, To and Cc, and of the envelope: RFC 5322 §3.4 and §4.4 with the UTF-8 of RFC 6532.
//!
//! Refuses every From that two readers could take for two authors. Never decodes an encoded word, never takes an address
//! from a display name or a comment.

mod grammar;
mod spec;

pub use spec::AddrSpec;

use crate::lexer::LexError;
use grammar::{Grammar, Strictness};

/// The mailboxes of a From field, one at least.
///
/// Holds no groups and no source routes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxList {
    mailboxes: Vec<AddrSpec>,
}

impl MailboxList {
    /// The addresses in order of appearance.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &AddrSpec> {
        self.mailboxes.iter()
    }
}

/// The addresses of a To or Cc field.
///
/// Keeps no group names and no source routes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressList {
    addresses: Vec<AddrSpec>,
}

impl AddressList {
    /// The addresses in order of appearance, those in groups as if they stood alone; none for `undisclosed-recipients:;`.
    pub fn flatten(&self) -> impl ExactSizeIterator<Item = &AddrSpec> {
        self.addresses.iter()
    }

    /// The same, to keep.
    #[must_use]
    pub fn into_flattened(self) -> Vec<AddrSpec> {
        self.addresses
    }
}

/// Reads the author of a message: the one mailbox of its From field, at a domain with a name.
///
/// Refuses a domain literal and an empty list element, since nobody speaks for the one and readers differ over the other.
///
/// ```
/// use zi2_mail::{AddressError, parse_from};
///
/// let author = parse_from(br#" "ceo@bank.example" (boss) <Ann@Example.COM>"#).unwrap();
/// assert_eq!(author.normalized(), "ann@example.com");
/// assert_eq!(parse_from(b" ann@example.com, eve@example.org"), Err(AddressError::Ambiguous));
/// ```
///
/// # Errors
///
/// [`AddressError::Ambiguous`] for a well-formed list that is not one plain mailbox, else what is wrong with the octets.
pub fn parse_from(value: &[u8]) -> Result<AddrSpec, AddressError> {
    let mut mailboxes = parse_mailbox_list(value)?.mailboxes.into_iter();
    match (mailboxes.next(), mailboxes.next()) {
        (Some(author), None) => Ok(author),
        _ => Err(AddressError::Ambiguous),
    }
}

/// Reads the mailboxes of a From field.
///
/// Refuses empty list elements and domain literals; groups and source routes are [`AddressError::Ambiguous`].
///
/// # Errors
///
/// [`AddressError`] says what is wrong.
pub fn parse_mailbox_list(value: &[u8]) -> Result<MailboxList, AddressError> {
    let found = Grammar::new(value, Strictness::Author)?.list()?;
    // Only now: a list that does not parse to its end is wrong, not ambiguous.
    if found.detours > 0 {
        return Err(AddressError::Ambiguous);
    }
    Ok(MailboxList { mailboxes: found.addresses })
}

/// Reads the addresses of a To or Cc field. Empty list elements and groups, domain literals and source routes are allowed.
///
/// Refuses a field without any address or group (RFC 5322 §3.6.3), and a domain that [`Domain`](crate::Domain) refuses.
///
/// # Errors
///
/// [`AddressError`] says what is wrong.
pub fn parse_address_list(value: &[u8]) -> Result<AddressList, AddressError> {
    Ok(AddressList { addresses: Grammar::new(value, Strictness::Recipients)?.list()?.addresses })
}

/// Reads the address of a MAIL or RCPT command, with or without angle brackets. A source route is dropped.
///
/// Refuses, with `None`, everything without an address: `<>`, `<postmaster>`, and what does not parse.
#[must_use]
pub fn parse_envelope_address(argument: &[u8]) -> Option<AddrSpec> {
    Grammar::new(argument, Strictness::Recipients).ok()?.path().ok()
}

/// Why octets are not the addresses a field must hold. The fault is with whoever wrote the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// RFC 5322 with RFC 6532 has nothing like this, or a domain is none.
    #[error("this is no address of RFC 5322 (at octet {offset})")]
    Syntax {
        /// Offset into the value.
        offset: usize,
    },
    /// A well-formed list that is not one plain mailbox: two of them, a group, or a source route.
    #[error("From holds two mailboxes, a group or a source route; it must hold one mailbox")]
    Ambiguous,
    /// Comments nested deeper than [`COMMENT_DEPTH`](crate::limits::COMMENT_DEPTH).
    #[error("comments are nested more than 16 deep")]
    TooDeep,
    /// More addresses than [`ADDRESSES`](crate::limits::ADDRESSES).
    #[error("the field holds more than 1000 addresses")]
    TooMany,
}

impl From<LexError> for AddressError {
    fn from(error: LexError) -> Self {
        match error {
            LexError::Syntax { offset } => Self::Syntax { offset },
            LexError::TooDeep => Self::TooDeep,
        }
    }
}

#[cfg(test)]
mod tests;
