//! Answers kept for a while, and one flight for all who ask the same at the same time.

use std::sync::Arc;

use tokio::time::Instant;

use super::answer::{Answer, Kept, Kind, Question};
use crate::limits;

/// A bounded cache of answers. What it holds is never replaced while it is valid, so a failure cannot displace an answer.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    entries: moka::future::Cache<Question, Entry>,
}

/// Times are tokio's, which tests can stop; the cache's own expiry only frees memory.
#[derive(Clone, Debug)]
struct Entry {
    kept: Arc<Kept>,
    expires: Instant,
}

impl Entry {
    fn new(answer: Answer) -> Entry {
        Entry { expires: Instant::now() + answer.kept(), kept: Arc::new(Kept::new(answer)) }
    }

    fn is_over(&self) -> bool {
        self.expires <= Instant::now()
    }
}

impl Cache {
    pub(crate) fn new() -> Cache {
        let entries = moka::future::Cache::builder()
            .max_capacity(limits::CACHE_UNITS)
            .weigher(|question: &Question, entry: &Entry| {
                u32::try_from(1 + entry.kept.answer.octets(question) / limits::CACHE_UNIT).unwrap_or(u32::MAX)
            })
            .time_to_live(limits::POSITIVE_MAX)
            .build();
        Cache { entries }
    }

    /// The valid answer, if there is one.
    pub(crate) async fn get(&self, question: &Question) -> Option<Arc<Kept>> {
        self.entries.get(question).await.filter(|entry| !entry.is_over()).map(|entry| entry.kept)
    }

    /// The valid answer, or the one `ask` gives. While it runs, all others who ask the same wait for it.
    pub(crate) async fn get_or(&self, question: Question, ask: impl Future<Output = Answer>) -> Arc<Kept> {
        let fresh = async { Entry::new(ask.await) };
        let entry = self.entries.entry(question).or_insert_with_if(fresh, |old| old.is_over()).await;
        entry.into_value().kept
    }

    /// Drops what is known of a name. A flight under way is not recalled.
    pub(crate) async fn forget(&self, name: &str) {
        for kind in Kind::ALL {
            self.entries.invalidate(&Question { name: name.into(), kind }).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use zi2_mail::Domain;
    use zi2_sig::Trouble;
    use zi2_trust::Dnssec;

    use super::super::answer::{Data, Found, Presence};
    use super::*;

    fn question(domain: &str) -> Question {
        Question { name: format!("_zi2cert.{}", Domain::parse(domain).unwrap()).into(), kind: Kind::Txt }
    }

    fn answer(text: &str, ttl: u64) -> Answer {
        let presence = if text.is_empty() { Presence::NoName } else { Presence::Present };
        let found = Found { presence, data: Data::Texts(vec![text.into()]), dnssec: Dnssec::Insecure };
        Answer { found: Ok(found), ttl: Duration::from_secs(ttl), questions: 1 }
    }

    #[tokio::test(start_paused = true)]
    async fn each_answer_has_its_time() {
        let cache = Cache::new();
        for (first, secs) in [
            (answer("a", 0), 60),
            (answer("a", 3600), 3600),
            (answer("a", 1 << 30), 86_400),
            (answer("", 3600), 300),
            (Answer::trouble(Trouble::ServFail, 1), 30),
        ] {
            let q = question("example.com");
            cache.forget(&q.name).await;
            assert_eq!(cache.get_or(q.clone(), async { first.clone() }).await.answer, first);
            tokio::time::advance(Duration::from_secs(secs - 1)).await;
            // neither a failure nor a newer answer replaces it
            let later = cache.get_or(q.clone(), async { Answer::trouble(Trouble::Bogus, 1) }).await;
            assert_eq!(later.answer, first);
            tokio::time::advance(Duration::from_secs(1)).await;
            assert!(cache.get(&q).await.is_none());
            assert_eq!(cache.get_or(q, async { answer("b", 60) }).await.answer, answer("b", 60));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_flight_for_all() {
        let (cache, asked) = (Cache::new(), Arc::new(AtomicU32::new(0)));
        let flights = (0..100).map(|_| {
            let (cache, asked) = (cache.clone(), Arc::clone(&asked));
            tokio::spawn(async move {
                let ask = async {
                    asked.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    answer("a", 60)
                };
                cache.get_or(question("example.com"), ask).await
            })
        });
        for flight in flights.collect::<Vec<_>>() {
            assert_eq!(flight.await.unwrap().answer, answer("a", 60));
        }
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }

    /// A key is parsed once for all who ask while the answer holds, and again when there is a new one.
    #[tokio::test(start_paused = true)]
    async fn keys_are_parsed_once() {
        let (cache, q) = (Cache::new(), Question { name: "s1._domainkey.example.com".into(), kind: Kind::Txt });
        let record = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
        let keys = async || cache.get_or(q.clone(), async { answer(record, 60) }).await.keys().unwrap();
        let (first, second) = (keys().await, keys().await);
        assert_eq!(first.iter().filter(|record| record.is_ok()).count(), 1);
        let is_same =
            |other: &zi2_sig::dkim::DkimRecords| first.iter().zip(other.iter()).all(|(a, b)| std::ptr::eq(a, b));
        assert!(is_same(&second));
        tokio::time::advance(Duration::from_secs(60)).await;
        assert!(!is_same(&keys().await));

        assert_eq!(Kept::new(Answer::trouble(Trouble::Bogus, 1)).keys().unwrap_err(), Trouble::Bogus);
        assert_eq!(Kept::new(answer("", 1)).keys().unwrap().iter().count(), 0);
        let octets = answer("abc", 60).octets(&q);
        assert_eq!(octets, 3 * (1 + limits::PARSED_KEY_FACTOR), "the parsed key counts");
    }

    #[tokio::test]
    async fn its_size_has_a_bound() {
        for (octets, units) in [(0, 1), (limits::CACHE_UNIT - 1, 1), (limits::CACHE_UNIT, 2)] {
            assert_eq!(units_of(1, octets).await, units, "{octets}");
        }
        let large = 999 * limits::CACHE_UNIT; // a thousand units
        for (entries, units) in [(100, limits::CACHE_UNITS), (101, limits::CACHE_UNITS)] {
            assert_eq!(units_of(entries, large).await, units, "{entries}");
        }
    }

    /// What a cache holds after so many answers of that size came.
    async fn units_of(entries: u32, octets: usize) -> u64 {
        let (cache, entry) = (Cache::new(), Entry::new(answer(&"x".repeat(octets), 60)));
        for n in 0..entries {
            cache.entries.insert(question(&format!("d{n}.example")), entry.clone()).await;
        }
        cache.entries.run_pending_tasks().await;
        cache.entries.weighted_size()
    }
}
