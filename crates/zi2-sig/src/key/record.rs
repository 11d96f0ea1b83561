//! The TXT record that publishes a key (zi2.md §6).

use zi2_mail::{HostName, TagList};

use super::{Kid, PublicKey, PublicKeyError};
use crate::limits;

/// One key record: `v=ZI2CERT1; k=ed25519; p=...; kid=...`. Records of other kinds and of unknown key types are not ours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyRecord {
    /// The key, or that it was revoked.
    pub key: RecordKey,
    /// The key identifier, which the page's short form leaves out.
    pub kid: Option<Kid>,
    /// The server that uses the key, if the record says so.
    pub sid: Option<HostName>,
}

/// What `p=` says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RecordKey {
    /// A key in use.
    Live(PublicKey),
    /// An empty `p=`: the key was revoked.
    Revoked,
}

/// Why a TXT record is no key record; the texts are for the domain's owner.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RecordError {
    /// Some other TXT record: SPF, a site verification, anything.
    #[error("not a ZI2 record: it does not start with v=ZI2CERT1")]
    OtherKind,
    /// It starts like ours and is no tag list.
    #[error("the record is not a list of tag=value; pairs")]
    Syntax,
    /// A key type we do not know (yet); skipped.
    #[error("the key type is not ed25519")]
    OtherKeyType,
    /// There is no `p=`.
    #[error("the record has no p= tag: the public key is missing")]
    NoKey,
    /// `p=` is no key.
    #[error("p=: {0}")]
    Key(#[from] PublicKeyError),
    /// `kid=` is no key identifier.
    #[error("kid= does not read zi2-cert-YYYY-MM")]
    Kid,
    /// Over the limit.
    #[error("the record is longer than {max} octets", max = limits::RECORD_OCTETS)]
    TooLong,
}

const VERSION: &[u8] = b"ZI2CERT1";

impl KeyRecord {
    /// Reads the joined strings of one TXT record.
    pub fn parse(txt: &[u8]) -> Result<KeyRecord, RecordError> {
        if txt.len() > limits::RECORD_OCTETS {
            return Err(RecordError::TooLong);
        }
        let tags = TagList::parse(txt)
            .map_err(|_| if looks_like_ours(txt) { RecordError::Syntax } else { RecordError::OtherKind })?;
        // §6: v must come first
        tags.first().filter(|tag| tag.name() == "v" && tag.value() == VERSION).ok_or(RecordError::OtherKind)?;
        if tags.get("k").is_some_and(|k| k.value() != b"ed25519") {
            return Err(RecordError::OtherKeyType); // §6: unknown k values skip the record
        }
        let kid = match tags.get("kid") {
            Some(tag) => Some(text(tag.value()).and_then(|t| Kid::parse(t).ok()).ok_or(RecordError::Kid)?),
            None => None,
        };
        let p = tags.get("p").ok_or(RecordError::NoKey)?.compact();
        let key = if p.is_empty() { RecordKey::Revoked } else { RecordKey::Live(PublicKey::from_base64(&p)?) };
        let sid = tags.get("sid").and_then(|tag| HostName::parse(text(tag.value())?).ok());
        Ok(KeyRecord { key, kid, sid })
    }

    /// The record's text. One string of a TXT record holds it: it has at most about 150 octets.
    pub fn to_txt(&self) -> String {
        let mut txt = String::from("v=ZI2CERT1; k=ed25519; p=");
        if let RecordKey::Live(key) = self.key {
            txt.push_str(&key.to_base64());
        }
        if let Some(kid) = self.kid {
            txt.push_str(&format!("; kid={kid}"));
        }
        if let Some(sid) = &self.sid {
            txt.push_str(&format!("; sid={}", sid.as_str()));
        }
        txt
    }
}

fn looks_like_ours(txt: &[u8]) -> bool {
    txt.trim_ascii_start().starts_with(b"v=ZI2CERT1")
}

fn text(octets: &[u8]) -> Option<&str> {
    std::str::from_utf8(octets).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const P: &str = "V7srNmbCvR82CBFMP6iWDZTQaFODxBloQf9GWfDGITY=";

    #[test]
    fn reads_what_it_writes() {
        for (key, kid, sid) in [
            (
                RecordKey::Live(PublicKey::from_base64(P.as_bytes()).unwrap()),
                "zi2-cert-2026-04",
                Some("mail.example.com"),
            ),
            (RecordKey::Revoked, "zi2-cert-2026-04", None),
        ] {
            let record = KeyRecord { key, kid: Kid::parse(kid).ok(), sid: sid.map(|s| HostName::parse(s).unwrap()) };
            assert_eq!(KeyRecord::parse(record.to_txt().as_bytes()), Ok(record));
        }
    }

    #[test]
    fn says_why_not() {
        for (txt, why) in [
            ("v=spf1 -all".to_owned(), RecordError::OtherKind),
            (String::new(), RecordError::OtherKind),
            (format!("k=ed25519; v=ZI2CERT1; p={P}"), RecordError::OtherKind),
            ("v=ZI2CERT1".to_owned(), RecordError::NoKey),
            ("v=ZI2CERT1; p=*".to_owned(), RecordError::Key(PublicKeyError::NotBase64)),
            ("v=ZI2CERT1; k=rsa; p=AAAA".to_owned(), RecordError::OtherKeyType),
            (format!("v=ZI2CERT1; p={P}; kid=april"), RecordError::Kid),
            (format!("v=ZI2CERT1; p={P}; p={P}"), RecordError::Syntax),
            (format!("v=ZI2CERT1; p={P}; n={}", "x".repeat(5000)), RecordError::TooLong),
        ] {
            assert_eq!(KeyRecord::parse(txt.as_bytes()), Err(why), "{txt}");
        }
    }
}
