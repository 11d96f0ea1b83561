//! A question of DNS and what is kept of its answer.

use std::net::IpAddr;
use std::sync::OnceLock;
use std::time::Duration;

use hickory_resolver::proto::rr::RecordType;
use zi2_chain::DnsName;
use zi2_sig::Trouble;
use zi2_sig::dkim::DkimRecords;
use zi2_sig::dkim2::KeyRecords;
use zi2_trust::Dnssec;

use crate::limits;

/// One question: a name and a type.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Question {
    /// Without a final dot, lower case.
    pub(crate) name: Box<str>,
    pub(crate) kind: Kind,
}

impl Question {
    /// Whether keys of DKIM stand there (RFC 6376 §3.6.2.1).
    fn is_for_keys(&self) -> bool {
        self.kind == Kind::Txt && self.name.contains("._domainkey.")
    }
}

/// The types asked for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Kind {
    Txt,
    A,
    Aaaa,
    Mx,
    Ns,
    Ptr,
}

impl Kind {
    pub(crate) const ALL: [Kind; 6] = [Kind::Txt, Kind::A, Kind::Aaaa, Kind::Mx, Kind::Ns, Kind::Ptr];

    pub(crate) fn record_type(self) -> RecordType {
        match self {
            Kind::Txt => RecordType::TXT,
            Kind::A => RecordType::A,
            Kind::Aaaa => RecordType::AAAA,
            Kind::Mx => RecordType::MX,
            Kind::Ns => RecordType::NS,
            Kind::Ptr => RecordType::PTR,
        }
    }
}

/// The answer to one question, with how long it holds and what it took.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Answer {
    pub(crate) found: Result<Found, Trouble>,
    /// As the servers say; see [`Answer::kept`].
    pub(crate) ttl: Duration,
    /// Questions it took: one, and one for each CNAME whose target was not answered along.
    pub(crate) questions: u32,
}

/// An answer that messages share, with what was read out of its records the first time somebody wanted it.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) answer: Answer,
    keys: OnceLock<DkimRecords>,
    dkim2_keys: OnceLock<KeyRecords>,
}

impl Kept {
    pub(crate) fn new(answer: Answer) -> Kept {
        Kept { answer, keys: OnceLock::new(), dkim2_keys: OnceLock::new() }
    }

    /// Its records as keys of DKIM: a key costs its parsing once, however many messages it verifies.
    pub(crate) fn keys(&self) -> Result<DkimRecords, Trouble> {
        let texts = self.texts()?;
        Ok(self.keys.get_or_init(|| DkimRecords::parse(texts.iter().map(Vec::as_slice))).clone())
    }

    /// The same as DKIM2 reads them.
    pub(crate) fn dkim2_keys(&self) -> Result<KeyRecords, Trouble> {
        let texts = self.texts()?;
        Ok(self.dkim2_keys.get_or_init(|| KeyRecords::parse(texts.iter().map(Vec::as_slice))).clone())
    }

    fn texts(&self) -> Result<&[Vec<u8>], Trouble> {
        let found = self.answer.found.as_ref().map_err(|trouble| *trouble)?;
        Ok(if let Data::Texts(texts) = &found.data { texts } else { &[] })
    }
}

/// What stands at a name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Found {
    pub(crate) presence: Presence,
    /// The records within our limits.
    pub(crate) data: Data,
    pub(crate) dnssec: Dnssec,
}

/// The records of one type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Data {
    Nothing,
    /// TXT, each with its strings joined.
    Texts(Vec<Vec<u8>>),
    /// A and AAAA.
    Addresses(Vec<IpAddr>),
    /// MX in order of preference, PTR and NS.
    Names(Vec<DnsName>),
}

impl Data {
    /// Octets, for the cache.
    fn octets(&self) -> usize {
        match self {
            Data::Nothing => 0,
            Data::Texts(texts) => texts.iter().map(Vec::len).sum(),
            Data::Addresses(addresses) => addresses.len() * size_of::<IpAddr>(),
            Data::Names(names) => names.iter().map(|name| name.as_str().len()).sum(),
        }
    }
}

impl Found {
    /// The same for whoever asked with a [`zi2_chain::Question`].
    pub(crate) fn into_answer(self, kind: Kind) -> zi2_chain::Answer {
        use zi2_chain::Answer;
        let v4 = |address: &IpAddr| if let IpAddr::V4(address) = address { Some(*address) } else { None };
        let v6 = |address: &IpAddr| if let IpAddr::V6(address) = address { Some(*address) } else { None };
        match (self.presence, self.data, kind) {
            (Presence::NoName, _, _) => Answer::NoSuchName,
            (Presence::NoData, _, _) => Answer::NoData,
            (Presence::Present, Data::Texts(texts), _) => Answer::Txt(texts),
            (Presence::Present, Data::Addresses(all), Kind::A) => Answer::V4(all.iter().filter_map(v4).collect()),
            (Presence::Present, Data::Addresses(all), _) => Answer::V6(all.iter().filter_map(v6).collect()),
            (Presence::Present, Data::Names(names), Kind::Mx) => Answer::Mx(names),
            (Presence::Present, Data::Names(names), _) => Answer::Pointer(names),
            (Presence::Present, Data::Nothing, _) => Answer::NoData,
        }
    }
}

/// Whether a name has a record of the type, also one over our limits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Presence {
    Present,
    /// The name exists without it.
    NoData,
    /// There is no such name.
    NoName,
}

impl Answer {
    pub(crate) fn trouble(trouble: Trouble, questions: u32) -> Answer {
        Answer { found: Err(trouble), ttl: Duration::ZERO, questions }
    }

    /// How long the cache keeps it, whatever the servers say.
    pub(crate) fn kept(&self) -> Duration {
        match &self.found {
            Ok(found) if found.presence == Presence::Present => {
                self.ttl.clamp(limits::POSITIVE_MIN, limits::POSITIVE_MAX)
            }
            Ok(_) => self.ttl.clamp(limits::NEGATIVE_MIN, limits::NEGATIVE_MAX),
            Err(_) => limits::FAILURE, // security.md R8
        }
    }

    /// Octets of its records, in the form in which they stay in memory.
    pub(crate) fn octets(&self, question: &Question) -> usize {
        let octets = self.found.as_ref().map_or(0, |found| found.data.octets());
        let parsed = if question.is_for_keys() { limits::PARSED_KEY_FACTOR } else { 0 };
        octets.saturating_mul(1 + parsed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_it_is_kept_has_bounds() {
        let kept = |presence, secs| {
            let found = Ok(Found { presence, data: Data::Nothing, dnssec: Dnssec::Insecure });
            Answer { found, ttl: Duration::from_secs(secs), questions: 1 }.kept().as_secs()
        };
        use Presence::{NoName as Absent, Present};
        assert_eq!([0, 61, 86_401].map(|ttl| kept(Present, ttl)), [60, 61, 86_400]);
        assert_eq!([0, 61, 86_401].map(|ttl| kept(Absent, ttl)), [60, 61, 300]);
        assert_eq!(Answer::trouble(Trouble::Bogus, 1).kept().as_secs(), 30);
    }
}
