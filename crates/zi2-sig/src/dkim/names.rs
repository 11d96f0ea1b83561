//! Names in a signature: the selector, the name of its key, and on whose behalf it was made.

use std::fmt;

use zi2_mail::Domain;
use zi2_mail::limits::{DOMAIN_OCTETS, LABEL_OCTETS};

/// A selector, `s=` (RFC 6376 §3.1), as A-labels in lower case.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Selector(Box<str>);

/// Why a text is no selector.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a selector is made of labels of letters, digits, hyphens and underscores, joined by dots")]
pub struct SelectorError;

impl Selector {
    /// Reads a selector, with A-labels or U-labels (RFC 8616 §5) in any case.
    ///
    /// # Errors
    /// [`SelectorError`] for everything that DNS labels do not hold. Underscores are beyond RFC 6376, and in use.
    pub fn parse(text: &str) -> Result<Selector, SelectorError> {
        if text.contains('_') {
            let fits = |label: &str| {
                (1..=LABEL_OCTETS).contains(&label.len())
                    && label.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_'))
            };
            let good = text.len() <= DOMAIN_OCTETS && text.split('.').all(fits);
            return if good { Ok(Selector(text.to_ascii_lowercase().into())) } else { Err(SelectorError) };
        }
        Domain::parse(text).map(|name| Selector(name.as_str().into())).map_err(|_| SelectorError)
    }

    /// The selector as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The DNS name at which a signature's key is published (RFC 6376 §3.6.2.1): made of checked labels only, at most 253 octets.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct KeyName(Box<str>);

impl KeyName {
    /// The name; nothing if it is longer than DNS carries.
    pub fn new(selector: &Selector, domain: &Domain) -> Option<KeyName> {
        let name = [selector.as_str(), "._domainkey.", domain.as_str()].concat();
        (name.len() <= DOMAIN_OCTETS).then(|| KeyName(name.into()))
    }

    /// The name without a final dot, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// On whose behalf a signature was made, `i=`. Only the domain is checked: what is before the `@` is an opaque word.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Agent {
    local: Box<str>,
    domain: Domain,
}

impl Agent {
    /// Reads the value of `i=`: DKIM-Quoted-Printable (RFC 6376 §2.11), or UTF-8 (RFC 8616 §5).
    pub fn parse(value: &[u8]) -> Option<Agent> {
        let text = String::from_utf8(unquote(value)?).ok()?;
        let (local, domain) = text.rsplit_once('@')?;
        let plain = !local.chars().any(char::is_control);
        plain.then_some(Agent { local: local.into(), domain: Domain::parse(domain).ok()? })
    }

    /// The agent a signature without `i=` has: anybody at the signing domain (RFC 6376 §3.5).
    pub fn of_domain(domain: Domain) -> Agent {
        Agent { local: Box::default(), domain }
    }

    /// What is before the `@`, decoded; it may hold any printable character.
    pub fn local(&self) -> &str {
        &self.local
    }

    /// The domain: the signing domain or one under it.
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// The value of `i=`, in DKIM-Quoted-Printable.
    pub fn quoted(&self) -> String {
        let mut quoted = String::with_capacity(self.local.len() + 1 + self.domain.as_str().len());
        for octet in self.local.bytes() {
            match octet {
                // § RFC 6376 §2.11: dkim-safe-char, and no "@", which would end the local part
                b'!'..=b'~' if !matches!(octet, b';' | b'=' | b'@') => quoted.push(char::from(octet)),
                _ => quoted.push_str(&format!("={octet:02X}")),
            }
        }
        quoted.push('@');
        quoted.push_str(self.domain.as_str());
        quoted
    }
}

/// Decodes DKIM-Quoted-Printable; white space goes, `=` wants two upper-case hexadecimal digits.
fn unquote(value: &[u8]) -> Option<Vec<u8>> {
    let mut octets = value.iter().filter(|octet| !matches!(octet, b' ' | b'\t' | b'\r' | b'\n'));
    let mut text = Vec::with_capacity(value.len());
    while let Some(octet) = octets.next() {
        match octet {
            b'=' => text.push(digit(*octets.next()?)? << 4 | digit(*octets.next()?)?),
            _ => text.push(*octet),
        }
    }
    Some(text)
}

fn digit(octet: u8) -> Option<u8> {
    match octet {
        b'0'..=b'9' => Some(octet - b'0'),
        b'A'..=b'F' => Some(octet - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_names_hold_checked_labels_only() {
        let name = |selector: &str, domain: &str| {
            KeyName::new(&Selector::parse(selector).ok()?, &Domain::parse(domain).ok()?).map(|name| name.to_string())
        };
        assert_eq!(name("S1.Mail", "Example.COM").as_deref(), Some("s1.mail._domainkey.example.com"));
        assert_eq!(name("a_b", "example.com").as_deref(), Some("a_b._domainkey.example.com"));
        assert_eq!(name("\u{e4}", "b\u{fc}.example").as_deref(), Some("xn--4ca._domainkey.xn--b-eha.example"));
        for bad in ["", ".", "a..b", "a b", "sel._domainkey.evil.\0.any", "a'b", "a_\u{e4}", "_\n", "a.", "-a"] {
            assert_eq!(name(bad, "example.com"), None, "{bad:?}");
        }
        // At the limit of DNS, and one above.
        let long = ["a".repeat(60), "a".repeat(60), "a".repeat(60), "a".repeat(56)].join("."); // 239 octets
        assert_eq!(name("s", &long).map(|name| name.len()), Some(252));
        assert_eq!(name("ss", &long).map(|name| name.len()), Some(253));
        assert_eq!(name("sss", &long), None);
    }

    #[test]
    fn agents() {
        for (value, expected) in [
            ("joe@sub.example.com", Some(("joe", "sub.example.com", "joe@sub.example.com"))),
            ("@EXAMPLE.com", Some(("", "example.com", "@example.com"))),
            ("a=3Bb=40c@example.com", Some(("a;b@c", "example.com", "a=3Bb=40c@example.com"))),
            ("j\r\n oe@example.com", Some(("joe", "example.com", "joe@example.com"))),
            ("\u{fc}@example.com", Some(("\u{fc}", "example.com", "=C3=BC@example.com"))),
            ("example.com", None),
            ("a@b@", None),
            ("a=4@example.com", None),
            ("a=0A@example.com", None),
            ("a=c3@example.com", None),
            ("a@example.com=40evil.example", Some(("a@example.com", "evil.example", "a=40example.com@evil.example"))),
            ("a@good.example'a.evil.example", None),
        ] {
            let agent = Agent::parse(value.as_bytes());
            let read = agent.as_ref().map(|agent| (agent.local(), agent.domain().as_str(), agent.quoted()));
            assert_eq!(read, expected.map(|(local, domain, quoted)| (local, domain, quoted.to_owned())), "{value}");
        }
    }
}
