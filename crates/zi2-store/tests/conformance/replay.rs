//! Replay and issued nonces (zi2.md §8 and §9; security.md N1 to N5).

use zi2_store::{Batch, Issued, Settings, limits};
use zi2_trust::{Admitted, ReplayVerdict};

use crate::given::*;
use ReplayVerdict::{Duplicate, Fresh, Replayed, Unknown};

#[test]
fn attestations_are_remembered_with_their_recipients() {
    on_both(small(), |store| {
        for (recipients, expected) in [
            (&[1][..], Fresh),
            (&[1], Duplicate),
            (&[], Fresh), // to somebody in To or Cc
            (&[2], Fresh),
            (&[1, 2], Duplicate),
            (&[3], Replayed),
            (&[u64::MAX, 0], Replayed),
            (&[2], Duplicate),
        ] {
            assert_eq!(verdict(store, 1, TODAY, recipients), expected, "{recipients:?}");
        }
        assert_eq!(verdict(store, 2, TODAY, &[1]), Fresh, "another attestation");
        assert_eq!(verdict(store, 1, TODAY + 1, &[1]), Fresh, "another signing time is another attestation");
    });
}

#[test]
fn batches_are_admitted_in_their_order() {
    on_both(small(), |store| {
        let admissions = [&[1][..], &[1], &[2], &[3]].map(|recipients| admission(1, TODAY, recipients)).to_vec();
        let done = store.remember(&Batch { admissions, ..Batch::default() }).unwrap();
        let verdicts: Vec<_> = done.admitted.iter().map(|admitted| admitted.replay).collect();
        assert_eq!(verdicts, [Fresh, Duplicate, Fresh, Replayed]);
        assert_eq!(store.remember(&Batch::default()).unwrap().admitted, []);
    });
}

#[test]
fn issued_nonces_are_claimed_once() {
    on_both(small(), |store| {
        issue(store, 1, TODAY);
        issue(store, 1, TODAY);
        assert_eq!(admit(store, admission(1, TODAY, &[1])), Admitted { replay: Fresh, issued: true });
        assert_eq!(admit(store, admission(1, TODAY, &[1])), Admitted { replay: Duplicate, issued: false });
        issue(store, 1, TODAY);
        assert!(!admit(store, admission(1, TODAY, &[1])).issued, "what was claimed cannot be issued again");
        let both = Batch {
            issued: vec![Issued { id: id(2), day: TODAY }],
            admissions: vec![admission(2, TODAY, &[]), admission(2, TODAY, &[])],
            seen: Vec::new(),
        };
        let claimed: Vec<bool> =
            store.remember(&both).unwrap().admitted.iter().map(|admitted| admitted.issued).collect();
        assert_eq!(claimed, [true, false]);
        assert!(!admit(store, admission(3, TODAY, &[])).issued);
        assert!(!admit(store, admission(2, TODAY - 1, &[])).issued, "the day is part of it");
    });
}

#[test]
fn full_days_know_what_they_knew_and_say_so_of_the_rest() {
    on_both(small(), |store| {
        issue(store, 100, TODAY);
        for number in 0..4 {
            assert_eq!(verdict(store, number, TODAY, &[1]), Fresh);
        }
        assert_eq!(verdict(store, 4, TODAY, &[1]), Unknown);
        assert_eq!(verdict(store, 4, TODAY, &[1]), Unknown, "it was not remembered");
        assert_eq!(verdict(store, 0, TODAY, &[1]), Duplicate);
        assert_eq!(verdict(store, 0, TODAY, &[2]), Fresh, "a set still grows");
        assert_eq!(verdict(store, 4, TODAY + 1, &[1]), Fresh, "another day has room");
        // Strangers who fill the day do not touch our own mail.
        assert_eq!(admit(store, admission(100, TODAY, &[1])), Admitted { replay: Unknown, issued: true });
        assert_eq!(admit(store, admission(100, TODAY, &[1])), Admitted { replay: Unknown, issued: false });
        let refused: Vec<u64> = (200..205).map(|number| issue(store, number, TODAY).issued_refused).collect();
        assert_eq!(refused, [0, 0, 0, 1, 1]);
    });
}

