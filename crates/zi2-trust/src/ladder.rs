//! The ladder: which place is asked next for keys, and what the answers together mean (zi2.md §6 and §7 step 5).
//!
//! It asks for nothing itself: [`Ladder::poll`] names a place, [`Ladder::told`] takes the answer, and [`Ladder::finish`]
//! can be called at any time: what was not answered by then could not be asked.

mod question;

use zi2_mail::{Domain, HostName};
use zi2_sig::{Candidate, KeyAnswer, KeyDocument, KeyQuery, KeyRecord, Kid, Origin, PublicKey, RecordKey, Trouble};

pub use question::{Ask, Dnssec, Place, QueryName, Told, TxtAnswer};

use crate::limits;

/// Keys held on this host.
#[derive(Clone, Copy, Debug)]
pub struct Holdings<'a> {
    /// Our own keys.
    pub local: &'a [Held],
    /// Keys held from direct exchange.
    pub exchanged: &'a [Held],
    /// Whether the From domain is in the local hosted-domains table.
    pub hosted: bool,
}

/// One key held.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Held {
    /// The server it belongs to, where known.
    pub sid: Option<HostName>,
    /// Its identifier.
    pub kid: Kid,
    /// The key.
    pub key: PublicKey,
}

/// Whether the page's DNS name counts (zi2.md §6, place 2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PageName {
    /// If place 1 has no record with this identifier.
    Fallback,
    /// Never.
    Off,
}

/// The state of one search for keys.
#[derive(Debug)]
pub struct Ladder<'a> {
    query: KeyQuery,
    holdings: Holdings<'a>,
    page_name: PageName,
    places: [(Place, Slot); 6],
}

#[derive(Debug)]
enum Slot {
    Idle,
    Asked,
    Told(Told),
}

/// What the search found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Findings {
    /// The answer for the verifier.
    pub answer: KeyAnswer,
    /// DNSSEC state of the record that authorizes, if DNS answered.
    pub dnssec: Option<Dnssec>,
    /// Keys that the sid host itself publishes or that were exchanged with it.
    pub confirmed: Vec<PublicKey>,
    /// All live keys in the domain's own records, for links by rotation.
    pub siblings: Vec<PublicKey>,
}

