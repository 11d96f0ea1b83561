//! The stores, and short words for what they are asked.

use zi2_mail::{Domain, HostName, Timestamp};
use zi2_sig::{AttestationId, Kid, PublicKey};
use zi2_store::{Batch, Durability, Issued, MemoryStore, Remembered, Settings, SqliteStore, Store};
use zi2_trust::{Admission, Admitted, HistoryPolicy, KeyHistory, ReplayVerdict, Seen};

pub(crate) const DAY: u64 = 86_400;
pub(crate) const HOUR: u64 = 3600;

/// The day most tests play on.
pub(crate) const TODAY: u32 = 20_571;

pub(crate) fn small() -> Settings {
    Settings { policy: HistoryPolicy::default(), nonces_per_day: 4, history_rows: 40 }
}

/// Runs a test on a fresh store of each kind.
pub(crate) fn on_both(settings: Settings, test: impl Fn(&dyn Store)) {
    test(&MemoryStore::new(settings));
    let folder = tempfile::tempdir().unwrap();
    test(&SqliteStore::open(&folder.path().join("store.db"), Durability::Grouped, settings).unwrap());
}

pub(crate) fn at(day: u32) -> Timestamp {
    Timestamp::from_secs(u64::from(day) * DAY)
}

pub(crate) fn domain(name: &str) -> Domain {
    Domain::parse(name).unwrap()
}

pub(crate) fn key(number: u8) -> PublicKey {
    PublicKey::from_octets([number; 32])
}

pub(crate) fn id(number: u64) -> AttestationId {
    let mut octets = [0; 16];
    octets[8..].copy_from_slice(&number.to_be_bytes());
    AttestationId::from_octets(octets)
}

pub(crate) fn row(name: &str, number: u8, valid: u64, days: u32, first: u32, last: u32) -> KeyHistory {
    let (sid, kid) = (HostName::parse("mail.example.com").unwrap(), Kid::parse("zi2-cert-2026-04").unwrap());
    KeyHistory {
        domain: domain(name),
        key: key(number),
        sid,
        kid,
        valid,
        days,
        first_seen: at(first),
        last_seen: at(last),
    }
}

/// A row that is TRUSTED on its last day and some months after.
pub(crate) fn trusted(name: &str, number: u8, last: u32) -> KeyHistory {
    row(name, number, 9, 9, last - 30, last)
}

pub(crate) fn seen(name: &str, number: u8, when: Timestamp) -> Seen {
    let KeyHistory { domain, key, sid, kid, .. } = row(name, number, 1, 1, 0, 0);
    Seen { domain, key, sid, kid, at: when, siblings: Vec::new() }
}

pub(crate) fn admission(number: u64, day: u32, recipients: &[u64]) -> Admission {
    Admission { id: id(number), day, recipients: recipients.to_vec(), allowance: 2 }
}

pub(crate) fn admit(store: &dyn Store, admission: Admission) -> Admitted {
    let done = store.remember(&Batch { admissions: vec![admission], ..Batch::default() }).unwrap();
    assert_eq!(done.admitted.len(), 1);
    done.admitted[0]
}

pub(crate) fn verdict(store: &dyn Store, number: u64, day: u32, recipients: &[u64]) -> ReplayVerdict {
    admit(store, admission(number, day, recipients)).replay
}

pub(crate) fn issue(store: &dyn Store, number: u64, day: u32) -> Remembered {
    store.remember(&Batch { issued: vec![Issued { id: id(number), day }], ..Batch::default() }).unwrap()
}

pub(crate) fn see(store: &dyn Store, seen: Vec<Seen>) -> Remembered {
    store.remember(&Batch { seen, ..Batch::default() }).unwrap()
}

pub(crate) fn past(store: &dyn Store, name: &str) -> Vec<KeyHistory> {
    store.past(&[domain(name)]).unwrap().pop().unwrap()
}
