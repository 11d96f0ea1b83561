//! The header edits of one message. Bodies and envelopes cannot be edited, and no value can smuggle in a field.

use std::num::NonZeroU32;

use super::reply::Reply;
use crate::limits;

/// Why an edit cannot be made; the program is at fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum EditError {
    /// A name is 1 to 256 printable ASCII octets without a colon.
    #[error("not a header field name")]
    Name,
    /// A value of nothing but white space would delete the field.
    #[error("a header value must not be blank; use delete")]
    Blank,
    /// CR, NUL, or a LF that no white space follows. MTAs want folds as a bare LF.
    #[error("octet {offset} of the header value must not stand there; folds are LF and white space, without CR")]
    Octet {
        /// Where it is.
        offset: usize,
    },
    /// Longer than an MTA passes on whole.
    #[error("a header value of {octets} octets; at most {} reach the recipient whole", limits::HEADER_VALUE)]
    TooLong {
        /// Its length.
        octets: usize,
    },
    /// More edits than one message may have.
    #[error("more than {} edits, or {} octets of them, for one message", limits::EDITS, limits::EDIT_OCTETS)]
    TooMany,
}

/// A header field name, checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeaderName(Box<[u8]>);

impl HeaderName {
    /// Takes a name. Colons, spaces, control and 8-bit octets are refused.
    ///
    /// # Errors
    /// [`EditError::Name`].
    pub fn new(name: impl AsRef<[u8]>) -> Result<HeaderName, EditError> {
        let name = name.as_ref();
        let fits = (1..=limits::HEADER_NAME).contains(&name.len());
        // RFC 5322 §2.2
        let printable = name.iter().all(|octet| matches!(octet, 0x21..=0x39 | 0x3b..=0x7e));
        if fits && printable { Ok(HeaderName(name.into())) } else { Err(EditError::Name) }
    }

    /// The octets.
    pub fn as_octets(&self) -> &[u8] {
        &self.0
    }
}

/// A header field value, exact as after the colon: the leading space is part of it, folds are LF and white space.
/// It cannot hold CR, NUL or an end of the field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeaderValue(Box<[u8]>);

impl HeaderValue {
    /// Takes a value.
    ///
    /// # Errors
    /// [`EditError`] for octets that would break the header, blank and overlong values.
    pub fn new(value: impl AsRef<[u8]>) -> Result<HeaderValue, EditError> {
        let value = value.as_ref();
        if value.len() > limits::HEADER_VALUE {
            return Err(EditError::TooLong { octets: value.len() });
        }
        if value.iter().all(|octet| matches!(octet, b' ' | b'\t' | b'\n')) {
            return Err(EditError::Blank);
        }
        let followers = value.iter().skip(1).map(Some).chain([None]);
        let stray = value.iter().zip(followers).position(|(octet, next)| match octet {
            b'\r' | 0 => true,
            b'\n' => !matches!(next, Some(b' ' | b'\t')),
            _ => false,
        });
        match stray {
            Some(offset) => Err(EditError::Octet { offset }),
            None => Ok(HeaderValue(value.into())),
        }
    }

    /// The octets, leading space included.
    pub fn as_octets(&self) -> &[u8] {
        &self.0
    }
}

/// The edits of one message. However they are entered, they are sent so that a cut connection does least harm and
/// Postfix and Sendmail agree on every index: deletions first, last occurrence first; then changes; then insertions.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Edits {
    deletions: Vec<(HeaderName, NonZeroU32)>,
    changes: Vec<(HeaderName, NonZeroU32, HeaderValue)>,
    insertions: Vec<(Place, HeaderName, HeaderValue)>,
    octets: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Index(u32),
    End,
}

impl Edits {
    /// No edits.
    pub fn new() -> Edits {
        Edits::default()
    }

    /// Deletes an occurrence of a field; the first one is 1, counted in the message as it arrived.
    ///
    /// # Errors
    /// [`EditError::TooMany`].
    pub fn delete(&mut self, name: HeaderName, occurrence: NonZeroU32) -> Result<(), EditError> {
        self.admit(name.0.len())?;
        self.deletions.push((name, occurrence));
        Ok(())
    }

    /// Replaces the value of an occurrence, counted after the deletions; Postfix adds a field where there is none.
    ///
    /// # Errors
    /// [`EditError::TooMany`].
    pub fn change(&mut self, name: HeaderName, occurrence: NonZeroU32, value: HeaderValue) -> Result<(), EditError> {
        self.admit(name.0.len() + value.0.len())?;
        self.changes.push((name, occurrence, value));
        Ok(())
    }

    /// Puts a field at a place from the top. 0 is above the MTA's own Received field, 1 directly below it.
    ///
    /// # Errors
    /// [`EditError::TooMany`].
    pub fn insert(&mut self, index: u32, name: HeaderName, value: HeaderValue) -> Result<(), EditError> {
        self.admit(name.0.len() + value.0.len())?;
        self.insertions.push((Place::Index(index), name, value));
        Ok(())
    }

