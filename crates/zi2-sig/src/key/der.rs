//! As much of DER (X.690) as RSA keys need: lengths that say how large a key is before a library works on it.

/// The algorithm identifier rsaEncryption (RFC 8017 §A.1), without its NULL parameters.
const RSA_ENCRYPTION: [u8; 11] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

pub(super) const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
pub(super) const SEQUENCE: u8 = 0x30;

/// An RSAPublicKey (RFC 8017 §A.1.1) and what it says of itself.
pub(super) struct RsaPublic<'a> {
    /// The structure, as it is given to the library.
    pub(super) der: &'a [u8],
    pub(super) bits: u32,
    /// Big-endian, without leading zeros.
    pub(super) exponent: &'a [u8],
}

/// Reads a SubjectPublicKeyInfo (what everybody publishes) or an RSAPublicKey (what RFC 6376 §3.6.1 says).
pub(super) fn rsa_public(der: &[u8]) -> Option<RsaPublic<'_>> {
    let key = match spki(der) {
        Some(key) => key,
        None => der,
    };
    let mut parts = whole(key, SEQUENCE)?;
    let (modulus, exponent) = (positive(&mut parts)?, positive(&mut parts)?);
    parts.is_empty().then_some(RsaPublic { der: key, bits: bits(modulus)?, exponent })
}

/// Bits of the modulus of an RSAPrivateKey (RFC 8017 §A.1.2), or of a PrivateKeyInfo (RFC 5208 §5) that holds one.
pub(super) fn rsa_private_bits(der: &[u8]) -> Option<u32> {
    let mut parts = whole(der, SEQUENCE)?;
    let _version = element(&mut parts, INTEGER)?;
    if parts.first() == Some(&SEQUENCE) {
        let algorithm = element(&mut parts, SEQUENCE)?;
        let key = element(&mut parts, OCTET_STRING).filter(|_| algorithm.starts_with(&RSA_ENCRYPTION))?;
        parts = whole(key, SEQUENCE)?;
        let _version = element(&mut parts, INTEGER)?;
    }
    bits(positive(&mut parts)?)
}

/// The SubjectPublicKeyInfo (RFC 5280 §4.1) of an RSAPublicKey.
pub(super) fn spki_of(rsa_public: &[u8]) -> Vec<u8> {
    let algorithm = wrap(SEQUENCE, &[&RSA_ENCRYPTION, [0x05, 0x00].as_slice()].concat());
    let key = wrap(BIT_STRING, &[&[0x00], rsa_public].concat());
    wrap(SEQUENCE, &[algorithm, key].concat())
}

fn spki(der: &[u8]) -> Option<&[u8]> {
    let mut parts = whole(der, SEQUENCE)?;
    let algorithm = element(&mut parts, SEQUENCE)?;
    let key = element(&mut parts, BIT_STRING)?.strip_prefix(&[0x00])?;
    (parts.is_empty() && algorithm.starts_with(&RSA_ENCRYPTION)).then_some(key)
}

fn whole(der: &[u8], tag: u8) -> Option<&[u8]> {
    let mut rest = der;
    element(&mut rest, tag).filter(|_| rest.is_empty())
}

/// Takes one element's content. Lengths of up to two octets, written as short as can be: no key we use is longer.
fn element<'a>(der: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    let (length, rest) = match *der {
        [first, 0x82, high @ 0x01..=0xff, low, rest @ ..] if *first == tag => {
            (usize::from(*high) << 8 | usize::from(*low), rest)
        }
        [first, 0x81, low @ 0x80..=0xff, rest @ ..] if *first == tag => (usize::from(*low), rest),
        [first, low @ 0..=0x7f, rest @ ..] if *first == tag => (usize::from(*low), rest),
        _ => return None,
    };
    let (content, after) = rest.split_at_checked(length)?;
    *der = after;
    Some(content)
}

/// A positive INTEGER without leading zeros.
fn positive<'a>(der: &mut &'a [u8]) -> Option<&'a [u8]> {
    match element(der, INTEGER)? {
        [] | [0x80..=0xff, ..] => None,
        octets => {
            let zeros = octets.iter().take_while(|octet| **octet == 0).count();
            octets.get(zeros..).filter(|rest| !rest.is_empty())
        }
    }
}

fn bits(number: &[u8]) -> Option<u32> {
    let first = number.first()?;
    u32::try_from(number.len()).ok()?.checked_mul(8)?.checked_sub(first.leading_zeros())
}

pub(super) fn wrap(tag: u8, content: &[u8]) -> Vec<u8> {
    let [.., high, low] = content.len().to_be_bytes();
    let head = match content.len() {
        0..=0x7f => vec![tag, low],
        0x80..=0xff => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [head.as_slice(), content].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_key() {
        let key = |modulus: &[u8], exponent: &[u8]| {
            wrap(SEQUENCE, &[wrap(INTEGER, modulus), wrap(INTEGER, exponent)].concat())
        };
        let good = key(&[0x00, 0x81, 0x01], &[3]);
        assert_eq!(rsa_public(&good).map(|key| (key.bits, key.exponent)), Some((16, [3].as_slice())));
        assert_eq!(rsa_public(&spki_of(&good)).map(|key| key.der), Some(good.as_slice()));
        let negative = key(&[0x81, 0x01], &[3]);
        let zero = key(&[0x00], &[3]);
        let trailing = [good.as_slice(), &[0]].concat();
        let short = good.get(..good.len() - 1).unwrap_or_default();
        for bad in [&negative, &zero, &trailing, short, b"", b"\x30", b"\x30\x84\x00\x00\x00\x00", b"\x30\x80\x00\x00"]
        {
            assert!(rsa_public(bad).is_none(), "{bad:?}");
        }
        for end in 0..good.len() {
            assert!(rsa_public(&spki_of(&good)[..end]).is_none());
        }
    }
}
