//! The clock that forgets (security.md N5): it follows the wall clock, but in steps, and never back.

use zi2_mail::Timestamp;

use crate::limits::{CLOCK_STEP_SECS, REPLAY_SLACK_SECS};

/// Where the forgetting clock stands after a tidying at `now`, and what may be forgotten by it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Forgetting {
    /// To be kept for the next tidying.
    pub(crate) reached: Timestamp,
    /// The time this tidying goes by: never ahead of `now`.
    pub(crate) time: Timestamp,
}

impl Forgetting {
    /// One step. A store that was never tidied takes the clock as it is: only from the next time on is there anything to
    /// compare it with, and nothing older than `now` can be in an empty store.
    pub(crate) fn step(before: Option<Timestamp>, now: Timestamp) -> Forgetting {
        let Some(before) = before else { return Forgetting { reached: now, time: Timestamp::from_secs(0) } };
        let time = now.min(before.add_secs(CLOCK_STEP_SECS));
        Forgetting { reached: before.max(time), time }
    }

    /// The first day that is kept: all days before it ended more than window and slack ago.
    pub(crate) fn first_kept_day(self, window: u64) -> u32 {
        self.time.sub_secs(window.saturating_add(REPLAY_SLACK_SECS)).day()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3600;
    const START: u64 = 1_777_400_000;

    #[test]
    fn follows_in_steps_and_never_back() {
        let at = |secs: u64| Timestamp::from_secs(secs);
        let year = 400 * 24 * HOUR;
        for (before, now, time, reached) in [
            (START, START + HOUR, START + HOUR, START + HOUR),
            (START, START + year, START + CLOCK_STEP_SECS, START + CLOCK_STEP_SECS), // jumped ahead, or was off
            (START, START - year, START - year, START),                              // jumped back: forgets nothing
            (START, START, START, START),
            (u64::MAX, u64::MAX, u64::MAX, u64::MAX),
        ] {
            let step = Forgetting::step(Some(at(before)), at(now));
            assert_eq!((step.time, step.reached), (at(time), at(reached)), "{before} {now}");
        }
        let first = Forgetting::step(None, at(START));
        assert_eq!((first.first_kept_day(0), first.reached), (0, at(START)));
    }

    #[test]
    fn a_day_is_kept_until_its_last_second_left_the_window() {
        const DAY: u64 = 86_400;
        for (secs, window, day) in [
            (10 * DAY, DAY, 8),
            (10 * DAY + 299, DAY, 8),
            (10 * DAY + 300, DAY, 9),
            (10 * DAY, u64::MAX, 0),
            (100, DAY, 0),
        ] {
            let at = Timestamp::from_secs(secs);
            assert_eq!(Forgetting { reached: at, time: at }.first_kept_day(window), day, "{secs} {window}");
        }
    }
}
