//! Who may be certified as whom (zi2.md §9): logins, networks and local users, and the domains they may send as.
//!
//! Refuses every domain that is not hosted here, whatever a rule says. Knows the From address only: the envelope is the
//! MTA's to check.

mod net;
mod own;
mod postfix;
pub(crate) mod table;

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use zi2_mail::{AddrSpec, Domain};

use crate::hosted::HostedDomains;
use crate::limits;
use crate::notice::Notice;
use crate::place::Place;
use crate::problem::Problems;

pub(crate) use table::{TableProblems, lines};

pub use net::{Network, NetworkError};
pub use table::TableFault;

/// The rules. One hash table: a question takes a few look-ups, however many rules there are.
#[derive(Clone, PartialEq, Debug)]
pub struct SenderMap {
    hosted: HostedDomains,
    own_domain: OwnDomain,
    rules: HashMap<(Subject, Target), Line>,
    /// The prefix lengths in use, so that an address is masked with these only.
    prefixes: BTreeSet<net::Prefix>,
    files: Vec<Arc<Path>>,
    /// How many rules there may be.
    most: usize,
}

/// Whether the login `user@domain` may send as its own domain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OwnDomain {
    /// It may, when the domain is hosted.
    Allowed,
    /// Only rules count.
    ByRuleOnly,
}

/// Who handed a message in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Submitter {
    /// An authenticated client: its login (`{auth_authen}`).
    Login(String),
    /// A client that did not authenticate: its address.
    Network(IpAddr),
    /// A local process, as with sendmail(1): its user, when known.
    Local(Option<String>),
}

/// Whether a submitter may send with a From address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SenderDecision {
    /// It may, by this rule.
    Allowed(SenderRule),
    /// It may not.
    Refused(SenderRefusal),
}

/// The rule that allows a sender.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SenderRule {
    /// `senders.own_domain`.
    OwnDomain,
    /// A line of a file.
    Line {
        /// The file.
        file: Arc<Path>,
        /// The line, counted from 1.
        line: u32,
    },
}

/// Why a sender is not allowed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SenderRefusal {
    /// The From domain is a literal such as `[192.0.2.1]`.
    #[error("the From address has no domain name")]
    NoDomain,
    /// The From domain is not hosted here.
    #[error("the From domain is not hosted here; server.hosted would say so")]
    NotHosted,
    /// No rule allows it.
    #[error("no rule lets this sender use the From domain; a line in senders.map would")]
    NoRule,
}

/// Whom a rule is about.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Subject {
    Login(Box<str>),
    /// `*@domain`.
    LoginsOf(Domain),
    AnyLogin,
    Network(Network),
    LocalUser(Box<str>),
    AnyLocal,
    /// A login that a Postfix table names.
    Owner(Box<str>),
    /// A mark: a Postfix table has this full address, so its `@domain` line does not count for it.
    Owned,
}

/// What a rule allows.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Target {
    Domain(Domain),
    /// One address, normalized.
    Address(Box<str>),
}

/// Where a rule stands: small, since there may be millions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Line {
    file: u32,
    line: u32,
}

impl SenderMap {
    /// A map without rules.
    pub fn new(hosted: HostedDomains, own_domain: OwnDomain) -> SenderMap {
        SenderMap {
            hosted,
            own_domain,
            rules: HashMap::new(),
            prefixes: BTreeSet::new(),
            files: Vec::new(),
            most: limits::RULES,
        }
    }

    /// The map of one text in our own form. The file is only named in messages.
    ///
    /// # Errors
    ///
    /// [`Problems`] names every line that is no rule.
    pub fn from_text(
        hosted: HostedDomains,
        own_domain: OwnDomain,
        file: &Path,
        text: &str,
    ) -> Result<SenderMap, Problems> {
        let (mut map, mut problems) = (SenderMap::new(hosted, own_domain), Problems::none());
        map.add_own(&Arc::from(file), text, &mut problems);
        if problems.is_empty() { Ok(map) } else { Err(problems) }
    }

