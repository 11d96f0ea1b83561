//! The states of keys and the ways between them. No clock, no file, no DNS: what they know is told.

use zi2_mail::Timestamp;
use zi2_sig::Kid;

use super::survey::{Gap, Survey};
use crate::limits::{KEYS, QUEUE_LIFETIME_SECS, QUEUE_SLACK_SECS, RETIRE_WINDOW_SECS, SETTLE_MIN_SECS};

/// All keys that take part. At most one is active, and at most one on its way there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rotation {
    pub(super) entries: Vec<Entry>,
}

/// One key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Its identifier.
    pub kid: Kid,
    /// Where it is.
    pub stage: Stage,
    /// Since when.
    pub since: Timestamp,
    /// While published: that all servers have it, until caches know too.
    pub settling: Option<Settling>,
}

/// Every server had the record; what resolvers learnt before may still be in caches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settling {
    /// Since when all servers have had it.
    pub since: Timestamp,
    /// Seconds until no cache holds what was there before.
    pub secs: u64,
}

impl Settling {
    /// When caches know.
    #[must_use]
    pub fn until(self) -> Timestamp {
        self.since.add_secs(self.secs)
    }
}

/// Where a key is (zi2.md §12).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Stage {
    /// It lies on disk, and nobody knows of it.
    Next,
    /// Its records were handed out for publishing.
    Published,
    /// Every authoritative server of every hosted domain had them, and the old TTL passed.
    Proven,
    /// It signs.
    Active,
    /// It signed; mail on its way still needs its records.
    Retiring,
    /// Its records may go. It neither signs nor verifies here.
    Retired,
    /// Its records say `p=`, at once and for good.
    Revoked,
}

impl Stage {
    /// All of them, in the order of a key's life.
    pub const ALL: [Stage; 7] =
        [Stage::Next, Stage::Published, Stage::Proven, Stage::Active, Stage::Retiring, Stage::Retired, Stage::Revoked];

    /// Its word in files, tables and JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Stage::Next => "next",
            Stage::Published => "published",
            Stage::Proven => "proven",
            Stage::Active => "active",
            Stage::Retiring => "retiring",
            Stage::Retired => "retired",
            Stage::Revoked => "revoked",
        }
    }

    /// Whether the key is on its way to become active.
    pub(super) fn is_coming(self) -> bool {
        matches!(self, Stage::Next | Stage::Published | Stage::Proven)
    }

    /// Whether neither signer nor verifier here may hold it any longer.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Stage::Retired | Stage::Revoked)
    }
}

/// What the MTA's queue holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Queue {
    /// Nothing.
    Empty,
    /// Messages, the oldest of which came then.
    Oldest(Timestamp),
    /// The operator says that time alone is to decide.
    NotAsked,
}

/// What a survey meant for a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Proof {
    /// These servers do not have it.
    Missing(Vec<Gap>),
    /// All have it; caches will know then.
    Settling(Timestamp),
    /// It may become active.
    Proven,
}

/// Why a step was not taken. Nothing has changed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// No such key takes part.
    #[error("{0} takes no part in the rotation; `zi2-cert rotate status` lists the keys that do")]
    Unknown(Kid),
    /// A key of this identifier takes part already.
    #[error("{0} takes part already")]
    Known(Kid),
    /// There is no room for another.
    #[error("{} keys take part and none of them is retired; retire some first", KEYS)]
    Full,
    /// Another one is on its way.
    #[error("{0} is on its way already, and one key follows another; let it become active, or revoke it")]
    Busy(Kid),
    /// It is at another stage.
    #[error("{kid} is {}, and this step is for a key that is {}", is.word(), wanted.word())]
    Stage {
        /// The key.
        kid: Kid,
        /// Where it is.
        is: Stage,
        /// Where it would have to be.
        wanted: Stage,
    },
    /// Mail signed with it may still be judged.
    #[error("{kid} signed until {}, and mail it signed may be judged until {}", day(*since), day(*until))]
    Early {
        /// The key.
        kid: Kid,
        /// When another key took its place.
        since: Timestamp,
        /// From when on nobody needs it.
        until: Timestamp,
    },
    /// The MTA still holds mail that may be signed with it.
    #[error("the queue holds a message that came on {}, when {kid} may still have signed; deliver or delete it first (postqueue -p)", day(*oldest))]
    Queued {
        /// The key.
        kid: Kid,
        /// When the oldest message came.
        oldest: Timestamp,
    },
    /// A server does not have the records of a proven key any longer.
    #[error("{kid} was proven, but its records are not everywhere any longer; publish them again")]
    Lost {
        /// The key.
        kid: Kid,
        /// Where they are missing.
        gaps: Vec<Gap>,
    },
}

impl Rotation {
    /// The beginning, with the keys that are there and the one that signs: those before it retire, those after it are next.
    #[must_use]
    pub fn begin(kids: &[Kid], active: Option<Kid>, now: Timestamp) -> Rotation {
        let stage = |kid: Kid| match active {
            Some(active) if kid == active => Some(Stage::Active),
            Some(active) if kid < active => Some(Stage::Retiring),
            _ => None,
        };
        // Later keys wait to be staged: several may lie there, and one follows another.
        let entry = |kid: Kid| Some(Entry { kid, stage: stage(kid)?, since: now, settling: None });
        Rotation { entries: kids.iter().filter_map(|kid| entry(*kid)).collect() }
    }

