//! Exit codes (sysexits(3) where one fits), and errors in pairs: what happened, and what to do.

use std::io;
use std::process::ExitCode;

use crate::Io;

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
    /// 70: a fault of this program.
    Software,
    /// 73: the output exists or cannot be made.
    CantCreate,
    /// 74: reading or writing failed.
    IoError,
    /// 75: not known now, try again.
    TempFail,
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
            Exit::Software => 70,
            Exit::CantCreate => 73,
            Exit::IoError => 74,
            Exit::TempFail => 75,
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
    /// What happened.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

impl Trouble {
    /// A trouble in two sentences.
    pub fn new(exit: Exit, what: impl ToString, remedy: impl ToString) -> Trouble {
        Trouble { exit, what: what.to_string(), remedy: remedy.to_string() }
    }

    pub(crate) fn say(&self, io: &mut Io<'_>) -> Exit {
        // There is nowhere left to say that standard error is closed.
        let _closed =
            writeln!(io.err, "zi2-cert: {}\n          {}", self.what.escape_debug(), self.remedy.escape_debug());
        self.exit
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Trouble {
        Trouble::new(Exit::IoError, format!("cannot write the result: {error}"), "Is the disk full or the pipe closed?")
    }
}

/// Help and version are results; anything else clap says is about the command line.
pub(crate) fn usage(usage: &clap::Error, io: &mut Io<'_>) -> Exit {
    let text = usage.render().to_string();
    let (to, exit): (&mut dyn io::Write, _) = match usage.use_stderr() {
        true => (io.err, Exit::Usage),
        false => (io.out, Exit::Ok),
    };
    match write!(to, "{text}") {
        Ok(()) => exit,
        Err(_) => Exit::IoError,
    }
}
