//! The JSON report of one message: stable names, read by other programs. Sections of later schemes are null until they exist.

use serde::Serialize;

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
    /// DKIM results.
    pub dkim: Option<()>,
    /// The SPF result.
    pub spf: Option<()>,
    /// The DMARC result.
    pub dmarc: Option<()>,
    /// The ARC result.
    pub arc: Option<()>,
    /// The DKIM2 result.
    pub dkim2: Option<()>,
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

/// What a check cost.
#[derive(Serialize, Clone, Copy, Debug)]
pub struct Metrics {
    /// Questions put to DNS.
    pub dns_queries: u32,
}

impl Report {
    /// The report of a judgement.
    pub fn new(judgement: &Judgement, dns_queries: u32) -> Report {
        let zi2 = ZiReport {
            result: judgement.verdict.as_str(),
            reason: judgement.reason.as_str(),
            level: judgement.level.number(),
            history: judgement.history.as_str(),
            form: judgement.form.map(zi2_sig::Form::as_str),
            covers: judgement.covers.clone(),
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
