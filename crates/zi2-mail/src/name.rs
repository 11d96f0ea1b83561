//! Names and times: the doors through which text becomes a [`Domain`], a [`HostName`] or a [`Timestamp`].
//!
//! Refuses every spelling that two readers could take for two names. Asks no resolver.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

use crate::limits::{DOMAIN_INPUT_OCTETS, DOMAIN_OCTETS, LABEL_OCTETS};

/// A domain name in its one spelling: A-labels in lower case, joined by dots, without the final dot.
///
/// Refuses underscores, empty labels and internationalized labels that do not round-trip. One label is enough. Cheap to clone:
/// the domain of a message ends up in a dozen places.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Domain(Arc<str>);

impl Domain {
    /// Reads a domain written with A-labels or U-labels in any case.
    ///
    /// Refuses a final dot: who allows one (a mail address does) takes it off first.
    ///
    /// ```
    /// use zi2_mail::Domain;
    ///
    /// assert_eq!(Domain::parse("B\u{fc}cher.Example").unwrap().as_str(), "xn--bcher-kva.example");
    /// assert!(Domain::parse("xn--ascii-.example").is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// [`DomainError`] says what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, DomainError> {
        if text.len() > DOMAIN_INPUT_OCTETS {
            return Err(DomainError::TooLong(text.len()));
        }
        let ascii = if is_plain(text) { Cow::Borrowed(text) } else { Cow::Owned(to_a_labels(text)?) };
        check_labels(&ascii)?;
        let mut name = Arc::<str>::from(&*ascii);
        // Nobody else has it yet.
        if let Some(name) = Arc::get_mut(&mut name) {
            name.make_ascii_lowercase();
        }
        Ok(Self(name))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is `other` or under it, label by label.
    #[must_use]
    pub fn is_within(&self, other: &Domain) -> bool {
        let above = self.0.strip_suffix(&*other.0);
        above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
    }

    fn labels(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('.')
    }
}

impl AsRef<str> for Domain {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is not a [`Domain`]. The fault is with whoever wrote the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DomainError {
    /// No label, or an empty one: two dots, a dot in front, a final dot.
    #[error("the domain has an empty label; write it without a leading, final or double dot")]
    EmptyLabel,
    /// Longer than DNS can carry.
    #[error("the domain has {0} octets; DNS carries 253")]
    TooLong(usize),
    /// A label longer than DNS can carry.
    #[error("a label of the domain has {0} octets; DNS carries 63")]
    LabelTooLong(usize),
    /// A label that begins or ends with a hyphen.
    #[error("a label of the domain begins or ends with a hyphen")]
    Hyphen,
    /// An octet that is no letter, digit, hyphen or dot.
    #[error("the domain holds octet 0x{0:02x}; letters, digits, hyphens and dots are allowed")]
    Octet(u8),
    /// UTS 46 refuses the name, or one of its `xn--` labels is not what its own U-label encodes to.
    #[error("the domain is no valid internationalized name (UTS 46), or an xn-- label of it does not round-trip")]
    Idna,
}

/// Plain names, nearly all of them, need no Unicode tables: this is on the path of every message.
fn is_plain(text: &str) -> bool {
    text.is_ascii() && !text.as_bytes().split(|octet| *octet == b'.').any(is_a_label)
}

fn is_a_label(label: &[u8]) -> bool {
    label.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case(b"xn--"))
}

/// UTS 46 ToASCII, non-transitional, STD3. Hyphens in places 3 and 4 are left alone: real hosts have them.
fn to_a_labels(text: &str) -> Result<String, DomainError> {
    let ascii = uts46_to_ascii(text)?;
    // zi2.md §2: labels must round-trip. The library checks this too since RUSTSEC-2024-0421; a second opinion is cheap.
    let (unicode, checked) = Uts46::new().to_unicode(ascii.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast);
    checked.map_err(|_| DomainError::Idna)?;
    let decodes_to_ascii =
        ascii.split('.').zip(unicode.split('.')).any(|(a, u)| is_a_label(a.as_bytes()) && u.is_ascii());
    if decodes_to_ascii || uts46_to_ascii(&unicode)? != ascii {
        return Err(DomainError::Idna);
    }
    Ok(ascii)
}

