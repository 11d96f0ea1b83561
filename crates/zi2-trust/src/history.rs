//! History (zi2.md §9): what was seen of a key that speaks for a domain. One table, moved by valid certifications only.

use zi2_mail::{Domain, HostName, Timestamp};
use zi2_sig::{Kid, PublicKey};

/// What is remembered of one key of one From domain. Only valid certifications make or change a row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyHistory {
    /// The From domain.
    pub domain: Domain,
    /// The key.
    pub key: PublicKey,
    /// The server it named last.
    pub sid: HostName,
    /// Its identifier.
    pub kid: Kid,
    /// Valid certifications seen.
    pub valid: u64,
    /// Distinct UTC days on which one was seen.
    pub days: u32,
    /// When the first was seen.
    pub first_seen: Timestamp,
    /// When the last was seen.
    pub last_seen: Timestamp,
}

/// A valid certification to be remembered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seen {
    /// The From domain.
    pub domain: Domain,
    /// The key.
    pub key: PublicKey,
    /// The server it named.
    pub sid: HostName,
    /// Its identifier.
    pub kid: Kid,
    /// When it was seen.
    pub at: Timestamp,
    /// Other live keys in the same domain's DNS at that time: a row of one of them is inherited (rotation).
    pub siblings: Vec<PublicKey>,
}

/// The thresholds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HistoryPolicy {
    /// Valid certifications for TRUSTED.
    pub trusted: u64,
    /// Distinct UTC days for TRUSTED: five mails in a minute buy nothing.
    pub min_days: u32,
    /// Seconds between first and last for TRUSTED.
    pub min_span: u64,
    /// Seconds of silence after which a row counts as new.
    pub idle: u64,
    /// Seconds for which a valid certification makes the next one expected.
    pub expected: u64,
}

impl Default for HistoryPolicy {
    /// The figures of zi2.md §9.
    fn default() -> HistoryPolicy {
        const DAY: u64 = 86_400;
        HistoryPolicy { trusted: 5, min_days: 3, min_span: 7 * DAY, idle: 180 * DAY, expected: 30 * DAY }
    }
}

/// The page's three words. A fact about the past, never an instruction to skip checks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Standing {
    /// No valid certification seen.
    Unverified,
    /// One or more.
    Provisional,
    /// Five or more over time.
    Trusted,
}

impl Standing {
    /// The word in headers and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Standing::Unverified => "unverified",
            Standing::Provisional => "provisional",
            Standing::Trusted => "trusted",
        }
    }
}

/// Where a row stands now.
pub fn standing(row: &KeyHistory, policy: &HistoryPolicy, now: Timestamp) -> Standing {
    let span = row.last_seen.secs().saturating_sub(row.first_seen.secs());
    match row.valid {
        0 => Standing::Unverified,
        _ if is_idle(row, policy, now) => Standing::Unverified,
        valid if valid >= policy.trusted && row.days >= policy.min_days && span >= policy.min_span => Standing::Trusted,
        _ => Standing::Provisional,
    }
}

/// Whether a row makes certified mail of its domain expected (§9): valid within 30 days.
pub fn expects(row: &KeyHistory, policy: &HistoryPolicy, now: Timestamp) -> bool {
    standing(row, policy, now) >= Standing::Provisional
        && now.secs().saturating_sub(row.last_seen.secs()) <= policy.expected
}

/// The row after a valid certification. `past` are the rows of the domain, of all keys.
pub fn advance(past: &[KeyHistory], seen: &Seen, policy: &HistoryPolicy) -> KeyHistory {
    let alive = |row: &&KeyHistory| !is_idle(row, policy, seen.at);
    let own = past.iter().find(|row| row.key == seen.key).filter(alive);
    // §9: keys linked by rotation inherit, but only when the new one first appears while the old one is alive in DNS.
    let inherited =
        || past.iter().filter(|row| seen.siblings.contains(&row.key)).filter(alive).max_by_key(|row| row.valid);
    let base = own.or_else(inherited);
    let new_day = base.is_none_or(|row| row.last_seen.day() < seen.at.day());
    KeyHistory {
        domain: seen.domain.clone(),
        key: seen.key,
        sid: seen.sid.clone(),
        kid: seen.kid,
        valid: base.map_or(0, |row| row.valid).saturating_add(1),
        days: base.map_or(0, |row| row.days).saturating_add(u32::from(new_day)),
        first_seen: base.map_or(seen.at, |row| row.first_seen),
        // A clock that jumped back must not make a row look idle (security.md N5).
        last_seen: base.map_or(seen.at, |row| row.last_seen.max(seen.at)),
    }
}

fn is_idle(row: &KeyHistory, policy: &HistoryPolicy, now: Timestamp) -> bool {
    now.secs().saturating_sub(row.last_seen.secs()) > policy.idle
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 86_400;
    const START: u64 = 1_777_400_000;

    fn seen(day: u64, key: u8, siblings: &[u8]) -> Seen {
        Seen {
            domain: Domain::parse("example.com").unwrap(),
            key: PublicKey::from_octets([key; 32]),
            sid: HostName::parse("mail.example.com").unwrap(),
            kid: Kid::parse("zi2-cert-2026-04").unwrap(),
            at: Timestamp::from_secs(START + day * DAY),
            siblings: siblings.iter().map(|k| PublicKey::from_octets([*k; 32])).collect(),
        }
    }

    fn after(days: &[u64]) -> KeyHistory {
        let policy = HistoryPolicy::default();
        let mut rows: Vec<KeyHistory> = Vec::new();
        for day in days {
            rows = vec![advance(&rows, &seen(*day, 1, &[]), &policy)];
        }
        rows.pop().unwrap()
    }

    #[test]
    fn standing_is_earned_over_time() {
        let now = |day: u64| Timestamp::from_secs(START + day * DAY);
        let policy = HistoryPolicy::default();
        for (days, at, expected) in [
            (&[0][..], 0, Standing::Provisional),
            (&[0, 0, 0, 0, 0, 0, 0, 0], 0, Standing::Provisional), // a minute buys nothing
            (&[0, 0, 0, 3, 7], 7, Standing::Trusted),
            (&[0, 0, 0, 3, 6], 6, Standing::Provisional), // span too short
            (&[0, 0, 0, 0, 7], 7, Standing::Provisional), // two days only
            (&[0, 3, 5, 7], 7, Standing::Provisional),    // four only
            (&[0, 0, 0, 3, 7], 187, Standing::Trusted),
            (&[0, 0, 0, 3, 7], 188, Standing::Unverified), // idle
        ] {
            assert_eq!(standing(&after(days), &policy, now(at)), expected, "{days:?} at {at}");
        }
        assert!(expects(&after(&[0]), &policy, now(30)));
        assert!(!expects(&after(&[0]), &policy, now(31)));
    }

    #[test]
    fn idle_rows_start_anew() {
        let policy = HistoryPolicy::default();
        let row = advance(&[after(&[0, 0, 0, 3, 7])], &seen(300, 1, &[]), &policy);
        assert_eq!((row.valid, row.days), (1, 1));
    }

    #[test]
    fn rotation_inherits_only_while_both_are_published() {
        let policy = HistoryPolicy::default();
        let old = after(&[0, 0, 0, 3, 7]);
        let linked = advance(std::slice::from_ref(&old), &seen(8, 2, &[1]), &policy);
        assert_eq!((linked.valid, linked.key), (6, PublicKey::from_octets([2; 32])));
        assert_eq!(advance(&[old], &seen(8, 2, &[]), &policy).valid, 1);
    }
}
