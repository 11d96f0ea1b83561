//! Message-ID: RFC 5322 §3.6.4 with its obsolete forms (§4.5.4) and the UTF-8 of RFC 6532.
//!
//! Checks the grammar and hands back what stood there; never repairs an identifier.

use std::borrow::Cow;

use crate::lexer::{DomainForm, LexError, Lexer, Unwanted, Words};

/// Reads the value of a Message-ID field: unfolded, without white space at either end, angle brackets and comments kept
/// (zi2.md §4 item 5).
///
/// Refuses what is no msg-id, and a tab or other control octet inside, which a signed payload may not hold.
///
/// ```
/// assert_eq!(zi2_mail::parse_message_id(b"\r\n <1@mail.example.com> ").unwrap(), "<1@mail.example.com>");
/// ```
///
/// # Errors
///
/// [`MessageIdError`] says what is wrong, and where.
pub fn parse_message_id(value: &[u8]) -> Result<Cow<'_, str>, MessageIdError> {
    let mut lexer = Lexer::new(value)?;
    let text = lexer.rest();
    check_msg_id(&mut lexer)?;
    // The lexer let CR and LF through in folds only, so this takes out folds (§ RFC 5322 §2.2.3) and nothing else.
    let text = text.trim_matches([' ', '\t', '\r', '\n']);
    let text = if text.contains('\r') { Cow::Owned(text.replace("\r\n", "")) } else { Cow::Borrowed(text) };
    if text.bytes().any(|octet| octet.is_ascii_control()) {
        return Err(MessageIdError::Control);
    }
    Ok(text)
}

/// § RFC 5322 §3.6.4: msg-id = [CFWS] "<" id-left "@" id-right ">" [CFWS], where id-left may be a local part and id-right a
/// domain or a literal.
fn check_msg_id(lexer: &mut Lexer<'_>) -> Result<(), LexError> {
    lexer.skip_cfws()?;
    lexer.expect(b'<')?;
    if lexer.words(&mut Unwanted)? != Words::LocalPart {
        return Err(lexer.syntax());
    }
    lexer.expect(b'@')?;
    if lexer.domain(&mut Unwanted)? == DomainForm::RootedName {
        return Err(lexer.syntax());
    }
    lexer.expect(b'>')?;
    lexer.skip_cfws()?;
    if lexer.peek().is_some() { Err(lexer.syntax()) } else { Ok(()) }
}

/// Why a value is no Message-ID. The fault is with whoever made the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageIdError {
    /// Not `<left@right>`.
    #[error("this is no Message-ID of RFC 5322, <left@right> (at octet {offset})")]
    Syntax {
        /// Offset into the value.
        offset: usize,
    },
    /// A tab inside: the value would be signed, and signs no control octet.
    #[error("the Message-ID holds a control octet")]
    Control,
    /// Comments nested deeper than [`COMMENT_DEPTH`](crate::limits::COMMENT_DEPTH).
    #[error("comments are nested more than 16 deep")]
    TooDeep,
}

impl From<LexError> for MessageIdError {
    fn from(error: LexError) -> Self {
        match error {
            LexError::Syntax { offset } => Self::Syntax { offset },
            LexError::TooDeep => Self::TooDeep,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn message_ids() {
        for (value, wanted) in [
            (" <1@example.com>", "<1@example.com>"),
            ("\t<A.b$c@Mail_1.example>\t", "<A.b$c@Mail_1.example>"), // case kept, no host name wanted
            ("\r\n <1@example.com>\r\n ", "<1@example.com>"),
            ("\r\n\t<1@example.com>", "<1@example.com>"),
            ("<1@[192.0.2.1]>", "<1@[192.0.2.1]>"),
            ("<\"a b\"@c>", "<\"a b\"@c>"),
            ("<a . b @ c . d>", "<a . b @ c . d>"),
            ("(x) <1@a> (y)", "(x) <1@a> (y)"),
            ("<1@a>\r\n (y)", "<1@a> (y)"),
            ("<1@a>\r\n \r\n  (y)", "<1@a>   (y)"),
            ("<\u{fc}@a>", "<\u{fc}@a>"),
        ] {
            assert_eq!(parse_message_id(value.as_bytes()).as_deref(), Ok(wanted), "{value:?}");
        }
    }

    #[test]
    fn refusals() {
        let syntax = |offset| MessageIdError::Syntax { offset };
        let cases: [(&[u8], MessageIdError); 18] = [
            (b"", syntax(0)),
            (b" ", syntax(1)),
            (b"1@a", syntax(0)),
            (b"<1>", syntax(2)),
            (b"<>", syntax(1)),
            (b"<@a>", syntax(1)),
            (b"<1@>", syntax(3)),
            (b"<1@a", syntax(4)),
            (b"<1..2@a>", syntax(5)),
            (b"<1@a.>", syntax(5)),
            (b"<1@a@b>", syntax(4)),
            (b"<1@a> <2@a>", syntax(6)),
            (b"<1@a>x", syntax(5)),
            (b"<1@a>\nX: y", syntax(5)),
            (b"<1@a\0>", syntax(4)),
            (b"<\xfc@a>", syntax(1)),
            (b"<1@a>\t(x)", MessageIdError::Control),
            (b"(((((((((((((((((", MessageIdError::TooDeep),
        ];
        for (value, wanted) in cases {
            assert_eq!(parse_message_id(value), Err(wanted), "{}", value.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn read_again_unchanged(value in "([<>@.a\"()\\[\\] \t\u{e4}]|<a@b>|\r\n ){1,12}") {
            if let Ok(id) = parse_message_id(value.as_bytes()) {
                prop_assert!(!id.bytes().any(|octet| octet.is_ascii_control()));
                prop_assert_eq!(parse_message_id(id.as_bytes()), Ok(id.clone()));
            }
        }

        #[test]
        fn any_octets(value in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_message_id(&value);
        }
    }
}