    /// All keys, oldest first.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// One key.
    #[must_use]
    pub fn get(&self, kid: Kid) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.kid == kid)
    }

    /// The key that signs.
    #[must_use]
    pub fn active(&self) -> Option<Kid> {
        self.at(Stage::Active)
    }

    /// The key on its way.
    #[must_use]
    pub fn coming(&self) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.stage.is_coming())
    }

    /// Takes a key in. Refuses a second one on its way.
    pub fn stage(&mut self, kid: Kid, now: Timestamp) -> Result<(), Refusal> {
        if let Some(coming) = self.coming() {
            return Err(Refusal::Busy(coming.kid));
        }
        if self.get(kid).is_some() {
            return Err(Refusal::Known(kid));
        }
        if self.entries.len() >= KEYS {
            // What is retired needs no line for ever; what is revoked does.
            let oldest = self.entries.iter().position(|entry| entry.stage == Stage::Retired).ok_or(Refusal::Full)?;
            self.entries.remove(oldest);
        }
        self.entries.push(Entry { kid, stage: Stage::Next, since: now, settling: None });
        self.entries.sort_unstable_by_key(|entry| entry.kid);
        Ok(())
    }

    /// Its records were handed out.
    pub fn publish(&mut self, kid: Kid, now: Timestamp) -> Result<(), Refusal> {
        self.step(kid, Stage::Next, Stage::Published, now)
    }

    /// Judges a survey of a published key. A server that lacks the record starts the wait anew.
    pub fn prove(&mut self, kid: Kid, survey: &Survey, now: Timestamp) -> Result<Proof, Refusal> {
        let entry = self.expect(kid, Stage::Published)?;
        let gaps = survey.gaps();
        if !gaps.is_empty() {
            entry.settling = None;
            return Ok(Proof::Missing(gaps));
        }
        // § zi2.md 12: "the old TTL passed". The longest seen counts, also one seen before.
        let secs = survey.ttl_secs().max(SETTLE_MIN_SECS);
        let settling = entry.settling.get_or_insert(Settling { since: now, secs });
        settling.secs = settling.secs.max(secs);
        let until = settling.until();
        if now < until {
            return Ok(Proof::Settling(until));
        }
        *entry = Entry { kid, stage: Stage::Proven, since: now, settling: None };
        Ok(Proof::Proven)
    }

    /// Lets a proven key sign, if a last survey still finds it everywhere; the key before it retires in the same moment.
    pub fn activate(&mut self, kid: Kid, survey: &Survey, now: Timestamp) -> Result<(), Refusal> {
        let entry = self.expect(kid, Stage::Proven)?;
        let gaps = survey.gaps();
        if !gaps.is_empty() {
            *entry = Entry { kid, stage: Stage::Published, since: now, settling: None };
            return Err(Refusal::Lost { kid, gaps });
        }
        self.promote(kid, now);
        Ok(())
    }

    /// Lets a key go that signs no longer, once nobody can need it.
    pub fn retire(&mut self, kid: Kid, queue: Queue, now: Timestamp) -> Result<(), Refusal> {
        let since = self.expect(kid, Stage::Retiring)?.since;
        let until = retires_at(since);
        if now < until {
            return Err(Refusal::Early { kid, since, until });
        }
        // What waits in the queue may have come before the change was noticed.
        match queue {
            Queue::Oldest(oldest) if oldest <= since.add_secs(QUEUE_SLACK_SECS) => {
                return Err(Refusal::Queued { kid, oldest });
            }
            Queue::Empty | Queue::Oldest(_) | Queue::NotAsked => {}
        }
        self.step(kid, Stage::Retiring, Stage::Retired, now)
    }

    /// Ends a key at once. If it signed, the proven one takes its place; without one nothing is certified.
    pub fn revoke(&mut self, kid: Kid, now: Timestamp) -> Result<Option<Kid>, Refusal> {
        let was_active = self.active() == Some(kid);
        let entry = self.entry(kid)?;
        if entry.stage != Stage::Revoked {
            *entry = Entry { kid, stage: Stage::Revoked, since: now, settling: None };
        }
        let successor = self.at(Stage::Proven).filter(|_| was_active);
        if let Some(successor) = successor {
            self.promote(successor, now);
        }
        Ok(successor)
    }

    fn promote(&mut self, kid: Kid, now: Timestamp) {
        for entry in &mut self.entries {
            let stage = match entry.stage {
                _ if entry.kid == kid => Stage::Active,
                Stage::Active => Stage::Retiring,
                _ => continue,
            };
            *entry = Entry { kid: entry.kid, stage, since: now, settling: None };
        }
    }

    fn step(&mut self, kid: Kid, from: Stage, to: Stage, now: Timestamp) -> Result<(), Refusal> {
        *self.expect(kid, from)? = Entry { kid, stage: to, since: now, settling: None };
        Ok(())
    }

    fn at(&self, stage: Stage) -> Option<Kid> {
        self.entries.iter().find(|entry| entry.stage == stage).map(|entry| entry.kid)
    }

    fn entry(&mut self, kid: Kid) -> Result<&mut Entry, Refusal> {
        self.entries.iter_mut().find(|entry| entry.kid == kid).ok_or(Refusal::Unknown(kid))
    }

    fn expect(&mut self, kid: Kid, wanted: Stage) -> Result<&mut Entry, Refusal> {
        let entry = self.entry(kid)?;
        if entry.stage == wanted { Ok(entry) } else { Err(Refusal::Stage { kid, is: entry.stage, wanted }) }
    }
}

fn day(time: Timestamp) -> String {
    let (year, month, day) = time.date();
    format!("{year:04}-{month:02}-{day:02}")
}

/// § zi2.md 12: 24 h and the MTA's maximal queue lifetime after the last use.
pub(super) fn retires_at(since: Timestamp) -> Timestamp {
    since.add_secs(RETIRE_WINDOW_SECS + QUEUE_LIFETIME_SECS + QUEUE_SLACK_SECS)
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
