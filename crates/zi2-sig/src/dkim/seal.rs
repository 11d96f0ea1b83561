//! The seal of one ARC set (RFC 8617 §4.1.3), being verified. What a chain of seals is worth is not decided here.

use std::ops::Range;

use aws_lc_rs::digest::{Context, SHA256};
use base64::{Engine, engine::general_purpose::STANDARD};
use zi2_mail::{Domain, Field, HeaderCanon, TagList};

use super::field::{ARC_INSTANCES, key_place, number, optional, required};
use super::input::own_field;
use super::record::Demand;
use super::{Algorithm, Fault, KeyName, Objection, Outcome, Policy, RecordAnswer};
use crate::key::InputHash;
use crate::{Trouble, limits};

/// An ARC-Seal field that could be read. Nothing of it is proven.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seal {
    instance: u8,
    claim: ChainClaim,
    algorithm: Algorithm,
    domain: Domain,
    key_name: KeyName,
    signature: Box<[u8]>,
    b_span: Range<usize>,
}

/// What a sealer says of the chain before its own set, `cv=`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChainClaim {
    /// There was none.
    None,
    /// It was broken.
    Fail,
    /// It was good.
    Pass,
}

impl Seal {
    /// Reads the field. The first rule it breaks is the answer; unknown tags are not looked at.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn parse(field: Field<'_>) -> Result<Seal, Fault> {
        if field.raw().len() > limits::DKIM_FIELD_OCTETS {
            return Err(Fault::TooLong);
        }
        let tags = TagList::parse(field.value()).map_err(|error| Fault::TagList(error.kind))?;
        // § RFC 8617 §4.1.3: a seal names no fields
        if tags.get("h").is_some() {
            return Err(Fault::Tag("h"));
        }
        let instance = number(required(&tags, "i")?.value()).and_then(|instance| u8::try_from(instance).ok());
        let claim = match required(&tags, "cv")?.value() {
            b"none" => ChainClaim::None,
            b"fail" => ChainClaim::Fail,
            b"pass" => ChainClaim::Pass,
            _ => return Err(Fault::Tag("cv")),
        };
        let algorithm = Algorithm::parse(required(&tags, "a")?.value()).ok_or(Fault::Algorithm)?;
        let (_, domain, key_name) = key_place(&tags)?;
        optional(&tags, "t", number)?;
        let b = required(&tags, "b")?;
        let signature = STANDARD.decode(b.compact()).ok().filter(|octets| !octets.is_empty()).ok_or(Fault::Tag("b"))?;
        Ok(Seal {
            instance: instance.filter(|instance| ARC_INSTANCES.contains(instance)).ok_or(Fault::Tag("i"))?,
            claim,
            algorithm,
            domain,
            key_name,
            signature: signature.into(),
            b_span: b.span(),
        })
    }

    /// The number of its set, `i=`.
    pub fn instance(&self) -> u8 {
        self.instance
    }

    /// What it says of the chain before it.
    pub fn claim(&self) -> ChainClaim {
        self.claim
    }

    /// The domain of the sealer, `d=`.
    pub fn domain(&self) -> &Domain {
        &self.domain
    }
}

/// What seals are over: the fields of all ARC sets so far, in the order RFC 8617 §5.1.1 gives. Each octet is hashed once,
/// however many seals are over it.
#[derive(Clone)]
pub struct SealInput {
    hashed: Context,
    canonical: Vec<u8>,
}

impl SealInput {
    /// Nothing yet: the fields of the first set come first.
    pub fn begin() -> SealInput {
        SealInput { hashed: Context::new(&SHA256), canonical: Vec::new() }
    }

    /// Adds a field of a set: its ARC-Authentication-Results, its ARC-Message-Signature, its ARC-Seal.
    pub fn add(&mut self, field: Field<'_>) {
        self.canonical.clear();
        // § RFC 8617 §5.1.1: in relaxed form, whatever the seal says
        HeaderCanon::Relaxed.write(field, &mut self.canonical);
        self.canonical.extend_from_slice(b"\r\n");
        self.hashed.update(&self.canonical);
    }

