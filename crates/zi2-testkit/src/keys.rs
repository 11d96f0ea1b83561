//! Keys, times and records that all cases share. The keys are for tests: whoever reads this knows them.

use base64::{Engine, engine::general_purpose::STANDARD};
use zi2_sig::{KeyRecord, Kid, PublicKey, RecordKey, SigningKey};

/// The key identifier of everybody's current key.
pub const KID: &str = "zi2-cert-2026-11";

/// The key identifier of the month before.
pub const OLD_KID: &str = "zi2-cert-2026-10";

/// When messages are signed: 2026-11-01 12:00:00 UTC.
pub const TIME: u64 = 1_793_534_400;

/// When they arrive.
pub const NOW: u64 = TIME + 60;

/// Seconds of an hour.
pub const HOUR: u64 = 3600;

/// Seconds of a day.
pub const DAY: u64 = 86_400;

/// The key of somebody: `good`, `evil`, `recv` or any other name.
///
/// # Panics
///
/// If the library refuses the seed, which it does for none.
pub fn key(name: &str) -> SigningKey {
    SigningKey::from_seed(&seed(name)).expect("any 32 octets are a seed")
}

/// The seed of somebody's key, for key files.
pub fn seed(name: &str) -> [u8; 32] {
    spread(name)
}

/// The public key of somebody, in base64.
pub fn public(name: &str) -> String {
    key(name).public().to_base64()
}

/// The nonce of this name.
pub fn nonce(name: &str) -> [u8; 16] {
    spread(name)
}

/// The text of the record that publishes somebody's key for `kid`.
///
/// # Panics
///
/// If `kid` is none.
pub fn record(name: &str, kid: &str) -> String {
    let kid = Kid::parse(kid).expect("a kid");
    KeyRecord {
        key: RecordKey::Live(PublicKey::from_octets(*key(name).public().as_octets())),
        kid: Some(kid),
        sid: None,
    }
    .to_txt()
}

/// The strings of a DKIM record with an RSA key of so many bits, a multiple of 8: it has the size of a key, and none signs with it.
///
/// # Panics
///
/// If the key is too long for two octets of length.
pub fn rsa_record(bits: usize, exponent: u8) -> Vec<String> {
    const INTEGER: u8 = 0x02;
    const SEQUENCE: u8 = 0x30;
    let modulus = der(INTEGER, &[vec![0], vec![0xff; bits / 8]].concat());
    let key = der(SEQUENCE, &[modulus, der(INTEGER, &[exponent])].concat());
    let record = format!("v=DKIM1; k=rsa; p={}", STANDARD.encode(key));
    record.as_bytes().chunks(255).map(|string| String::from_utf8_lossy(string).into_owned()).collect()
}

/// § X.690 §8.1.3: a length over 127 is preceded by the number of its octets.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("a short element");
    let [high, low] = length.to_be_bytes();
    let head = if length < 128 { vec![tag, low] } else { vec![tag, 0x82, high, low] };
    [head, content.to_vec()].concat()
}

/// The name's octets again and again.
fn spread<const N: usize>(name: &str) -> [u8; N] {
    let mut octets = name.bytes().chain(std::iter::once(b'.')).cycle();
    [(); N].map(|()| octets.next().unwrap_or_default())
}
