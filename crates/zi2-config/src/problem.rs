//! What can be wrong with a configuration, in the operator's words: where, what, and what to do.
//!
//! Refuses to stop at the first problem: [`Problems`] holds all of them, up to a bound.

use std::fmt;

use crate::dkim::DkimTableFault;
use crate::limits;
use crate::place::Place;
use crate::senders::TableFault;

/// One problem and its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// What, and what to do.
    pub fault: Fault,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.fault)
    }
}

/// What is wrong. The fault is with whoever wrote the file or set the variable, but for [`Fault::Bug`].
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Fault {
    /// No such file.
    #[error("there is no such file; create it, or name another")]
    Missing,
    /// Not permitted.
    #[error(
        "reading it is not permitted; give the account that runs this program the right, as with chgrp zi2 and chmod 640"
    )]
    Denied,
    /// The system says no otherwise.
    #[error("reading it failed: {0}")]
    Unreadable(String),
    /// Over the bound.
    #[error("it has more than {limit} octets; is it the right file?")]
    TooLarge {
        /// The bound.
        limit: u64,
    },
    /// Over the bound.
    #[error("it holds more than {limit} files; join some of them")]
    TooManyFiles {
        /// The bound.
        limit: usize,
    },
    /// Not text.
    #[error("this is not UTF-8; save it as UTF-8 text")]
    NotUtf8,
    /// The TOML reader's words.
    #[error("this is not TOML: {0}; a line reads key = value, and texts stand in quotes")]
    NotToml(String),
    /// A key or section twice in one file.
    #[error("this key or section stands in the file a second time; keep one of the two")]
    Duplicate,
    /// A key before the first section.
    #[error("the key {} stands outside of the sections; write it below {}", quoted(key), section.map_or("its [section]".to_owned(), |s| format!("[{s}]")))]
    OutsideSection {
        /// The key.
        key: String,
        /// The section that has such a key.
        section: Option<&'static str>,
    },
    /// No such section.
    #[error("there is no section [{}]; {hint}", plain(name))]
    UnknownSection {
        /// Its name.
        name: String,
        /// What to do.
        hint: Hint,
    },
    /// `server = 1` or `[[server]]`.
    #[error("{0} is a section; write [{0}] and its keys below")]
    NotASection(&'static str),
    /// No such key.
    #[error("[{section}] has no key {}; {hint}", quoted(key))]
    UnknownKey {
        /// The section.
        section: &'static str,
        /// The key.
        key: String,
        /// What to do.
        hint: Hint,
    },
    /// A value of another type.
    #[error("{setting} is {found}; write {wanted}")]
    WrongType {
        /// The setting.
        setting: String,
        /// What was found.
        found: &'static str,
        /// What is wanted, with an example.
        wanted: String,
    },
    /// A text that says nothing to us.
    #[error("{setting} = {}: {why}", quoted(found))]
    BadText {
        /// The setting.
        setting: String,
        /// The text.
        found: String,
        /// What is wrong and what to write.
        why: String,
    },
    /// Too small or too large.
    #[error("{setting} = {} is out of range; write {min} to {max}", plain(found))]
    OutOfRange {
        /// The setting.
        setting: String,
        /// What was found.
        found: String,
        /// The smallest value.
        min: String,
        /// The largest value.
        max: String,
    },
    /// None of the words of a closed list.
    #[error("{setting} = {} is unknown; {hint}", quoted(found))]
    UnknownWord {
        /// The setting.
        setting: String,
        /// What was found.
        found: String,
        /// What to do.
        hint: Hint,
    },
    /// An environment variable `ZI2__...` that sets nothing.
    #[error("no setting has this name; {0}")]
    UnknownVariable(Hint),
    /// A variable and its `_FILE` form.
    #[error("it is set, and {0} too; keep one of the two")]
    VariableTwice(String),
    /// No name for this server.
    #[error(
        "not set, and the name of this host ({}) does not do: {why}; write it below [server], as in sid = \"mail.example.com\"",
        quoted(found)
    )]
    NoHostName {
        /// What the host calls itself.
        found: String,
        /// Why that is no name.
        why: String,
    },
    /// The key file of the product page is used, and nothing says its identifier.
    #[error(
        "not set, and {0} names none; write the identifier that the key was published with below [keys], as in kid = \"zi2-cert-2026-04\""
    )]
    NoKid(String),
    /// One socket, two listeners.
    #[error("{0} is listened on twice; give each listener a socket of its own")]
    ListenerTwice(String),
    /// A line of a sender, login or domain table.
    #[error(transparent)]
    Table(#[from] TableFault),
    /// A line of one of OpenDKIM's tables.
    #[error(transparent)]
    DkimTable(#[from] DkimTableFault),
    /// One of OpenDKIM's tables without the other.
    #[error("not set, and {0} is; name both tables, or none")]
    OneTable(&'static str),
    /// The program contradicts itself.
    #[error("this program's own table is wrong about {0}; please report it")]
    Bug(String),
}

/// What to write instead of a name that is not known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Hint {
    /// A known name that looks like it.
    Similar(String),
    /// It is a key of another section.
    Elsewhere(&'static str),
    /// All there are.
    OneOf(Vec<&'static str>),
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Hint::Similar(name) => write!(f, "did you mean {name}?"),
            Hint::Elsewhere(section) => write!(f, "it is a key of [{section}]"),
            Hint::OneOf(names) => write!(f, "write {}", alternatives(names)),
        }
    }
}

/// "a, b or c".
pub(crate) fn alternatives(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// A text of unknown author for a message: in quotes, one line, cut.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", plain(text))
}

fn plain(text: &str) -> String {
    let mut shown: String = text.chars().take(limits::QUOTED_CHARS).flat_map(escaped).collect();
    if text.chars().nth(limits::QUOTED_CHARS).is_some() {
        shown.push_str("...");
    }
    shown
}

/// Controls and the marks that turn a line around would let a file write the terminal of whoever reads the message.
fn escaped(c: char) -> Vec<char> {
    let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if c.is_control() || turns { c.escape_unicode().collect() } else { vec![c] }
}

/// All problems of a configuration, in the order of its files. Never more than [`limits::PROBLEMS`]; the rest is counted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problems {
    list: Vec<Problem>,
    more: usize,
}

