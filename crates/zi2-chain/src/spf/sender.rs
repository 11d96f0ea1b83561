//! Who is asked about: the reverse-path of MAIL, or HELO where there is none (RFC 7208 §2.4, §4.3).
//!
//! Refuses what SMTP does not call a mailbox. It never looks for an `@` to find a domain by: a mail server and a reader
//! that guess could take two domains from one argument.

use zi2_mail::Domain;

use super::SpfIdentity;
use crate::dns::DnsName;
use crate::limits::{SPF_HELO_OCTETS, SPF_PATH_OCTETS};

/// The sender, as macros and records see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Sender {
    pub(super) identity: SpfIdentity,
    /// Quotes and escapes undone; `postmaster` if there is none.
    pub(super) local: String,
    /// `None`: there is nothing that a record could be looked up for.
    pub(super) domain: Option<DnsName>,
}

/// Who sends, by the argument of MAIL (with or without its angle brackets) and that of HELO.
pub(super) fn sender(mail_from: &[u8], helo: &[u8]) -> Sender {
    match reverse_path(mail_from) {
        // § 2.4: the null reverse-path stands for postmaster at the HELO identity.
        Some(Path::Null) => {
            let domain = std::str::from_utf8(helo).ok().and_then(domain);
            Sender { identity: SpfIdentity::Helo, local: "postmaster".into(), domain }
        }
        Some(Path::Mailbox { local, domain }) => {
            // § 4.3: no local part means postmaster.
            let local = if local.is_empty() { "postmaster".into() } else { local };
            Sender { identity: SpfIdentity::MailFrom, local, domain: Some(domain) }
        }
        // Not HELO: an argument that cannot be read must not make another name answer for the message.
        None => Sender { identity: SpfIdentity::MailFrom, local: "postmaster".into(), domain: None },
    }
}

/// HELO as a macro shows it: what is no UTF-8 becomes a character that no name has.
pub(super) fn helo_text(helo: &[u8]) -> String {
    String::from_utf8_lossy(helo.get(..SPF_HELO_OCTETS).unwrap_or(helo)).into_owned()
}

#[derive(PartialEq, Eq, Debug)]
enum Path {
    Null,
    Mailbox { local: String, domain: DnsName },
}

/// § RFC 5321 §4.1.2: Reverse-path = Path / "<>"; the brackets may be missing, as milters and test suites leave them out.
fn reverse_path(argument: &[u8]) -> Option<Path> {
    if argument.len() > SPF_PATH_OCTETS {
        return None;
    }
    let text = std::str::from_utf8(argument).ok()?.trim_matches([' ', '\t']);
    let path = match text.strip_prefix('<') {
        Some(inside) => inside.strip_suffix('>')?,
        None => text,
    };
    if path.is_empty() {
        return Some(Path::Null);
    }
    let (local, rest) = local_part(without_route(path)?)?;
    Some(Path::Mailbox { local, domain: domain(rest)? })
}

/// § RFC 5321 §4.1.2, appendix C: a source route is read over, if it is one. Without its colon an `@` in front is that of
/// an empty local part (§ 4.3).
fn without_route(path: &str) -> Option<&str> {
    if !path.starts_with('@') {
        return Some(path);
    }
    let Some((route, mailbox)) = path.split_once(':') else { return Some(path) };
    let host = |hop: &str| {
        let name = hop.strip_prefix('@')?;
        let ldh = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.');
        (!name.is_empty() && name.bytes().all(ldh)).then_some(())
    };
    route.split(',').all(|hop| host(hop).is_some()).then_some(mailbox)
}

/// The local part, and what follows its `@`.
fn local_part(mailbox: &str) -> Option<(String, &str)> {
    if let Some(quoted) = mailbox.strip_prefix('"') {
        let (local, rest) = quoted_string(quoted)?;
        return Some((local, rest.strip_prefix('@')?));
    }
    let (local, rest) = mailbox.split_once('@')?;
    // Dots may stand anywhere: some providers gave out such addresses, and they hide no second `@`.
    local.chars().all(|character| is_atext(character) || character == '.').then(|| (local.to_owned(), rest))
}

/// § RFC 5321 §4.1.2: Quoted-string, behind its first quote.
fn quoted_string(text: &str) -> Option<(String, &str)> {
    let mut local = String::new();
    let mut characters = text.chars();
    loop {
        let character = match characters.next()? {
            '"' => return Some((local, characters.as_str())),
            '\\' => characters.next()?,
            plain => plain,
        };
        if character.is_control() {
            return None;
        }
        local.push(character);
    }
}

/// § RFC 5322 §3.2.3; RFC 6531 §3.3 adds what is not ASCII.
fn is_atext(character: char) -> bool {
    let special = "!#$%&'*+-/=?^_`{|}~".contains(character);
    character.is_ascii_alphanumeric() || special || !(character.is_ascii() || character.is_control())
}

