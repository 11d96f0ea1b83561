//! What is exactly at a limit counts, and one more does not.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail by panic")]

use zi2_mail::{Domain, HostName};
use zi2_sig::{AttestationId, KeyDocument, KeyQuery, KeyRecord, Kid, PublicKey, PublishedKey, RecordKey};
use zi2_trust::{
    Admission, Dnssec, Findings, Holdings, Ladder, PageName, Place, ReplayVerdict, Told, TxtAnswer, limits,
};

fn kid() -> Kid {
    Kid::parse("zi2-cert-2026-04").unwrap()
}

fn keys(number: usize) -> Vec<PublicKey> {
    (0..number).map(|n| PublicKey::from_octets([u8::try_from(n).unwrap(); 32])).collect()
}

/// What a search finds when one place says this.
fn search(place: Place, told: Told) -> Findings {
    let query = KeyQuery {
        from: Domain::parse("example.com").unwrap(),
        kid: kid(),
        sid: HostName::parse("mail.example.com").unwrap(),
    };
    let mut ladder = Ladder::new(query, Holdings { local: &[], exchanged: &[], hosted: false }, PageName::Off);
    ladder.told(place, told);
    ladder.finish()
}

fn in_dns(number: usize) -> Findings {
    let record = |key: PublicKey| KeyRecord { key: RecordKey::Live(key), kid: Some(kid()), sid: None }.to_txt();
    let records = keys(number).into_iter().map(|key| record(key).into_bytes()).collect();
    search(Place::AuthorRecord, Told::Txt(TxtAnswer { records, dnssec: Dnssec::Insecure }))
}

#[test]
fn keys_tried_for_one_signature() {
    let most = zi2_sig::limits::CANDIDATES;
    // zi2.md §6: more in DNS are dns.too_many.
    for (number, too_many) in [(most, false), (most + 1, true)] {
        assert_eq!(in_dns(number).answer.too_many, too_many, "{number} in DNS");
    }
    // The others of a document are not tried.
    for number in [most, most + 1] {
        let published = keys(number).into_iter().map(|key| PublishedKey { kid: kid(), key }).collect();
        let document = KeyDocument { sid: HostName::parse("mail.example.com").unwrap(), keys: published };
        let answer = search(Place::AuthorDocument, Told::Document(Some(document))).answer;
        let tried: Vec<_> = answer.candidates.iter().map(|candidate| candidate.key).collect();
        assert_eq!((tried, answer.too_many), (keys(most), false), "{number} at HTTPS");
    }
}

#[test]
fn siblings_of_a_key() {
    for number in [limits::SIBLINGS, limits::SIBLINGS + 1] {
        assert_eq!(in_dns(number).siblings, keys(limits::SIBLINGS), "{number}");
    }
}

#[test]
fn recipients_of_one_attestation() {
    use ReplayVerdict::{Fresh, Replayed};
    let allowance = usize::try_from(limits::REPLAY_ALLOWANCE).unwrap();
    for (recipients, allowance, verdict) in [
        (allowance, limits::REPLAY_ALLOWANCE, Fresh),
        (allowance + 1, limits::REPLAY_ALLOWANCE, Replayed),
        (limits::REPLAY_RECIPIENTS, u32::MAX, Fresh),
        (limits::REPLAY_RECIPIENTS + 1, u32::MAX, Replayed),
    ] {
        let recipients: Vec<u64> = (0..).take(recipients).collect();
        let admission =
            |recipients| Admission { id: AttestationId::from_octets([0; 16]), day: 0, recipients, allowance };
        // All at once, and the last one alone after the others.
        assert_eq!(admission(recipients.clone()).decide(None).0, verdict, "{} at once", recipients.len());
        let (last, before) = recipients.split_last().unwrap();
        let (seen, remembered) = admission(vec![*last]).decide(Some(before));
        assert_eq!(seen, verdict, "{} one by one", recipients.len());
        assert_eq!(remembered, if verdict == Fresh { &recipients[..] } else { before }, "{}", recipients.len());
    }
}
