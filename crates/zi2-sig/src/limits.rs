//! Every bound of this crate, with its reason.

/// Octets of one `X-ZI2-Certified` field, name and folds included (zi2.md §1).
pub const CERTIFIED_OCTETS: usize = 4096;

/// Names in `h=` that are looked for one by one; of more, which no signer writes, an index of the fields is made first.
pub const FEW_NAMES: usize = 64;

/// Digits of `t=`: enough for 30,000 years, small enough for 64 bits (zi2.md §1).
pub const TIME_DIGITS: usize = 12;

/// Seconds a signing time may lie ahead of our clock (zi2.md §7): clocks differ.
pub const FUTURE_SECS: u64 = 300;

/// Seconds for which a signature is fresh, by default (zi2.md §7).
pub const WINDOW_SECS: u64 = 86_400;

/// Keys tried for one signature (zi2.md §6): each costs a verification, and a stranger chooses how many he publishes.
pub const CANDIDATES: usize = 4;

/// Octets of a key document (zi2.md §6).
pub const DOCUMENT_OCTETS: usize = 64 * 1024;

/// Keys in one key document: several servers in rotation; more is an attempt to make us work.
pub const DOCUMENT_KEYS: usize = 256;

/// Octets of one TXT record: the strings of one record, joined (security.md R8).
pub const RECORD_OCTETS: usize = 4096;

/// Octets of a private key file: a PKCS#8 PEM of Ed25519 has about 120.
pub const KEY_FILE_OCTETS: usize = 4096;
