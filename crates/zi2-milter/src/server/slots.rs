//! What the accepting task knows of each connection: since when it is silent, and where to ask it to leave.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use tokio::sync::Notify;
use tokio::task::Id;
use tokio::time::Instant;

use crate::limits;

/// The connections, by task.
#[derive(Debug)]
pub(super) struct Slots {
    born: Instant,
    by_task: HashMap<Id, Arc<Slot>>,
}

/// One connection, shared with its task. No lock: each value stands alone.
#[derive(Debug)]
pub(super) struct Slot {
    born: Instant,
    phase: AtomicU8,
    /// Milliseconds after `born` when the phase began.
    since: AtomicU64,
    request: AtomicU8,
    wake: Notify,
}

/// What a connection is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Phase {
    /// Waits for the MTA between messages.
    Idle = 0,
    /// Waits for the MTA inside a message.
    InMessage = 1,
    /// Works.
    Busy = 2,
}

const STAY: u8 = 0;
const LEAVE_WHEN_IDLE: u8 = 1;
const LEAVE: u8 = 2;

impl Slots {
    pub(super) fn new() -> Slots {
        Slots { born: Instant::now(), by_task: HashMap::new() }
    }

    pub(super) fn new_slot(&self) -> Arc<Slot> {
        Arc::new(Slot::new(self.born))
    }

    pub(super) fn insert(&mut self, task: Id, slot: Arc<Slot>) {
        self.by_task.insert(task, slot);
    }

    pub(super) fn remove(&mut self, task: Id) {
        self.by_task.remove(&task);
    }

    /// Asks one connection to leave: the one longest idle between messages, else the one longest stalled in a message.
    pub(super) fn evict(&self) -> bool {
        let now = self.now();
        let staying = self.by_task.values().filter(|slot| slot.request.load(Ordering::Relaxed) == STAY);
        let candidate = staying.filter_map(|slot| Some((slot.rank(now)?, slot))).min_by_key(|(rank, _)| *rank);
        let Some(((phase, _), slot)) = candidate else { return false };
        slot.ask(if phase == Phase::Idle as u8 { LEAVE_WHEN_IDLE } else { LEAVE });
        true
    }

    /// Asks all connections to leave once they are between messages.
    pub(super) fn close_idle(&self) {
        self.by_task.values().for_each(|slot| slot.ask(LEAVE_WHEN_IDLE));
    }

    fn now(&self) -> u64 {
        millis(self.born, Instant::now())
    }
}

impl Slot {
    pub(super) fn new(born: Instant) -> Slot {
        Slot {
            born,
            phase: AtomicU8::new(Phase::Idle as u8),
            since: AtomicU64::new(millis(born, Instant::now())),
            request: AtomicU8::new(STAY),
            wake: Notify::new(),
        }
    }

    /// Says what the connection does from now on.
    pub(super) fn enter(&self, phase: Phase, now: Instant) {
        self.phase.store(phase as u8, Ordering::Relaxed);
        self.since.store(millis(self.born, now), Ordering::Relaxed);
    }

    /// Whether the connection must leave now.
    pub(super) fn must_leave(&self, phase: Phase) -> bool {
        match self.request.load(Ordering::Acquire) {
            STAY => false,
            LEAVE_WHEN_IDLE => phase == Phase::Idle,
            _ => true,
        }
    }

    /// Ready when the connection was asked something.
    pub(super) async fn asked(&self) {
        self.wake.notified().await;
    }

    fn ask(&self, request: u8) {
        self.request.fetch_max(request, Ordering::Release);
        self.wake.notify_one();
    }

    /// Lower goes first; none stays.
    fn rank(&self, now: u64) -> Option<(u8, u64)> {
        let (phase, since) = (self.phase.load(Ordering::Relaxed), self.since.load(Ordering::Relaxed));
        let stalled = u64::try_from(limits::STALLED_TIME.as_millis()).unwrap_or(u64::MAX);
        let may_go =
            phase == Phase::Idle as u8 || (phase == Phase::InMessage as u8 && now.saturating_sub(since) >= stalled);
        may_go.then_some((phase, since))
    }
}

fn millis(from: Instant, to: Instant) -> u64 {
    u64::try_from(to.saturating_duration_since(from).as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn the_longest_idle_goes_then_the_stalled_then_nobody() {
        let mut slots = Slots::new();
        let mut add = |phase, age: u64| {
            let slot = slots.new_slot();
            slot.enter(phase, slots.born + Duration::from_secs(100 - age));
            slots.insert(tokio::spawn(async {}).id(), Arc::clone(&slot));
            slot
        };
        let (young, old) = (add(Phase::Idle, 5), add(Phase::Idle, 50));
        let (stalled, active, busy) = (add(Phase::InMessage, 40), add(Phase::InMessage, 1), add(Phase::Busy, 90));
        tokio::time::advance(Duration::from_secs(100)).await;
        for expected in [&old, &young, &stalled] {
            assert!(!expected.must_leave(Phase::Idle));
            assert!(slots.evict());
            assert!(expected.must_leave(Phase::Idle));
        }
        assert!(!slots.evict());
        assert!(!old.must_leave(Phase::InMessage), "it began a message in time");
        assert!(stalled.must_leave(Phase::InMessage));
        assert!(!active.must_leave(Phase::Idle) && !busy.must_leave(Phase::Idle));
    }

    #[tokio::test(start_paused = true)]
    async fn silence_inside_a_message_has_its_time() {
        let mut slots = Slots::new();
        let slot = slots.new_slot();
        slot.enter(Phase::InMessage, slots.born);
        slots.insert(tokio::spawn(async {}).id(), slot);
        let moment = Duration::from_millis(1);
        tokio::time::advance(limits::STALLED_TIME - moment).await;
        assert!(!slots.evict());
        tokio::time::advance(moment).await;
        assert!(slots.evict());
    }
}