    fn sealed_by(&self, field: Field<'_>, seal: &Seal) -> InputHash {
        let mut own = Vec::with_capacity(field.raw().len());
        own_field(field, HeaderCanon::Relaxed, &seal.b_span, &mut own);
        let mut hashed = self.hashed.clone();
        hashed.update(&own);
        InputHash::from_digest(hashed.finish())
    }
}

/// One seal, being verified. Without an answer the outcome is a temporary error.
pub struct SealTrial {
    seal: Seal,
    hash: InputHash,
    rsa_bits: u32,
    answer: Option<RecordAnswer>,
}

impl SealTrial {
    /// Reads a seal that stands over `input` (everything of its chain but the field itself).
    ///
    /// # Errors
    /// [`Fault`].
    pub fn new(field: Field<'_>, input: &SealInput, policy: &Policy) -> Result<SealTrial, Fault> {
        let seal = Seal::parse(field)?;
        Ok(SealTrial { hash: input.sealed_by(field, &seal), seal, rsa_bits: policy.rsa_bits, answer: None })
    }

    /// The seal.
    pub fn seal(&self) -> &Seal {
        &self.seal
    }

    /// The name whose key records are wanted.
    pub fn key_name(&self) -> &KeyName {
        &self.seal.key_name
    }

    /// Takes the answer to [`SealTrial::key_name`].
    pub fn answer(&mut self, answer: RecordAnswer) {
        self.answer = Some(answer);
    }

    /// What became of it.
    pub fn finish(self) -> Outcome {
        let records = match &self.answer {
            _ if self.seal.algorithm == Algorithm::RsaSha1 => return Outcome::Policy(Objection::Sha1),
            Some(RecordAnswer::Records(records)) => records,
            Some(RecordAnswer::Unavailable(trouble)) => return Outcome::TempError(*trouble),
            None => return Outcome::TempError(Trouble::Timeout),
        };
        let demand = Demand {
            algorithm: self.seal.algorithm,
            hash: &self.hash,
            signature: &self.seal.signature,
            agent_is_domain: true,
            rsa_bits: self.rsa_bits,
        };
        records.judge(&demand).0
    }
}

#[cfg(test)]
mod tests {
    use zi2_mail::Header;

    use super::*;

    fn parse(tags: &str) -> Result<Seal, Fault> {
        let section = format!("ARC-Seal: {tags}\r\n");
        let header = Header::parse(section.as_bytes());
        Seal::parse(header.fields().next().unwrap())
    }

    #[test]
    fn faults() {
        let good = "i=1; a=rsa-sha256; cv=none; d=example.com; s=s; b=AAAA; t=1";
        let seal = parse(good).unwrap();
        assert_eq!((seal.instance(), seal.claim(), seal.domain().as_str()), (1, ChainClaim::None, "example.com"));
        for (from, to, fault) in [
            ("i=1; ", "", Fault::Missing("i")),
            ("i=1", "i=0", Fault::Tag("i")),
            ("i=1", "i=51", Fault::Tag("i")),
            ("i=1", "i=257", Fault::Tag("i")),
            ("a=rsa-sha256; ", "", Fault::Missing("a")),
            ("rsa-sha256", "rsa-sha512", Fault::Algorithm),
            ("cv=none; ", "", Fault::Missing("cv")),
            ("cv=none", "cv=None", Fault::Tag("cv")),
            ("d=example.com; ", "", Fault::Missing("d")),
            ("d=example.com", "d=com", Fault::Tag("d")),
            ("s=s; ", "", Fault::Missing("s")),
            ("s=s; ", "s=; ", Fault::Tag("s")),
            ("b=AAAA; ", "", Fault::Missing("b")),
            ("b=AAAA", "b=", Fault::Tag("b")),
            ("b=AAAA", "b=*", Fault::Tag("b")),
            ("t=1", "t=", Fault::Tag("t")),
            ("t=1", "h=from", Fault::Tag("h")),
        ] {
            assert_eq!(parse(&good.replace(from, to)), Err(fault), "{to}");
        }
        let padded = |octets: usize| parse(&format!("{good}; x={}", "x".repeat(octets - good.len() - 14)));
        assert!(padded(limits::DKIM_FIELD_OCTETS).is_ok());
        assert_eq!(padded(limits::DKIM_FIELD_OCTETS + 1), Err(Fault::TooLong));
    }
}
