//! As much of MIME as reports need: Content-Type (RFC 2045 §5.1) and the parts of a multipart body (RFC 2046 §5.1).
//!
//! Refuses what readers take in different ways: a parameter that is there twice, a line that only begins like a boundary.

use memchr::memchr_iter;

use crate::lexer::{LexError, Lexer};
use crate::limits;

/// A Content-Type. Type and names of parameters are in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentType {
    kind: Box<str>,
    parameters: Vec<(Box<str>, Box<str>)>,
}

/// The value of a Content-Type field is none, or names a parameter twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the Content-Type cannot be read")]
pub struct ContentTypeError;

impl From<LexError> for ContentTypeError {
    fn from(_: LexError) -> Self {
        Self
    }
}

impl ContentType {
    /// Reads the value of a field.
    ///
    /// ```
    /// let report = zi2_mail::ContentType::parse(b" Multipart/Report; boundary=\"a b\" (note)").unwrap();
    /// assert!(report.is("multipart/report"));
    /// assert_eq!(report.parameter("boundary"), Some("a b"));
    /// ```
    ///
    /// # Errors
    ///
    /// [`ContentTypeError`].
    pub fn parse(value: &[u8]) -> Result<Self, ContentTypeError> {
        let mut lexer = Lexer::new(value)?;
        let mut kind = token(&mut lexer)?.to_ascii_lowercase();
        lexer.expect(b'/')?;
        kind.push('/');
        kind.push_str(&token(&mut lexer)?.to_ascii_lowercase());
        let mut parameters: Vec<(Box<str>, Box<str>)> = Vec::new();
        loop {
            lexer.skip_cfws()?;
            if lexer.peek().is_none() {
                return Ok(Self { kind: kind.into(), parameters });
            }
            lexer.expect(b';')?;
            lexer.skip_cfws()?;
            // A last ';' is a common mistake, and has no other meaning.
            if lexer.peek().is_none() {
                continue;
            }
            let (name, value) = parameter(&mut lexer)?;
            if parameters.len() == limits::PARAMETERS || parameters.iter().any(|(other, _)| *other == name) {
                return Err(ContentTypeError);
            }
            parameters.push((name, value));
        }
    }

    /// Whether it is this type, which is to be given in lower case.
    #[must_use]
    pub fn is(&self, kind: &str) -> bool {
        *self.kind == *kind
    }

    /// A parameter, whose name is to be given in lower case.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(other, _)| **other == *name).map(|(_, value)| value.as_ref())
    }
}

fn parameter(lexer: &mut Lexer<'_>) -> Result<(Box<str>, Box<str>), LexError> {
    let name = token(lexer)?.to_ascii_lowercase();
    lexer.expect(b'=')?;
    lexer.skip_cfws()?;
    if lexer.peek() != Some(b'"') {
        return Ok((name.into(), token(lexer)?.into()));
    }
    let mut text = String::new();
    lexer.quoted_string(&mut text)?;
    Ok((name.into(), text.into()))
}

/// RFC 2045 §5.1: a token, with the white space and comments around it.
fn token<'a>(lexer: &mut Lexer<'a>) -> Result<&'a str, LexError> {
    lexer.skip_cfws()?;
    let token = lexer.take_until(|octet| !octet.is_ascii_graphic() || b"()<>@,;:\\\"/[]?=".contains(&octet));
    if token.is_empty() {
        return Err(lexer.syntax());
    }
    lexer.skip_cfws()?;
    Ok(token)
}

/// Why a multipart body cannot be cut into its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MultipartError {
    /// No boundary, or none of RFC 2046: 1 to 70 characters of its set, the last no blank.
    #[error("the boundary is missing, or none that may be")]
    Boundary,
    /// A line begins like a boundary and is none, or one stands after the end: readers differ about it.
    #[error("a line begins like a boundary and is none, or one stands after the end")]
    Ambiguous,
    /// The closing boundary is missing.
    #[error("the closing boundary is missing")]
    Unclosed,
    /// More parts than were asked for.
    #[error("there are more parts than a report has")]
    TooMany,
}

/// The parts of a multipart body, headers of their own included: at most `most`.
///
/// # Errors
///
/// [`MultipartError`].
pub fn multipart<'m>(body: &'m [u8], boundary: &str, most: usize) -> Result<Vec<&'m [u8]>, MultipartError> {
    let delimiter = [b"--", boundary.as_bytes()].concat();
    if !is_boundary(boundary.as_bytes()) {
        return Err(MultipartError::Boundary);
    }
    let (mut parts, mut begun, mut closed) = (Vec::new(), None, false);
    for (start, line, next) in lines(body) {
        let Some(rest) = line.strip_prefix(delimiter.as_slice()) else { continue };
        let is_end = match rest.trim_ascii_end() {
            b"" => false,
            b"--" => true,
            _ => return Err(MultipartError::Ambiguous),
        };
        if closed {
            return Err(MultipartError::Ambiguous);
        }
        if let Some(begun) = begun {
            if parts.len() == most {
                return Err(MultipartError::TooMany);
            }
            // The CRLF before a boundary belongs to it.
            parts.push(body.get(begun..start.saturating_sub(b"\r\n".len())).unwrap_or_default());
        }
        (begun, closed) = (Some(next), is_end);
    }
    if closed { Ok(parts) } else { Err(MultipartError::Unclosed) }
}

