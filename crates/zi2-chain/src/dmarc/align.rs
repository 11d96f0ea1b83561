//! Whether an authenticated domain and the author domain belong together (RFC 9989 §4.4).

use zi2_mail::Domain;

use crate::limits;

use super::record::{Alignment, Record};
use super::result::{Aligned, Likeness, Method, Reason};
use super::walk::{Halt, Known, share_top, within};

/// The domains that SPF and DKIM authenticated.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identifiers {
    /// The MAIL FROM domain, if SPF passed for it. Never a HELO name: DMARC knows only the former (RFC 9989 §4.4.2).
    pub spf: Option<Domain>,
    /// The `d=` domains of DKIM signatures that passed.
    pub dkim: Vec<Domain>,
    /// Domains whose SPF or DKIM ended in a temporary error: for an aligned one among them the message cannot be said to
    /// fail.
    pub undecided: Vec<Domain>,
}

impl Identifiers {
    fn iter(&self) -> impl Iterator<Item = (Method, &Domain)> {
        let dkim = self.dkim.iter().map(|domain| (Method::Dkim, domain));
        self.spf.iter().map(|domain| (Method::Spf, domain)).chain(dkim)
    }
}

/// The first identifier that is aligned, if any; else why none is. The same domain needs no question.
pub(super) fn align(
    from: &Domain,
    record: &Record,
    identifiers: &Identifiers,
    known: &Known,
) -> Result<(Reason, Option<Aligned>), Halt> {
    if let Some((method, domain)) = identifiers.iter().find(|(_, domain)| *domain == from) {
        return Ok(passed(method, domain, Likeness::Identical));
    }
    let related = Related::of(from, record, identifiers);
    let organization = match related.organization(from, known) {
        Err(Halt::Trouble) => return Ok((Reason::Unanswered, None)),
        organization => organization?,
    };
    Ok(match related.same_organization(organization, known)? {
        Same::Yes(method, domain) => passed(method, domain, Likeness::SameOrganization),
        Same::Unanswered => (Reason::Unanswered, None),
        Same::No if related.undecided.iter().any(|domain| within(domain, organization)) => (Reason::Undecided, None),
        Same::No if identifiers.iter().next().is_none() => (Reason::NothingAuthenticated, None),
        Same::No => (Reason::NotAligned, None),
    })
}

/// The domains that could be of the author's organization.
struct Related<'a> {
    passed: Vec<(Method, &'a Domain)>,
    undecided: Vec<&'a Domain>,
}

enum Same<'a> {
    Yes(Method, &'a Domain),
    No,
    Unanswered,
}

impl<'a> Related<'a> {
    fn of(from: &Domain, record: &Record, identifiers: &'a Identifiers) -> Related<'a> {
        let kin = |domain: &Domain| share_top(domain, from);
        let relaxed = |method| mode(record, method) == Alignment::Relaxed;
        let any_relaxed = relaxed(Method::Spf) || relaxed(Method::Dkim);
        let undecided = identifiers.undecided.iter();
        Related {
            passed: identifiers.iter().filter(|(method, domain)| relaxed(*method) && kin(domain)).collect(),
            undecided: undecided.filter(|domain| *domain == from || any_relaxed && kin(domain)).collect(),
        }
    }

    /// The author's organizational domain, or the author domain where no other is in question.
    fn organization<'b>(&self, from: &'b Domain, known: &Known) -> Result<&'b str, Halt> {
        if self.passed.is_empty() && self.undecided.iter().all(|domain| *domain == from) {
            return Ok(from.as_str());
        }
        Ok(known.walk(from.as_str())?.organization)
    }

    /// Looks up only domains within the organization: an organizational domain is never beside or below its members, so
    /// what strangers sign with costs nothing. Those over [`limits::DMARC_WALKS`] count as not aligned: made up by a
    /// tenant to exhaust us, they must not turn a fail into an error.
    fn same_organization(&self, organization: &str, known: &Known) -> Result<Same<'a>, Halt> {
        let mut tried: Vec<&Domain> = Vec::new();
        let mut same = Same::No;
        for (method, domain) in self.passed.iter().filter(|(_, domain)| within(domain, organization)) {
            if tried.contains(domain) {
                continue;
            }
            if tried.len() == limits::DMARC_WALKS {
                break;
            }
            tried.push(domain);
            match known.walk(domain.as_str()) {
                Ok(walk) if walk.organization == organization => return Ok(Same::Yes(*method, domain)),
                Ok(_) => {}
                Err(Halt::Trouble) => same = Same::Unanswered,
                Err(halt) => return Err(halt),
            }
        }
        Ok(same)
    }
}

fn passed(method: Method, domain: &Domain, likeness: Likeness) -> (Reason, Option<Aligned>) {
    (Reason::Aligned, Some(Aligned { method, domain: domain.clone(), likeness }))
}

fn mode(record: &Record, method: Method) -> Alignment {
    match method {
        Method::Spf => record.aspf(),
        Method::Dkim => record.adkim(),
    }
}
