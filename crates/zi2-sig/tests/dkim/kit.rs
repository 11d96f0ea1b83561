//! Verifying a message with key records from a map.

use std::collections::BTreeMap;

use zi2_mail::{DigestPlan, Header, Message, MessageReader, Timestamp};
use zi2_sig::dkim::{DkimRecords, Facts, Policy, RecordAnswer, Verifier};

/// TXT records by name. A name that is absent has none.
pub(crate) type Zone = BTreeMap<String, Vec<String>>;

pub(crate) fn zone(records: &[(&str, &str)]) -> Zone {
    records.iter().map(|(name, txt)| ((*name).to_owned(), vec![(*txt).to_owned()])).collect()
}

pub(crate) fn verify(octets: &[u8], zone: &Zone, now: u64) -> Facts {
    let message = Message::split(octets);
    verify_parts(&message.header, [message.body], zone, now, &Policy::default())
}

pub(crate) fn verify_parts<'b>(
    header: &Header<'_>,
    body: impl IntoIterator<Item = &'b [u8]>,
    zone: &Zone,
    now: u64,
    policy: &Policy,
) -> Facts {
    let mut plan = DigestPlan::new();
    let mut verifier = Verifier::new(header, Timestamp::from_secs(now), policy, &mut plan);
    let questions = verifier.questions();
    assert!(questions.len() <= zi2_sig::limits::DKIM_SIGNATURES);
    for name in questions {
        let txts = zone.get(name.as_str()).map(Vec::as_slice).unwrap_or_default();
        let records = DkimRecords::parse(txts.iter().map(String::as_bytes));
        verifier.answer(&name, &RecordAnswer::Records(records));
    }
    let mut digester = plan.start();
    body.into_iter().for_each(|chunk| digester.feed(chunk));
    verifier.finish(&digester.finish())
}

/// A message cut into these chunks, read as it arrives.
pub(crate) fn verify_chunks<'c>(chunks: impl IntoIterator<Item = &'c [u8]>, zone: &Zone, now: u64) -> Facts {
    let mut reader = MessageReader::new();
    let body: Vec<Vec<u8>> = chunks.into_iter().map(|chunk| reader.feed(chunk).to_vec()).collect();
    verify_parts(&reader.into_header(), body.iter().map(Vec::as_slice), zone, now, &Policy::default())
}

/// What a test compares: results and reasons from the top down.
pub(crate) fn words(facts: &Facts) -> Vec<String> {
    let word = |outcome: zi2_sig::dkim::Outcome| match outcome.reason() {
        Some(reason) => format!("{} {reason}", outcome.result()),
        None => outcome.result().to_owned(),
    };
    facts.signatures.iter().map(|signature| word(signature.outcome())).collect()
}