fn uts46_to_ascii(text: &str) -> Result<String, DomainError> {
    Uts46::new()
        .to_ascii(text.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast, DnsLength::Verify)
        .map(Cow::into_owned)
        .map_err(|_| DomainError::Idna)
}

fn check_labels(ascii: &str) -> Result<(), DomainError> {
    if ascii.len() > DOMAIN_OCTETS {
        return Err(DomainError::TooLong(ascii.len()));
    }
    ascii.as_bytes().split(|octet| *octet == b'.').try_for_each(check_label)
}

fn check_label(label: &[u8]) -> Result<(), DomainError> {
    if let Some(&octet) = label.iter().find(|octet| !octet.is_ascii_alphanumeric() && **octet != b'-') {
        return Err(DomainError::Octet(octet));
    }
    match label {
        [] => Err(DomainError::EmptyLabel),
        _ if label.len() > LABEL_OCTETS => Err(DomainError::LabelTooLong(label.len())),
        [b'-', ..] | [.., b'-'] => Err(DomainError::Hyphen),
        _ => Ok(()),
    }
}

/// The name of a public host, as `sid` and host settings hold it (zi2.md §2).
///
/// Refuses single labels, addresses, and names under domains that never name a public host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostName(Domain);

impl HostName {
    /// Reads a host name written with A-labels or U-labels in any case.
    ///
    /// Refuses what [`Domain::parse`] refuses, and ports, literals and final dots with it.
    ///
    /// # Errors
    ///
    /// [`HostNameError`] says which rule the text breaks.
    pub fn parse(text: &str) -> Result<Self, HostNameError> {
        Self::from_domain(Domain::parse(text)?)
    }

    /// Takes a domain as a host name.
    ///
    /// Refuses single labels, last labels of digits, and names of no public host.
    ///
    /// # Errors
    ///
    /// [`HostNameError`] says which rule the name breaks.
    pub fn from_domain(domain: Domain) -> Result<Self, HostNameError> {
        let mut labels = domain.labels().rev();
        let last = labels.next().unwrap_or_default();
        if NOT_PUBLIC.contains(&last) {
            return Err(HostNameError::NotPublic);
        }
        if is_number(last) {
            return Err(HostNameError::Address);
        }
        if labels.next().is_none() {
            return Err(HostNameError::OneLabel);
        }
        drop(labels);
        Ok(Self(domain))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The name as a domain.
    #[must_use]
    pub fn as_domain(&self) -> &Domain {
        &self.0
    }
}

impl AsRef<str> for HostName {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Last labels that never name a public host (zi2.md §2; RFC 6761, RFC 6762, RFC 7686).
const NOT_PUBLIC: [&str; 6] = ["arpa", "internal", "invalid", "local", "localhost", "onion"];

/// Why a text is not a [`HostName`]. The fault is with whoever wrote the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostNameError {
    /// Not even a domain.
    #[error(transparent)]
    Domain(#[from] DomainError),
    /// One label only.
    #[error("the host name has one label; write it in full, as in mail.example.com")]
    OneLabel,
    /// The last label is a number, as in an IPv4 address.
    #[error("the host name ends in a number; write a name, not an address")]
    Address,
    /// A special-use name.
    #[error("names under localhost, local, internal, invalid, onion and arpa name no public host")]
    NotPublic,
}

/// A point in time: Unix seconds, since 1970 and without leap seconds.
///
/// Never reads a clock: who needs the present is given it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The first second of a month (UTC). Refuses, with `None`, a month outside 1 to 12 and years before 1970.
    #[must_use]
    pub fn of_month(year: u16, month: u8) -> Option<Self> {
        let days = crate::date::days_from_1970(i64::from(year), i64::from(month), 1)?;
        u64::try_from(days).ok().map(|days| Self(days * 86_400))
    }

    /// The time that many seconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs)
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn secs(self) -> u64 {
        self.0
    }

    /// The UTC day, counted from 1970-01-01. Stops at `u32::MAX`, eleven million years on.
    #[must_use]
    pub fn day(self) -> u32 {
        u32::try_from(self.0 / DAY).unwrap_or(u32::MAX)
    }

