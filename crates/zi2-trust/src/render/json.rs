//! The JSON report of one message: stable names, read by other programs. Sections of later schemes are null until they exist.

use serde::Serialize;
use zi2_chain::ChainResults;
use zi2_chain::arc::ArcResult;
use zi2_chain::dmarc::DmarcResult;
use zi2_chain::spf::{SpfIdentity, SpfResult};
use zi2_mail::Timestamp;
use zi2_sig::dkim::SignatureFacts;

use super::Dkim2Report;
use super::verified::via;
use crate::{Judgement, ReplayVerdict};

/// The report of one message.
#[derive(Serialize, Clone, Debug)]
pub struct Report {
    /// The schema of this object; grows by additions only.
    pub schema: &'static str,
    /// The ZI2 section.
    pub zi2: ZiReport,
    /// `no`, `suspected` or `yes`.
    pub spoof: &'static str,
    /// DKIM results, signature by signature.
    pub dkim: Option<Vec<DkimReport>>,
    /// The SPF result.
    pub spf: Option<SpfReport>,
    /// The DMARC result.
    pub dmarc: Option<DmarcReport>,
    /// The ARC result.
    pub arc: Option<ArcReport>,
    /// The DKIM2 result.
    pub dkim2: Option<Dkim2Report>,
    /// What the check cost.
    pub metrics: Metrics,
}

/// The ZI2 section of a report.
#[derive(Serialize, Clone, Debug)]
pub struct ZiReport {
    /// The result word.
    pub result: &'static str,
    /// The reason code.
    pub reason: &'static str,
    /// The level, 0 to 3.
    pub level: u8,
    /// The standing before this message.
    pub history: &'static str,
    /// The form that was verified.
    pub form: Option<&'static str>,
    /// What the signature covers.
    pub covers: Vec<String>,
    /// The sealer on whose word it passes; of a restored message those who changed it, with a comma between each two.
    pub via: Option<String>,
    /// The From domain.
    pub d: Option<String>,
    /// The server named in the header.
    pub sid: Option<String>,
    /// The key identifier.
    pub kid: Option<String>,
    /// Whether the server itself publishes the key.
    pub sid_confirmed: bool,
    /// `secure` or `insecure`, where DNS authorized the key.
    pub dnssec: Option<&'static str>,
    /// Whether the same attestation reached the same recipients before.
    pub duplicate: bool,
}

/// One DKIM signature.
#[derive(Serialize, Clone, Debug)]
pub struct DkimReport {
    /// The result word of RFC 8601.
    pub result: &'static str,
    /// Why, unless it is a pass.
    pub reason: Option<&'static str>,
    /// The signing domain, `d=`.
    pub d: Option<String>,
    /// The selector, `s=`.
    pub s: Option<String>,
    /// The algorithm, `a=`.
    pub a: Option<&'static str>,
    /// The canonicalization, `c=`.
    pub c: Option<String>,
    /// When it was signed, `t=`, in Unix seconds.
    pub t: Option<u64>,
    /// When it is over, `x=`, in Unix seconds.
    pub x: Option<u64>,
    /// Bits of the key that decided.
    pub bits: Option<u32>,
    /// Octets of the body that `l=` leaves unsigned.
    pub uncovered: u64,
    /// Whether the key is being tested.
    pub testing: bool,
}

/// ARC.
#[derive(Serialize, Clone, Debug)]
pub struct ArcReport {
    /// `none`, `pass`, `fail`, or `temperror`.
    pub result: &'static str,
    /// Why it is neither none nor a pass.
    pub reason: Option<&'static str>,
    /// The domains of the seals of an unbroken chain, the oldest first.
    pub sealers: Vec<String>,
    /// The oldest set whose message signature still holds; 0 if all do.
    pub oldest_pass: Option<u8>,
}

/// SPF.
#[derive(Serialize, Clone, Debug)]
pub struct SpfReport {
    /// The result word of RFC 8601.
    pub result: &'static str,
    /// Why, in words.
    pub reason: String,
    /// `mailfrom` or `helo`.
    pub identity: &'static str,
    /// The domain that was checked.
    pub domain: Option<String>,
    /// Whether nearly everybody would pass.
    pub broad: bool,
}

/// DMARC.
#[derive(Serialize, Clone, Debug)]
pub struct DmarcReport {
    /// The result word of RFC 8601.
    pub result: &'static str,
    /// The author domain.
    pub domain: String,
    /// Where the record stands that applies.
    pub record: Option<String>,
    /// What the domain owner asks for this message.
    pub disposition: &'static str,
    /// The domain that made it pass.
    pub aligned: Option<String>,
}

