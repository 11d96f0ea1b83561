//! Reading: files, `conf.d` and environment become checked values with their places.
//!
//! Later sources win a key at a time. Every value is checked, also one that a later source replaces: a mistake in a file
//! must not wait for the day the other file goes.

mod environment;
mod file;
mod host;
mod toml;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::defs::{Setting, SettingId};
use crate::kind::{Raw, Value};
use crate::limits;
use crate::notice::Notice;
use crate::place::Place;
use crate::problem::{Fault, Problems};

pub(crate) use file::{Content, directory_has, read_text};
pub(crate) use host::full_name;
pub(crate) use toml::default_value;

/// Where the configuration is looked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Paths {
    /// The main file.
    pub file: PathBuf,
    /// Whether there must be one.
    pub presence: Presence,
    /// The directory of more files.
    pub conf_d: PathBuf,
    /// What the kernel calls this host.
    pub host_name: PathBuf,
    /// The table that gives its full name.
    pub hosts: PathBuf,
    /// The directory of the product page's key file.
    pub product_keys: PathBuf,
}

/// Whether the main file must exist.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Presence {
    /// Somebody named it.
    Required,
    /// Defaults and environment may be all there is.
    Optional,
}

impl Paths {
    /// The usual paths of a Linux host.
    pub fn system() -> Paths {
        Paths::below(Path::new("/"))
    }

    /// The usual paths with another root directory.
    pub fn below(root: &Path) -> Paths {
        Paths {
            file: root.join("etc/zi2/zi2.toml"),
            presence: Presence::Optional,
            conf_d: root.join("etc/zi2/conf.d"),
            host_name: root.join("proc/sys/kernel/hostname"),
            hosts: root.join("etc/hosts"),
            product_keys: root.join("etc/zi2-mail-guard"),
        }
    }

    /// The same with another main file, which must exist, and the `conf.d` beside it.
    #[must_use]
    pub fn with_file(self, file: PathBuf) -> Paths {
        let conf_d = file.with_file_name("conf.d");
        Paths { file, presence: Presence::Required, conf_d, ..self }
    }
}

/// What was written down, checked one by one.
#[derive(Debug)]
pub(crate) struct Written {
    /// The values that win.
    values: BTreeMap<SettingId, (Place, Option<Value>)>,
    /// Whether a whole file could not be read, so that anything may be missing.
    pub(crate) incomplete: bool,
}

impl Written {
    /// The winning value of a setting and its place. The value is missing when it is faulty.
    pub(crate) fn get(&self, id: SettingId) -> Option<&(Place, Option<Value>)> {
        self.values.get(&id)
    }
}

/// Reads all sources.
pub(crate) fn read(
    paths: &Paths,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    notices: &mut Vec<Notice>,
    problems: &mut Problems,
) -> Written {
    let mut reader = Reader { written: Written { values: BTreeMap::new(), incomplete: false }, problems };
    reader.file(&paths.file, paths.presence, notices);
    for path in file::conf_d(&paths.conf_d, notices, reader.problems) {
        reader.file(&path, Presence::Required, notices);
    }
    environment::read(environment, &mut reader);
    reader.written
}

/// Takes values in; keeps the last of each.
struct Reader<'a> {
    written: Written,
    problems: &'a mut Problems,
}

/// The text values stand in: turns offsets into places, only when somebody asks.
enum Source<'a> {
    Text(&'a Arc<Path>, &'a str),
    Variable(&'a Place),
}

impl Source<'_> {
    fn place(&self, offset: usize) -> Place {
        match self {
            Source::Text(path, text) => Place::in_text(path, text, offset),
            Source::Variable(place) => (*place).clone(),
        }
    }
}

impl Reader<'_> {
    fn file(&mut self, path: &Path, presence: Presence, notices: &mut Vec<Notice>) {
        let path: Arc<Path> = Arc::from(path);
        match read_text(&path, limits::FILE_OCTETS) {
            Ok(Content::Text(text)) => toml::read(&path, &text, self),
            Ok(Content::Absent) if presence == Presence::Optional => notices.push(Notice::NoFile(path)),
            Ok(Content::Absent) => self.unreadable(Place::File(path), Fault::Missing),
            Err(problem) => self.unreadable(problem.place, problem.fault),
        }
    }

    /// A source that cannot be read at all.
    fn unreadable(&mut self, place: Place, fault: Fault) {
        self.written.incomplete = true;
        self.problem(place, fault);
    }

    fn problem(&mut self, place: Place, fault: Fault) {
        self.problems.push(place, fault);
    }

    /// A value of a known setting, at an offset of its source.
    fn value(&mut self, setting: Setting, raw: &Raw, source: &Source<'_>, offset: usize) {
        let value = if is_unset(setting, raw) {
            Some(Value::Unset)
        } else {
            match setting.def.kind.value(&setting.name(), raw) {
                Ok(value) => Some(value),
                Err(faults) => {
                    for (item, fault) in faults {
                        let place = || source.place(if item == 0 { offset } else { item });
                        self.problems.push_at(place, fault);
                    }
                    None
                }
            }
        };
        self.written.values.insert(setting.id(), (source.place(offset), value));
    }
}

/// Where a default comes from elsewhere, an empty text says "no text here": container files set variables to nothing.
fn is_unset(setting: Setting, raw: &Raw) -> bool {
    matches!(setting.def.preset, crate::defs::Preset::Derived { .. }) && *raw == Raw::Text(String::new())
}
