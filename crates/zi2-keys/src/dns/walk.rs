//! From one message of a name server to the answer: errors, CNAMEs, and the limits of records.
//!
//! The same path for servers and for a fixed world. It decides nothing about what a record says.

use std::net::IpAddr;
use std::time::Duration;

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::TXT;
use hickory_resolver::proto::rr::rdata::opt::{EdnsCode, EdnsOption};
use hickory_resolver::proto::rr::{Name, RData, Record};
use zi2_chain::DnsName;
use zi2_sig::Trouble;
use zi2_trust::Dnssec;

use super::answer::{Answer, Data, Found, Kind, Presence};
use crate::limits;

/// One message from a server, and what its word on DNSSEC is worth.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) message: Message,
    pub(crate) dnssec: Dnssec,
}

/// A question on its way along CNAMEs.
#[derive(Debug)]
pub(crate) struct Walk {
    kind: Kind,
    name: Name,
    depth: u32,
    ttl: u32,
    dnssec: Dnssec,
}

/// What comes after a reply.
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum Step {
    /// A CNAME leads to a name this reply does not answer.
    Ask,
    Done(Found, Duration),
    Failed(Trouble),
}

/// Time kept for an absence whose reply holds no SOA (RFC 2308 §5 would not keep it; our shortest time protects servers).
const NO_SOA: u32 = 0;

impl Walk {
    pub(crate) fn new(name: Name, kind: Kind) -> Walk {
        Walk { kind, name, depth: 0, ttl: u32::MAX, dnssec: Dnssec::Secure }
    }

    /// The name to ask next.
    pub(crate) fn name(&self) -> &Name {
        &self.name
    }

    /// Reads one reply for the name.
    pub(crate) fn take(&mut self, reply: &Reply) -> Step {
        let message = &reply.message;
        if let Err(trouble) = refusal(message) {
            return Step::Failed(trouble);
        }
        if reply.dnssec != Dnssec::Secure {
            self.dnssec = Dnssec::Insecure; // one insecure link makes the chain insecure
        }
        let start = self.depth;
        while let Some((target, ttl)) = self.alias(message) {
            // security.md R11; a loop ends here too
            if self.depth == limits::CNAME_DEPTH {
                return Step::Failed(Trouble::ServFail);
            }
            (self.name, self.depth, self.ttl) = (target, self.depth + 1, self.ttl.min(ttl));
        }
        let records = self.records(message).collect::<Vec<_>>();
        let moved = self.depth > start;
        match records.as_slice() {
            [] if moved && message.metadata.response_code == ResponseCode::NoError && !self.is_denied(message) => {
                Step::Ask
            }
            [] if is_referral(message) => Step::Failed(Trouble::ServFail),
            [] if message.metadata.response_code == ResponseCode::NXDomain => {
                self.done(Presence::NoName, Data::Nothing, negative_ttl(message))
            }
            [] => self.done(Presence::NoData, Data::Nothing, negative_ttl(message)),
            records => {
                let ttl = records.iter().map(|record| record.ttl).min().unwrap_or(0);
                self.done(Presence::Present, data(self.kind, records), ttl)
            }
        }
    }

    fn done(&self, presence: Presence, data: Data, ttl: u32) -> Step {
        let ttl = Duration::from_secs(u64::from(ttl.min(self.ttl)));
        Step::Done(Found { presence, data, dnssec: self.dnssec }, ttl)
    }

    fn records<'m>(&self, message: &'m Message) -> impl Iterator<Item = &'m Record> {
        let (name, wanted) = (self.name.clone(), self.kind.record_type());
        message.answers.iter().filter(move |record| record.record_type() == wanted && record.name == name)
    }

    /// Where the name's CNAME leads, unless the name has records of its own.
    fn alias(&self, message: &Message) -> Option<(Name, u32)> {
        if self.records(message).next().is_some() {
            return None;
        }
        message.answers.iter().filter(|record| record.name == self.name).find_map(|record| match &record.data {
            RData::CNAME(target) => Some((target.0.clone(), record.ttl)),
            _ => None,
        })
    }

    /// Whether the zone of the last name of a chain says that it has no such record (RFC 2308 §2.2).
    fn is_denied(&self, message: &Message) -> bool {
        message.authorities.iter().any(|record| matches!(record.data, RData::SOA(_)) && record.name.zone_of(&self.name))
    }
}

/// Why a message answers nothing, by its response code.
pub(crate) fn refusal(message: &Message) -> Result<(), Trouble> {
    match message.metadata.response_code {
        ResponseCode::NoError | ResponseCode::NXDomain => Ok(()),
        ResponseCode::ServFail if is_bogus(message) => Err(Trouble::Bogus),
        _ => Err(Trouble::ServFail),
    }
}

/// The extended DNS error of a validating resolver (RFC 8914 §4): 6 DNSSEC Bogus, 7 Signature Expired, 8 Signature Not Yet
/// Valid, 9 DNSKEY Missing, 10 RRSIGs Missing, 11 No Zone Key Bit Set, 12 NSEC Missing, 25 Signature Expired before Valid.
fn is_bogus(message: &Message) -> bool {
    let options = message.edns.iter().flat_map(|edns| edns.options().options.iter());
    options.filter(|(code, _)| u16::from(*code) == EXTENDED_ERROR).any(|(_, option)| match option {
        EdnsOption::Unknown(_, data) => matches!(data.as_slice(), [0, 6..=12 | 25, ..]),
        _ => false,
    })
}

