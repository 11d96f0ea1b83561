//! Fields that only we may write, found while they arrive: in every message, also in one that is too large or too odd to
//! be judged. It looks at names and the authserv-id, at nothing else.

use std::num::NonZeroU32;

use zi2_sig::FIELD_NAME;
use zi2_trust::render::{VERIFIED_FIELD, is_authserv_id};

use crate::limits::REMOVALS;

/// A kind of field that is removed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// `X-ZI2-Certified`.
    Certified,
    /// `X-ZI2-Verified`.
    Verified,
    /// `Authentication-Results`.
    Results,
    /// `X-ZI2-Snapshot`.
    Snapshot,
}

impl Kind {
    /// The kind of a field name, in any letter case. MTAs take white space before the colon for no part of the name
    /// (RFC 5322 §4.5), and so do we.
    pub(super) fn of(name: &[u8]) -> Option<Kind> {
        let name = name.trim_ascii_end();
        let is = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
        match name.len() {
            15 if is(FIELD_NAME) => Some(Kind::Certified),
            14 if is(VERIFIED_FIELD) => Some(Kind::Verified),
            14 if is(SNAPSHOT_FIELD) => Some(Kind::Snapshot),
            22 if is(RESULTS_FIELD) => Some(Kind::Results),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Certified => FIELD_NAME,
            Kind::Verified => VERIFIED_FIELD,
            Kind::Results => RESULTS_FIELD,
            Kind::Snapshot => SNAPSHOT_FIELD,
        }
    }
}

/// RFC 8601 §2.2.
pub(super) const RESULTS_FIELD: &str = "Authentication-Results";

/// By this ingress tells the last way out as what a message came in: no such field of others gets through ingress or egress.
/// DKIM2 hashes no field whose name begins like this (§ -08 5.1).
pub(super) const SNAPSHOT_FIELD: &str = "X-ZI2-Snapshot";

/// Where the fields stand that claim to be written here.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Written {
    certified: u32,
    verified: u32,
    results: u32,
    snapshots: u32,
    /// The occurrences of `Authentication-Results` that carry our authserv-id.
    claimed: Vec<NonZeroU32>,
}

/// More fields to remove than one message may have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct TooMany;

impl Written {
    /// Looks at a field, in the order of the message.
    pub(super) fn note(&mut self, name: &[u8], value: &[u8], authserv_id: &str) -> Option<Kind> {
        let kind = Kind::of(name)?;
        match kind {
            Kind::Certified => self.certified = self.certified.saturating_add(1),
            Kind::Verified => self.verified = self.verified.saturating_add(1),
            Kind::Snapshot => self.snapshots = self.snapshots.saturating_add(1),
            Kind::Results => {
                self.results = self.results.saturating_add(1);
                let ours = is_authserv_id(value, authserv_id);
                // One more than may be removed is enough to know that there are too many.
                if let (true, true, Some(occurrence)) =
                    (ours, self.claimed.len() <= REMOVALS, NonZeroU32::new(self.results))
                {
                    self.claimed.push(occurrence);
                }
            }
        }
        Some(kind)
    }

    /// The fields to remove, of these kinds: name and occurrence, counted from 1.
    pub(super) fn removals(&self, kinds: &[Kind]) -> Result<Vec<(Kind, NonZeroU32)>, TooMany> {
        let all = |kind, count| (1..=count).filter_map(NonZeroU32::new).map(move |occurrence| (kind, occurrence));
        let mut found = Vec::new();
        for kind in kinds {
            match kind {
                Kind::Certified => found.extend(all(*kind, self.certified).take(REMOVALS + 1)),
                Kind::Verified => found.extend(all(*kind, self.verified).take(REMOVALS + 1)),
                Kind::Snapshot => found.extend(all(*kind, self.snapshots).take(REMOVALS + 1)),
                Kind::Results => found.extend(self.claimed.iter().map(|occurrence| (*kind, *occurrence))),
            }
        }
        if found.len() > REMOVALS { Err(TooMany) } else { Ok(found) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "mx.example.net";

    fn found(fields: &[(&str, &str)], kinds: &[Kind]) -> Vec<(Kind, u32)> {
        let mut written = Written::default();
        for (name, value) in fields {
            written.note(name.as_bytes(), value.as_bytes(), OURS);
        }
        written.removals(kinds).unwrap().into_iter().map(|(kind, occurrence)| (kind, occurrence.get())).collect()
    }

    #[test]
    fn forged_results_are_found_and_foreign_ones_are_not() {
        let fields = [
            ("Authentication-Results", " other.example; spf=pass"),
            ("AUTHENTICATION-RESULTS", " MX.example.NET; x-zi2=pass"),
            ("X-ZI2-Verified", " result=pass"),
            ("X-Authentication-Results", " mx.example.net; x"),
            ("authentication-results \t", "\n (c) \"mx.example.net\" 1; none"),
            ("x-zi2-VERIFIED ", ""),
            ("X-ZI2-Certified", " v=1"),
            ("X-ZI2-SNAPSHOT", " 00"),
        ];
        let expected = [(Kind::Verified, 1), (Kind::Verified, 2), (Kind::Results, 2), (Kind::Results, 3)];
        assert_eq!(found(&fields, &[Kind::Verified, Kind::Results]), expected);
        assert_eq!(found(&fields, &[Kind::Certified]), [(Kind::Certified, 1)]);
        assert_eq!(found(&fields, &[Kind::Snapshot]), [(Kind::Snapshot, 1)]);
        assert_eq!(found(&[], &[Kind::Certified, Kind::Verified, Kind::Results]), []);
    }

    #[test]
    fn as_many_as_may_be_removed_and_one_more() {
        for (name, kind) in [(VERIFIED_FIELD, Kind::Verified), (RESULTS_FIELD, Kind::Results)] {
            let mut written = Written::default();
            for _ in 0..REMOVALS {
                written.note(name.as_bytes(), b" mx.example.net; none", OURS);
            }
            assert_eq!(written.removals(&[kind]).map(|found| found.len()), Ok(REMOVALS));
            written.note(name.as_bytes(), b" mx.example.net; none", OURS);
            assert_eq!(written.removals(&[kind]), Err(TooMany));
        }
    }
}