impl<'a> Ladder<'a> {
    /// A search for the keys a verifier wants.
    pub fn new(query: KeyQuery, holdings: Holdings<'a>, page_name: PageName) -> Ladder<'a> {
        let places = Place::ALL.map(|place| (place, Slot::Idle));
        Ladder { query, holdings, page_name, places }
    }

    /// The next place to ask, or nothing for now. All places named may be asked at the same time.
    pub fn poll(&mut self) -> Option<(Place, Ask)> {
        let place = Place::ALL.into_iter().find(|place| self.is_wanted(*place))?;
        self.put(place, Slot::Asked);
        Some((place, self.question(place)))
    }

    /// Takes an answer. An answer that says it is bogus counts as trouble, whatever it holds.
    pub fn told(&mut self, place: Place, told: Told) {
        let told = match told {
            Told::Txt(TxtAnswer { dnssec: Dnssec::Bogus, .. }) => Told::Trouble(Trouble::Bogus),
            told => told,
        };
        self.put(place, Slot::Told(told));
    }

    /// What the answers together mean.
    pub fn finish(&self) -> Findings {
        let author = self.author_keys();
        Findings {
            answer: self.answer(&author),
            dnssec: author.dnssec,
            confirmed: self.confirmed(),
            siblings: author.siblings,
        }
    }

    fn question(&self, place: Place) -> Ask {
        let KeyQuery { from, kid, sid } = &self.query;
        match place {
            Place::AuthorRecord => Ask::Txt(QueryName::record(from)),
            Place::PageRecord => Ask::Txt(QueryName::page_record(*kid, from)),
            Place::PageParent => Ask::Exists(QueryName::page_parent(*kid, from)),
            Place::AuthorDocument => Ask::Document(from.clone()),
            Place::ServerRecord => Ask::Txt(QueryName::record(sid.as_domain())),
            Place::ServerDocument => Ask::Document(sid.as_domain().clone()),
        }
    }

    fn is_wanted(&self, place: Place) -> bool {
        let server_differs = self.query.from != *self.query.sid.as_domain();
        matches!(self.slot(place), Slot::Idle)
            && match place {
                Place::AuthorRecord | Place::AuthorDocument => true,
                Place::ServerRecord | Place::ServerDocument => server_differs,
                // §6: only if place 1 has no record with this kid, and never below a public suffix
                Place::PageRecord => {
                    self.page_name == PageName::Fallback
                        && self.first_place_is_empty()
                        && !is_public_suffix(&self.query.from)
                }
                Place::PageParent => !self.page_records().is_empty(),
            }
    }

    fn slot(&self, place: Place) -> &Slot {
        self.places.iter().find(|(known, _)| *known == place).map_or(&Slot::Idle, |(_, slot)| slot)
    }

    fn put(&mut self, place: Place, slot: Slot) {
        if let Some((_, old)) = self.places.iter_mut().find(|(known, _)| *known == place) {
            *old = slot;
        }
    }

    fn records(&self, place: Place) -> impl Iterator<Item = KeyRecord> {
        let txt = match self.slot(place) {
            Slot::Told(Told::Txt(txt)) => txt.records.as_slice(),
            _ => &[],
        };
        txt.iter().filter_map(|record| KeyRecord::parse(record).ok())
    }

    fn document(&self, place: Place) -> Option<&KeyDocument> {
        match self.slot(place) {
            Slot::Told(Told::Document(document)) => document.as_ref(),
            _ => None,
        }
    }

    fn first_place_is_empty(&self) -> bool {
        matches!(self.slot(Place::AuthorRecord), Slot::Told(Told::Txt(_)))
            && !self.records(Place::AuthorRecord).any(|record| record.kid == Some(self.query.kid))
    }

    /// §6 place 2: the record may lack kid; if it has one it must be equal.
    fn page_records(&self) -> Vec<KeyRecord> {
        self.records(Place::PageRecord).filter(|record| record.kid.is_none_or(|kid| kid == self.query.kid)).collect()
    }

    /// The keys the From domain itself speaks for.
    fn author_keys(&self) -> AuthorKeys {
        let mut keys = AuthorKeys { siblings: self.siblings(), ..AuthorKeys::default() };
        let first =
            self.records(Place::AuthorRecord).filter(|record| record.kid == Some(self.query.kid)).collect::<Vec<_>>();
        // §6: place 2 counts only if its parent has no address, mail or name server record.
        let second = match self.slot(Place::PageParent) {
            Slot::Told(Told::Exists(false)) => self.page_records(),
            _ => Vec::new(),
        };
        for record in first.iter().chain(&second) {
            match record.key {
                RecordKey::Live(key) if !keys.dns.contains(&key) => keys.dns.push(key),
                RecordKey::Live(_) => {}
                RecordKey::Revoked => keys.revoked = true,
            }
        }
        keys.revoked &= keys.dns.is_empty();
        if !keys.revoked {
            keys.https = self.document_keys(Place::AuthorDocument).collect();
        }
        let place = if second.is_empty() { Place::AuthorRecord } else { Place::PageRecord };
        if let Slot::Told(Told::Txt(txt)) = self.slot(place) {
            keys.dnssec = Some(txt.dnssec);
        }
        keys
    }

    fn siblings(&self) -> Vec<PublicKey> {
        let live = |record: KeyRecord| match record.key {
            RecordKey::Live(key) => Some(key),
            RecordKey::Revoked => None,
        };
        self.records(Place::AuthorRecord).filter_map(live).take(limits::SIBLINGS).collect()
    }

    fn document_keys(&self, place: Place) -> impl Iterator<Item = PublicKey> {
        let published = self.document(place).map_or(&[][..], |document| document.keys.as_slice());
        published.iter().filter(|published| published.kid == self.query.kid).map(|published| published.key)
    }

    /// §6, domain authorization: every candidate is spoken for by the domain's DNS, its own HTTPS host, or the hosted table.
    fn answer(&self, author: &AuthorKeys) -> KeyAnswer {
        let mut candidates: Vec<Candidate> = Vec::new();
        let mut add = |key, origin: Origin| match candidates.iter_mut().find(|c| c.key == key) {
            Some(known) => known.origin = known.origin.max(origin),
            None => candidates.push(Candidate { key, origin }),
        };
        let authorized = |key: &PublicKey| author.dns.contains(key) || author.https.contains(key);
        let held = |held: &'a [Held]| held.iter().filter(|held| held.kid == self.query.kid);
        held(self.holdings.local)
            .filter(|own| self.holdings.hosted || authorized(&own.key))
            .for_each(|own| add(own.key, Origin::Local));
        held(self.holdings.exchanged)
            .filter(|peer| authorized(&peer.key))
            .for_each(|peer| add(peer.key, Origin::Exchanged));
        author.dns.iter().for_each(|key| add(*key, Origin::Dns));
        author.https.iter().take(zi2_sig::limits::CANDIDATES).for_each(|key| add(*key, Origin::Https));
        let offered =
            held(self.holdings.local).chain(held(self.holdings.exchanged)).next().is_some() || self.server_offers_key();
        KeyAnswer {
            candidates,
            too_many: author.dns.len() > zi2_sig::limits::CANDIDATES,
            revoked: author.revoked,
            unauthorized: offered,
            trouble: self.trouble(),
        }
    }

    /// What the sid host says of itself: enough to confirm its name, never to speak for the From domain.
    fn server_offers_key(&self) -> bool {
        self.records(Place::ServerRecord).any(|r| r.kid == Some(self.query.kid) && matches!(r.key, RecordKey::Live(_)))
            || self.document_keys(Place::ServerDocument).next().is_some()
    }

    fn confirmed(&self) -> Vec<PublicKey> {
        let same = self.query.from == *self.query.sid.as_domain();
        let (record, document) = match same {
            true => (Place::AuthorRecord, Place::AuthorDocument),
            false => (Place::ServerRecord, Place::ServerDocument),
        };
        let published = self.records(record).filter_map(|r| match r.key {
            RecordKey::Live(key) => Some(key),
            RecordKey::Revoked => None,
        });
        let exchanged = self.holdings.exchanged.iter().filter(|peer| peer.sid.as_ref() == Some(&self.query.sid));
        let own = self.holdings.local.iter().filter(|own| own.sid.as_ref().is_none_or(|sid| *sid == self.query.sid));
        published.chain(self.document_keys(document)).chain(exchanged.chain(own).map(|held| held.key)).collect()
    }

    /// A place that speaks for the From domain and could not be asked. The page's name is such a place only once asked.
    fn trouble(&self) -> Option<Trouble> {
        let deciding = [Place::AuthorRecord, Place::PageRecord, Place::PageParent, Place::AuthorDocument];
        let troubles = deciding.iter().filter_map(|place| match self.slot(*place) {
            Slot::Told(Told::Trouble(trouble)) => Some(*trouble),
            Slot::Told(_) => None,
            Slot::Asked => Some(Trouble::Timeout),
            Slot::Idle => (*place == Place::AuthorRecord).then_some(Trouble::Timeout),
        });
        troubles.max()
    }
}

#[derive(Default)]
struct AuthorKeys {
    dns: Vec<PublicKey>,
    https: Vec<PublicKey>,
    revoked: bool,
    dnssec: Option<Dnssec>,
    siblings: Vec<PublicKey>,
}

fn is_public_suffix(domain: &Domain) -> bool {
    psl::suffix_str(domain.as_str()) == Some(domain.as_str())
}
