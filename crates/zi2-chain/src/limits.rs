//! Every bound of this crate, with its reason.

// DMARC

/// Questions of one tree walk. § RFC 9989 §4.10 allows eight.
pub const DMARC_WALK: usize = 8;

/// Identifiers that passed, differ from the author domain and are looked up for their organizational domain. Honest mail
/// has one or two below its own organization; with this bound DMARC never asks more than
/// [`DMARC_QUESTIONS`] questions of the message's budget.
pub const DMARC_WALKS: usize = 3;

/// Questions of one message for DMARC: the author's walk, one for its existence, and a walk for each identifier.
pub const DMARC_QUESTIONS: usize = DMARC_WALK + 1 + DMARC_WALKS * DMARC_WALK;

/// Octets of a DMARC record. The longest in the field, with a dozen report addresses, stay under 1 KiB.
pub const DMARC_RECORD_OCTETS: usize = 4096;

/// Tags of a DMARC record. RFC 9989 and RFC 7489 know 15; unknown ones must fit too.
pub const DMARC_TAGS: usize = 32;

/// Report addresses kept of one list; more are dropped, since RFC 9990 lets a receiver limit how many it serves.
pub const DMARC_REPORT_URIS: usize = 16;

// SPF

/// Terms that ask DNS, over all records of one check. § RFC 7208 §4.6.4.
pub const SPF_LOOKUPS: usize = 10;

/// Terms that DNS had nothing for. § RFC 7208 §4.6.4: "SHOULD limit 'void lookups' to two".
pub const SPF_VOIDS: usize = 2;

/// Hosts that an `mx` mechanism may name; more are an error of the domain. § RFC 7208 §4.6.4.
pub const SPF_MX_HOSTS: usize = 10;

/// Names of the client that are looked up; more are ignored, as the domain has no say in them. § RFC 7208 §4.6.4.
pub const SPF_CLIENT_NAMES: usize = 10;

/// Questions of one check at most: the first record, for each term its own and those about its hosts, once for the whole
/// check the names of the client and their addresses, and an explanation. The message's budget ends sooner.
pub const SPF_QUESTIONS: usize = 1 + SPF_LOOKUPS * (1 + SPF_MX_HOSTS) + 1 + SPF_CLIENT_NAMES + 1;

/// Octets of a record behind its version. RFC 7208 §3.4 wants 450; flattened records of the field reach 8 KiB.
pub const SPF_RECORD_OCTETS: usize = 16 * 1024;

/// Terms of a record. A flattened record of the longest kind has about 800.
pub const SPF_TERMS: usize = 1000;

/// Macros of one argument or explanation. A name has no more than 127 labels (RFC 1035 §2.3.4), and a macro makes one at
/// least, or was not worth writing.
pub const SPF_MACROS: usize = 127;

/// Octets of the argument of MAIL. No line of RFC 5322 carries a longer address; RFC 5321 §4.5.3.1.3 wants 256 only.
pub const SPF_PATH_OCTETS: usize = 998;

/// Octets of HELO that are looked at; the rest is cut off, as it could never be part of a name.
pub const SPF_HELO_OCTETS: usize = 255;

/// Octets of an explanation. § RFC 7208 §6.2: it is for an SMTP reply, whose lines have 512 (RFC 5321 §4.5.3.1.5).
pub const SPF_EXPLANATION_OCTETS: usize = 480;

/// A shorter IPv4 prefix than this makes a match say little: who rents one address of a large cloud passes for every
/// domain that lists it (BreakSPF).
pub const SPF_BROAD_V4: u8 = 16;

/// The same for IPv6. A provider is allocated a /32 as a rule; a shorter prefix spans several of them.
pub const SPF_BROAD_V6: u8 = 32;

// ARC

/// Sets of a chain. § RFC 8617 §4.2.1: from 1 to 50.
pub const ARC_SETS: u8 = 50;

/// The newest sets whose message signatures are looked at. Only the newest decides; the others tell how long the message is
/// unchanged, and each costs a hash of the header section.
pub const ARC_MESSAGES: usize = 10;

/// Results of one ARC-Authentication-Results field. Large providers write five, with one for each DKIM signature.
pub const ARC_METHODS: usize = 32;

/// Properties of one result. The longest in the field have eight.
pub const ARC_PROPERTIES: usize = 16;
