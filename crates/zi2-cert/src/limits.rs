//! Every bound of the command, with its reason.

use std::time::Duration;

/// Octets of one message: well above what mail servers accept.
pub const MESSAGE_OCTETS: u64 = 256 * 1024 * 1024;

/// Directories inside directories that are walked: archives by year, month and day below folders of folders.
pub const DEPTH: usize = 16;

/// Entries of directories that one run looks at: their names are kept in memory, so that the order is always the same.
pub const ENTRIES: usize = 2_000_000;

/// Messages under way at once. Most of them wait for DNS; what they hold in memory is bounded by [`OCTETS_AT_ONCE`].
pub const AT_ONCE: usize = 32;

/// Octets of messages held at once. One message alone may have more, up to [`MESSAGE_OCTETS`].
pub const OCTETS_AT_ONCE: u32 = 128 * 1024 * 1024;

/// Time between two steps of the progress shown: what changes faster cannot be read.
pub const PROGRESS: Duration = Duration::from_millis(100);

/// Octets of a world file: the largest of the vectors has 10 KiB.
pub const WORLD_OCTETS: u64 = 64 * 1024 * 1024;

/// How long a person waits for DNS. The mail path has the configuration's `ingress.deadline` instead.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Look-ups `verify --domain` may make: 16 identifiers, each with one record, and their CNAMEs.
pub const DOMAIN_LOOK_UPS: u32 = 100;

/// Look-ups the keys of one DKIM2 chain may cost: all that are asked for, some with a CNAME.
pub const DKIM2_LOOK_UPS: u32 = 200;

/// Octets of a file with a recipe: as many as are read, in base64.
pub const RECIPE_OCTETS: u64 = 2 * 1024 * 1024;

/// Octets of a private key file: RSA of 8192 bits and ML-DSA-44 in PEM have under 7,000.
pub const KEY_OCTETS: u64 = 16 * 1024;

/// Identifiers looked for at the page's name.
pub const KIDS: usize = 16;

/// Months back from now whose identifiers are tried when the domain's own record names none.
pub const MONTHS: u8 = 12;

/// Characters shown of a header field.
pub const SHOWN_CHARS: usize = 200;

/// Octets a TXT string holds (RFC 1035 §3.3).
pub const TXT_STRING: usize = 255;

/// How long another program may take: postconf answers in milliseconds, but looks up the host's name in DNS.
pub const PROGRAM_TIME: Duration = Duration::from_secs(10);

/// Octets another program may say: all parameters of Postfix are 60 KiB.
pub const PROGRAM_OCTETS: u64 = 1024 * 1024;

/// Octets of a table that is looked at: accounts, groups, header checks.
pub const TABLE_OCTETS: u64 = 1024 * 1024;

/// How long a socket of ours may take to accept a connection.
pub const CONNECT_TIME: Duration = Duration::from_secs(2);

/// Hosted domains whose records `doctor` looks up: beyond these, `verify --domain` does it for one.
pub const DOCTOR_DOMAINS: usize = 50;

/// Free octets of the store's disk below which its operator is warned: a day of certifications of a large site.
pub const FREE_OCTETS: u64 = 256 * 1024 * 1024;

/// Free octets below which the store will soon stop.
pub const FREE_OCTETS_LAST: u64 = 16 * 1024 * 1024;

/// Seconds after which a step of the rotation is late: a timer takes it within hours, and a person within two days.
pub const LATE_SECS: u64 = 2 * 86_400;

/// Rows of history that a map of keys reads: they are kept in memory until the last is known.
pub const MAPPED: usize = 1_000_000;
