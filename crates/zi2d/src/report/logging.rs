//! Log lines: text or JSON on standard error, written by a thread of their own.

use std::io::Write;

use tracing::level_filters::LevelFilter;
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
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
    let (writer, guard) = queue(std::io::stderr());
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

/// Lines on their way to a writer that may be slow.
fn queue(to: impl Write + Send + 'static) -> (NonBlocking, WorkerGuard) {
    NonBlockingBuilder::default().buffered_lines_limit(LOG_LINES).lossy(true).finish(to)
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Says that a line has come, and waits until it may go on.
    struct Gate(mpsc::Sender<()>, mpsc::Receiver<()>);

    impl Write for Gate {
        fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
            self.0.send(()).ok();
            self.1.recv().ok();
            Ok(line.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_wait_up_to_a_number_and_mail_never() {
        let ((came, has_come), (open, opened)) = (mpsc::channel(), mpsc::channel());
        let (mut writer, guard) = queue(Gate(came, opened));
        let dropped = writer.error_counter();
        writer.write_all(b"first\n").unwrap();
        has_come.recv().unwrap();
        for _ in 0..LOG_LINES {
            writer.write_all(b"waits\n").unwrap();
        }
        assert_eq!(dropped.dropped_lines(), 0);
        writer.write_all(b"dropped\n").unwrap();
        assert_eq!(dropped.dropped_lines(), 1);
        drop(open);
        drop(guard);
        assert_eq!(has_come.try_iter().count(), LOG_LINES);
    }
}
