//! Time and randomness, as the messages see them: arguments, so that tests bring their own.

use std::time::{SystemTime, UNIX_EPOCH};

use rustix::rand::{GetRandomFlags, getrandom};
use zi2_mail::Timestamp;

/// Where a message gets the time and its nonce from.
pub struct Clock {
    now: Box<dyn Fn() -> Timestamp + Send + Sync>,
    random: Box<dyn Fn() -> Option<[u8; 16]> + Send + Sync>,
}

impl Clock {
    /// The system's.
    pub fn system() -> Clock {
        Clock::new(system_time, system_random)
    }

    /// These.
    pub fn new(
        now: impl Fn() -> Timestamp + Send + Sync + 'static,
        random: impl Fn() -> Option<[u8; 16]> + Send + Sync + 'static,
    ) -> Clock {
        Clock { now: Box::new(now), random: Box::new(random) }
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// Sixteen octets that nobody can foresee, or nothing when the system has none.
    pub fn random(&self) -> Option<[u8; 16]> {
        (self.random)()
    }

    /// Thirty-two of them.
    pub fn random_key(&self) -> Option<[u8; 32]> {
        let (first, second) = (self.random()?, self.random()?);
        let mut key = [0; 32];
        key.iter_mut().zip(first.into_iter().chain(second)).for_each(|(to, from)| *to = from);
        Some(key)
    }
}

fn system_time() -> Timestamp {
    Timestamp::from_secs(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
}

fn system_random() -> Option<[u8; 16]> {
    let mut octets = [0; 16];
    (getrandom(octets.as_mut_slice(), GetRandomFlags::empty()) == Ok(16)).then_some(octets)
}