    /// The UTC year and month (1 to 12) of the Gregorian calendar. Stops at December 65535.
    #[must_use]
    pub fn month(self) -> (u16, u8) {
        let (year, month, _) = self.date();
        (year, month)
    }

    /// The UTC year, month (1 to 12) and day (1 to 31) of the Gregorian calendar. Stops at the end of 65535.
    #[must_use]
    pub fn date(self) -> (u16, u8, u8) {
        // Days from 0000-03-01, in eras of 400 years: a year that begins in March has its leap day last.
        let days = u64::from(self.day()) + 719_468;
        let (era, day) = (days / 146_097, days % 146_097);
        let year_of_era = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day_of_year = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_month = (5 * day_of_year + 2) / 153;
        let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
        let year = era * 400 + year_of_era + u64::from(month <= 2);
        let day_of_month = day_of_year - (153 * march_month + 2) / 5 + 1;
        match (u16::try_from(year), u8::try_from(month), u8::try_from(day_of_month)) {
            (Ok(year), Ok(month), Ok(day)) => (year, month, day),
            _ => (u16::MAX, 12, 31),
        }
    }

    /// The time that many seconds later. Stops at the last time there is.
    #[must_use]
    pub const fn add_secs(self, secs: u64) -> Self {
        Self(self.0.saturating_add(secs))
    }

