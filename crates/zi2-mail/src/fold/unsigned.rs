//! A field that waits for a signature over itself.

use super::{FieldError, FieldWriter, NewField, check_octets, is_base64, wire, write_relaxed};
use crate::canon::HeaderCanon;

/// A field whose last tag has no value yet. What it says now is what the signature in that tag is over (RFC 6376 §3.7): no
/// fold before the value depends on the value.
#[derive(Clone, Debug)]
pub struct UnsignedField {
    writer: FieldWriter,
}

impl FieldWriter {
    /// Adds the tag that will hold the signature, as base64.
    ///
    /// # Errors
    ///
    /// [`FieldError`] if this is no name of a tag.
    pub fn unsigned(mut self, tag: &str) -> Result<UnsignedField, FieldError> {
        self.open(tag, 1)?;
        Ok(UnsignedField { writer: self })
    }
}

impl UnsignedField {
    /// Appends the octets of the field in this form, without a CRLF: what [`HeaderCanon`] makes of it on the wire.
    pub fn write(&self, canon: HeaderCanon, out: &mut Vec<u8>) {
        let FieldWriter { name, value, .. } = &self.writer;
        match canon {
            HeaderCanon::Simple => out.extend_from_slice(wire(name, value).as_bytes()),
            HeaderCanon::Relaxed => write_relaxed(name, value, out),
        }
    }

    /// Puts the signature in.
    ///
    /// # Errors
    ///
    /// [`FieldError`] if this is no base64.
    pub fn sign(mut self, signature: &str) -> Result<NewField, FieldError> {
        check_octets(signature, is_base64)?;
        self.writer.write_folded(signature);
        Ok(self.writer.finish())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Header, TagList};

    proptest! {
        #[test]
        fn it_says_what_the_signed_field_says_without_its_signature(
            tags in prop::collection::vec(("[a-z]{1,8}", "[!-:<-~]([ -:<-~]{0,70}[!-:<-~])?"), 0..6),
            signature in "[A-Za-z0-9+/]{1,350}={0,2}",
        ) {
            let mut writer = FieldWriter::new("DKIM-Signature");
            for (number, (name, value)) in tags.iter().enumerate() {
                writer.tag(&format!("{name}{number}"), value).unwrap();
            }
            let unsigned = writer.unsigned("b").unwrap();
            let signed = unsigned.clone().sign(&signature).unwrap().wire();
            let header = Header::parse(signed.as_bytes());
            let value = header.fields().next().unwrap().value();
            let span = TagList::parse(value).unwrap().get("b").unwrap().span();
            let wire = [b"DKIM-Signature:", &value[..span.start], &value[span.end..]].concat();
            let expected = Header::parse(&wire);
            for canon in [HeaderCanon::Simple, HeaderCanon::Relaxed] {
                let (mut ours, mut theirs) = (Vec::new(), Vec::new());
                unsigned.write(canon, &mut ours);
                canon.write(expected.fields().next().unwrap(), &mut theirs);
                prop_assert_eq!(ours.escape_ascii().to_string(), theirs.escape_ascii().to_string());
            }
        }
    }

    #[test]
    fn only_base64_gets_in() {
        let unsigned = || FieldWriter::new("A").unsigned("b").unwrap();
        assert_eq!(unsigned().sign("a;b").err(), Some(FieldError::Octet { offset: 1 }));
        assert_eq!(FieldWriter::new("A").unsigned("b;").err(), Some(FieldError::Name));
        assert_eq!(unsigned().sign("").unwrap().wire(), "A: b=");
    }
}
