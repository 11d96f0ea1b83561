//! What is exactly at a limit passes, and one more does not.
#![allow(clippy::unwrap_used, reason = "a test may fail by panic")]

use zi2_mail::{Defect, DefectKind, Domain, DomainError, FieldError, FieldWriter, Header, NewField, limits};

#[test]
fn header_fields() {
    let over = Defect { kind: DefectKind::TooManyFields, offset: limits::HEADER_FIELDS * b"A:b\r\n".len() };
    for (fields, defect) in [(limits::HEADER_FIELDS, None), (limits::HEADER_FIELDS + 1, Some(over))] {
        let section = b"A:b\r\n".repeat(fields);
        let mut builder = Header::builder();
        (0..fields).for_each(|_| builder.push(b"A", b"b"));
        for header in [Header::parse(&section), builder.finish()] {
            assert_eq!((header.fields().len(), header.defect()), (limits::HEADER_FIELDS, defect), "{fields}");
        }
    }
}

#[test]
fn octets_of_a_line_we_write() {
    type Write = fn(&str) -> Result<NewField, FieldError>;
    let unfolded: Write = |text| NewField::unfolded("A", text);
    let tag: Write = |text| Ok(FieldWriter::new("A").tag("t", text)?.clone().finish());
    let list: Write = |text| Ok(FieldWriter::new("A").list("h", &[text])?.clone().finish());
    let element: Write = |text| Ok(FieldWriter::new("A").element(text)?.clone().finish());
    // All but the first leave room for a ';'.
    for (what, write, around, tail) in [
        ("unfolded", unfolded, "A: ", ""),
        ("tag", tag, "A: t=", ";"),
        ("list", list, "A: h=", ";"),
        ("element", element, "A: ", ";"),
    ] {
        let text = "x".repeat(limits::LINE_OCTETS - around.len() - tail.len());
        assert_eq!(write(&text).unwrap().wire(), format!("{around}{text}"), "{what}");
        assert_eq!(write(&format!("{text}x")), Err(FieldError::TooLong), "{what}");
    }
}

#[test]
fn octets_of_a_domain_before_it_is_mapped() {
    // UTS 46 drops soft hyphens, two octets each.
    let padded = |name: &str| {
        let hyphens = (limits::DOMAIN_INPUT_OCTETS - name.len()) / 2;
        ["\u{ad}".repeat(hyphens).as_str(), name].concat()
    };
    let [full, over] = [padded("aa.example"), padded("aa.example") + "s"];
    assert_eq!((full.len(), over.len()), (limits::DOMAIN_INPUT_OCTETS, limits::DOMAIN_INPUT_OCTETS + 1));
    assert_eq!(Domain::parse(&full).unwrap().as_str(), "aa.example");
    assert_eq!(Domain::parse(&over), Err(DomainError::TooLong(limits::DOMAIN_INPUT_OCTETS + 1)));
}
