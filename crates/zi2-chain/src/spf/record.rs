//! An SPF record as it is evaluated: found among the TXT records of a name, and read whole before any of it is used.
//!
//! Refuses a record with an error anywhere in it, even behind `all`.

use super::macros::{Letters, MacroString};
use super::term::{self, Mechanism, Qualifier};
use crate::limits::{SPF_RECORD_OCTETS, SPF_TERMS};

/// Why a record cannot be used: the fault is with the domain that publishes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SpfSyntax {
    /// The record is longer than any that is published ([`SPF_RECORD_OCTETS`]).
    #[error("the record is too long")]
    RecordTooLong,
    /// The record has more terms than any that is published ([`SPF_TERMS`]).
    #[error("the record has too many terms")]
    TooManyTerms,
    /// A term is neither a mechanism that RFC 7208 knows nor a modifier.
    #[error("there is no such mechanism")]
    Mechanism,
    /// A mechanism that takes no argument has one, or one that needs it has none.
    #[error("the mechanism has an argument that it cannot have, or lacks one")]
    Argument,
    /// The address of `ip4` or `ip6` is none of its kind.
    #[error("this is no address of the kind that the mechanism takes")]
    Address,
    /// The length behind a slash is no number, has leading zeros, or is beyond 32 or 128.
    #[error("the prefix length is wrong")]
    Prefix,
    /// A name neither ends in a dot and a top label nor in a macro.
    #[error("the name must end in a dot and a top-level label, or in a macro")]
    Name,
    /// A `%` begins no macro, the macro is unknown or not allowed here, or there are too many of them.
    #[error("a macro is wrong")]
    Macro,
    /// An octet that is no visible ASCII character.
    #[error("only visible ASCII characters may stand here")]
    Octet,
    /// `redirect` or `exp` stands twice.
    #[error("redirect and exp may stand once only")]
    Twice,
}

/// A record that holds to RFC 7208.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) directives: Vec<Directive>,
    pub(super) redirect: Option<MacroString>,
    pub(super) explanation: Option<MacroString>,
}

/// A mechanism and what it means when it matches.
#[derive(Debug)]
pub(super) struct Directive {
    pub(super) qualifier: Qualifier,
    pub(super) mechanism: Mechanism,
    /// As it was written.
    pub(super) text: Box<str>,
}

/// More than one TXT record says that it is SPF.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Multiple;

/// § 4.5: the TXT record that is `v=spf1` alone, or begins with it and a space.
pub(super) fn select(records: &[Vec<u8>]) -> Result<Option<&[u8]>, Multiple> {
    let mut found = records.iter().filter_map(|record| without_version(record));
    match (found.next(), found.next()) {
        (Some(_), Some(_)) => Err(Multiple),
        (only, _) => Ok(only),
    }
}

/// What follows the version. § 12: strings of the grammar are case-insensitive.
fn without_version(record: &[u8]) -> Option<&[u8]> {
    let (version, terms) = record.split_at_checked(b"v=spf1".len())?;
    let ours = version.eq_ignore_ascii_case(b"v=spf1") && matches!(terms.first(), None | Some(b' '));
    ours.then_some(terms)
}

impl Record {
    /// Reads what follows the version. An error names the term it stands in, counted from 1 (0: the whole record).
    pub(super) fn parse(terms: &[u8]) -> Result<Record, (SpfSyntax, usize)> {
        if terms.len() > SPF_RECORD_OCTETS {
            return Err((SpfSyntax::RecordTooLong, 0));
        }
        let mut record = Record { directives: Vec::new(), redirect: None, explanation: None };
        // § 4.6.1: terms stand between one or more spaces, nothing else.
        let terms = terms.split(|octet| *octet == b' ').filter(|term| !term.is_empty());
        for (number, term) in (1..).zip(terms) {
            if number > SPF_TERMS {
                return Err((SpfSyntax::TooManyTerms, number));
            }
            record.add(term).map_err(|syntax| (syntax, number))?;
        }
        Ok(record)
    }

