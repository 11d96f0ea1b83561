//! What several targets need: cuts, folds and edits; messages with DKIM2.

pub mod dkim2;

/// The octets in pieces of this size, as a socket could bring them; at least one octet each.
pub fn pieces(octets: &[u8], size: u8) -> impl Iterator<Item = &[u8]> {
    octets.chunks(usize::from(size).max(1))
}

/// The value on one line (RFC 5322 §2.2.3): each CRLF before white space goes, the white space stays.
pub fn unfolded(value: &[u8]) -> Vec<u8> {
    let is_fold = |at: usize| matches!(value[at..], [b'\r', b'\n', b' ' | b'\t', ..]);
    let mut line = Vec::with_capacity(value.len());
    let mut at = 0;
    while at < value.len() {
        if is_fold(at) {
            at += b"\r\n".len();
        }
        line.push(value[at]);
        at += 1;
    }
    line
}

/// Replaces octets in place, three octets of `edits` for each: where, in two octets, and by what it is XORed.
pub fn edit(octets: &mut [u8], edits: &[u8]) {
    for edit in edits.chunks_exact(3) {
        let place = usize::from(u16::from_be_bytes([edit[0], edit[1]]));
        if let Some(octet) = octets.get_mut(place) {
            *octet ^= edit[2];
        }
    }
}
