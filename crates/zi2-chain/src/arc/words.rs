//! The payload of ARC-Authentication-Results (RFC 8601 §2.2): what somebody else reports of a message.
//!
//! Read strictly: a report that readers could take in two ways is none.

use crate::limits;

/// The results one host reports, as it wrote them; nothing in them is proven.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuthResults {
    host: Box<str>,
    methods: Vec<MethodResult>,
}

/// The result of one method.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MethodResult {
    method: Box<str>,
    result: Box<str>,
    properties: Vec<Property>,
}

/// One property of a result: `ptype.name=value`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Property {
    /// What the property is of: `header`, `smtp`, `policy`, `body`. Lower case.
    pub ptype: Box<str>,
    /// Its name, in lower case.
    pub name: Box<str>,
    /// Its value without quotes. Never holds a control character.
    pub value: Box<str>,
}

impl AuthResults {
    /// Reads what follows the number of the set. `None` for anything the grammar or the [`limits`] do not allow, and for
    /// versions other than 1.
    #[must_use]
    pub fn parse(value: &[u8]) -> Option<AuthResults> {
        let mut words = Words { rest: value };
        let host = words.value()?;
        words.skip()?;
        if !words.at_end_or(b';') && words.word()? != "1" {
            return None;
        }
        let mut methods = Vec::new();
        while words.take(b';')? {
            words.skip()?;
            if words.rest.is_empty() {
                break; // a final semicolon, which many write
            }
            if methods.len() == limits::ARC_METHODS {
                return None;
            }
            methods.extend(words.method()?);
        }
        words.rest.is_empty().then(|| AuthResults { host: host.into(), methods })
    }

    /// The name of the host that reports, its authserv-id.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The results, in their order.
    #[must_use]
    pub fn methods(&self) -> &[MethodResult] {
        &self.methods
    }

    /// The results of one method, named in lower case.
    pub fn of<'a>(&'a self, method: &'a str) -> impl Iterator<Item = &'a MethodResult> {
        self.methods.iter().filter(move |result| &*result.method == method)
    }
}

impl MethodResult {
    /// The method, in lower case.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The result, in lower case.
    #[must_use]
    pub fn result(&self) -> &str {
        &self.result
    }

    /// The properties, in their order.
    #[must_use]
    pub fn properties(&self) -> &[Property] {
        &self.properties
    }

    /// The value of a property that stands there once.
    #[must_use]
    pub fn property(&self, ptype: &str, name: &str) -> Option<&str> {
        let mut found = self.properties.iter().filter(|property| &*property.ptype == ptype && &*property.name == name);
        match (found.next(), found.next()) {
            (Some(property), None) => Some(&property.value),
            _ => None,
        }
    }
}

/// The digits of `i=`, and what follows its semicolon.
///
/// § RFC 8617 §4.1.1: instance = [CFWS] %s"i" [CFWS] "=" [CFWS] 1*2DIGIT [CFWS]; arc-info = instance [CFWS] ";" ...
pub(super) fn split_instance(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut words = Words { rest: value };
    words.skip()?;
    words.rest = words.rest.strip_prefix(b"i")?;
    words.take(b'=')?.then_some(())?;
    words.skip()?;
    let digits = words.octets_while(|octet| octet.is_ascii_digit());
    words.take(b';')?.then_some(())?;
    Some((digits, words.rest))
}

/// What is left to read. Its methods give nothing where the grammar is broken.
struct Words<'a> {
    rest: &'a [u8],
}

impl<'a> Words<'a> {
    /// § RFC 8601 §2.2: methodspec [ reasonspec ] [ propspec *( CFWS propspec ) ], or "none". An inner `None` is "none", or
    /// a method of a version that is not ours.
    fn method(&mut self) -> Option<Option<MethodResult>> {
        let method = self.word()?.to_ascii_lowercase();
        let version = match self.take(b'/')? {
            true => self.word()?,
            false => "1",
        };
        if !self.take(b'=')? {
            return (method == "none" && self.at_end_or(b';')).then_some(None);
        }
        let result = self.word()?.to_ascii_lowercase();
        let read = MethodResult { method: method.into(), result: result.into(), properties: self.properties()? };
        Some((version == "1").then_some(read))
    }