    /// The time that many seconds earlier. Stops at 1970.
    #[must_use]
    pub const fn sub_secs(self, secs: u64) -> Self {
        Self(self.0.saturating_sub(secs))
    }
}

const DAY: u64 = 86_400;

/// A last label that inet_aton(3) and the URL standard ("ends in a number") read as part of an IPv4 address: 0x7f.0x1 is
/// 127.0.0.1 (security.md R1).
fn is_number(label: &str) -> bool {
    let hex = label.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|octet| octet.is_ascii_hexdigit()));
    hex || label.bytes().all(|octet| octet.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn within_is_by_labels() {
        let within = |name: &str, other: &str| Domain::parse(name).unwrap().is_within(&Domain::parse(other).unwrap());
        assert!(within("example.com", "example.com") && within("a.b.example.com", "example.com"));
        assert!(!within("evilexample.com", "example.com") && !within("example.com", "sub.example.com"));
        assert!(!within("example.com.evil", "example.com"));
    }

    #[test]
    fn domains() {
        let label = |octets| "a".repeat(octets);
        let octets_253 = [label(63), label(63), label(63), label(61)].join(".");
        for (text, wanted) in [
            ("example.com", Ok("example.com")),
            ("EXAMPLE.Com", Ok("example.com")),
            ("localhost", Ok("localhost")),
            ("r3---sn-4g5e6nsz.example", Ok("r3---sn-4g5e6nsz.example")),
            ("3com.example", Ok("3com.example")),
            ("XN--BCHER-KVA.example", Ok("xn--bcher-kva.example")),
            ("B\u{fc}cher.example", Ok("xn--bcher-kva.example")),
            ("BU\u{308}CHER.example", Ok("xn--bcher-kva.example")), // decomposed
            ("stra\u{df}e.example", Ok("xn--strae-oqa.example")),   // non-transitional
            ("a\u{ff0e}b\u{3002}example", Ok("a.b.example")),       // fullwidth and ideographic dots
            ("\u{ff41}\u{ff22}.example", Ok("ab.example")),         // fullwidth letters
            ("\u{443}.example", Ok("xn--s1a.example")),             // a Cyrillic letter is another domain
            (octets_253.as_str(), Ok(octets_253.as_str())),
            ("", Err(DomainError::EmptyLabel)),
            (".", Err(DomainError::EmptyLabel)),
            ("example.com.", Err(DomainError::EmptyLabel)),
            ("a..b", Err(DomainError::EmptyLabel)),
            ("-a.example", Err(DomainError::Hyphen)),
            ("a-.example", Err(DomainError::Hyphen)),
            ("_dmarc.example", Err(DomainError::Octet(b'_'))),
            ("a b.example", Err(DomainError::Octet(b' '))),
            ("good.example'a.evil.example", Err(DomainError::Octet(b'\''))),
            ("a.\0.b", Err(DomainError::Octet(0))),
            ("[127.0.0.1]", Err(DomainError::Octet(b'['))),
            ("a.example:25", Err(DomainError::Octet(b':'))),
            (&label(64), Err(DomainError::LabelTooLong(64))),
            (&format!("{octets_253}a"), Err(DomainError::TooLong(254))),
            ("xn--ascii-.example", Err(DomainError::Idna)), // decodes to ASCII, RUSTSEC-2024-0421
            ("xn--good-.example", Err(DomainError::Idna)),
            ("xn--.example", Err(DomainError::Idna)),
            ("xn--strasse-.example", Err(DomainError::Idna)),
            ("xn--BCHER-KVA\u{df}.example", Err(DomainError::Idna)),
            ("xn--a\u{308}.example", Err(DomainError::Idna)),
            ("xn--zzzzzzz99999.example", Err(DomainError::Idna)),
            ("b\u{fc}cher.example\u{3002}", Err(DomainError::Idna)), // a final dot all the same
            ("b\u{fc}c_her.example", Err(DomainError::Idna)),
            ("a\u{ad}b.example", Ok("ab.example")), // UTS 46 drops the soft hyphen
            ("\u{ff58}\u{ff4e}--ascii-.example", Err(DomainError::Idna)), // a fullwidth "xn"
            (&"\u{fc}".repeat(600), Err(DomainError::TooLong(1200))),
        ] {
            assert_eq!(Domain::parse(text).as_ref().map(Domain::as_str), wanted.as_ref().map(|text| *text), "{text}");
        }
    }

    #[test]
    fn host_names() {
        for (text, wanted) in [
            ("Mail.Example.com", Ok("mail.example.com")),
            ("m\u{fc}.example", Ok("xn--m-eha.example")),
            ("127.0.0.1.example", Ok("127.0.0.1.example")),
            ("mail", Err(HostNameError::OneLabel)),
            ("localhost", Err(HostNameError::NotPublic)),
            ("mail.LOCAL", Err(HostNameError::NotPublic)),
            ("a.internal", Err(HostNameError::NotPublic)),
            ("a.invalid", Err(HostNameError::NotPublic)),
            ("a.onion", Err(HostNameError::NotPublic)),
            ("1.0.0.127.in-addr.arpa", Err(HostNameError::NotPublic)),
            ("127.0.0.1", Err(HostNameError::Address)),
            ("mail.example.com.", Err(HostNameError::Domain(DomainError::EmptyLabel))),
            ("mail.example.com:443", Err(HostNameError::Domain(DomainError::Octet(b':')))),
            ("[::1]", Err(HostNameError::Domain(DomainError::Octet(b'[')))),
        ] {
            assert_eq!(
                HostName::parse(text).as_ref().map(HostName::as_str),
                wanted.as_ref().map(|text| *text),
                "{text}"
            );
        }
    }

    #[test]
    fn months() {
        for (secs, day, month) in [
            (0, 0, (1970, 1)),
            (951_782_399, 11_015, (2000, 2)),
            (951_782_400, 11_016, (2000, 2)), // the 29th
            (951_868_800, 11_017, (2000, 3)),
            (1_777_400_000, 20_571, (2026, 4)),
            (1_798_761_599, 20_818, (2026, 12)),
            (4_107_542_400, 47_541, (2100, 3)), // 2100 has no leap day
            (u64::MAX, u32::MAX, (u16::MAX, 12)),
        ] {
            let time = Timestamp::from_secs(secs);
            assert_eq!((time.day(), time.month()), (day, month), "{secs}");
        }
        assert_eq!(Timestamp::from_secs(1).sub_secs(2).add_secs(u64::MAX).add_secs(1).secs(), u64::MAX);
    }

    proptest! {
        #[test]
        fn a_domain_is_its_own_spelling(text in "([a-zA-Z0-9\u{e4}\u{df}\u{431}\u{ff0e}-]|xn--|\\.){1,24}|.{0,12}") {
            if let Ok(domain) = Domain::parse(&text) {
                prop_assert_eq!(Domain::parse(domain.as_str()), Ok(domain.clone()));
                prop_assert!(domain.as_str().bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-".contains(&b)));
            }
        }
    }
}
