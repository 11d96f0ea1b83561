//! Properties of signing and verifying (zi2.md §1 to §7).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test")]

use proptest::prelude::*;
use zi2_mail::{DigestPlan, HostName, Message, MessageReader, Timestamp};
use zi2_sig::{Facts, Form, Identity, Kid, Outcome, Signer, SigningKey, Verifier, limits};

const NOW: Timestamp = Timestamp::from_secs(1_777_400_000);

fn identity() -> Identity {
    Identity { sid: HostName::parse("mail.example.com").unwrap(), kid: Kid::parse("zi2-cert-2026-04").unwrap() }
}

fn key() -> SigningKey {
    SigningKey::from_seed(&[42; 32]).unwrap()
}

/// The message with a certification on top, or nothing where the signer refuses.
fn certify(octets: &[u8], form: Form, nonce: [u8; 16]) -> Option<Vec<u8>> {
    let message = Message::split(octets);
    let mut plan = DigestPlan::new();
    let signer = Signer::new(&message.header, &identity(), form, NOW, nonce, &mut plan).ok()?;
    let signed = signer.finish(&plan.digest(message.body), &key()).ok()?;
    Some([signed.field.wire().as_bytes(), b"\r\n", octets].concat())
}

fn verify(octets: &[u8]) -> Facts {
    let message = Message::split(octets);
    let mut plan = DigestPlan::new();
    let mut verifier = Verifier::new(&message.header, NOW, limits::WINDOW_SECS, &mut plan);
    verifier.answer(key().public().into());
    verifier.finish(&plan.digest(message.body))
}

fn verify_in_chunks(octets: &[u8], size: usize) -> Facts {
    let mut reader = MessageReader::new();
    let mut body = Vec::new();
    for chunk in octets.chunks(size) {
        body.extend_from_slice(reader.feed(chunk));
    }
    let header = reader.into_header();
    let mut plan = DigestPlan::new();
    let mut verifier = Verifier::new(&header, NOW, limits::WINDOW_SECS, &mut plan);
    verifier.answer(key().public().into());
    let mut digester = plan.start();
    body.chunks(size).for_each(|chunk| digester.feed(chunk));
    verifier.finish(&digester.finish())
}

fn passes(facts: &Facts) -> bool {
    matches!(facts.outcome, Outcome::Verified(_))
}

const MAIL: &[u8] =
    b"From: \"Ann, of Sales\" <Ann@Example.com>\r\nTo: Bob <bob@example.net>,\r\n carol@example.org\r\n\
Subject: Quarterly  figures\r\nDate: Tue, 28 Apr 2026 17:30:00 +0000\r\nMessage-ID: <m1@example.com>\r\n\
MIME-Version: 1.0\r\n\r\nHello Bob,\r\n\r\nthe figures are attached.\r\n";

const FORMS: [Form; 3] = [Form::Combined, Form::Draft, Form::Page];

#[test]
fn what_is_signed_verifies_in_every_form_and_every_cut() {
    for form in FORMS {
        let mail = certify(MAIL, form, [3; 16]).expect("certified");
        let whole = verify(&mail);
        assert!(passes(&whole), "{form:?}: {:?}", whole.outcome);
        assert_eq!(whole.certified.as_ref().unwrap().form, form);
        for size in [1, 2, 3, 7, 64, 1000] {
            assert_eq!(verify_in_chunks(&mail, size), whole, "{form:?} in chunks of {size}");
        }
    }
}

