//! One term of a record: a directive or a modifier (RFC 7208 §4.6.1, §5, §6).
//!
//! Refuses what the grammar does not have. What a term means is decided where records are evaluated.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::macros::MacroString;
use super::network::{Network, Prefixes};
use super::record::SpfSyntax;

/// What a mechanism means when it matches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Qualifier {
    Pass,
    Fail,
    SoftFail,
    Neutral,
}

/// A mechanism with its argument. No name: the domain whose record this is.
#[derive(Debug)]
pub(super) enum Mechanism {
    All,
    Include(MacroString),
    Address(Option<MacroString>, Prefixes),
    MailHosts(Option<MacroString>, Prefixes),
    Pointer(Option<MacroString>),
    Network(Network),
    Exists(MacroString),
}

impl Mechanism {
    /// § 4.6.4: whether it counts against the limit of terms that ask DNS.
    pub(super) const fn asks(&self) -> bool {
        !matches!(self, Mechanism::All | Mechanism::Network(_))
    }

    /// Its argument, where that is a name.
    pub(super) const fn name(&self) -> Option<&MacroString> {
        match self {
            Mechanism::All | Mechanism::Network(_) => None,
            Mechanism::Include(name) | Mechanism::Exists(name) => Some(name),
            Mechanism::Address(name, _) | Mechanism::MailHosts(name, _) | Mechanism::Pointer(name) => name.as_ref(),
        }
    }
}

/// Name and value, if the term is a modifier. § 4.6.1: a name is followed by `=` before any `:` or `/`.
pub(super) fn modifier(term: &str) -> Option<(&str, &str)> {
    let (name, value) = term.split_once('=')?;
    is_name(name).then_some((name, value))
}

/// § 4.6.1: name = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." ).
fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.'))
}

/// Reads a term that is no modifier.
pub(super) fn directive(term: &str) -> Result<(Qualifier, Mechanism), SpfSyntax> {
    let (qualifier, rest) = qualifier(term);
    let end = rest.find([':', '/']).unwrap_or(rest.len());
    let (name, argument) = rest.split_at_checked(end).unwrap_or((rest, ""));
    Ok((qualifier, mechanism(&name.to_ascii_lowercase(), argument)?))
}

/// § 4.6.2: no qualifier means `+`.
fn qualifier(term: &str) -> (Qualifier, &str) {
    let qualifiers =
        [('+', Qualifier::Pass), ('-', Qualifier::Fail), ('~', Qualifier::SoftFail), ('?', Qualifier::Neutral)];
    let named = qualifiers.into_iter().find_map(|(sign, meaning)| Some((meaning, term.strip_prefix(sign)?)));
    named.unwrap_or((Qualifier::Pass, term))
}

/// `argument` begins with its colon or slash.
fn mechanism(name: &str, argument: &str) -> Result<Mechanism, SpfSyntax> {
    Ok(match name {
        "all" if argument.is_empty() => Mechanism::All,
        "all" => return Err(SpfSyntax::Argument),
        "include" => Mechanism::Include(required_name(argument)?),
        "exists" => Mechanism::Exists(required_name(argument)?),
        "ptr" => Mechanism::Pointer(optional_name(argument)?),
        "a" => {
            let (prefixes, rest) = prefixes(argument)?;
            Mechanism::Address(optional_name(rest)?, prefixes)
        }
        "mx" => {
            let (prefixes, rest) = prefixes(argument)?;
            Mechanism::MailHosts(optional_name(rest)?, prefixes)
        }
        "ip4" => network::<Ipv4Addr>(argument, 32)?,
        "ip6" => network::<Ipv6Addr>(argument, 128)?,
        _ => return Err(SpfSyntax::Mechanism),
    })
}

fn required_name(argument: &str) -> Result<MacroString, SpfSyntax> {
    MacroString::domain_spec(argument.strip_prefix(':').ok_or(SpfSyntax::Argument)?)
}

fn optional_name(argument: &str) -> Result<Option<MacroString>, SpfSyntax> {
    if argument.is_empty() { Ok(None) } else { required_name(argument).map(Some) }
}

/// § 5.6: an address and one length. Rust's readers refuse leading zeros and missing parts, as § 5.6 does.
fn network<A>(argument: &str, longest: u8) -> Result<Mechanism, SpfSyntax>
where
    A: std::str::FromStr + Into<IpAddr>,
{
    let argument = argument.strip_prefix(':').ok_or(SpfSyntax::Argument)?;
    let (address, length) = match argument.split_once('/') {
        None => (argument, longest),
        Some((address, length)) => (address, prefix_length(length, longest)?),
    };
    let address: A = address.parse().map_err(|_| SpfSyntax::Address)?;
    Ok(Mechanism::Network(Network::new(address.into(), length)))
}

/// § 5: dual-cidr-length = [ ip4-cidr-length ] [ "/" ip6-cidr-length ]. It is read from the end, since a name may hold
/// slashes too; what stands before it is handed back.
fn prefixes(argument: &str) -> Result<(Prefixes, &str), SpfSyntax> {
    let mut prefixes = Prefixes { v4: 32, v6: 128 };
    let mut rest = argument;
    if let Some((before, digits)) = final_number(rest)
        && let Some(before) = before.strip_suffix('/')
    {
        prefixes.v6 = prefix_length(digits, 128)?;
        rest = before;
    }
    if let Some((before, digits)) = final_number(rest) {
        prefixes.v4 = prefix_length(digits, 32)?;
        rest = before;
    }
    Ok((prefixes, rest))
}

