//! Macros (RFC 7208 §7): read, checked and expanded.
//!
//! Refuses at reading what the grammar does not have; an expansion that is no name to ask DNS for is not asked.

use std::borrow::Cow;
use std::net::IpAddr;

use zi2_mail::Timestamp;
use zi2_mail::limits::DOMAIN_OCTETS;

use super::record::SpfSyntax;
use crate::dns::DnsName;
use crate::limits::{SPF_EXPLANATION_OCTETS, SPF_MACROS};

/// Which macro letters may stand in a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Letters {
    /// § 7.2: not `c`, `r` and `t`.
    Terms,
    /// All, in explanations and unknown modifiers.
    All,
}

/// A text with macros in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct MacroString {
    pieces: Vec<Piece>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Piece {
    Literal(Box<str>),
    Macro(Macro),
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Macro {
    /// In lower case.
    letter: u8,
    escaped: bool,
    /// Parts to keep from the right.
    keep: Option<usize>,
    reversed: bool,
    delimiters: Box<str>,
}

/// What macros stand for.
#[derive(Debug)]
pub(super) struct Values<'a> {
    /// Local part of the sender; `postmaster` if it has none.
    pub(super) local: &'a str,
    /// Domain of the sender.
    pub(super) sender: &'a DnsName,
    /// The domain whose record is evaluated.
    pub(super) domain: &'a DnsName,
    /// The client.
    pub(super) client: IpAddr,
    /// A name of the client that its addresses confirm.
    pub(super) validated: &'a str,
    /// What the client said it is.
    pub(super) helo: &'a str,
    /// Who checks.
    pub(super) receiver: &'a str,
    /// When.
    pub(super) now: Timestamp,
}

impl MacroString {
    /// Reads a macro-string; a space may stand in it, since explanations have them and terms cannot.
    pub(super) fn parse(text: &str, letters: Letters) -> Result<MacroString, SpfSyntax> {
        read(text, letters).map(|(parsed, _)| parsed)
    }

    /// Reads the argument of a term. § 7.1: domain-spec = macro-string domain-end.
    pub(super) fn domain_spec(text: &str) -> Result<MacroString, SpfSyntax> {
        let (parsed, literal) = read(text, Letters::Terms)?;
        // § 7.1: domain-end = ( "." toplabel [ "." ] ) / macro-expand.
        let ends_in_macro = literal.is_empty() && !text.is_empty();
        let literal = literal.strip_suffix('.').unwrap_or(literal);
        let ends_in_label = literal.rsplit_once('.').is_some_and(|(_, label)| is_top_label(label));
        if ends_in_macro || ends_in_label { Ok(parsed) } else { Err(SpfSyntax::Name) }
    }

    /// Whether a macro with one of these letters stands in it.
    pub(super) fn has(&self, letters: &[u8]) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Macro(found) if letters.contains(&found.letter)))
    }

    /// The name that it makes. `None`: it makes none that could be asked for (a label of 0 or more than 63 octets, octets
    /// beyond ASCII, a single label), so nothing has it (§ 4.8, RFC 8616 §4).
    pub(super) fn name(&self, values: &Values<'_>) -> Option<DnsName> {
        let text = self.right_end(values);
        // § 7.3: a final dot is not part of the name.
        let mut name = text.strip_suffix('.').unwrap_or(&text);
        // § 7.3: labels are taken off at the left until the name fits.
        while name.len() > DOMAIN_OCTETS {
            name = name.split_once('.')?.1;
        }
        // § 7.1 has no single top label as an argument; a macro (`%{h}`) must not make one either, such as `localhost`.
        if name.ends_with('.') || !name.contains('.') {
            return None;
        }
        DnsName::parse(name).ok()
    }

    /// The expansion, or so much of its right end that what is missing would not fit into a name anyway.
    fn right_end(&self, values: &Values<'_>) -> String {
        let mut parts = Vec::new();
        let mut octets = 0;
        for piece in self.pieces.iter().rev() {
            let part = piece.expand(values);
            octets += part.len();
            parts.push(part);
            // The final dot and the dot before the first label that stays count too.
            if octets > DOMAIN_OCTETS + 2 {
                break;
            }
        }
        parts.iter().rev().map(AsRef::as_ref).collect()
    }

    /// The text that it makes for an SMTP reply. `None` if it is not printable ASCII (§ 6.2) or too long for one.
    pub(super) fn explanation(&self, values: &Values<'_>) -> Option<String> {
        let mut text = String::new();
        for piece in &self.pieces {
            text.push_str(&piece.expand(values));
            if text.len() > SPF_EXPLANATION_OCTETS {
                return None;
            }
        }
        text.bytes().all(|octet| octet.is_ascii_graphic() || octet == b' ').then_some(text)
    }
}

/// The pieces of a text, and what stands behind its last macro.
fn read(text: &str, letters: Letters) -> Result<(MacroString, &str), SpfSyntax> {
    // § 7.1: macro-literal is %x21-24 / %x26-7E.
    if !text.bytes().all(|octet| octet.is_ascii_graphic() || octet == b' ') {
        return Err(SpfSyntax::Octet);
    }
    let (mut pieces, mut rest, mut end, mut macros) = (Vec::new(), text, text, 0_usize);
    while !rest.is_empty() {
        let (piece, after) = piece(rest, letters)?;
        if rest.starts_with('%') {
            (end, macros) = (after, macros + 1);
        }
        pieces.push(piece);
        rest = after;
    }
    if macros > SPF_MACROS { Err(SpfSyntax::Macro) } else { Ok((MacroString { pieces }, end)) }
}

