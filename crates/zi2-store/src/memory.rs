//! The store that forgets everything at exit: for tests, and for `backend = "memory"`.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use zi2_mail::{Domain, Timestamp};
use zi2_sig::{AttestationId, PublicKey};
use zi2_trust::{Admission, Admitted, KeyHistory, Seen, limits::KEYS_PER_DOMAIN};

use crate::clock::Forgetting;
use crate::history::{self, Change, Was};
use crate::replay::{self, Entry, Fill, Issuing};
use crate::{Batch, Imported, Issued, Page, Remembered, Settings, Store, StoreError, Tidied, limits};

/// A store in memory. Refuses nothing a store on disk takes, within its smaller bounds, and fails never.
pub struct MemoryStore {
    settings: Settings,
    state: Mutex<State>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new(settings: Settings) -> MemoryStore {
        MemoryStore { settings, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in this module panics while it holds the lock; a poisoned one is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn past(&self, domains: &[Domain]) -> Result<Vec<Vec<KeyHistory>>, StoreError> {
        let state = self.state();
        Ok(domains.iter().map(|domain| state.newest_first(domain)).collect())
    }

    fn remember(&self, batch: &Batch) -> Result<Remembered, StoreError> {
        let mut state = self.state();
        let mut done = Remembered::default();
        for issued in &batch.issued {
            done.issued_refused += u64::from(!state.issue(issued, &self.settings));
        }
        done.admitted = batch.admissions.iter().map(|admission| state.admit(admission, &self.settings)).collect();
        for seen in &batch.seen {
            state.see(seen, &self.settings, &mut done);
        }
        Ok(done)
    }

    fn list(&self, page: &Page) -> Result<Vec<KeyHistory>, StoreError> {
        let state = self.state();
        let from = page.after.as_ref();
        let behind = |row: &&KeyHistory| from.is_none_or(|(domain, key)| (&row.domain, &row.key) > (domain, key));
        let rows: Box<dyn Iterator<Item = &KeyHistory>> = match (&page.domain, from) {
            (Some(domain), _) => Box::new(state.rows.get(domain).into_iter().flat_map(BTreeMap::values)),
            (None, Some((domain, _))) => {
                Box::new(state.rows.range(domain.clone()..).flat_map(|(_, keys)| keys.values()))
            }
            (None, None) => Box::new(state.rows.values().flat_map(BTreeMap::values)),
        };
        Ok(rows.filter(behind).take(page.limit()).cloned().collect())
    }

    fn forget(&self, domains: &[Domain]) -> Result<u64, StoreError> {
        let mut state = self.state();
        let before = state.held;
        for domain in domains {
            state.held -= state.rows.remove(domain).map_or(0, |keys| count(keys.len()));
        }
        Ok(before - state.held)
    }

    fn import(&self, rows: &[KeyHistory]) -> Result<Imported, StoreError> {
        for row in rows {
            history::check(row).map_err(|fault| StoreError::Refused { domain: row.domain.clone(), fault })?;
        }
        let mut state = self.state();
        let mut done = Imported::default();
        for row in rows {
            let change = history::import(&state.newest_first(&row.domain), row, &self.settings, state.held);
            match state.apply(&row.domain, change) {
                None => done.refused += 1,
                Some((Was::New, evicted)) => (done.added, done.evicted) = (done.added + 1, done.evicted + evicted),
                Some((Was::Known, evicted)) => (done.merged, done.evicted) = (done.merged + 1, done.evicted + evicted),
            }
        }
        Ok(done)
    }

    fn tidy(&self, now: Timestamp, window: u64) -> Result<Tidied, StoreError> {
        let mut state = self.state();
        let step = Forgetting::step(state.clock, now);
        state.clock = Some(step.reached);
        let mut done = Tidied { clock_ahead: now.secs().saturating_sub(step.time.secs()), ..Tidied::default() };
        state.forget_days(step.first_kept_day(window), &mut done);
        done.rows_evicted = state.evict(&self.settings, step.time);
        for day in state.days.values() {
            if let Day::Open(fill, _) = day {
                (done.nonces, done.issued) = (done.nonces + fill.nonces, done.issued + fill.issued);
            }
        }
        done.rows = state.held;
        Ok(done)
    }
}

#[derive(Default)]
struct State {
    rows: BTreeMap<Domain, BTreeMap<PublicKey, KeyHistory>>,
    held: u64,
    days: BTreeMap<u32, Day>,
    clock: Option<Timestamp>,
}

/// What is known of the attestations of one UTC day.
enum Day {
    Open(Fill, HashMap<AttestationId, Entry>),
    /// It had some. Whoever asks is told `Unknown`, not `Fresh`.
    Forgotten,
}

impl State {
    fn open(&mut self, day: u32) -> Option<(&mut Fill, &mut HashMap<AttestationId, Entry>)> {
        if !self.days.contains_key(&day) {
            let open = self.days.values().filter(|day| matches!(day, Day::Open(..))).count();
            if open >= limits::OPEN_DAYS {
                return None;
            }
            self.days.insert(day, Day::Open(Fill::default(), HashMap::new()));
        }
        match self.days.get_mut(&day) {
            Some(Day::Open(fill, entries)) => Some((fill, entries)),
            Some(Day::Forgotten) | None => None,
        }
    }

    fn issue(&mut self, issued: &Issued, settings: &Settings) -> bool {
        let Some((fill, entries)) = self.open(issued.day) else { return false };
        match replay::issue(entries.get(&issued.id).cloned(), fill, settings.nonces_per_day) {
            Issuing::New(entry) => entries.insert(issued.id, entry).is_none(),
            Issuing::Known => true,
            Issuing::Full => false,
        }
    }

    fn admit(&mut self, admission: &Admission, settings: &Settings) -> Admitted {
        let Some((fill, entries)) = self.open(admission.day) else { return replay::UNKNOWN };
        let before = entries.get(&admission.id).cloned();
        let (answer, keep) = replay::admit(admission, before, fill, settings.nonces_per_day);
        if let Some(entry) = keep {
            entries.insert(admission.id, entry);
        }
        answer
    }

    fn see(&mut self, seen: &Seen, settings: &Settings, done: &mut Remembered) {
        let change = history::remember(&self.newest_first(&seen.domain), seen, settings, self.held);
        match self.apply(&seen.domain, change) {
            None => done.rows_refused += 1,
            Some((_, evicted)) => done.rows_evicted += evicted,
        }
    }

    fn apply(&mut self, domain: &Domain, change: Change) -> Option<(Was, u64)> {
        let Change::Put(row, was, evicted) = change else { return None };
        let keys = self.rows.entry(domain.clone()).or_default();
        keys.insert(row.key, row);
        evicted.iter().for_each(|key| drop(keys.remove(key)));
        self.held = (self.held + u64::from(was == Was::New)).saturating_sub(count(evicted.len()));
        Some((was, count(evicted.len())))
    }

    fn newest_first(&self, domain: &Domain) -> Vec<KeyHistory> {
        let mut rows: Vec<KeyHistory> = self.rows.get(domain).into_iter().flat_map(BTreeMap::values).cloned().collect();
        rows.sort_by(|a, b| b.last_seen.cmp(&a.last_seen).then(a.key.cmp(&b.key)));
        rows.truncate(KEYS_PER_DOMAIN);
        rows
    }

    fn forget_days(&mut self, first_kept: u32, done: &mut Tidied) {
        for (_, day) in self.days.range_mut(..first_kept) {
            if let Day::Open(fill, _) = day {
                done.days_forgotten += 1;
                done.nonces_forgotten += fill.nonces;
                *day = Day::Forgotten;
            }
        }
    }

    fn evict(&mut self, settings: &Settings, now: Timestamp) -> u64 {
        let surplus = usize::try_from(self.held.saturating_sub(settings.history_rows)).unwrap_or(usize::MAX);
        let rows = self.rows.values().flat_map(BTreeMap::values);
        let ranked = rows.filter_map(|row| history::eviction_rank(row, &settings.policy, now).map(|rank| (rank, row)));
        let mut ranked: Vec<_> = if surplus == 0 { Vec::new() } else { ranked.collect() };
        ranked.sort_by_key(|(rank, row)| (*rank, &row.domain, row.key));
        let leaving: Vec<_> = ranked.into_iter().take(surplus).map(|(_, row)| (row.domain.clone(), row.key)).collect();
        for (domain, key) in &leaving {
            if let Some(keys) = self.rows.get_mut(domain) {
                keys.remove(key);
            }
        }
        self.rows.retain(|_, keys| !keys.is_empty());
        self.held -= count(leaving.len());
        count(leaving.len())
    }
}

fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
