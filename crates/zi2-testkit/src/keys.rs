//! Keys, times and records that all cases share. The keys are for tests: whoever reads this knows them.

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

/// The name's octets again and again.
fn spread<const N: usize>(name: &str) -> [u8; N] {
    let mut octets = name.bytes().chain(std::iter::once(b'.')).cycle();
    [(); N].map(|()| octets.next().unwrap_or_default())
}
