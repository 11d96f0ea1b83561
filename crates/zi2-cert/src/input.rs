//! Reading files and standard input, bounded.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use zi2_flow::World;
use zi2_mail::{Header, Message, crlf_from_file};

use crate::limits::{MESSAGE_OCTETS, WORLD_OCTETS};
use crate::{Exit, Io, Trouble};

/// The name of standard input.
pub(crate) const STDIN: &str = "-";

/// The octets of a message as its file holds them. Refuses one that is empty or has no header field at all.
pub(crate) fn message(path: &Path, io: &mut Io<'_>) -> Result<Vec<u8>, Trouble> {
    match path == Path::new(STDIN) {
        true => checked(path, bounded(path, &mut *io.input, MESSAGE_OCTETS)?),
        false => message_file(path),
    }
}

/// The same, never from standard input.
pub(crate) fn message_file(path: &Path) -> Result<Vec<u8>, Trouble> {
    checked(path, file(path, MESSAGE_OCTETS)?)
}

/// A world (`--world`).
pub(crate) fn world(path: &Path) -> Result<World, Trouble> {
    let json = file(path, WORLD_OCTETS)?;
    World::parse(&json).map_err(|error| {
        let what = format!("{}: {error}", path.display());
        Trouble::new(Exit::Data, what, "Its schema is described in vectors/zi2/README.md of the sources.")
    })
}

/// A file of at most so many octets.
pub(crate) fn file(path: &Path, limit: u64) -> Result<Vec<u8>, Trouble> {
    let opened = File::open(path).and_then(|file| {
        let is_directory = file.metadata()?.is_dir();
        if is_directory { Err(io::ErrorKind::IsADirectory.into()) } else { Ok(file) }
    });
    bounded(path, &mut opened.map_err(|error| unreadable(path, &error))?, limit)
}

/// The trouble with a file that cannot be read.
pub(crate) fn unreadable(path: &Path, error: &io::Error) -> Trouble {
    let remedy = match error.kind() {
        io::ErrorKind::NotFound => "Check the name.",
        io::ErrorKind::PermissionDenied => "Check its permissions, or run this as the user who may read it.",
        _ => "Check that it is a file and the disk is well.",
    };
    Trouble::new(Exit::NoInput, format!("{} cannot be read: {error}", path.display()), remedy)
}

fn bounded(path: &Path, source: &mut dyn Read, limit: u64) -> Result<Vec<u8>, Trouble> {
    let mut octets = Vec::new();
    source.take(limit + 1).read_to_end(&mut octets).map_err(|error| unreadable(path, &error))?;
    if u64::try_from(octets.len()).is_ok_and(|read| read <= limit) {
        return Ok(octets);
    }
    let what = format!("{} is longer than {limit} octets", path.display());
    Err(Trouble::new(Exit::Data, what, "Nothing of its kind is that long; is it the right file?"))
}

fn checked(path: &Path, octets: Vec<u8>) -> Result<Vec<u8>, Trouble> {
    const REMEDY: &str = "Give a whole message, header and body, as a mail server stores it.";
    if octets.is_empty() {
        return Err(Trouble::new(
            Exit::Data,
            format!("{} is empty: there is no message in it", path.display()),
            REMEDY,
        ));
    }
    // A message without one line that is a field is no message; any other defect is a verdict's business.
    let has_field = |header: &Header<'_>| header.fields().next().is_some();
    if !has_field(&Message::split(&crlf_from_file(&octets)).header) {
        return Err(Trouble::new(
            Exit::Data,
            format!("{} does not begin with a header section", path.display()),
            REMEDY,
        ));
    }
    Ok(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_octets_and_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        for (octets, expected) in [(1000, Ok(1000)), (1001, Err(Exit::Data))] {
            let content = "x".repeat(octets);
            std::fs::write(&path, &content).unwrap();
            let both = [file(&path, 1000), bounded(Path::new(STDIN), &mut content.as_bytes(), 1000)];
            for read in both {
                assert_eq!(read.map(|read| read.len()).map_err(|trouble| trouble.exit), expected, "{octets}");
            }
        }
    }
}
