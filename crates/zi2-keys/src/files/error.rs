//! What can be wrong with key files. No text quotes a file's content.

use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use zi2_sig::KeyFileError;
use zi2_sig::dkim::DkimKeyFileError;

use crate::limits;
use crate::rotation::TextError;

/// Why a key file was not read or written, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The last component of the path is a symbolic link, so somebody else may choose the key (security.md K2).
    #[error("{} is a symbolic link; put the key file itself there", path.display())]
    Symlink {
        /// The path.
        path: PathBuf,
    },
    /// It is a directory, a device or a pipe.
    #[error("{} is not a regular file", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// Its mode lets others read or change it.
    #[error("{} can be used by others: mode {mode:04o}, owner uid {uid}; do: {fix}", path.display())]
    Exposed {
        /// The path.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// Its owner.
        uid: u32,
        /// The command that repairs it.
        fix: String,
    },
    /// It belongs to somebody else.
    #[error("{} belongs to uid {uid} (mode {mode:04o}), not to root or to uid {ours} of this process; do: {fix}", path.display())]
    Owner {
        /// The path.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// Its owner.
        uid: u32,
        /// Our effective uid.
        ours: u32,
        /// The command that repairs it.
        fix: String,
    },
    /// This process may not read it.
    #[error("{} is not readable for uid {ours}: mode {mode:04o}, owner uid {uid}; do: {fix}", path.display())]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// Its owner.
        uid: u32,
        /// Our effective uid.
        ours: u32,
        /// The command that repairs it.
        fix: String,
    },
    /// It is far too large for a key.
    #[error("{} has {octets} octets, more than a private key; is it the right file?", path.display())]
    TooLarge {
        /// The path.
        path: PathBuf,
        /// Its size.
        octets: u64,
    },
    /// What it holds is no key.
    #[error("{}: {source}", path.display())]
    Content {
        /// The path.
        path: PathBuf,
        /// What is wrong.
        source: KeyFileError,
    },
    /// What it holds is no key that DKIM can sign with.
    #[error("{}: {source}{}", path.display(), dkim_remedy(source))]
    DkimContent {
        /// The path.
        path: PathBuf,
        /// What is wrong.
        source: DkimKeyFileError,
    },
    /// More keys of one domain than may sign one message.
    #[error("{} holds more than {} keys, and each of them would sign every message; give those you retired another ending than .pem", path.display(), limits::DKIM_KEYS)]
    TooManyDkim {
        /// The directory of the domain.
        path: PathBuf,
    },
    /// What it holds is no state of a rotation.
    #[error("{}: {source}; put a copy of it back, or move it away: then the newest key signs", path.display())]
    Rotation {
        /// The path.
        path: PathBuf,
        /// What is wrong.
        source: TextError,
    },
    /// It is there already, and a key is never overwritten.
    #[error("{} exists already and was left as it is; choose another key identifier, or replace it (a dated copy is kept)", path.display())]
    Exists {
        /// The path.
        path: PathBuf,
    },
    /// The directory holds too much.
    #[error("{} holds more than {keys} keys or {entries} files; move old ones away", path.display(), keys = limits::KEYS, entries = limits::DIRECTORY_ENTRIES)]
    TooMany {
        /// The directory.
        path: PathBuf,
    },
    /// The system refused.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// The system's answer.
        source: io::Error,
    },
}

impl FileError {
    /// Whether there simply is no such file or directory.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(self, FileError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }

    pub(crate) fn io(path: &Path, doing: &'static str, source: impl Into<io::Error>) -> FileError {
        FileError::Io { path: path.to_owned(), doing, source: source.into() }
    }

    /// The error of an open that refuses links. The file is looked at again only to explain it.
    pub(crate) fn opening(path: &Path, errno: Errno) -> FileError {
        match (errno, rustix::fs::lstat(path)) {
            (Errno::LOOP, _) => FileError::Symlink { path: path.to_owned() },
            (Errno::NXIO, _) => FileError::NotAFile { path: path.to_owned() }, // a socket
            (Errno::ACCESS, Ok(stat)) => {
                let (uid, ours) = (stat.st_uid, rustix::process::geteuid().as_raw());
                let what = if uid == ours { "chmod 0400".to_owned() } else { format!("chown {ours}") };
                let fix = format!("{what} {}", quoted(path));
                FileError::Unreadable { path: path.to_owned(), mode: stat.st_mode & 0o7777, uid, ours, fix }
            }
            (errno, _) => FileError::io(path, "open", errno),
        }
    }
}

/// What to do, where the words of the error do not say it.
fn dkim_remedy(error: &DkimKeyFileError) -> &'static str {
    match error {
        DkimKeyFileError::ShortRsa(_) => "; make another key under another selector: zi2-cert keygen --dkim --rsa",
        DkimKeyFileError::TooLong
        | DkimKeyFileError::Encrypted
        | DkimKeyFileError::NoSeed
        | DkimKeyFileError::OtherPem
        | DkimKeyFileError::Unknown => "",
    }
}

/// The path as a shell takes it.
pub(crate) fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
