//! A path of the envelope, as `mf=` and `rt=` hold it (§ -08 8.1): the octets of the command, angle brackets included.

use std::fmt;

use zi2_mail::Domain;

use super::Brackets;
use crate::dkim2::failure::printable;

/// A path of the envelope. Two are equal if their local parts are octet by octet, and their domains as DNS compares them.
#[derive(Clone, Debug)]
pub struct Path {
    octets: Box<[u8]>,
    place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// `<>`.
    Null,
    /// A domain with a name. The number is that of the octets within the brackets up to the `@`, itself included.
    At(usize, Domain),
    /// An address literal, or no domain at all.
    Nameless,
}

impl Path {
    /// Reads what `mf=` or `rt=` holds.
    pub(super) fn parse(octets: Vec<u8>, brackets: Brackets) -> Option<Path> {
        let bracketed = octets.starts_with(b"<") && octets.ends_with(b">") && octets.len() > 1;
        let octets = match (bracketed, brackets) {
            (true, _) => octets,
            (false, Brackets::Required) => return None,
            (false, Brackets::Optional) => [b"<", octets.as_slice(), b">"].concat(),
        };
        let place = place_in(&octets)?;
        Some(Path { octets: octets.into(), place })
    }

    /// The path of a MAIL or RCPT command, with or without angle brackets; parameters after the bracket go. Octets that no
    /// path has equal no path of a signature.
    pub fn of_command(argument: &[u8]) -> Path {
        let argument = argument.trim_ascii();
        let octets = match (argument.first(), end_of_path(argument)) {
            (Some(b'<'), Some(end)) => argument.get(..=end).unwrap_or_default().to_vec(),
            _ => [b"<", argument, b">"].concat(),
        };
        let place = place_in(&octets).unwrap_or(Place::Nameless);
        Path { octets: octets.into(), place }
    }

    /// Whether it is the null sender.
    pub fn is_null(&self) -> bool {
        self.place == Place::Null
    }

    /// The domain, if there is one with a name.
    pub fn domain(&self) -> Option<&Domain> {
        match &self.place {
            Place::At(_, domain) => Some(domain),
            Place::Null | Place::Nameless => None,
        }
    }

    /// The octets with the domain as A-labels, which is how a signer writes them.
    pub(in crate::dkim2) fn with_a_labels(&self) -> Vec<u8> {
        match &self.place {
            Place::At(at, domain) if self.octets.get(*at..).is_some_and(|name| !name.is_ascii()) => {
                let local = self.octets.get(..=*at).unwrap_or_default();
                [local, domain.as_str().as_bytes(), b">"].concat()
            }
            _ => self.octets.to_vec(),
        }
    }

    /// Octets that equal paths have in common.
    pub(in crate::dkim2) fn canonical(&self) -> Vec<u8> {
        match &self.place {
            Place::At(at, domain) => {
                [self.octets.get(..=*at).unwrap_or_default(), domain.as_str().as_bytes(), b">"].concat()
            }
            Place::Null | Place::Nameless => {
                let (local, name) = self.nameless();
                [local, &name.to_ascii_lowercase()].concat()
            }
        }
    }

    /// What is before the last `@`, and what is after it or alone: `postmaster`, or with an address literal.
    fn nameless(&self) -> (&[u8], &[u8]) {
        let at = memchr::memrchr(b'@', &self.octets);
        at.and_then(|at| self.octets.split_at_checked(at)).unwrap_or((b"", &self.octets))
    }

    /// The octets, angle brackets included.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }
}

impl PartialEq for Path {
    /// § -08 8.2: the local part octet by octet, the domain without regard to case, nothing else made equal.
    fn eq(&self, other: &Path) -> bool {
        match (&self.place, &other.place) {
            (Place::At(at, domain), Place::At(other_at, other_domain)) => {
                domain == other_domain && self.octets.get(..=*at) == other.octets.get(..=*other_at)
            }
            (Place::Nameless, Place::Nameless) => {
                let (local, name) = self.nameless();
                let (other_local, other_name) = other.nameless();
                local == other_local && name.eq_ignore_ascii_case(other_name)
            }
            (place, other) => place == other,
        }
    }
}

