//! The commands of `zi2-cert`, to be run by its `main` and by tests. The logic lives in the libraries below.

mod cmd;
mod exit;

use std::ffi::OsString;
use std::io::Write;

use clap::{Parser, Subcommand};

pub use exit::{Exit, Trouble};

/// Where a command talks to. Results are written to `out`, everything else to `err`.
pub struct Io<'a> {
    /// Standard output.
    pub out: &'a mut dyn Write,
    /// Standard error.
    pub err: &'a mut dyn Write,
}

/// Certify and verify which server sent a mail.
#[derive(Parser)]
#[command(name = "zi2-cert", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a key pair and print the DNS records to publish.
    Keygen(cmd::keygen::Args),
    /// Verify a message.
    Verify(cmd::verify::Args),
    /// Certify a message from a file, with a key from a file.
    Sign(cmd::sign::Args),
    /// Say what a reason code means and what to do.
    Explain(cmd::explain::Args),
}

/// Runs one command line.
pub fn run(arguments: impl IntoIterator<Item = OsString>, io: &mut Io<'_>) -> Exit {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(usage) => return exit::usage(&usage, io),
    };
    let done = match cli.command {
        Command::Keygen(args) => cmd::keygen::run(&args, io),
        Command::Verify(args) => cmd::verify::run(&args, io),
        Command::Sign(args) => cmd::sign::run(&args, io),
        Command::Explain(args) => cmd::explain::run(&args, io),
    };
    done.unwrap_or_else(|trouble| trouble.say(io))
}