    fn add(&mut self, term: &[u8]) -> Result<(), SpfSyntax> {
        // § 3.1: US-ASCII; § 7.1: visible characters.
        let text = std::str::from_utf8(term).map_err(|_| SpfSyntax::Octet)?;
        if !text.bytes().all(|octet| octet.is_ascii_graphic()) {
            return Err(SpfSyntax::Octet);
        }
        match term::modifier(text) {
            Some((name, value)) => self.add_modifier(name, value),
            None => {
                let (qualifier, mechanism) = term::directive(text)?;
                self.directives.push(Directive { qualifier, mechanism, text: text.into() });
                Ok(())
            }
        }
    }

    fn add_modifier(&mut self, name: &str, value: &str) -> Result<(), SpfSyntax> {
        let place = if name.eq_ignore_ascii_case("redirect") {
            &mut self.redirect
        } else if name.eq_ignore_ascii_case("exp") {
            &mut self.explanation
        } else {
            // § 6: unknown modifiers are ignored, but must hold to the grammar.
            return MacroString::parse(value, Letters::All).map(drop);
        };
        // § 6: once each.
        if place.is_some() {
            return Err(SpfSyntax::Twice);
        }
        *place = Some(MacroString::domain_spec(value)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selection() {
        let records = |texts: &[&str]| texts.iter().map(|text| text.as_bytes().to_vec()).collect::<Vec<_>>();
        for (texts, wanted) in [
            (&[][..], Ok(None)),
            (&["v=spf1"], Ok(Some(""))),
            (&["v=spf10", "V=SpF1 -all", "v=spf1\t-all"], Ok(Some(" -all"))),
            (&["v=spf1mx"], Ok(None)),
            (&[" v=spf1", "v=spf", ""], Ok(None)),
            (&["spf2.0/pra -all", "v=spf1 a"], Ok(Some(" a"))),
            (&["v=spf1 -all", "v=spf1 -all"], Err(Multiple)),
            (&["v=spf1", "v=spf1 "], Err(Multiple)),
        ] {
            assert_eq!(select(&records(texts)), wanted.map(|found| found.map(str::as_bytes)), "{texts:?}");
        }
    }

    #[test]
    fn errors_name_their_term() {
        for (text, wanted) in [
            (" a mx", Ok(2)),
            ("", Ok(0)),
            ("    ", Ok(0)),
            (" -all moo", Err((SpfSyntax::Mechanism, 2))),
            (" -all moo=%", Err((SpfSyntax::Macro, 2))),
            (" -all moo=%{c}", Ok(1)),
            (" ip4:1.2.3.4  ip4:1.2.3.4/33", Err((SpfSyntax::Prefix, 2))),
            (" redirect=a.b REDIRECT=a.b", Err((SpfSyntax::Twice, 2))),
            (" exp=a.b redirect=a.b eXp=a.b", Err((SpfSyntax::Twice, 3))),
            (" a:b.\u{e4}", Err((SpfSyntax::Octet, 1))),
            (" a\tmx", Err((SpfSyntax::Octet, 1))),
            (" exp=", Err((SpfSyntax::Name, 1))),
        ] {
            assert_eq!(Record::parse(text.as_bytes()).map(|record| record.directives.len()), wanted, "{text:?}");
        }
        assert_eq!(Record::parse(b" \xff").map(drop), Err((SpfSyntax::Octet, 1)));
    }

    #[test]
    fn limits() {
        let terms = |count: usize| " a".repeat(count);
        assert_eq!(Record::parse(terms(SPF_TERMS).as_bytes()).map(drop), Ok(()));
        let wanted = Err((SpfSyntax::TooManyTerms, SPF_TERMS + 1));
        assert_eq!(Record::parse(terms(SPF_TERMS + 1).as_bytes()).map(drop), wanted);
        let long = |octets: usize| [" x=", &"y".repeat(octets - 3)].concat();
        assert_eq!(Record::parse(long(SPF_RECORD_OCTETS).as_bytes()).map(drop), Ok(()));
        let wanted = Err((SpfSyntax::RecordTooLong, 0));
        assert_eq!(Record::parse(long(SPF_RECORD_OCTETS + 1).as_bytes()).map(drop), wanted);
    }
}
