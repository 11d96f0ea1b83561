//! Key records as DKIM2 reads them (draft-ietf-dkim-dkim2-dns): those of DKIM, with fewer tags that count and one key a name.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use zi2_mail::TagList;

use super::{Algorithm, KeyProblem};
use crate::dkim::{DkimKey, DkimKeyError};
use crate::key::{InputHash, MlDsaKey};
use crate::{Trouble, limits};

/// What DNS says of one name. Cheap to clone, so that a cache can keep it with its parsed key.
#[derive(Clone, Debug)]
pub struct KeyRecords(Arc<Result<Key, KeyProblem>>);

/// The answer about one name.
#[derive(Clone, Debug)]
pub enum KeyAnswer {
    /// Its records.
    Records(KeyRecords),
    /// It could not be asked for.
    Unavailable(Trouble),
}

#[derive(Clone, Debug)]
enum Key {
    /// RSA or Ed25519.
    Dkim(DkimKey),
    MlDsa(Box<MlDsaKey>),
}

impl KeyRecords {
    /// Reads the TXT records of a name, each with its strings joined.
    pub fn parse<'a>(txts: impl IntoIterator<Item = &'a [u8]>) -> KeyRecords {
        let mut txts = txts.into_iter();
        let key = match (txts.next(), txts.next()) {
            (None, _) => Err(KeyProblem::Missing),
            (Some(txt), None) => key_of(txt),
            (Some(_), Some(_)) => Err(KeyProblem::Several),
        };
        KeyRecords(Arc::new(key))
    }

    /// What is wrong with them, if anything is.
    pub fn problem(&self) -> Option<KeyProblem> {
        self.0.as_ref().as_ref().err().copied()
    }

    /// Whether `signature` is this key's over `input`; an error if the key cannot say.
    pub(super) fn verify(&self, algorithm: Algorithm, input: &Input, signature: &[u8]) -> Result<bool, KeyProblem> {
        match (self.0.as_ref().as_ref().map_err(|problem| *problem)?, algorithm) {
            (Key::Dkim(key), Algorithm::RsaSha256) if key.is_rsa() => {
                // § -08 3.2: verifiers take keys from 1024 bits
                if key.bits() < limits::RSA_MIN_BITS {
                    return Err(KeyProblem::Malformed);
                }
                Ok(key.verify(&input.hash, signature))
            }
            (Key::Dkim(key), Algorithm::Ed25519Sha256) if !key.is_rsa() => Ok(key.verify(&input.hash, signature)),
            (Key::MlDsa(key), Algorithm::MlDsa44) => Ok(key.verify(&input.octets, CONTEXT, signature)),
            _ => Err(KeyProblem::Algorithm),
        }
    }
}

/// § -08 3.4: what ML-DSA signs beside the input.
pub(super) const CONTEXT: &[u8] = b"DKIM2";

/// What a signature is over.
pub(super) struct Input {
    hash: InputHash,
    octets: Vec<u8>,
}

impl Input {
    pub(super) fn of(octets: Vec<u8>) -> Input {
        Input { hash: InputHash::of(&octets), octets }
    }

    pub(super) fn hash(&self) -> &InputHash {
        &self.hash
    }

    pub(super) fn octets(&self) -> &[u8] {
        &self.octets
    }
}

fn key_of(txt: &[u8]) -> Result<Key, KeyProblem> {
    if txt.len() > limits::DKIM2_RECORD_OCTETS {
        return Err(KeyProblem::Syntax);
    }
    // The list refuses a repeated tag.
    let tags = TagList::parse(txt).map_err(|_| KeyProblem::Syntax)?;
    if let Some(version) = tags.get("v") {
        let is_first = tags.first().is_some_and(|first| first.name() == "v");
        if version.value() != b"DKIM1" || !is_first {
            return Err(KeyProblem::Syntax);
        }
    }
    let p = tags.get("p").ok_or(KeyProblem::Syntax)?.compact();
    let kind = tags.get("k");
    if p.is_empty() {
        return Err(KeyProblem::Revoked);
    }
    let wrong = |error| match error {
        DkimKeyError::NotBase64 => KeyProblem::Syntax,
        _ => KeyProblem::Malformed,
    };
    // The tags h=, s=, n= and t= of DKIM say nothing here.
    match kind.map(|kind| kind.value()) {
        None | Some(b"rsa") => DkimKey::rsa_from_base64(&p).map(Key::Dkim).map_err(wrong),
        Some(b"ed25519") => DkimKey::ed25519_from_base64(&p).map(Key::Dkim).map_err(wrong),
        Some(b"mldsa44") => {
            let octets = STANDARD.decode(&p).map_err(|_| KeyProblem::Syntax)?;
            MlDsaKey::from_octets(&octets).map(|key| Key::MlDsa(Box::new(key))).ok_or(KeyProblem::Malformed)
        }
        Some(_) => Err(KeyProblem::Algorithm),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED: &str = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

    #[test]
    fn says_why_not() {
        for (txt, why) in [
            (format!("v=DKIM1; k=ed25519; p={ED}"), None),
            (format!("k=ed25519; h=sha1; s=other; t=s:y; p={ED}"), None),
            (format!("k=ed25519; v=DKIM1; p={ED}"), Some(KeyProblem::Syntax)),
            (format!("v=DKIM2; k=ed25519; p={ED}"), Some(KeyProblem::Syntax)),
            ("v=DKIM1".to_owned(), Some(KeyProblem::Syntax)),
            ("v=DKIM1; p=".to_owned(), Some(KeyProblem::Revoked)),
            (format!("k=ed25519; p={ED}; p={ED}"), Some(KeyProblem::Syntax)),
            ("k=ed25519; p=AAAA".to_owned(), Some(KeyProblem::Malformed)),
            ("k=ed25519; p=*".to_owned(), Some(KeyProblem::Syntax)),
            ("p=AAAA".to_owned(), Some(KeyProblem::Malformed)),
            ("k=mldsa44; p=AAAA".to_owned(), Some(KeyProblem::Malformed)),
            ("k=mldsa44; p=*".to_owned(), Some(KeyProblem::Syntax)),
            ("k=other; p=AAAA".to_owned(), Some(KeyProblem::Algorithm)),
            ("v=spf1 -all".to_owned(), Some(KeyProblem::Syntax)),
        ] {
            assert_eq!(KeyRecords::parse([txt.as_bytes()]).problem(), why, "{txt}");
        }
        assert_eq!(KeyRecords::parse([]).problem(), Some(KeyProblem::Missing));
        let good = format!("k=ed25519; p={ED}");
        assert_eq!(KeyRecords::parse([good.as_bytes(), b"v=spf1"]).problem(), Some(KeyProblem::Several));
        let padded = |octets: usize| format!("p=; n={}", "x".repeat(octets - 6));
        let problem = |octets| KeyRecords::parse([padded(octets).as_bytes()]).problem();
        assert_eq!(problem(limits::DKIM2_RECORD_OCTETS), Some(KeyProblem::Revoked));
        assert_eq!(problem(limits::DKIM2_RECORD_OCTETS + 1), Some(KeyProblem::Syntax));
    }
}
