//! Lines of OpenDKIM's tables: a first column and the rest, and what can be wrong with them.

use zi2_mail::DomainError;
use zi2_sig::dkim::{DkimKeyFileError, SelectorError};

use crate::problem::quoted;
use crate::senders::table::{Line, Word};

/// What is wrong with a line of a KeyTable or a SigningTable. The fault is with whoever wrote the file.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DkimTableFault {
    /// The line ends after its first column. The text is not repeated: it may be a part of a key.
    #[error("the line ends after its first word; a line reads {0}")]
    Half(&'static str),
    /// Fewer than three parts. The text is not repeated: it may be a key.
    #[error("this is no key; a line reads {KEY_LINE}")]
    Parts,
    /// `d=` is no domain.
    #[error("{} is no domain: {}", quoted(.0), .1)]
    Domain(String, DomainError),
    /// `s=` is no selector.
    #[error("{} is no selector: {}", quoted(.0), .1)]
    Selector(String, SelectorError),
    /// A path that begins somewhere.
    #[error("{}: write the path from the root, beginning with /", quoted(.0))]
    Relative(String),
    /// Neither a path nor a key. The text is not repeated: it may hold one.
    #[error("what stands for the key is neither a path, beginning with /, nor a private key: {0}")]
    Inline(DkimKeyFileError),
    /// Two lines of one name.
    #[error("a line above has the key {} too; give each a name of its own", quoted(.0))]
    Twice(String),
    /// A name that the KeyTable does not have.
    #[error("the KeyTable has no key {}; add it there, or name another", quoted(.0))]
    NoKey(String),
    /// The second part is no signer.
    #[error("{} is no signer; write user@example.com, @example.com or @%, or leave it out", quoted(.0))]
    Signer(String),
    /// Over the bound.
    #[error("the file has more than {0} lines; the rest is not read")]
    TooMany(usize),
}

/// How a line of a KeyTable reads.
pub(super) const KEY_LINE: &str = "NAME DOMAIN:SELECTOR:FILE";

/// The first word of a line, and what is left of it without blanks around; nothing of an empty line. A `#` begins a comment
/// anywhere.
pub(super) fn columns(line: Line<'_>) -> Option<(Word<'_>, Option<Word<'_>>)> {
    let text = line.text.split('#').next().unwrap_or_default();
    let content = text.trim_start();
    let first = content.split(char::is_whitespace).next().filter(|word| !word.is_empty())?;
    let start = text.len() - content.len();
    let after = content.get(first.len()..).unwrap_or_default();
    let rest = after.trim_start();
    let offset = text.len() - rest.len();
    let rest = Some(rest.trim_end()).filter(|rest| !rest.is_empty());
    Some((Word { offset: start, text: first }, rest.map(|text| Word { offset, text })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_columns() {
        for (text, first, rest) in [
            ("a b", Some((0, "a")), Some((2, "b"))),
            ("  a\t b c  # d", Some((2, "a")), Some((5, "b c"))),
            ("a", Some((0, "a")), None),
            ("a # b", Some((0, "a")), None),
            ("\t\r", None, None),
            ("# a b", None, None),
        ] {
            let found = columns(Line { index: 0, text });
            let shown = |word: Word<'_>| (word.offset, word.text.to_owned());
            let wanted = |word: Option<(usize, &str)>| word.map(|(offset, text)| (offset, text.to_owned()));
            assert_eq!(found.map(|(word, _)| shown(word)), wanted(first), "{text:?}");
            assert_eq!(found.and_then(|(_, word)| word).map(shown), wanted(rest), "{text:?}");
        }
    }
}
