//! The key document of `https://<host>/.well-known/zi2-cert.json` (zi2.md §6).

use serde::Deserialize;
use zi2_mail::HostName;

use super::{Kid, PublicKey};
use crate::limits;

/// A key document as one host serves it. Which names it may speak for is decided where it is used: never by its own claims.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyDocument {
    /// The server the document is about.
    pub sid: HostName,
    /// Its usable keys; entries of unknown types are left out.
    pub keys: Vec<PublishedKey>,
}

/// One key of a document.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PublishedKey {
    /// Its identifier.
    pub kid: Kid,
    /// The key.
    pub key: PublicKey,
}

/// Why octets are no key document.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DocumentError {
    /// Over the limit.
    #[error("the document is longer than {max} octets", max = limits::DOCUMENT_OCTETS)]
    TooLong,
    /// Not the JSON we expect; the parser's words.
    #[error("the document is not a ZI2 key document: {0}")]
    Json(String),
    /// A version of the future.
    #[error("the document has version {0}, this program knows version 1")]
    Version(u32),
    /// `sid` is no host name.
    #[error("the document's sid is not a host name")]
    Sid,
    /// Too many keys.
    #[error("the document has more than {max} keys", max = limits::DOCUMENT_KEYS)]
    TooManyKeys,
}

#[derive(Deserialize)]
struct Wire {
    version: u32,
    sid: String,
    keys: Vec<WireKey>,
}

#[derive(Deserialize)]
struct WireKey {
    kid: String,
    k: String,
    p: String,
}

impl KeyDocument {
    /// Reads a document. A repeated member, a missing one or one of the wrong type refuses it whole.
    pub fn parse(json: &[u8]) -> Result<KeyDocument, DocumentError> {
        if json.len() > limits::DOCUMENT_OCTETS {
            return Err(DocumentError::TooLong);
        }
        let wire: Wire = serde_json::from_slice(json).map_err(|e| DocumentError::Json(e.to_string()))?;
        if wire.version != 1 {
            return Err(DocumentError::Version(wire.version));
        }
        if wire.keys.len() > limits::DOCUMENT_KEYS {
            return Err(DocumentError::TooManyKeys);
        }
        let sid = HostName::parse(&wire.sid).map_err(|_| DocumentError::Sid)?;
        Ok(KeyDocument { sid, keys: wire.keys.iter().filter_map(WireKey::usable).collect() })
    }
}

impl WireKey {
    fn usable(&self) -> Option<PublishedKey> {
        let (kid, key) = (Kid::parse(&self.kid).ok()?, PublicKey::from_base64(self.p.as_bytes()).ok()?);
        (self.k == "ed25519").then_some(PublishedKey { kid, key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = r#"{"kid":"zi2-cert-2026-04","k":"ed25519","p":"V7srNmbCvR82CBFMP6iWDZTQaFODxBloQf9GWfDGITY=","created":1,"retires":null}"#;

    #[test]
    fn reads_the_example_and_skips_what_it_cannot_use() {
        let json = format!(
            r#"{{"version":1,"sid":"mail.example.com","keys":[{KEY},{{"kid":"zi2-cert-2026-04","k":"x","p":""}}],"domains":[]}}"#
        );
        let document = KeyDocument::parse(json.as_bytes()).unwrap();
        assert_eq!((document.sid.as_str(), document.keys.len()), ("mail.example.com", 1));
    }

    #[test]
    fn refuses_the_rest() {
        let many = vec![KEY; 257].join(",");
        for (json, why) in [
            (r#"{"version":2,"sid":"mail.example.com","keys":[]}"#.to_owned(), "version 2"),
            (r#"{"version":1,"sid":"localhost","keys":[]}"#.to_owned(), "host name"),
            (r#"{"version":1,"version":1,"sid":"mail.example.com","keys":[]}"#.to_owned(), "duplicate"),
            ("[]".repeat(3), "not a ZI2"),
            (format!("{}1", "[".repeat(200)), "not a ZI2"),
            (" ".repeat(70_000), "longer"),
            (format!(r#"{{"version":1,"sid":"mail.example.com","keys":[{many}]}}"#), "keys"),
        ] {
            assert!(KeyDocument::parse(json.as_bytes()).unwrap_err().to_string().contains(why), "{json:.60}");
        }
    }
}
