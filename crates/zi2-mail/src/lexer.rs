//! Tokens of structured fields, RFC 5322 §3.2 and §4.1 with the UTF-8 of RFC 6532: comments, atoms, quoted strings.
//!
//! Refuses octets that no field may hold before the first token is read. Never recurses and never looks back.

use crate::limits;

/// A place in the value of a structured field.
///
/// Refuses nothing by itself: each method reads one token or says why it is none.
#[derive(Clone, Debug)]
pub(crate) struct Lexer<'a> {
    rest: &'a str,
    total: usize,
}

/// Why a token could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LexError {
    /// The grammar has nothing like this here.
    Syntax {
        /// Offset into the value.
        offset: usize,
    },
    /// Comments nested deeper than [`limits::COMMENT_DEPTH`].
    TooDeep,
}

/// What a run of words and dots is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Words {
    /// No word at all.
    None,
    /// Words with one dot between each two: a local part, and a phrase as well.
    LocalPart,
    /// A phrase (display name) only.
    Phrase,
}

/// Takes the contents of what is read.
pub(crate) trait Contents {
    /// Takes the next characters.
    fn push_str(&mut self, text: &str);
}

impl Contents for String {
    fn push_str(&mut self, text: &str) {
        self.push_str(text);
    }
}

/// Contents for which nobody asks.
pub(crate) struct Unwanted;

impl Contents for Unwanted {
    fn push_str(&mut self, _: &str) {}
}

/// How a domain was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DomainForm {
    /// Labels.
    Name,
    /// Labels and a final dot, which is left out of the text.
    RootedName,
    /// An address in square brackets.
    Literal,
}

impl<'a> Lexer<'a> {
    /// Starts at the beginning of a value: everything after the colon, folds included.
    ///
    /// Refuses what is not UTF-8, control octets, and a CR or LF that is not part of a fold. After this check CR and LF are white space.
    pub(crate) fn new(value: &'a [u8]) -> Result<Self, LexError> {
        let rest = std::str::from_utf8(value).map_err(|error| LexError::Syntax { offset: error.valid_up_to() })?;
        match stray_octet(value) {
            Some(offset) => Err(LexError::Syntax { offset }),
            None => Ok(Self { rest, total: value.len() }),
        }
    }

    /// Octets read so far.
    pub(crate) fn offset(&self) -> usize {
        self.total - self.rest.len()
    }

    /// The error that says the token at this place is wrong.
    pub(crate) fn syntax(&self) -> LexError {
        LexError::Syntax { offset: self.offset() }
    }

