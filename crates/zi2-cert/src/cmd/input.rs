//! Reading files and standard input, bounded.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use zi2_mail::{Timestamp, crlf_from_file};

use crate::{Exit, Trouble};

/// Octets of one message: well above what mail servers accept.
const MESSAGE_OCTETS: u64 = 256 * 1024 * 1024;

/// The octets of a message, with the line ends SMTP has (zi2.md §3). Refuses an empty one.
pub(crate) fn message(path: &Path) -> Result<Vec<u8>, Trouble> {
    let octets = file(path)?;
    if octets.is_empty() {
        let what = format!("{} is empty: there is no message to look at", path.display());
        return Err(Trouble::new(
            Exit::Data,
            what,
            "Give a whole message, header and body, as a mail server stores it.",
        ));
    }
    Ok(crlf_from_file(&octets).into_owned())
}

/// A file, or standard input for `-`.
pub(crate) fn file(path: &Path) -> Result<Vec<u8>, Trouble> {
    let unreadable = |e: io::Error| {
        Trouble::new(
            Exit::NoInput,
            format!("{} cannot be read: {e}", path.display()),
            "Check the name and its permissions.",
        )
    };
    let mut octets = Vec::new();
    let source: Box<dyn Read> = match path == Path::new("-") {
        true => Box::new(io::stdin()),
        false => Box::new(File::open(path).map_err(unreadable)?),
    };
    source.take(MESSAGE_OCTETS + 1).read_to_end(&mut octets).map_err(unreadable)?;
    if u64::try_from(octets.len()).is_ok_and(|read| read > MESSAGE_OCTETS) {
        let what = format!("{} is longer than {MESSAGE_OCTETS} octets", path.display());
        return Err(Trouble::new(Exit::Data, what, "No mail server carries such a message; is it the right file?"));
    }
    Ok(octets)
}

/// The clock.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_secs(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
}
