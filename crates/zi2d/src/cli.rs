//! The command line: a role and its configuration.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use zi2_config::Paths;

use crate::daemon;
use crate::trouble::Trouble;

/// Certifies outgoing mail and verifies incoming mail for Postfix or Sendmail.
///
/// Listens where zi2.toml says: what comes in on an egress listener is certified when its submitter may send as its From
/// domain, what comes in on an ingress listener is verified and marked. SIGHUP reads configuration, keys and sender maps
/// again; when something is wrong with them, everything stays as it was. SIGTERM ends it after the messages under way.
#[derive(Parser, Debug)]
#[command(
    name = "zi2-milter",
    version,
    after_help = "Exit codes: 0 ended when told; 64 usage; 65 a key file is malformed; 69 the store or a socket cannot \
                  be had; 71 the system refused; 77 permissions of a key, the store or the account; 78 configuration."
)]
struct Milter {
    /// The configuration file [default: $ZI2_CONFIG, or else /etc/zi2/zi2.toml]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Check configuration, keys and account, say what is found, and end
    #[arg(long)]
    check: bool,
}

/// One binary, several roles; each its own unit and account.
#[derive(Parser, Debug)]
#[command(name = "zi2d", version, about = "The zi2 daemon")]
enum Role {
    /// Certify and verify mail for Postfix or Sendmail
    Milter(Milter),
    /// Print the manual page of a role
    #[command(hide = true)]
    Man,
}

/// Runs the program; under the name `zi2-milter` it is that role.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let installed_as = arguments.first().map(Path::new).and_then(Path::file_name);
    let role = if installed_as == Some(OsStr::new("zi2-milter")) {
        Milter::try_parse_from(&arguments).map(Role::Milter)
    } else {
        Role::try_parse_from(&arguments)
    };
    match role {
        Ok(Role::Milter(milter)) => report(milter.run()),
        Ok(Role::Man) => report(man()),
        Err(error) => {
            // There is nowhere left to say that the terminal is gone.
            error.print().unwrap_or(());
            if error.use_stderr() { ExitCode::from(64) } else { ExitCode::SUCCESS }
        }
    }
}

impl Milter {
    fn run(self) -> Result<(), Trouble> {
        let paths = match self.config.or_else(|| std::env::var_os("ZI2_CONFIG").map(PathBuf::from)) {
            Some(file) => Paths::system().with_file(file),
            None => Paths::system(),
        };
        if self.check { daemon::check(&paths) } else { daemon::milter(&paths) }
    }
}

fn report(result: Result<(), Trouble>) -> ExitCode {
    let Err(trouble) = result else { return ExitCode::SUCCESS };
    let mut err = std::io::stderr();
    for line in trouble.lines() {
        writeln!(err, "zi2-milter: {}", plain(line)).unwrap_or(());
    }
    trouble.exit()
}

/// A line for a terminal: whatever it would obey is shown as a replacement character.
fn plain(line: &str) -> String {
    line.chars().map(|character| if character.is_control() { char::REPLACEMENT_CHARACTER } else { character }).collect()
}

fn man() -> Result<(), Trouble> {
    let page = clap_mangen::Man::new(Milter::command()).section("8");
    let mut out = std::io::stdout();
    page.render(&mut out)
        .map_err(|error| Trouble::system(format!("cannot write the page: {error}"), "Is the disk full?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_names_mean_the_same() {
        Role::command().debug_assert();
        let role = Role::try_parse_from(["zi2d", "milter", "--config", "/a", "--check"]).unwrap();
        let installed = Milter::try_parse_from(["/usr/sbin/zi2-milter", "--config", "/a", "--check"]).unwrap();
        let Role::Milter(role) = role else { panic!("{role:?}") };
        assert_eq!((role.config, role.check), (installed.config, installed.check));
        let matches = Milter::command().get_matches_from(["zi2-milter"]);
        assert!(<Milter as clap::FromArgMatches>::from_arg_matches(&matches).is_ok_and(|milter| !milter.check));
    }

    #[test]
    fn a_terminal_obeys_no_text() {
        assert_eq!(plain("a\u{1b}[2J\u{fc}"), "a\u{fffd}[2J\u{fc}");
    }
}
