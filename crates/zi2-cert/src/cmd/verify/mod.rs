//! `verify`: messages judged, or what a domain publishes looked at.

mod domain;
mod explain;
mod many;
mod message;
mod scene;
mod tally;
mod walk;

use std::net::IpAddr;
use std::path::PathBuf;

use zi2_mail::Domain;
use zi2_sig::Kid;

use crate::cli::Common;
use crate::net::Ask;
use crate::{Exit, Io, Trouble};
use message::Steps;
use tally::Lines;

/// What to verify, and in which world.
#[derive(clap::Args)]
#[command(after_help = AFTER, after_long_help = AFTER)]
pub(crate) struct Args {
    /// Messages, directories of them, or - for one message on standard input
    #[arg(required_unless_present = "domain", conflicts_with = "domain")]
    file: Vec<PathBuf>,
    /// Look at the keys this domain publishes instead
    #[arg(long, value_name = "DOMAIN", value_parser = super::domain)]
    domain: Option<Domain>,
    /// With --domain: look for this key at the page's name too
    #[arg(long, value_parser = super::kid, requires = "domain")]
    kid: Option<Kid>,
    /// An envelope recipient; may be repeated
    #[arg(long, value_name = "ADDRESS", conflicts_with = "world")]
    rcpt: Vec<String>,
    /// The address of the SMTP client, for SPF and DMARC
    #[arg(long, value_name = "IP", conflicts_with = "world")]
    client_ip: Option<IpAddr>,
    /// What the client said in HELO or EHLO
    #[arg(long, value_name = "NAME", conflicts_with = "world", requires = "client_ip")]
    helo: Option<String>,
    /// The envelope sender, for SPF, DMARC and DKIM2
    #[arg(long, value_name = "ADDRESS", conflicts_with = "world")]
    mail_from: Option<String>,
    /// Judge as if it were this time, in Unix seconds
    #[arg(long, value_name = "SECONDS", conflicts_with = "world")]
    now: Option<u64>,
    #[command(flatten)]
    ask: Ask,
    #[command(flatten)]
    show: Show,
}

/// What is shown.
#[derive(clap::Args)]
struct Show {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Print one JSON object a line for each message, with its file
    #[arg(long, conflicts_with_all = ["json", "domain"])]
    jsonl: bool,
    /// List each check with its verdict and its duration in microseconds
    #[arg(long, conflicts_with = "domain")]
    explain: bool,
}

const AFTER: &str = "\
Directories: files named *.eml, and all files in the cur and new of a Maildir; links are not followed. Messages are
verified several at a time and shown in the order of their names.

Exit codes: 0 all pass; 1 one is negative (fail, missing, expired, tampered); 65 one is no message; 66 one cannot be
read; 75 one could not be judged now. Of several the highest: 75 says that another run may know more.

--explain: a check that is one comparison has no duration of its own. The last line is the whole, as the milter does
it; the others were measured one by one before that.";

pub(crate) fn run(args: &Args, common: &Common, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    match (&args.domain, args.file.as_slice()) {
        (Some(domain), _) => domain::run(domain, args, common, io),
        (None, []) => Err(Trouble::new(Exit::Usage, "no message is named", "Name a file, or - for standard input.")),
        (None, [file]) if !args.show.jsonl && !file.is_dir() => message::run(file, args, common, io),
        (None, _) => many::run(args, common, io),
    }
}

impl Args {
    fn steps(&self) -> Steps {
        if self.show.explain { Steps::Shown } else { Steps::Hidden }
    }

    fn lines(&self) -> Lines {
        if self.show.jsonl { Lines::Json } else { Lines::Table }
    }
}
