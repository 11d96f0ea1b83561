//! What we sign verifies; what verifies was signed.
//!
//! Input: one octet for the form, one for the size of the pieces, one for the number of edits, the edits (see
//! [`zi2_fuzz::edit`]), then a message, with or without an X-ZI2-Certified field.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use zi2_fuzz::{edit, pieces, unfolded};
use zi2_mail::{
    DigestPlan, Field, Header, HeaderCanon, HostName, Message, MessageReader, TagList, Timestamp, relaxed_value,
};
use zi2_sig::{Certified, FIELD_NAME, Facts, Form, Identity, Kid, Outcome, Signer, SigningKey, Verifier, limits};

const NOW: Timestamp = Timestamp::from_secs(1_777_400_000);

/// The key that signs here, and one that never signed anything.
static OURS: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::from_seed(&[42; 32]).expect("a seed"));
static UNUSED: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::from_seed(&[43; 32]).expect("a seed"));
static IDENTITY: LazyLock<Identity> = LazyLock::new(|| Identity {
    sid: HostName::parse("mail.example.com").expect("a host name"),
    kid: Kid::parse("zi2-cert-2026-04").expect("a key identifier"),
});

fuzz_target!(|data: &[u8]| {
    let [form, size, edits, rest @ ..] = data else { return };
    let Some((edits, message)) = rest.split_at_checked(3 * usize::from(*edits)) else { return };
    nothing_verifies_by_a_key_that_never_signed(message, *size);
    fields_read_the_same_in_other_folds(message);
    let form = [Form::Combined, Form::Draft, Form::Page][usize::from(form % 3)];
    let plain = without_our_field(message);
    let Some(signed) = sign(&plain, form) else { return };
    let facts = what_we_sign_verifies(&signed, form, *size);
    if form == Form::Page {
        white_space_is_free(&signed);
    }
    let mut edited = signed.clone();
    edit(&mut edited, edits);
    what_verifies_was_signed(&signed, &facts, &edited);
});

fn verify(message: &[u8], key: &SigningKey) -> Facts {
    let message = Message::split(message);
    let mut plan = DigestPlan::new();
    let mut verifier = Verifier::new(&message.header, NOW, limits::WINDOW_SECS, &mut plan);
    verifier.answer(key.public().into());
    verifier.finish(&plan.digest(message.body))
}

fn verify_in_pieces(message: &[u8], key: &SigningKey, size: u8) -> Facts {
    let mut reader = MessageReader::new();
    let body: Vec<&[u8]> = pieces(message, size).map(|piece| reader.feed(piece)).collect();
    let header = reader.into_header();
    let mut plan = DigestPlan::new();
    let mut verifier = Verifier::new(&header, NOW, limits::WINDOW_SECS, &mut plan);
    verifier.answer(key.public().into());
    let mut digester = plan.start();
    body.into_iter().for_each(|piece| digester.feed(piece));
    verifier.finish(&digester.finish())
}

fn nothing_verifies_by_a_key_that_never_signed(message: &[u8], size: u8) {
    let facts = verify(message, &UNUSED);
    assert!(matches!(facts.outcome, Outcome::Absent | Outcome::Failed(_)), "{facts:?}");
    assert_eq!(verify_in_pieces(message, &UNUSED, size), facts);
}

fn fields_read_the_same_in_other_folds(message: &[u8]) {
    let header = Header::parse(message);
    for field in header.named(FIELD_NAME) {
        let Ok(certified) = Certified::parse(field) else { continue };
        assert!(field.raw().len() <= limits::CERTIFIED_OCTETS);
        for value in [unfolded(field.value()), relaxed(field.value())] {
            let line = [FIELD_NAME.as_bytes(), b":", &value, b"\r\n"].concat();
            let again = Certified::parse(one_field(&Header::parse(&line))).expect("folds are free");
            assert_eq!(what_it_says(&again), what_it_says(&certified));
        }
    }
}

fn what_it_says(field: &Certified) -> (Form, Timestamp, Kid, &HostName, Vec<&str>) {
    (field.form, field.time, field.kid, &field.sid, field.covered().collect())
}

fn one_field<'h>(header: &'h Header<'_>) -> Field<'h> {
    header.fields().next().expect("one field")
}

fn relaxed(value: &[u8]) -> Vec<u8> {
    let mut relaxed = Vec::new();
    relaxed_value(value, &mut relaxed);
    relaxed
}

/// The message as a signer is given it: fields of ours go, and so does what is no field.
fn without_our_field(message: &[u8]) -> Vec<u8> {
    let Message { header, body } = Message::split(message);
    let fields = header.fields().filter(|field| !field.name().eq_ignore_ascii_case(FIELD_NAME.as_bytes()));
    let mut plain: Vec<u8> = fields.flat_map(|field| [field.raw(), b"\r\n"].concat()).collect();
    plain.extend_from_slice(b"\r\n");
    plain.extend_from_slice(body);
    plain
}

