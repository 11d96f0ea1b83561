//! `zi2.toml`: sections and keys with their places. Refuses every name it does not know.

use std::path::Path;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Reader, Source};
use crate::defs::{self, SECTIONS, Section};
use crate::kind::Raw;
use crate::problem::{Fault, Hint};
use crate::suggest::nearest;

/// Reads a file. Of one that is no TOML only that is said: its values may not be what was meant.
pub(super) fn read(path: &Arc<Path>, text: &str, reader: &mut Reader<'_>) {
    let source = Source::Text(path, text);
    let (document, errors) = DeTable::parse_recoverable(text);
    reader.written.incomplete |= !errors.is_empty();
    for error in &errors {
        let offset = error.span().map_or(0, |span| span.start);
        let fault = match error.message() {
            "duplicate key" => Fault::Duplicate,
            other => Fault::NotToml(other.to_owned()),
        };
        reader.problems.push_at(|| source.place(offset), fault);
    }
    if errors.is_empty() {
        document.get_ref().iter().for_each(|(name, value)| section(name, value, &source, reader));
    }
}

type Key<'a> = Spanned<std::borrow::Cow<'a, str>>;

fn section(name: &Key<'_>, value: &Spanned<DeValue<'_>>, source: &Source<'_>, reader: &mut Reader<'_>) {
    let place = || source.place(name.span().start);
    match (defs::section(name.get_ref()), value.get_ref()) {
        (Some(section), DeValue::Table(table)) => {
            table.iter().for_each(|(key, value)| setting(section, key, value, source, reader));
        }
        (Some(section), _) => reader.problems.push_at(place, Fault::NotASection(section.name)),
        (None, DeValue::Table(_)) => reader.problems.push_at(place, unknown_section(name.get_ref())),
        (None, _) => reader.problems.push_at(place, outside_section(name.get_ref())),
    }
}

fn setting(
    section: &Section,
    key: &Key<'_>,
    value: &Spanned<DeValue<'_>>,
    source: &Source<'_>,
    reader: &mut Reader<'_>,
) {
    match defs::setting(section.name, key.get_ref()) {
        Some(setting) => reader.value(setting, &raw(value.get_ref()), source, value.span().start),
        None => {
            reader.problems.push_at(|| source.place(key.span().start), unknown_key(section.name, key.get_ref()));
        }
    }
}

/// The value that a default of the table says.
pub(crate) fn default_value(toml: &str) -> Option<Raw> {
    DeValue::parse(toml).ok().map(|value| raw(value.get_ref()))
}

fn raw(value: &DeValue<'_>) -> Raw {
    match value {
        DeValue::Array(items) => {
            Raw::List(items.iter().map(|item| (scalar(item.get_ref()), item.span().start)).collect())
        }
        other => scalar(other),
    }
}

fn scalar(value: &DeValue<'_>) -> Raw {
    match value {
        DeValue::String(text) => Raw::Text(text.clone().into_owned()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Raw::Integer(number),
            Err(_) => Raw::Other("a number of more than 64 bits"),
        },
        DeValue::Boolean(flag) => Raw::Flag(*flag),
        DeValue::Float(_) => Raw::Other("a number with a fraction"),
        DeValue::Datetime(_) => Raw::Other("a date"),
        DeValue::Array(_) => Raw::Other("a list in a list"),
        DeValue::Table(_) => Raw::Other("a table"),
    }
}

fn unknown_section(name: &str) -> Fault {
    let names = || SECTIONS.iter().map(|section| section.name);
    let hint = match nearest(name, names()) {
        Some(near) => Hint::Similar(format!("[{near}]")),
        None => Hint::OneOf(names().collect()),
    };
    Fault::UnknownSection { name: name.to_owned(), hint }
}

/// The section to name for a key that stands outside: only when there is no doubt.
fn outside_section(key: &str) -> Fault {
    Fault::OutsideSection { key: key.to_owned(), section: only_section_of(key) }
}

fn only_section_of(key: &str) -> Option<&'static str> {
    let mut found = SECTIONS.iter().filter(|section| section.defs.iter().any(|def| def.key == key));
    found.next().filter(|_| found.next().is_none()).map(|section| section.name)
}

fn unknown_key(section: &'static str, key: &str) -> Fault {
    let names = || SECTIONS.iter().filter(|s| s.name == section).flat_map(|s| s.defs.iter().map(|def| def.key));
    let hint = match (only_section_of(key), nearest(key, names())) {
        (Some(other), _) => Hint::Elsewhere(other),
        (None, Some(near)) => Hint::Similar(near.to_owned()),
        (None, None) => Hint::OneOf(names().collect()),
    };
    Fault::UnknownKey { section, key: key.to_owned(), hint }
}
