//! The examples of RFC 6376 §A and RFC 8463 §A.

use std::path::PathBuf;

use super::kit::{Zone, verify, words};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../vectors/dkim/rfc")
}

fn keys() -> Zone {
    let keys = std::fs::read(folder().join("keys.json")).unwrap();
    let keys: std::collections::BTreeMap<String, String> = serde_json::from_slice(&keys).unwrap();
    keys.into_iter().map(|(name, txt)| (name, vec![txt])).collect()
}

#[test]
fn examples_pass() {
    for (name, signatures) in [("6376-a.eml", 1), ("8463-a.eml", 2)] {
        let octets = std::fs::read(folder().join(name)).unwrap();
        let facts = verify(&octets, &keys(), 1_700_000_000);
        assert_eq!(words(&facts), vec!["pass"; signatures], "{name}");
        assert_eq!(facts.passed().count(), signatures);
    }
    let facts = verify(&std::fs::read(folder().join("6376-a.eml")).unwrap(), &keys(), 1_700_000_000);
    let signature = &facts.signatures[0];
    let field = signature.field().unwrap();
    assert_eq!((field.agent().quoted().as_str(), signature.key_bits()), ("joe@football.example.com", Some(1024)));
    assert_eq!(field.covered().collect::<Vec<_>>(), ["received", "from", "to", "subject", "date", "message-id"]);
    assert_eq!(field.b_start(), "AuUoFEfD");
}

#[test]
fn every_flipped_bit_is_noticed() {
    let octets = std::fs::read(folder().join("8463-a.eml")).unwrap();
    let start = octets.windows(5).position(|window| window == b"From:").unwrap();
    for at in start..octets.len() {
        for bit in [0x01, 0x20, 0x80] {
            let mut changed = octets.clone();
            changed[at] ^= bit;
            let words = words(&verify(&changed, &keys(), 1_700_000_000));
            // Names of fields have no case (relaxed): "From" is "fROM".
            let is_case = bit == 0x20 && is_name(&octets, at);
            assert_eq!(words.iter().any(|word| word == "pass"), is_case, "octet {at}, bit {bit:#x}: {words:?}");
        }
    }
}

/// Whether a letter stands in the name of a field.
fn is_name(octets: &[u8], at: usize) -> bool {
    let body = octets.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let line = octets[..at].windows(2).rposition(|window| window == b"\r\n").unwrap() + 2;
    at < body && octets[at].is_ascii_alphabetic() && !octets[line..at].contains(&b':')
}
