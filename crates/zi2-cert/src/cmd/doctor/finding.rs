//! What was found, and how bad it is.

use std::fmt::Display;
use std::path::Path;

use serde::Serialize;

use crate::Exit;
use crate::io::Tone;

/// One finding.
#[derive(Serialize, Clone, PartialEq, Eq, Debug)]
pub(super) struct Finding {
    /// What was looked at; stable.
    pub(super) check: &'static str,
    /// How bad it is.
    pub(super) status: Status,
    /// What was seen.
    pub(super) seen: String,
    /// What to do about it: a command where there is one.
    pub(super) fix: Option<String>,
}

/// How bad it is.
#[derive(Serialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    /// As it should be.
    Ok,
    /// It works, but not as well or as safely as it could.
    Warning,
    /// Something does not work, or will soon not.
    Problem,
    /// It could not be looked at.
    Unknown,
}

impl Status {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Warning => "warning",
            Status::Problem => "problem",
            Status::Unknown => "unknown",
        }
    }

    pub(super) fn tone(self) -> Tone {
        match self {
            Status::Ok => Tone::Good,
            Status::Warning | Status::Unknown => Tone::Doubtful,
            Status::Problem => Tone::Bad,
        }
    }
}

/// All findings, in the order in which they were made.
#[derive(Debug, Default)]
pub(super) struct Chart {
    pub(super) findings: Vec<Finding>,
}

impl Chart {
    pub(super) fn ok(&mut self, check: &'static str, seen: impl Display) {
        self.findings.push(Finding { check, status: Status::Ok, seen: seen.to_string(), fix: None });
    }

    pub(super) fn warning(&mut self, check: &'static str, seen: impl Display, fix: impl Display) {
        self.push(check, Status::Warning, seen, fix);
    }

    pub(super) fn problem(&mut self, check: &'static str, seen: impl Display, fix: impl Display) {
        self.push(check, Status::Problem, seen, fix);
    }

    pub(super) fn unknown(&mut self, check: &'static str, seen: impl Display, fix: impl Display) {
        self.push(check, Status::Unknown, seen, fix);
    }

    /// A problem outranks what could not be looked at: it is there whatever the rest is.
    pub(super) fn exit(&self) -> Exit {
        let has = |status| self.findings.iter().any(|finding| finding.status == status);
        match () {
            () if has(Status::Problem) => Exit::Negative,
            () if has(Status::Unknown) => Exit::TempFail,
            () => Exit::Ok,
        }
    }

    fn push(&mut self, check: &'static str, status: Status, seen: impl Display, fix: impl Display) {
        self.findings.push(Finding { check, status, seen: seen.to_string(), fix: Some(fix.to_string()) });
    }
}

/// A text as one word of a shell.
pub(in crate::cmd) fn quoted(text: impl Display) -> String {
    let text = text.to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-:=,@+".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// A path as one word of a shell.
pub(in crate::cmd) fn quoted_path(path: &Path) -> String {
    quoted(path.display())
}
