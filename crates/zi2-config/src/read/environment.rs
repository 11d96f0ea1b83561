//! `ZI2__SECTION__KEY`, and `ZI2__SECTION__KEY_FILE` for a value that stands in a file, as container secrets do.
//!
//! Values are written without quotes; lists with commas or line ends between their items. Other variables are not looked at.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Content, Reader, Source, read_text};
use crate::defs::{self, Setting, VARIABLE_PREFIX};
use crate::kind::{Kind, Raw};
use crate::limits;
use crate::place::Place;
use crate::problem::{Fault, Hint};
use crate::suggest::nearest;

pub(super) fn read(environment: impl IntoIterator<Item = (OsString, OsString)>, reader: &mut Reader<'_>) {
    let ours = |(name, value): (OsString, OsString)| {
        let name = name.to_string_lossy().into_owned();
        name.starts_with(VARIABLE_PREFIX).then_some((name, value))
    };
    let variables: BTreeMap<String, OsString> = environment.into_iter().filter_map(ours).collect();
    for (name, value) in &variables {
        match target(name) {
            Some((setting, Form::Value)) => plain(setting, name, value, reader),
            Some((setting, Form::File)) if variables.contains_key(&setting.variable()) => {
                reader.problem(Place::Variable(name.clone()), Fault::VariableTwice(setting.variable()));
            }
            Some((setting, Form::File)) => from_file(setting, name, value, reader),
            None => reader.problem(Place::Variable(name.clone()), unknown(name)),
        }
    }
}

/// Whether a variable holds a value or names a file with it.
#[derive(Clone, Copy)]
enum Form {
    Value,
    File,
}

/// A setting whose own key ends in `_file` comes first.
fn target(name: &str) -> Option<(Setting, Form)> {
    let setting = |name: &str| defs::settings().find(|setting| setting.variable() == name);
    let direct = setting(name).map(|setting| (setting, Form::Value));
    direct.or_else(|| Some((setting(name.strip_suffix(FILE_SUFFIX)?)?, Form::File)))
}

const FILE_SUFFIX: &str = "_FILE";

fn plain(setting: Setting, name: &str, value: &OsStr, reader: &mut Reader<'_>) {
    let place = Place::Variable(name.to_owned());
    match value.to_str() {
        Some(text) => reader.value(setting, &raw(&setting.def.kind, text), &Source::Variable(&place), 0),
        None => reader.problem(place, Fault::NotUtf8),
    }
}

fn from_file(setting: Setting, name: &str, value: &OsStr, reader: &mut Reader<'_>) {
    let path: Arc<Path> = Arc::from(Path::new(value));
    let place = Place::VariableFile { name: name.to_owned(), path: PathBuf::from(value) };
    match read_text(&path, limits::FILE_OCTETS) {
        Ok(Content::Text(text)) => {
            reader.value(setting, &raw(&setting.def.kind, text.trim_end()), &Source::Variable(&place), 0);
        }
        Ok(Content::Absent) => reader.unreadable(place, Fault::Missing),
        Err(problem) => reader.unreadable(place, problem.fault),
    }
}

/// A value without TOML's marks.
fn raw(kind: &Kind, text: &str) -> Raw {
    let as_text = || Raw::Text(text.to_owned());
    match (kind, text) {
        (Kind::Flag, "true") => Raw::Flag(true),
        (Kind::Flag, "false") => Raw::Flag(false),
        (Kind::Count { .. }, _) => text.parse().map_or_else(|_| as_text(), Raw::Integer),
        (kind, _) if kind.is_list() => {
            let items = text.split([',', '\n']).map(str::trim).filter(|item| !item.is_empty());
            Raw::List(items.map(|item| (Raw::Text(item.to_owned()), 0)).collect())
        }
        _ => as_text(),
    }
}

fn unknown(name: &str) -> Fault {
    let names: Vec<String> = defs::settings().map(Setting::variable).collect();
    Fault::UnknownVariable(match nearest_variable(name, &names) {
        Some(near) => Hint::Similar(near.to_owned()),
        None => Hint::OneOf(vec!["ZI2__SECTION__KEY, as in ZI2__SERVER__SID"]),
    })
}

/// Compared in lower case, as suggestions are.
fn nearest_variable<'a>(name: &str, known: &'a [String]) -> Option<&'a String> {
    let lower: Vec<String> = known.iter().map(|name| name.to_ascii_lowercase()).collect();
    let near = nearest(name, lower.iter().map(String::as_str))?;
    known.iter().find(|name| name.eq_ignore_ascii_case(near))
}
