//! Every bound of the crate, each with its reason.

use std::time::Duration;

/// Envelope recipients of one message that are looked at. Postfix takes 1,000 of one client
/// (`smtpd_recipient_limit`); a message with more is judged by these.
pub const RECIPIENTS: usize = 10_000;

/// Octets of one envelope address. RFC 5321 §4.5.3.1.3 has 256; SMTPUTF8 and source routes are longer.
pub const ADDRESS: usize = 2048;

/// Octets of a queue id in a log line. Postfix' long ids have up to 20, Sendmail's 14.
pub const QUEUE_ID: usize = 64;

/// Fields of one message that are removed. The header section an MTA passes on holds about 2,000 of the shortest
/// (Postfix: `header_size_limit` 102,400); the milter's own bound for edits is 4,096.
pub const REMOVALS: usize = 4000;

/// Connections at once to the listener of metrics: a scraper, a health check, a person.
pub const HTTP_CONNECTIONS: usize = 16;

/// Time for one request to that listener.
pub const HTTP_TIME: Duration = Duration::from_secs(10);

/// Log lines that wait for standard error. What does not fit is dropped and counted: mail does not wait for a log.
pub const LOG_LINES: usize = 32_768;

/// Pause between two looks at the calendar: the signing key changes with the month.
pub const CALENDAR_PAUSE: Duration = Duration::from_secs(60);

/// Pause between two clearances of the store.
pub const TIDY_PAUSE: Duration = Duration::from_secs(3600);

/// Time the store may take at the end to write what is queued.
pub const FLUSH_TIME: Duration = Duration::from_secs(5);

/// Time a log of issued nonces may take before the message leaves without an entry.
pub const ISSUE_TIME: Duration = Duration::from_millis(200);

/// File handles that are asked for, where the system allows as many: one a connection.
pub const FILE_HANDLES: u64 = 65_536;

/// Hosted domains whose records are looked at: an hour's look must not become a flood of questions.
pub const WATCHED_DOMAINS: usize = 500;
