//! Lists of addresses: RFC 5322 §3.4 and §4.4, one pass from left to right.
//!
//! Finds addresses and counts what is not plain; whether that is allowed is decided above.

use std::mem;

use super::{AddrSpec, AddressError};
use crate::lexer::{DomainForm, Lexer, Words};
use crate::limits;

/// Octets of an ordinary address; more than this costs a second allocation.
const USUAL_CONTENTS: usize = 64;

/// Which field is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strictness {
    /// From: no empty list elements, no domain literals.
    Author,
    /// To, Cc and the envelope: all that RFC 5322 lets a reader accept.
    Recipients,
}

/// What a list held.
#[derive(Debug)]
pub(super) struct Found {
    /// The addresses in order of appearance, groups flattened.
    pub(super) addresses: Vec<AddrSpec>,
    /// Groups and source routes that were read on the way.
    pub(super) detours: usize,
}

/// Whether a group is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    List,
    Group,
}

/// The reader of one value.
pub(super) struct Grammar<'a> {
    lexer: Lexer<'a>,
    strictness: Strictness,
    place: Place,
    found: Found,
    /// Contents of the words last read, and of the domain after them: an address is made in place.
    contents: String,
    /// Octets of the words.
    words: usize,
}

impl<'a> Grammar<'a> {
    /// Starts at the beginning of a value.
    pub(super) fn new(value: &'a [u8], strictness: Strictness) -> Result<Self, AddressError> {
        Ok(Self {
            lexer: Lexer::new(value)?,
            strictness,
            place: Place::List,
            found: Found { addresses: Vec::new(), detours: 0 },
            contents: String::new(),
            words: 0,
        })
    }

    /// § RFC 5322 §3.4 address-list, §4.4 obs-addr-list, obs-mbox-list, obs-group-list.
    pub(super) fn list(mut self) -> Result<Found, AddressError> {
        loop {
            self.lexer.skip_cfws()?;
            match (self.lexer.peek(), self.place) {
                (Some(b','), _) if self.strictness == Strictness::Recipients => self.lexer.expect(b',')?,
                (Some(b';'), Place::Group) => {
                    self.lexer.expect(b';')?;
                    self.place = Place::List;
                    self.end_element()?;
                }
                (None, Place::List) => break,
                _ => self.element()?,
            }
        }
        if self.found.addresses.is_empty() && self.found.detours == 0 {
            return Err(self.syntax());
        }
        Ok(self.found)
    }

    /// § RFC 5321 §4.1.2 Path and Reverse-path; more is allowed than SMTP allows, as the MTA has checked it already.
    pub(super) fn path(mut self) -> Result<AddrSpec, AddressError> {
        self.lexer.skip_cfws()?;
        if self.lexer.peek() == Some(b'<') {
            self.angle_addr()?;
        } else {
            self.routed_addr_spec()?;
        }
        self.lexer.skip_cfws()?;
        match (self.lexer.peek(), self.found.addresses.pop()) {
            (None, Some(address)) => Ok(address),
            _ => Err(self.syntax()),
        }
    }

    /// A mailbox, or the name of a group and its colon. Words come first in all of them; what follows tells which it is.
    fn element(&mut self) -> Result<(), AddressError> {
        let start = self.syntax();
        let words = self.read_words()?;
        match (self.lexer.peek(), words, self.place) {
            (Some(b'<'), _, _) => self.angle_addr()?,
            (Some(b'@'), Words::LocalPart, _) => self.at_domain(start)?,
            (Some(b':'), Words::LocalPart | Words::Phrase, Place::List) => {
                self.lexer.expect(b':')?;
                self.place = Place::Group;
                self.found.detours += 1;
                return Ok(());
            }
            _ => return Err(self.syntax()),
        }
        self.end_element()
    }

    /// What may follow an element: a comma, or the end of the list or group.
    fn end_element(&mut self) -> Result<(), AddressError> {
        self.lexer.skip_cfws()?;
        if self.lexer.eat(b',') {
            self.lexer.skip_cfws()?;
            let dangling = matches!(self.lexer.peek(), None | Some(b';'));
            return if dangling && self.strictness == Strictness::Author { Err(self.syntax()) } else { Ok(()) };
        }
        match (self.lexer.peek(), self.place) {
            (None, Place::List) | (Some(b';'), Place::Group) => Ok(()),
            _ => Err(self.syntax()),
        }
    }

    fn angle_addr(&mut self) -> Result<(), AddressError> {
        self.lexer.expect(b'<')?;
        self.routed_addr_spec()?;
        self.lexer.expect(b'>')?;
        Ok(())
    }

    fn routed_addr_spec(&mut self) -> Result<(), AddressError> {
        self.lexer.skip_cfws()?;
        if matches!(self.lexer.peek(), Some(b'@' | b',')) {
            self.skip_route()?;
        }
        let start = self.syntax();
        match self.read_words()? {
            Words::LocalPart => self.at_domain(start),
            Words::None | Words::Phrase => Err(start),
        }
    }

    /// § RFC 5322 §4.4: obs-domain-list = *(CFWS / ",") "@" domain *("," [CFWS] ["@" domain]), then a colon.
    fn skip_route(&mut self) -> Result<(), AddressError> {
        let mut domains = 0_usize;
        loop {
            while self.lexer.eat(b',') {
                self.lexer.skip_cfws()?;
            }
            if domains > 0 && self.lexer.eat(b':') {
                self.found.detours += 1;
                return Ok(());
            }
            self.lexer.expect(b'@')?;
            self.read_domain()?;
            domains += 1;
            if !matches!(self.lexer.peek(), Some(b',' | b':')) {
                return Err(self.syntax());
            }
        }
    }

    /// The second half of an addr-spec whose local part was read last.
    fn at_domain(&mut self, start: AddressError) -> Result<(), AddressError> {
        self.lexer.expect(b'@')?;
        let form = self.read_domain()?;
        if form == DomainForm::Literal && self.strictness == Strictness::Author {
            return Err(start);
        }
        if self.found.addresses.len() == limits::ADDRESSES {
            return Err(AddressError::TooMany);
        }
        self.found.addresses.push(AddrSpec::new(mem::take(&mut self.contents), self.words, form).ok_or(start)?);
        Ok(())
    }

    fn read_words(&mut self) -> Result<Words, AddressError> {
        self.contents.clear();
        self.contents.reserve(USUAL_CONTENTS);
        let words = self.lexer.words(&mut self.contents)?;
        self.words = self.contents.len();
        Ok(words)
    }

    fn read_domain(&mut self) -> Result<DomainForm, AddressError> {
        self.contents.truncate(self.words);
        Ok(self.lexer.domain(&mut self.contents)?)
    }

    fn syntax(&self) -> AddressError {
        self.lexer.syntax().into()
    }
}