    fn properties(&mut self) -> Option<Vec<Property>> {
        let mut properties = Vec::new();
        while !self.at_end_or(b';') {
            let ptype = self.word()?.to_ascii_lowercase();
            let name = match self.take(b'.')? {
                true => Some(self.word()?.to_ascii_lowercase()),
                false if ptype == "reason" => None,
                false => return None,
            };
            self.take(b'=')?.then_some(())?;
            let value = self.value()?;
            if properties.len() == limits::ARC_PROPERTIES {
                return None;
            }
            properties.extend(name.map(|name| Property {
                ptype: ptype.into(),
                name: name.into(),
                value: value.into(),
            }));
        }
        Some(properties)
    }

    /// A keyword: letters, digits, hyphens and underscores.
    fn word(&mut self) -> Option<&'a str> {
        self.skip()?;
        let word = self.octets_while(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_'));
        self.skip()?;
        std::str::from_utf8(word).ok().filter(|word| !word.is_empty())
    }

    /// A value: a token, an address or a quoted string, which may have a domain behind it.
    fn value(&mut self) -> Option<String> {
        self.skip()?;
        let mut value = self.quoted()?.unwrap_or_default();
        let token = self.octets_while(|octet| !matches!(octet, b' ' | b'\t' | b'\r' | b'\n' | b';' | b'(' | b'"'));
        value.push_str(std::str::from_utf8(token).ok()?);
        let ends = matches!(self.rest.first(), None | Some(b' ' | b'\t' | b'\r' | b'\n' | b';' | b'('));
        self.skip()?;
        let fits = ends && !value.is_empty() && !value.chars().any(char::is_control);
        fits.then_some(value)
    }

    /// A quoted string, if one stands here.
    fn quoted(&mut self) -> Option<Option<String>> {
        let Some(inner) = self.rest.strip_prefix(b"\"") else { return Some(None) };
        let mut octets = inner.iter().copied().enumerate();
        let mut value = Vec::new();
        loop {
            match octets.next()? {
                (end, b'"') => {
                    self.rest = inner.get(end + 1..).unwrap_or_default();
                    return String::from_utf8(value).ok().map(Some);
                }
                (_, b'\\') => value.push(octets.next()?.1),
                (_, b'\r' | b'\n') => {} // a fold, whose white space stays
                (_, octet) => value.push(octet),
            }
        }
    }

    /// Takes an octet if it stands next, after white space and comments.
    fn take(&mut self, octet: u8) -> Option<bool> {
        self.skip()?;
        match self.rest.split_first() {
            Some((first, rest)) if *first == octet => {
                self.rest = rest;
                Some(true)
            }
            _ => Some(false),
        }
    }

    fn at_end_or(&self, octet: u8) -> bool {
        self.rest.first().is_none_or(|first| *first == octet)
    }

    fn octets_while(&mut self, fits: impl Fn(u8) -> bool) -> &'a [u8] {
        let end = self.rest.iter().position(|octet| !fits(*octet)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at_checked(end).unwrap_or_default();
        self.rest = rest;
        taken
    }

    /// Skips white space and comments; `None` for a comment without an end, or too deep.
    fn skip(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        while let Some((first, rest)) = self.rest.split_first() {
            match first {
                b'(' if depth == zi2_mail::limits::COMMENT_DEPTH => return None,
                b'(' => depth += 1,
                b')' if depth > 0 => depth -= 1,
                b'\\' if depth > 0 => {
                    self.rest = rest.get(1..)?;
                    continue;
                }
                b' ' | b'\t' | b'\r' | b'\n' => {}
                _ if depth > 0 => {}
                _ => break,
            }
            self.rest = rest;
        }
        (depth == 0).then_some(())
    }
}