/// What stands before a final slash with a number, and the number.
fn final_number(text: &str) -> Option<(&str, &str)> {
    let (before, digits) = text.rsplit_once('/')?;
    let number = !digits.is_empty() && digits.bytes().all(|octet| octet.is_ascii_digit());
    number.then_some((before, digits))
}

/// § 5: "0", or digits that do not begin with it.
fn prefix_length(digits: &str, longest: u8) -> Result<u8, SpfSyntax> {
    let plain = digits.bytes().all(|octet| octet.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    let length: u8 = digits.parse().map_err(|_| SpfSyntax::Prefix)?;
    if plain && length <= longest { Ok(length) } else { Err(SpfSyntax::Prefix) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modifiers() {
        for (term, wanted) in [
            ("a=b", Some(("a", "b"))),
            ("moo.cow-far_out1=man:dog/cat=x", Some(("moo.cow-far_out1", "man:dog/cat=x"))),
            ("x=", Some(("x", ""))),
            ("=all", None),
            ("1up=foo", None),
            ("moo:cow=x", None),
            ("moo/cow=x", None),
            ("-a=b", None),
            ("all", None),
        ] {
            assert_eq!(modifier(term), wanted, "{term}");
        }
    }

    #[test]
    fn prefix_lengths() {
        let both = |v4, v6| Prefixes { v4, v6 };
        for (argument, wanted) in [
            ("", Ok((both(32, 128), ""))),
            ("/0", Ok((both(0, 128), ""))),
            ("//0", Ok((both(32, 0), ""))),
            (":a.b/24//64", Ok((both(24, 64), ":a.b"))),
            ("/24//128", Ok((both(24, 128), ""))),
            (":a/b.c/32", Ok((both(32, 128), ":a/b.c"))),
            (":a/b.c", Ok((both(32, 128), ":a/b.c"))),
            (":%{l/}/24", Ok((both(24, 128), ":%{l/}"))),
            ("/33", Err(SpfSyntax::Prefix)),
            ("//129", Err(SpfSyntax::Prefix)),
            ("/024", Err(SpfSyntax::Prefix)),
            ("/00", Err(SpfSyntax::Prefix)),
            ("//064", Err(SpfSyntax::Prefix)),
            ("/24/64", Err(SpfSyntax::Prefix)),
            ("/256", Err(SpfSyntax::Prefix)),
            ("/99999999999999999999", Err(SpfSyntax::Prefix)),
        ] {
            assert_eq!(prefixes(argument), wanted, "{argument}");
        }
    }

    #[test]
    fn directives() {
        for (term, wanted) in [
            ("ALL", Ok(Qualifier::Pass)),
            ("+a", Ok(Qualifier::Pass)),
            ("~mX:example.com", Ok(Qualifier::SoftFail)),
            ("?ptr", Ok(Qualifier::Neutral)),
            ("-Ip4:192.0.2.0/24", Ok(Qualifier::Fail)),
            ("ip6:2001:db8::/32", Ok(Qualifier::Pass)),
            ("ip6:::1.1.1.1/0", Ok(Qualifier::Pass)),
            ("ip6:::ffff:1.1.1.1", Ok(Qualifier::Pass)),
            ("exists:%{ir}.example.com", Ok(Qualifier::Pass)),
            ("", Err(SpfSyntax::Mechanism)),
            ("-", Err(SpfSyntax::Mechanism)),
            ("--all", Err(SpfSyntax::Mechanism)),
            ("all.", Err(SpfSyntax::Mechanism)),
            ("redirect:a.b", Err(SpfSyntax::Mechanism)),
            ("all:", Err(SpfSyntax::Argument)),
            ("all/8", Err(SpfSyntax::Argument)),
            ("a/24/", Err(SpfSyntax::Argument)),
            ("a:", Err(SpfSyntax::Name)),
            ("a:museum", Err(SpfSyntax::Name)),
            ("ptr/0", Err(SpfSyntax::Argument)),
            ("include", Err(SpfSyntax::Argument)),
            ("include:a.b/24", Err(SpfSyntax::Name)),
            ("exists", Err(SpfSyntax::Argument)),
            ("ip4", Err(SpfSyntax::Argument)),
            ("ip4:", Err(SpfSyntax::Address)),
            ("ip4:1.2.3", Err(SpfSyntax::Address)),
            ("ip4:1.2.3.04", Err(SpfSyntax::Address)),
            ("ip4:1.2.3.4:25", Err(SpfSyntax::Address)),
            ("ip4:::1", Err(SpfSyntax::Address)),
            ("ip4:1.2.3.4//32", Err(SpfSyntax::Prefix)),
            ("ip4:1.2.3.4/", Err(SpfSyntax::Prefix)),
            ("ip4:1.2.3.4/+8", Err(SpfSyntax::Prefix)),
            ("ip6:1.2.3.4", Err(SpfSyntax::Address)),
            ("ip6:fe80::1%eth0", Err(SpfSyntax::Address)),
            ("ip6:::1/129", Err(SpfSyntax::Prefix)),
        ] {
            assert_eq!(directive(term).map(|(qualifier, _)| qualifier), wanted, "{term}");
        }
    }
}
