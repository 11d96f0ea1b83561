//! Strict Ed25519 (zi2.md §5): the public edge cases, and a second library's opinion on every one of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::disallowed_methods,
    reason = "a test"
)]

use serde_json::Value;
use zi2_sig::PublicKey;

fn vectors(name: &str) -> Value {
    let path = format!("{}/../../vectors/ed25519/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).expect("the repository's own copy")).expect("JSON")
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).expect("hex")).collect()
}

fn ours(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    match (<[u8; 32]>::try_from(key), <[u8; 64]>::try_from(signature)) {
        (Ok(key), Ok(signature)) => PublicKey::from_octets(key).verify(message, &signature),
        _ => false,
    }
}

fn dalek_strict(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let (Ok(key), Ok(signature)) = (<[u8; 32]>::try_from(key), <[u8; 64]>::try_from(signature)) else { return false };
    let signature = ed25519_dalek::Signature::from_bytes(&signature);
    ed25519_dalek::VerifyingKey::from_bytes(&key).is_ok_and(|key| key.verify_strict(message, &signature).is_ok())
}

#[test]
fn edge_cases_are_judged_strictly() {
    let cases = vectors("cctv.json");
    let (mut good, mut bad) = (0, 0);
    for case in cases.as_array().expect("a list") {
        let flags: Vec<&str> = case["flags"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let (key, message) = (unhex(case["key"].as_str().unwrap()), case["msg"].as_str().unwrap().as_bytes());
        let signature = unhex(case["sig"].as_str().unwrap());
        // The strict column: nothing of small order, nothing non-canonical, and the equation without the cofactor.
        let strict = !flags.iter().any(|flag| {
            ["low_order_R", "low_order_A", "low_order_residue", "non_canonical_A", "non_canonical_R"].contains(flag)
        });
        assert_eq!(ours(&key, message, &signature), strict, "case {} {flags:?}", case["number"]);
        if strict { good += 1 } else { bad += 1 }
    }
    assert_eq!((good, bad), (43, 871), "every case was looked at");
}

#[test]
fn wycheproof() {
    let file = vectors("wycheproof.json");
    let mut count = 0;
    for group in file["testGroups"].as_array().unwrap() {
        let key = unhex(group["publicKey"]["pk"].as_str().unwrap());
        for case in group["tests"].as_array().unwrap() {
            let (message, signature) = (unhex(case["msg"].as_str().unwrap()), unhex(case["sig"].as_str().unwrap()));
            assert_eq!(ours(&key, &message, &signature), case["result"] == "valid", "tcId {}", case["tcId"]);
            count += 1;
        }
    }
    assert!(count >= 150);
}

#[test]
fn a_second_library_agrees_on_all() {
    let cases = vectors("cctv.json");
    for case in cases.as_array().unwrap() {
        let (key, message) = (unhex(case["key"].as_str().unwrap()), case["msg"].as_str().unwrap().as_bytes());
        let signature = unhex(case["sig"].as_str().unwrap());
        assert_eq!(ours(&key, message, &signature), dalek_strict(&key, message, &signature), "case {}", case["number"]);
    }
}
