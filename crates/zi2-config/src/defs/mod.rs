//! The one table of settings. The parsing check, `config dump`, the sample file, the man page and the names of the
//! environment variables all come from it.
//!
//! Knows no file and reads no value: [`crate::kind`] says what a value of a setting looks like.

mod signing;
mod table;

use crate::kind::Kind;

pub(crate) use table::SECTIONS;

/// A section of `zi2.toml`.
#[derive(Debug)]
pub(crate) struct Section {
    /// Its name, as in `[server]`.
    pub(crate) name: &'static str,
    /// One line.
    pub(crate) summary: &'static str,
    /// Its settings, in the order of the sample file.
    pub(crate) defs: &'static [Def],
}

/// A setting.
#[derive(Debug)]
pub(crate) struct Def {
    /// Its key.
    pub(crate) key: &'static str,
    /// What its value looks like.
    pub(crate) kind: Kind,
    /// The value it has when nobody sets it.
    pub(crate) preset: Preset,
    /// One line: the job.
    pub(crate) summary: &'static str,
    /// Some sentences more: units, what to think of, what it refuses. May be empty.
    pub(crate) detail: &'static str,
}

/// What holds when a setting is not set.
#[derive(Debug)]
pub(crate) enum Preset {
    /// This value, in TOML.
    Value(&'static str),
    /// Nothing, or something found out elsewhere. An empty text means the same as no text.
    Derived {
        /// Where it comes from, in words.
        from: &'static str,
        /// A value to show, in TOML.
        example: &'static str,
    },
}

impl Preset {
    /// The value the sample file shows, in TOML.
    pub(crate) fn shown(&self) -> &'static str {
        match self {
            Preset::Value(toml) => toml,
            Preset::Derived { example, .. } => example,
        }
    }
}

/// A setting with its section: what messages and variables call it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    pub(crate) section: &'static Section,
    pub(crate) def: &'static Def,
}

impl Setting {
    /// `section.key`.
    pub(crate) fn name(self) -> String {
        format!("{}.{}", self.section.name, self.def.key)
    }

    /// The environment variable that sets it.
    pub(crate) fn variable(self) -> String {
        format!("{VARIABLE_PREFIX}{}__{}", self.section.name, self.def.key).to_ascii_uppercase()
    }

    /// Its place in maps.
    pub(crate) fn id(self) -> SettingId {
        (self.section.name, self.def.key)
    }
}

/// Section and key.
pub(crate) type SettingId = (&'static str, &'static str);

/// What the environment variables that are ours begin with.
pub(crate) const VARIABLE_PREFIX: &str = "ZI2__";

/// All settings, in the order of the sample file.
pub(crate) fn settings() -> impl Iterator<Item = Setting> {
    SECTIONS.iter().flat_map(|section| section.defs.iter().map(move |def| Setting { section, def }))
}

/// The section with this name.
pub(crate) fn section(name: &str) -> Option<&'static Section> {
    SECTIONS.iter().find(|section| section.name == name)
}

/// The setting with this name.
pub(crate) fn setting(section_name: &str, key: &str) -> Option<Setting> {
    let section = section(section_name)?;
    section.defs.iter().find(|def| def.key == key).map(|def| Setting { section, def })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_plain() {
        let variables: BTreeSet<String> = settings().map(Setting::variable).collect();
        assert_eq!(variables.len(), settings().count());
        for setting in settings() {
            for name in [setting.section.name, setting.def.key] {
                assert!(
                    name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
                        && !name.contains("__"),
                    "{name}"
                );
            }
        }
        assert_eq!(setting("server", "authserv_id").unwrap().variable(), "ZI2__SERVER__AUTHSERV_ID");
    }

    #[test]
    fn docs_read_well_everywhere() {
        for setting in settings() {
            let (name, def) = (setting.name(), setting.def);
            assert!(def.summary.ends_with('.') && def.summary.chars().count() < 100, "{name}: {}", def.summary);
            assert!(def.detail.is_empty() || def.detail.ends_with('.'), "{name}: {}", def.detail);
            assert!(!def.summary.contains('\n') && !def.detail.contains("  "), "{name}");
        }
    }
}
