//! Key records (RFC 6376 §3.6.1) and what a set of them says about one signature.

use std::sync::Arc;

use zi2_mail::TagList;

use super::{Algorithm, DkimKey, DkimKeyError, DkimSigningKey, Fault, Mismatch, Objection, Outcome};
use crate::key::InputHash;
use crate::limits;

/// One key record. What it does not allow is checked where it is used.
#[derive(Clone, Debug)]
pub struct DkimRecord {
    /// The key, `k=` and `p=`; nothing if it was revoked.
    key: Option<DkimKey>,
    is_rsa: bool,
    allows_sha256: bool,
    use_: Use,
}

/// What `s=` and `t=` say.
#[derive(Clone, Copy, Debug)]
struct Use {
    for_mail: bool,
    testing: bool,
    strict: bool,
}

/// Why a TXT record is no key record; the texts are for the domain's owner.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DkimRecordError {
    /// Some other TXT record: SPF, a site verification, anything.
    #[error("not a DKIM key record")]
    OtherKind,
    /// It looks like a key record and is no tag list.
    #[error("the record is not a list of tag=value; pairs")]
    Syntax,
    /// `v=` is not DKIM1, or not the first tag.
    #[error("v= must read DKIM1 and come first, or be left out")]
    Version,
    /// A key type we do not know.
    #[error("the key type is neither rsa nor ed25519")]
    OtherKeyType,
    /// There is no `p=`.
    #[error("the record has no p= tag: the public key is missing")]
    NoKey,
    /// `p=` is no key.
    #[error("p=: {0}")]
    Key(#[from] DkimKeyError),
    /// Over the limit.
    #[error("the record is longer than {max} octets", max = limits::DKIM_RECORD_OCTETS)]
    TooLong,
}

impl DkimRecord {
    /// Reads the joined strings of one TXT record. Unknown tags, flags, services and hash algorithms are passed over.
    ///
    /// # Errors
    /// [`DkimRecordError`].
    pub fn parse(txt: &[u8]) -> Result<DkimRecord, DkimRecordError> {
        if txt.len() > limits::DKIM_RECORD_OCTETS {
            return Err(DkimRecordError::TooLong);
        }
        let tags = TagList::parse(txt).map_err(|_| match looks_like_a_key(txt) {
            true => DkimRecordError::Syntax,
            false => DkimRecordError::OtherKind,
        })?;
        if let Some(version) = tags.get("v") {
            // §3.6.1: "If specified, this tag MUST be set to "DKIM1" ... MUST be the first tag in the record"
            let is_first = tags.first().is_some_and(|first| first.name() == "v");
            match (version.value() == b"DKIM1", is_first, tags.get("p").is_some()) {
                (true, true, _) => {}
                (false, _, false) => return Err(DkimRecordError::OtherKind), // v=spf1, v=ZI2CERT1, ...
                _ => return Err(DkimRecordError::Version),
            }
        }
        let has = |tag: &str, word: &[u8]| tags.get(tag).is_some_and(|tag| words(tag.value()).any(|w| w == word));
        let p = tags.get("p").ok_or(DkimRecordError::NoKey)?.compact();
        let is_rsa = match tags.get("k").map(|k| k.value()) {
            None | Some(b"rsa") => true,
            Some(b"ed25519") => false,
            Some(_) => return Err(DkimRecordError::OtherKeyType),
        };
        let key = match (p.is_empty(), is_rsa) {
            (true, _) => None, // §3.6.1: an empty value means that the key was revoked
            (false, true) => Some(DkimKey::rsa_from_base64(&p)?),
            (false, false) => Some(DkimKey::ed25519_from_base64(&p)?),
        };
        let for_mail = tags.get("s").is_none() || has("s", b"*") || has("s", b"email");
        let use_ = Use { for_mail, testing: has("t", b"y"), strict: has("t", b"s") };
        Ok(DkimRecord { key, is_rsa, allows_sha256: tags.get("h").is_none() || has("h", b"sha256"), use_ })
    }

    /// The key; nothing if it was revoked.
    pub fn key(&self) -> Option<&DkimKey> {
        self.key.as_ref()
    }

    /// Whether the domain is testing DKIM with this key, `t=y`.
    pub fn is_testing(&self) -> bool {
        self.use_.testing
    }

