//! The octets that a signature is over (RFC 6376 §3.7).

use zi2_mail::{Field, Header, HeaderCanon};

use super::SignatureField;
use crate::key::InputHash;

/// The hash over the signed fields and the signature field itself.
pub(super) fn input_hash(header: &Header<'_>, field: Field<'_>, signature: &SignatureField) -> InputHash {
    let mut octets = Vec::with_capacity(header.octets().len().min(USUAL_OCTETS));
    signed_fields(header, field, signature, &mut octets);
    own_field(field, signature, &mut octets);
    InputHash::of(&octets)
}

/// The header section of an ordinary message; a longer one costs further allocations.
const USUAL_OCTETS: usize = 16 * 1024;

/// §5.4.2: each name takes the last field of that name that is not taken yet; a name without one adds nothing.
fn signed_fields(header: &Header<'_>, own: Field<'_>, signature: &SignatureField, out: &mut Vec<u8>) {
    let canon = signature.canon().header();
    let names: Vec<&str> = signature.covered().collect();
    for (at, name) in names.iter().enumerate() {
        let below = names.iter().take(at).filter(|earlier| *earlier == name).count();
        // §5.4: the signature being verified is never one of the fields it signs
        let mut fields = header.from_bottom(name).filter(|field| field.offset() != own.offset());
        if let Some(field) = fields.nth(below) {
            canon.write(field, out);
            out.extend_from_slice(b"\r\n");
        }
    }
}

/// §3.7: the field itself, the value of `b=` removed by its span and never by search, without the final CRLF.
pub(super) fn own_field(field: Field<'_>, signature: &SignatureField, out: &mut Vec<u8>) {
    let (value, span) = (field.value(), &signature.b_span);
    let parts = [value.get(..span.start), value.get(span.end..)].map(Option::unwrap_or_default);
    match signature.canon().header() {
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