fn sign(message: &[u8], form: Form) -> Option<Vec<u8>> {
    let Message { header, body } = Message::split(message);
    let mut plan = DigestPlan::new();
    let signer = Signer::new(&header, &IDENTITY, form, NOW, [7; 16], &mut plan).ok()?;
    let signed = signer.finish(&plan.digest(body), &OURS).ok()?;
    Some([signed.field.wire().as_bytes(), b"\r\n", message].concat())
}

fn what_we_sign_verifies(signed: &[u8], form: Form, size: u8) -> Facts {
    let facts = verify(signed, &OURS);
    assert!(matches!(facts.outcome, Outcome::Verified(_)), "{facts:?}");
    let certified = facts.certified.as_ref().expect("it was read");
    assert_eq!((certified.form, certified.time), (form, NOW));
    assert_eq!((certified.kid, &certified.sid), (IDENTITY.kid, &IDENTITY.sid));
    assert_eq!(verify_in_pieces(signed, &OURS, size), facts);
    let other = verify(signed, &UNUSED);
    assert!(matches!(other.outcome, Outcome::Failed(_)), "{other:?}");
    facts
}

/// The page form signs the relaxed fields, so each may be written so.
fn white_space_is_free(signed: &[u8]) {
    let Message { header, body } = Message::split(signed);
    let mut other: Vec<u8> =
        header.fields().flat_map(|field| [relaxed_field(field), b"\r\n".to_vec()].concat()).collect();
    other.extend_from_slice(b"\r\n");
    other.extend_from_slice(body);
    let facts = verify(&other, &OURS);
    assert!(matches!(facts.outcome, Outcome::Verified(_)), "{facts:?}");
}

fn relaxed_field(field: Field<'_>) -> Vec<u8> {
    let mut relaxed = Vec::new();
    HeaderCanon::Relaxed.write(field, &mut relaxed);
    relaxed
}

/// `edited` may only pass where it says the same as `signed` in all that its form covers.
fn what_verifies_was_signed(signed: &[u8], facts: &Facts, edited: &[u8]) {
    let seen = verify(edited, &OURS);
    if !matches!(seen.outcome, Outcome::Verified(_)) {
        return;
    }
    let (before, after) = (Message::split(signed), Message::split(edited));
    assert!(bodies_count_as_same(before.body, after.body), "another body");
    match seen.certified.as_ref().map(|certified| certified.form) {
        // A combined field that lost its b= is read in draft form.
        Some(Form::Draft) => assert_eq!(draft_part(facts, &before.header), draft_part(&seen, &after.header)),
        _ => assert_eq!(page_part(&before.header), page_part(&after.header)),
    }
}

/// zi2.md §3: as sent, with its empty lines at the end reduced to one CRLF, or nothing for nothing but CRLFs.
fn bodies_count_as_same(signed: &[u8], seen: &[u8]) -> bool {
    let mut simple = seen;
    while let Some(shorter) = simple.strip_suffix(b"\r\n") {
        simple = shorter;
    }
    signed == seen || signed == [simple, b"\r\n"].concat() || (simple.is_empty() && signed.is_empty())
}

/// zi2.md §4: what the draft form covers, read from the message and from the tags.
fn draft_part(facts: &Facts, header: &Header<'_>) -> Vec<String> {
    let message = facts.message.as_ref().expect("it is unambiguous");
    let value = header.named(FIELD_NAME).next().expect("it is certified").value();
    let tags = TagList::parse(value).expect("it was read");
    let tag =
        |name| String::from_utf8(tags.get(name).expect("draft form").compact().into_owned()).expect("it was read");
    let sid = HostName::parse(&tag("sid")).expect("it was read").to_string();
    let mut part = vec![message.from().to_string(), message.message_id().to_owned(), sid];
    part.extend(["t", "n", "bh", "sig"].map(tag));
    part.extend(message.recipients().iter().map(ToString::to_string));
    part
}

/// zi2.md §5: what the page form covers, which are all fields that may appear once, and our own.
fn page_part(header: &Header<'_>) -> Vec<Vec<Vec<u8>>> {
    let relaxed = |name: &&str| header.named(name).map(relaxed_field).collect();
    let mut fields: Vec<Vec<Vec<u8>>> = zi2_sig::UNIQUE_FIELDS.iter().map(relaxed).collect();
    let value = header.named(FIELD_NAME).next().expect("it is certified").value();
    let b = TagList::parse(value).expect("it was read").get("b").expect("page form");
    let without_b = [&value[..b.span().start], &value[b.span().end..]].concat();
    fields.push(vec![self::relaxed(&without_b), b.compact().into_owned()]);
    fields
}
