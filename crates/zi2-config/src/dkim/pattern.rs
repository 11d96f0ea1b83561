//! Patterns of From addresses, in the two ways of opendkim.conf(5): names that are looked up, or wildcards in order.

use std::collections::HashMap;

use zi2_mail::{AddrSpec, Domain};

/// How a table is searched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Matching {
    /// By names: `user@host`, `host`, `user@.domain`, `.domain`, `user@*`, `*`.
    Names,
    /// Each line is compared; a `*` stands for any characters (`refile:`).
    Wildcards,
}

/// The patterns of a table with the places of their lines.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Patterns {
    Names(HashMap<Box<str>, Vec<usize>>),
    Wildcards(Vec<(Box<str>, usize)>),
}

impl Patterns {
    pub(super) fn new(matching: Matching) -> Patterns {
        match matching {
            Matching::Names => Patterns::Names(HashMap::new()),
            Matching::Wildcards => Patterns::Wildcards(Vec::new()),
        }
    }

    pub(super) fn insert(&mut self, pattern: &str, line: usize) {
        let pattern = normalized(pattern);
        match self {
            Patterns::Names(names) => names.entry(pattern).or_default().push(line),
            Patterns::Wildcards(all) => all.push((pattern, line)),
        }
    }

    /// The lines that match, the closest name first, or wildcards in their order.
    pub(super) fn matching(&self, from: &AddrSpec) -> Vec<usize> {
        match self {
            Patterns::Names(names) => {
                let found = candidates(from).filter_map(|name| names.get(name.as_str()));
                found.flatten().copied().collect()
            }
            Patterns::Wildcards(all) => {
                let address = from.normalized();
                all.iter().filter(|(pattern, _)| is_match(pattern, address)).map(|(_, line)| *line).collect()
            }
        }
    }
}

/// § opendkim.conf(5), SigningTable: "the full user@host is checked first, then simply host, then user@.domain (with all
/// superdomains checked in sequence [...]), then .domain, then user@*, and finally *".
fn candidates(from: &AddrSpec) -> impl Iterator<Item = String> {
    let local = from.local();
    let domain = from.domain().map(Domain::as_str).unwrap_or_default();
    let above = domain.char_indices().filter(|(_, c)| *c == '.').filter_map(|(dot, _)| domain.get(dot..));
    let above: Vec<&str> = above.collect();
    let whole = [format!("{local}@{domain}"), domain.to_owned()].into_iter();
    let users = above.clone().into_iter().map(move |above| format!("{local}@{above}"));
    let domains = above.into_iter().map(str::to_owned);
    whole.chain(users).chain(domains).chain([format!("{local}@*"), "*".to_owned()])
}

/// The domain that a pattern is about, if it is one alone.
pub(super) fn domain_of(pattern: &str) -> Option<Domain> {
    let domain = pattern.rsplit_once('@').map_or(pattern, |(_, domain)| domain);
    Domain::parse(domain).ok()
}

/// As addresses are written: a domain in A-labels, letters in lower case.
fn normalized(pattern: &str) -> Box<str> {
    let written = match (pattern.rsplit_once('@'), domain_of(pattern)) {
        (Some((local, _)), Some(domain)) => format!("{local}@{domain}"),
        (None, Some(domain)) => domain.to_string(),
        (_, None) => pattern.to_owned(),
    };
    written.to_lowercase().into_boxed_str()
}

/// Whether a text is what a pattern stands for, from end to end. Goes back to the last star only, so that no pattern takes
/// more than its length times that of the text.
fn is_match(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars() {
        for (pattern, text, wanted) in [
            ("*", "", true),
            ("*", "a@b.example", true),
            ("*@b.example", "a@b.example", true),
            ("*@b.example", "a@xb.example", false),
            ("*@b.example", "a@b.example.evil", false),
            ("*@*.example", "a@b.example", true),
            ("a*@*b*", "a@b", true),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("a*b*c", "abbc", true),
            ("a*b*c", "acb", false),
            ("**a**", "xax", true),
            ("a@b", "a@b", true),
            ("a@b", "a@bc", false),
            ("a.c", "abc", false),
        ] {
            assert_eq!(is_match(pattern, text), wanted, "{pattern} {text}");
        }
    }

    /// The definition, for comparison: a star is any characters.
    fn matches_by_definition(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern, text) {
            ([b'*', rest @ ..], _) => {
                (0..=text.len()).any(|place| matches_by_definition(rest, text.get(place..).unwrap_or_default()))
            }
            ([first, pattern @ ..], [found, text @ ..]) => first == found && matches_by_definition(pattern, text),
            (pattern, text) => pattern.is_empty() && text.is_empty(),
        }
    }

    proptest::proptest! {
        #[test]
        fn stars_by_definition(pattern in "[ab*]{0,8}", text in "[ab]{0,8}") {
            let wanted = matches_by_definition(pattern.as_bytes(), text.as_bytes());
            assert_eq!(is_match(&pattern, &text), wanted, "{pattern} {text}");
        }
    }

    #[test]
    fn names_from_the_closest_to_the_widest() {
        let from = zi2_mail::parse_from(b"Ann@Foo.Example.com").unwrap();
        let names: Vec<String> = candidates(&from).collect();
        assert_eq!(
            names,
            [
                "ann@foo.example.com",
                "foo.example.com",
                "ann@.example.com",
                "ann@.com",
                ".example.com",
                ".com",
                "ann@*",
                "*"
            ]
        );
    }
}
