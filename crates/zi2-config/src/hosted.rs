//! The domains hosted here.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use zi2_mail::Domain;

use crate::limits;
use crate::problem::Problems;
use crate::senders::{TableFault, TableProblems, lines};

/// The domains whose mail this server sends and receives. Holds exact names: a subdomain is another domain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostedDomains {
    domains: Arc<HashSet<Domain>>,
}

impl HostedDomains {
    /// These domains.
    pub fn new(domains: impl IntoIterator<Item = Domain>) -> HostedDomains {
        HostedDomains { domains: Arc::new(domains.into_iter().collect()) }
    }

    /// Whether a domain is hosted here.
    pub fn contains(&self, domain: &Domain) -> bool {
        self.domains.contains(domain)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.domains.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.domains.is_empty()
    }

    /// The domains, in no order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Domain> {
        self.domains.iter()
    }
}

/// Reads a file of domains: one a line, `#` starts a comment.
pub(crate) fn read(path: &Arc<Path>, text: &str, problems: &mut Problems) -> Vec<Domain> {
    read_at_most(limits::RULES, path, text, problems)
}

fn read_at_most(most: usize, path: &Arc<Path>, text: &str, problems: &mut Problems) -> Vec<Domain> {
    let mut domains = Vec::new();
    let mut faults = TableProblems::new(path, problems);
    for line in lines(text) {
        if faults.is_full() {
            break;
        }
        let mut words = line.words();
        let Some(word) = words.next() else { continue };
        if let Some(left_over) = words.next() {
            faults.push(line, left_over, TableFault::OneDomain(left_over.text.to_owned()));
            continue;
        }
        match Domain::parse(word.text) {
            Ok(_) if domains.len() == most => {
                faults.push(line, word, TableFault::TooManyDomains(most));
                break;
            }
            Ok(domain) => domains.push(domain),
            Err(error) => faults.push(line, word, TableFault::Domain(word.text.to_owned(), error)),
        }
    }
    domains
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_domain_a_line() {
        let path: Arc<Path> = Arc::from(Path::new("/hosted"));
        let mut problems = Problems::none();
        let text = "# ours\r\nExample.com # the first\r\n\n  b\u{fc}cher.example\nexample.org OK\n*.example.net\n";
        let hosted = HostedDomains::new(read(&path, text, &mut problems));
        assert_eq!(hosted.len(), 2);
        for (domain, here) in [("example.com", true), ("xn--bcher-kva.example", true), ("a.example.com", false)] {
            assert_eq!(hosted.contains(&Domain::parse(domain).unwrap()), here, "{domain}");
        }
        assert_eq!(
            problems.to_string(),
            "/hosted:5:13: a line of this file is one domain; \"OK\" is too much\n\
             /hosted:6:1: \"*.example.net\" is no domain: the domain holds octet 0x2a; letters, digits, hyphens and dots are \
             allowed"
        );
    }
    #[test]
    fn so_many_domains_and_no_more() {
        let path: Arc<Path> = Arc::from(Path::new("/hosted"));
        for (text, found) in [
            ("a.example\nb.example\n\n# no more\n", ""),
            (
                "a.example\nb.example\nc.example\nd.example\n",
                "/hosted:3:1: the file has more than 2 domains; the rest is not read",
            ),
        ] {
            let mut problems = Problems::none();
            assert_eq!(read_at_most(2, &path, text, &mut problems).len(), 2);
            assert_eq!(problems.to_string(), found);
        }
    }
}