#[test]
fn days_are_forgotten_whole_and_not_silently() {
    on_both(small(), |store| {
        let start = at(TODAY + 1);
        for day in [TODAY - 1, TODAY, TODAY + 1] {
            issue(store, 2, day);
            assert_eq!(verdict(store, 1, day, &[1]), Fresh);
        }
        // The first tidying only reads the clock.
        assert_eq!(store.tidy(start, DAY).unwrap().days_forgotten, 0);
        // The last second of the day before was a day and 300 s ago at 00:05.
        let edge = |secs: u64| start.add_secs(limits::REPLAY_SLACK_SECS + secs);
        assert_eq!(store.tidy(start.add_secs(299), DAY).unwrap().days_forgotten, 0);
        let tidied = store.tidy(edge(0), DAY).unwrap();
        assert_eq!((tidied.days_forgotten, tidied.nonces_forgotten, tidied.nonces, tidied.issued), (1, 1, 2, 2));
        for (day, replay, issued) in
            [(TODAY - 1, Unknown, false), (TODAY, Duplicate, false), (TODAY + 1, Duplicate, false)]
        {
            assert_eq!(admit(store, admission(1, day, &[1])), Admitted { replay, issued }, "{day}");
        }
        assert_eq!(verdict(store, 9, TODAY - 1, &[1]), Unknown, "a forgotten day says nothing about anybody");
        assert!(!admit(store, admission(2, TODAY - 1, &[1])).issued);
        assert_eq!(issue(store, 9, TODAY - 1).issued_refused, 1);
        assert_eq!(verdict(store, 9, TODAY - 2, &[1]), Fresh, "a day that never was is not a forgotten one");
        assert_eq!(store.tidy(edge(1), DAY).unwrap().days_forgotten, 1);
    });
}

#[test]
fn jumping_clocks_forget_little_and_nothing_gets_stuck() {
    const YEAR: u64 = 400 * DAY;
    on_both(small(), |store| {
        let now = at(TODAY + 1).add_secs(12 * HOUR);
        store.tidy(now, DAY).unwrap();
        for day in [TODAY, TODAY + 1] {
            verdict(store, 1, day, &[1]);
        }
        let forgotten = |now, hours_ahead: u64| {
            let tidied = store.tidy(now, DAY).unwrap();
            assert_eq!(tidied.clock_ahead / HOUR, hours_ahead, "{now:?}");
            tidied.days_forgotten
        };
        // Ahead by 400 days, for one tidying: six hours of it count.
        assert_eq!(forgotten(now.add_secs(YEAR), YEAR / HOUR - 6), 0);
        assert_eq!(verdict(store, 1, TODAY, &[1]), Duplicate);
        // Back by 400 days: nothing is forgotten, and time does not start again from there.
        assert_eq!(forgotten(now.sub_secs(YEAR), 0), 0);
        assert_eq!(forgotten(now.add_secs(7 * HOUR), 0), 0);
        // Ahead for four tidyings: the days in between go, and are known to be gone.
        assert_eq!((0..4).map(|_| store.tidy(now.add_secs(YEAR), DAY).unwrap().days_forgotten).sum::<u64>(), 1);
        assert_eq!(verdict(store, 1, TODAY, &[1]), Unknown);
        // Right again: the next day is as good as new.
        assert_eq!(verdict(store, 1, TODAY + 2, &[1]), Fresh);
        assert_eq!(verdict(store, 1, TODAY + 2, &[1]), Duplicate);
        assert_eq!(forgotten(now.add_secs(37 * HOUR), 0), 1);
    });
}

#[test]
fn far_days_are_bounded() {
    on_both(Settings { nonces_per_day: 1, ..small() }, |store| {
        let days = u32::try_from(limits::OPEN_DAYS).unwrap();
        for day in 0..days {
            assert_eq!(verdict(store, 1, day, &[1]), Fresh);
        }
        assert_eq!(verdict(store, 1, u32::MAX, &[1]), Unknown);
        assert_eq!(verdict(store, 1, days - 1, &[1]), Duplicate);
        assert_eq!(issue(store, 1, days).issued_refused, 1);
        store.tidy(at(days), DAY).unwrap();
        store.tidy(at(days), DAY).unwrap();
        assert_eq!(verdict(store, 1, u32::MAX, &[1]), Fresh);
    });
}
