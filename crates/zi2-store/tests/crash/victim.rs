//! The program that dies: does a known sequence and says what it has done.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use zi2_mail::{Domain, HostName, Timestamp};
use zi2_sig::{AttestationId, Kid, PublicKey};
use zi2_store::{Batch, Durability, Issued, Settings, SqliteStore, Store, StoreError};
use zi2_trust::{Admission, ReplayVerdict, Seen};

/// Where it finds the store; set: we are the victim.
pub(crate) const PATH: &str = "ZI2_STORE_VICTIM";
pub(crate) const DURABILITY: &str = "ZI2_STORE_DURABILITY";
pub(crate) const ENDLESS: &str = "ZI2_STORE_ENDLESS";

/// Deeds of a whole life.
pub(crate) const DEEDS: usize = 36;

/// The deeds after which the store is tidied.
pub(crate) const TIDY_EVERY: usize = 9;

/// One day has this many deeds. Tidying forgets the first day in the second half of a life.
const DEEDS_PER_DAY: usize = 12;

const FIRST_DAY: u32 = 20_571;

/// Tries after an error. One is enough for an error that happens once.
const TRIES: usize = 3;

pub(crate) fn run(path: &Path) -> ExitCode {
    let store = match open(path) {
        Ok(store) => store,
        Err(error) => return give_up(&error),
    };
    let deeds = if std::env::var_os(ENDLESS).is_some() { usize::MAX } else { DEEDS };
    for number in 0..deeds {
        if let Err(error) = again(|| do_deed(&store, number)) {
            return give_up(&error);
        }
        say("done", &number);
    }
    ExitCode::SUCCESS
}

/// The store as victim and witness open it.
pub(crate) fn open(path: &Path) -> Result<SqliteStore, StoreError> {
    let synced = std::env::var(DURABILITY).is_ok_and(|word| word == "synced");
    let durability = if synced { Durability::Synced } else { Durability::Grouped };
    again(|| SqliteStore::open(path, durability, Settings::disk()))
}

fn do_deed(store: &SqliteStore, number: usize) -> Result<(), StoreError> {
    let done = store.remember(&deed(number))?;
    // What failed before was not remembered by halves: this is the first time, and the claim is still there.
    let replays: Vec<_> = done.admitted.iter().map(|admitted| admitted.replay).collect();
    assert!(replays.iter().all(|replay| *replay == ReplayVerdict::Fresh), "deed {number}: {replays:?}");
    assert_eq!(done.admitted.get(1).map(|admitted| admitted.issued), (number > 0).then_some(true), "deed {number}");
    if number % TIDY_EVERY == TIDY_EVERY - 1 {
        again(|| store.tidy(clock(number / TIDY_EVERY), 0))?;
    }
    Ok(())
}

/// Issues one nonce, admits another, claims the one issued before, and sees a domain of its own and one of all.
pub(crate) fn deed(number: usize) -> Batch {
    let admissions = [Some(arrived(number, 1)), number.checked_sub(1).map(claim)];
    Batch {
        issued: vec![Issued { id: id(1, number), day: day(number) }],
        admissions: admissions.into_iter().flatten().collect(),
        seen: vec![seen(&own_domain(number), number), seen("all.example", number)],
    }
}

pub(crate) fn arrived(number: usize, recipient: u64) -> Admission {
    Admission { id: id(0, number), day: day(number), recipients: vec![recipient], allowance: 1 }
}

pub(crate) fn claim(number: usize) -> Admission {
    // An admission of the next deed, though of the issuing day.
    Admission { id: id(1, number), day: day(number), recipients: vec![1], allowance: 1 }
}

pub(crate) fn own_domain(number: usize) -> String {
    format!("d{number}.example")
}

pub(crate) fn day(number: usize) -> u32 {
    FIRST_DAY + u32::try_from((number / DEEDS_PER_DAY).min(2)).unwrap()
}

/// The clock of a tidying, counted from 0: the third of them forgets the first day, and none the second.
fn clock(tidying: usize) -> Timestamp {
    let hours = 18 + 6 * u64::try_from(tidying).unwrap().min(4);
    Timestamp::from_secs(u64::from(FIRST_DAY) * 86_400).add_secs(hours * 3600)
}

/// Whether a day is forgotten after so many deeds.
pub(crate) fn is_forgotten(of: u32, deeds: usize) -> bool {
    (deeds / TIDY_EVERY).checked_sub(1).is_some_and(|last| clock(last).sub_secs(300).day() > of)
}

fn id(kind: u8, number: usize) -> AttestationId {
    let mut octets = [kind; 16];
    // Spread over the tree, as hashes are.
    let spread = u64::try_from(number).unwrap().wrapping_mul(0x9E37_79B9_7F4A_7C15);
    octets[..8].copy_from_slice(&spread.to_be_bytes());
    AttestationId::from_octets(octets)
}

fn seen(domain: &str, number: usize) -> Seen {
    Seen {
        domain: Domain::parse(domain).unwrap(),
        key: PublicKey::from_octets([1; 32]),
        sid: HostName::parse("mail.example.com").unwrap(),
        kid: Kid::parse("zi2-cert-2026-04").unwrap(),
        at: Timestamp::from_secs(u64::from(day(number)) * 86_400),
        siblings: Vec::new(),
    }
}

fn again<T>(mut work: impl FnMut() -> Result<T, StoreError>) -> Result<T, StoreError> {
    let mut tries = 1;
    loop {
        match work() {
            Err(error) if tries < TRIES => {
                say("error", &error);
                tries += 1;
            }
            other => return other,
        }
    }
}

fn give_up(error: &StoreError) -> ExitCode {
    say("error", error);
    ExitCode::FAILURE
}

/// One write, so that a line is there whole or not at all. Nobody to hear it is no reason to stop.
fn say(word: &str, what: &dyn std::fmt::Display) {
    let line = format!("{word} {what}\n");
    let _ = std::io::stdout().write_all(line.as_bytes());
}
