//! DKIM signing: the keys at hand, and which of them sign mail of a From address.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zi2_config::{Config, Dkim, DkimKeyEntry, DkimKeyPlace, DkimTables, HostedDomains};
use zi2_keys::{Budget, DkimFile, FileError, KeyPlace, Resolver, check_dkim_table, load_dkim, load_dkim_file};
use zi2_mail::{AddrSpec, Domain};
use zi2_sig::Trouble;
use zi2_sig::dkim::{DkimSigningKey, Fault, Identity, KeyName, Outcome, Recipe, RecordAnswer, Selector};

use crate::chain::key_records;
use crate::limits;

/// What DKIM signing goes by. It signs nothing by itself and prints no key.
pub struct DkimRules {
    /// What a signature covers and says.
    pub recipe: Recipe,
    folder: HashMap<Domain, Vec<Identity>>,
    tables: Option<Tables>,
}

/// OpenDKIM's tables with their keys.
struct Tables {
    tables: DkimTables,
    /// For each line of the KeyTable.
    keys: Vec<EntryKey>,
}

/// The keys of one line of a KeyTable.
enum EntryKey {
    One(Arc<DkimSigningKey>),
    /// One for each hosted domain that has the file.
    OfAuthor(HashMap<Domain, Arc<DkimSigningKey>>),
}

/// A key that can sign: its names and what to publish.
#[derive(Clone)]
pub struct DkimKeyFacts {
    /// `d=`.
    pub domain: Domain,
    /// `s=`.
    pub selector: Selector,
    /// The key.
    pub key: Arc<DkimSigningKey>,
}

impl DkimKeyFacts {
    /// Where the key is published; nothing if the name is longer than DNS carries.
    pub fn name(&self) -> Option<KeyName> {
        KeyName::new(&self.selector, &self.domain)
    }

    /// What verifiers make of its signatures, by what DNS says now.
    ///
    /// # Errors
    ///
    /// [`Trouble`] if DNS does not answer.
    pub async fn published(&self, resolver: &Resolver, budget: &Budget) -> Result<Outcome, Trouble> {
        let Some(name) = self.name() else { return Ok(Outcome::PermError(Fault::KeyNotFound)) };
        match key_records(&name, resolver, budget).await {
            RecordAnswer::Records(records) => Ok(records.judge_key(&self.key)),
            RecordAnswer::Unavailable(trouble) => Err(trouble),
        }
    }
}

impl DkimRules {
    /// The rules, with all keys read: those systemd handed over (`credentials`) stand for the files of `dkim.dir`. Nothing
    /// where the configuration does not want mail to be signed. Refuses them all when one cannot be trusted.
    ///
    /// # Errors
    ///
    /// [`FileError`] says which file, why, and the command that repairs it.
    pub fn load(config: &Config, credentials: Option<&Path>) -> Result<Option<DkimRules>, FileError> {
        if config.dkim.sign { DkimRules::read(config, credentials).map(Some) } else { Ok(None) }
    }

    /// The same whether or not mail is signed: for whoever looks at the keys.
    ///
    /// # Errors
    ///
    /// As for [`DkimRules::load`].
    pub fn read(config: &Config, credentials: Option<&Path>) -> Result<DkimRules, FileError> {
        let Dkim { dir, tables, recipe, .. } = &config.dkim;
        let mut rules = DkimRules::new(recipe.clone());
        for DkimFile { domain, selector, key, .. } in files(dir, credentials)? {
            rules.add(Identity { domain, selector, agent: None, key });
        }
        rules.tables = tables.as_ref().map(|tables| Tables::load(tables, &config.server.hosted)).transpose()?;
        Ok(rules)
    }

    /// Rules without a key.
    pub fn new(recipe: Recipe) -> DkimRules {
        DkimRules { recipe, folder: HashMap::new(), tables: None }
    }

    /// Adds a key that signs all mail of its domain.
    pub fn add(&mut self, identity: Identity) {
        self.folder.entry(identity.domain.clone()).or_default().push(identity);
    }

    /// Who signs mail of this From address, each selector of a domain once; no more than receivers would look at.
    pub fn identities(&self, from: &AddrSpec) -> Vec<Identity> {
        let Some(author) = from.domain() else { return Vec::new() };
        let mut found: Vec<Identity> = self.folder.get(author).cloned().unwrap_or_default();
        for identity in self.tables.iter().flat_map(|tables| tables.identities(from, author)) {
            let is_known =
                found.iter().any(|known| (&known.domain, &known.selector) == (&identity.domain, &identity.selector));
            if !is_known {
                found.push(identity);
            }
        }
        found.truncate(limits::DKIM_SIGNATURES);
        found
    }

