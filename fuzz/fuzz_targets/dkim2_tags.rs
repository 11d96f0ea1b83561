//! A field of DKIM2 that was read means the same in other folds, lies where it says, and says where it is wrong.
//!
//! Input: the value of a Message-Instance or DKIM2-Signature field.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zi2_fuzz::unfolded;
use zi2_mail::Header;
use zi2_sig::dkim2::{Binding, Brackets, Draft, Failure, Instance, Signature};
use zi2_sig::limits;

fuzz_target!(|value: &[u8]| {
    for draft in Draft::ALL {
        instance(value, draft);
        signature(value, draft);
    }
});

fn section(name: &str, value: &[u8]) -> Vec<u8> {
    [name.as_bytes(), b":", value, b"\r\n"].concat()
}

fn instance(value: &[u8], draft: Draft) {
    let octets = section("Message-Instance", value);
    let header = Header::parse(&octets);
    let Some(field) = header.fields().next() else { return };
    match Instance::parse(field, draft) {
        Err(failure) => in_place(&failure, octets.len()),
        Ok(instance) => {
            assert!(instance.number() > 0 && instance.hashes().count() <= limits::DKIM2_HASHES);
            let line = section("message-instance", &unfolded(field.value()));
            let again = Header::parse(&line);
            let again = Instance::parse(again.fields().next().expect("one field"), draft).expect("folds are free");
            assert_eq!((again.number(), again.recipe()), (instance.number(), instance.recipe()));
        }
    }
}

fn signature(value: &[u8], draft: Draft) {
    let octets = section("DKIM2-Signature", value);
    let header = Header::parse(&octets);
    let Some(field) = header.fields().next() else { return };
    let strict = Signature::parse(field, draft, Brackets::Required);
    match &strict {
        Err(failure) => in_place(failure, octets.len()),
        Ok(signature) => {
            assert!(signature.number() > 0 && signature.instance() > 0);
            assert!(signature.groups().iter().flatten().count() <= limits::DKIM2_MEMBERS);
            assert!(signature.nonce().is_none_or(|nonce| nonce.len() <= limits::DKIM2_NONCE));
            if let Binding::Envelope { recipients, .. } = signature.binding() {
                assert!((1..=limits::DKIM2_RECIPIENTS).contains(&recipients.len()));
                assert!(recipients.iter().all(|recipient| !recipient.is_null()));
            }
            let line = section("dkim2-signature", &unfolded(field.value()));
            let again = Header::parse(&line);
            let again = Signature::parse(again.fields().next().expect("one field"), draft, Brackets::Required);
            let again = again.expect("folds are free");
            assert_eq!((again.number(), again.binding()), (signature.number(), signature.binding()));
            assert!(Signature::parse(field, draft, Brackets::Optional).is_ok(), "brackets are only asked for");
        }
    }
}

/// A text fits on a line of SMTP, and the place is in the section.
fn in_place(failure: &Failure, octets: usize) {
    let text = failure.to_string();
    assert!(text.bytes().all(|octet| (b' '..=b'~').contains(&octet)), "{text:?}");
    assert!(failure.place.offset.is_none_or(|offset| offset <= octets), "{failure:?}");
}
