//! Header fields that we write.
//!
//! No octet that could end a line early gets in: what comes from outside is checked, and the only line ends are the folds
//! put in here. Refuses instead of repairing.

mod unsigned;

use std::borrow::Cow;

use memchr::memchr;
use thiserror::Error;

pub use self::unsigned::UnsignedField;
use crate::canon::{is_relaxed, relaxed_value};
use crate::{header::is_name_octet, limits};

/// A header field of ours, folded. Holds no control octet but those of its folds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewField {
    name: Cow<'static, str>,
    /// With its leading space and LF folds, as a milter wants it.
    value: String,
}

impl NewField {
    /// A field of one line.
    ///
    /// # Errors
    ///
    /// [`FieldError`] if the name is none, the value holds a control character, or the line is over
    /// [`limits::LINE_OCTETS`].
    pub fn unfolded(name: &str, value: &str) -> Result<Self, FieldError> {
        if name.is_empty() || !name.bytes().all(is_name_octet) {
            return Err(FieldError::Name);
        }
        if let Some((offset, _)) = value.char_indices().find(|(_, char)| char.is_control()) {
            return Err(FieldError::Octet { offset });
        }
        let value = [" ", value].concat();
        within_line(name.len() + b":".len() + value.len())?;
        Ok(Self { name: Cow::Owned(name.to_owned()), value })
    }

    /// The field name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The field as SMTP carries it, without the CRLF that ends it.
    #[must_use]
    pub fn wire(&self) -> String {
        wire(&self.name, &self.value)
    }

    /// Appends the field in relaxed form (RFC 6376 §3.4.2), without a CRLF: what [`HeaderCanon`](crate::HeaderCanon) makes
    /// of it on the wire.
    pub fn write_relaxed(&self, out: &mut Vec<u8>) {
        write_relaxed(&self.name, &self.value, out);
    }

    /// The value as a milter hands it over: leading space included, folds as LF. A CRLF would reach the wire as CR CR LF.
    #[must_use]
    pub fn milter_value(&self) -> &str {
        &self.value
    }
}

fn wire(name: &str, mut value: &str) -> String {
    let mut wire = String::with_capacity(name.len() + 1 + value.len() + value.len() / 32);
    wire.push_str(name);
    wire.push(':');
    while let Some((line, fold)) = memchr(b'\n', value.as_bytes()).and_then(|lf| value.split_at_checked(lf)) {
        wire.push_str(line);
        wire.push_str("\r\n");
        value = fold.get(b"\n".len()..).unwrap_or_default();
    }
    wire.push_str(value);
    wire
}

