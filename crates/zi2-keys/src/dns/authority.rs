//! Asking the servers of a zone themselves, past every cache: who is about to use a record wants to know that all have it.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use zi2_sig::Trouble;
use zi2_trust::QueryName;

use super::answer::{Data, Kind};
use super::resolver::{Resolver, Source, absolute};
use super::walk::{Step, Walk};
use crate::budget::Budget;
use crate::limits;

/// What one address of a zone's name server says of a name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServerAnswer {
    /// The name server.
    pub server: String,
    /// The TXT records, none if there are none.
    pub records: Result<Vec<Vec<u8>>, Trouble>,
    /// How long the answer may be kept.
    pub ttl: Duration,
}

impl Resolver {
    /// The TXT records of a name as each name server of its zone has them, at the `port` of DNS. Along a CNAME the servers of
    /// its target are asked. Nothing where no server is known.
    pub async fn at_authorities(
        &self,
        name: &QueryName,
        port: u16,
        budget: &Budget,
    ) -> Result<Vec<ServerAnswer>, Trouble> {
        let (mut names, mut answers, mut next) = (vec![name.to_string()], Vec::new(), 0);
        while let Some(name) = names.get(next).cloned() {
            next += 1;
            for (server, word) in self.words_of(&name, port, budget).await? {
                match word {
                    Word::Told(records, ttl) => answers.push(ServerAnswer { server, records, ttl }),
                    // security.md R11: whoever leads in a circle, or on and on, has no record.
                    Word::Alias(target) if names.len() > ALIASES || names.iter().take(next).any(|n| *n == target) => {
                        answers.push(ServerAnswer { server, records: Err(Trouble::ServFail), ttl: Duration::ZERO });
                    }
                    Word::Alias(target) if names.contains(&target) => {}
                    Word::Alias(target) => names.push(target),
                }
            }
        }
        Ok(answers)
    }

    /// What all servers of one name say, asked at once: one that is dead must not use up the time of the others.
    async fn words_of(&self, name: &str, port: u16, budget: &Budget) -> Result<Vec<(String, Word)>, Trouble> {
        let mut asked = Vec::new();
        for (server, address) in self.servers_of(name, budget).await? {
            budget.spend()?;
            let (resolver, name) = (self.clone(), name.to_owned());
            let ask = async move { resolver.at_server(&name, SocketAddr::new(address, port)).await };
            asked.push((server, tokio::spawn(ask)));
        }
        let mut words = Vec::new();
        for (server, word) in asked {
            words.push((server, word.await.unwrap_or(Word::Told(Err(Trouble::ServFail), Duration::ZERO))));
        }
        Ok(words)
    }

    /// The addresses of the servers of the zone a name stands in: the nearest name above with NS records.
    async fn servers_of(&self, name: &str, budget: &Budget) -> Result<Vec<(String, IpAddr)>, Trouble> {
        let parents = std::iter::successors(Some(name), |name| name.split_once('.').map(|(_, parent)| parent));
        let mut hosts = Vec::new();
        for zone in parents {
            if let Data::Names(names) = self.look_up(zone, Kind::Ns, budget).await?.data {
                hosts = names;
                break;
            }
        }
        let mut servers = Vec::new();
        for host in hosts.iter().take(limits::ZONE_SERVERS) {
            let host = host.as_str().trim_end_matches('.');
            let (v4, v6) = tokio::join!(self.look_up(host, Kind::A, budget), self.look_up(host, Kind::Aaaa, budget));
            let found = [v4?, v6?].map(|found| if let Data::Addresses(list) = found.data { list } else { Vec::new() });
            servers.extend(found.concat().into_iter().map(|address| (host.to_owned(), address)));
        }
        Ok(servers)
    }

    async fn at_server(&self, name: &str, address: SocketAddr) -> Word {
        let failed = |trouble| Word::Told(Err(trouble), Duration::ZERO);
        let Some(absolute) = absolute(name) else { return failed(Trouble::ServFail) };
        let reply = match self.source.as_ref() {
            Source::Fixed(dns) => dns.ask(&absolute, Kind::Txt),
            Source::Servers { servers, .. } => servers.ask_at(address, &absolute, Kind::Txt).await,
        };
        let mut walk = Walk::new(absolute, Kind::Txt);
        match reply.map(|reply| walk.take(&reply)) {
            Err(trouble) | Ok(Step::Failed(trouble)) => failed(trouble),
            Ok(Step::Ask) => Word::Alias(walk.name().to_ascii().trim_end_matches('.').to_ascii_lowercase()),
            Ok(Step::Done(found, ttl)) => {
                Word::Told(Ok(if let Data::Texts(texts) = found.data { texts } else { Vec::new() }), ttl)
            }
        }
    }
}

enum Word {
    Told(Result<Vec<Vec<u8>>, Trouble>, Duration),
    Alias(String),
}

/// Targets of CNAMEs followed from one name, by all servers together.
const ALIASES: usize = 4;
