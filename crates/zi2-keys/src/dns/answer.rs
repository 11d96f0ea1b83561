//! A question of DNS and what is kept of its answer.

use std::time::Duration;

use hickory_resolver::proto::rr::RecordType;
use zi2_sig::Trouble;
use zi2_trust::{Dnssec, QueryName};

use crate::limits;

/// One question: a name and a type.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Question {
    pub(crate) name: QueryName,
    pub(crate) kind: Kind,
}

/// The types asked for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Kind {
    Txt,
    A,
    Aaaa,
    Mx,
    Ns,
}

impl Kind {
    pub(crate) const ALL: [Kind; 5] = [Kind::Txt, Kind::A, Kind::Aaaa, Kind::Mx, Kind::Ns];

    pub(crate) fn record_type(self) -> RecordType {
        match self {
            Kind::Txt => RecordType::TXT,
            Kind::A => RecordType::A,
            Kind::Aaaa => RecordType::AAAA,
            Kind::Mx => RecordType::MX,
            Kind::Ns => RecordType::NS,
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

/// What stands at a name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Found {
    pub(crate) presence: Presence,
    /// For TXT the records within our limits, each with its strings joined.
    pub(crate) texts: Vec<Vec<u8>>,
    pub(crate) dnssec: Dnssec,
}

/// Whether a name has a record of the type, also one over our limits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Presence {
    Present,
    Absent,
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

    /// Octets of its records.
    pub(crate) fn octets(&self) -> usize {
        self.found.as_ref().map_or(0, |found| found.texts.iter().map(Vec::len).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_it_is_kept_has_bounds() {
        let kept = |presence, secs| {
            let found = Ok(Found { presence, texts: Vec::new(), dnssec: Dnssec::Insecure });
            Answer { found, ttl: Duration::from_secs(secs), questions: 1 }.kept().as_secs()
        };
        use Presence::{Absent, Present};
        assert_eq!([0, 61, 86_401].map(|ttl| kept(Present, ttl)), [60, 61, 86_400]);
        assert_eq!([0, 61, 86_401].map(|ttl| kept(Absent, ttl)), [60, 61, 300]);
        assert_eq!(Answer::trouble(Trouble::Bogus, 1).kept().as_secs(), 30);
    }
}
