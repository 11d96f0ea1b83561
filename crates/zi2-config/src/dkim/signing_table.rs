//! The SigningTable (opendkim.conf(5)): `PATTERN NAME[:SIGNER]`.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use zi2_mail::Domain;
use zi2_sig::dkim::Agent;

use super::DkimTableFault;
use super::key_table::key_name;
use super::table::columns;
use crate::limits::DKIM_LINES;
use crate::place::Place;
use crate::problem::Problems;
use crate::senders::table::{TableProblems, Word, lines};

/// A line, its pattern apart.
pub(super) struct SigningLine {
    pub(super) pattern: String,
    pub(super) rule: SigningRule,
    pub(super) place: Place,
}

/// What is done with mail that matches.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct SigningRule {
    pub(super) key: RuleKey,
    /// `i=`, its `%` not yet replaced.
    signer: Option<Box<str>>,
}

/// Which key of the KeyTable.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum RuleKey {
    /// The one at this place.
    Named(usize),
    /// `%`: the one whose name is the From domain.
    OfAuthor,
}

/// How a line reads.
const SIGNING_LINE: &str = "PATTERN NAME, as in *@example.com main";

/// The lines, in order. `names` are those of the KeyTable.
pub(super) fn read(
    path: &Arc<Path>,
    text: &str,
    names: &HashMap<Box<str>, usize>,
    problems: &mut Problems,
) -> Vec<SigningLine> {
    let mut found = Vec::new();
    let mut faults = TableProblems::new(path, problems);
    for line in lines(text) {
        if faults.is_full() {
            break;
        }
        let Some((pattern, value)) = columns(line) else { continue };
        if found.len() >= DKIM_LINES {
            faults.push(line, pattern, DkimTableFault::TooMany(DKIM_LINES));
            break;
        }
        let Some(value) = value else {
            faults.push(line, pattern, DkimTableFault::Half(SIGNING_LINE));
            continue;
        };
        match rule(value, names) {
            Ok(rule) => {
                let place = Place::in_line(path, line.index, line.text, pattern.offset);
                found.push(SigningLine { pattern: pattern.text.to_owned(), rule, place });
            }
            Err((word, fault)) => faults.push(line, word, fault),
        }
    }
    found
}

fn rule<'a>(value: Word<'a>, names: &HashMap<Box<str>, usize>) -> Result<SigningRule, (Word<'a>, DkimTableFault)> {
    let (name, signer) = match value.text.split_once(':') {
        Some((name, signer)) => (name, Some(Word { offset: value.offset + name.len() + 1, text: signer })),
        None => (value.text, None),
    };
    let key = match name {
        "%" => RuleKey::OfAuthor,
        _ => {
            RuleKey::Named(*names.get(&key_name(name)).ok_or_else(|| (value, DkimTableFault::NoKey(name.to_owned())))?)
        }
    };
    let signer = signer.filter(|signer| !signer.text.is_empty());
    // Any domain in the place of `%` shows whether the rest can stand.
    let sample = signer.map(|signer| agent(signer.text, "example.com"));
    match (signer, sample) {
        (Some(signer), Some(None)) => Err((signer, DkimTableFault::Signer(signer.text.to_owned()))),
        (signer, _) => Ok(SigningRule { key, signer: signer.map(|signer| signer.text.into()) }),
    }
}

fn agent(signer: &str, author: &str) -> Option<Agent> {
    Agent::parse(signer.replace('%', author).as_bytes())
}

impl SigningRule {
    /// `i=` for mail of this domain.
    pub(super) fn agent(&self, author: &Domain) -> Option<Agent> {
        agent(self.signer.as_deref()?, author.as_str())
    }
}
