//! Which step is due, and when the others will be.

use zi2_mail::Timestamp;
use zi2_sig::Kid;

use super::state::{Rotation, Stage, retires_at};
use crate::limits::LEAD_SECS;

/// What can be done for a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Make it.
    Stage,
    /// Hand out its records.
    Publish,
    /// Ask every server for them.
    Prove,
    /// Let it sign.
    Activate,
    /// Let it go.
    Retire,
}

impl Step {
    /// The verb of the command that does it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Step::Stage => "stage",
            Step::Publish => "publish",
            Step::Prove => "prove",
            Step::Activate => "activate",
            Step::Retire => "retire",
        }
    }
}

/// A step of one key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Task {
    /// What.
    pub step: Step,
    /// Of which key.
    pub kid: Kid,
    /// Not before.
    pub at: Timestamp,
}

impl Rotation {
    /// The next step of every key that has one, the most urgent first. A time that has passed means: due.
    #[must_use]
    pub fn plan(&self, now: Timestamp) -> Vec<Task> {
        let mut tasks: Vec<Task> = self.coming_task(now).into_iter().collect();
        let retiring = self.entries.iter().filter(|entry| entry.stage == Stage::Retiring);
        tasks.extend(retiring.map(|entry| Task { step: Step::Retire, kid: entry.kid, at: retires_at(entry.since) }));
        tasks
    }

    /// The identifier of the key after all that take part: this month's, or the month after the newest. A month has one key
    /// (zi2.md §1), so after a revocation the next one comes before its month.
    #[must_use]
    pub fn successor(&self, now: Timestamp) -> Option<Kid> {
        let (year, month) = self.entries.iter().map(|entry| following(entry.kid)).fold(now.month(), Ord::max);
        Kid::of_month(year, month).ok()
    }

    fn coming_task(&self, now: Timestamp) -> Option<Task> {
        let Some(entry) = self.coming() else {
            let kid = self.successor(now)?;
            // Without a key that signs there is nothing to wait for.
            let at = if self.active().is_none() { now } else { first_day(kid, now).sub_secs(LEAD_SECS) };
            return Some(Task { step: Step::Stage, kid, at });
        };
        let (step, at) = match entry.stage {
            Stage::Next => (Step::Publish, entry.since),
            Stage::Proven if self.active().is_none() => (Step::Activate, entry.since),
            Stage::Proven => (Step::Activate, first_day(entry.kid, now)),
            _ => (Step::Prove, entry.settling.map_or(entry.since, super::Settling::until)),
        };
        Some(Task { step, kid: entry.kid, at })
    }
}

fn following(kid: Kid) -> (u16, u8) {
    match kid.month() {
        (year, 12) => (year.saturating_add(1), 1),
        (year, month) => (year, month.saturating_add(1)),
    }
}

fn first_day(kid: Kid, now: Timestamp) -> Timestamp {
    let (year, month) = kid.month();
    Timestamp::of_month(year, month).unwrap_or(now)
}