/// Exhaustive: every bit of the body and of every header field, for every form.
#[test]
fn no_flipped_bit_of_a_signed_part_passes() {
    for form in FORMS {
        let mail = certify(MAIL, form, [3; 16]).expect("certified");
        let original = verify(&mail);
        let covered_text = |facts: &Facts| {
            let message = facts.message.as_ref().unwrap();
            (message.from().clone(), message.recipients().to_vec(), message.message_id().to_owned())
        };
        for at in 0..mail.len() {
            for bit in 0..8 {
                let mut changed = mail.clone();
                changed[at] ^= 1 << bit;
                let facts = verify(&changed);
                if passes(&facts) {
                    // Only what the form does not cover, or what canonicalization ignores, may have changed.
                    assert!(!in_body(&mail, at), "{form:?}: body octet {at}, bit {bit}");
                    assert_eq!(covered_text(&facts), covered_text(&original), "{form:?}: octet {at}, bit {bit}");
                    // Without `b` a combined field is read in draft form (§1), which says so in what it covers.
                    let read_as = facts.certified.as_ref().unwrap().form;
                    let same = read_as == Form::Draft || same_when_relaxed(&mail, &changed);
                    assert!(same, "{form:?}: octet {at}, bit {bit}");
                }
            }
        }
    }
}

fn in_body(mail: &[u8], at: usize) -> bool {
    at >= mail.len() - Message::split(mail).body.len()
}

/// RFC 6376 §3.4.2: letter case of names and white space do not count; nor do tags of the field that `b` replaces.
fn same_when_relaxed(one: &[u8], other: &[u8]) -> bool {
    let relaxed = |octets: &[u8]| {
        let message = Message::split(octets);
        let mut fields = Vec::new();
        for field in message.header.fields() {
            let mut text = Vec::new();
            zi2_mail::HeaderCanon::Relaxed.write(field, &mut text);
            // Inside base64 white space is free too.
            if field.name().eq_ignore_ascii_case(b"x-zi2-certified") {
                text.retain(|b| *b != b' ');
            }
            fields.push(text);
        }
        fields
    };
    relaxed(one) == relaxed(other)
}

fn address() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9.+_-]{1,12}@[a-z0-9]{1,8}\\.(example|test)".prop_filter("dot-atom", |a| {
        let local = a.split('@').next().unwrap();
        !local.starts_with('.') && !local.ends_with('.') && !local.contains("..")
    })
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop_oneof![Just(b"\r\n".to_vec()), "[ -~]{0,20}".prop_map(String::into_bytes)], 0..20)
        .prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn sign_then_verify_passes(from in address(), to in prop::collection::vec(address(), 0..4), subject in "[ -~]{0,60}", body in body(),
                               nonce in any::<[u8; 16]>()) {
        let to = if to.is_empty() { String::new() } else { format!("To: {}\r\n", to.join(", ")) };
        let mail = format!("From: <{from}>\r\n{to}Subject: {subject}\r\nDate: Tue, 28 Apr 2026 17:30:00 +0000\r\nMessage-ID: <1@x.example>\r\n\r\n");
        let mail = [mail.as_bytes(), &body].concat();
        for form in FORMS {
            if let Some(certified) = certify(&mail, form, nonce) {
                let facts = verify(&certified);
                prop_assert!(passes(&facts), "{form:?} {:?}", facts.outcome);
            } else {
                prop_assert!(false, "the signer refused {:?}", String::from_utf8_lossy(&mail));
            }
        }
    }

    /// security.md S5: whatever the octets, either the signer refuses or the verifier passes.
    #[test]
    fn any_octets_are_refused_or_verify(header in "[ -~\r\n\t\u{80}-\u{ff}]{0,200}", body in prop::collection::vec(any::<u8>(), 0..200)) {
        let mail = [b"From: a@b.example\r\nDate: x\r\nMessage-ID: <a@b>\r\n".as_slice(), header.as_bytes(), b"\r\n\r\n", &body].concat();
        for form in FORMS {
            if let Some(certified) = certify(&mail, form, [1; 16]) {
                prop_assert!(passes(&verify(&certified)));
            }
        }
    }

    #[test]
    fn verifying_any_octets_never_panics(octets in prop::collection::vec(any::<u8>(), 0..600)) {
        let _facts = verify(&octets);
        let _facts = verify(&[b"X-ZI2-Certified: ".as_slice(), &octets].concat());
    }
}