impl Eq for Path {}

/// Printable ASCII, everything else escaped.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printable(&self.octets, self.octets.len()))
    }
}

/// Where the domain of a bracketed path is; nothing for what is no path.
fn place_in(octets: &[u8]) -> Option<Place> {
    let inner = octets.get(1..octets.len().checked_sub(1)?)?;
    // Blanks and brackets stand in quoted local parts; control octets nowhere.
    if inner.iter().any(u8::is_ascii_control) {
        return None;
    }
    let inner = std::str::from_utf8(inner).ok()?;
    match inner.rfind('@') {
        None if inner.is_empty() => Some(Place::Null),
        None => Some(Place::Nameless),
        Some(0) => None,
        Some(at) => {
            let domain = inner.get(at + 1..)?;
            match Domain::parse(domain) {
                Ok(domain) => Some(Place::At(at + 1, domain)),
                Err(_) => domain.starts_with('[').then_some(Place::Nameless),
            }
        }
    }
}

/// The bracket that ends a path: the first one outside of quotes.
fn end_of_path(argument: &[u8]) -> Option<usize> {
    let mut quoted = false;
    let mut escaped = false;
    argument.iter().position(|octet| {
        let ends = *octet == b'>' && !quoted;
        quoted ^= *octet == b'"' && !escaped;
        escaped = *octet == b'\\' && quoted && !escaped;
        ends
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_commands() {
        for (argument, path, domain) in [
            ("<a@Example.COM>", "<a@Example.COM>", Some("example.com")),
            ("a@example.com", "<a@example.com>", Some("example.com")),
            ("<a@example.com> SIZE=1", "<a@example.com>", Some("example.com")),
            ("<\"a>@\"@example.com> X", "<\"a>@\"@example.com>", Some("example.com")),
            ("<a@b\u{fc}.example>", "<a@b\\xc3\\xbc.example>", Some("xn--b-eha.example")),
            ("<>", "<>", None),
            ("", "<>", None),
            ("<postmaster>", "<postmaster>", None),
            ("<a@[192.0.2.1]>", "<a@[192.0.2.1]>", None),
            ("<@example.com>", "<@example.com>", None),
            ("<a@-x>", "<a@-x>", None),
            ("<a@example.com", "<<a@example.com>", Some("example.com")),
            ("a\r\nb@example.com", "<a\\x0d\\x0ab@example.com>", None),
        ] {
            let read = Path::of_command(argument.as_bytes());
            assert_eq!(read.to_string(), path, "{argument}");
            assert_eq!(read.domain().map(Domain::as_str), domain, "{argument}");
        }
    }

    #[test]
    fn equal_paths() {
        let path = |text: &str| Path::of_command(text.as_bytes());
        for (one, other, same) in [
            ("<a@example.com>", "<a@EXAMPLE.com>", true),
            ("<a@b\u{fc}.example>", "<a@xn--b-eha.example>", true),
            ("<A@example.com>", "<a@example.com>", false),
            ("<\"a\"@example.com>", "<a@example.com>", false),
            ("<a+b@example.com>", "<a@example.com>", false),
            ("<>", "<>", true),
            ("<>", "<postmaster>", false),
            ("<a@[192.0.2.1]>", "<a@[192.0.2.1]>", true),
            ("<a@[192.0.2.1]>", "<a@[192.0.2.2]>", false),
            ("<a@[IPv6:2001:DB8::1]>", "<a@[ipv6:2001:db8::1]>", true),
            ("<A@[192.0.2.1]>", "<a@[192.0.2.1]>", false),
            ("<Postmaster>", "<postmaster>", true),
        ] {
            assert_eq!(path(one) == path(other), same, "{one} {other}");
            assert_eq!(path(one).canonical() == path(other).canonical(), same, "{one} {other}");
        }
    }
}