/// RFC 8914 §2.
pub(crate) const EXTENDED_ERROR: u16 = 15;

/// An [`EdnsOption`] that says why validation failed, as resolvers send it.
pub(crate) fn bogus_option() -> (EdnsCode, EdnsOption) {
    (EdnsCode::from(EXTENDED_ERROR), EdnsOption::Unknown(EXTENDED_ERROR, vec![0, 6]))
}

/// A server that only knows whom else to ask (RFC 2308 §2.1): not a resolver, so its silence is no denial.
fn is_referral(message: &Message) -> bool {
    let has = |wanted: fn(&RData) -> bool| message.authorities.iter().any(|record| wanted(&record.data));
    message.metadata.response_code == ResponseCode::NoError
        && !message.metadata.authoritative
        && has(|data| matches!(data, RData::NS(_)))
        && !has(|data| matches!(data, RData::SOA(_)))
}

/// RFC 2308 §5: the lesser of the SOA's TTL and its minimum.
fn negative_ttl(message: &Message) -> u32 {
    let soa = message.authorities.iter().find_map(|record| match &record.data {
        RData::SOA(soa) => Some(record.ttl.min(soa.minimum)),
        _ => None,
    });
    soa.unwrap_or(NO_SOA)
}

/// The records of a type, within our limits.
fn data(kind: Kind, records: &[&Record]) -> Data {
    match kind {
        Kind::Txt => Data::Texts(texts(records)),
        Kind::A | Kind::Aaaa => Data::Addresses(records.iter().take(limits::RECORDS).filter_map(address).collect()),
        Kind::Mx => Data::Names(exchangers(records)),
        Kind::Ptr => Data::Names(records.iter().take(limits::RECORDS).filter_map(pointer).collect()),
        Kind::Ns => Data::Names(records.iter().take(limits::RECORDS).filter_map(name_server).collect()),
    }
}

fn address(record: &&Record) -> Option<IpAddr> {
    match &record.data {
        RData::A(address) => Some(IpAddr::V4(address.0)),
        RData::AAAA(address) => Some(IpAddr::V6(address.0)),
        _ => None,
    }
}

fn pointer(record: &&Record) -> Option<DnsName> {
    match &record.data {
        RData::PTR(target) => DnsName::parse(&target.0.to_ascii()).ok(),
        _ => None,
    }
}

fn name_server(record: &&Record) -> Option<DnsName> {
    match &record.data {
        RData::NS(target) => DnsName::parse(&target.0.to_ascii()).ok(),
        _ => None,
    }
}

/// By preference; among equals by name, so that an answer does not depend on a server's rotation.
fn exchangers(records: &[&Record]) -> Vec<DnsName> {
    let mut found: Vec<(u16, DnsName)> = records
        .iter()
        .filter_map(|record| match &record.data {
            RData::MX(mx) => Some((mx.preference, DnsName::parse(&mx.exchange.to_ascii()).ok()?)),
            _ => None,
        })
        .collect();
    found.sort_unstable();
    found.truncate(limits::RECORDS);
    found.into_iter().map(|(_, name)| name).collect()
}

/// The texts within our limits. Sorted, since servers rotate records and a cut must not depend on luck.
fn texts(records: &[&Record]) -> Vec<Vec<u8>> {
    let mut texts = records.iter().filter_map(|record| match &record.data {
        RData::TXT(txt) => joined(txt),
        _ => None,
    });
    let mut texts: Vec<_> = texts.by_ref().collect();
    texts.sort_unstable();
    texts.dedup();
    texts.truncate(limits::TXT_RECORDS);
    texts
}

/// §6: strings of one TXT record are concatenated. A record over the limits is left out (security.md R8).
fn joined(txt: &TXT) -> Option<Vec<u8>> {
    let octets: usize = txt.txt_data.iter().map(|string| string.len()).sum();
    let fits = txt.txt_data.len() <= limits::TXT_STRINGS && octets <= zi2_sig::limits::RECORD_OCTETS;
    fits.then(|| txt.txt_data.concat())
}

/// The whole way: asks until there is an answer.
pub(crate) async fn find<F>(name: Name, kind: Kind, ask: impl Fn(Name) -> F) -> Answer
where
    F: Future<Output = Result<Reply, Trouble>>,
{
    let (mut walk, mut questions) = (Walk::new(name, kind), 0);
    loop {
        questions += 1;
        let step = match ask(walk.name().clone()).await {
            Ok(reply) => walk.take(&reply),
            Err(trouble) => Step::Failed(trouble),
        };
        match step {
            Step::Ask => {}
            Step::Done(found, ttl) => return Answer { found: Ok(found), ttl, questions },
            Step::Failed(trouble) => return Answer::trouble(trouble, questions),
        }
    }
}