    /// Adds the rules of a text in our own form. Lines with problems add nothing; all of them are reported.
    pub(crate) fn add_own(&mut self, file: &Arc<Path>, text: &str, problems: &mut Problems) -> Vec<Notice> {
        let mut unhosted = Unhosted { first: None, more: 0 };
        let number = self.file(file);
        own::read(text, &mut TableProblems::new(file, problems), |line, subject, target| {
            unhosted.look(self, file, line, &target);
            self.insert(subject, target, Line { file: number, line })
        });
        unhosted.notice().into_iter().collect()
    }

    /// Adds the lines of a text source of Postfix's `smtpd_sender_login_maps`. Lines that say nothing about a domain are
    /// skipped and counted: Postfix reads this file too, and it may say more than we need.
    pub(crate) fn add_postfix(&mut self, file: &Arc<Path>, text: &str, problems: &mut Problems) -> Vec<Notice> {
        let mut unhosted = Unhosted { first: None, more: 0 };
        let number = self.file(file);
        let mut faults = TableProblems::new(file, problems);
        let skipped = postfix::read(text, &mut faults, |line, subject, target| {
            unhosted.look(self, file, line, &target);
            self.insert(subject, target, Line { file: number, line })
        });
        let skipped = skipped.map(|(line, more)| Notice::NotImported { place: at(file, line), more });
        unhosted.notice().into_iter().chain(skipped).collect()
    }

    /// Whether a submitter may send with this From address.
    pub fn allows(&self, submitter: &Submitter, from: &AddrSpec) -> SenderDecision {
        let Some(domain) = from.domain() else { return SenderDecision::Refused(SenderRefusal::NoDomain) };
        if !self.hosted.contains(domain) {
            return SenderDecision::Refused(SenderRefusal::NotHosted);
        }
        let wanted =
            Wanted { address: Target::Address(from.normalized().into()), domain: Target::Domain(domain.clone()) };
        let rule = match submitter {
            Submitter::Login(login) => self.login_rule(login, &wanted),
            Submitter::Network(address) => self.network_rule(*address, &wanted),
            Submitter::Local(user) => self.local_rule(user.as_deref(), &wanted),
        };
        rule.map_or(SenderDecision::Refused(SenderRefusal::NoRule), SenderDecision::Allowed)
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there is no rule.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    fn login_rule(&self, login: &str, wanted: &Wanted) -> Option<SenderRule> {
        if login.is_empty() {
            return None; // nobody: not even `login *` means it
        }
        let login = login_key(login);
        let home = login_domain(&login);
        let own =
            self.own_domain == OwnDomain::Allowed && home.clone().map(Target::Domain).as_ref() == Some(&wanted.domain);
        if own {
            return Some(SenderRule::OwnDomain);
        }
        self.rule(Subject::Login(login.clone()), wanted)
            .or_else(|| self.rule(Subject::LoginsOf(home?), wanted))
            .or_else(|| self.rule(Subject::AnyLogin, wanted))
            .or_else(|| self.owner_rule(login, wanted))
    }

    /// § Postfix postconf(5), smtpd_sender_login_maps: the first key that is found decides, the full address first.
    fn owner_rule(&self, login: Box<str>, wanted: &Wanted) -> Option<SenderRule> {
        let is_owned = self.rules.contains_key(&(Subject::Owned, wanted.address.clone()));
        let target = if is_owned { &wanted.address } else { &wanted.domain };
        self.at((Subject::Owner(login), target.clone()))
    }

    fn network_rule(&self, address: IpAddr, wanted: &Wanted) -> Option<SenderRule> {
        let networks = self.prefixes.iter().rev().filter_map(|prefix| Network::around(address, *prefix));
        networks.into_iter().find_map(|network| self.rule(Subject::Network(network), wanted))
    }

    fn local_rule(&self, user: Option<&str>, wanted: &Wanted) -> Option<SenderRule> {
        let own = user.and_then(|user| self.rule(Subject::LocalUser(user.into()), wanted));
        own.or_else(|| self.rule(Subject::AnyLocal, wanted))
    }

    fn rule(&self, subject: Subject, wanted: &Wanted) -> Option<SenderRule> {
        let by_domain = self.at((subject.clone(), wanted.domain.clone()));
        by_domain.or_else(|| self.at((subject, wanted.address.clone())))
    }

    fn at(&self, key: (Subject, Target)) -> Option<SenderRule> {
        let Line { file, line } = *self.rules.get(&key)?;
        let file = self.files.get(usize::try_from(file).ok()?)?;
        Some(SenderRule::Line { file: Arc::clone(file), line })
    }

    fn file(&mut self, file: &Arc<Path>) -> u32 {
        self.files.push(Arc::clone(file));
        u32::try_from(self.files.len() - 1).unwrap_or(u32::MAX)
    }

    /// The first of two equal rules is kept. Refuses more than there is room for.
    fn insert(&mut self, subject: Subject, target: Target, line: Line) -> Result<(), TableFault> {
        if self.rules.len() >= self.most {
            return Err(TableFault::TooMany(self.most));
        }
        if let Subject::Network(network) = &subject {
            self.prefixes.insert(network.prefix());
        }
        self.rules.entry((subject, target)).or_insert(line);
        Ok(())
    }
}

/// A From address in the two ways a rule can name it.
struct Wanted {
    address: Target,
    domain: Target,
}

/// Rules about domains that are not hosted: the first, and how many more.
struct Unhosted {
    first: Option<(Place, String)>,
    more: usize,
}

impl Unhosted {
    fn look(&mut self, map: &SenderMap, file: &Arc<Path>, line: u32, target: &Target) {
        match (target.domain(), &self.first) {
            (Some(domain), _) if map.hosted.contains(&domain) => {}
            (_, Some(_)) => self.more = self.more.saturating_add(1),
            (_, None) => self.first = Some((at(file, line), target.to_string())),
        }
    }

