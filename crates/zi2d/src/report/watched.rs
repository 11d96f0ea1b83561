//! Figures that others keep, read when somebody asks: listeners, store, resolver, log, key.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use zi2_keys::Resolver;
use zi2_milter::Stats;
use zi2_store::{Snapshots, StoreHandle};

/// What is read when somebody asks.
pub(crate) struct Watched {
    /// The listeners' counters.
    pub(crate) listeners: Vec<(&'static str, Arc<Stats>)>,
    /// The store.
    pub(crate) store: StoreHandle,
    /// The messages kept for DKIM2, if any are.
    pub(crate) snapshots: Option<Snapshots>,
    /// The resolver in force.
    pub(crate) resolver: Box<dyn Fn() -> Resolver + Send + Sync>,
    /// Log lines that were dropped.
    pub(crate) log_dropped: Box<dyn Fn() -> u64 + Send + Sync>,
    /// The age of the key that signs, counted from the month it is named after; none without a key.
    pub(crate) key_age: Box<dyn Fn() -> Option<u64> + Send + Sync>,
    /// Rows and nonces of the store, as last counted.
    pub(crate) rows: Arc<AtomicU64>,
    /// See `rows`.
    pub(crate) nonces: Arc<AtomicU64>,
}

impl std::fmt::Debug for Watched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watched").field("listeners", &self.listeners).finish_non_exhaustive()
    }
}

impl Collector for Watched {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let mut one = |name: &str, help: &str, metric: &dyn Metric| metric.write(&mut encoder, name, help);
        let store = self.store.counters();
        let counter = |value| ConstCounter::<u64>::new(value);
        let gauge = |value: u64| ConstGauge::<i64>::new(i64::try_from(value).unwrap_or(i64::MAX));
        one("zi2_dns_questions", "Questions put to DNS", &counter((self.resolver)().questions()))?;
        one("zi2_log_lines_dropped", "Log lines that found no place", &counter((self.log_dropped)()))?;
        one("zi2_store_commits", "Commits of the store", &counter(store.commits))?;
        one("zi2_store_errors", "Requests to the store that failed", &counter(store.failed))?;
        one("zi2_store_overloaded", "Requests the store had no place for", &counter(store.overloaded))?;
        one("zi2_store_history_dropped", "History not recorded for want of place", &counter(store.history_dropped))?;
        one("zi2_store_waiting", "Requests that wait for the store", &gauge(store.waiting))?;
        one("zi2_trust_store_entries", "Keys in the history", &gauge(self.rows.load(Ordering::Relaxed)))?;
        one("zi2_nonce_store_entries", "Certifications remembered", &gauge(self.nonces.load(Ordering::Relaxed)))?;
        let commits = ConstCounter::<f64>::new(Duration::from_micros(store.commit_micros).as_secs_f64());
        one("zi2_store_commit_seconds", "Time spent in commits of the store", &commits)?;
        if let Some(snapshots) = &self.snapshots {
            let kept = snapshots.counters();
            one("zi2_snapshots_kept", "Incoming messages kept for DKIM2", &counter(kept.kept))?;
            one("zi2_snapshots_skipped", "Incoming messages not kept for want of place", &counter(kept.skipped))?;
            one("zi2_snapshots_failed", "Incoming messages the disk did not take", &counter(kept.failed))?;
            one("zi2_snapshots_found", "Messages sent on whose original was found", &counter(kept.found))?;
            one(
                "zi2_snapshots_missing",
                "Messages sent on whose original was unreadable or gone",
                &counter(kept.missing),
            )?;
            one("zi2_snapshots_files", "Messages kept now", &gauge(kept.files))?;
            one("zi2_snapshots_octets", "Octets of them", &gauge(kept.octets))?;
        }
        if let Some(age) = (self.key_age)() {
            let about = "Age of the key that signs, from the begin of its month";
            let mut metric = encoder.encode_descriptor("zi2_key_age_seconds", about, None, gauge(0).metric_type())?;
            gauge(age).encode(metric.encode_family(&[("role", "active")])?)?;
        }
        self.listeners(&mut encoder)
    }
}

impl Watched {
    fn listeners(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        type Figure = (&'static str, &'static str, fn(&Stats) -> &AtomicU64);
        const COUNTERS: [Figure; 6] = [
            ("zi2_milter_connections_taken", "Milter connections taken", |s| &s.connections),
            ("zi2_milter_refused", "Milter connections turned away because all were busy", |s| &s.refused),
            ("zi2_milter_protocol_errors", "Milter connections closed for broken protocol", |s| &s.protocol_errors),
            ("zi2_milter_timeouts", "Milter connections closed for silence", |s| &s.timeouts),
            ("zi2_milter_panics", "Messages in which this program failed", |s| &s.panics),
            ("zi2_milter_fallbacks", "Messages answered without their result", |s| &s.fallbacks),
        ];
        let value = |figure: &AtomicU64| figure.load(Ordering::Relaxed);
        for (name, help, figure) in COUNTERS {
            let one = ConstCounter::<u64>::new(0);
            let mut metric = encoder.encode_descriptor(name, help, None, one.metric_type())?;
            for (listener, stats) in &self.listeners {
                let figure = ConstCounter::<u64>::new(value(figure(stats)));
                figure.encode(metric.encode_family(&[("listener", *listener)])?)?;
            }
        }
        let one = ConstGauge::<i64>::new(0);
        let help = "Milter connections open now";
        let mut metric = encoder.encode_descriptor("zi2_milter_connections", help, None, one.metric_type())?;
        for (listener, stats) in &self.listeners {
            let open = ConstGauge::<i64>::new(i64::try_from(value(&stats.open)).unwrap_or(i64::MAX));
            open.encode(metric.encode_family(&[("listener", *listener)])?)?;
        }
        Ok(())
    }
}

/// A metric without labels, as an object.
trait Metric {
    fn write(&self, encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str) -> Result<(), std::fmt::Error>;
}

impl<M: EncodeMetric> Metric for M {
    fn write(&self, encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str) -> Result<(), std::fmt::Error> {
        let metric = encoder.encode_descriptor(name, help, None, self.metric_type())?;
        self.encode(metric)
    }
}
