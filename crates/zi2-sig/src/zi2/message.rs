//! Messages that must be unambiguous (zi2.md §2): checked before anything else, by signer and verifier alike.

use zi2_mail::{
    AddrSpec, AddressError, AddressList, Domain, Field, Header, parse_address_list, parse_from, parse_message_id,
};

use super::FIELD_NAME;
use crate::facts::{Failure, SyntaxFault};

/// Fields that may appear at most once.
pub const UNIQUE_FIELDS: [&str; 13] = [
    "from",
    "sender",
    "reply-to",
    "to",
    "cc",
    "subject",
    "date",
    "message-id",
    "in-reply-to",
    "references",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
];

/// Fields that must appear exactly once.
pub const REQUIRED_FIELDS: [&str; 3] = ["from", "date", "message-id"];

/// Evidence: the header section passed every check of §2. It holds what the payload needs, and is made here only.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unambiguous {
    from: AddrSpec,
    domain: Domain,
    recipients: Vec<AddrSpec>,
    /// The value of Cc: few ever ask who stands in it.
    copied: Box<[u8]>,
    message_id: String,
}

impl Unambiguous {
    /// Checks a header section. The first rule it breaks is the answer.
    pub fn check(header: &Header<'_>) -> Result<Unambiguous, Failure> {
        Unambiguous::with_fields(header).map(|(message, _)| message)
    }

    /// As [`Unambiguous::check`], with the once-only fields it found: they are what is usually signed.
    pub(super) fn with_fields<'a>(header: &'a Header<'_>) -> Result<(Unambiguous, Once<'a>), Failure> {
        if let Some(defect) = header.defect() {
            return Err(Failure::Syntax(SyntaxFault::Section(defect.kind, defect.offset)));
        }
        let once = Once::find(header)?;
        let from = once.field("from").ok_or(Failure::MissingField("from"))?;
        let from = parse_from(from.value()).map_err(|e| match e {
            AddressError::Ambiguous => Failure::FromAmbiguous,
            _ => Failure::Syntax(SyntaxFault::Field("from")),
        })?;
        let domain = from.domain().cloned().ok_or(Failure::Syntax(SyntaxFault::Field("from")))?;
        let recipients = once.field("to").map_or(Ok(Vec::new()), addresses)?;
        let copied = once.field("cc").map(|cc| cc.value().into()).unwrap_or_default();
        let message_id = once.field("message-id").ok_or(Failure::MissingField("message-id"))?;
        let message_id =
            parse_message_id(message_id.value()).map_err(|_| Failure::Syntax(SyntaxFault::Field("message-id")))?;
        let message_id = message_id.into_owned();
        Ok((Unambiguous { from, domain, recipients, copied, message_id }, once))
    }

    /// The From mailbox.
    pub fn from(&self) -> &AddrSpec {
        &self.from
    }

    /// The From domain.
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// All To mailboxes in order of appearance.
    pub fn recipients(&self) -> &[AddrSpec] {
        &self.recipients
    }

    /// All To and Cc mailboxes.
    pub fn addressees(&self) -> Vec<AddrSpec> {
        // §2 does not ask Cc to be well-formed; what cannot be read is nobody's address.
        let copied = parse_address_list(&self.copied).map(AddressList::into_flattened).unwrap_or_default();
        [self.recipients.as_slice(), &copied].concat()
    }

    /// The Message-ID, unfolded and trimmed.
    pub fn message_id(&self) -> &str {
        &self.message_id
    }
}

/// The domain of the only From field, if it names one mailbox, whatever else is wrong with the message: enough to ask
/// whether its mail is expected to be certified, never enough to verify anything.
pub(super) fn author_domain(header: &Header<'_>) -> Option<Domain> {
    let mut all = header.named("from");
    let only = all.next().filter(|_| all.next().is_none())?;
    parse_from(only.value()).ok()?.domain().cloned()
}

/// The once-only fields of a header section, found in one walk.
#[derive(Clone)]
pub(super) struct Once<'a> {
    fields: [Option<Field<'a>>; UNIQUE_FIELDS.len()],
}

impl<'a> Once<'a> {
    pub(super) fn find(header: &'a Header<'_>) -> Result<Once<'a>, Failure> {
        let mut fields = [None; UNIQUE_FIELDS.len()];
        let mut certified = 0_u32;
        for field in header.fields() {
            match place(field.name()) {
                None => certified += u32::from(field.is_named(FIELD_NAME)),
                Some(place) => {
                    let earlier = fields.get_mut(place).and_then(|slot| slot.replace(field));
                    if let (Some(_), Some(name)) = (earlier, UNIQUE_FIELDS.get(place)) {
                        return Err(Failure::Duplicate(name)); // §2: at most once
                    }
                }
            }
        }
        let once = Once { fields };
        if let Some(name) = REQUIRED_FIELDS.into_iter().find(|name| once.field(name).is_none()) {
            return Err(Failure::MissingField(name));
        }
        if certified > 1 { Err(Failure::Duplicate("x-zi2-certified")) } else { Ok(once) }
    }

    fn field(&self, name: &str) -> Option<Field<'a>> {
        place(name.as_bytes()).and_then(|place| *self.fields.get(place)?)
    }

    /// Takes the field of this name out; nothing if it is not one of these names.
    pub(super) fn take(&mut self, name: &str) -> Option<Option<Field<'a>>> {
        self.fields.get_mut(place(name.as_bytes())?).map(Option::take)
    }
}

/// Where a name stands among [`UNIQUE_FIELDS`].
fn place(name: &[u8]) -> Option<usize> {
    let last = name.last()?.to_ascii_lowercase();
    // Length and last letter tell all of them apart, and nearly all other names from them.
    let place = match (name.len(), last) {
        (4, b'm') => 0,   // from
        (6, b'r') => 1,   // sender
        (8, b'o') => 2,   // reply-to
        (2, b'o') => 3,   // to
        (2, b'c') => 4,   // cc
        (7, b't') => 5,   // subject
        (4, b'e') => 6,   // date
        (10, b'd') => 7,  // message-id
        (11, b'o') => 8,  // in-reply-to
        (10, b's') => 9,  // references
        (12, b'n') => 10, // mime-version
        (12, b'e') => 11, // content-type
        (25, b'g') => 12, // content-transfer-encoding
        _ => return None,
    };
    UNIQUE_FIELDS.get(place).filter(|known| name.eq_ignore_ascii_case(known.as_bytes())).map(|_| place)
}

fn addresses(to: Field<'_>) -> Result<Vec<AddrSpec>, Failure> {
    let list = parse_address_list(to.value()).map_err(|_| Failure::Syntax(SyntaxFault::Field("to")))?;
    Ok(list.into_flattened())
}

/// RFC 5322 §2.2: printable US-ASCII except colon.
pub(super) fn is_field_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().fold(true, |good, b| good & (0x21..=0x7e).contains(b) & (*b != b':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unique_fields_are_found() {
        for (at, name) in UNIQUE_FIELDS.into_iter().enumerate() {
            assert_eq!(place(name.to_ascii_uppercase().as_bytes()), Some(at), "{name}");
        }
        for other in ["", "o", "xx", "farm", "form", "content-transfer-encodinx", "received", "x-zi2-certified"] {
            assert_eq!(place(other.as_bytes()), None, "{other}");
        }
    }
}
