//! Floods, counted in what is kept and what is looked at: never in time, which a busy machine has not.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use zi2_mail::limits::{HEADER_FIELDS, HEADER_OCTETS};
use zi2_mail::{DigestPlan, Message, MessageReader, Timestamp};
use zi2_sig::{Verifier, limits::WINDOW_SECS};
use zi2_testkit::{Case, NOW, cases};

fn case(id: &str) -> Case {
    cases().into_iter().find(|case| case.id == id).unwrap()
}

fn verifier(octets: &[u8]) -> Verifier {
    Verifier::new(&Message::split(octets).header, Timestamp::from_secs(NOW), WINDOW_SECS, &mut DigestPlan::new())
}

/// TC-096: of a header section that is too large, no more is kept than the limit, however it arrives.
#[test]
fn what_is_kept_is_bounded() {
    let case = case("TC-096");
    for (file, fields) in [("message.eml", HEADER_FIELDS), ("1001.eml", HEADER_FIELDS), ("1000.eml", 1000)] {
        let octets = case.octets(file);
        let mut reader = MessageReader::new();
        octets.chunks(7).for_each(|chunk| _ = reader.feed(chunk));
        let (whole, cut) = (Message::split(&octets).header, reader.into_header());
        assert_eq!([whole.fields().len(), cut.fields().len()], [fields; 2], "{file}");
    }
    let endless = [&b"X: "[..], &b"x".repeat(3 * HEADER_OCTETS)].concat();
    let mut reader = MessageReader::new();
    endless.chunks(4096).for_each(|chunk| _ = reader.feed(chunk));
    assert!(reader.into_header().octets().len() <= HEADER_OCTETS + 1);
}

/// A message that fails by its header section costs no key, and not one octet of its body is hashed.
#[test]
fn nothing_is_wanted_of_what_has_failed() {
    let mut count = 0;
    for case in cases() {
        for step in case.steps.iter().filter(|step| step.expect.reason.starts_with("header.")) {
            let verifier = verifier(&case.octets(&step.message));
            let name = format!("{}/{}", case.id, step.message);
            assert!(!verifier.wants_body() && verifier.query().is_none(), "{name}");
            let asks_policy = verifier.message().is_some();
            assert_eq!(asks_policy, step.expect.dns_queries > 0, "{name}: §2 holds, or nothing is asked");
            count += 1;
        }
    }
    assert!(count > 80, "only {count}");
    let honest = case("TC-088");
    assert!(verifier(&honest.octets("plain.eml")).wants_body());
}
