//! `setup`: what another program must be told so that mail passes the milter. It prints, and changes nothing.

mod lines;
mod postfix;

use std::path::PathBuf;

use crate::cli::Common;
use crate::cmd::doctor::postfix::{NoSetup, Setup};
use crate::{Exit, Io, Trouble, settings};
use lines::Lines;

/// The transport by which mail is sent around to be signed.
pub(super) const SIGNING: &str = "zi2-sign";

/// Where mail of ours comes back from the queue.
pub(super) const ORIGINATING_PORT: u16 = 10_026;

/// Where mail of others comes back that is sent on.
pub(super) const FORWARDING_PORT: u16 = 10_027;

/// For whom.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    program: Program,
}

#[derive(clap::Subcommand)]
enum Program {
    /// Print the lines of main.cf and master.cf for the configuration as it is
    #[command(after_help = AFTER, after_long_help = AFTER)]
    Postfix {
        /// Print commands for a shell instead of lines
        #[arg(long)]
        commands: bool,
        /// The configuration directory of Postfix [default: the one postconf knows]
        #[arg(long, value_name = "DIR")]
        postfix: Option<PathBuf>,
        /// The address at which mail comes back from the queue
        #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
        address: std::net::IpAddr,
    },
}

const AFTER: &str = "\
It reads the services that master.cf has, if postconf is here, and changes nothing. With --commands the lines are
postconf(1) commands: look at them, then pipe them into sh. Afterwards zi2-cert doctor compares what is there.";

pub(crate) fn run(args: &Args, common: &Common, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    let Program::Postfix { commands, postfix, address } = &args.program;
    let config = settings::load(common, &io.host)?.config;
    let setup = match Setup::read(postfix.as_deref(), &io.host) {
        Ok(setup) => Some(setup),
        Err(NoSetup::Absent) => None,
        Err(NoSetup::Failed(said)) => {
            io.talk(format_args!("note: postconf was not asked ({said}): services have their usual names"));
            None
        }
    };
    let option = setup.as_ref().map_or("", |setup| setup.option.as_str());
    let lines: Lines = postfix::lines(&config, setup.as_ref(), *address);
    let text = if *commands { lines.commands(option) } else { lines.text() };
    io.result(format_args!("{}", text.trim_end()))?;
    Ok(Exit::Ok)
}
