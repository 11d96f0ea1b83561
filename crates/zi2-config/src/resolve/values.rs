//! The value in force of every setting: the one written down, or the default.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use zi2_mail::{Domain, HostName};
use zi2_sig::Kid;

use super::Bug;
use crate::defs::{self, Preset, Setting, SettingId};
use crate::dkim::TablePath;
use crate::kind::{Raw, Value};
use crate::listen::Listen;
use crate::origins::Origins;
use crate::place::{Origin, Place};
use crate::read::{Written, default_value};

pub(super) struct Values<'a> {
    written: &'a Written,
    derived: BTreeMap<SettingId, Value>,
}

impl<'a> Values<'a> {
    pub(super) fn new(written: &'a Written) -> Values<'a> {
        Values { written, derived: BTreeMap::new() }
    }

    /// A value that is always there. In the place of a faulty one stands the default: the fault is reported already.
    pub(super) fn get<T: TryFrom<Value>>(&self, section: &str, key: &str) -> Result<T, Bug> {
        let (setting, value) = self.value(section, key)?;
        T::try_from(value).map_err(|_| bug(&setting.name()))
    }

    /// A value that may be left out.
    pub(super) fn optional<T: TryFrom<Value>>(&self, section: &str, key: &str) -> Result<Option<T>, Bug> {
        match self.value(section, key)? {
            (_, Value::Unset) => Ok(None),
            (setting, value) => T::try_from(value).map(Some).map_err(|_| bug(&setting.name())),
        }
    }

    /// One of a closed list of words, as what it means.
    pub(super) fn word<T: Copy>(&self, section: &str, key: &str, meanings: &[(&'static str, T)]) -> Result<T, Bug> {
        let (setting, value) = self.value(section, key)?;
        let meaning = meanings.iter().find(|(word, _)| value == Value::Word(word));
        meaning.map(|(_, meaning)| *meaning).ok_or_else(|| bug(&setting.name()))
    }

    /// Says what a value that was left out became.
    pub(super) fn derive(&mut self, section: &'static str, key: &'static str, name: HostName) {
        self.derived.insert((section, key), Value::Host(name));
    }

    pub(super) fn is_faulty(&self, section: &str, key: &str) -> bool {
        matches!(self.entry(section, key), Some((_, None)))
    }

    pub(super) fn is_default(&self, section: &str, key: &str) -> bool {
        self.entry(section, key).is_none()
    }

    pub(super) fn place(&self, section: &str, key: &str) -> Option<Place> {
        self.entry(section, key).map(|(place, _)| place.clone())
    }

    /// Everything in force.
    pub(super) fn origins(&self) -> Result<Origins, Bug> {
        let mut origins = Origins::none();
        for setting in defs::settings() {
            let (_, value) = self.value(setting.section.name, setting.def.key)?;
            origins.push(setting, value, self.origin(setting));
        }
        Ok(origins)
    }

    fn origin(&self, setting: Setting) -> Origin {
        match (self.written.get(setting.id()), &setting.def.preset) {
            (Some((place, Some(value))), _) if *value != Value::Unset => Origin::Set(place.clone()),
            (Some((place, _)), Preset::Value(_)) => Origin::Set(place.clone()),
            (_, Preset::Derived { from, .. }) => Origin::Derived(from),
            (None, Preset::Value(_)) => Origin::Default,
        }
    }

    fn value(&self, section: &str, key: &str) -> Result<(Setting, Value), Bug> {
        let setting = defs::setting(section, key).ok_or_else(|| bug(key))?;
        if let Some(value) = self.derived.get(&setting.id()) {
            return Ok((setting, value.clone()));
        }
        match (self.written.get(setting.id()), &setting.def.preset) {
            (Some((_, Some(value))), _) => Ok((setting, value.clone())),
            (_, Preset::Derived { .. }) => Ok((setting, Value::Unset)),
            (_, Preset::Value(toml)) => {
                let raw: Option<Raw> = default_value(toml);
                let value = raw.and_then(|raw| setting.def.kind.value(&setting.name(), &raw).ok());
                value.map(|value| (setting, value)).ok_or_else(|| bug(&setting.name()))
            }
        }
    }

    fn entry(&self, section: &str, key: &str) -> Option<&(Place, Option<Value>)> {
        self.written.get(defs::setting(section, key)?.id())
    }
}

fn bug(name: &str) -> Bug {
    Bug(name.to_owned())
}

/// A value of another kind than its reader wants: only a contradiction between table and code.
pub(crate) struct WrongKind;

macro_rules! extract {
    ($($kind:ident as $type:ty => $make:expr;)*) => {$(
        impl TryFrom<Value> for $type {
            type Error = WrongKind;

            fn try_from(value: Value) -> Result<$type, WrongKind> {
                match value {
                    Value::$kind(inner) => Ok($make(inner)),
                    _ => Err(WrongKind),
                }
            }
        }
    )*};
}

extract! {
    Host as HostName => std::convert::identity;
    Kid as Kid => std::convert::identity;
    Account as String => std::convert::identity;
    Path as PathBuf => std::convert::identity;
    Table as TablePath => std::convert::identity;
    Address as SocketAddr => std::convert::identity;
    Word as &'static str => std::convert::identity;
    Flag as bool => std::convert::identity;
    Count as u64 => std::convert::identity;
    Span as Duration => Duration::from_millis;
    Domains as Vec<Domain> => std::convert::identity;
    FieldNames as Vec<String> => std::convert::identity;
    Paths as Vec<PathBuf> => std::convert::identity;
    Listeners as Vec<Listen> => std::convert::identity;
    Servers as Vec<SocketAddr> => std::convert::identity;
}
