//! Why the daemon cannot start: what happened, what to do, and the exit code (sysexits(3)).

use std::fmt::Display;
use std::process::ExitCode;

use zi2_keys::FileError;

/// A reason not to start.
#[derive(Debug)]
pub(crate) struct Trouble {
    exit: u8,
    what: String,
    remedy: String,
}

impl Trouble {
    /// 69: something of the host that is needed is not there.
    pub(crate) fn unavailable(what: impl Display, remedy: impl Display) -> Trouble {
        Trouble::new(69, what, remedy)
    }

    /// 71: the system refuses a service.
    pub(crate) fn system(what: impl Display, remedy: impl Display) -> Trouble {
        Trouble::new(71, what, remedy)
    }

    /// 77: permissions.
    pub(crate) fn permission(what: impl Display, remedy: impl Display) -> Trouble {
        Trouble::new(77, what, remedy)
    }

    /// 78: the configuration.
    pub(crate) fn config(what: impl Display) -> Trouble {
        Trouble::new(78, what, "The configuration is described in zi2.toml(5); `zi2-cert config check` checks it.")
    }

    fn new(exit: u8, what: impl Display, remedy: impl Display) -> Trouble {
        Trouble { exit, what: what.to_string(), remedy: remedy.to_string() }
    }

    /// What happened and what to do, in lines.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &str> {
        self.what.lines().chain([self.remedy.as_str()]).filter(|line| !line.is_empty())
    }

    pub(crate) fn exit(&self) -> ExitCode {
        ExitCode::from(self.exit)
    }
}

impl From<FileError> for Trouble {
    fn from(error: FileError) -> Trouble {
        let remedy = "No key is used while one of them cannot be trusted.";
        match error {
            FileError::Content { .. }
            | FileError::TooLarge { .. }
            | FileError::DkimContent { .. }
            | FileError::TooManyDkim { .. } => Trouble::new(65, error, remedy),
            _ => Trouble::permission(error, remedy),
        }
    }
}