    /// What this record makes of a signature.
    fn try_with(&self, demand: &Demand<'_>) -> Outcome {
        let key = match &self.key {
            // §6.1.2 items 5 to 8, each a reason of its own
            _ if !self.allows_sha256 => return Outcome::PermError(Fault::KeyHash),
            None => return Outcome::PermError(Fault::KeyRevoked),
            _ if self.is_rsa != (demand.algorithm == Algorithm::RsaSha256) => {
                return Outcome::PermError(Fault::KeyType);
            }
            _ if !self.use_.for_mail => return Outcome::PermError(Fault::KeyService),
            _ if self.use_.strict && !demand.agent_is_domain => return Outcome::PermError(Fault::KeyStrict),
            Some(key) => key,
        };
        if self.is_rsa && key.bits() < demand.rsa_bits.max(limits::RSA_MIN_BITS) {
            return Outcome::Policy(Objection::ShortKey(key.bits()));
        }
        match key.verify(demand.hash, demand.signature) {
            true => Outcome::Pass,
            false if self.use_.testing => Outcome::Neutral(Mismatch::Signature),
            false => Outcome::Fail(Mismatch::Signature),
        }
    }
}

/// What a signature wants of a key.
pub(super) struct Demand<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) hash: &'a InputHash,
    pub(super) signature: &'a [u8],
    /// Whether the domain of `i=` is `d=` itself.
    pub(super) agent_is_domain: bool,
    pub(super) rsa_bits: u32,
}

/// The key records of one name. Cheap to clone, so that a cache can keep them with their parsed keys.
#[derive(Clone, Debug)]
pub struct DkimRecords(Option<Arc<[Result<DkimRecord, DkimRecordError>]>>);

impl DkimRecords {
    /// Reads the TXT records of a name, each with its strings joined. Of other kinds of records nothing is kept; with more
    /// than [`limits::DKIM_TXT_RECORDS`] of all kinds or [`limits::DKIM_RECORDS`] of this, none is.
    pub fn parse<'a>(txts: impl IntoIterator<Item = &'a [u8]>) -> DkimRecords {
        let mut records = Vec::new();
        for (place, txt) in txts.into_iter().enumerate() {
            if place == limits::DKIM_TXT_RECORDS {
                return DkimRecords(None);
            }
            match DkimRecord::parse(txt) {
                Err(DkimRecordError::OtherKind) => {}
                record => records.push(record),
            }
        }
        DkimRecords((records.len() <= limits::DKIM_RECORDS).then(|| records.into()))
    }

    /// The records that were read, and what is wrong with the others that look like key records.
    pub fn iter(&self) -> impl Iterator<Item = &Result<DkimRecord, DkimRecordError>> {
        self.0.iter().flat_map(|records| records.iter())
    }

    /// Whether there were too many records to keep any.
    pub fn are_too_many(&self) -> bool {
        self.0.is_none()
    }

    /// What verifiers make of signatures of this key, by these records.
    pub fn judge_key(&self, key: &DkimSigningKey) -> Outcome {
        let hash = InputHash::of(b"zi2 look at what is published");
        let Some(signature) = key.sign(&hash) else { return Outcome::Fail(Mismatch::Signature) };
        let algorithm = if key.is_rsa() { Algorithm::RsaSha256 } else { Algorithm::Ed25519Sha256 };
        let demand = Demand {
            algorithm,
            hash: &hash,
            signature: &signature,
            agent_is_domain: true,
            rsa_bits: limits::RSA_MIN_BITS,
        };
        self.judge(&demand).0
    }

    /// What becomes of a signature: the first record that verifies it decides, else the one that came closest. Gives the
    /// record that decided too.
    pub(super) fn judge(&self, demand: &Demand<'_>) -> (Outcome, Option<&DkimRecord>) {
        if self.are_too_many() {
            return (Outcome::PermError(Fault::TooManyKeys), None);
        }
        let mut closest = (Outcome::PermError(Fault::KeyNotFound), None);
        for record in self.iter() {
            let next = match record {
                Ok(record) => (record.try_with(demand), Some(record)),
                Err(error) => (Outcome::PermError(fault(*error)), None),
            };
            if next.0 == Outcome::Pass {
                return next;
            }
            if closeness(next.0) > closeness(closest.0) {
                closest = next;
            }
        }
        closest
    }
}

fn closeness(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::PermError(Fault::KeyNotFound) => 0,
        Outcome::PermError(_) | Outcome::TempError(_) => 1,
        Outcome::Policy(_) => 2,
        Outcome::Neutral(_) => 3,
        Outcome::Fail(_) => 4,
        Outcome::Pass => 5,
    }
}

fn fault(error: DkimRecordError) -> Fault {
    match error {
        DkimRecordError::Key(error) => Fault::Key(error),
        DkimRecordError::OtherKeyType => Fault::KeyType,
        _ => Fault::KeySyntax,
    }
}

