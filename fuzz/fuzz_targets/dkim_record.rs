//! A key record is read in one way, holds no key that costs too much, and with it nothing verifies that was never signed.
//!
//! Input: a TXT record.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zi2_mail::{DigestPlan, Message, Timestamp};
use zi2_sig::dkim::{DkimRecord, DkimRecords, Outcome, Policy, RecordAnswer, Verifier};
use zi2_sig::limits;

/// Two signatures that nobody made, of the two algorithms.
const MAIL: &[u8] = b"DKIM-Signature: v=1; a=rsa-sha256; d=a.example; s=s; h=from;\r\n \
    bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; c=relaxed/relaxed; b=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n\
    DKIM-Signature: v=1; a=ed25519-sha256; d=a.example; s=s; h=from;\r\n \
    bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; c=relaxed/relaxed;\r\n \
    b=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\r\n\
    From: ann@a.example\r\n\r\n";

fuzz_target!(|txt: &[u8]| {
    nothing_verifies(txt);
    let Ok(record) = DkimRecord::parse(txt) else { return };
    assert!(txt.len() <= limits::DKIM_RECORD_OCTETS);
    if let Some(key) = record.key() {
        assert!((1..=limits::RSA_MAX_BITS).contains(&key.bits()), "{}", key.bits());
        assert!(key.is_rsa() || key.bits() == 256);
    }
    let says = |record: &DkimRecord| (record.key().map(|key| (key.bits(), key.is_rsa())), record.is_testing());
    let spaced: Vec<u8> = txt
        .iter()
        .flat_map(|octet| if *octet == b';' { &b" ; "[..] } else { std::slice::from_ref(octet) })
        .copied()
        .collect();
    if spaced.len() <= limits::DKIM_RECORD_OCTETS {
        let again = DkimRecord::parse(&spaced).expect("white space around semicolons is free");
        assert_eq!(says(&again), says(&record));
    }
});

fn nothing_verifies(txt: &[u8]) {
    let message = Message::split(MAIL);
    let mut plan = DigestPlan::new();
    let now = Timestamp::from_secs(1_777_400_000);
    let mut verifier = Verifier::new(&message.header, now, &Policy::default(), &mut plan);
    let names = verifier.questions();
    assert_eq!(names.len(), 1);
    for records in [vec![txt], vec![txt; limits::DKIM_RECORDS + 1]] {
        verifier.answer(&names[0], &RecordAnswer::Records(DkimRecords::parse(records)));
    }
    verifier.answer(&names[0], &RecordAnswer::Records(DkimRecords::parse([txt, b"v=spf1 -all"])));
    let mut digester = plan.start();
    digester.feed(message.body);
    let facts = verifier.finish(&digester.finish());
    assert_eq!(facts.signatures.len(), 2);
    for signature in &facts.signatures {
        assert!(!matches!(signature.outcome(), Outcome::Pass | Outcome::TempError(_)), "{signature:?}");
    }
}
