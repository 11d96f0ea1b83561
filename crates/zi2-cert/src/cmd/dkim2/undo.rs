//! `dkim2 undo`: an earlier version of a message.

use zi2_mail::Message;
use zi2_sig::dkim2::{Brackets, Chain, undo};

use super::{File, Rules, message};
use crate::{Exit, Io, Trouble};

/// Which version of what.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    file: File,
    /// The number of the Message-Instance
    #[arg(long, value_name = "M")]
    to: u32,
    #[command(flatten)]
    rules: Rules,
}

/// Nothing is verified here: `dkim2 verify` says whether hashes bear it out.
pub(super) fn run(args: &Args, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    let mail = message(&args.file.file, io)?;
    let whole = Message::split(&mail);
    let unreadable = |what: String| Trouble::new(Exit::Data, what, "zi2-cert dkim2 explain shows the chain.");
    let chain = Chain::read(&whole.header, args.rules.draft, Brackets::Optional);
    let chain = chain.map_err(|failure| unreadable(failure.to_string()))?;
    let chain = chain.ok_or_else(|| unreadable("the message has no DKIM2 fields".to_owned()))?;
    let earlier = undo(&whole, &chain, args.to).map_err(|failure| unreadable(failure.to_string()))?;
    io.out.write_all(&earlier)?;
    Ok(Exit::Ok)
}
