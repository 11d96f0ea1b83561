//! Exit codes (sysexits(3) where one fits), and errors in pairs: what happened, and what to do.

use std::fmt::Display;
use std::io;
use std::process::ExitCode;

use crate::Io;
use crate::escape::for_terminal;

/// How a command went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// 0: pass, done.
    Ok,
    /// 1: checked, and the result is negative.
    Negative,
    /// 64: the command line is wrong.
    Usage,
    /// 65: the input is malformed.
    Data,
    /// 66: the input cannot be read.
    NoInput,
    /// 68: the domain does not exist.
    NoHost,
    /// 69: there is no such store.
    Unavailable,
    /// 70: a fault of this program.
    Software,
    /// 73: the output exists or cannot be made.
    CantCreate,
    /// 74: reading or writing failed.
    IoError,
    /// 75: not known now, try again.
    TempFail,
    /// 77: permissions of a key or the store.
    NoPerm,
    /// 78: the configuration is invalid.
    Config,
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Exit::Ok => 0,
            Exit::Negative => 1,
            Exit::Usage => 64,
            Exit::Data => 65,
            Exit::NoInput => 66,
            Exit::NoHost => 68,
            Exit::Unavailable => 69,
            Exit::Software => 70,
            Exit::CantCreate => 73,
            Exit::IoError => 74,
            Exit::TempFail => 75,
            Exit::NoPerm => 77,
            Exit::Config => 78,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

/// Why a command could not do its work.
#[derive(Debug)]
pub struct Trouble {
    /// The exit code.
    pub exit: Exit,
    /// What happened; one line for each thing.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

impl Trouble {
    /// A trouble in two sentences.
    pub fn new(exit: Exit, what: impl Display, remedy: impl Display) -> Trouble {
        Trouble { exit, what: what.to_string(), remedy: remedy.to_string() }
    }

    /// A fault of this program.
    pub(crate) fn bug(what: impl Display) -> Trouble {
        Trouble::new(Exit::Software, what, "This is a fault of zi2-cert; please report it.")
    }

    pub(crate) fn say(&self, io: &mut Io<'_>) -> Exit {
        let mut lead = "zi2-cert:";
        for line in self.what.lines().chain([self.remedy.as_str()]).filter(|line| !line.is_empty()) {
            io.talk(format_args!("{lead} {}", for_terminal(line)));
            lead = "         ";
        }
        self.exit
    }
}

/// Only writing results gives bare I/O errors; reading gives a [`Trouble`] with the file's name.
impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Trouble {
        match error.kind() {
            // `| head` has seen enough: no reason to talk.
            io::ErrorKind::BrokenPipe => Trouble::new(Exit::IoError, "", ""),
            _ => Trouble::new(Exit::IoError, format!("cannot write the result: {error}"), "Is the disk full?"),
        }
    }
}
