//! Where a value or a problem stands.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where a value was written. Lines and columns count from 1, columns in characters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// A file as a whole.
    File(Arc<Path>),
    /// A place in a file.
    At {
        /// The file.
        path: Arc<Path>,
        /// The line.
        line: u32,
        /// The column.
        column: u32,
    },
    /// An environment variable.
    Variable(String),
    /// A file that an environment variable names.
    VariableFile {
        /// The variable, `_FILE` included.
        name: String,
        /// The file.
        path: PathBuf,
    },
    /// No place: a setting that is not set.
    Setting(&'static str),
}

impl Place {
    /// The place at an octet offset of a text. Offsets beyond the end are the end.
    pub(crate) fn in_text(path: &Arc<Path>, text: &str, offset: usize) -> Place {
        let before = text.get(..text.floor_char_boundary(offset)).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.bytes().filter(|octet| *octet == b'\n').count();
        let column = before.get(line_start..).unwrap_or_default().chars().count();
        Place::At { path: Arc::clone(path), line: from_one(line), column: from_one(column) }
    }

    /// The file it is in, if it is in one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Place::File(path) | Place::At { path, .. } => Some(path),
            Place::VariableFile { path, .. } => Some(path),
            Place::Variable(_) | Place::Setting(_) => None,
        }
    }

    /// The place in a line that is already found, line counted from 0, at an octet offset of the line.
    pub(crate) fn in_line(path: &Arc<Path>, index: usize, line: &str, offset: usize) -> Place {
        let column = line.get(..line.floor_char_boundary(offset)).unwrap_or(line).chars().count();
        Place::At { path: Arc::clone(path), line: from_one(index), column: from_one(column) }
    }
}

/// The number of the item with this index. Stops at the last number there is.
pub(crate) fn from_one(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX).saturating_add(1)
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::File(path) => write!(f, "{}", path.display()),
            Place::At { path, line, column } => write!(f, "{}:{line}:{column}", path.display()),
            Place::Variable(name) => f.write_str(name),
            Place::VariableFile { name, path } => write!(f, "{} ({name})", path.display()),
            Place::Setting(name) => f.write_str(name),
        }
    }
}

/// Where the value in force comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    /// The built-in default.
    Default,
    /// The default is another thing's value, named here.
    Derived(&'static str),
    /// It was written down.
    Set(Place),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::Derived(from) => write!(f, "from {from}"),
            Origin::Set(place) => place.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_from_one_in_characters() {
        let path: Arc<Path> = Arc::from(Path::new("/f"));
        let text = "a\n\u{fc}\u{fc} b\n";
        for (offset, shown) in
            [(0, "/f:1:1"), (1, "/f:1:2"), (2, "/f:2:1"), (7, "/f:2:4"), (3, "/f:2:1"), (99, "/f:3:1")]
        {
            assert_eq!(Place::in_text(&path, text, offset).to_string(), shown, "{offset}");
        }
        assert_eq!(Place::in_line(&path, 6, "\u{fc} b", 3).to_string(), "/f:7:3");
    }
}