    /// All keys that can sign, by domain and selector.
    pub fn keys(&self) -> Vec<DkimKeyFacts> {
        let of_folder = self.folder.values().flatten().map(|identity| DkimKeyFacts {
            domain: identity.domain.clone(),
            selector: identity.selector.clone(),
            key: Arc::clone(&identity.key),
        });
        let mut keys: Vec<DkimKeyFacts> = of_folder.chain(self.tables.iter().flat_map(Tables::facts)).collect();
        keys.sort_by(|a, b| (&a.domain, &a.selector).cmp(&(&b.domain, &b.selector)));
        keys.dedup_by(|a, b| (&a.domain, &a.selector) == (&b.domain, &b.selector));
        keys
    }
}

/// The keys of the directory; one that does not exist holds none.
fn files(directory: &Path, credentials: Option<&Path>) -> Result<Vec<DkimFile>, FileError> {
    if let Some(credentials) = credentials {
        let handed_over = load_dkim(credentials, KeyPlace::Credentials)?;
        // systemd's copies stand for the files they were made of, which the daemon may not read.
        if !handed_over.is_empty() {
            return Ok(handed_over);
        }
    }
    match load_dkim(directory, KeyPlace::Ours) {
        Err(error) if error.is_absent() => Ok(Vec::new()),
        other => other,
    }
}

impl Tables {
    fn load(tables: &DkimTables, hosted: &HostedDomains) -> Result<Tables, FileError> {
        let keys = tables.keys().iter().map(|entry| EntryKey::load(entry, hosted)).collect::<Result<_, _>>()?;
        Ok(Tables { tables: tables.clone(), keys })
    }

    fn identities(&self, from: &AddrSpec, author: &Domain) -> Vec<Identity> {
        let identity = |choice: zi2_config::DkimChoice| {
            let entry = self.tables.keys().get(choice.key)?;
            Some(Identity {
                domain: entry.domain.clone().unwrap_or_else(|| author.clone()),
                selector: entry.selector.clone(),
                agent: choice.agent,
                key: Arc::clone(self.keys.get(choice.key)?.of(author)?),
            })
        };
        self.tables.choices(from).into_iter().filter_map(identity).collect()
    }

    fn facts(&self) -> Vec<DkimKeyFacts> {
        let mut facts = Vec::new();
        for (entry, key) in self.tables.keys().iter().zip(&self.keys) {
            let mut push = |domain: &Domain, key: &Arc<DkimSigningKey>| {
                let (domain, selector) = (domain.clone(), entry.selector.clone());
                facts.push(DkimKeyFacts { domain, selector, key: Arc::clone(key) });
            };
            match (key, &entry.domain) {
                (EntryKey::One(key), Some(domain)) => push(domain, key),
                // One key for whatever domain mail is from: which domains those are is in the SigningTable.
                (EntryKey::One(_), None) => {}
                (EntryKey::OfAuthor(keys), domain) => {
                    keys.iter().for_each(|(author, key)| push(domain.as_ref().unwrap_or(author), key));
                }
            }
        }
        facts
    }
}

impl EntryKey {
    fn load(entry: &DkimKeyEntry, hosted: &HostedDomains) -> Result<EntryKey, FileError> {
        match &entry.key {
            DkimKeyPlace::File(path) => load_dkim_file(path).map(Arc::new).map(EntryKey::One),
            DkimKeyPlace::FileOfAuthor(template) => {
                let mut keys = HashMap::new();
                for domain in hosted.iter() {
                    let path = PathBuf::from(template.replace('%', domain.as_str()));
                    match load_dkim_file(&path) {
                        Ok(key) => drop(keys.insert(domain.clone(), Arc::new(key))),
                        Err(error) if error.is_absent() => {} // a domain without a key is not signed
                        Err(error) => return Err(error),
                    }
                }
                Ok(EntryKey::OfAuthor(keys))
            }
            DkimKeyPlace::Inline(key) => {
                let path = entry.place.file().unwrap_or(Path::new("/"));
                check_dkim_table(path)?;
                let key = key.private_key();
                let key = key.map_err(|source| FileError::DkimContent { path: path.to_owned(), source })?;
                Ok(EntryKey::One(Arc::new(key)))
            }
        }
    }

    fn of(&self, author: &Domain) -> Option<&Arc<DkimSigningKey>> {
        match self {
            EntryKey::One(key) => Some(key),
            EntryKey::OfAuthor(keys) => keys.get(author),
        }
    }
}
