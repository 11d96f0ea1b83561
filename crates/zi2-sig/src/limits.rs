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

/// Keys of one place tried for one signature (zi2.md §6): each costs a verification, and a stranger chooses how many he publishes.
pub const CANDIDATES: usize = 4;

/// Octets of a key document (zi2.md §6).
pub const DOCUMENT_OCTETS: usize = 64 * 1024;

/// Keys in one key document: several servers in rotation; more is an attempt to make us work.
pub const DOCUMENT_KEYS: usize = 256;

/// Octets of one TXT record: the strings of one record, joined (security.md R8).
pub const RECORD_OCTETS: usize = 4096;

/// Octets of a private key file: a PKCS#8 PEM of Ed25519 has about 120.
pub const KEY_FILE_OCTETS: usize = 4096;

/// DKIM signatures tried on one message, those of the From domain first (RFC 6376 §6.1 allows a bound): each costs a
/// look-up and a verification, and a stranger chooses how many there are. Real mail has up to four.
pub const DKIM_SIGNATURES: usize = 10;

/// Octets of one DKIM-Signature field, name and folds included. A signature of 8192 bits over as many names as we take is
/// under 8 KiB, which leaves as much for the `z=` of debugging signers.
pub const DKIM_FIELD_OCTETS: usize = 16 * 1024;

/// Names in `h=`. Signers that name every field of the message twice stay under 100; each one is searched for.
pub const DKIM_SIGNED_NAMES: usize = 256;

/// Octets of one DKIM key record, its strings joined: an RSA key of 8192 bits takes 1,400.
pub const DKIM_RECORD_OCTETS: usize = 4096;

/// Key records tried under one name. RFC 6376 §3.6.2.2 wants one; rotation mistakes leave two.
pub const DKIM_RECORDS: usize = 4;

/// TXT records of one name looked at: a wildcard puts others among the keys.
pub const DKIM_TXT_RECORDS: usize = 16;

/// Bits of an RSA key below which a signature means nothing (RFC 8301 §3.2).
pub const RSA_MIN_BITS: u32 = 1024;

/// Bits of an RSA key below which nobody may sign (RFC 8301 §3.2: "SHOULD use at least 2048").
pub const RSA_SIGN_BITS: u32 = 2048;

/// Bits of an RSA key above which nothing is verified: at 8192 a verification costs 15 times that of 2048.
pub const RSA_MAX_BITS: u32 = 8192;

/// Octets of an RSA exponent. All keys in use have 65537, 3 or 17; the cost grows with the length.
pub const RSA_EXPONENT_OCTETS: usize = 4;

/// Octets of a DKIM private key file: a PKCS#8 PEM of RSA with 8192 bits has about 6,400.
pub const DKIM_KEY_FILE_OCTETS: usize = 16 * 1024;

/// DKIM2 fields of one kind: what other implementations take. A chain of more hops is a loop.
pub const DKIM2_FIELDS: usize = 50;

/// Octets of one DKIM2-Signature: a thousand recipients of ordinary length.
pub const DKIM2_SIGNATURE_OCTETS: usize = 64 * 1024;

/// Octets of one Message-Instance: as much as a header section may have, since its recipe may hold a whole body.
pub const DKIM2_INSTANCE_OCTETS: usize = 256 * 1024;

/// Values in one `s=`: each costs a look-up and a verification.
pub const DKIM2_MEMBERS: usize = 8;

/// Algorithms in one `h=`: two are known.
pub const DKIM2_HASHES: usize = 4;

/// Recipients in one `rt=`: the usual limit of one SMTP transaction.
pub const DKIM2_RECIPIENTS: usize = 1000;

/// Octets of `n=` (§ -08 10.3).
pub const DKIM2_NONCE: usize = 64;

/// Octets of the JSON of one recipe. A header section holds less; a file of the command may hold more.
pub const DKIM2_RECIPE_OCTETS: usize = 1024 * 1024;

/// Octets of a recipe or a path shown in a failure: a reply of SMTP is a line.
pub const DKIM2_SHOWN_OCTETS: usize = 64;

/// Seconds after which a signature is expired (§ -08 14.3): 14 days.
pub const DKIM2_AGE_SECS: u64 = 14 * 86_400;

/// Seconds a signature may lie ahead of our clock (§ -08 14.3): a day.
pub const DKIM2_FUTURE_SECS: u64 = 86_400;

/// Different keys asked for one chain: a stranger chooses how many it names.
pub const DKIM2_KEYS: usize = 100;

/// Octets hashed for all versions of one body together: 50 versions of what mail servers take at most.
pub const DKIM2_HASHED_OCTETS: u64 = 2 * 1024 * 1024 * 1024;

/// Steps of the search for a short recipe, the bound that implementers agreed on.
pub const DKIM2_DIFF_WORK: usize = 4_000_000;

/// Lines a recipe of ours writes out, the bound that implementers agreed on: beyond it a list should wrap the message.
pub const DKIM2_LITERAL_LINES: usize = 1000;

/// Octets of one key record of DKIM2: one of ML-DSA-44 takes 1,800.
pub const DKIM2_RECORD_OCTETS: usize = 8 * 1024;

/// Places at which the start of an original body is looked for in a wrapped one: each costs a comparison.
pub const DKIM2_WRAP_STARTS: usize = 64;

/// Parts of a report of delivery: RFC 6522 §3 has three.
pub const REPORT_PARTS: usize = 3;

/// Recipients of one report: as many as one transaction has.
pub const REPORT_RECIPIENTS: usize = 1000;

/// Octets of an address or a text of others in a report of ours, so that its line fits SMTP.
pub const REPORT_TEXT_OCTETS: usize = 240;
