//! The public vectors of DKIM2 as the worlds of other tests want them.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

/// Where they are.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/dkim2")
}

/// A file of JSON among them.
///
/// # Panics
/// If it cannot be read.
pub fn read(name: &str) -> Value {
    serde_json::from_slice(&fs::read(folder().join(name)).expect(name)).expect(name)
}

/// Their DNS, in the form of a world.
///
/// # Panics
/// If it cannot be read.
pub fn dns() -> Value {
    let mut names = Map::new();
    for (domain, selectors) in read("dns.json").as_object().expect("domains") {
        for (selector, records) in selectors.as_object().expect("selectors") {
            let text = |record: &Value| json!([record.get(1)]);
            let txt: Vec<Value> = records.as_array().expect("records").iter().map(text).collect();
            names.insert(format!("{selector}.{domain}"), json!({"txt": txt}));
        }
    }
    Value::Object(names)
}
