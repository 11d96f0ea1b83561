//! The octets that a signature is over (RFC 6376 §3.7).

use std::ops::Range;

use zi2_mail::{Field, Header, HeaderCanon};

use super::SignatureField;
use crate::key::InputHash;

/// The hash over the signed fields and the signature field itself.
pub(super) fn input_hash(header: &Header<'_>, field: Field<'_>, signature: &SignatureField) -> InputHash {
    let mut octets = Vec::with_capacity(header.octets().len().min(USUAL_OCTETS));
    signed_fields(header, field, signature, &mut octets);
    own_field(field, signature.canon().header(), &signature.b_span, &mut octets);
    InputHash::of(&octets)
}

/// The header section of an ordinary message; a longer one costs further allocations.
const USUAL_OCTETS: usize = 16 * 1024;

/// §5.4.2: each name takes the last field of that name that is not taken yet; a name without one adds nothing.
fn signed_fields(header: &Header<'_>, own: Field<'_>, signature: &SignatureField, out: &mut Vec<u8>) {
    let mut slots: Vec<(&str, Option<Field<'_>>)> = signature.covered().map(|name| (name, None)).collect();
    // §5.4: the signature being verified is never one of the fields it signs
    for field in header.from_bottom().filter(|field| field.offset() != own.offset()) {
        let name = field.name();
        let takes = |slot: &&mut (&str, Option<Field<'_>>)| {
            slot.0.len() == name.len() && slot.1.is_none() && slot.0.as_bytes().eq_ignore_ascii_case(name)
        };
        if let Some((_, slot)) = slots.iter_mut().find(takes) {
            *slot = Some(field);
        }
    }
    for field in slots.into_iter().filter_map(|(_, field)| field) {
        signature.canon().header().write(field, out);
        out.extend_from_slice(b"\r\n");
    }
}

/// §3.7: the field itself, the value of `b=` removed by its span and never by search, without the final CRLF.
pub(super) fn own_field(field: Field<'_>, canon: HeaderCanon, span: &Range<usize>, out: &mut Vec<u8>) {
    let value = field.value();
    let parts = [value.get(..span.start), value.get(span.end..)].map(Option::unwrap_or_default);
    match canon {
        HeaderCanon::Simple => {
            let name = field.raw().len() - value.len();
            out.extend_from_slice(field.raw().get(..name).unwrap_or_default());
            parts.iter().for_each(|part| out.extend_from_slice(part));
        }
        HeaderCanon::Relaxed => {
            out.extend(field.name().iter().map(u8::to_ascii_lowercase));
            out.push(b':');
            zi2_mail::relaxed_value(&parts.concat(), out);
        }
    }
}
