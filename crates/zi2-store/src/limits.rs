//! Every bound of this crate, with its reason.

/// Attestations remembered for one UTC day, by default (security.md N3): 115 certified messages a second, day and night.
pub const NONCES_PER_DAY: u64 = 10_000_000;

/// The same in memory: about 90 octets each, so that three days of them are about 80 MB.
pub const NONCES_PER_DAY_IN_MEMORY: u64 = 300_000;

/// Rows of history, by default (security.md H6): tidying brings the store back to it.
pub const HISTORY_ROWS: u64 = 1_000_000;

/// The same in memory: about 1,600 octets each where every domain has one key.
pub const HISTORY_ROWS_IN_MEMORY: u64 = 100_000;

/// Above this many quarters of the history bound, keys never seen before are not remembered until somebody tidies.
pub const HISTORY_CEILING_QUARTERS: u64 = 5;

/// UTC days held open for replay. Verified signing times lie within the window, which nobody sets longer than a year.
pub const OPEN_DAYS: usize = 400;

/// Seconds an entry outlives the window (zi2.md §8): a signing time may lie that far ahead of our clock.
pub const REPLAY_SLACK_SECS: u64 = 300;

/// Seconds by which one tidying may move the clock that forgets (security.md N5). Tidy hourly: a clock that is wrong for
/// an hour then costs six hours of knowledge, and a host that was off for a week has caught up in little more than a day.
pub const CLOCK_STEP_SECS: u64 = 6 * 3600;

/// Requests written in one transaction: enough to hide the cost of a commit, few enough to keep it under some milliseconds.
pub const GROUP: usize = 128;

/// Requests waiting to be written, and as many to be read: some seconds of work. More means the disk has stopped.
pub const QUEUE: usize = 4096;

/// Waiting requests beyond which history is dropped, so that the rest of the queue is left to admissions.
pub const QUEUE_FOR_HISTORY: usize = QUEUE / 4 * 3;

/// Rows in one page of a listing.
pub const PAGE_ROWS: usize = 1000;

/// Rows evicted in one transaction: admissions wait no longer than for this many.
pub const EVICTED_ROWS: usize = 1000;

/// Rows looked for at once when the history is above its bound: some megabytes of names.
pub const EVICTABLE_ROWS: usize = 50_000;

/// Octets of a line of interchange. The longest row has two names of 253 octets and about 250 octets besides.
pub const LINE_OCTETS: usize = 1024;

/// Milliseconds to wait for another process that holds the write lock (an operator's tool): its transactions are short.
pub const BUSY_MILLIS: u64 = 2000;

/// Milliseconds after which what was written is flushed to the disk: what a power failure may cost.
pub const FLUSH_MILLIS: u64 = 1000;

/// Pages of 4 KiB in the log at which a commit flushes them itself. Normally the flusher is faster.
pub const LOG_PAGES: u32 = 16_384;

/// KiB of pages the writing connection keeps.
pub const WRITER_CACHE_KIB: u32 = 16 * 1024;

/// KiB of pages the reading connection keeps.
pub const READER_CACHE_KIB: u32 = 4 * 1024;

/// Snapshots kept at once. One is a file, and at a start the directory is read: some seconds for these.
pub const SNAPSHOTS: usize = 100_000;

/// Octets of one snapshot: the largest message that is kept whole while it arrives, and its envelope.
pub const SNAPSHOT_OCTETS: usize = 16 * 1024 * 1024;

/// Snapshots that wait to be written: some seconds of work for one disk.
pub const SNAPSHOTS_WAITING: usize = 256;

/// Octets of those together. Beyond it messages are not kept, which costs them a further signature and nothing else.
pub const SNAPSHOT_OCTETS_WAITING: usize = 64 * 1024 * 1024;
