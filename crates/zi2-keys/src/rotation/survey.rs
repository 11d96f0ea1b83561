//! What the authoritative servers said of a key's records, and whether that is a proof.

use std::fmt;

use zi2_mail::Domain;
use zi2_sig::{KeyRecord, Kid, PublicKey, RecordKey};
use zi2_trust::QueryName;

use crate::dns::ServerAnswer;

/// The answers of all servers at all places of one key.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Survey {
    words: Vec<(String, String, ServerWord)>,
    ttl_secs: u64,
}

/// What one name server says at one name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ServerWord {
    /// It has the record.
    Has,
    /// None of its addresses answered.
    Silent,
    /// It answers without the record.
    Lacks,
}

/// The two names of a key's record (zi2.md §6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RecordPlace {
    /// `_zi2cert.<domain>`, where the record names its key.
    Draft,
    /// `_zi2cert.<kid>.<domain>`, where it may leave that out.
    Page,
}

impl RecordPlace {
    /// Both.
    pub const BOTH: [RecordPlace; 2] = [RecordPlace::Draft, RecordPlace::Page];

    /// The name.
    #[must_use]
    pub fn name(self, kid: Kid, domain: &Domain) -> QueryName {
        match self {
            RecordPlace::Draft => QueryName::record(domain),
            RecordPlace::Page => QueryName::page_record(kid, domain),
        }
    }

    fn publishes(self, text: &[u8], kid: Kid, key: PublicKey) -> bool {
        let names = |own: Option<Kid>| own == Some(kid) || (self == RecordPlace::Page && own.is_none());
        KeyRecord::parse(text).is_ok_and(|record| record.key == RecordKey::Live(key) && names(record.kid))
    }
}

/// A place without the record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gap {
    /// The name of the record.
    pub name: String,
    /// The name server; none where none is known.
    pub server: Option<String>,
    /// What it said.
    pub word: ServerWord,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.server, self.word) {
            (None, _) => write!(f, "{}: no name server of its zone is known", self.name),
            (Some(server), ServerWord::Silent) => write!(f, "{}: {server} does not answer", self.name),
            (Some(server), _) => write!(f, "{}: {server} does not have the record", self.name),
        }
    }
}

impl Survey {
    /// Adds what the servers of a name said of one key there. A server counts as silent only if none of its addresses answers:
    /// a host without IPv6 reaches half of them.
    pub fn add(
        &mut self,
        (domain, place): (&Domain, RecordPlace),
        (kid, key): (Kid, PublicKey),
        answers: &[ServerAnswer],
    ) {
        let name = place.name(kid, domain);
        if answers.is_empty() {
            self.words.push((name.to_string(), String::new(), ServerWord::Silent));
        }
        for answer in answers {
            let word = match &answer.records {
                Err(_) => ServerWord::Silent,
                Ok(records) if records.iter().any(|text| place.publishes(text, kid, key)) => ServerWord::Has,
                Ok(_) => ServerWord::Lacks,
            };
            self.ttl_secs = self.ttl_secs.max(answer.ttl.as_secs());
            let known = self.words.iter_mut().find(|(at, server, _)| at == name.as_str() && *server == answer.server);
            match known {
                Some((_, _, before)) => *before = both(*before, word),
                None => self.words.push((name.to_string(), answer.server.clone(), word)),
            }
        }
    }

    /// Where the record is missing. None, and it is everywhere; a survey of nothing proves nothing.
    #[must_use]
    pub fn gaps(&self) -> Vec<Gap> {
        if self.words.is_empty() {
            return vec![Gap { name: "no domain is hosted".to_owned(), server: None, word: ServerWord::Silent }];
        }
        let gap = |(name, server, word): &(String, String, ServerWord)| Gap {
            name: name.clone(),
            server: Some(server.clone()).filter(|server| !server.is_empty()),
            word: *word,
        };
        self.words.iter().filter(|(_, _, word)| *word != ServerWord::Has).map(gap).collect()
    }

    /// The longest time an answer may be kept.
    pub(super) fn ttl_secs(&self) -> u64 {
        self.ttl_secs
    }
}

/// Two addresses of one server: an answer counts for more than silence, and one without the record for more than one with it.
fn both(one: ServerWord, other: ServerWord) -> ServerWord {
    match (one, other) {
        (ServerWord::Silent, word) | (word, ServerWord::Silent) => word,
        (one, other) => one.max(other),
    }
}
