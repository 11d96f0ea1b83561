//! One command line, run at a fixed time on a host that has nothing but what a test gives it.
#![allow(dead_code, clippy::panic, reason = "a test; every file of them uses a part")]

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use zi2_cert::{Exit, Host, Io, Surface, Talk, run};
use zi2_config::Paths;
use zi2_mail::Timestamp;

/// The time of every run: 28 April 2026.
pub(crate) const NOW: u64 = 1_777_400_000;

pub(crate) struct Said {
    pub(crate) exit: Exit,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {} {}", self.out, self.err))
    }

    pub(crate) fn json_lines(&self) -> Vec<serde_json::Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// A host without files, environment or terminal.
pub(crate) fn bare_host() -> Host {
    Host {
        environment: vec![("ZI2__SERVER__SID".into(), "mail.example.com".into())],
        paths: Paths::below("/nonexistent".as_ref()),
        root: "/nonexistent".into(),
        now: Timestamp::from_secs(NOW),
        out: Surface::Other,
        err: Surface::Other,
        talk: Talk::Normal,
    }
}

pub(crate) fn zi2_cert(arguments: &[&str]) -> Said {
    zi2_cert_on(bare_host(), arguments)
}

pub(crate) fn zi2_cert_on(host: Host, arguments: &[&str]) -> Said {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let arguments = std::iter::once("zi2-cert").chain(arguments.iter().copied()).map(OsString::from);
    let exit = run(arguments, &mut Io { input: &mut std::io::empty(), out: &mut out, err: &mut err, host });
    Said { exit, out: String::from_utf8(out).unwrap(), err: String::from_utf8(err).unwrap() }
}

pub(crate) fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/zi2")
}

pub(crate) fn cases() -> Vec<serde_json::Value> {
    serde_json::from_slice(&std::fs::read(vectors().join("cases.json")).unwrap()).unwrap()
}
