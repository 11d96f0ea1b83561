//! The resolver: from a question to an answer, through budget and cache.

use std::borrow::Cow;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::proto::rr::Name;
use tokio::sync::Semaphore;
use zi2_sig::Trouble;
use zi2_sig::dkim::DkimRecords;
use zi2_sig::dkim2::KeyRecords;
use zi2_trust::{QueryName, TxtAnswer};

use super::answer::{Answer, Data, Found, Kept, Kind, Presence, Question};
use super::cache::Cache;
use super::servers::{NameServers, TrustAd};
use super::walk::find;
use super::world::FixedDns;
use crate::budget::Budget;
use crate::limits;

/// Answers the questions of a search. It does not know what a record says, and never asks for a name relative to another.
///
/// Copies share their cache.
#[derive(Clone)]
pub struct Resolver {
    pub(super) source: Arc<Source>,
}

pub(super) enum Source {
    Fixed(FixedDns),
    Servers { servers: NameServers, cache: Cache, flights: Semaphore },
}

/// How DNS is asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DnsOptions {
    /// Whom to ask.
    pub servers: Servers,
    /// Whose word on DNSSEC counts.
    pub trust_ad: TrustAd,
    /// Time for one server to answer one question.
    pub time: Duration,
}

/// Whom to ask. Each must be a recursive resolver; a validating one on a loopback address is best (security.md R8).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Servers {
    /// The `nameserver` lines of /etc/resolv.conf, read once; 127.0.0.1 if there are none (resolv.conf(5)).
    System,
    /// These; the first three are used.
    These(Vec<SocketAddr>),
}

/// Why there is no resolver.
#[derive(Debug, thiserror::Error)]
pub enum DnsError {
    /// The list of servers is empty.
    #[error(
        "no name server is configured: name at least one, such as 127.0.0.1:53, or leave the setting out to use /etc/resolv.conf"
    )]
    NoServers,
}

impl DnsOptions {
    /// The system's servers; AD counts from loopback.
    pub const STANDARD: DnsOptions =
        DnsOptions { servers: Servers::System, trust_ad: TrustAd::Loopback, time: limits::SERVER_TIME };
}

impl Resolver {
    /// A resolver that asks name servers, with an empty cache. Look-ups need a tokio runtime.
    pub fn new(options: &DnsOptions) -> Result<Resolver, DnsError> {
        let addresses = match &options.servers {
            Servers::System => system_servers(),
            Servers::These(list) => list.clone(),
        };
        if addresses.is_empty() {
            return Err(DnsError::NoServers);
        }
        let servers = NameServers::new(addresses, options.time, options.trust_ad);
        let source = Source::Servers { servers, cache: Cache::new(), flights: Semaphore::new(limits::FLIGHTS) };
        Ok(Resolver { source: Arc::new(source) })
    }

    /// A resolver that answers from data, at once and without a runtime, cache or socket.
    #[must_use]
    pub fn fixed(dns: FixedDns) -> Resolver {
        Resolver { source: Arc::new(Source::Fixed(dns)) }
    }

    /// The TXT records of a name: none if it does not exist.
    pub async fn txt(&self, name: &QueryName, budget: &Budget) -> Result<TxtAnswer, Trouble> {
        let found = self.look_up(name.as_str(), Kind::Txt, budget).await?;
        let records = if let Data::Texts(texts) = found.data { texts } else { Vec::new() };
        Ok(TxtAnswer { records, dnssec: found.dnssec })
    }

    /// The keys of DKIM and ARC at a name, parsed once for as long as their answer holds, or why they are not known.
    pub async fn dkim_keys(&self, name: &zi2_chain::DnsName, budget: &Budget) -> Result<DkimRecords, Trouble> {
        self.kept(name.as_str(), Kind::Txt, budget).await?.keys()
    }

    /// The same as DKIM2 reads them.
    pub async fn dkim2_keys(&self, name: &zi2_chain::DnsName, budget: &Budget) -> Result<KeyRecords, Trouble> {
        self.kept(name.as_str(), Kind::Txt, budget).await?.dkim2_keys()
    }

    /// The answer to a question of the existing chain: SPF and DMARC.
    pub async fn ask(&self, question: &zi2_chain::Question, budget: &Budget) -> zi2_chain::Answer {
        use zi2_chain::Question::{Mx, Pointer, Txt, V4, V6};
        let (name, kind) = match question {
            Txt(name) => (Cow::Borrowed(name.as_str()), Kind::Txt),
            V4(name) => (Cow::Borrowed(name.as_str()), Kind::A),
            V6(name) => (Cow::Borrowed(name.as_str()), Kind::Aaaa),
            Mx(name) => (Cow::Borrowed(name.as_str()), Kind::Mx),
            Pointer(address) => (Cow::Owned(Name::from(*address).to_ascii()), Kind::Ptr),
        };
        match self.look_up(name.trim_end_matches('.'), kind, budget).await {
            Ok(found) => found.into_answer(kind),
            Err(_) => zi2_chain::Answer::Trouble,
        }
    }

