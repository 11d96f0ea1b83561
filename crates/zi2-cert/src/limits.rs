//! Every bound of the command, with its reason.

use std::time::Duration;

/// Octets of one message: well above what mail servers accept.
pub const MESSAGE_OCTETS: u64 = 256 * 1024 * 1024;

/// Octets of a world file: the largest of the vectors has 10 KiB.
pub const WORLD_OCTETS: u64 = 64 * 1024 * 1024;

/// How long a person waits for DNS. The mail path has the configuration's `ingress.deadline` instead.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Look-ups `verify --domain` may make: 16 identifiers, each with one record and the four types of its parent.
pub const DOMAIN_LOOK_UPS: u32 = 100;

/// Identifiers looked for at the page's name.
pub const KIDS: usize = 16;

/// Months back from now whose identifiers are tried when the domain's own record names none.
pub const MONTHS: u8 = 12;

/// Characters shown of a header field.
pub const SHOWN_CHARS: usize = 200;

/// Octets a TXT string holds (RFC 1035 §3.3).
pub const TXT_STRING: usize = 255;