    /// What is not read yet.
    pub(crate) fn rest(&self) -> &'a str {
        self.rest
    }

    /// The next octet, not consumed.
    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.as_bytes().first().copied()
    }

    /// Consumes that ASCII octet, or fails.
    pub(crate) fn expect(&mut self, octet: u8) -> Result<(), LexError> {
        if self.eat(octet) { Ok(()) } else { Err(self.syntax()) }
    }

    /// Consumes that ASCII octet if it is next.
    pub(crate) fn eat(&mut self, octet: u8) -> bool {
        match self.rest.strip_prefix(char::from(octet)) {
            Some(rest) if octet.is_ascii() => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// Skips comments and folding white space, if there are any.
    pub(crate) fn skip_cfws(&mut self) -> Result<(), LexError> {
        loop {
            self.take_until(|octet| !matches!(octet, b' ' | b'\t' | b'\r' | b'\n'));
            if self.peek() != Some(b'(') {
                return Ok(());
            }
            self.skip_comment()?;
        }
    }

    /// Reads as many atom characters as there are, perhaps none.
    pub(crate) fn atom(&mut self) -> &'a str {
        self.take_until(|octet| !is_atext(octet))
    }

    /// Reads words and dots as far as they go, with the white space and comments around them, and appends their contents.
    ///
    /// Quoted strings lose their quotes and escapes; whether they are wanted again is up to the caller.
    pub(crate) fn words(&mut self, into: &mut impl Contents) -> Result<Words, LexError> {
        let mut words = Words::None;
        let mut word_may_follow = true;
        loop {
            self.skip_cfws()?;
            let dot = match self.peek() {
                Some(b'.') => true,
                Some(b'"') => false,
                Some(octet) if is_atext(octet) => false,
                _ => break,
            };
            words = match (words, dot) {
                (Words::None, true) => return Err(self.syntax()),
                (Words::None, false) => Words::LocalPart,
                (Words::LocalPart, _) if dot != word_may_follow => Words::LocalPart,
                _ => Words::Phrase,
            };
            word_may_follow = dot;
            self.word_or_dot(into)?;
        }
        // § RFC 5322 §4.1: an obs-phrase may end in a dot, a local part may not.
        Ok(if words == Words::LocalPart && word_may_follow { Words::Phrase } else { words })
    }

    /// Reads a domain, with the white space and comments around it and its dots, and appends it as it was written.
    ///
    /// Refuses empty labels; whether the labels name a domain is not looked at.
    pub(crate) fn domain(&mut self, into: &mut impl Contents) -> Result<DomainForm, LexError> {
        self.skip_cfws()?;
        if self.peek() == Some(b'[') {
            self.domain_literal(into)?;
            self.skip_cfws()?;
            return Ok(DomainForm::Literal);
        }
        let mut label = self.atom();
        if label.is_empty() {
            return Err(self.syntax());
        }
        loop {
            into.push_str(label);
            self.skip_cfws()?;
            if !self.eat(b'.') {
                return Ok(DomainForm::Name);
            }
            self.skip_cfws()?;
            label = self.atom();
            if label.is_empty() {
                return Ok(DomainForm::RootedName);
            }
            into.push_str(".");
        }
    }

    fn word_or_dot(&mut self, into: &mut impl Contents) -> Result<(), LexError> {
        match self.peek() {
            Some(b'"') => self.quoted_string(into)?,
            Some(b'.') if self.eat(b'.') => into.push_str("."),
            _ => into.push_str(self.atom()),
        }
        Ok(())
    }

    /// § RFC 5322 §3.2.4: folding inside is "invisible", the white space after it is not.
    pub(crate) fn quoted_string(&mut self, into: &mut impl Contents) -> Result<(), LexError> {
        let start = self.syntax();
        self.expect(b'"')?;
        loop {
            into.push_str(self.take_until(|octet| matches!(octet, b'"' | b'\\' | b'\r' | b'\n')));
            match self.next() {
                Some('"') => return Ok(()),
                Some('\\') => into.push_str(self.quoted()?.encode_utf8(&mut [0; 4])),
                Some(_) => {} // CR or LF of a fold
                None => return Err(start),
            }
        }
    }

    /// § RFC 5322 §3.4.1: dtext is 0x21-0x5A, 0x5E-0x7E. Of its obsolete form, escapes are refused: nothing needs them.
    fn domain_literal(&mut self, into: &mut impl Contents) -> Result<(), LexError> {
        self.expect(b'[')?;
        into.push_str("[");
        loop {
            into.push_str(self.take_until(|octet| matches!(octet, b'[' | b']' | b'\\' | b' ' | b'\t' | b'\r' | b'\n')));
            match self.peek() {
                Some(b']') if self.eat(b']') => {
                    into.push_str("]");
                    return Ok(());
                }
                Some(b' ' | b'\t' | b'\r' | b'\n') => drop(self.next()),
                _ => return Err(self.syntax()),
            }
        }
    }

    /// A loop with a counter: recursion would let the sender choose how much stack we use.
    fn skip_comment(&mut self) -> Result<(), LexError> {
        let start = self.syntax();
        let mut depth = 0;
        loop {
            self.take_until(|octet| matches!(octet, b'(' | b')' | b'\\'));
            match self.next() {
                Some('(') if depth == limits::COMMENT_DEPTH => return Err(LexError::TooDeep),
                Some('(') => depth += 1,
                Some(')') if depth <= 1 => return Ok(()),
                Some(')') => depth -= 1,
                Some(_) => drop(self.quoted()?),
                None => return Err(start),
            }
        }
    }

    /// The character after a backslash. § RFC 5322 §3.2.1: visible or blank; a line end is neither.
    fn quoted(&mut self) -> Result<char, LexError> {
        let here = self.syntax();
        self.next().filter(|character| !matches!(character, '\r' | '\n')).ok_or(here)
    }

    fn next(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let character = characters.next();
        self.rest = characters.as_str();
        character
    }

    /// Reads up to the first octet that fits, or to the end. `stop` must hold for ASCII only.
    pub(crate) fn take_until(&mut self, stop: impl Fn(u8) -> bool) -> &'a str {
        let length = self.rest.bytes().position(stop).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }
}

/// § RFC 5322 §3.2.3 atext; RFC 6532 §3.2 adds everything beyond ASCII.
pub(crate) fn is_atext(octet: u8) -> bool {
    /// One bit for each of ASCII: asked for each octet of an address, a shift is quicker than the comparisons.
    const ATEXT: u128 = {
        let (mut set, mut octet) = (0, b'!');
        while octet < 0x7f {
            let is_mark = matches!(octet, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'/' | b'=' | b'?' | b'^'..=b'`' | b'{'..=b'~');
            set |= ((is_mark || octet.is_ascii_alphanumeric()) as u128) << octet;
            octet += 1;
        }
        set
    };
    !octet.is_ascii() || (ATEXT >> octet) & 1 == 1
}

/// The first control octet that is neither a tab nor in a fold (CRLF before white space).
pub(crate) fn stray_octet(value: &[u8]) -> Option<usize> {
    if has_only_folds(value) {
        return None;
    }
    let mut rest = value;
    loop {
        let control = rest.iter().position(|octet| octet.is_ascii_control() && *octet != b'\t')?;
        match rest.split_at_checked(control)?.1 {
            [b'\r', b'\n', folded @ ..] if matches!(folded, [b' ' | b'\t', ..]) => rest = folded,
            stray => return Some(value.len() - stray.len()),
        }
    }
}