    /// Whether a name has an A, AAAA, MX or NS record (zi2.md §6, place 2). One that has counts, whatever else fails.
    pub async fn exists(&self, name: &QueryName, budget: &Budget) -> Result<bool, Trouble> {
        let look_up = async |kind| {
            self.look_up(name.as_str(), kind, budget).await.map(|found| found.presence == Presence::Present)
        };
        let (a, aaaa, mx, ns) =
            tokio::join!(look_up(Kind::A), look_up(Kind::Aaaa), look_up(Kind::Mx), look_up(Kind::Ns));
        let all = [a, aaaa, mx, ns];
        match all.iter().filter_map(|one| one.err()).max() {
            Some(trouble) if !all.contains(&Ok(true)) => Err(trouble),
            _ => Ok(all.contains(&Ok(true))),
        }
    }

    /// Drops what the cache holds for a name, so that the next look-up asks.
    pub async fn forget(&self, name: &QueryName) {
        if let Source::Servers { cache, .. } = self.source.as_ref() {
            cache.forget(name.as_str()).await;
        }
    }

    /// Questions sent to servers since the start.
    pub fn questions(&self) -> u64 {
        match self.source.as_ref() {
            Source::Fixed(_) => 0,
            Source::Servers { servers, .. } => servers.asked(),
        }
    }

    pub(super) async fn look_up(&self, name: &str, kind: Kind, budget: &Budget) -> Result<Found, Trouble> {
        self.kept(name, kind, budget).await?.answer.found.clone()
    }

    async fn kept(&self, name: &str, kind: Kind, budget: &Budget) -> Result<Arc<Kept>, Trouble> {
        budget.spend()?;
        let question = Question { name: name.into(), kind };
        let kept = match self.source.as_ref() {
            Source::Fixed(_) => Arc::new(Kept::new(self.source.find(&question).await)),
            Source::Servers { cache, .. } => match cache.get(&question).await {
                Some(kept) => kept,
                None => self.fly(question, budget).await?,
            },
        };
        budget.settle(kept.answer.questions.saturating_sub(1));
        Ok(kept)
    }

    /// Asks in a task of its own, which fills the cache also when nobody waits any longer.
    async fn fly(&self, question: Question, budget: &Budget) -> Result<Arc<Kept>, Trouble> {
        let source = Arc::clone(&self.source);
        let flight = tokio::spawn(async move {
            match source.as_ref() {
                Source::Fixed(_) => Arc::new(Kept::new(source.find(&question).await)),
                Source::Servers { cache, flights, .. } => {
                    let ask = source.find_in_time(&question, flights);
                    cache.get_or(question.clone(), ask).await
                }
            }
        });
        match tokio::time::timeout_at(budget.deadline(), flight).await {
            Ok(Ok(kept)) => Ok(kept),
            _ => Err(Trouble::Timeout),
        }
    }
}

impl Source {
    async fn find_in_time(&self, question: &Question, flights: &Semaphore) -> Answer {
        let flight = async {
            let _permit = flights.acquire().await;
            self.find(question).await
        };
        let in_time = tokio::time::timeout(limits::LOOK_UP_TIME, flight).await;
        in_time.unwrap_or_else(|_| Answer::trouble(Trouble::Timeout, 1))
    }

    async fn find(&self, question: &Question) -> Answer {
        match absolute(&question.name) {
            Some(name) => {
                find(name, question.kind, |name| async {
                    match self {
                        Source::Fixed(dns) => dns.ask(&name, question.kind),
                        Source::Servers { servers, .. } => servers.ask(name, question.kind).await,
                    }
                })
                .await
            }
            None => Answer { found: Ok(NOWHERE), ttl: limits::NEGATIVE_MAX, questions: 0 },
        }
    }
}

/// A name too long for DNS has no records.
const NOWHERE: Found = Found { presence: Presence::NoName, data: Data::Nothing, dnssec: zi2_trust::Dnssec::Insecure };

/// The name octet by octet: a backslash that an SPF macro brought in is no escape.
pub(super) fn absolute(name: &str) -> Option<Name> {
    let mut name = Name::from_labels(name.split('.').map(str::as_bytes)).ok()?;
    name.set_fqdn(true);
    Some(name)
}

fn system_servers() -> Vec<SocketAddr> {
    match hickory_resolver::system_conf::read_system_conf() {
        Ok((system, _)) => system.name_servers().iter().map(|server| SocketAddr::from((server.ip, DNS_PORT))).collect(),
        // resolv.conf(5): without nameserver lines, the local machine's
        Err(_) => vec![SocketAddr::from((Ipv4Addr::LOCALHOST, DNS_PORT))],
    }
}

const DNS_PORT: u16 = 53;
