//! Short hashes for identifiers. Digests of messages are made by `zi2-mail`.

use aws_lc_rs::digest::{SHA256, digest};

/// A 64-bit hash of an envelope recipient, as the replay store counts them (zi2.md §8). The address cannot be read back.
pub fn recipient_hash(normalized: &str) -> u64 {
    u64::from_be_bytes(first_octets(&sha256(normalized.as_bytes())))
}

pub(crate) fn sha256(octets: &[u8]) -> [u8; 32] {
    first_octets(digest(&SHA256, octets).as_ref())
}

pub(crate) fn first_octets<const N: usize>(octets: &[u8]) -> [u8; N] {
    let mut first = [0; N];
    first.iter_mut().zip(octets).for_each(|(to, from)| *to = *from);
    first
}
