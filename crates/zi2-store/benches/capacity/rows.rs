//! What is put into the store, and found again by its number.

use zi2_mail::{Domain, HostName, Timestamp};
use zi2_sig::{AttestationId, Kid, PublicKey};
use zi2_trust::{Admission, Seen};

use crate::common::sequence::Sequence;

pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_777_400_000);

/// How many of each.
pub(crate) struct Rows {
    pub(crate) identities: u64,
    pub(crate) nonces: u64,
}

pub(crate) fn domain(number: u64) -> Domain {
    // An odd factor scatters the numbers, so that domains do not come in the order of the index, and keeps them apart.
    Domain::parse(&format!("{:016x}.example.com", number.wrapping_mul(0x9E37_79B9_7F4A_7C15))).unwrap()
}

pub(crate) fn seen(number: u64) -> Seen {
    Seen {
        domain: domain(number),
        key: PublicKey::from_octets(Sequence::new(number).octets()),
        sid: HostName::parse("mail.example.com").unwrap(),
        kid: Kid::parse("zi2-cert-2026-04").unwrap(),
        at: NOW,
        siblings: Vec::new(),
    }
}

pub(crate) fn admission(number: u64) -> Admission {
    let recipients = if number.is_multiple_of(5) { vec![number] } else { Vec::new() };
    Admission { id: id(number), day: NOW.day(), recipients, allowance: 20 }
}

fn id(number: u64) -> AttestationId {
    let mut sequence = Sequence::new(number);
    let halves = [sequence.next().to_le_bytes(), sequence.next().to_le_bytes()];
    AttestationId::from_octets(*halves.as_flattened().first_chunk().unwrap())
}