    /// Puts a field at the end of the header section.
    ///
    /// # Errors
    /// [`EditError::TooMany`].
    pub fn append(&mut self, name: HeaderName, value: HeaderValue) -> Result<(), EditError> {
        self.admit(name.0.len() + value.0.len())?;
        self.insertions.push((Place::End, name, value));
        Ok(())
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many edits there are.
    pub fn len(&self) -> usize {
        self.deletions.len() + self.changes.len() + self.insertions.len()
    }

    /// Whether fields are changed or deleted.
    pub(crate) fn changes_fields(&self) -> bool {
        !(self.deletions.is_empty() && self.changes.is_empty())
    }

    /// Whether fields are added.
    pub(crate) fn adds_fields(&self) -> bool {
        !self.insertions.is_empty()
    }

    /// The edits as replies, in the order to send them.
    pub(crate) fn replies(&self) -> impl Iterator<Item = Reply<'_>> {
        let mut deletions: Vec<&(HeaderName, NonZeroU32)> = self.deletions.iter().collect();
        // Postfix counts what is left, Sendmail what was there; from the last to the first both mean the same.
        deletions.sort_by_key(|(_, occurrence)| std::cmp::Reverse(*occurrence));
        let deletions =
            deletions.into_iter().map(|(name, occurrence)| Reply::DeleteHeader { name, occurrence: *occurrence });
        let changes = self.changes.iter();
        let changes =
            changes.map(|(name, occurrence, value)| Reply::ChangeHeader { name, occurrence: *occurrence, value });
        let insertions = self.insertions.iter().map(|(place, name, value)| match place {
            Place::Index(index) => Reply::InsertHeader { index: *index, name, value },
            Place::End => Reply::AddHeader { name, value },
        });
        deletions.chain(changes).chain(insertions)
    }

    fn admit(&mut self, octets: usize) -> Result<(), EditError> {
        let octets = self.octets.saturating_add(octets);
        if self.len() >= limits::EDITS || octets > limits::EDIT_OCTETS {
            return Err(EditError::TooMany);
        }
        self.octets = octets;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values() {
        for (name, good) in [("X-A", true), ("", false), ("X A", false), ("X:A", false), ("Ä", false), ("A\n", false)]
        {
            assert_eq!(HeaderName::new(name).is_ok(), good, "{name:?}");
        }
        assert!(HeaderName::new("a".repeat(limits::HEADER_NAME)).is_ok());
        assert_eq!(HeaderName::new("a".repeat(limits::HEADER_NAME + 1)), Err(EditError::Name));
        let table: &[(&[u8], Option<EditError>)] = &[
            (b" plain", None),
            (b"no space", None),
            (b" a\n b\n\tc", None),
            ("ü".as_bytes(), None),
            (b"", Some(EditError::Blank)),
            (b" \t", Some(EditError::Blank)),
            (b" a\r\n b", Some(EditError::Octet { offset: 2 })),
            (b" a\nX: b", Some(EditError::Octet { offset: 2 })),
            (b" a\n", Some(EditError::Octet { offset: 2 })),
            (b"a\n\n b", Some(EditError::Octet { offset: 1 })),
            (b"a\0", Some(EditError::Octet { offset: 1 })),
        ];
        for (value, error) in table {
            assert_eq!(HeaderValue::new(value).err(), *error, "{value:?}");
        }
        let long = vec![b'a'; limits::HEADER_VALUE + 1];
        assert!(HeaderValue::new(&long[1..]).is_ok());
        assert_eq!(HeaderValue::new(&long).err(), Some(EditError::TooLong { octets: long.len() }));
    }

    #[test]
    fn deletions_go_first_from_the_last_occurrence() {
        let name = |text| HeaderName::new(text).unwrap();
        let value = |text| HeaderValue::new(text).unwrap();
        let nth = |n| NonZeroU32::new(n).unwrap();
        let mut edits = Edits::new();
        edits.insert(0, name("New"), value(" 1")).unwrap();
        edits.delete(name("A"), nth(1)).unwrap();
        edits.change(name("B"), nth(1), value(" 2")).unwrap();
        edits.append(name("Last"), value(" 3")).unwrap();
        edits.delete(name("A"), nth(3)).unwrap();
        let order: Vec<(u8, u32)> = edits
            .replies()
            .map(|reply| match reply {
                Reply::DeleteHeader { occurrence, .. } => (b'-', occurrence.get()),
                Reply::ChangeHeader { occurrence, .. } => (b'm', occurrence.get()),
                Reply::InsertHeader { index, .. } => (b'i', index),
                _ => (b'h', 0),
            })
            .collect();
        assert_eq!(order, [(b'-', 3), (b'-', 1), (b'm', 1), (b'i', 0), (b'h', 0)]);
    }

    #[test]
    fn edits_are_bounded() {
        let (name, nth) = (HeaderName::new("A").unwrap(), NonZeroU32::MIN);
        let mut edits = Edits::new();
        assert!((0..limits::EDITS).all(|_| edits.delete(name.clone(), nth).is_ok()));
        assert_eq!(edits.delete(name.clone(), nth), Err(EditError::TooMany));
    }

    #[test]
    fn octets_of_edits_are_bounded() {
        let (name, nth) = (HeaderName::new("A").unwrap(), NonZeroU32::MIN);
        let value = |octets: usize| HeaderValue::new(vec![b'a'; octets]).unwrap();
        let mut edits = Edits::new();
        let mut room = limits::EDIT_OCTETS;
        while room > 1 + limits::HEADER_VALUE {
            edits.append(name.clone(), value(limits::HEADER_VALUE)).unwrap();
            room -= 1 + limits::HEADER_VALUE;
        }
        assert_eq!(edits.clone().insert(0, name.clone(), value(room)), Err(EditError::TooMany));
        assert_eq!(edits.clone().change(name.clone(), nth, value(room)), Err(EditError::TooMany));
        edits.append(name.clone(), value(room - 1)).unwrap();
        assert_eq!(edits.delete(name, nth), Err(EditError::TooMany));
    }
}