/// RFC 2046 §5.1.1.
fn is_boundary(boundary: &[u8]) -> bool {
    let is_allowed = |octet: &u8| octet.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(octet);
    (1..=70).contains(&boundary.len()) && boundary.iter().all(is_allowed) && !boundary.ends_with(b" ")
}

/// Each line: where it begins, its octets without CRLF, where the next one begins.
fn lines(body: &[u8]) -> impl Iterator<Item = (usize, &[u8], usize)> {
    let ends = memchr_iter(b'\n', body).filter(|lf| lf.checked_sub(1).is_some_and(|cr| body.get(cr) == Some(&b'\r')));
    ends.map(|lf| lf + 1).chain([body.len()]).scan(0, |start, next| {
        let here = std::mem::replace(start, next);
        let line = body.get(here..next).unwrap_or_default();
        Some((here, line.strip_suffix(b"\r\n").unwrap_or(line), next))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types() {
        for (value, expected) in [
            ("text/plain", Some("text/plain")),
            (" TEXT / Plain (a) ; Charset = utf-8;", Some("text/plain charset=utf-8")),
            ("a/b; x=\"y;\\\"z\"; q=(c)1", Some("a/b x=y;\"z q=1")),
            ("a/b;\r\n\tx=1", Some("a/b x=1")),
            ("a/b; x=1; X=2", None),
            ("a/b; x", None),
            ("a/b; x=", None),
            ("a/b x=1", None),
            ("a", None),
            ("a/", None),
            ("", None),
            ("a/b; x=\"1", None),
            ("a/b; x=\u{fc}", None),
            ("a/b\0", None),
        ] {
            let shown = ContentType::parse(value.as_bytes()).ok().map(|read| {
                let parameters = read.parameters.iter().map(|(name, value)| format!(" {name}={value}"));
                std::iter::once(read.kind.to_string()).chain(parameters).collect::<String>()
            });
            assert_eq!(shown.as_deref(), expected, "{value:?}");
        }
        let many = |count: usize| format!("a/b{}", (0..count).map(|at| format!("; p{at}=1")).collect::<String>());
        assert!(ContentType::parse(many(limits::PARAMETERS).as_bytes()).is_ok());
        assert!(ContentType::parse(many(limits::PARAMETERS + 1).as_bytes()).is_err());
    }

    #[test]
    fn parts() {
        use MultipartError::{Ambiguous, Boundary, TooMany, Unclosed};
        for (body, boundary, expected) in [
            (
                "--b\r\n\r\none\r\n--b\r\nA: x\r\n\r\ntwo\r\n\r\n--b--\r\n",
                "b",
                Ok(vec!["\r\none", "A: x\r\n\r\ntwo\r\n"]),
            ),
            ("before\r\n--b \t\r\n--b--after", "b", Err(Ambiguous)),
            ("before\r\n--b \t\r\n--b-- \r\nafter", "b", Ok(vec![""])),
            ("--b\r\nx\r\n--b--", "b", Ok(vec!["x"])),
            ("--b\r\nx\r\n--bc\r\n--b--", "b", Err(Ambiguous)),
            ("--b\r\nx\r\n--b--\r\n--b\r\n", "b", Err(Ambiguous)),
            ("--b\r\nx\n--b--\r\n", "b", Err(Unclosed)),
            ("--b\r\nx\r\n--b\r\n", "b", Err(Unclosed)),
            ("", "b", Err(Unclosed)),
            ("--b--\r\n", "b", Ok(vec![])),
            ("--b\r\n1\r\n--b\r\n2\r\n--b\r\n3\r\n--b\r\n4\r\n--b--", "b", Err(TooMany)),
            ("--\r\n--\r\n", "", Err(Boundary)),
            ("--b \r\nx\r\n--b --\r\n", "b ", Err(Boundary)),
            ("--b*\r\nx\r\n--b*--\r\n", "b*", Err(Boundary)),
        ] {
            let expected = expected.map(|parts| parts.iter().map(|part| part.as_bytes().to_vec()).collect::<Vec<_>>());
            let got = multipart(body.as_bytes(), boundary, 3);
            assert_eq!(got.map(|parts| parts.into_iter().map(<[u8]>::to_vec).collect()), expected, "{body:?}");
        }
        let longest = "b".repeat(70);
        assert_eq!(multipart(format!("--{longest}--").as_bytes(), &longest, 1), Ok(vec![]));
        assert_eq!(multipart(format!("--{longest}b--").as_bytes(), &(longest + "b"), 1), Err(Boundary));
    }
}
