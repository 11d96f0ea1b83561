//! Every bound of this crate, with its reason.

/// Octets of one configuration file. A full one has about 10 KiB; more is the wrong file.
pub const FILE_OCTETS: u64 = 1024 * 1024;

/// Files read from `conf.d`. One a tenant is plausible; a whole disk is not.
pub const FILES: usize = 1000;

/// Octets of one sender, login or domain table: a million lines of 100 octets, twice.
pub const TABLE_OCTETS: u64 = 200 * 1024 * 1024;

/// Rules of all sender files together. One takes about 200 octets of memory.
pub const RULES: usize = 4_000_000;

/// Lines of a KeyTable, and of a SigningTable: each mail may be compared with all of these, and each key stays in memory.
pub const DKIM_LINES: usize = 10_000;

/// Problems reported at once. A reader mends a few and runs the check again.
pub const PROBLEMS: usize = 100;

/// Problems reported of one table. One wrong program can write a million wrong lines.
pub const TABLE_PROBLEMS: usize = 20;

/// Characters of a file's text repeated in a message.
pub const QUOTED_CHARS: usize = 60;

/// Octets of a name that is compared with the known ones for a suggestion. The longest known one has 14.
pub const SUGGESTED_OCTETS: usize = 64;

/// Octets of a path of a Unix socket (`sun_path` has 108 with its final NUL).
pub const SOCKET_PATH_OCTETS: usize = 107;

/// Octets of the name of an account (`useradd(8)`).
pub const ACCOUNT_OCTETS: usize = 32;
