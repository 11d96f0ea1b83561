//! The client: its address, and its names as far as their addresses confirm them (RFC 7208 §5.5).
//!
//! Names are looked up once for a whole check: `ptr` and `%{p}` mean the same ones.

use std::net::IpAddr;

use super::batch::{Batch, Reply};
use crate::dns::{Answer, DnsName, Question};
use crate::limits::SPF_CLIENT_NAMES;

/// The client's address and what is known of its names.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) address: IpAddr,
    names: Names,
}

#[derive(Debug)]
enum Names {
    NotAsked,
    Known(KnownNames),
}

/// Names that were looked up.
#[derive(Debug)]
pub(super) struct KnownNames {
    /// In the order DNS gave them.
    pub(super) validated: Vec<DnsName>,
    /// DNS had no name for the address.
    pub(super) void: bool,
}

impl Client {
    /// § 5: an IPv4-mapped address is an IPv4 address.
    pub(super) const fn new(address: IpAddr) -> Client {
        Client { address: address.to_canonical(), names: Names::NotAsked }
    }

    /// What is asked for the addresses of a host: those of the client's family.
    pub(super) const fn question(&self, host: DnsName) -> Question {
        match self.address {
            IpAddr::V4(_) => Question::V4(host),
            IpAddr::V6(_) => Question::V6(host),
        }
    }

    /// Its names, if they have been asked for.
    pub(super) const fn names(&self) -> Option<&KnownNames> {
        match &self.names {
            Names::NotAsked => None,
            Names::Known(names) => Some(names),
        }
    }

    /// Takes the names of the address: gives the names whose addresses must be asked for. § 5.5: an error is no name.
    pub(super) fn take_names(&mut self, answer: &Answer) -> Vec<DnsName> {
        let reply = answer.client_names();
        self.names = Names::Known(KnownNames { validated: Vec::new(), void: reply == Reply::Void });
        match reply {
            // § 4.6.4: names beyond the first ten are ignored.
            Reply::Values(names) => names.iter().take(SPF_CLIENT_NAMES).cloned().collect(),
            Reply::Void | Reply::Trouble => Vec::new(),
        }
    }

    /// Takes the addresses of those names. § 5.5: a name with an error is skipped.
    pub(super) fn take_addresses(&mut self, batch: &Batch) {
        let confirmed = |answer: &Answer| match answer.addresses(self.address) {
            Reply::Values(addresses) => addresses.contains(&self.address),
            Reply::Void | Reply::Trouble => false,
        };
        let names = batch.questions().zip(batch.answers()).filter_map(|(question, answer)| match question {
            Question::V4(name) | Question::V6(name) if confirmed(answer) => Some(name.clone()),
            _ => None,
        });
        let validated = names.collect();
        self.names = Names::Known(KnownNames { validated, void: false });
    }
}

impl KnownNames {
    /// § 7.3 on `p`: the domain itself, else a name below it, else any.
    pub(super) fn best_for(&self, domain: &DnsName) -> Option<&DnsName> {
        let itself = self.validated.iter().find(|name| *name == domain);
        itself.or_else(|| self.validated.iter().find(|name| is_within(name, domain))).or(self.validated.first())
    }

    /// § 5.5: whether a name is the target or ends in it.
    pub(super) fn any_within(&self, target: &DnsName) -> bool {
        self.validated.iter().any(|name| is_within(name, target))
    }
}

fn is_within(name: &DnsName, domain: &DnsName) -> bool {
    name.as_str().strip_suffix(domain.as_str()).is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(texts: &[&str]) -> Vec<DnsName> {
        texts.iter().map(|text| DnsName::parse(text).unwrap()).collect()
    }

    #[test]
    fn best_name() {
        for (validated, wanted) in [
            (&["x.other.example", "mx.good.example", "good.example"][..], Some("good.example")),
            (&["x.other.example", "notgood.example", "mx.good.example", "a.good.example"], Some("mx.good.example")),
            (&["x.other.example", "notgood.example"], Some("x.other.example")),
            (&[], None),
        ] {
            let known = KnownNames { validated: names(validated), void: false };
            let domain = DnsName::parse("good.example").unwrap();
            assert_eq!(known.best_for(&domain).map(DnsName::as_str), wanted);
            assert_eq!(known.any_within(&domain), wanted.is_some_and(|name| name.ends_with("good.example")));
        }
    }

    #[test]
    fn names_beyond_the_limit_are_ignored() {
        let many: Vec<String> = (0..=SPF_CLIENT_NAMES).map(|number| format!("n{number}.example")).collect();
        let many = names(&many.iter().map(String::as_str).collect::<Vec<_>>());
        for count in [SPF_CLIENT_NAMES, SPF_CLIENT_NAMES + 1] {
            let mut client = Client::new("192.0.2.1".parse().unwrap());
            let asked = client.take_names(&Answer::Pointer(many.iter().take(count).cloned().collect()));
            assert_eq!(asked, many[..SPF_CLIENT_NAMES]);
        }
    }
}