/// What a check cost.
#[derive(Serialize, Clone, Copy, Debug)]
pub struct Metrics {
    /// Questions put to DNS.
    pub dns_queries: u32,
}

impl From<&SignatureFacts> for DkimReport {
    fn from(signature: &SignatureFacts) -> DkimReport {
        let field = signature.field();
        DkimReport {
            result: signature.outcome().result(),
            reason: signature.outcome().reason(),
            d: signature.domain().map(ToString::to_string),
            s: field.map(|field| field.selector().to_string()),
            a: field.map(|field| field.algorithm().as_str()),
            c: field.map(|field| field.canon().to_string()),
            t: field.and_then(|field| field.signed_at()).map(Timestamp::secs),
            x: field.and_then(|field| field.expires()).map(Timestamp::secs),
            bits: signature.key_bits(),
            uncovered: signature.uncovered(),
            testing: signature.is_testing(),
        }
    }
}

impl From<&ArcResult> for ArcReport {
    fn from(arc: &ArcResult) -> ArcReport {
        let hops = arc.chain.iter().flat_map(|chain| chain.hops());
        ArcReport {
            result: arc.outcome().as_str(),
            reason: arc.reason.code(),
            sealers: hops.map(|hop| hop.sealer.to_string()).collect(),
            oldest_pass: arc.chain.as_ref().map(|chain| chain.oldest_pass()),
        }
    }
}

impl From<&SpfResult> for SpfReport {
    fn from(spf: &SpfResult) -> SpfReport {
        SpfReport {
            result: spf.verdict.as_str(),
            reason: spf.reason.to_string(),
            identity: match spf.identity {
                SpfIdentity::MailFrom => "mailfrom",
                SpfIdentity::Helo => "helo",
            },
            domain: spf.domain.as_ref().map(ToString::to_string),
            broad: spf.broad,
        }
    }
}

impl From<&DmarcResult> for DmarcReport {
    fn from(dmarc: &DmarcResult) -> DmarcReport {
        DmarcReport {
            result: dmarc.outcome.as_str(),
            domain: dmarc.domain.to_string(),
            record: dmarc.applied.as_ref().map(|applied| applied.place.to_string()),
            disposition: dmarc.disposition().as_str(),
            aligned: dmarc.aligned.as_ref().map(|aligned| aligned.domain.to_string()),
        }
    }
}

impl Report {
    /// The same with the existing chain.
    #[must_use]
    pub fn with_chain(self, chain: &ChainResults) -> Report {
        Report {
            dkim: Some(chain.dkim.signatures.iter().map(DkimReport::from).collect()),
            spf: chain.spf.as_ref().map(SpfReport::from),
            dmarc: chain.dmarc.as_ref().map(DmarcReport::from),
            arc: Some(ArcReport::from(&chain.arc)),
            ..self
        }
    }

    /// The same with DKIM2.
    #[must_use]
    pub fn with_dkim2(self, verdict: &zi2_sig::dkim2::Verdict) -> Report {
        Report { dkim2: Some(verdict.into()), ..self }
    }

    /// The report of a judgement.
    pub fn new(judgement: &Judgement, dns_queries: u32) -> Report {
        let zi2 = ZiReport {
            result: judgement.verdict.as_str(),
            reason: judgement.reason.as_str(),
            level: judgement.level.number(),
            history: judgement.history.as_str(),
            form: judgement.form.map(zi2_sig::Form::as_str),
            covers: judgement.covers.clone(),
            via: via(judgement),
            d: judgement.from.as_ref().map(ToString::to_string),
            sid: judgement.sid.as_ref().map(|sid| sid.as_str().to_owned()),
            kid: judgement.kid.map(|kid| kid.to_string()),
            sid_confirmed: judgement.sid_confirmed,
            dnssec: judgement.dnssec.map(crate::Dnssec::as_str),
            duplicate: judgement.replay == ReplayVerdict::Duplicate,
        };
        let spoof = judgement.spoof.as_str();
        let metrics = Metrics { dns_queries };
        Report {
            schema: "zi2.report.v1",
            zi2,
            spoof,
            dkim: None,
            spf: None,
            dmarc: None,
            arc: None,
            dkim2: None,
            metrics,
        }
    }
}
