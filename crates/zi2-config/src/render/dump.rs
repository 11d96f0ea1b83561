//! `config dump`: every value in force with its origin.

use serde_json::{Value, json};

use crate::origins::Origins;
use crate::place::{Origin, Place};

/// A table of three columns: setting, value, origin. Long values push their origin to the right.
pub fn dump_table(origins: &Origins) -> String {
    let rows: Vec<[String; 3]> = origins
        .iter()
        .map(|value| [format!("{}.{}", value.section, value.key), value.toml, value.origin.to_string()])
        .collect();
    let width = |pick: fn(&[String; 3]) -> &str| rows.iter().map(|row| pick(row).chars().count()).max().unwrap_or(0);
    let (name_width, value_width) = (width(|[name, ..]| name), width(|[_, value, _]| value).min(VALUE_WIDTH));
    rows.iter().map(|[name, value, origin]| format!("{name:name_width$}  {value:value_width$}  {origin}\n")).collect()
}

/// One very long list must not push all origins off the screen.
const VALUE_WIDTH: usize = 40;

/// The same for programs.
pub fn dump_json(origins: &Origins) -> Value {
    let settings: Vec<Value> = origins
        .iter()
        .map(|value| json!({"section": value.section, "key": value.key, "value": value.json, "origin": origin(value.origin)}))
        .collect();
    json!({"schema": "zi2-config-dump", "version": 1, "settings": settings})
}

fn origin(origin: &Origin) -> Value {
    match origin {
        Origin::Default => json!({"kind": "default"}),
        Origin::Derived(from) => json!({"kind": "derived", "from": from}),
        Origin::Set(Place::File(path)) => json!({"kind": "file", "path": path.display().to_string()}),
        Origin::Set(Place::At { path, line, column }) => {
            json!({"kind": "file", "path": path.display().to_string(), "line": line, "column": column})
        }
        Origin::Set(Place::Variable(name)) => json!({"kind": "environment", "variable": name}),
        Origin::Set(Place::VariableFile { name, path }) => {
            json!({"kind": "environment", "variable": name, "path": path.display().to_string()})
        }
        Origin::Set(Place::Setting(name)) => json!({"kind": "setting", "name": name}),
    }
}
