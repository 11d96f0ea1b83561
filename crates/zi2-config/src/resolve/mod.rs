//! Resolving: checked values, defaults and the tables they name become a [`Config`].
//!
//! Looks at the rest when one thing is wrong, so that all problems are reported at once; builds only when nothing is.

mod build;
mod choices;
mod values;

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zi2_mail::{Domain, HostName};
use zi2_sig::Kid;

use crate::config::{ChainMode, Config, IngressMode, KeySource, Keys, Loaded};
use crate::dkim::{DkimTables, TablePath, TableTexts};
use crate::hosted::{self, HostedDomains};
use crate::limits;
use crate::listen::Listen;
use crate::notice::Notice;
use crate::origins::Origins;
use crate::place::Place;
use crate::problem::{Fault, Problems};
use crate::read::{self, Content, Paths, directory_has, full_name, read_text};
use crate::senders::{OwnDomain, SenderMap};
use values::Values;

pub(crate) fn load(
    paths: &Paths,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Loaded, Problems> {
    let (mut notices, mut problems) = (Vec::new(), Problems::none());
    let written = read::read(paths, environment, &mut notices, &mut problems);
    if written.incomplete {
        return Err(problems); // what is missing may stand in the file that cannot be read
    }
    let mut resolver = Resolver { values: Values::new(&written), paths, notices, problems };
    let loaded = resolver.load();
    let Resolver { notices, mut problems, .. } = resolver;
    match loaded {
        Ok(Some((config, origins))) if problems.is_empty() => return Ok(Loaded { config, origins, notices }),
        Ok(_) => {}
        Err(Bug(setting)) => problems.push(Place::Setting("zi2.toml"), Fault::Bug(setting)),
    }
    Err(problems)
}

/// A contradiction between the table of settings and the code, about this setting.
struct Bug(String);

/// What more than one value decides.
struct Found {
    sid: HostName,
    hosted: HostedDomains,
    senders: SenderMap,
    keys: Keys,
    tables: Option<DkimTables>,
}

struct Resolver<'a> {
    values: Values<'a>,
    paths: &'a Paths,
    notices: Vec<Notice>,
    problems: Problems,
}

