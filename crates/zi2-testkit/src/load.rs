//! Reading the cases.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::Value;

use crate::Case;

/// The folder of the cases.
pub fn folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "cases"].iter().collect()
}

/// All cases, in the order of their numbers.
///
/// # Panics
///
/// If one cannot be read.
pub fn cases() -> Vec<Case> {
    let entries = std::fs::read_dir(folder()).expect("the folder of the cases");
    let mut ids: Vec<String> = entries
        .map(|entry| entry.expect("an entry"))
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().expect("a plain name"))
        .collect();
    ids.sort();
    ids.iter().map(|id| case(id)).collect()
}

/// The cases that have a part for the milter.
pub fn milter_cases() -> Vec<Case> {
    cases().into_iter().filter(|case| !case.milter.is_empty()).collect()
}

/// The numbers of the cases that `LATER.md` leaves to later work.
///
/// # Panics
///
/// If it cannot be read.
pub fn later() -> BTreeSet<String> {
    let text = std::fs::read_to_string(folder().join("LATER.md")).expect("LATER.md");
    let first_cells = text.lines().filter_map(|line| line.strip_prefix("| TC-")).filter_map(|rest| rest.get(..3));
    first_cells.map(|number| format!("TC-{number}")).collect()
}

/// The world that all cases share.
///
/// # Panics
///
/// If it cannot be read.
pub fn zone() -> Value {
    let text = std::fs::read(folder().join("zone.json")).expect("zone.json");
    serde_json::from_slice(&text).expect("JSON")
}

/// The world of one step: the shared one, with the patches of the case and of the step.
pub fn world(case: &Case, step: &Value) -> Value {
    let mut world = zone();
    patch(&mut world, &case.world);
    patch(&mut world, step);
    world
}

impl Case {
    /// The octets of one of its messages.
    ///
    /// # Panics
    ///
    /// If they cannot be read.
    pub fn octets(&self, message: &str) -> Vec<u8> {
        let path = folder().join(&self.id).join(message);
        std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

fn case(id: &str) -> Case {
    let path = folder().join(id).join("case.json");
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let case: Case = serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(case.id, id, "a case is named like its folder");
    case
}

/// § RFC 7386: objects are merged, `null` takes away, anything else replaces. No patch changes nothing.
fn patch(target: &mut Value, change: &Value) {
    let Value::Object(change) = change else {
        if !change.is_null() {
            target.clone_from(change);
        }
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(target) = target else { return };
    for (name, value) in change {
        if value.is_null() {
            target.remove(name);
        } else {
            patch(target.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn patches_merge() {
        let mut world = json!({"now": 1, "dns": {"a": {"txt": [["x"]]}, "b": {}}});
        patch(&mut world, &json!({"now": 2, "dns": {"b": null, "c": {"a": []}}}));
        patch(&mut world, &Value::Null);
        assert_eq!(world, json!({"now": 2, "dns": {"a": {"txt": [["x"]]}, "c": {"a": []}}}));
    }
}
