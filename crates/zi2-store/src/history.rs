//! What becomes of the rows of a domain, the same for every backend. How a row moves is `zi2_trust::advance`'s business.

use zi2_mail::Timestamp;
use zi2_sig::PublicKey;
use zi2_trust::{HistoryPolicy, KeyHistory, Seen, Standing, advance, limits::KEYS_PER_DOMAIN, standing};

use crate::{RowFault, Settings};

/// What to do with the rows of one domain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Change {
    /// Nothing: the history is full, or better rows fill the domain.
    Refused,
    /// Write the row, delete the keys.
    Put(KeyHistory, Was, Vec<PublicKey>),
}

/// Whether the row's key was there before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Was {
    New,
    Known,
}

/// After a valid certification. `past` are the domain's rows, `held` the rows of all domains.
pub(crate) fn remember(past: &[KeyHistory], seen: &Seen, settings: &Settings, held: u64) -> Change {
    let row = advance(past, seen, &settings.policy);
    let was = was(past, &row);
    // A key that inherits by rotation is welcome even when the store is full: its domain is no stranger.
    if was == Was::New && row.valid == 1 && held >= settings.ceiling() {
        return Change::Refused;
    }
    let evicted = surplus(past, &row, &settings.policy, seen.at, Newcomer::Stays);
    Change::Put(row, was, evicted)
}

/// After an import. A newcomer must be better than what it evicts.
pub(crate) fn import(past: &[KeyHistory], row: &KeyHistory, settings: &Settings, held: u64) -> Change {
    let (row, was) = match past.iter().find(|old| old.key == row.key) {
        Some(old) => (merged(old, row), Was::Known),
        None if held >= settings.ceiling() => return Change::Refused,
        None => (row.clone(), Was::New),
    };
    let latest = past.iter().map(|old| old.last_seen).max().unwrap_or(row.last_seen).max(row.last_seen);
    let evicted = surplus(past, &row, &settings.policy, latest, Newcomer::Competes);
    if evicted.contains(&row.key) { Change::Refused } else { Change::Put(row, was, evicted) }
}

/// Whether a row can be history: what [`advance`] never makes, no import brings in.
pub(crate) fn check(row: &KeyHistory) -> Result<(), RowFault> {
    let span_days = row.last_seen.day().checked_sub(row.first_seen.day()).ok_or(RowFault::Order)?;
    let largest = row.valid.max(row.last_seen.secs());
    match row {
        _ if row.first_seen > row.last_seen => Err(RowFault::Order),
        _ if row.valid == 0 || row.days == 0 => Err(RowFault::Nothing),
        _ if u64::from(row.days) > row.valid => Err(RowFault::Days),
        _ if row.days > span_days.saturating_add(1) => Err(RowFault::Span),
        _ if i64::try_from(largest).is_err() => Err(RowFault::Large),
        _ => Ok(()),
    }
}

/// The order in which rows leave a store that is too full: idle ones, then those seen on few days, then the oldest.
/// `None`: TRUSTED rows stay (security.md H6).
pub(crate) fn eviction_rank(
    row: &KeyHistory,
    policy: &HistoryPolicy,
    now: Timestamp,
) -> Option<(Standing, u32, Timestamp)> {
    let standing = standing(row, policy, now);
    (standing < Standing::Trusted).then_some((standing, row.days, row.last_seen))
}

fn was(past: &[KeyHistory], row: &KeyHistory) -> Was {
    if past.iter().any(|old| old.key == row.key) { Was::Known } else { Was::New }
}

/// The two stores saw the same sender: the larger figure of each is the safe one to say, a sum would count mail twice.
fn merged(old: &KeyHistory, new: &KeyHistory) -> KeyHistory {
    let latest = if new.last_seen > old.last_seen { new } else { old };
    KeyHistory {
        valid: old.valid.max(new.valid),
        days: old.days.max(new.days),
        first_seen: old.first_seen.min(new.first_seen),
        last_seen: latest.last_seen,
        ..latest.clone()
    }
}

/// Whether a new row may be the one that leaves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Newcomer {
    Stays,
    Competes,
}

