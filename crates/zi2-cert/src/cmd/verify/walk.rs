//! The messages below directories: `*.eml`, and the `cur` and `new` of Maildirs. Opens no message and follows no link.

use std::ffi::OsString;
use std::fs::{self, FileType};
use std::path::{Path, PathBuf};

use crate::limits::{DEPTH, ENTRIES};
use crate::{Exit, Trouble, input};

/// What was found, in the order of the arguments and below each of them in the order of names.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The messages.
    pub(super) files: Vec<PathBuf>,
    /// Links that were not followed.
    pub(super) links: usize,
    /// Directories that could not be read, or lie too deep.
    pub(super) troubles: Vec<Trouble>,
    entries: usize,
}

impl Found {
    /// Every file that is named, and the messages below every directory.
    pub(super) fn below(arguments: &[PathBuf]) -> Result<Found, Trouble> {
        let mut found = Found::default();
        for argument in arguments {
            match argument.is_dir() {
                // The name alone says nothing of `.`, so it is asked for in full.
                true => found.walk(argument, kind(&argument.canonicalize().unwrap_or_default()), 0)?,
                false => found.files.push(argument.clone()),
            }
        }
        Ok(found)
    }

    fn walk(&mut self, directory: &Path, kind: Kind, depth: usize) -> Result<(), Trouble> {
        let entries = match self.entries(directory) {
            Ok(entries) => entries,
            Err(trouble) => {
                self.troubles.push(trouble);
                return Ok(());
            }
        };
        self.entries += entries.len();
        if self.entries > ENTRIES {
            let what = format!("{}: there are more than {ENTRIES} files and directories", directory.display());
            return Err(Trouble::new(Exit::Data, what, "Verify them in parts: name directories below it."));
        }
        let is_maildir = entries.iter().any(|(name, is)| name == "cur" && is.is_dir());
        for (name, is) in entries {
            let path = directory.join(&name);
            if is.is_symlink() {
                self.links += 1;
            } else if is.is_file() && kind.is_message(&name) {
                self.files.push(path);
            } else if is.is_dir() && !(is_maildir && name == "tmp") {
                // What lies in a Maildir's tmp is still being delivered.
                self.down(&path, depth + 1)?;
            }
        }
        Ok(())
    }

    fn down(&mut self, directory: &Path, depth: usize) -> Result<(), Trouble> {
        if depth < DEPTH {
            return self.walk(directory, kind(directory), depth);
        }
        let what = format!("{} was not looked at: it lies {DEPTH} directories deep", directory.display());
        self.troubles.push(Trouble::new(Exit::NoInput, what, "Name it as an argument."));
        Ok(())
    }

    fn entries(&self, directory: &Path) -> Result<Vec<(OsString, FileType)>, Trouble> {
        let listed = fs::read_dir(directory).and_then(|entries| {
            let typed = entries.map(|entry| entry.and_then(|entry| Ok((entry.file_name(), entry.file_type()?))));
            typed.take(ENTRIES + 1).collect::<Result<Vec<_>, _>>()
        });
        let mut entries = listed.map_err(|error| input::unreadable(directory, &error))?;
        entries.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        Ok(entries)
    }
}

/// Which files of a directory are messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// `cur` or `new` of a Maildir: all but hidden ones.
    Maildir,
    /// Those whose name ends in `.eml`.
    Plain,
}

impl Kind {
    fn is_message(self, name: &OsString) -> bool {
        let name = name.as_encoded_bytes();
        let ends = |ending: &[u8]| name.len() > ending.len() && name.to_ascii_lowercase().ends_with(ending);
        !name.starts_with(b".") && (self == Kind::Maildir || ends(b".eml"))
    }
}

/// § maildir(5): messages stand in `new` and `cur`, which are beside each other.
fn kind(directory: &Path) -> Kind {
    let beside = |name: &str| directory.parent().is_some_and(|parent| parent.join(name).is_dir());
    let named = directory.file_name().is_some_and(|name| name == "cur" || name == "new");
    if named && beside("cur") && beside("new") { Kind::Maildir } else { Kind::Plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_entries_and_no_more() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.eml", "b", "c/d.eml"] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let walk = |before: usize| {
            let mut found = Found { entries: before, ..Found::default() };
            found.walk(folder.path(), Kind::Plain, 0).map(|()| found.files.len()).map_err(|trouble| trouble.exit)
        };
        assert_eq!((walk(ENTRIES - 4), walk(ENTRIES - 3)), (Ok(2), Err(Exit::Data)));
    }
}
