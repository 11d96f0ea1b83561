//! DKIM signing: which keys sign mail of which From address.
//!
//! Knows where keys are and opens none. Whether a submitter may use a From address is the sender map's to say.

mod inline;
mod key_table;
mod pattern;
mod setting;
mod signing_table;
mod table;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zi2_mail::{AddrSpec, Domain};
use zi2_sig::dkim::{Agent, Recipe, Selector};

use crate::hosted::HostedDomains;
use crate::notice::Notice;
use crate::place::Place;
use crate::problem::Problems;
use pattern::Patterns;
use signing_table::{RuleKey, SigningRule};

pub use inline::InlineKey;
pub(crate) use pattern::Matching;
pub(crate) use setting::{TablePath, field_name};
pub use table::DkimTableFault;

/// `[dkim]`
#[derive(Clone, PartialEq, Debug)]
pub struct Dkim {
    /// Whether outgoing mail is signed.
    pub sign: bool,
    /// The directory of keys, as `DOMAIN/SELECTOR.pem`.
    pub dir: PathBuf,
    /// OpenDKIM's tables, where there are any.
    pub tables: Option<DkimTables>,
    /// What a signature covers and says.
    pub recipe: Recipe,
}

/// A KeyTable and a SigningTable of OpenDKIM (opendkim.conf(5)).
#[derive(Clone, PartialEq, Debug)]
pub struct DkimTables {
    keys: Vec<DkimKeyEntry>,
    names: HashMap<Box<str>, usize>,
    rules: Vec<SigningRule>,
    patterns: Patterns,
}

/// A line of a KeyTable.
#[derive(Clone, PartialEq, Debug)]
pub struct DkimKeyEntry {
    /// `d=`; nothing for `%`, the From domain.
    pub domain: Option<Domain>,
    /// `s=`.
    pub selector: Selector,
    /// Where the key is.
    pub key: DkimKeyPlace,
    /// Where the line is.
    pub place: Place,
}

/// Where a KeyTable says that a key is.
#[derive(Clone, PartialEq, Debug)]
pub enum DkimKeyPlace {
    /// In this file.
    File(PathBuf),
    /// In a file of each From domain, which stands for the `%`.
    FileOfAuthor(String),
    /// In the table itself.
    Inline(InlineKey),
}

/// What a SigningTable says about one From address.
#[derive(Clone, PartialEq, Debug)]
pub struct DkimChoice {
    /// The place of the key among [`DkimTables::keys`].
    pub key: usize,
    /// `i=`, where one is named.
    pub agent: Option<Agent>,
}

/// The two texts with their paths, and how the second one is searched.
pub(crate) struct TableTexts<'a> {
    pub(crate) keys: (&'a Arc<Path>, &'a str),
    pub(crate) signing: (&'a Arc<Path>, &'a str, Matching),
}

impl DkimTables {
    /// Reads both tables. All lines with problems are reported.
    pub(crate) fn read(
        texts: &TableTexts<'_>,
        hosted: &HostedDomains,
        problems: &mut Problems,
    ) -> (DkimTables, Vec<Notice>) {
        let (path, text) = texts.keys;
        let (keys, names) = key_table::read(path, text, problems);
        let (path, text, matching) = texts.signing;
        let lines = signing_table::read(path, text, &names, problems);
        let mut tables = DkimTables { keys, names, rules: Vec::new(), patterns: Patterns::new(matching) };
        let mut useless = Useless::default();
        for line in lines {
            useless.look(&line, tables.entry(&line.rule.key), hosted);
            tables.patterns.insert(&line.pattern, tables.rules.len());
            tables.rules.push(line.rule);
        }
        (tables, useless.notices())
    }

    /// The lines of the KeyTable.
    pub fn keys(&self) -> &[DkimKeyEntry] {
        &self.keys
    }

    /// The keys that sign mail of a From address, in the order of the table: all whose pattern matches, each once. A key
    /// whose domain is neither the From domain nor above it signs nothing: DMARC would not count it.
    pub fn choices(&self, from: &AddrSpec) -> Vec<DkimChoice> {
        let Some(author) = from.domain() else { return Vec::new() };
        let mut chosen: Vec<DkimChoice> = Vec::new();
        for rule in self.patterns.matching(from).into_iter().filter_map(|index| self.rules.get(index)) {
            let Some(key) = self.key_of(&rule.key, author) else { continue };
            let domain = self.keys.get(key).and_then(|entry| entry.domain.as_ref()).unwrap_or(author);
            if author.is_within(domain) && !chosen.iter().any(|choice| choice.key == key) {
                // § opendkim.conf(5), SigningTable: "will not be included [...] if it conflicts with the signing domain"
                let agent = rule.agent(author).filter(|agent| agent.domain().is_within(domain));
                chosen.push(DkimChoice { key, agent });
            }
        }
        chosen
    }

    fn key_of(&self, key: &RuleKey, author: &Domain) -> Option<usize> {
        match key {
            RuleKey::Named(key) => Some(*key),
            RuleKey::OfAuthor => self.names.get(author.as_str()).copied(),
        }
    }

    fn entry(&self, key: &RuleKey) -> Option<&DkimKeyEntry> {
        match key {
            RuleKey::Named(key) => self.keys.get(*key),
            RuleKey::OfAuthor => None,
        }
    }
}

/// Lines of a SigningTable that never sign: the first of each kind, and how many more.
#[derive(Default)]
struct Useless {
    not_hosted: Option<(Place, String, usize)>,
    not_aligned: Option<(Place, Domain, usize)>,
}

impl Useless {
    fn look(&mut self, line: &signing_table::SigningLine, entry: Option<&DkimKeyEntry>, hosted: &HostedDomains) {
        let Some(author) = pattern::domain_of(&line.pattern) else { return };
        if !hosted.contains(&author) {
            count(&mut self.not_hosted, || (line.place.clone(), author.to_string()));
        } else if let Some(signing) = entry.and_then(|entry| entry.domain.as_ref())
            && !author.is_within(signing)
        {
            count(&mut self.not_aligned, || (line.place.clone(), signing.clone()));
        }
    }

    fn notices(self) -> Vec<Notice> {
        let not_hosted = self.not_hosted.map(|(place, target, more)| Notice::NotHosted { place, target, more });
        let not_aligned = self.not_aligned.map(|(place, domain, more)| Notice::NotAligned { place, domain, more });
        not_hosted.into_iter().chain(not_aligned).collect()
    }
}

fn count<T>(seen: &mut Option<(Place, T, usize)>, first: impl FnOnce() -> (Place, T)) {
    match seen {
        Some((_, _, more)) => *more = more.saturating_add(1),
        None => {
            let (place, what) = first();
            *seen = Some((place, what, 0));
        }
    }
}

#[cfg(test)]
mod tests;
