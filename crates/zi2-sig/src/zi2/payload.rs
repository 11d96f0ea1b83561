//! The octets that are signed: the draft form's payload (zi2.md §4) and the page form's input (§5).

use std::collections::BTreeMap;
use std::ops::Range;

use zi2_mail::{AddrSpec, Field, Header, HeaderCanon, HostName, Timestamp};

use super::{Once, Unambiguous};
use crate::facts::{Failure, SyntaxFault};
use crate::limits;

/// The parts of a draft payload that stand in the ZI2 field.
pub(super) struct DraftParts<'a> {
    pub(super) time: Timestamp,
    pub(super) sid: &'a HostName,
    pub(super) body_hash: &'a str,
    pub(super) nonce: &'a str,
}

/// §4: eight fields joined by LF. No field can hold a control octet, so no two tuples give the same octets.
pub(super) fn draft_payload(message: &Unambiguous, parts: &DraftParts<'_>) -> Result<Vec<u8>, Failure> {
    let recipients = || message.recipients().iter().map(AddrSpec::normalized);
    reject_control("from", message.from().normalized())?;
    recipients().try_for_each(|address| reject_control("to", address))?;
    reject_control("message-id", message.message_id())?;
    let mut payload = String::with_capacity(USUAL_PAYLOAD);
    payload.push_str("1\n");
    payload.push_str(message.from().normalized());
    payload.push('\n');
    for (at, address) in recipients().enumerate() {
        payload.push_str(if at > 0 { "," } else { "" });
        payload.push_str(address);
    }
    let time = parts.time.secs().to_string();
    for field in [&time, message.message_id(), parts.sid.as_str(), parts.body_hash, parts.nonce] {
        payload.push('\n');
        payload.push_str(field);
    }
    Ok(payload.into_bytes())
}

/// Octets of an ordinary payload; a longer one costs a second allocation.
const USUAL_PAYLOAD: usize = 512;

fn reject_control(name: &'static str, value: &str) -> Result<(), Failure> {
    match value.bytes().any(|b| b.is_ascii_control()) {
        true => Err(Failure::Syntax(SyntaxFault::Control(name))),
        false => Ok(()),
    }
}

/// §5: the fields of `h=`, each name taking its last unused field, relaxed, each with CRLF. `once` are the once-only fields
/// of this header section.
pub(super) fn covered_fields(header: &Header<'_>, once: Once<'_>, names: &[impl AsRef<str>], out: &mut Vec<u8>) {
    let put = |field| {
        HeaderCanon::Relaxed.write(field, out);
        out.extend_from_slice(b"\r\n");
    };
    match names.len() {
        0..=limits::FEW_NAMES => each_looked_for(header, once, names).for_each(put),
        _ => all_indexed(header, names).into_iter().for_each(put),
    }
}

/// The quicker way for the names that signers write.
fn each_looked_for<'h>(
    header: &'h Header<'_>,
    mut once: Once<'h>,
    names: &[impl AsRef<str>],
) -> impl Iterator<Item = Field<'h>> {
    names.iter().map(AsRef::as_ref).enumerate().filter_map(move |(at, name)| {
        once.take(name).unwrap_or_else(|| {
            let used = names.iter().take(at).filter(|earlier| earlier.as_ref() == name).count();
            header.named(name).rev().nth(used)
        })
    })
}

/// The way whose cost does not grow with names times fields, both of which a stranger chooses.
fn all_indexed<'h>(header: &'h Header<'_>, names: &[impl AsRef<str>]) -> Vec<Field<'h>> {
    let mut unused: BTreeMap<Vec<u8>, Vec<Field<'_>>> = BTreeMap::new();
    for field in header.fields() {
        unused.entry(field.name().to_ascii_lowercase()).or_default().push(field);
    }
    names.iter().filter_map(|name| unused.get_mut(name.as_ref().as_bytes())?.pop()).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_names_and_many_find_the_same_fields() {
        let header = Header::parse(
            b"A: 1\r\nB: 2\r\nTo: x\r\na: 3\r\nC: 4\r\nFrom: y\r\nA: 5\r\nb: 6\r\nDate: z\r\nMessage-ID: u\r\n",
        );
        let once = Once::find(&header).unwrap();
        for names in ["a", "a:a:a:a", "b:a:b:a:c:c", "d:a:d:b", "c:b:a", "to:from:to:a:cc:a:from:date"] {
            let names: Vec<&str> = names.split(':').collect();
            let looked_for: Vec<Field<'_>> = each_looked_for(&header, once.clone(), &names).collect();
            assert_eq!(looked_for, all_indexed(&header, &names), "{names:?}");
        }
        let values: Vec<&[u8]> = all_indexed(&header, &["a", "b", "a"]).iter().map(Field::value).collect();
        assert_eq!(values, [b" 5", b" 6", b" 3"]);
    }
}