/// The keys that leave so that the domain keeps its bound (security.md H6): the lowest standing first, then the oldest.
fn surplus(
    past: &[KeyHistory],
    row: &KeyHistory,
    policy: &HistoryPolicy,
    now: Timestamp,
    newcomer: Newcomer,
) -> Vec<PublicKey> {
    let others = past.iter().filter(|old| old.key != row.key);
    let surplus = (others.clone().count() + 1).saturating_sub(KEYS_PER_DOMAIN);
    let competing = Some(row).filter(|_| newcomer == Newcomer::Competes);
    let mut rows: Vec<&KeyHistory> = others.chain(competing).collect();
    rows.sort_by_key(|row| (standing(row, policy, now), row.last_seen, row.key));
    rows.into_iter().take(surplus).map(|row| row.key).collect()
}

#[cfg(test)]
mod tests {
    use zi2_mail::{Domain, HostName};
    use zi2_sig::Kid;

    use super::*;

    const DAY: u64 = 86_400;

    fn row(key: u8, valid: u64, days: u32, first_day: u64, last_day: u64) -> KeyHistory {
        KeyHistory {
            domain: Domain::parse("example.com").unwrap(),
            key: PublicKey::from_octets([key; 32]),
            sid: HostName::parse("mail.example.com").unwrap(),
            kid: Kid::parse("zi2-cert-2026-04").unwrap(),
            valid,
            days,
            first_seen: Timestamp::from_secs(first_day * DAY),
            last_seen: Timestamp::from_secs(last_day * DAY),
        }
    }

    fn seen(key: u8, day: u64, sibling: u8) -> Seen {
        let KeyHistory { domain, key, sid, kid, .. } = row(key, 1, 1, 0, 0);
        let siblings = vec![PublicKey::from_octets([sibling; 32])];
        Seen { domain, key, sid, kid, at: Timestamp::from_secs(day * DAY), siblings }
    }

    #[test]
    fn rows_that_no_history_has_are_refused() {
        for (row, fault) in [
            (row(1, 1, 1, 5, 5), Ok(())),
            (row(1, 9, 3, 5, 7), Ok(())),
            (row(1, 0, 0, 5, 5), Err(RowFault::Nothing)),
            (row(1, 1, 0, 5, 5), Err(RowFault::Nothing)),
            (row(1, 1, 2, 5, 9), Err(RowFault::Days)),
            (row(1, 9, 4, 5, 7), Err(RowFault::Span)),
            (row(1, 1, 1, 6, 5), Err(RowFault::Order)),
            (row(1, u64::MAX, 1, 5, 5), Err(RowFault::Large)),
        ] {
            assert_eq!(check(&row), fault, "{row:?}");
        }
    }

    #[test]
    fn trusted_rows_leave_last() {
        let keys = u8::try_from(KEYS_PER_DOMAIN).unwrap();
        let mut past: Vec<KeyHistory> = (1..=keys).map(|key| row(key, 9, 9, 0, 10 + u64::from(key))).collect();
        past[7] = row(8, 3, 3, 0, 50); // PROVISIONAL, though seen last
        let Change::Put(new, Was::New, evicted) = remember(&past, &seen(99, 60, 0), &Settings::disk(), 20) else {
            panic!("the key is taken");
        };
        assert_eq!((new.valid, evicted), (1, vec![past[7].key]));
        past.remove(7);
        past.push(row(8, 9, 9, 0, 11));
        assert_eq!(import(&past, &row(99, 1, 1, 60, 60), &Settings::disk(), 20), Change::Refused);
    }

    #[test]
    fn full_stores_take_only_heirs() {
        let settings = Settings { history_rows: 4, ..Settings::disk() };
        let past = [row(1, 9, 9, 0, 10)];
        let taken = |past: &[KeyHistory], seen, held| remember(past, &seen, &settings, held) != Change::Refused;
        assert!(taken(&[], seen(2, 11, 0), 4));
        assert!(!taken(&[], seen(2, 11, 0), 5));
        assert!(!taken(&past, seen(2, 11, 0), 5));
        assert!(taken(&past, seen(2, 11, 1), 5));
        assert!(taken(&past, seen(1, 11, 0), 5));
    }

    #[test]
    fn merging_is_idempotent_and_commutes() {
        let (a, b) = (row(1, 9, 3, 5, 9), row(1, 4, 4, 2, 8));
        let both = merged(&a, &b);
        assert_eq!((both.valid, both.days, both.first_seen.day(), both.last_seen.day()), (9, 4, 2, 9));
        assert_eq!(merged(&b, &a), both);
        assert_eq!(merged(&both, &b), both);
        assert_eq!(check(&both), Ok(()));
    }
}
