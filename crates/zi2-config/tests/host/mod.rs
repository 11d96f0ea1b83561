//! A directory that stands for the root of a host.
#![allow(dead_code, reason = "each test program uses a part")]

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use zi2_config::{Config, Loaded, Paths, Problems};

/// A host: files below a temporary root, whose name is taken out of messages.
pub(crate) struct Host {
    pub(crate) root: tempfile::TempDir,
    pub(crate) environment: Vec<(OsString, OsString)>,
}

/// Everything that is there before a test adds something: nothing but a name.
pub(crate) const SID: &str = "[server]\nsid = \"mail.example.com\"\n";

impl Host {
    pub(crate) fn empty() -> Host {
        Host { root: tempfile::tempdir().unwrap(), environment: Vec::new() }
    }

    pub(crate) fn with(toml: &str) -> Host {
        Host::empty().file("etc/zi2/zi2.toml", toml)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub(crate) fn file(self, name: &str, text: impl AsRef<[u8]>) -> Host {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        // In a text, ROOT is this host's root.
        let root = self.root.path().as_os_str().as_encoded_bytes();
        let text = text.as_ref();
        let at = text.windows(4).position(|w| w == b"ROOT");
        let text = at.map_or(text.to_vec(), |at| [&text[..at], root, &text[at + 4..]].concat());
        fs::write(path, text).unwrap();
        self
    }

    pub(crate) fn set(mut self, name: &str, value: &str) -> Host {
        self.environment.push((name.into(), value.replace("ROOT", &self.root.path().display().to_string()).into()));
        self
    }

    /// Defaults are real paths of a host; tests must not see this one's.
    pub(crate) fn load(&self) -> Result<Loaded, Problems> {
        self.load_from(&Paths::below(self.root.path()))
    }

    pub(crate) fn load_from(&self, paths: &Paths) -> Result<Loaded, Problems> {
        let defaults = [
            ("ZI2__SERVER__HOSTED_FILE", "etc/zi2/hosted"),
            ("ZI2__SENDERS__MAP", "etc/zi2/senders"),
            ("ZI2__KEYS__DIR", "etc/zi2/keys"),
        ];
        let mut environment = self.environment.clone();
        for (name, path) in defaults {
            if self.path(path).exists() {
                environment.push((name.into(), self.path(path).into()));
            }
        }
        Config::load(paths, environment)
    }

    pub(crate) fn problems(&self) -> String {
        match self.load() {
            Ok(_) => "none".to_owned(),
            Err(problems) => self.hide_root(&problems.to_string()),
        }
    }

    pub(crate) fn notices(&self) -> String {
        let notices = self.load().unwrap().notices;
        let shown: Vec<String> = notices.iter().map(ToString::to_string).collect();
        self.hide_root(&shown.join("\n"))
    }

    pub(crate) fn hide_root(&self, text: &str) -> String {
        text.replace(&self.root.path().display().to_string(), "")
    }
}