/// Words of a `:`-separated list; white space around them goes.
pub(super) fn words(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|octet| *octet == b':').map(<[u8]>::trim_ascii)
}

fn looks_like_a_key(txt: &[u8]) -> bool {
    let start = txt.trim_ascii_start();
    [b"v=DKIM1".as_slice(), b"k=", b"p="].iter().any(|prefix| start.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED: &str = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

    #[test]
    fn says_why_not() {
        use DkimRecordError as E;
        for (txt, why) in [
            (format!("v=DKIM1; k=ed25519; p={ED}"), None),
            (format!("k=ed25519; p={ED}"), None),
            (format!("k=ed25519; p={ED}; n=Schl\u{fc}ssel; x=y;"), None),
            ("v=DKIM1; p=".to_owned(), None),
            ("v=spf1 -all".to_owned(), Some(E::OtherKind)),
            ("v=ZI2CERT1; kid=x".to_owned(), Some(E::OtherKind)),
            (String::new(), Some(E::OtherKind)),
            ("some text".to_owned(), Some(E::OtherKind)),
            (format!("k=ed25519; v=DKIM1; p={ED}"), Some(E::Version)),
            (format!("v=DKIM2; k=ed25519; p={ED}"), Some(E::Version)),
            (format!("v=dkim1; k=ed25519; p={ED}"), Some(E::Version)),
            ("v=DKIM1".to_owned(), Some(E::NoKey)),
            ("v=DKIM1; k=ed25519; p=*".to_owned(), Some(E::Key(DkimKeyError::NotBase64))),
            ("v=DKIM1; p=AAAA".to_owned(), Some(E::Key(DkimKeyError::NotRsa))),
            ("v=DKIM1; k=x; p=AAAA".to_owned(), Some(E::OtherKeyType)),
            (format!("v=DKIM1; k=ed25519; p={ED}; p={ED}"), Some(E::Syntax)),
        ] {
            assert_eq!(DkimRecord::parse(txt.as_bytes()).err(), why, "{txt}");
        }
        let padded = |octets: usize| format!("v=DKIM1; p=; n={}", "x".repeat(octets - 15));
        assert!(DkimRecord::parse(padded(limits::DKIM_RECORD_OCTETS).as_bytes()).is_ok());
        let above = DkimRecord::parse(padded(limits::DKIM_RECORD_OCTETS + 1).as_bytes());
        assert_eq!(above.err(), Some(E::TooLong));
    }

    #[test]
    fn flags() {
        let read = |tags: &str| {
            let record = DkimRecord::parse(format!("v=DKIM1; k=ed25519; {tags}; p={ED}").as_bytes()).unwrap();
            (record.allows_sha256, record.use_.for_mail, record.use_.testing, record.use_.strict)
        };
        for (tags, expected) in [
            ("a=b", (true, true, false, false)),
            ("h=sha1", (false, true, false, false)),
            ("h=sha1 : sha256", (true, true, false, false)),
            ("s=*", (true, true, false, false)),
            ("s=tlsrpt", (true, false, false, false)),
            ("s=tlsrpt:email", (true, true, false, false)),
            ("t=y", (true, true, true, false)),
            ("t= y : s", (true, true, true, true)),
            ("t=z:ys", (true, true, false, false)),
        ] {
            assert_eq!(read(tags), expected, "{tags}");
        }
    }

    #[test]
    fn numbers_of_records() {
        let (key, other) = ("v=DKIM1; k=ed25519; p=".to_owned() + ED, "v=spf1 -all".to_owned());
        let read = |keys: usize, others: usize| {
            let all = [vec![key.clone(); keys], vec![other.clone(); others]].concat();
            let records = DkimRecords::parse(all.iter().map(String::as_bytes));
            let hash = InputHash::of(b"");
            let algorithm = Algorithm::Ed25519Sha256;
            let demand = Demand { algorithm, hash: &hash, signature: &[0; 64], agent_is_domain: true, rsa_bits: 0 };
            records.judge(&demand).0
        };
        let tried = Outcome::Fail(Mismatch::Signature);
        let too_many = Outcome::PermError(Fault::TooManyKeys);
        for (keys, others, expected) in [
            (0, 0, Outcome::PermError(Fault::KeyNotFound)),
            (0, 3, Outcome::PermError(Fault::KeyNotFound)),
            (limits::DKIM_RECORDS, 0, tried),
            (limits::DKIM_RECORDS + 1, 0, too_many),
            (1, limits::DKIM_TXT_RECORDS - 1, tried),
            (1, limits::DKIM_TXT_RECORDS, too_many),
        ] {
            assert_eq!(read(keys, others), expected, "{keys} {others}");
        }
    }
}