impl Resolver<'_> {
    /// `None`: problems were found.
    fn load(&mut self) -> Result<Option<(Config, Origins)>, Bug> {
        match self.find()? {
            Some(found) if self.problems.is_empty() => {
                let config = build::config(&mut self.values, found)?;
                Ok(Some((config, self.values.origins()?)))
            }
            _ => Ok(None),
        }
    }

    fn find(&mut self) -> Result<Option<Found>, Bug> {
        let sid = self.sid()?;
        let hosted = self.hosted()?;
        let senders = self.senders(&hosted)?;
        let tables = self.dkim_tables(&hosted)?;
        let keys = self.keys()?;
        self.listeners(&hosted)?;
        self.sealers()?;
        self.dkim2()?;
        Ok(sid.map(|sid| Found { sid, hosted, senders, keys, tables }))
    }

    fn sid(&mut self) -> Result<Option<HostName>, Bug> {
        if let Some(sid) = self.values.optional("server", "sid")? {
            return Ok(Some(sid));
        }
        if self.values.is_faulty("server", "sid") {
            return Ok(None); // said already
        }
        match full_name(self.paths) {
            Ok(name) => {
                self.values.derive("server", "sid", name.clone());
                Ok(Some(name))
            }
            Err(fault) => {
                self.problems.push(Place::Setting("server.sid"), fault);
                Ok(None)
            }
        }
    }

    fn hosted(&mut self) -> Result<HostedDomains, Bug> {
        let mut domains: Vec<Domain> = self.values.get("server", "hosted")?;
        let file: PathBuf = self.values.get("server", "hosted_file")?;
        if let Some((path, text)) = self.table("server", "hosted_file", file) {
            domains.extend(hosted::read(&path, &text, &mut self.problems));
        }
        Ok(HostedDomains::new(domains))
    }

    fn senders(&mut self, hosted: &HostedDomains) -> Result<SenderMap, Bug> {
        let own_domain =
            if self.values.get("senders", "own_domain")? { OwnDomain::Allowed } else { OwnDomain::ByRuleOnly };
        let mut map = SenderMap::new(hosted.clone(), own_domain);
        for file in self.values.get::<Vec<PathBuf>>("senders", "map")? {
            if let Some((path, text)) = self.table("senders", "map", file) {
                self.notices.extend(map.add_own(&path, &text, &mut self.problems));
            }
        }
        for file in self.values.get::<Vec<PathBuf>>("senders", "postfix_maps")? {
            if let Some((path, text)) = self.table("senders", "postfix_maps", file) {
                self.notices.extend(map.add_postfix(&path, &text, &mut self.problems));
            }
        }
        Ok(map)
    }

    fn dkim_tables(&mut self, hosted: &HostedDomains) -> Result<Option<DkimTables>, Bug> {
        let keys: Option<TablePath> = self.values.optional("dkim", "key_table")?;
        let signing: Option<TablePath> = self.values.optional("dkim", "signing_table")?;
        let (keys, signing) = match (keys, signing) {
            (Some(keys), Some(signing)) => (keys, signing),
            (None, None) => return Ok(None),
            (Some(_), None) => {
                self.one_table("dkim.signing_table", "signing_table", "dkim.key_table");
                return Ok(None);
            }
            (None, Some(_)) => {
                self.one_table("dkim.key_table", "key_table", "dkim.signing_table");
                return Ok(None);
            }
        };
        let matching = signing.matching;
        let keys = self.table("dkim", "key_table", keys.path);
        let signing = self.table("dkim", "signing_table", signing.path);
        let (Some((keys, key_text)), Some((signing, signing_text))) = (keys, signing) else { return Ok(None) };
        let texts = TableTexts { keys: (&keys, &key_text), signing: (&signing, &signing_text, matching) };
        let (tables, notices) = DkimTables::read(&texts, hosted, &mut self.problems);
        self.notices.extend(notices);
        Ok(Some(tables))
    }

    /// One of two tables that need each other. A faulty one has been reported.
    fn one_table(&mut self, missing: &'static str, key: &str, named: &'static str) {
        if !self.values.is_faulty("dkim", key) {
            self.problems.push(Place::Setting(missing), Fault::OneTable(named));
        }
    }

    /// The text of a table. Only the default one may be absent.
    fn table(&mut self, section: &str, key: &str, file: PathBuf) -> Option<(Arc<Path>, String)> {
        let path: Arc<Path> = Arc::from(file);
        match read_text(&path, limits::TABLE_OCTETS) {
            Ok(Content::Text(text)) => return Some((path, text)),
            Ok(Content::Absent) if self.values.is_default(section, key) => {}
            Ok(Content::Absent) => self.problems.push(Place::File(path), Fault::Missing),
            Err(problem) => self.problems.add(*problem),
        }
        None
    }

    fn keys(&mut self) -> Result<Keys, Bug> {
        let (dir, kid): (PathBuf, Option<Kid>) =
            (self.values.get("keys", "dir")?, self.values.optional("keys", "kid")?);
        let product = self.paths.product_keys.join("zi2-cert.key");
        if directory_has(&dir, "key") || !product.exists() {
            return Ok(Keys { source: KeySource::Directory(dir), kid });
        }
        self.notices.push(Notice::ProductKey(product.clone()));
        let public = self.paths.product_keys.join("zi2-cert.pub");
        let kid = kid.or_else(|| kid_in(&public));
        let certifies = !self.values.get::<Vec<Listen>>("egress", "listen")?.is_empty();
        if kid.is_none() && certifies && !self.values.is_faulty("keys", "kid") {
            self.problems.push(Place::Setting("keys.kid"), Fault::NoKid(public.display().to_string()));
        }
        Ok(Keys { source: KeySource::ProductFile(product), kid })
    }

    fn listeners(&mut self, hosted: &HostedDomains) -> Result<(), Bug> {
        let mut seen: HashSet<Listen> = HashSet::new();
        for (section, name) in [("egress", "egress.listen"), ("ingress", "ingress.listen"), ("dkim2", "dkim2.listen")] {
            let listeners: Vec<Listen> = self.values.get(section, "listen")?;
            if section == "egress" && !listeners.is_empty() && hosted.is_empty() {
                self.notices.push(Notice::NothingHosted);
            }
            for listen in listeners {
                if listen.is_beyond_host() {
                    self.notices.push(Notice::BeyondHost(name, listen.clone()));
                }
                let any_port = matches!(&listen, Listen::Inet(address) if address.port() == 0);
                if !any_port && !seen.insert(listen.clone()) {
                    let place = self.values.place(section, "listen").unwrap_or(Place::Setting(name));
                    self.problems.push(place, Fault::ListenerTwice(listen.to_string()));
                }
            }
        }
        Ok(())
    }

    /// Settings that do nothing without others.
    fn dkim2(&mut self) -> Result<(), Bug> {
        let sign: bool = self.values.get("dkim2", "sign")?;
        let listens = |section| Ok::<_, Bug>(!self.values.get::<Vec<Listen>>(section, "listen")?.is_empty());
        let (departs, arrives, returns) = (listens("egress")?, listens("ingress")?, listens("dkim2")?);
        if sign && !departs && !returns {
            self.notices
                .push(Notice::Dkim2Unused("dkim2.sign", "neither egress.listen nor dkim2.listen names a listener"));
        }
        if returns && !sign {
            self.notices.push(Notice::Dkim2Unused("dkim2.listen", "dkim2.sign is false"));
        }
        if self.values.get("dkim2", "forward")? {
            if !sign {
                self.notices.push(Notice::Dkim2Unused("dkim2.forward", "dkim2.sign is false"));
            } else if !arrives {
                self.notices.push(Notice::Dkim2Unused("dkim2.forward", "ingress.listen names no listener"));
            } else if !returns {
                self.notices.push(Notice::Dkim2Unused("dkim2.forward", "dkim2.listen names no listener"));
            } else if self.values.word("chain", "mode", choices::CHAIN_MODE)? == ChainMode::Off {
                self.notices
                    .push(Notice::Dkim2Unused("dkim2.forward", "chain.mode is off: nothing that arrives is verified"));
            } else if self.values.word("ingress", "mode", choices::INGRESS_MODE)? == IngressMode::Monitor {
                self.notices.push(Notice::Dkim2Unused("dkim2.forward", "ingress.mode is monitor: no message is named"));
            }
        }
        Ok(())
    }

    fn sealers(&mut self) -> Result<(), Bug> {
        let mode = self.values.word("chain", "mode", choices::CHAIN_MODE)?;
        if mode == ChainMode::Off && !self.values.get::<Vec<Domain>>("chain", "trusted_sealers")?.is_empty() {
            self.notices.push(Notice::SealersUnused);
        }
        Ok(())
    }
}

/// The identifier that a public key file mentions, as a comment or as the name in a record.
fn kid_in(path: &Path) -> Option<Kid> {
    let Ok(Content::Text(text)) = read_text(&Arc::from(path), limits::FILE_OCTETS) else { return None };
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).find_map(|word| Kid::parse(word).ok())
}
