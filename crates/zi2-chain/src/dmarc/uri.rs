//! Addresses for reports.

use std::fmt;

use crate::limits;

use super::tags::trim;

/// A URI that reports go to, checked to hold only octets a URI may hold.
///
/// Refuses text without a scheme and `mailto:` without a domain. What follows a `!`, the size limit of RFC 7489, is
/// dropped: RFC 9989 has none.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ReportUri(Box<str>);

impl ReportUri {
    /// Reads one URI of a `rua` or `ruf` list.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<ReportUri> {
        let text =
            text.split(|octet| *octet == b'!').next().map(trim).and_then(|text| std::str::from_utf8(text).ok())?;
        let (scheme, rest) = text.split_once(':')?;
        // § RFC 3986 §3.1: scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )
        let scheme_fits = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"+-.".contains(&octet));
        let rest_fits = !rest.is_empty() && rest.bytes().all(is_uri_octet);
        let has_domain = rest.rsplit_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
        let reachable = !scheme.eq_ignore_ascii_case("mailto") || has_domain;
        (scheme_fits && rest_fits && reachable).then(|| ReportUri(text.into()))
    }

    /// The URI as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ReportUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// § RFC 3986 §2: reserved, unreserved and percent-encoded octets. § RFC 9989 §4.8: a comma and a `!` must be encoded.
fn is_uri_octet(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"-._~:/?#[]@$&'()*+;=%".contains(&octet)
}

/// § RFC 9989 §4.8: dmarc-urilist = dmarc-uri *(*WSP "," *WSP dmarc-uri). What is no URI is dropped.
pub(super) fn report_uris(list: &[u8]) -> Vec<ReportUri> {
    list.split(|octet| *octet == b',').filter_map(ReportUri::parse).take(limits::DMARC_REPORT_URIS).collect()
}
