//! `completions`: the completion script of a shell.

use clap_complete::Shell;

use crate::{Exit, Io, Trouble, cli};

/// For which shell.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(args: &Args, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    // clap_complete panics when its writer fails, so it writes into memory.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut cli::command(), "zi2-cert", &mut script);
    io.out.write_all(&script)?;
    Ok(Exit::Ok)
}