fn write_relaxed(name: &str, value: &str, out: &mut Vec<u8>) {
    out.extend(name.bytes().map(|octet| octet.to_ascii_lowercase()));
    out.push(b':');
    let start = out.len();
    // A fold is a LF before the one blank it is in relaxed form.
    let mut rest = value.strip_prefix(' ').unwrap_or(value).as_bytes();
    while let Some((line, fold)) = memchr(b'\n', rest).and_then(|lf| rest.split_at_checked(lf)) {
        out.extend_from_slice(line);
        rest = fold.get(b"\n".len()..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    if !out.get(start..).is_some_and(is_relaxed) {
        let unfolded = out.split_off(start);
        relaxed_value(&unfolded, out);
    }
}

/// Why a header field cannot be written. The fault is the caller's, or of whoever gave it the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FieldError {
    /// Not the name of a field or of a tag.
    #[error("not a name of a header field or tag; use letters, digits and, in a field name, '-'")]
    Name,
    /// An octet that may not stand there: a control octet, the end of a tag, a blank at either end.
    #[error("octet {offset} of the value may not stand in a header field; check the text before it is written")]
    Octet {
        /// Where in the value.
        offset: usize,
    },
    /// A part that may not be folded is too long for a line.
    #[error("a part that cannot be folded makes a line longer than 998 octets; shorten it")]
    TooLong,
}

/// Writes a tag list (RFC 6376 §3.2), folded as zi2.md §1 says: as much on a line as 76 columns hold.
#[derive(Clone, Debug)]
pub struct FieldWriter {
    name: Cow<'static, str>,
    value: String,
    column: usize,
}

/// A part of a tag's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// Text in which no fold may stand: printable ASCII without `;`.
    Whole(&'a str),
    /// Text that may be folded anywhere: base64.
    Base64(&'a str),
}

/// A signature field of ours; a longer one costs a second allocation.
const USUAL_OCTETS: usize = 768;

impl FieldWriter {
    /// Starts a field. Octets that no field name has are left out of the name.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        let name = match name.bytes().all(is_name_octet) {
            true => Cow::Borrowed(name),
            false => Cow::Owned(name.chars().filter(|char| u8::try_from(*char).is_ok_and(is_name_octet)).collect()),
        };
        let column = name.len() + b":".len();
        Self { name, value: String::with_capacity(USUAL_OCTETS), column }
    }

    /// Adds a tag whose value is not folded: printable ASCII without `;`, no blank at either end.
    ///
    /// # Errors
    ///
    /// [`FieldError`]; nothing is added.
    pub fn tag(&mut self, name: &str, value: &str) -> Result<&mut Self, FieldError> {
        self.check_tag(name, value, |octet| matches!(octet, b' '..=b'~') && octet != b';')?;
        check_ends(value)?;
        self.check_length(name.len() + b"=".len() + value.len())?;
        self.separate(name.len() + b"=".len() + value.len());
        self.write(&[name, "=", value]);
        Ok(self)
    }

    /// Adds a tag whose value may be folded anywhere: base64, or nothing yet.
    ///
    /// # Errors
    ///
    /// [`FieldError`]; nothing is added.
    pub fn base64(&mut self, name: &str, value: &str) -> Result<&mut Self, FieldError> {
        check_octets(value, is_base64)?;
        self.open(name, value.len().min(1))?;
        self.write_folded(value);
        Ok(self)
    }

    /// Begins a tag whose value wants so many columns on its first line.
    fn open(&mut self, name: &str, columns: usize) -> Result<(), FieldError> {
        self.check_tag(name, "", |_| true)?;
        self.check_length(name.len() + b"=".len())?;
        self.separate(name.len() + b"=".len() + columns);
        self.write(&[name, "="]);
        Ok(())
    }

    fn write_folded(&mut self, value: &str) {
        let mut rest = value;
        while self.column + rest.len() + b";".len() > limits::FOLD_COLUMNS && !rest.is_empty() {
            // Something is left for the next line, or the ';' would stand there alone.
            let room = limits::FOLD_COLUMNS.saturating_sub(self.column).min(rest.len() - 1);
            let (part, after) = rest.split_at_checked(room).unwrap_or(("", rest));
            self.write(&[part]);
            self.fold();
            rest = after;
        }
        self.write(&[rest]);
    }

    /// Adds a tag with a list of items, such as names of fields, which may be folded after each `:` between two of them.
    ///
    /// # Errors
    ///
    /// [`FieldError`]; nothing is added. The offset is that in an item.
    pub fn list(&mut self, name: &str, items: &[&str]) -> Result<&mut Self, FieldError> {
        self.check_tag(name, "", |_| true)?;
        items.iter().try_for_each(|item| check_octets(item, |octet| matches!(octet, b'!'..=b'~') && octet != b';'))?;
        let colon = |index: usize| usize::from(index + 1 < items.len());
        let longest = items.iter().enumerate().map(|(index, item)| item.len() + colon(index)).max().unwrap_or(0);
        self.check_length(name.len() + b"=".len() + longest)?;
        self.separate(name.len() + b"=".len() + items.first().map_or(0, |item| item.len()));
        self.write(&[name, "="]);
        for (index, item) in items.iter().enumerate() {
            // Each has its ':' but the last, after which a ';' may come.
            if index > 0 {
                self.write(&[":"]);
                if self.column + item.len() + b":".len() > limits::FOLD_COLUMNS {
                    self.fold();
                }
            }
            self.write(&[item]);
        }
        Ok(self)
    }

    /// Adds a tag whose value is made of parts, of which only base64 may be folded.
    ///
    /// # Errors
    ///
    /// [`FieldError`]; nothing is added.
    pub fn parts(&mut self, name: &str, parts: &[Part<'_>]) -> Result<&mut Self, FieldError> {
        self.check_tag(name, "", |_| true)?;
        for part in parts {
            match part {
                Part::Whole(text) => check_octets(text, |octet| matches!(octet, b'!'..=b'~') && octet != b';')?,
                Part::Base64(text) => check_octets(text, is_base64)?,
            }
        }
        let whole = |part: &Part<'_>| if let Part::Whole(text) = part { text.len() } else { 1 };
        self.check_length(name.len() + b"=".len() + limits::FOLD_COLUMNS + parts.iter().map(whole).max().unwrap_or(0))?;
        self.separate(name.len() + b"=".len() + parts.first().map_or(0, whole));
        self.write(&[name, "="]);
        for part in parts {
            match part {
                Part::Whole(text) => self.write(&[text]),
                Part::Base64(text) => self.write_folded(text),
            }
        }
        Ok(self)
    }

    /// Adds text that is no tag, such as the authserv-id of RFC 8601, on one line: printable ASCII without `;`, no blank at
    /// either end.
    ///
    /// # Errors
    ///
    /// [`FieldError`]; nothing is added.
    pub fn element(&mut self, text: &str) -> Result<&mut Self, FieldError> {
        check_octets(text, |octet| matches!(octet, b' '..=b'~') && octet != b';')?;
        check_ends(text)?;
        self.check_length(text.len())?;
        self.separate(text.len());
        self.write(&[text]);
        Ok(self)
    }

    /// Ends the field.
    #[must_use]
    pub fn finish(self) -> NewField {
        NewField { name: self.name, value: self.value }
    }

    /// Ends the field with a `;` after its last tag, as DKIM2 wants it.
    #[must_use]
    pub fn finish_closed(mut self) -> NewField {
        self.write(&[";"]);
        self.finish()
    }

    /// Ends the part before, and goes on on this line if `width` columns and a `;` fit.
    fn separate(&mut self, width: usize) {
        if self.value.is_empty() {
            return self.write(&[" "]);
        }
        self.write(&[";"]);
        if self.column + b" ".len() + width + b";".len() > limits::FOLD_COLUMNS {
            self.fold();
        } else {
            self.write(&[" "]);
        }
    }

    fn write(&mut self, parts: &[&str]) {
        for part in parts {
            self.value.push_str(part);
            self.column += part.len();
        }
    }

    fn fold(&mut self) {
        self.value.push_str("\n ");
        self.column = b" ".len();
    }

    fn check_tag(&self, name: &str, value: &str, allowed: impl Fn(u8) -> bool) -> Result<(), FieldError> {
        // RFC 6376 §3.2 tag-name.
        let mut octets = name.bytes();
        let first = octets.next().is_some_and(|octet| octet.is_ascii_alphabetic());
        if !first || !octets.all(|octet| octet.is_ascii_alphanumeric() || octet == b'_') {
            return Err(FieldError::Name);
        }
        check_octets(value, allowed)
    }

    /// A part that cannot be folded must fit on a line, even on the first with the field name.
    fn check_length(&self, width: usize) -> Result<(), FieldError> {
        within_line(self.name.len() + b": ".len() + width + b";".len())
    }
}

fn is_base64(octet: u8) -> bool {
    matches!(octet, b'A'..=b'Z' | b'a'..=b'z' | b'/'..=b'9' | b'+' | b'=')
}

fn check_octets(text: &str, allowed: impl Fn(u8) -> bool) -> Result<(), FieldError> {
    // Nearly always all are, and the compiler makes vectors of that question.
    if text.bytes().fold(true, |good, octet| good & allowed(octet)) {
        return Ok(());
    }
    text.bytes().position(|octet| !allowed(octet)).map_or(Ok(()), |offset| Err(FieldError::Octet { offset }))
}

/// A reader would take a blank at either end for folding white space.
fn check_ends(text: &str) -> Result<(), FieldError> {
    match (text.starts_with(' '), text.ends_with(' ')) {
        (true, _) => Err(FieldError::Octet { offset: 0 }),
        (_, true) => Err(FieldError::Octet { offset: text.len() - 1 }),
        _ => Ok(()),
    }
}

fn within_line(octets: usize) -> Result<(), FieldError> {
    if octets > limits::LINE_OCTETS { Err(FieldError::TooLong) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Header, HeaderCanon};
    use proptest::prelude::*;

    #[test]
    fn a_signature_folds_greedily() {
        let mut field = FieldWriter::new("X-ZI2-Certified");
        field.tag("v", "1").unwrap().tag("d", "example.com").unwrap().tag("s", "mail.example.com").unwrap();
        let names = "from:to:cc:reply-to:sender:subject:date:message-id:in-reply-to:references:mime-version";
        field.list("h", &names.split(':').collect::<Vec<_>>()).unwrap();
        field.base64("bh", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=").unwrap();
        field.base64("b", &"A".repeat(88)).unwrap();
        let expected = "X-ZI2-Certified: v=1; d=example.com; s=mail.example.com; h=from:to:cc:\r\n \
            reply-to:sender:subject:date:message-id:in-reply-to:references:\r\n \
            mime-version; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAAAAAAAA\r\n \
            AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n AAA";
        let field = field.finish();
        assert_eq!(field.wire(), expected);
        let value = expected.split_once(':').unwrap().1;
        assert_eq!((field.name(), field.milter_value()), ("X-ZI2-Certified", value.replace('\r', "").as_str()));
    }

    #[test]
    fn parts_fold_in_base64_only() {
        let mut field = FieldWriter::new("DKIM2-Signature");
        let base64 = "A".repeat(88);
        let whole = [Part::Whole("sel:ed25519-sha256:"), Part::Base64(&base64), Part::Whole("|other:rsa-sha256:")];
        field.tag("i", "1").unwrap().parts("s", &[whole.as_slice(), &[Part::Base64(&base64)]].concat()).unwrap();
        let wire = field.clone().finish_closed().wire();
        let first = format!(
            "DKIM2-Signature: i=1; s=sel:ed25519-sha256:{}\r\n {}|other:rsa-sha256:",
            "A".repeat(33),
            "A".repeat(55)
        );
        assert!(wire.starts_with(&first) && wire.ends_with("A;"), "{wire}");
        assert!(wire.split("\r\n").all(|line| line.len() <= 76 + "|other:rsa-sha256:".len()), "{wire}");
        for (part, error) in [
            (Part::Whole("a b"), FieldError::Octet { offset: 1 }),
            (Part::Whole("a;"), FieldError::Octet { offset: 1 }),
            (Part::Base64("a:"), FieldError::Octet { offset: 1 }),
            (Part::Whole(&"x".repeat(990)), FieldError::TooLong),
        ] {
            let mut field = FieldWriter::new("A");
            assert_eq!(field.parts("s", &[part]).map(drop), Err(error));
            assert!(field.value.is_empty());
        }
    }

    #[test]
    fn what_is_refused() {
        let octet = |offset| Err(FieldError::Octet { offset });
        let long = "x".repeat(1000);
        type Add = fn(&mut FieldWriter, &str, &str) -> Result<(), FieldError>;
        let tag: Add = |field, name, value| field.tag(name, value).map(drop);
        let base64: Add = |field, name, value| field.base64(name, value).map(drop);
        let list: Add = |field, name, value| field.list(name, &value.split(':').collect::<Vec<_>>()).map(drop);
        let element: Add = |field, _, text| field.element(text).map(drop);
        let unfolded: Add = |_, name, value| NewField::unfolded(name, value).map(drop);
        let rows = [
            (tag, "a", "b c", Ok(())),
            (tag, "a", "", Ok(())),
            (tag, "", "b", Err(FieldError::Name)),
            (tag, "a b", "b", Err(FieldError::Name)),
            (tag, "a\n", "b", Err(FieldError::Name)),
            (tag, "a", "b;c", octet(1)),
            (tag, "a", "b\r\nC: d", octet(1)),
            (tag, "a", " b", octet(0)),
            (tag, "a", "b ", octet(1)),
            (tag, "a", "\u{e9}", octet(0)),
            (tag, "a", &long, Err(FieldError::TooLong)),
            (base64, "a", "", Ok(())),
            (base64, "a", &long, Ok(())),
            (base64, "a", "b\n", octet(1)),
            (base64, "a", "b;", octet(1)),
            (list, "h", "from:to", Ok(())),
            (list, "h", "from to", octet(4)),
            (list, "h", "from\n", octet(4)),
            (list, "h", &long, Err(FieldError::TooLong)),
            (element, "", "mx.example.net", Ok(())),
            (element, "", "mx\n", octet(2)),
            (unfolded, "Subject", "caf\u{e9} a;b", Ok(())),
            (unfolded, "Subject", "a\nb", octet(1)),
            (unfolded, "Subject", "a\u{85}b", octet(1)),
            (unfolded, "Sub ject", "a", Err(FieldError::Name)),
            (unfolded, "", "a", Err(FieldError::Name)),
            (unfolded, "Subject", &long, Err(FieldError::TooLong)),
        ];
        for (add, name, value, expected) in rows {
            let mut field = FieldWriter::new("A");
            assert_eq!(add(&mut field, name, value), expected, "{name:?} {value:?}");
            assert!(expected.is_ok() || field.value.is_empty(), "{name:?} {value:?}");
        }
        assert_eq!(FieldWriter::new("A\r\nB:").finish().wire(), "AB:");
    }

    proptest! {
        #[test]
        fn lines_stay_within_the_column_and_unfold_to_what_was_written(
            parts in prop::collection::vec((0..3_u8, "[a-z]{1,3}", "[a-z]{1,40}(:[a-z]{1,30}){0,9}"), 1..12)
        ) {
            let mut field = FieldWriter::new("X-ZI2-Certified");
            let mut plain = Vec::new();
            for (kind, name, value) in &parts {
                let base64 = value.replace(':', "/");
                let short = value.split(':').next().unwrap();
                match kind {
                    0 => field.tag(name, short).map(|_| plain.push(format!("{name}={short}"))),
                    1 => field.base64(name, &base64).map(|_| plain.push(format!("{name}={base64}"))),
                    _ => field.list(name, &value.split(':').collect::<Vec<_>>()).map(|_| plain.push(format!("{name}={value}"))),
                }.unwrap();
            }
            let field = field.finish();
            let wire = field.wire();
            let mut relaxed = [Vec::new(), Vec::new()];
            field.write_relaxed(&mut relaxed[0]);
            let header = Header::parse(wire.as_bytes());
            header.fields().for_each(|field| HeaderCanon::Relaxed.write(field, &mut relaxed[1]));
            prop_assert_eq!(&relaxed[0], &relaxed[1]);
            prop_assert!(wire.split("\r\n").all(|line| line.len() <= limits::FOLD_COLUMNS && line.len() > 1), "{wire}");
            prop_assert_eq!(wire.replace(['\r', '\n', ' '], ""), "X-ZI2-Certified:".to_owned() + &plain.join(";"));
        }
    }
}
