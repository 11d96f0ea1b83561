//! How a domain signs: canonicalization, fields and expiry.

use std::sync::Arc;

use super::Canon;

/// How messages are signed. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recipe {
    pub(super) canon: Canon,
    pub(super) lifetime: Option<u64>,
    fields: Arc<[SignedField]>,
}

/// A header field to sign.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedField {
    name: Box<str>,
    cover: Cover,
}

/// How many of a field's appearances `h=` names.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Cover {
    /// Those that are there.
    Present,
    /// Those that are there and one more, so that none can be added (RFC 6376 §5.4.2).
    Sealed,
}

/// A text that is no name of a header field, or a name longer than a line of the signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a name of a header field that can be signed")]
pub struct SignedFieldError;

/// Columns of a line of the signature field without its fold.
const NAME_OCTETS: usize = 70;

/// What mail programs show or act on is sealed. Of the rest, what relays may add for a reason is signed where it is there.
const USUAL: [(&str, Cover); 14] = [
    ("from", Cover::Sealed),
    ("to", Cover::Sealed),
    ("cc", Cover::Sealed),
    ("reply-to", Cover::Sealed),
    ("subject", Cover::Sealed),
    ("date", Cover::Sealed),
    ("message-id", Cover::Sealed),
    ("content-type", Cover::Sealed),
    ("content-transfer-encoding", Cover::Sealed),
    ("mime-version", Cover::Sealed),
    ("sender", Cover::Present),
    ("in-reply-to", Cover::Present),
    ("references", Cover::Present),
    // An attestation that someone took away or put there is noticed by DKIM verifiers that know nothing of it.
    ("x-zi2-certified", Cover::Present),
];

impl SignedField {
    /// A field of this name.
    ///
    /// # Errors
    /// [`SignedFieldError`] if the name cannot stand in `h=`.
    pub fn new(name: &str, cover: Cover) -> Result<SignedField, SignedFieldError> {
        let good = |octet: u8| octet.is_ascii_graphic() && !matches!(octet, b':' | b';');
        if name.is_empty() || name.len() > NAME_OCTETS || !name.bytes().all(good) {
            return Err(SignedFieldError);
        }
        Ok(SignedField { name: name.to_ascii_lowercase().into(), cover })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn is_sealed(&self) -> bool {
        self.cover == Cover::Sealed
    }
}

impl Recipe {
    /// Signs these fields, each name once. From is signed and sealed whether it is named or not (RFC 6376 §5.4).
    pub fn new(canon: Canon, fields: impl IntoIterator<Item = SignedField>) -> Recipe {
        let mut kept: Vec<SignedField> = Vec::new();
        for field in fields {
            if field.name() != "from" && !kept.iter().any(|other| other.name == field.name) {
                kept.push(field);
            }
        }
        kept.insert(0, SignedField { name: "from".into(), cover: Cover::Sealed });
        Recipe { canon, lifetime: None, fields: kept.into() }
    }

    /// The same with another `c=`.
    #[must_use]
    pub fn with_canon(self, canon: Canon) -> Recipe {
        Recipe { canon, ..self }
    }

    /// The same with signatures that are over after so many seconds, `x=`.
    #[must_use]
    pub fn with_lifetime(self, seconds: u64) -> Recipe {
        Recipe { lifetime: Some(seconds), ..self }
    }

    /// The fields, From first.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = &SignedField> {
        self.fields.iter()
    }
}

impl Default for Recipe {
    /// relaxed/relaxed over what mail programs show, without expiry.
    fn default() -> Recipe {
        let usual = USUAL.into_iter().map(|(name, cover)| SignedField { name: name.into(), cover });
        Recipe::new(Canon::RELAXED, usual)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_is_always_first_and_sealed() {
        let field = |name: &str| SignedField::new(name, Cover::Present).unwrap();
        let recipe = Recipe::new(Canon::SIMPLE, ["To", "FROM", "to", "X-A"].map(field));
        let names: Vec<_> = recipe.fields().map(|field| (field.name(), field.is_sealed())).collect();
        assert_eq!(names, [("from", true), ("to", false), ("x-a", false)]);
        assert_eq!(Recipe::default().fields().len(), USUAL.len());
        for bad in ["", "a b", "a:", "a;b", "\u{e4}", "a\n", &"a".repeat(NAME_OCTETS + 1)] {
            assert_eq!(SignedField::new(bad, Cover::Present), Err(SignedFieldError), "{bad:?}");
        }
        assert!(SignedField::new(&"a".repeat(NAME_OCTETS), Cover::Present).is_ok());
    }
}
