//! What one message may cost in look-ups (security.md R7).

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use zi2_sig::Trouble;

use crate::limits;

/// The look-ups and the time one message has left. No look-up can be made without one, and it cannot be refilled.
///
/// A look-up costs one, whether or not the cache knows the answer, and one more for each CNAME that took a question of its
/// own: so what is made of a message does not depend on what other messages asked before. Over budget is
/// [`Trouble::Timeout`]. Questions really sent are counted by [`crate::Resolver::questions`].
#[derive(Debug)]
pub struct Budget {
    total: u32,
    left: AtomicU32,
    deadline: Instant,
    /// Whose part this is: what is spent here is spent there too.
    whole: Option<Arc<Budget>>,
}

impl Budget {
    /// The budget of one message, its time starting now.
    #[must_use]
    pub fn of_message() -> Budget {
        Budget::new(limits::LOOK_UPS, limits::MESSAGE_TIME)
    }

    /// Another budget, its time starting now: for operators' commands and tests.
    #[must_use]
    pub fn new(look_ups: u32, time: Duration) -> Budget {
        Budget { total: look_ups, left: AtomicU32::new(look_ups), deadline: Instant::now() + time, whole: None }
    }

    /// A part of a message's budget: one question after another of a stranger's choosing must not leave nothing for the
    /// questions about whom the stranger pretends to be.
    #[must_use]
    pub fn part(whole: &Arc<Budget>, look_ups: u32) -> Budget {
        Budget {
            total: look_ups,
            left: AtomicU32::new(look_ups),
            deadline: whole.deadline,
            whole: Some(Arc::clone(whole)),
        }
    }

    /// What was spent.
    pub fn spent(&self) -> u32 {
        self.total.saturating_sub(self.left.load(Ordering::Relaxed))
    }

    /// When its time is over.
    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Pays for one look-up, or refuses it.
    pub(crate) fn spend(&self) -> Result<(), Trouble> {
        let in_time = Instant::now() < self.deadline;
        if !in_time || !self.take(|left| left.checked_sub(1)) {
            return Err(Trouble::Timeout);
        }
        self.whole.as_ref().map_or(Ok(()), |whole| whole.spend())
    }

    /// Pays for what a look-up turned out to cost beyond one. It may use up the budget, but the answer stands.
    pub(crate) fn settle(&self, more: u32) {
        self.take(|left| Some(left.saturating_sub(more)));
        if let Some(whole) = &self.whole {
            whole.settle(more);
        }
    }

    fn take(&self, next: impl Fn(u32) -> Option<u32>) -> bool {
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn ends_by_count_and_by_time() {
        let budget = Budget::new(2, Duration::from_secs(10));
        assert_eq!([budget.spend(), budget.spend(), budget.spend()], [Ok(()), Ok(()), Err(Trouble::Timeout)]);
        assert_eq!(budget.spent(), 2);

        let budget = Budget::of_message();
        assert!((0..limits::LOOK_UPS).all(|_| budget.spend().is_ok()));
        assert_eq!(budget.spend(), Err(Trouble::Timeout));

        let budget = Budget::of_message();
        budget.settle(3);
        assert_eq!(budget.spent(), 3);
        let moment = Duration::from_millis(1);
        tokio::time::advance(limits::MESSAGE_TIME - moment).await;
        assert_eq!(budget.spend(), Ok(()));
        tokio::time::advance(moment).await;
        assert_eq!(budget.spend(), Err(Trouble::Timeout));
        budget.settle(u32::MAX);
        assert_eq!(budget.spent(), limits::LOOK_UPS);
    }

    #[tokio::test(start_paused = true)]
    async fn a_part_ends_with_itself_and_with_the_whole() {
        let whole = Arc::new(Budget::new(3, Duration::from_secs(10)));
        let part = Budget::part(&whole, 2);
        assert_eq!([part.spend(), part.spend(), part.spend()], [Ok(()), Ok(()), Err(Trouble::Timeout)]);
        assert_eq!((whole.spent(), whole.spend()), (2, Ok(())));
        let part = Budget::part(&whole, 2);
        assert_eq!(part.spend(), Err(Trouble::Timeout), "the whole is spent");
    }
}
