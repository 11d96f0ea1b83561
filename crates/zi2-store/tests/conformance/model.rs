//! A store as somebody would write it who has all the time and memory in the world: flat lists, rules in plain words.

use zi2_mail::{Domain, Timestamp};
use zi2_store::{Imported, Settings, limits};
use zi2_trust::{
    Admission, Admitted, KeyHistory, ReplayVerdict, Seen, Standing, advance, limits::KEYS_PER_DOMAIN, standing,
};

use zi2_sig::AttestationId;

pub(crate) struct Model {
    settings: Settings,
    pub(crate) rows: Vec<KeyHistory>,
    pub(crate) arrived: Vec<(u32, AttestationId, Vec<u64>)>,
    issued: Vec<(u32, AttestationId)>,
    claimed: Vec<(u32, AttestationId)>,
    forgotten: Vec<u32>,
    clock: Option<u64>,
}

impl Model {
    pub(crate) fn new(settings: Settings) -> Model {
        let (rows, arrived, issued) = (Vec::new(), Vec::new(), Vec::new());
        Model { settings, rows, arrived, issued, claimed: Vec::new(), forgotten: Vec::new(), clock: None }
    }

    /// Whether it was refused.
    pub(crate) fn issue(&mut self, day: u32, id: AttestationId) -> bool {
        let known =
            self.issued.contains(&(day, id)) || self.arrived.iter().any(|entry| (entry.0, entry.1) == (day, id));
        let full = self.issued.iter().filter(|entry| entry.0 == day).count() as u64 >= self.settings.nonces_per_day;
        let refused = self.forgotten.contains(&day) || (!known && full);
        if !refused && !known {
            self.issued.push((day, id));
        }
        refused
    }

    pub(crate) fn admit(&mut self, admission: &Admission) -> Admitted {
        let (day, id) = (admission.day, admission.id);
        if self.forgotten.contains(&day) {
            return Admitted { replay: ReplayVerdict::Unknown, issued: false };
        }
        let issued = self.issued.contains(&(day, id)) && !self.claimed.contains(&(day, id));
        if issued {
            self.claimed.push((day, id));
        }
        let held = self.arrived.iter().filter(|entry| entry.0 == day).count() as u64;
        let replay = match self.arrived.iter_mut().find(|entry| (entry.0, entry.1) == (day, id)) {
            None if held >= self.settings.nonces_per_day => ReplayVerdict::Unknown,
            None => {
                let (verdict, set) = admission.decide(None);
                self.arrived.push((day, id, set));
                verdict
            }
            Some(entry) => {
                let (verdict, set) = admission.decide(Some(&entry.2));
                entry.2 = set;
                verdict
            }
        };
        Admitted { replay, issued }
    }

    /// Newest first.
    pub(crate) fn past(&self, domain: &Domain) -> Vec<KeyHistory> {
        let mut rows: Vec<_> = self.rows.iter().filter(|row| row.domain == *domain).cloned().collect();
        rows.sort_by_key(|row| (std::cmp::Reverse(row.last_seen), row.key));
        rows
    }

    /// Whether it was refused.
    pub(crate) fn see(&mut self, seen: &Seen) -> bool {
        let row = advance(&self.past(&seen.domain), seen, &self.settings.policy);
        let is_new = !self.rows.iter().any(|old| same(old, &row));
        if is_new && row.valid == 1 && self.rows.len() as u64 >= self.ceiling() {
            return true;
        }
        let own = row.key;
        self.rows.retain(|old| !same(old, &row));
        self.rows.push(row);
        self.crowd_out(&seen.domain, seen.at, |row| row.key != own);
        false
    }

    pub(crate) fn import(&mut self, new: &KeyHistory) -> Imported {
        let mut done = Imported::default();
        if let Some(old) = self.rows.iter_mut().find(|old| same(old, new)) {
            if new.last_seen > old.last_seen {
                (old.last_seen, old.sid, old.kid) = (new.last_seen, new.sid.clone(), new.kid);
            }
            old.first_seen = old.first_seen.min(new.first_seen);
            (old.valid, old.days) = (old.valid.max(new.valid), old.days.max(new.days));
            done.merged = 1;
        } else if self.rows.len() as u64 >= self.ceiling() {
            done.refused = 1;
        } else {
            self.rows.push(new.clone());
            let latest = self.past(&new.domain)[0].last_seen;
            match self.crowd_out(&new.domain, latest, |_| true) {
                Some(left) if same(&left, new) => done.refused = 1,
                left => (done.added, done.evicted) = (1, u64::from(left.is_some())),
            }
        }
        done
    }

    pub(crate) fn forget(&mut self, domain: &Domain) -> u64 {
        let before = self.rows.len();
        self.rows.retain(|row| row.domain != *domain);
        (before - self.rows.len()) as u64
    }

    /// Days forgotten and rows evicted.
    pub(crate) fn tidy(&mut self, now: Timestamp, window: u64) -> (u64, u64) {
        let time = match self.clock {
            None => 0,
            Some(clock) => now.secs().min(clock + limits::CLOCK_STEP_SECS),
        };
        self.clock = Some(self.clock.map_or(now.secs(), |clock| clock.max(time)));
        let mut days: Vec<u32> =
            self.arrived.iter().map(|entry| entry.0).chain(self.issued.iter().map(|entry| entry.0)).collect();
        days.sort_unstable();
        days.dedup();
        days.retain(|day| (u64::from(*day) + 1) * 86_400 + window + 300 <= time);
        self.arrived.retain(|entry| !days.contains(&entry.0));
        self.issued.retain(|entry| !days.contains(&entry.0));
        self.forgotten.extend(&days);
        let before = self.rows.len();
        let now = Timestamp::from_secs(time);
        while self.rows.len() as u64 > self.settings.history_rows {
            let place = |row: &KeyHistory| (standing(row, &self.settings.policy, now), row.days, row.last_seen);
            let candidates = self.rows.iter().filter(|row| place(row).0 != Standing::Trusted);
            let Some(least) = candidates.min_by_key(|row| (place(row), row.domain.clone(), row.key)).cloned() else {
                break;
            };
            self.rows.retain(|row| !same(row, &least));
        }
        (days.len() as u64, (before - self.rows.len()) as u64)
    }

    /// Takes the least of a domain's rows that may go, if there is one too many.
    fn crowd_out(
        &mut self,
        domain: &Domain,
        now: Timestamp,
        may_go: impl Fn(&KeyHistory) -> bool,
    ) -> Option<KeyHistory> {
        let rows = self.past(domain);
        if rows.len() <= KEYS_PER_DOMAIN {
            return None;
        }
        let place = |row: &&KeyHistory| (standing(row, &self.settings.policy, now), row.last_seen, row.key);
        let least = rows.iter().filter(|row| may_go(row)).min_by_key(place).cloned()?;
        self.rows.retain(|row| !same(row, &least));
        Some(least)
    }

    fn ceiling(&self) -> u64 {
        self.settings.history_rows / 4 * 5
    }
}

fn same(a: &KeyHistory, b: &KeyHistory) -> bool {
    (&a.domain, a.key) == (&b.domain, b.key)
}
