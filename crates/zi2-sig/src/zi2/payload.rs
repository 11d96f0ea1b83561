//! The octets that are signed: the draft form's payload (zi2.md §4) and the page form's input (§5).

use std::ops::Range;

use zi2_mail::{Field, Header, HeaderCanon, HostName, Timestamp};

use super::Unambiguous;
use crate::facts::{Failure, SyntaxFault};

/// The parts of a draft payload that stand in the ZI2 field.
pub(super) struct DraftParts<'a> {
    pub(super) time: Timestamp,
    pub(super) sid: &'a HostName,
    pub(super) body_hash: &'a str,
    pub(super) nonce: &'a str,
}

/// §4: eight fields joined by LF. No field can hold a control octet, so no two tuples give the same octets.
pub(super) fn draft_payload(message: &Unambiguous, parts: &DraftParts<'_>) -> Result<Vec<u8>, Failure> {
    let from = message.from().normalized();
    let recipients = message.recipients().join(",");
    for (name, value) in [("from", &from), ("to", &recipients)] {
        reject_control(name, value)?;
    }
    reject_control("message-id", message.message_id())?;
    let time = parts.time.secs().to_string();
    let fields =
        ["1", &from, &recipients, &time, message.message_id(), parts.sid.as_str(), parts.body_hash, parts.nonce];
    Ok(fields.join("\n").into_bytes())
}

fn reject_control(name: &'static str, value: &str) -> Result<(), Failure> {
    match value.bytes().any(|b| b.is_ascii_control()) {
        true => Err(Failure::Syntax(SyntaxFault::Control(name))),
        false => Ok(()),
    }
}

/// §5: the fields of `h=`, each name taking its last unused field, relaxed, each with CRLF.
pub(super) fn covered_fields(header: &Header<'_>, names: &[impl AsRef<str>], out: &mut Vec<u8>) {
    for (at, name) in names.iter().map(AsRef::as_ref).enumerate() {
        let used = names.iter().take(at).filter(|earlier| earlier.as_ref() == name).count();
        if let Some(field) = header.named(name).rev().nth(used) {
            HeaderCanon::Relaxed.write(field, out);
            out.extend_from_slice(b"\r\n");
        }
    }
}

/// §5: the ZI2 field itself, its value given with that of `b=` removed, relaxed, without the final CRLF.
pub(super) fn own_field(value_without_b: impl AsRef<[u8]>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"x-zi2-certified:");
    zi2_mail::relaxed_value(value_without_b.as_ref(), out);
}

/// The value of a received field, that of `b=` removed by its span, never by search.
pub(super) fn without_b(field: Field<'_>, b_span: &Range<usize>) -> Vec<u8> {
    let value = field.value();
    [value.get(..b_span.start), value.get(b_span.end..)].map(Option::unwrap_or_default).concat()
}
