//! Every bound of this crate, with its reason.

use std::time::Duration;

/// Look-ups one message may cause (security.md R7): a stranger chooses the names, so he must not choose how many.
pub const LOOK_UPS: u32 = 60;

/// Time all look-ups of one message may take together (security.md R7); the MTA waits meanwhile.
pub const MESSAGE_TIME: Duration = Duration::from_secs(10);

/// CNAME records followed for one look-up (security.md R11). Real mail set-ups use one or two.
pub const CNAME_DEPTH: u32 = 4;

/// Strings of one TXT record (security.md R8). A key record has one; 4 KiB need 17.
pub const TXT_STRINGS: usize = 20;

/// TXT records of one name: several servers in rotation; the verifier tries four keys.
pub const TXT_RECORDS: usize = 64;

/// Name servers used, the first of the list: what resolv.conf(5) allows.
pub const SERVERS: usize = 3;

/// Time one name server gets for one question, resent meanwhile, unless the operator says otherwise.
pub const SERVER_TIME: Duration = Duration::from_secs(2);

/// Time for all servers and CNAMEs of one look-up. It outlives the message that asked, so it needs a bound of its own.
pub const LOOK_UP_TIME: Duration = Duration::from_secs(10);

/// Look-ups under way at once: each holds a socket or three, and a process has 1,024 by default.
pub const FLIGHTS: usize = 256;

/// What the cache may hold, in units of [`CACHE_UNIT`]: at most that many entries, about 100 MiB in the worst case.
pub const CACHE_UNITS: u64 = 100_000;

/// Octets of records that count as one entry of the cache. An ordinary answer has 150.
pub const CACHE_UNIT: usize = 1024;

/// What parsed keys of DKIM and DKIM2 take besides their record, as a multiple of it: each keeps an RSA key in binary, as a
/// number, and with the constants of its arithmetic.
pub const PARSED_KEY_FACTOR: usize = 6;

/// Shortest time an answer with records is kept, so that a TTL of zero does not cost a question per message.
pub const POSITIVE_MIN: Duration = Duration::from_secs(60);

/// Longest time an answer with records is kept: a revoked key must not verify for longer.
pub const POSITIVE_MAX: Duration = Duration::from_secs(24 * 3600);

/// Shortest time the absence of records is kept.
pub const NEGATIVE_MIN: Duration = Duration::from_secs(60);

/// Longest time the absence of records is kept: who publishes his first key wants it seen.
pub const NEGATIVE_MAX: Duration = Duration::from_secs(300);

/// Time a failure is kept (security.md R8): long enough to spare a server in trouble, short enough to recover at once.
pub const FAILURE: Duration = Duration::from_secs(30);

/// Keys in one key directory: a new one each month for five years.
pub const KEYS: usize = 64;

/// DKIM keys of one domain, each of which signs every message: two algorithms, twice while keys change.
pub const DKIM_KEYS: usize = 4;

/// Entries read of one key directory, whatever they are.
pub const DIRECTORY_ENTRIES: usize = 4096;

/// Addresses, exchangers or names of one answer. RFC 7208 §4.6.4 looks at 10 of a kind; an address list is matched whole.
pub const RECORDS: usize = 256;

/// Octets of a rotation's state: a line of under 100 for each of [`KEYS`] keys.
pub const ROTATION_OCTETS: usize = 16 * 1024;

/// Seconds before its month in which a key is made and published: three days for DNS to have it everywhere, and four for
/// whoever still carries records to a panel by hand.
pub const LEAD_SECS: u64 = 7 * 86_400;

/// Seconds after the last server has a record before it is used, whatever the TTL: resolvers may keep that there was none for
/// up to three hours (RFC 2308 §5).
pub const SETTLE_MIN_SECS: u64 = 3 * 3600;

/// Seconds in which a verifier takes a certification for fresh (zi2.md §12).
pub const RETIRE_WINDOW_SECS: u64 = 24 * 3600;

/// Seconds mail may wait in a queue: Postfix's maximal_queue_lifetime (zi2.md §12).
pub const QUEUE_LIFETIME_SECS: u64 = 5 * 86_400;

/// Seconds after a change of keys in which the old one may still have signed: the daemon must first be told.
pub const QUEUE_SLACK_SECS: u64 = 3600;

/// Name servers of one zone that are asked: the largest zones have 13.
pub const ZONE_SERVERS: usize = 16;
