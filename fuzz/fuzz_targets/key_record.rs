//! A key that was read says the same when it is written again, and nothing but a key is read.
//!
//! Input: a TXT record, a key document, a key file, or a key identifier; all four readers are given it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zi2_sig::{KeyDocument, KeyRecord, Kid, PublicKey, RecordKey, SigningKey, limits, pkcs8_pem};

fuzz_target!(|data: &[u8]| {
    record(data);
    document(data);
    key_file(data);
    public_key(data);
    if let Some(kid) = std::str::from_utf8(data).ok().and_then(|text| Kid::parse(text).ok()) {
        assert_eq!(kid.to_string().as_bytes(), data, "an identifier has one spelling");
    }
});

fn record(txt: &[u8]) {
    let Ok(record) = KeyRecord::parse(txt) else { return };
    assert!(txt.len() <= limits::RECORD_OCTETS);
    assert_eq!(KeyRecord::parse(record.to_txt().as_bytes()).as_ref(), Ok(&record));
    assert!(KeyRecord::parse(&[b"x=1;", txt].concat()).is_err(), "v comes first");
    if let RecordKey::Live(key) = record.key {
        reads_as_itself(key);
    }
}

fn document(json: &[u8]) {
    let Ok(document) = KeyDocument::parse(json) else { return };
    assert!(json.len() <= limits::DOCUMENT_OCTETS && document.keys.len() <= limits::DOCUMENT_KEYS);
    let keys = document.keys.iter().map(|held| {
        reads_as_itself(held.key);
        format!(r#"{{"kid":"{}","k":"ed25519","p":"{}"}}"#, held.kid, held.key.to_base64())
    });
    let keys = keys.collect::<Vec<_>>().join(",");
    let again = format!(r#"{{"version":1,"sid":"{}","keys":[{keys}]}}"#, document.sid);
    assert_eq!(KeyDocument::parse(again.as_bytes()), Ok(document));
}

fn public_key(text: &[u8]) {
    if let Ok(key) = PublicKey::from_base64(text) {
        assert_eq!(key.to_base64().as_bytes(), text, "a key has one spelling");
        reads_as_itself(key);
    }
}

fn reads_as_itself(key: PublicKey) {
    assert_eq!(PublicKey::from_base64(key.to_base64().as_bytes()), Ok(key));
    // A key anybody may publish, of small order for instance, verifies no signature that is none.
    assert!(!key.verify(b"fuzz", &[0; 64]));
}

fn key_file(file: &[u8]) {
    if let Ok(seed) = <&[u8; 32]>::try_from(file) {
        every_form_is_the_same_key(seed);
    }
    let Ok(key) = SigningKey::parse_file(file) else { return };
    assert!(file.len() <= limits::KEY_FILE_OCTETS);
    assert!(key.public().verify(file, &key.sign(file)));
    if file.len() != 32 && file.len() < limits::KEY_FILE_OCTETS {
        let again = SigningKey::parse_file(&[file, b"\n"].concat()).expect("a line end more or less");
        assert_eq!(again.public(), key.public());
    }
}

fn every_form_is_the_same_key(seed: &[u8; 32]) {
    let key = SigningKey::from_seed(seed).expect("every seed is a key").public();
    let pem = pkcs8_pem(seed);
    // Any 32 octets have a base64; borrowed from the type that writes it.
    let base64 = PublicKey::from_octets(*seed).to_base64();
    for form in [&seed[..], pem.as_bytes(), base64.as_bytes()] {
        assert_eq!(SigningKey::parse_file(form).map(|key| key.public()), Ok(key));
    }
}
