//! Looks at what a victim left behind.

use std::path::Path;
use std::time::{Duration, Instant};

use zi2_mail::Domain;
use zi2_store::{Batch, SqliteStore, Store};
use zi2_trust::{Admission, Admitted, ReplayVerdict};

use crate::victim;

/// Opening takes no longer, whatever happened (security.md G18).
const RESTART: Duration = Duration::from_secs(1);

/// Every acknowledged deed is there, the one after is there whole or not at all, and the store works.
pub(crate) fn examine(path: &Path, acknowledged: &[usize], what: &str) {
    assert!(acknowledged.iter().copied().eq(0..acknowledged.len()), "{what}: {acknowledged:?}");
    let began = Instant::now();
    let store = victim::open(path).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(began.elapsed() < RESTART, "{what}: opened in {:?}", began.elapsed());
    store.check().unwrap_or_else(|error| panic!("{what}: {error}"));
    let deeds = acknowledged.len();
    history(&store, deeds, what);
    for number in 0..deeds {
        attestations(&store, number, deeds, what);
    }
    the_last_claim(&store, deeds, what);
    // And on it goes.
    assert_eq!(admit(&store, victim::arrived(deeds + 1000, 1)), (ReplayVerdict::Fresh, false), "{what}");
    store.check().unwrap_or_else(|error| panic!("{what}: {error}"));
}

fn history(store: &SqliteStore, deeds: usize, what: &str) {
    let valid = |domain: &str| {
        let domain = Domain::parse(domain).unwrap();
        store.past(&[domain]).unwrap()[0].first().map_or(0, |row| row.valid)
    };
    for number in 0..deeds {
        assert_eq!(valid(&victim::own_domain(number)), 1, "{what}: deed {number}");
    }
    // The deed that was not acknowledged may be there, but then in all its parts.
    let (all, next) = (valid("all.example"), valid(&victim::own_domain(deeds)));
    assert_eq!(all, u64::try_from(deeds).unwrap() + next, "{what}");
    assert!(next <= 1, "{what}");
}

fn attestations(store: &SqliteStore, number: usize, deeds: usize, what: &str) {
    let expect = |admission: Admission, expected: ReplayVerdict| {
        let found = admit(store, admission);
        // The deed that was not acknowledged may have tidied.
        let day = victim::day(number);
        let (is, may) = (victim::is_forgotten(day, deeds), victim::is_forgotten(day, deeds + 1));
        let unknown = (is || may) && found == (ReplayVerdict::Unknown, false);
        assert!(unknown || (!is && found == (expected, false)), "{what}: deed {number}: {found:?}");
    };
    expect(victim::arrived(number, 1), ReplayVerdict::Duplicate);
    expect(victim::arrived(number, 2), ReplayVerdict::Replayed);
    if number + 1 < deeds {
        expect(victim::claim(number), ReplayVerdict::Duplicate);
    }
}

/// What the last acknowledged deed issued is claimed by the next one or can be claimed now: once in either case.
fn the_last_claim(store: &SqliteStore, deeds: usize, what: &str) {
    let Some(last) = deeds.checked_sub(1) else { return };
    let found = admit(store, victim::claim(last));
    match found {
        (ReplayVerdict::Fresh, true) | (ReplayVerdict::Duplicate, false) => {
            assert_eq!(admit(store, victim::claim(last)), (ReplayVerdict::Duplicate, false), "{what}");
        }
        other => panic!("{what}: the last claim is {other:?}"),
    }
}

fn admit(store: &SqliteStore, admission: Admission) -> (ReplayVerdict, bool) {
    let batch = Batch { admissions: vec![admission], ..Batch::default() };
    let Admitted { replay, issued } = store.remember(&batch).unwrap().admitted[0];
    (replay, issued)
}
