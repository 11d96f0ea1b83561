//! Every bound of this crate, with its reason.

/// Rows of history kept for one domain (security.md H6): servers in rotation; more is an attempt to fill the store.
pub const KEYS_PER_DOMAIN: usize = 20;

/// Envelope recipients outside To and Cc remembered for one attestation (zi2.md §8).
pub const REPLAY_RECIPIENTS: usize = 64;

/// Envelope recipients one attestation may reach beyond To and Cc, by default (zi2.md §8): Bcc and aliases are legitimate.
pub const REPLAY_ALLOWANCE: u32 = 20;

/// Other live keys of a domain looked at for a link by rotation.
pub const SIBLINGS: usize = 16;

/// Versions of a changed message that are looked at for a certified one: each costs a hash of the body and two signatures.
/// Mail goes through one list or two; and all who changed it must find room in one line of a field.
pub const RESTORED_VERSIONS: usize = 3;
