//! What is exactly at a limit passes, and one more does not.
#![allow(clippy::unwrap_used, reason = "a test may fail by panic")]

use zi2_mail::{DigestPlan, Header, HostName, Message, Timestamp};
use zi2_sig::{
    Certified, DocumentError, FIELD_NAME, Failure, Form, Identity, KeyDocument, KeyFileError, KeyRecord, Kid, Outcome,
    RecordError, Signer, SigningKey, SyntaxFault, Verifier, limits, pkcs8_pem,
};

const MAIL: &[u8] =
    b"From: ann@example.com\r\nDate: Tue, 28 Apr 2026 17:30:00 +0000\r\nMessage-ID: <m1@example.com>\r\n\r\n";

fn key() -> SigningKey {
    SigningKey::from_seed(&[42; 32]).unwrap()
}

/// The field of [`MAIL`] signed at that time.
fn field(now: Timestamp) -> String {
    let identity =
        Identity { sid: HostName::parse("mail.example.com").unwrap(), kid: Kid::parse("zi2-cert-2026-04").unwrap() };
    let message = Message::split(MAIL);
    let mut plan = DigestPlan::new();
    let signer = Signer::new(&message.header, &identity, Form::Draft, now, [3; 16], &mut plan).unwrap();
    signer.finish(&plan.digest(message.body), &key()).unwrap().field.wire()
}

fn parse(field: &str) -> Result<Certified, Failure> {
    let header = Header::parse(field.as_bytes());
    Certified::parse(header.named(FIELD_NAME).next().unwrap())
}

/// The text with a tag on its end that nobody knows, so that it has that many octets.
fn padded(text: &str, octets: usize) -> String {
    let tag = "; x=";
    [text, tag, &"x".repeat(octets - text.len() - tag.len())].concat()
}

#[test]
fn the_certified_field() {
    let field = field(Timestamp::from_secs(1_777_400_000));
    let full = padded(&field, limits::CERTIFIED_OCTETS);
    assert_eq!(parse(&full), parse(&field));
    assert!(parse(&full).is_ok());
    let why = "longer than 4096 octets";
    assert_eq!(parse(&(full + "x")), Err(Failure::Syntax(SyntaxFault::Certified(why))));
}

#[test]
fn digits_of_the_signing_time() {
    let largest = 10_u64.pow(u32::try_from(limits::TIME_DIGITS).unwrap()) - 1;
    let time = |secs| parse(&field(Timestamp::from_secs(secs))).map(|certified| certified.time.secs());
    assert_eq!(time(largest), Ok(largest));
    assert_eq!(time(largest + 1), Err(Failure::Syntax(SyntaxFault::Tag("t"))));
}

#[test]
fn the_clock() {
    let signed = Timestamp::from_secs(1_777_400_000);
    let mail = [field(signed).as_bytes(), b"\r\n", MAIL].concat();
    let message = Message::split(&mail);
    let outcome = |now| {
        let mut plan = DigestPlan::new();
        let mut verifier = Verifier::new(&message.header, now, limits::WINDOW_SECS, &mut plan);
        verifier.answer(key().public().into());
        verifier.finish(&plan.digest(message.body)).outcome
    };
    assert!(matches!(outcome(signed.sub_secs(limits::FUTURE_SECS)), Outcome::Verified(_)));
    assert_eq!(outcome(signed.sub_secs(limits::FUTURE_SECS + 1)), Outcome::Failed(Failure::Future));
    assert!(matches!(outcome(signed.add_secs(limits::WINDOW_SECS)), Outcome::Verified(_)));
    assert!(matches!(outcome(signed.add_secs(limits::WINDOW_SECS + 1)), Outcome::Expired(_)));
}

#[test]
fn key_records() {
    let record = format!("v=ZI2CERT1; k=ed25519; p={}", key().public().to_base64());
    let full = padded(&record, limits::RECORD_OCTETS);
    assert_eq!(KeyRecord::parse(full.as_bytes()), KeyRecord::parse(record.as_bytes()));
    assert!(KeyRecord::parse(full.as_bytes()).is_ok());
    assert_eq!(KeyRecord::parse((full + "x").as_bytes()), Err(RecordError::TooLong));
}

#[test]
fn key_documents() {
    let key = format!(r#"{{"kid":"zi2-cert-2026-04","k":"ed25519","p":"{}"}}"#, key().public().to_base64());
    let document = |keys: usize, octets: usize| {
        let json =
            format!(r#"{{"version":1,"sid":"mail.example.com","keys":[{}]}}"#, vec![key.as_str(); keys].join(","));
        let blanks = " ".repeat(octets.saturating_sub(json.len()));
        KeyDocument::parse((json + &blanks).as_bytes()).map(|document| document.keys.len())
    };
    for (keys, octets, expected) in [
        (limits::DOCUMENT_KEYS, 0, Ok(limits::DOCUMENT_KEYS)),
        (limits::DOCUMENT_KEYS + 1, 0, Err(DocumentError::TooManyKeys)),
        (1, limits::DOCUMENT_OCTETS, Ok(1)),
        (1, limits::DOCUMENT_OCTETS + 1, Err(DocumentError::TooLong)),
    ] {
        assert_eq!(document(keys, octets), expected, "{keys} keys, {octets} octets");
    }
}

#[test]
fn private_key_files() {
    let pem = pkcs8_pem(&[42; 32]);
    let parse = |octets: usize| SigningKey::parse_file(format!("{:octets$}", pem.as_str()).as_bytes());
    assert_eq!(parse(limits::KEY_FILE_OCTETS).unwrap().public(), key().public());
    assert_eq!(parse(limits::KEY_FILE_OCTETS + 1).err(), Some(KeyFileError::TooLong));
}
