//! The DNS tree walk: which names are asked for a domain, and its organizational domain from what was found.

use zi2_mail::Domain;

use crate::limits;
use crate::{Answer, DnsName, Question};

use super::record::{Psd, Record, RecordError};

/// What stands at one name.
#[derive(Clone, Debug)]
pub(super) enum Found {
    Record(Box<Record>),
    Nothing { name_exists: bool },
    Several,
    Bad(RecordError),
    Trouble,
}

/// Why a conclusion cannot be drawn yet, or not at all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Halt {
    Ask(Question),
    AwaitIdentifiers,
    Trouble,
}

/// What stands at the names asked so far, shared by all walks of a message. A few dozen at most: a list is fast enough.
#[derive(Clone, Debug, Default)]
pub(super) struct Known(Vec<(Box<str>, Found)>);

/// Where a walk came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Walk<'a> {
    pub(super) organization: &'a str,
    /// The public suffix that said so.
    pub(super) suffix: Option<&'a str>,
}

impl Found {
    /// § RFC 9989 §4.10 step 2: what is not of this version does not count, and of several records none does.
    pub(super) fn of(answer: &Answer) -> Found {
        let records = match answer {
            Answer::Txt(records) => records.as_slice(),
            Answer::NoSuchName => return Found::Nothing { name_exists: false },
            Answer::Trouble => return Found::Trouble,
            Answer::NoData | Answer::V4(_) | Answer::V6(_) | Answer::Mx(_) | Answer::Pointer(_) => &[],
        };
        let read = records.iter().map(|txt| Record::parse(txt));
        let mut dmarc = read.filter(|record| !matches!(record, Err(RecordError::NotDmarc)));
        match (dmarc.next(), dmarc.next()) {
            (None, _) => Found::Nothing { name_exists: true },
            (Some(Ok(record)), None) => Found::Record(Box::new(record)),
            (Some(Err(error)), None) => Found::Bad(error),
            (Some(_), Some(_)) => Found::Several,
        }
    }

    pub(super) fn record(&self) -> Option<&Record> {
        if let Found::Record(record) = self { Some(record) } else { None }
    }
}

impl Known {
    pub(super) fn learn(&mut self, name: &str, found: Found) {
        self.0.push((name.into(), found));
    }

    /// What stands at a name, or the question to ask. A name too long for a `_dmarc` below it has nothing there.
    pub(super) fn at(&self, name: &str) -> Result<&Found, Halt> {
        match (self.peek(name), DnsName::parse(&format!("{LABEL}{name}"))) {
            (Some(found), _) => Ok(found),
            (None, Ok(question)) => Err(Halt::Ask(Question::Txt(question))),
            (None, Err(_)) => Ok(&Found::Nothing { name_exists: false }),
        }
    }

    /// What stands at a name, if it was asked.
    pub(super) fn peek(&self, name: &str) -> Option<&Found> {
        self.0.iter().find(|(other, _)| **other == *name).map(|(_, found)| found)
    }

    /// What was found, in the order asked.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Found> {
        self.0.iter().map(|(_, found)| found)
    }

    /// § RFC 9989 §4.10.2: the organizational domain is one of those that have a valid record, looked at from the longest name
    /// to the shortest.
    pub(super) fn walk<'a>(&self, domain: &'a str) -> Result<Walk<'a>, Halt> {
        let mut walk = Walk { organization: domain, suffix: None };
        for name in targets(domain) {
            let psd = match self.at(name)? {
                Found::Record(record) => record.psd(),
                Found::Trouble => return Err(Halt::Trouble),
                Found::Nothing { .. } | Found::Several | Found::Bad(_) => continue,
            };
            walk.organization = name;
            match psd {
                Psd::Unsaid => {}
                Psd::Organization => break,
                // The domain where the walk began is excepted: a suffix that sends mail is its own organization.
                Psd::Suffix if name == domain => break,
                Psd::Suffix => {
                    walk = Walk { organization: child(domain, name), suffix: Some(name) };
                    break;
                }
            }
        }
        Ok(walk)
    }
}

/// The label below which policies stand.
pub(super) const LABEL: &str = "_dmarc.";

/// The names asked for a domain, at most [`limits::DMARC_WALK`]: itself, and its parents.
///
/// § RFC 9989 §4.10 step 4: of a domain with eight labels or more, the walk goes on with its last seven.
fn targets(domain: &str) -> impl Iterator<Item = &str> {
    let labels = domain.split('.').count();
    let parents = parents(domain).skip(labels.saturating_sub(limits::DMARC_WALK));
    std::iter::once(domain).chain(parents).take(limits::DMARC_WALK)
}

fn parents(domain: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(parent(domain), |name| parent(name))
}

fn parent(domain: &str) -> Option<&str> {
    domain.split_once('.').map(|(_, rest)| rest)
}

/// The domain one label below an ancestor, on the way to the domain.
fn child<'a>(domain: &'a str, ancestor: &str) -> &'a str {
    let way = std::iter::once(domain).chain(parents(domain));
    way.take_while(|name| *name != ancestor).last().unwrap_or(domain)
}

/// Whether a domain is an organization or stands below it.
pub(super) fn within(domain: &Domain, organization: &str) -> bool {
    let below = domain.as_str().strip_suffix(organization);
    below.is_some_and(|labels| labels.is_empty() || labels.ends_with('.'))
}

/// Whether two domains could have an ancestor in common: organizational domains are never above the top label.
pub(super) fn share_top(a: &Domain, b: &Domain) -> bool {
    a.as_str().rsplit('.').next() == b.as_str().rsplit('.').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_asked() {
        let asked = |domain| targets(domain).collect::<Vec<_>>().join(" ");
        assert_eq!(asked("com"), "com");
        assert_eq!(asked("a.mail.example.com"), "a.mail.example.com mail.example.com example.com com");
        assert_eq!(asked("7.6.5.4.3.2.1"), "7.6.5.4.3.2.1 6.5.4.3.2.1 5.4.3.2.1 4.3.2.1 3.2.1 2.1 1");
        let seven = "7.6.5.4.3.2.1 6.5.4.3.2.1 5.4.3.2.1 4.3.2.1 3.2.1 2.1 1";
        for long in ["8.7.6.5.4.3.2.1", "9.8.7.6.5.4.3.2.1", "a.9.8.7.6.5.4.3.2.1"] {
            assert_eq!(asked(long), format!("{long} {seven}"));
        }
    }

    #[test]
    fn relations() {
        let domain = |text| Domain::parse(text).unwrap();
        assert_eq!(child("a.mail.example.com", "com"), "example.com");
        assert_eq!(child("a.mail.example.com", "mail.example.com"), "a.mail.example.com");
        for (name, organization, wanted) in [
            ("example.com", "example.com", true),
            ("a.example.com", "example.com", true),
            ("badexample.com", "example.com", false),
            ("example.com", "a.example.com", false),
            ("com", "example.com", false),
        ] {
            assert_eq!(within(&domain(name), organization), wanted, "{name}");
        }
        assert!(share_top(&domain("a.com"), &domain("b.com")) && !share_top(&domain("a.com"), &domain("a.net")));
    }
}
