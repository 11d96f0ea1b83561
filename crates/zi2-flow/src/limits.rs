//! Every bound of this crate, with its reason.

/// DKIM signatures made on one message: verifiers try ten at most, and one of RSA takes a third of a millisecond.
pub const DKIM_SIGNATURES: usize = 4;

/// Octets of one body that are kept until the end: more than mail servers take at most by default (Postfix: 10,240,000
/// with the header section). Above it the changes of a DKIM2 chain are not undone.
pub const KEPT_BODY: usize = 16 * 1024 * 1024;

/// Octets of all bodies kept at once: a stranger chooses that a body is kept, and opens a thousand connections. Memory for
/// them may grow to twice as much.
pub const KEPT_TOGETHER: usize = 256 * 1024 * 1024;

/// Keys of one domain that sign one DKIM2 hop: verifiers read eight values.
pub const DKIM2_MEMBERS: usize = 4;

/// Recipients of one message whose DKIM2 copies the replay store is asked about: its queue holds 4,096 questions of all.
pub const DKIM2_COPIES: usize = 100;

/// Domains, or pairs of them, as which a further hop is tried to be signed: a chain names many recipients.
pub const DKIM2_WAYS: usize = 8;

/// Octets of one field of ours: a command of the milter protocol holds no more (64 KiB with the name), and it may be folded
/// at the most.
pub const FIELD_OCTETS: usize = 59_000;

/// Seconds in which a message that is sent on is verified again as it came in. Its keys were asked for a moment ago.
pub const PROVING_SECS: u64 = 3;

/// Seconds between our certification of a message and its last way out: as long as Postfix keeps mail that is deferred.
pub const QUEUED_SECS: u64 = 5 * 86_400;
