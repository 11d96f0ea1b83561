//! Our own text form, one rule a line:
//!
//! ```text
//! login alice@example.com   example.com example.org
//! login *@example.com       example.com
//! net   192.0.2.0/24        example.com
//! local *                   example.com
//! ```
//!
//! Knows no line that takes something away: what no rule allows is refused.

use zi2_mail::Domain;

use super::table::{Line, TableProblems, Word, lines};
use super::{Network, Subject, TableFault, Target, login_key};
use crate::problem::Hint;
use crate::suggest::nearest;

/// Gives every rule, with the number of its line, to `insert`.
pub(super) fn read(
    text: &str,
    faults: &mut TableProblems<'_>,
    mut insert: impl FnMut(u32, Subject, Target) -> Result<(), TableFault>,
) {
    for line in lines(text) {
        if faults.is_full() {
            break;
        }
        let mut words = line.words();
        let Some(keyword) = words.next() else { continue };
        match rule(keyword, words.next()) {
            Ok((subject, name)) => targets(line, &subject, name, words, faults, &mut insert),
            Err((word, fault)) => faults.push(line, word, fault),
        }
    }
}

fn targets<'a>(
    line: Line<'_>,
    subject: &Subject,
    name: Word<'_>,
    words: impl Iterator<Item = Word<'a>>,
    faults: &mut TableProblems<'_>,
    insert: &mut impl FnMut(u32, Subject, Target) -> Result<(), TableFault>,
) {
    let mut count = 0_usize;
    for word in words {
        if faults.is_full() {
            return;
        }
        count = count.saturating_add(1);
        let inserted = Target::parse(word.text).and_then(|target| insert(line.number(), subject.clone(), target));
        if let Err(fault) = inserted {
            let is_last = matches!(fault, TableFault::TooMany(_));
            faults.push(line, word, fault);
            if is_last {
                faults.close();
            }
        }
    }
    if count == 0 {
        faults.push(line, name, TableFault::NoTarget(name.text.to_owned()));
    }
}

/// Reads the name of one kind of subject.
type Reader = fn(&str) -> Result<Subject, TableFault>;

/// The subject of a rule and the word that names it.
fn rule<'a>(keyword: Word<'a>, name: Option<Word<'a>>) -> Result<(Subject, Word<'a>), (Word<'a>, TableFault)> {
    let (read, usage): (Reader, _) = match keyword.text {
        "login" => (login, "login NAME DOMAIN..."),
        "net" => (net, "net ADDRESS/BITS DOMAIN..."),
        "local" => (local, "local USER DOMAIN..."),
        other => return Err((keyword, unknown(other))),
    };
    let name = name.ok_or((keyword, TableFault::NoSubject(usage)))?;
    read(name.text).map(|subject| (subject, name)).map_err(|fault| (name, fault))
}

fn login(name: &str) -> Result<Subject, TableFault> {
    match name.strip_prefix('*') {
        Some("") => Ok(Subject::AnyLogin),
        Some(rest) => {
            let domain = rest.strip_prefix('@').ok_or_else(|| TableFault::Star(name.to_owned()))?;
            let domain = Domain::parse(domain).map_err(|error| TableFault::Domain(domain.to_owned(), error))?;
            Ok(Subject::LoginsOf(domain))
        }
        None if name.contains('*') => Err(TableFault::Star(name.to_owned())),
        None => Ok(Subject::Login(login_key(name))),
    }
}

fn net(name: &str) -> Result<Subject, TableFault> {
    Network::parse(name).map(Subject::Network).map_err(|error| TableFault::Network(name.to_owned(), error))
}

fn local(name: &str) -> Result<Subject, TableFault> {
    match name {
        "*" => Ok(Subject::AnyLocal),
        _ if name.contains('*') => Err(TableFault::Star(name.to_owned())),
        _ => Ok(Subject::LocalUser(name.into())),
    }
}

const RULES: [&str; 3] = ["login", "net", "local"];

fn unknown(word: &str) -> TableFault {
    let hint = match nearest(word, RULES) {
        Some(near) => Hint::Similar(near.to_owned()),
        None => Hint::OneOf(RULES.to_vec()),
    };
    TableFault::Rule { word: word.to_owned(), hint }
}
