//! Every bound of this crate, with its reason.
//!
//! A parser stops at its bound and says so; it never grows with what a stranger sends.

/// Octets of a header section. Postfix cuts at about 100 KiB (`header_size_limit` per field), Sendmail at 32 KiB: twice
/// the larger leaves room for every signature scheme at once (zi2.md §2).
pub const HEADER_OCTETS: usize = 256 * 1024;

/// Fields of a header section. Real mail stays under 200 even after ten hops (zi2.md §2).
pub const HEADER_FIELDS: usize = 1000;

/// Octets of a line without its CRLF. RFC 5322 §2.1.1: what SMTP carries unchanged.
pub const LINE_OCTETS: usize = 998;

/// Column at which our own fields fold (zi2.md §1). Under RFC 5322 §2.1.1's 78, with room for a terminal's margin.
pub const FOLD_COLUMNS: usize = 76;

/// Tags of a tag list. The longest standard list, DKIM-Signature, has 13; unknown tags must fit too (zi2.md §1).
pub const TAGS: usize = 32;

/// Parameters of a Content-Type: those of reports have three.
pub const PARAMETERS: usize = 16;

/// Comments inside comments. RFC 5322 sets no bound; nobody writes three, and a reader must not be made to count.
pub const COMMENT_DEPTH: usize = 16;

/// Addresses of one From, To or Cc field. The usual limit of recipients of one SMTP transaction.
pub const ADDRESSES: usize = 1000;

/// Octets of a domain name in presentation form without its final dot (RFC 1035 §2.3.4: 255 on the wire).
pub const DOMAIN_OCTETS: usize = 253;

/// Octets of a label (RFC 1035 §2.3.4).
pub const LABEL_OCTETS: usize = 63;

/// Octets of a domain before UTS 46. A code point costs its A-label at least one octet, so only names padded with code
/// points that UTS 46 drops are cut; Punycode, which is not linear, never sees long input.
pub const DOMAIN_INPUT_OCTETS: usize = 4 * DOMAIN_OCTETS;

/// Digests of the first octets of one body. Each is a hash of its own, so a message pays for few: signatures tried at most.
pub const COUNTED_DIGESTS: usize = 16;