/// § 7.1: letters, digits and hyphens, no hyphen at an end, not digits only.
fn is_top_label(label: &str) -> bool {
    let inner = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-';
    !label.is_empty()
        && label.bytes().all(inner)
        && !label.starts_with('-')
        && !label.ends_with('-')
        && !label.bytes().all(|octet| octet.is_ascii_digit())
}

/// The first piece of a text that is not empty, and what follows it.
fn piece(text: &str, letters: Letters) -> Result<(Piece, &str), SpfSyntax> {
    let Some(after) = text.strip_prefix('%') else {
        let end = text.find('%').unwrap_or(text.len());
        let (literal, rest) = text.split_at_checked(end).unwrap_or((text, ""));
        return Ok((Piece::Literal(literal.into()), rest));
    };
    // § 7.1: "%%" / "%_" / "%-".
    for (sign, meaning) in [('%', "%"), ('_', " "), ('-', "%20")] {
        if let Some(rest) = after.strip_prefix(sign) {
            return Ok((Piece::Literal(meaning.into()), rest));
        }
    }
    let (inside, rest) = after.strip_prefix('{').and_then(|after| after.split_once('}')).ok_or(SpfSyntax::Macro)?;
    Ok((Piece::Macro(Macro::parse(inside, letters).ok_or(SpfSyntax::Macro)?), rest))
}

impl Macro {
    /// § 7.1: macro-letter transformers *delimiter; transformers = *DIGIT [ "r" ].
    fn parse(inside: &str, letters: Letters) -> Option<Macro> {
        let letter = *inside.as_bytes().first()?;
        let allowed: &[u8] = match letters {
            Letters::Terms => b"slodiphv",
            Letters::All => b"slodiphvcrt",
        };
        if !allowed.contains(&letter.to_ascii_lowercase()) {
            return None;
        }
        let rest = inside.get(1..)?;
        let after_digits = rest.trim_start_matches(|octet: char| octet.is_ascii_digit());
        let digits = rest.strip_suffix(after_digits)?;
        let delimiters = after_digits.strip_prefix(['r', 'R']);
        let reversed = delimiters.is_some();
        let delimiters = delimiters.unwrap_or(after_digits);
        if !delimiters.bytes().all(|octet| b".-+,/_=".contains(&octet)) {
            return None;
        }
        Some(Macro {
            letter: letter.to_ascii_lowercase(),
            // § 7.3: upper case means that the value is escaped.
            escaped: letter.is_ascii_uppercase(),
            keep: parts_to_keep(digits)?,
            reversed,
            delimiters: if delimiters.is_empty() { "." } else { delimiters }.into(),
        })
    }

    fn expand<'v>(&self, values: &Values<'v>) -> Cow<'v, str> {
        let value = self.value(values);
        let plain = self.keep.is_none() && !self.reversed && &*self.delimiters == ".";
        let value = if plain { value } else { Cow::Owned(self.transform(&value)) };
        if self.escaped { Cow::Owned(escape(&value)) } else { value }
    }

    /// § 7.2.
    fn value<'v>(&self, values: &Values<'v>) -> Cow<'v, str> {
        match self.letter {
            b's' => Cow::Owned([values.local, "@", values.sender.as_str()].concat()),
            b'l' => Cow::Borrowed(values.local),
            b'o' => Cow::Borrowed(values.sender.as_str()),
            b'd' => Cow::Borrowed(values.domain.as_str()),
            b'i' => Cow::Owned(dotted(values.client)),
            b'p' => Cow::Borrowed(values.validated),
            b'v' => Cow::Borrowed(if values.client.is_ipv4() { "in-addr" } else { "ip6" }),
            b'h' => Cow::Borrowed(values.helo),
            b'c' => Cow::Owned(values.client.to_string()),
            b'r' => Cow::Borrowed(values.receiver),
            b't' => Cow::Owned(values.now.secs().to_string()),
            _ => Cow::Borrowed(""),
        }
    }

    /// § 7.3: split at the delimiters, turned round, the right-hand parts kept, joined with dots.
    fn transform(&self, value: &str) -> String {
        let mut parts: Vec<&str> = value.split(|octet| self.delimiters.contains(octet)).collect();
        if self.reversed {
            parts.reverse();
        }
        let dropped = self.keep.map_or(0, |keep| parts.len().saturating_sub(keep));
        parts.split_off(dropped).join(".")
    }
}

impl Piece {
    fn expand<'v>(&'v self, values: &Values<'v>) -> Cow<'v, str> {
        match self {
            Piece::Literal(text) => Cow::Borrowed(text),
            Piece::Macro(found) => found.expand(values),
        }
    }
}

/// § 7.1: the number must not be zero; § 7.3: more parts than there are means all.
fn parts_to_keep(digits: &str) -> Option<Option<usize>> {
    if digits.is_empty() {
        return Some(None);
    }
    let number = digits.bytes().fold(0_usize, |number, digit| {
        number.saturating_mul(10).saturating_add(usize::from(digit.saturating_sub(b'0')))
    });
    (number > 0).then_some(Some(number))
}

/// § 7.3: dotted quad, or one hexadecimal digit a label.
fn dotted(client: IpAddr) -> String {
    match client {
        IpAddr::V4(client) => client.to_string(),
        IpAddr::V6(client) => {
            let digits: Vec<String> =
                client.octets().iter().map(|octet| format!("{:X}.{:X}", octet >> 4, octet & 15)).collect();
            digits.join(".")
        }
    }
}

/// § 7.3: all but the unreserved characters of RFC 3986 escaped.
fn escape(value: &str) -> String {
    use std::fmt::Write as _;
    value.bytes().fold(String::with_capacity(value.len()), |mut text, octet| {
        if octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b'~') {
            text.push(char::from(octet));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(text, "%{octet:02X}");
        }
        text
    })
}

#[cfg(test)]
mod tests;
