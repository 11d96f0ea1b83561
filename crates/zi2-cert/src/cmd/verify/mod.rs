//! `verify`: a message judged, or what a domain publishes looked at.

mod domain;
mod message;

use std::path::PathBuf;

use zi2_mail::Domain;
use zi2_sig::Kid;

use crate::cli::Common;
use crate::net::Ask;
use crate::{Exit, Io, Trouble};

/// What to verify, and in which world.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The message, or - for standard input
    #[arg(required_unless_present = "domain", conflicts_with = "domain")]
    file: Option<PathBuf>,
    /// Look at the keys this domain publishes instead
    #[arg(long, value_name = "DOMAIN", value_parser = super::domain)]
    domain: Option<Domain>,
    /// With --domain: look for this key at the page's name too
    #[arg(long, value_parser = super::kid, requires = "domain")]
    kid: Option<Kid>,
    /// An envelope recipient; may be repeated
    #[arg(long, value_name = "ADDRESS", conflicts_with = "world")]
    rcpt: Vec<String>,
    /// Judge as if it were this time, in Unix seconds
    #[arg(long, value_name = "SECONDS", conflicts_with = "world")]
    now: Option<u64>,
    #[command(flatten)]
    ask: Ask,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, common: &Common, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    match (&args.domain, &args.file) {
        (Some(domain), _) => domain::run(domain, args, common, io),
        (None, Some(file)) => message::run(file, args, common, io),
        (None, None) => Err(Trouble::new(Exit::Usage, "no message is named", "Name a file, or - for standard input.")),
    }
}
