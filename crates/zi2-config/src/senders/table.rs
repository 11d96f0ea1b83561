//! Tables of lines: words with their places, comments, and what can be wrong with a line.

use std::path::Path;
use std::sync::Arc;

use zi2_mail::DomainError;

use super::net::NetworkError;
use crate::limits;
use crate::place::Place;
use crate::problem::{Fault, Hint, Problems, quoted};

/// What is wrong with a line of a sender or domain table. The fault is with whoever wrote the file.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TableFault {
    /// The line begins with another word.
    #[error("{} is no rule; {hint}", quoted(word))]
    Rule {
        /// The word.
        word: String,
        /// What to write.
        hint: Hint,
    },
    /// The rule ends after its first word.
    #[error("the rule names nobody; write {0}")]
    NoSubject(&'static str),
    /// The rule ends after its second word.
    #[error("the rule names no domain; write one or more after {}", quoted(.0))]
    NoTarget(String),
    /// A star among other characters.
    #[error("{}: a star stands alone or before @, as in *@example.com", quoted(.0))]
    Star(String),
    /// Not a domain.
    #[error("{} is no domain: {}", quoted(.0), .1)]
    Domain(String, DomainError),
    /// Not an address.
    #[error("{} is no mail address; write a domain, or a full address as in alice@example.com", quoted(.0))]
    Address(String),
    /// Not a network.
    #[error("{}: {}", quoted(.0), .1)]
    Network(String, NetworkError),
    /// A second word where one is wanted.
    #[error("a line of this file is one domain; {} is too much", quoted(.0))]
    OneDomain(String),
    /// A continuation of nothing.
    #[error("the first line begins with a space, so it continues nothing; begin it at the margin")]
    Continuation,
    /// Over the bound.
    #[error("the sender files have more than {0} rules together; the rest is not read")]
    TooMany(usize),
    /// Over the bound.
    #[error("the file has more than {0} domains; the rest is not read")]
    TooManyDomains(usize),
}

/// A line with its index.
#[derive(Clone, Copy)]
pub(crate) struct Line<'a> {
    pub(crate) index: usize,
    pub(crate) text: &'a str,
}

/// A word of a line with its offset.
#[derive(Clone, Copy)]
pub(crate) struct Word<'a> {
    pub(crate) offset: usize,
    pub(crate) text: &'a str,
}

/// The lines of a text.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.lines().enumerate().map(|(index, text)| Line { index, text })
}

impl<'a> Line<'a> {
    /// Its words, up to a comment: a `#` at the beginning of a word.
    pub(crate) fn words(self) -> impl Iterator<Item = Word<'a>> {
        self.all_words().take_while(|word| !word.text.starts_with('#'))
    }

    /// Its words, a `#` being a letter like others. Spaces, tabs and commas stand between words.
    pub(crate) fn all_words(self) -> impl Iterator<Item = Word<'a>> {
        let mut offset = 0;
        let split = self.text.split_inclusive(is_space).map(move |piece| {
            let word = Word { offset, text: piece.trim_end_matches(is_space) };
            offset += piece.len();
            word
        });
        split.filter(|word| !word.text.is_empty())
    }

    /// Its number, counted from 1.
    pub(crate) fn number(self) -> u32 {
        crate::place::from_one(self.index)
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | ',' | '\r' | '\u{b}' | '\u{c}')
}

/// Takes the problems of one table, a bounded number of them.
pub(crate) struct TableProblems<'a> {
    path: &'a Arc<Path>,
    problems: &'a mut Problems,
    room: usize,
}

impl<'a> TableProblems<'a> {
    pub(crate) fn new(path: &'a Arc<Path>, problems: &'a mut Problems) -> TableProblems<'a> {
        TableProblems { path, problems, room: limits::TABLE_PROBLEMS }
    }

    pub(crate) fn push(&mut self, line: Line<'_>, word: Word<'_>, fault: impl Into<Fault>) {
        self.room = self.room.saturating_sub(1);
        let place = Place::in_line(self.path, line.index, line.text, word.offset);
        self.problems.push(place, fault);
    }

    /// Whether the rest of the table need not be read.
    pub(crate) fn is_full(&self) -> bool {
        self.room == 0
    }

    /// Nothing more is wanted.
    pub(crate) fn close(&mut self) {
        self.room = 0;
    }
}