    fn notice(self) -> Option<Notice> {
        self.first.map(|(place, target)| Notice::NotHosted { place, target, more: self.more })
    }
}

fn at(file: &Arc<Path>, line: u32) -> Place {
    Place::At { path: Arc::clone(file), line, column: 1 }
}

impl Target {
    /// Reads `domain`, `@domain` or `local@domain`.
    fn parse(word: &str) -> Result<Target, TableFault> {
        let domain = match word.split_once('@') {
            None => word,
            Some(("", domain)) => domain,
            Some(_) => {
                let address =
                    zi2_mail::parse_envelope_address(word.as_bytes()).filter(|address| address.domain().is_some());
                let address = address.ok_or_else(|| TableFault::Address(word.to_owned()))?;
                return Ok(Target::Address(address.normalized().into()));
            }
        };
        Domain::parse(domain).map(Target::Domain).map_err(|error| TableFault::Domain(word.to_owned(), error))
    }

    fn domain(&self) -> Option<Domain> {
        match self {
            Target::Domain(domain) => Some(domain.clone()),
            Target::Address(address) => address.rsplit_once('@').and_then(|(_, domain)| Domain::parse(domain).ok()),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Domain(domain) => domain.fmt(f),
            Target::Address(address) => address.fmt(f),
        }
    }
}

impl fmt::Display for SenderRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SenderRule::OwnDomain => f.write_str("senders.own_domain"),
            SenderRule::Line { file, line } => write!(f, "{}:{line}", file.display()),
        }
    }
}

/// Logins are compared as Postfix compares them: letters of either case are one.
fn login_key(login: &str) -> Box<str> {
    login.to_ascii_lowercase().into_boxed_str()
}

/// The domain of a login `user@domain`. Refuses two @: which of them counts is a question of who asks.
fn login_domain(login: &str) -> Option<Domain> {
    let (user, domain) = login.split_once('@')?;
    if user.is_empty() { None } else { Domain::parse(domain).ok() }
}

#[cfg(test)]
mod tests;
