//! No chain passes by a key that never signed, and a good chain that was edited passes only where it says the same.
//!
//! Input: one octet for the number of edits, the edits (see [`zi2_fuzz::edit`]), which are made to a good chain of two sets; then a
//! message with or without ARC fields.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use zi2_chain::arc::{Arc, ArcResult, AuthResults, Outcome};
use zi2_chain::limits;
use zi2_fuzz::edit;
use zi2_mail::{DigestPlan, Message, Timestamp, crlf_from_file};
use zi2_sig::SigningKey;
use zi2_sig::dkim::{DkimRecords, DkimSigningKey, Policy, RecordAnswer};

const NOW: Timestamp = Timestamp::from_secs(1_484_000_000);

/// Of the public suite, with the key of its sealer.
static GOOD: LazyLock<Vec<u8>> =
    LazyLock::new(|| crlf_from_file(include_bytes!("../../crates/zi2-cert/tests/arc/pass.eml")).into_owned());
const KEY: &[u8] = b"v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB";
static SAYS: LazyLock<ArcResult> = LazyLock::new(|| verify(&GOOD, KEY));

/// A key that never signed.
static UNUSED: LazyLock<String> =
    LazyLock::new(|| DkimSigningKey::from(SigningKey::from_seed(&[43; 32]).expect("a seed")).record());

fuzz_target!(|data: &[u8]| {
    let Some((&count, rest)) = data.split_first() else { return };
    let Some((edits, message)) = rest.split_at_checked(3 * usize::from(count)) else { return };
    let result = verify(message, UNUSED.as_bytes());
    assert!(result.chain.is_none() && result.outcome() != Outcome::Pass, "{result:?}");
    report(message);
    let mut edited = GOOD.clone();
    edit(&mut edited, edits);
    let result = verify(&edited, KEY);
    assert_eq!(result.outcome() == Outcome::Pass, result.chain.is_some());
    if result.chain.is_some() {
        assert_eq!(result.chain, SAYS.chain, "{}", edited.escape_ascii());
    }
});

fn verify(octets: &[u8], key: &[u8]) -> ArcResult {
    let message = Message::split(octets);
    let mut plan = DigestPlan::new();
    let mut arc = Arc::new(&message.header, NOW, &Policy::default(), &mut plan);
    let names = arc.questions();
    assert!(names.len() <= usize::from(limits::ARC_SETS) + 1);
    names.iter().for_each(|name| arc.answer(name, &RecordAnswer::Records(DkimRecords::parse([key]))));
    let mut digester = plan.start();
    digester.feed(message.body);
    arc.finish(&digester.finish())
}

fn report(value: &[u8]) {
    let Some(results) = AuthResults::parse(value) else { return };
    assert!(results.methods().len() <= limits::ARC_METHODS);
    for property in results.methods().iter().flat_map(|method| method.properties()) {
        assert!(!property.value.chars().any(char::is_control));
    }
}
