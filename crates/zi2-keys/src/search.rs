//! Driving a ladder: asks what it wants, all at once, and tells it. What the answers mean is the ladder's business.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::task::Poll;

use zi2_mail::Domain;
use zi2_sig::{KeyDocument, Trouble};
use zi2_trust::{Ask, Findings, Ladder, Place, PublishedPolicy, QueryName, Told};

use crate::budget::Budget;
use crate::dns::Resolver;

/// Where key documents come from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Documents {
    /// Nowhere: no host serves one.
    None,
    /// From data: hosts that are not in it serve none.
    Fixed(BTreeMap<Domain, KeyDocument>),
}

impl Documents {
    fn at(&self, host: &Domain) -> Option<KeyDocument> {
        match self {
            Documents::None => None,
            Documents::Fixed(served) => served.get(host).cloned(),
        }
    }
}

/// A search under way. It can be stopped at any time and still has findings: what was not answered could not be asked.
pub struct Search<'a> {
    ladder: Ladder<'a>,
    resolver: &'a Resolver,
    budget: &'a Budget,
    documents: &'a Documents,
    asked: Vec<Question<'a>>,
}

/// A question on its way.
type Question<'a> = Pin<Box<dyn Future<Output = (Place, Told)> + Send + 'a>>;

impl<'a> Search<'a> {
    /// A search; nothing is asked before [`Search::run`].
    pub fn new(ladder: Ladder<'a>, resolver: &'a Resolver, budget: &'a Budget, documents: &'a Documents) -> Search<'a> {
        Search { ladder, resolver, budget, documents, asked: Vec::new() }
    }

    /// Runs until the ladder wants nothing more. Stopping it (a deadline) loses no answer, and it may be run again; questions
    /// on their way are answered into the cache in any case.
    pub async fn run(&mut self) {
        loop {
            while let Some((place, ask)) = self.ladder.poll() {
                self.asked.push(Box::pin(answer(self.resolver, self.budget, self.documents, place, ask)));
            }
            if self.asked.is_empty() {
                return;
            }
            // Nothing is awaited between an answer and telling it, so stopping can lose none.
            let (place, told) = self.next().await;
            self.ladder.told(place, told);
        }
    }

    /// What is known so far.
    pub fn findings(&self) -> Findings {
        self.ladder.finish()
    }

    async fn next(&mut self) -> (Place, Told) {
        std::future::poll_fn(|context| {
            for at in 0..self.asked.len() {
                let polled = self.asked.get_mut(at).map(|asked| asked.as_mut().poll(context));
                if let Some(Poll::Ready(told)) = polled {
                    drop(self.asked.swap_remove(at));
                    return Poll::Ready(told);
                }
            }
            Poll::Pending
        })
        .await
    }
}

/// A whole search, as long as its budget allows.
pub async fn gather(resolver: &Resolver, ladder: Ladder<'_>, budget: &Budget, documents: &Documents) -> Findings {
    let mut search = Search::new(ladder, resolver, budget, documents);
    search.run().await;
    search.findings()
}

/// The policy a domain publishes (zi2.md §9).
pub async fn policy(resolver: &Resolver, domain: &Domain, budget: &Budget) -> Result<PublishedPolicy, Trouble> {
    let answer = resolver.txt(&QueryName::policy(domain), budget).await?;
    Ok(PublishedPolicy::of_records(answer.records.iter().map(Vec::as_slice)))
}

/// One question of a ladder, asked. For whoever drives a ladder step by step; everybody else takes a [`Search`].
pub async fn answer(
    resolver: &Resolver,
    budget: &Budget,
    documents: &Documents,
    place: Place,
    ask: Ask,
) -> (Place, Told) {
    let told = match ask {
        Ask::Txt(name) => resolver.txt(&name, budget).await.map(Told::Txt),
        Ask::Exists(name) => resolver.exists(&name, budget).await.map(Told::Exists),
        Ask::Document(host) => Ok(Told::Document(documents.at(&host))),
    };
    (place, told.unwrap_or_else(Told::Trouble))
}
