//! Figures for Prometheus. No label ever holds a name that somebody else chose.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use zi2_chain::ChainResults;
use zi2_mail::Timestamp;
use zi2_sig::{Origin, dkim2};
use zi2_trust::{Judgement, Spoof, Verdict};

use super::Watched;

/// Which way a message goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Direction {
    Ingress,
    Egress,
    /// The last way out, for DKIM2.
    Handoff,
}

impl Direction {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Direction::Ingress => "ingress",
            Direction::Egress => "egress",
            Direction::Handoff => "handoff",
        }
    }
}

/// What is counted.
pub struct Metrics {
    registry: std::sync::RwLock<Registry>,
    messages: Family<MessageLabels, Counter>,
    verifications: Family<VerificationLabels, Counter>,
    signatures: Family<SignatureLabels, Counter>,
    spoofs: Family<SpoofLabels, Counter>,
    lookups: Family<LookupLabels, Counter>,
    lookup_times: Histogram,
    record_match: Gauge,
    dkim: Family<ResultLabels, Counter>,
    dkim_signatures: Family<SignatureLabels, Counter>,
    dkim2_signatures: Family<SignatureLabels, Counter>,
    spf: Family<ResultLabels, Counter>,
    dmarc: Family<ResultLabels, Counter>,
    dkim2: Family<ResultLabels, Counter>,
    dkim2_copies: Family<ResultLabels, Counter>,
    bounces: Family<ResultLabels, Counter>,
    answers: Family<DirectionLabels, Histogram>,
    issue_failures: Counter,
    reload_ok: Gauge,
    reload_at: Gauge,
    ready: AtomicBool,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct MessageLabels {
    direction: &'static str,
    result: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct VerificationLabels {
    result: &'static str,
    reason: &'static str,
    level: u32,
    key_source: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct LookupLabels {
    source: &'static str,
    outcome: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct SignatureLabels {
    result: &'static str,
    reason: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct SpoofLabels {
    spoof: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct ResultLabels {
    result: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct DirectionLabels {
    direction: &'static str,
}

/// Seconds; the answer to a message takes microseconds without DNS and the deadline with a slow one.
const BUCKETS: [f64; 13] = [0.000_1, 0.000_25, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics::new()
    }
}

impl Metrics {
    /// All at zero.
    pub fn new() -> Metrics {
        let metrics = Metrics {
            registry: std::sync::RwLock::new(Registry::default()),
            messages: Family::default(),
            verifications: Family::default(),
            signatures: Family::default(),
            spoofs: Family::default(),
            lookups: Family::default(),
            lookup_times: Histogram::new(BUCKETS),
            record_match: Gauge::default(),
            dkim: Family::default(),
            dkim_signatures: Family::default(),
            dkim2_signatures: Family::default(),
            spf: Family::default(),
            dmarc: Family::default(),
            dkim2: Family::default(),
            dkim2_copies: Family::default(),
            bounces: Family::default(),
            answers: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            issue_failures: Counter::default(),
            reload_ok: Gauge::default(),
            reload_at: Gauge::default(),
            ready: AtomicBool::new(false),
        };
        if let Ok(mut registry) = metrics.registry.write() {
            metrics.register(&mut registry);
        }
        metrics
    }

    fn register(&self, to: &mut Registry) {
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION")), ("profile", PROFILE)]);
        to.register("zi2_build", "This program", build);
        to.register("zi2_messages", "Messages by direction and result", self.messages.clone());
        to.register("zi2_verifications", "Incoming messages by result, reason and level", self.verifications.clone());
        to.register("zi2_signatures", "Outgoing messages by result and reason", self.signatures.clone());
        to.register("zi2_spoofs", "Incoming messages marked as spoof", self.spoofs.clone());
        let about = "Time from the end of a message to the answer";
        to.register_with_unit("zi2_eom_duration", about, Unit::Seconds, self.answers.clone());
        to.register("zi2_key_lookups", "Searches for keys by source and outcome", self.lookups.clone());
        let about = "Time of a search for keys";
        to.register_with_unit("zi2_key_lookup_duration", about, Unit::Seconds, self.lookup_times.clone());
        let about = "1 if the keys that certify and sign are published, 0 if one is not, -1 if not known";
        to.register("zi2_dns_record_match", about, self.record_match.clone());
        self.record_match.set(-1);
        to.register("zi2_dkim_results", "DKIM signatures of incoming messages by result", self.dkim.clone());
        let about = "Outgoing messages by the result of signing them with DKIM, and its reason";
        to.register("zi2_dkim_signatures", about, self.dkim_signatures.clone());
        let about = "Outgoing messages by the result of signing them with DKIM2, and its reason or which hop it was";
        to.register("zi2_dkim2_signatures", about, self.dkim2_signatures.clone());
        to.register("zi2_spf_results", "Incoming messages by the result of SPF", self.spf.clone());
        to.register("zi2_dmarc_results", "Incoming messages by the result of DMARC", self.dmarc.clone());
        to.register("zi2_dkim2_results", "Incoming messages by the result of DKIM2", self.dkim2.clone());
        let about = "Incoming messages whose DKIM2 chain holds by what the replay store knows of them";
        to.register("zi2_dkim2_copies", about, self.dkim2_copies.clone());
        to.register(
            "zi2_bounces",
            "Incoming bounces signed with DKIM2 by whose mail they are about",
            self.bounces.clone(),
        );
        let about = "Certifications that left without an entry in the log of issued nonces";
        to.register("zi2_issue_failures", about, self.issue_failures.clone());
        to.register("zi2_config_last_reload_success", "1 if the last reload succeeded", self.reload_ok.clone());
        let about = "When the configuration in force was read";
        to.register_with_unit("zi2_config_last_reload_timestamp", about, Unit::Seconds, self.reload_at.clone());
    }

    /// Reads these, too, whenever somebody asks.
    pub(crate) fn watch(&self, watched: Watched) {
        if let Ok(mut registry) = self.registry.write() {
            registry.register_collector(Box::new(watched));
        }
    }

    /// The figures in the OpenMetrics text format.
    pub fn text(&self) -> String {
        let mut out = String::new();
        match self.registry.read() {
            Ok(registry) => text::encode(&mut out, &registry).map_or_else(|_| String::new(), |()| out),
            Err(_) => out,
        }
    }

    /// Whether messages are taken.
    pub(crate) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    pub(crate) fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Release);
    }

    pub(crate) fn reloaded(&self, success: bool, now: Timestamp) {
        self.reload_ok.set(i64::from(success));
        if success {
            self.reload_at.set(i64::try_from(now.secs()).unwrap_or(i64::MAX));
        }
    }

    pub(crate) fn issue_failed(&self) {
        self.issue_failures.inc();
    }

    /// Whether all hosted domains publish the key that signs; none when that could not be found out.
    pub(crate) fn records_match(&self, all: Option<bool>) {
        self.record_match.set(all.map_or(-1, i64::from));
    }

    /// A search for keys that took so long, if it has ended.
    pub(crate) fn searched(&self, judgement: &Judgement, took: Duration) {
        let outcome = match judgement.verdict {
            Verdict::TempError => "failed",
            _ if judgement.reason.as_str().starts_with("key.") => "missing",
            _ => "found",
        };
        self.lookups.get_or_create(&LookupLabels { source: key_source(judgement), outcome }).inc();
        self.lookup_times.observe(took.as_secs_f64());
    }

    pub(crate) fn verified(&self, judgement: &Judgement, took: Duration) {
        let (result, reason) = (judgement.verdict.as_str(), judgement.reason.as_str());
        self.count(Direction::Ingress, result, took);
        let labels = VerificationLabels {
            result,
            reason,
            level: u32::from(judgement.level.number()),
            key_source: key_source(judgement),
        };
        self.verifications.get_or_create(&labels).inc();
        if judgement.spoof != Spoof::No {
            self.spoofs.get_or_create(&SpoofLabels { spoof: judgement.spoof.as_str() }).inc();
        }
    }

    pub(crate) fn evaluated(&self, chain: &ChainResults) {
        let count = |family: &Family<ResultLabels, Counter>, result| {
            family.get_or_create(&ResultLabels { result }).inc();
        };
        chain.dkim.signatures.iter().for_each(|signature| count(&self.dkim, signature.outcome().result()));
        if let Some(spf) = &chain.spf {
            count(&self.spf, spf.verdict.as_str());
        }
        if let Some(dmarc) = &chain.dmarc {
            count(&self.dmarc, dmarc.outcome.as_str());
        }
    }

    pub(crate) fn dkim2_evaluated(&self, verdict: &dkim2::Verdict) {
        self.dkim2.get_or_create(&ResultLabels { result: verdict.result() }).inc();
    }

    pub(crate) fn copies_asked(&self, result: &'static str) {
        self.dkim2_copies.get_or_create(&ResultLabels { result }).inc();
    }

    pub(crate) fn bounce_checked(&self, result: &'static str) {
        self.bounces.get_or_create(&ResultLabels { result }).inc();
    }

    pub(crate) fn departed(&self, result: &'static str, reason: &'static str, took: Duration) {
        self.count(Direction::Egress, result, took);
        self.signatures.get_or_create(&SignatureLabels { result, reason }).inc();
    }

    /// What DKIM did with an outgoing message.
    pub(crate) fn dkim_departed(&self, result: &'static str, reason: &'static str) {
        self.dkim_signatures.get_or_create(&SignatureLabels { result, reason }).inc();
    }

    /// What DKIM2 did with one.
    pub(crate) fn dkim2_departed(&self, result: &'static str, reason: &'static str) {
        self.dkim2_signatures.get_or_create(&SignatureLabels { result, reason }).inc();
    }

    /// A message on its last way out.
    pub(crate) fn handed_off(&self, result: &'static str, took: Duration) {
        self.count(Direction::Handoff, result, took);
    }

    fn count(&self, direction: Direction, result: &'static str, took: Duration) {
        let direction = direction.as_str();
        self.messages.get_or_create(&MessageLabels { direction, result }).inc();
        self.answers.get_or_create(&DirectionLabels { direction }).observe(took.as_secs_f64());
    }
}

/// Where the key of a valid certification came from.
fn key_source(judgement: &Judgement) -> &'static str {
    match judgement.certified.map(|attested| attested.origin()) {
        Some(Origin::Local) => "local",
        Some(Origin::Exchanged) => "peer",
        Some(Origin::Dns) => "dns",
        Some(Origin::Https) => "https",
        None => "none",
    }
}

const PROFILE: &str = if cfg!(debug_assertions) { "debug" } else { "release" };