impl Problems {
    pub(crate) fn none() -> Problems {
        Problems { list: Vec::new(), more: 0 }
    }

    pub(crate) fn push(&mut self, place: Place, fault: impl Into<Fault>) {
        self.add(Problem { place, fault: fault.into() });
    }

    /// The same with a place that takes time to find: it is looked for only when it will be shown.
    pub(crate) fn push_at(&mut self, place: impl FnOnce() -> Place, fault: Fault) {
        if self.list.len() < limits::PROBLEMS {
            self.push(place(), fault);
        } else {
            self.more = self.more.saturating_add(1);
        }
    }

    pub(crate) fn add(&mut self, problem: Problem) {
        if self.list.len() < limits::PROBLEMS {
            self.list.push(problem);
        } else {
            self.more = self.more.saturating_add(1);
        }
    }

    /// The problems, first file first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Problem> {
        self.list.iter()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.list.iter().enumerate() {
            let newline = if index == 0 { "" } else { "\n" };
            write!(f, "{newline}{problem}")?;
        }
        if self.more > 0 { write!(f, "\nand {} more", self.more) } else { Ok(()) }
    }
}

impl std::error::Error for Problems {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_is_cut_and_escaped() {
        assert_eq!(quoted("a\nb\u{1b}[2J\u{202e}"), "\"a\\u{a}b\\u{1b}[2J\\u{202e}\"");
        let full = "x".repeat(limits::QUOTED_CHARS);
        assert_eq!(quoted(&full), format!("\"{full}\""));
        assert_eq!(quoted(&format!("{full}x")), format!("\"{full}...\""));
        assert_eq!(alternatives(&["a", "b", "c"]), "a, b or c");
    }

    #[test]
    fn problems_are_bounded() {
        let place = || Place::Setting("server.sid");
        for (found, end) in [(limits::PROBLEMS, "UTF-8 text"), (limits::PROBLEMS + 1, "UTF-8 text\nand 1 more")] {
            let (mut pushed, mut placed) = (Problems::none(), Problems::none());
            for _ in 0..found {
                pushed.push(place(), Fault::NotUtf8);
                placed.push_at(place, Fault::NotUtf8);
            }
            assert_eq!(pushed.iter().len(), limits::PROBLEMS, "{found}");
            assert!(pushed.to_string().ends_with(end), "{found}");
            assert_eq!(placed, pushed, "{found}");
        }
    }
}
