//! Log lines: text or JSON on standard error, written by a thread of their own.

use tracing::level_filters::LevelFilter;
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::fmt::format::FmtSpan;
use zi2_config::{Log, LogFormat, LogLevel};

use crate::limits::LOG_LINES;

/// The log. Dropping it waits until what was logged is written.
pub(crate) struct Logging {
    _writer: WorkerGuard,
    /// Lines that found no place.
    pub(crate) dropped: ErrorCounter,
}

/// Starts to log. Only the first call of a process has an effect.
pub(crate) fn start_logging(log: &Log) -> Logging {
    let (writer, guard) =
        NonBlockingBuilder::default().buffered_lines_limit(LOG_LINES).lossy(true).finish(std::io::stderr());
    let dropped = writer.error_counter();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(writer)
        .with_max_level(filter(log.level))
        .with_ansi(false) // a log is read by programs
        .with_span_events(FmtSpan::NONE)
        .with_target(false);
    // The journal has its own clock.
    let journal = std::env::var_os("JOURNAL_STREAM").is_some();
    let started = match (log.format, journal) {
        (LogFormat::Text, true) => tracing::subscriber::set_global_default(subscriber.without_time().finish()),
        (LogFormat::Text, false) => tracing::subscriber::set_global_default(subscriber.finish()),
        (LogFormat::Json, _) => tracing::subscriber::set_global_default(subscriber.json().flatten_event(true).finish()),
    };
    started.unwrap_or(());
    Logging { _writer: guard, dropped }
}

fn filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    }
}
