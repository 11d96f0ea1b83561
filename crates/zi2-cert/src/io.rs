//! Everything a command sees of the host: streams, environment, clock. Tests bring their own.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{self, IsTerminal, Read, Write};
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::builder::styling::{AnsiColor, Style};
use zi2_config::Paths;
use zi2_mail::Timestamp;

/// Where a command talks to. Results are written to `out`, everything else to `err`.
pub struct Io<'a> {
    /// Standard input.
    pub input: &'a mut dyn Read,
    /// Standard output.
    pub out: &'a mut dyn Write,
    /// Standard error.
    pub err: &'a mut dyn Write,
    /// The host.
    pub host: Host,
}

/// What a command may know of its host before it opens a file.
#[derive(Clone, Debug)]
pub struct Host {
    /// Environment variables.
    pub environment: Vec<(OsString, OsString)>,
    /// Where the configuration is looked for.
    pub paths: Paths,
    /// The directory below which the host's own files are looked for: accounts, programs, the state of its clock.
    pub root: PathBuf,
    /// The clock, read once.
    pub now: Timestamp,
    /// What standard output is.
    pub out: Surface,
    /// What standard error is.
    pub err: Surface,
    /// Whether only the exit code is wanted.
    pub talk: Talk,
}

/// What a stream is connected to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Surface {
    /// A person's terminal.
    Terminal,
    /// A file or another program.
    Other,
}

/// How much is said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Talk {
    /// Results and remarks.
    Normal,
    /// Nothing: the exit code says it all.
    Quiet,
}

/// How a word of a result is to look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tone {
    Good,
    Doubtful,
    Bad,
}

impl Host {
    /// The real one.
    pub fn system() -> Host {
        let surface = |is_terminal| if is_terminal { Surface::Terminal } else { Surface::Other };
        Host {
            environment: std::env::vars_os().collect(),
            paths: Paths::system(),
            root: PathBuf::from("/"),
            now: Timestamp::from_secs(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())),
            out: surface(io::stdout().is_terminal()),
            err: surface(io::stderr().is_terminal()),
            talk: Talk::Normal,
        }
    }

    /// An environment variable that is set and not empty.
    pub(crate) fn variable(&self, name: &str) -> Option<&OsStr> {
        let found = self.environment.iter().rfind(|(key, _)| key == name).map(|(_, value)| value.as_os_str());
        found.filter(|value| !value.is_empty())
    }

    /// NO_COLOR (no-color.org): any value but the empty one.
    fn is_coloured(&self, surface: Surface) -> bool {
        self.is_screen(surface) && self.variable("NO_COLOR").is_none()
    }

    /// A terminal that obeys control sequences.
    pub(crate) fn is_screen(&self, surface: Surface) -> bool {
        surface == Surface::Terminal && self.variable("TERM").is_none_or(|term| term != "dumb")
    }
}

impl Io<'_> {
    /// A line of the result.
    pub(crate) fn result(&mut self, line: fmt::Arguments<'_>) -> io::Result<()> {
        match self.host.talk {
            Talk::Normal => writeln!(self.out, "{line}"),
            Talk::Quiet => Ok(()),
        }
    }

    /// A line of talk.
    pub(crate) fn talk(&mut self, line: fmt::Arguments<'_>) {
        if self.host.talk == Talk::Normal {
            // There is nowhere left to say that standard error is closed.
            let _closed = writeln!(self.err, "{line}");
        }
    }

    /// Talk that replaces the line before it, for a screen.
    pub(crate) fn overwrite(&mut self, line: fmt::Arguments<'_>) {
        if self.host.talk == Talk::Normal {
            let _closed = write!(self.err, "\r{line}\x1b[K").and_then(|()| self.err.flush());
        }
    }

    /// A word of the result in its colour, where there is colour.
    pub(crate) fn toned(&self, tone: Tone, word: &str) -> String {
        if !self.host.is_coloured(self.host.out) {
            return word.to_owned();
        }
        let colour = match tone {
            Tone::Good => AnsiColor::Green,
            Tone::Doubtful => AnsiColor::Yellow,
            Tone::Bad => AnsiColor::Red,
        };
        let style = Style::new().bold().fg_color(Some(colour.into()));
        format!("{style}{word}{style:#}")
    }

    /// Help and usage errors, which clap has styled.
    pub(crate) fn clap(&mut self, error: &clap::Error) -> io::Result<()> {
        let surface = if error.use_stderr() { self.host.err } else { self.host.out };
        let (styled, coloured) = (error.render(), self.host.is_coloured(surface));
        let to: &mut dyn Write = if error.use_stderr() { self.err } else { self.out };
        if coloured { write!(to, "{}", styled.ansi()) } else { write!(to, "{styled}") }
    }
}