/// Whether there is no stray octet. Nearly always so, and the compiler makes vectors of that question: it is about each
/// octet and its next.
fn has_only_folds(value: &[u8]) -> bool {
    let stray = |octet: u8, next: u8| {
        let other = ((octet < b' ') & (octet != b'\t') & (octet != b'\r') & (octet != b'\n')) | (octet == 0x7f);
        let line = ((octet == b'\r') != (next == b'\n')) | ((octet == b'\n') & (next != b' ') & (next != b'\t'));
        other | line
    };
    let next = value.get(1..).unwrap_or_default();
    let found = value.iter().zip(next).fold(false, |found, (octet, next)| found | stray(*octet, *next));
    !found && value.first() != Some(&b'\n') && !value.last().is_some_and(|last| stray(*last, b'x'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn syntax(offset: usize) -> LexError {
        LexError::Syntax { offset }
    }

    #[test]
    fn octets() {
        let cases: [(&[u8], Option<usize>); 10] = [
            (b" a\r\n b\t\r\n\tc", None),
            (b"a\r\n \r\n b", None), // § RFC 5322 §4.2 obs-FWS
            ("\u{e4}".as_bytes(), None),
            (b"a\xe4b", Some(1)),
            (b"a\0", Some(1)),
            (b"a\x7f", Some(1)),
            (b"ab\r\nc", Some(2)),
            (b"ab\r\n", Some(2)),
            (b"a\r\n b\n c", Some(5)),
            (b"a\r b", Some(1)),
        ];
        for (value, wanted) in cases {
            assert_eq!(Lexer::new(value).err(), wanted.map(syntax), "{}", value.escape_ascii());
        }
    }

    #[test]
    fn comments() {
        let nested = |depth: usize| [b"(".repeat(depth), b")".repeat(depth), b"x".to_vec()].concat();
        type Next = Result<Option<u8>, LexError>;
        let cases: [(&[u8], Next); 11] = [
            (b"", Ok(None)),
            (b" \r\n\tx", Ok(Some(b'x'))),
            (b"(a)(b) (c)\r\n (d)x", Ok(Some(b'x'))),
            (b"(a (b) c)x", Ok(Some(b'x'))),
            (b"(\\)\\()x", Ok(Some(b'x'))),
            (b"(a\r\n b)x", Ok(Some(b'x'))),
            (b"(\")\"x", Ok(Some(b'"'))),
            (b" (a", Err(syntax(1))),
            (b"(a\\", Err(syntax(3))),
            (&nested(limits::COMMENT_DEPTH), Ok(Some(b'x'))),
            (&nested(limits::COMMENT_DEPTH + 1), Err(LexError::TooDeep)),
        ];
        for (value, wanted) in cases {
            let mut lexer = Lexer::new(value).unwrap();
            assert_eq!(lexer.skip_cfws().map(|()| lexer.peek()), wanted, "{}", value.escape_ascii());
        }
    }

    #[test]
    fn runs_of_words() {
        for (value, wanted, text) in [
            (" ", Ok(Words::None), ""),
            ("a", Ok(Words::LocalPart), "a"),
            ("a . b(c).\"d e\"", Ok(Words::LocalPart), "a.b.d e"),
            ("\"\"", Ok(Words::LocalPart), ""),
            ("\"a\\\"\\\\b\r\n c\"@", Ok(Words::LocalPart), "a\"\\b c"),
            ("=?utf-8?q?x?= y", Ok(Words::Phrase), "=?utf-8?q?x?=y"),
            ("a..b", Ok(Words::Phrase), "a..b"),
            ("a.", Ok(Words::Phrase), "a."),
            ("a\"b\"", Ok(Words::Phrase), "ab"),
            ("\u{fc}.\"\u{df}\"", Ok(Words::LocalPart), "\u{fc}.\u{df}"),
            (".a", Err(syntax(0)), ""),
            (" \"a", Err(syntax(1)), "a"),
            ("\"a\\", Err(syntax(3)), "a"),
            ("\"a\\\r\n b\"", Err(syntax(3)), "a"),
        ] {
            let mut into = String::new();
            assert_eq!(Lexer::new(value.as_bytes()).unwrap().words(&mut into), wanted, "{value}");
            assert_eq!(into, text, "{value}");
        }
    }

    #[test]
    fn domains() {
        for (value, wanted, text) in [
            ("a.b", Ok(DomainForm::Name), "a.b"),
            (" a (x) . (y) b (z)>", Ok(DomainForm::Name), "a.b"),
            ("a.b. ", Ok(DomainForm::RootedName), "a.b"),
            ("[127.0.0.1]", Ok(DomainForm::Literal), "[127.0.0.1]"),
            (" [ IPv6:\r\n ::1 ] ", Ok(DomainForm::Literal), "[IPv6:::1]"),
            ("", Err(syntax(0)), ""),
            (".a", Err(syntax(0)), ""),
            ("\"a\"", Err(syntax(0)), ""),
            ("[a", Err(syntax(2)), "[a"),
            ("[a\\]]", Err(syntax(2)), "[a"),
        ] {
            let mut into = String::new();
            assert_eq!(Lexer::new(value.as_bytes()).unwrap().domain(&mut into), wanted, "{value}");
            assert_eq!(into, text, "{value}");
        }
    }
}
