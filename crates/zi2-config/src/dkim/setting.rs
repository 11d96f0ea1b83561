//! Values of settings that only DKIM has: a table's path with its kind, and a name of a field to sign.

use std::fmt;
use std::path::PathBuf;

use zi2_sig::dkim::{Cover, SignedField};

use super::Matching;

/// A table of OpenDKIM's, and how it is searched.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct TablePath {
    pub(crate) matching: Matching,
    pub(crate) path: PathBuf,
}

impl TablePath {
    /// § opendkim.conf(5), DATA SETS: of the kinds of tables, those that are plain text.
    pub(crate) fn parse(text: &str) -> Result<TablePath, String> {
        let (matching, path) = match text.split_once(':') {
            Some(("refile", path)) => (Matching::Wildcards, path),
            Some(("file", path)) => (Matching::Names, path),
            _ => (Matching::Names, text),
        };
        if path.starts_with('/') {
            return Ok(TablePath { matching, path: PathBuf::from(path) });
        }
        Err("only text files are read: write the path from the root, after file: or refile:".to_owned())
    }
}

impl fmt::Display for TablePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = if self.matching == Matching::Wildcards { "refile:" } else { "" };
        write!(f, "{prefix}{}", self.path.display())
    }
}

/// Fields that are added, changed or removed on the way, by us or by others.
const CHANGING: [&str; 9] = [
    "received",
    "return-path",
    "bcc",
    "resent-bcc",
    "content-length",
    "authentication-results",
    "x-zi2-verified",
    "dkim-signature",
    "delivered-to",
];

/// Reads a name of a field that a signature may cover.
pub(crate) fn field_name(text: &str) -> Result<String, String> {
    SignedField::new(text, Cover::Present).map_err(|error| error.to_string())?;
    let name = text.to_ascii_lowercase();
    // § RFC 6376 §5.4: "SHOULD NOT be included"
    if CHANGING.contains(&name.as_str()) {
        return Err("this field changes on the way, and the signature would break; leave it out".to_owned());
    }
    Ok(name)
}
