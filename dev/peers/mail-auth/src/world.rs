//! DNS for mail-auth: what is told beforehand, and nothing else. Nobody is asked.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::time::Instant;

use mail_auth::dkim::DomainKey;
use mail_auth::dns::{DnsCache, NoCache, ResolverCache, TxtRecord, TxtRecordParser};

/// The keys of DKIM by their names.
pub(crate) struct World(HashMap<Box<str>, TxtRecord>);

impl World {
    /// Of names, without a final dot, and what their TXT records say.
    pub(crate) fn of<'a>(records: impl IntoIterator<Item = (&'a str, String)>) -> World {
        let record = |text: String| TxtRecord::from(DomainKey::parse(text.as_bytes()));
        World(records.into_iter().map(|(name, text)| (format!("{name}.").into(), record(text))).collect())
    }
}

impl ResolverCache<Box<str>, TxtRecord> for World {
    fn get<Q: Hash + Eq + ?Sized>(&self, name: &Q) -> Option<TxtRecord>
    where
        Box<str>: Borrow<Q>,
    {
        let nothing = || TxtRecord::Error(mail_auth::Error::Io("no such name".to_owned()));
        Some(self.0.get(name).cloned().unwrap_or_else(nothing))
    }

    fn remove<Q: Hash + Eq + ?Sized>(&self, _: &Q) -> Option<TxtRecord>
    where
        Box<str>: Borrow<Q>,
    {
        None
    }

    fn insert(&self, _: Box<str>, _: TxtRecord, _: Instant) {}
}

impl DnsCache for World {
    type Txt = World;
    type Mx = NoCache;
    type Ipv4 = NoCache;
    type Ipv6 = NoCache;
    type Ptr = NoCache;

    fn txt(&self) -> Option<&World> {
        Some(self)
    }

    fn mx(&self) -> Option<&NoCache> {
        None
    }

    fn ipv4(&self) -> Option<&NoCache> {
        None
    }

    fn ipv6(&self) -> Option<&NoCache> {
        None
    }

    fn ptr(&self) -> Option<&NoCache> {
        None
    }
}
