//! The command line: what there is, and which file of `cmd` does it.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::io::Talk;
use crate::{Exit, Io, Trouble, cmd};

/// Certify and verify which server sent a mail.
#[derive(Parser)]
#[command(name = "zi2-cert", version, max_term_width = 100, after_help = EXIT_CODES, subcommand_required = true)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(clap::Args)]
pub(crate) struct Common {
    /// The configuration file [default: $ZI2_CONFIG, or else /etc/zi2/zi2.toml]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Print nothing: the exit code says it all
    #[arg(short, long, global = true)]
    quiet: bool,
}

const EXIT_CODES: &str = "\
Exit codes: 0 pass or done, 1 checked and negative, 64 usage, 65 malformed input, 66 no input, 68 no such domain,
69 no store, 70 our fault, 73 cannot create, 74 I/O, 75 try again, 77 permissions, 78 configuration.";

#[derive(Subcommand)]
enum Command {
    /// Make a key pair and print the DNS records to publish
    Keygen(cmd::keygen::Args),
    /// Verify messages, or what a domain publishes
    Verify(cmd::verify::Args),
    /// Certify a message from a file, offline
    Sign(cmd::sign::Args),
    /// Verify, extend and undo DKIM2 chains
    Dkim2(cmd::dkim2::Args),
    /// Print the DNS records that publish our keys
    Dns(cmd::dns::Args),
    /// Let one certifying key follow another without a gap
    Rotate(cmd::rotate::Args),
    /// Show which domains share a key
    Keys(cmd::keys::Args),
    /// Show what a domain says of its unsigned mail
    Policy(cmd::policy::Args),
    /// Check who may send as whom
    Senders(cmd::senders::Args),
    /// Look at the history of senders, move it, forget it
    Trust(cmd::trust::Args),
    /// Say what a reason code means and what to do
    Explain(cmd::explain::Args),
    /// Look at keys, DNS, clock, store, sockets and Postfix, and say how to mend what is wrong
    Doctor(cmd::doctor::Args),
    /// Print what Postfix must be told for this configuration
    Setup(cmd::setup::Args),
    /// Check or show the configuration
    Config(cmd::config::Args),
    /// Print the completion script of a shell
    Completions(cmd::completions::Args),
    /// Print or write the manual pages
    Man(cmd::man::Args),
}

/// The whole command line as clap knows it.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs one command line.
pub fn run(arguments: impl IntoIterator<Item = OsString>, io: &mut Io<'_>) -> Exit {
    let parsed = command().try_get_matches_from(arguments).and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return usage(&error, io),
    };
    if cli.common.quiet {
        io.host.talk = Talk::Quiet;
    }
    dispatch(cli, io).unwrap_or_else(|trouble| trouble.say(io))
}

fn dispatch(cli: Cli, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    let common = &cli.common;
    match cli.command {
        Command::Keygen(args) => cmd::keygen::run(&args, common, io),
        Command::Verify(args) => cmd::verify::run(&args, common, io),
        Command::Sign(args) => cmd::sign::run(&args, common, io),
        Command::Dkim2(args) => cmd::dkim2::run(&args, common, io),
        Command::Dns(args) => cmd::dns::run(&args, common, io),
        Command::Rotate(args) => cmd::rotate::run(&args, common, io),
        Command::Keys(args) => cmd::keys::run(&args, common, io),
        Command::Policy(args) => cmd::policy::run(&args, common, io),
        Command::Senders(args) => cmd::senders::run(&args, common, io),
        Command::Trust(args) => cmd::trust::run(&args, common, io),
        Command::Explain(args) => cmd::explain::run(&args, io),
        Command::Doctor(args) => cmd::doctor::run(&args, common, io),
        Command::Setup(args) => cmd::setup::run(&args, common, io),
        Command::Config(args) => cmd::config::run(&args, common, io),
        Command::Completions(args) => cmd::completions::run(&args, io),
        Command::Man(args) => cmd::man::run(&args, io),
    }
}

/// Help and version are results; anything else clap says is about the command line.
fn usage(error: &clap::Error, io: &mut Io<'_>) -> Exit {
    let exit = if error.use_stderr() { Exit::Usage } else { Exit::Ok };
    match io.clap(error) {
        Ok(()) => exit,
        Err(_) => Exit::IoError,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_consistent() {
        super::command().debug_assert();
    }
}
