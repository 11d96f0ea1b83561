//! What DKIM2 signing goes by: keys by domain, what signatures say, and what is kept for further ones.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use zi2_config::{Config, Hidden};
use zi2_keys::{Dkim2Key, FileError, KeyPlace, Keyring, load_dkim2};
use zi2_mail::{Domain, Timestamp};
use zi2_sig::PublicKey;
use zi2_sig::dkim::Selector;
use zi2_sig::dkim2::{Binding, Draft, Flag, HashChoice, Identity, PrivateKey, SigningMember, Terms};

use crate::{DkimKeyFacts, DkimRules, limits};

/// What DKIM2 signing goes by. Built once per configuration; prints no key.
pub struct Dkim2Rules {
    /// The draft that is followed.
    pub draft: Draft,
    /// With what messages are hashed.
    pub hashes: HashChoice,
    /// What happens to messages with hidden recipients.
    pub hidden: Hidden,
    /// What each signature says of feedback.
    pub feedback: Option<Flag>,
    /// Whether each further signature says that there may be more copies.
    pub exploded: bool,
    keys: BTreeMap<Domain, Vec<(Selector, Dkim2Key)>>,
    /// By these our own egress side proves what it let pass.
    pub(super) certifiers: Vec<PublicKey>,
}

impl Dkim2Rules {
    /// The rules, with all keys read: those of DKIM, which sign alike, and those of `dkim2.dir`. Nothing where mail is not to
    /// be signed with DKIM2. Refuses them all when one cannot be trusted.
    ///
    /// # Errors
    ///
    /// [`FileError`] says which file, why, and the command that repairs it.
    pub fn load(config: &Config, ring: &Keyring, credentials: Option<&Path>) -> Result<Option<Dkim2Rules>, FileError> {
        if config.dkim2.sign { Dkim2Rules::read(config, ring, credentials).map(Some) } else { Ok(None) }
    }

    /// The same whether or not mail is signed: for whoever looks at the keys.
    ///
    /// # Errors
    ///
    /// As for [`Dkim2Rules::load`].
    pub fn read(config: &Config, ring: &Keyring, credentials: Option<&Path>) -> Result<Dkim2Rules, FileError> {
        let mut rules = Dkim2Rules::new(ring.public_keys().map(|(_, key)| key).collect());
        let settings = &config.dkim2;
        rules.draft = settings.draft;
        rules.hashes = settings.hashes;
        rules.hidden = settings.hidden;
        rules.feedback = settings.feedback;
        rules.exploded = settings.exploded;
        for key in DkimRules::read(config, credentials)?.keys() {
            rules.add_dkim(key);
        }
        for file in own_keys(&settings.dir, credentials)? {
            rules.add(file.domain, file.selector, file.key);
        }
        Ok(rules)
    }

    /// Rules without a key that signs; `certifiers` are our own keys of the certification.
    pub fn new(certifiers: Vec<PublicKey>) -> Dkim2Rules {
        Dkim2Rules {
            draft: Draft::default(),
            hashes: HashChoice::default(),
            hidden: Hidden::Skip,
            feedback: None,
            exploded: true,
            keys: BTreeMap::new(),
            certifiers,
        }
    }

    /// Adds a key of DKIM.
    pub fn add_dkim(&mut self, key: DkimKeyFacts) {
        self.add(key.domain, key.selector, Dkim2Key::Dkim(key.key));
    }

    /// Adds a key. A selector that is there stays: its record holds one key.
    pub fn add(&mut self, domain: Domain, selector: Selector, key: Dkim2Key) {
        let keys = self.keys.entry(domain).or_default();
        if keys.len() < limits::DKIM2_MEMBERS && keys.iter().all(|(known, _)| *known != selector) {
            keys.push((selector, key));
        }
    }

    /// Whose mail can be signed.
    pub fn domains(&self) -> impl ExactSizeIterator<Item = &Domain> {
        self.keys.keys()
    }

    /// Domains with keys at or above a domain, the nearest first.
    pub(super) fn above<'r>(&'r self, domain: &Domain) -> Vec<&'r Domain> {
        let mut above: Vec<_> = self.keys.keys().filter(|ours| domain.is_within(ours)).collect();
        above.sort_by_key(|ours| std::cmp::Reverse(ours.as_str().len()));
        above
    }

    /// Who signs as a domain; each key an alternative of its own, since not every verifier knows all algorithms.
    pub(super) fn identity(&self, domain: &Domain, random: [u8; 32]) -> Option<Identity> {
        let keys = self.keys.get(domain)?;
        let member = |(selector, key): &(Selector, Dkim2Key)| {
            let key = match key {
                Dkim2Key::Dkim(key) => PrivateKey::Dkim(Arc::clone(key)),
                Dkim2Key::MlDsa(key) => PrivateKey::MlDsa(Arc::clone(key), random),
            };
            vec![SigningMember { selector: selector.clone(), key }]
        };
        Some(Identity { domain: domain.clone(), groups: keys.iter().map(member).collect() })
    }

    pub(super) fn terms(&self, binding: Binding, now: Timestamp) -> Terms {
        let flags = self.feedback.into_iter().collect();
        Terms { draft: self.draft, now, binding, flags, nonce: None, hashes: self.hashes }
    }
}

/// The keys that sign DKIM2 alone; a directory that does not exist holds none.
fn own_keys(directory: &Path, credentials: Option<&Path>) -> Result<Vec<OwnKey>, FileError> {
    let of_files = |files: Vec<zi2_keys::DkimFile<Dkim2Key>>| -> Vec<OwnKey> {
        let own = |file: zi2_keys::DkimFile<Dkim2Key>| {
            Some(OwnKey { domain: file.domain, selector: file.selector, key: Arc::into_inner(file.key)? })
        };
        files.into_iter().filter_map(own).collect()
    };
    if let Some(credentials) = credentials {
        let handed_over = load_dkim2(credentials, KeyPlace::Credentials)?;
        if !handed_over.is_empty() {
            return Ok(of_files(handed_over));
        }
    }
    match load_dkim2(directory, KeyPlace::Ours) {
        Err(error) if error.is_absent() => Ok(Vec::new()),
        files => files.map(of_files),
    }
}

struct OwnKey {
    domain: Domain,
    selector: Selector,
    key: Dkim2Key,
}
