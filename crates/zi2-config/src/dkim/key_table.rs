//! The KeyTable (opendkim.conf(5)): `NAME DOMAIN:SELECTOR:KEY`, where KEY is a file or the key itself.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zi2_mail::Domain;
use zi2_sig::dkim::Selector;

use super::table::{KEY_LINE, columns};
use super::{DkimKeyEntry, DkimKeyPlace, DkimTableFault, InlineKey};
use crate::limits::DKIM_LINES;
use crate::place::Place;
use crate::problem::Problems;
use crate::senders::table::{TableProblems, Word, lines};

/// The keys, and where among them each name is.
pub(super) fn read(
    path: &Arc<Path>,
    text: &str,
    problems: &mut Problems,
) -> (Vec<DkimKeyEntry>, HashMap<Box<str>, usize>) {
    let (mut keys, mut names) = (Vec::new(), HashMap::new());
    let mut faults = TableProblems::new(path, problems);
    for line in lines(text) {
        if faults.is_full() {
            break;
        }
        let Some((name, value)) = columns(line) else { continue };
        if keys.len() >= DKIM_LINES {
            faults.push(line, name, DkimTableFault::TooMany(DKIM_LINES));
            break;
        }
        let Some(value) = value else {
            faults.push(line, name, DkimTableFault::Half(KEY_LINE));
            continue;
        };
        // Names of keys are compared as they stand, but for a domain that stands for one (`%` of a SigningTable).
        match (entry(value, Place::in_line(path, line.index, line.text, name.offset)), names.entry(key_name(name.text)))
        {
            (Ok(entry), Entry::Vacant(vacant)) => {
                vacant.insert(keys.len());
                keys.push(entry);
            }
            (Ok(_), Entry::Occupied(_)) => faults.push(line, name, DkimTableFault::Twice(name.text.to_owned())),
            (Err((word, fault)), _) => faults.push(line, word, fault),
        }
    }
    (keys, names)
}

/// Letters of either case are one in names, as OpenDKIM takes them.
pub(super) fn key_name(name: &str) -> Box<str> {
    name.to_ascii_lowercase().into_boxed_str()
}

fn entry(value: Word<'_>, place: Place) -> Result<DkimKeyEntry, (Word<'_>, DkimTableFault)> {
    let mut offset = value.offset;
    let mut parts = value.text.splitn(3, ':').map(|text| {
        let word = Word { offset, text };
        offset += text.len() + 1;
        word
    });
    let (Some(domain), Some(selector), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
        return Err((value, DkimTableFault::Parts));
    };
    let name = match domain.text {
        "%" => None,
        text => Some(Domain::parse(text).map_err(|error| (domain, DkimTableFault::Domain(text.to_owned(), error)))?),
    };
    let selector = Selector::parse(selector.text)
        .map_err(|error| (selector, DkimTableFault::Selector(selector.text.to_owned(), error)))?;
    let key = key_place(key.text).map_err(|fault| (key, fault))?;
    Ok(DkimKeyEntry { domain: name, selector, key, place })
}

fn key_place(text: &str) -> Result<DkimKeyPlace, DkimTableFault> {
    // The base64 of a seed may begin as a path does; it ends in a way that no path does, and no message may repeat it.
    let is_path = text.starts_with('/') && !text.ends_with('=');
    match text {
        _ if is_path && text.contains('%') => Ok(DkimKeyPlace::FileOfAuthor(text.to_owned())),
        _ if is_path => Ok(DkimKeyPlace::File(PathBuf::from(text))),
        // A daemon has no directory of its own to start from.
        _ if text.starts_with("./") || text.starts_with("../") => Err(DkimTableFault::Relative(text.to_owned())),
        _ => {
            let key = InlineKey::new(text);
            key.private_key().map_err(DkimTableFault::Inline)?;
            Ok(DkimKeyPlace::Inline(key))
        }
    }
}
