//! The tags of a DMARC record as they are written.
//!
//! Not [`zi2_mail::TagList`], which refuses a list for one bad tag: here a bad tag is dropped and the rest holds.

use crate::limits;

use super::record::{Alignment, FailureOption, Policy, Psd, RecordError};

/// What follows `v=DMARC1`, if the text begins with it.
///
/// § RFC 9989 §4.7, v: a record without exactly this version is not looked at
pub(super) fn after_version(txt: &[u8]) -> Option<&[u8]> {
    let rest = trim(trim(txt).strip_prefix(b"v")?).strip_prefix(b"=")?;
    let rest = trim(trim(rest).strip_prefix(b"DMARC1")?);
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix(b";") }
}

/// The tags after the version, each once.
pub(super) struct Tags<'a>(Vec<(&'a [u8], &'a [u8])>);

impl<'a> Tags<'a> {
    pub(super) fn parse(list: &'a [u8]) -> Result<Tags<'a>, RecordError> {
        let mut tags: Vec<(&[u8], &[u8])> = Vec::new();
        for (count, part) in list.split(|octet| *octet == b';').map(trim).filter(|part| !part.is_empty()).enumerate() {
            if count + 2 > limits::DMARC_TAGS {
                return Err(RecordError::TooManyTags);
            }
            // § RFC 9989 §4.7: behind the version, what has an error of syntax counts as not written
            let Some((name, value)) = tag(part) else { continue };
            // § RFC 6376 §3.2: "if a tag name does occur more than once, the entire tag-list is invalid"
            if name == b"v" || tags.iter().any(|(other, _)| *other == name) {
                return Err(RecordError::Duplicate);
            }
            tags.push((name, value));
        }
        Ok(Tags(tags))
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.0.iter().find(|(other, _)| *other == name.as_bytes()).map(|(_, value)| *value)
    }

    /// Quoted strings of ABNF match any case (RFC 5234 §2.3).
    pub(super) fn is(&self, name: &str, word: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case(word.as_bytes()))
    }

    pub(super) fn policy(&self, name: &str) -> Written {
        let words = [Policy::None, Policy::Quarantine, Policy::Reject];
        match words.into_iter().find(|policy| self.is(name, policy.as_str())) {
            Some(policy) => Written::Valid(policy),
            None if self.get(name).is_some() => Written::Invalid,
            None => Written::Absent,
        }
    }

    pub(super) fn alignment(&self, name: &str) -> Alignment {
        if self.is(name, "s") { Alignment::Strict } else { Alignment::Relaxed }
    }

    pub(super) fn psd(&self) -> Psd {
        match (self.is("psd", "y"), self.is("psd", "n")) {
            (true, _) => Psd::Suffix,
            (_, true) => Psd::Organization,
            _ => Psd::Unsaid,
        }
    }

    /// § RFC 9989 §4.7, fo: a list separated by colons; unknown options are ignored, and the default is "0".
    pub(super) fn failure_options(&self) -> Vec<FailureOption> {
        let mut options = Vec::new();
        for word in self.get("fo").unwrap_or_default().split(|octet| *octet == b':').map(trim) {
            let option = match word {
                b"0" => FailureOption::NothingPassed,
                b"1" => FailureOption::SomethingFailed,
                b"d" | b"D" => FailureOption::Dkim,
                b"s" | b"S" => FailureOption::Spf,
                _ => continue,
            };
            if !options.contains(&option) {
                options.push(option);
            }
        }
        if options.is_empty() { vec![FailureOption::NothingPassed] } else { options }
    }
}

/// A policy tag as it stands in the record.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    Absent,
    Invalid,
    Valid(Policy),
}

impl Written {
    pub(super) fn valid(self) -> Option<Policy> {
        if let Written::Valid(policy) = self { Some(policy) } else { None }
    }
}

/// § RFC 9989 §4.8: dmarc-tag = 1*ALPHA equals 1*dmarc-value, whose octets are checked by what reads the value.
fn tag(part: &[u8]) -> Option<(&[u8], &[u8])> {
    let equals = part.iter().position(|octet| *octet == b'=')?;
    let (name, value) = part.split_at_checked(equals)?;
    let name = trim(name);
    let alphabetic = !name.is_empty() && name.iter().all(u8::is_ascii_alphabetic);
    alphabetic.then(|| (name, trim(value.get(1..).unwrap_or_default())))
}

/// Without WSP (RFC 5234: space and tab) at both ends.
pub(super) fn trim(mut octets: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = octets {
        octets = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = octets {
        octets = rest;
    }
    octets
}