/// § 4.3: a name of two labels at least, in A-labels (RFC 8616 §4). Underscores are allowed, as bounces use them; an address
/// (§ 2.3 and § 4.3: a literal) and a name whose top label is a number are no domains.
fn domain(text: &str) -> Option<DnsName> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let ascii = if text.is_ascii() { text.to_ascii_lowercase() } else { Domain::parse(text).ok()?.as_str().to_owned() };
    let fits = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.');
    let (_, top) = ascii.rsplit_once('.')?;
    let named = !top.bytes().all(|octet| octet.is_ascii_digit());
    if named && ascii.bytes().all(fits) { DnsName::parse(&ascii).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use zi2_mail::parse_envelope_address;

    use super::*;

    fn mailbox(argument: &[u8]) -> Option<(String, String)> {
        match reverse_path(argument) {
            Some(Path::Mailbox { local, domain }) => Some((local, domain.as_str().to_owned())),
            Some(Path::Null) | None => None,
        }
    }

    #[test]
    fn mailboxes() {
        for (argument, local, domain) in [
            ("<ann@good.example>", "ann", "good.example"),
            ("ann@Good.Example.", "ann", "good.example"),
            (" <Ann+x=y@_bounce.good.example>", "Ann+x=y", "_bounce.good.example"),
            ("<@good.example>", "", "good.example"),
            ("<@a.example,@b.example:ann@good.example>", "ann", "good.example"),
            ("<\"Macro \\\"Error\"@good.example>", "Macro \"Error", "good.example"),
            ("<\"any@evil.example\"@good.example>", "any@evil.example", "good.example"),
            ("<a..b.@good.example>", "a..b.", "good.example"),
            ("<j\u{f6}rg@b\u{fc}cher.example>", "j\u{f6}rg", "xn--bcher-kva.example"),
            ("<any@good.example'@any.evil>", "", ""),
        ] {
            let wanted = (!domain.is_empty()).then(|| (local.to_owned(), domain.to_owned()));
            assert_eq!(mailbox(argument.as_bytes()), wanted, "{argument}");
        }
    }

    #[test]
    fn no_mailboxes() {
        for argument in [
            "<ann@good.example",
            "ann@good.example>",
            "<<ann@good.example>>",
            "<ann@good.example> x",
            "ann",
            "<postmaster>",
            "<(any@good.example>",
            "any@good.example(a.evil",
            "any@good.example'@any.evil",
            "<@good,@any:'any@evil>",
            "<ann@good.example(x)>",
            "<ann(x)@good.example>",
            "<a b@good.example>",
            "<ann @good.example>",
            "<ann@good..example>",
            "<ann@good>",
            "<ann@[192.0.2.1]>",
            "<ann@192.0.2.1>",
            "<@[IPv6:::1]>",
            "<@a.example:>",
            "<@a.example,:ann@good.example>",
            "<ann@good.example@evil.example>",
            "<\"ann@good.example>",
            "<\"ann\"x@good.example>",
            "<\"a\0\"@good.example>",
            "<ann@good.example\r\nX: y>",
            "<ann@xn--ascii-.example \u{e4}>",
            "<ann@good.example;a>",
        ] {
            assert_eq!(mailbox(argument.as_bytes()), None, "{argument}");
            let sender = sender(argument.as_bytes(), b"helo.example");
            assert_eq!((sender.identity, sender.domain), (SpfIdentity::MailFrom, None), "{argument}");
        }
        assert_eq!(mailbox(b"<ann\xff@good.example>"), None);
    }

    #[test]
    fn null_path_and_helo() {
        for (argument, helo, wanted) in [
            ("<>", "mail.Good.example", Some("mail.good.example")),
            ("", "mail.good.example", Some("mail.good.example")),
            ("<>", "[192.0.2.1]", None),
            ("<>", "192.0.2.1", None),
            ("<>", "localhost", None),
            ("<>", "", None),
            ("<>", "JUMPIN' JUPITER", None),
            ("<>", "a..b", None),
        ] {
            let sender = sender(argument.as_bytes(), helo.as_bytes());
            assert_eq!(sender.identity, SpfIdentity::Helo);
            assert_eq!(sender.domain.as_ref().map(DnsName::as_str), wanted, "{helo}");
            assert_eq!(sender.local, "postmaster");
        }
    }

    #[test]
    fn limits() {
        let path = |octets: usize| [&"l".repeat(octets - 13), "@good.example"].concat();
        assert!(mailbox(path(SPF_PATH_OCTETS).as_bytes()).is_some());
        assert!(mailbox(path(SPF_PATH_OCTETS + 1).as_bytes()).is_none());
        assert_eq!(helo_text(&[b'h'; SPF_HELO_OCTETS]).len(), SPF_HELO_OCTETS);
        assert_eq!(helo_text(&[b'h'; SPF_HELO_OCTETS + 1]).len(), SPF_HELO_OCTETS);
    }

    proptest! {
        /// Two readers: where that of RFC 5322, which the rest of the message is read with, finds a domain too, it is ours.
        #[test]
        fn never_another_domain(argument in r#"[<]?[@"'(),.:\\ab>]{0,14}(@a\.b|@[a-c.]{1,6}|)[)"'@a-b.(,;:]{0,6}[>]?"#) {
            if let Some((_, ours)) = mailbox(argument.as_bytes())
                && let Some(theirs) = parse_envelope_address(argument.as_bytes())
            {
                prop_assert_eq!(theirs.domain().map(Domain::as_str), Some(ours.as_str()));
            }
        }

        #[test]
        fn any_octets(argument in prop::collection::vec(any::<u8>(), 0..60), helo in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = (sender(&argument, &helo), helo_text(&helo));
        }
    }
}
