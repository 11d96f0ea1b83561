//! Files and directories, read whole and never beyond a bound.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::limits;
use crate::notice::Notice;
use crate::place::Place;
use crate::problem::{Fault, Problem, Problems};

/// What a path holds.
pub(crate) enum Content {
    Text(String),
    Absent,
}

/// Reads a text file. Refuses one above the bound, and octets that are not UTF-8, at their place.
pub(crate) fn read_text(path: &Arc<Path>, limit: u64) -> Result<Content, Box<Problem>> {
    let whole = |fault| Box::new(Problem { place: Place::File(Arc::clone(path)), fault });
    let octets = match octets(path, limit) {
        Ok(octets) => octets,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Content::Absent),
        Err(error) => return Err(whole(fault(&error))),
    };
    if u64::try_from(octets.len()).is_ok_and(|octets| octets > limit) {
        return Err(whole(Fault::TooLarge { limit }));
    }
    String::from_utf8(octets).map(Content::Text).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(error.as_bytes().get(..valid).unwrap_or_default());
        Box::new(Problem { place: Place::in_text(path, &text, valid), fault: Fault::NotUtf8 })
    })
}

fn octets(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    File::open(path)?.take(limit.saturating_add(1)).read_to_end(&mut octets)?;
    Ok(octets)
}

/// The system's refusal in an operator's words.
pub(crate) fn fault(error: &io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::NotFound => Fault::Missing,
        io::ErrorKind::PermissionDenied => Fault::Denied,
        _ => Fault::Unreadable(error.to_string()),
    }
}

/// The files of `conf.d`, in the order of their names. Hidden files and other endings are left alone.
pub(super) fn conf_d(directory: &Path, notices: &mut Vec<Notice>, problems: &mut Problems) -> Vec<PathBuf> {
    let names = match names(directory) {
        Ok(names) => names,
        Err(error) => {
            if error.kind() != io::ErrorKind::NotFound {
                problems.push(Place::File(Arc::from(directory)), fault(&error));
            }
            return Vec::new();
        }
    };
    if names.len() > limits::FILES {
        problems.push(Place::File(Arc::from(directory)), Fault::TooManyFiles { limit: limits::FILES });
        return Vec::new();
    }
    let is_ours = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "toml");
    let (ours, others): (Vec<PathBuf>, Vec<PathBuf>) = names.into_iter().partition(is_ours);
    notices.extend(others.into_iter().filter(|path| !is_leftover(path)).map(Notice::NotToml));
    ours
}

/// The visible paths of a directory, sorted; one more than the bound at most.
fn names(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let visible = |path: &PathBuf| !path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory)? {
        paths.extend(Some(entry?.path()).filter(visible));
        if paths.len() > limits::FILES {
            break;
        }
    }
    paths.sort();
    Ok(paths)
}

/// What editors and package managers leave behind, and what is meant for people.
fn is_leftover(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let endings = ["~", ".bak", ".dpkg-old", ".dpkg-new", ".dpkg-dist", ".ucf-old", ".ucf-dist", ".rpmsave", ".rpmnew"];
    name.starts_with("README") || endings.iter().any(|ending| name.ends_with(ending))
}

/// Whether a directory has a file with this ending. One that may not be read is taken to have it: somebody locked it.
pub(crate) fn directory_has(directory: &Path, ending: &str) -> bool {
    match fs::read_dir(directory) {
        Ok(entries) => entries.flatten().any(|entry| entry.path().extension().is_some_and(|found| found == ending)),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_a_size() {
        let folder = tempfile::tempdir().unwrap();
        let path: Arc<Path> = Arc::from(folder.path().join("x"));
        for (octets, fits) in [(1000, true), (1001, false)] {
            fs::write(&path, "#".repeat(octets)).unwrap();
            match read_text(&path, 1000) {
                Ok(Content::Text(text)) => assert!(fits && text.len() == octets, "{octets}"),
                Ok(Content::Absent) => panic!("{octets}"),
                Err(problem) => assert_eq!((fits, problem.fault), (false, Fault::TooLarge { limit: 1000 })),
            }
        }
    }
}
