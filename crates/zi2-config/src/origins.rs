//! Every value in force and where it comes from.

use crate::defs::{Setting, SettingId};
use crate::kind::Value;
use crate::place::Origin;

/// The values in force, in the order of the sample file.
#[derive(Clone, PartialEq, Debug)]
pub struct Origins {
    entries: Vec<Entry>,
}

#[derive(Clone, PartialEq, Debug)]
struct Entry {
    id: SettingId,
    value: Value,
    origin: Origin,
}

/// One value in force.
#[derive(Clone, PartialEq, Debug)]
pub struct Effective<'a> {
    /// Its section.
    pub section: &'static str,
    /// Its key.
    pub key: &'static str,
    /// The value, in TOML.
    pub toml: String,
    /// The value, in JSON.
    pub json: serde_json::Value,
    /// Where it comes from.
    pub origin: &'a Origin,
}

impl Origins {
    pub(crate) fn none() -> Origins {
        Origins { entries: Vec::new() }
    }

    pub(crate) fn push(&mut self, setting: Setting, value: Value, origin: Origin) {
        self.entries.push(Entry { id: setting.id(), value, origin });
    }

    /// The values.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Effective<'_>> {
        self.entries.iter().map(|Entry { id: (section, key), value, origin }| Effective {
            section,
            key,
            toml: value.to_toml(),
            json: value.to_json(),
            origin,
        })
    }

    /// Where a value comes from. `None` for a setting there is not.
    pub fn of(&self, section: &str, key: &str) -> Option<&Origin> {
        self.entries.iter().find(|entry| entry.id == (section, key)).map(|entry| &entry.origin)
    }
}
