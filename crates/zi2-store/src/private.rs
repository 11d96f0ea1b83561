//! What must be ours alone: the directories in which a store keeps files.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::StoreError;

/// Refuses a directory in which others can put or exchange files.
pub(crate) fn check_directory(path: &Path, found: &Metadata) -> Result<(), StoreError> {
    match found {
        _ if !found.is_dir() => Err(not_private(path, "it is no directory", "name one of its own")),
        _ if !is_ours(found) => {
            Err(not_private(path, "it belongs to another user", "chown it to the user the daemon runs as"))
        }
        _ if found.mode() & 0o022 != 0 => {
            Err(not_private(path, "others can write in it", "chmod go-w it, or use a directory of its own"))
        }
        _ => Ok(()),
    }
}

pub(crate) fn not_private(path: &Path, problem: &'static str, advice: &'static str) -> StoreError {
    StoreError::NotPrivate { path: path.to_path_buf(), problem, advice }
}

/// Ours or root's; and root, who runs the operator's tools, may open everybody's.
pub(crate) fn is_ours(found: &Metadata) -> bool {
    let us = rustix::process::geteuid();
    us.is_root() || found.uid() == us.as_raw() || found.uid() == 0
}
