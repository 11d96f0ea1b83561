//! `dkim2`: the chain of those who handled a message, looked at, extended and undone.

mod bounce;
mod diff;
mod explain;
mod look;
mod recipe;
mod sign;
mod undo;

use std::path::{Path, PathBuf};

use zi2_mail::crlf_at_every_lf;
use zi2_sig::dkim2::Draft;

use crate::cli::Common;
use crate::{Exit, Io, Trouble, input};

/// What about DKIM2.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Verify the chain of a message
    Verify(look::Args),
    /// Show the chain of a message as a table: who, for whom, when, what changed
    Explain(look::Args),
    /// Sign a first hop, or a further one for a message that verifies
    Sign(Box<sign::Args>),
    /// Write the message as it was when a Message-Instance was made
    Undo(undo::Args),
    /// Show what changed from one message to another, as hashes see it
    Diff(diff::Args),
    /// Check, make and pass back bounces
    Bounce(Box<bounce::Args>),
    /// Make, apply and check recipes
    Recipe(recipe::Args),
}

pub(crate) fn run(args: &Args, common: &Common, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    match &args.verb {
        Verb::Verify(args) => explain::verify(args, common, io),
        Verb::Explain(args) => explain::explain(args, common, io),
        Verb::Sign(args) => sign::run(args, common, io),
        Verb::Undo(args) => undo::run(args, io),
        Verb::Diff(args) => diff::run(args, io),
        Verb::Bounce(args) => bounce::run(args, common, io),
        Verb::Recipe(args) => recipe::run(args, io),
    }
}

/// The rules to go by.
#[derive(clap::Args)]
struct Rules {
    /// The draft whose rules are followed: 08 or 09
    #[arg(long, value_name = "NUMBER", default_value = Draft::default().number(), value_parser = draft)]
    draft: Draft,
}

fn draft(text: &str) -> Result<Draft, String> {
    Draft::parse(text).ok_or_else(|| {
        let known: Vec<_> = Draft::ALL.map(Draft::number).to_vec();
        format!("known drafts: {}", known.join(", "))
    })
}

/// A message as SMTP has it, whatever line ends its file has.
fn message(path: &Path, io: &mut Io<'_>) -> Result<Vec<u8>, Trouble> {
    Ok(crlf_at_every_lf(&input::message(path, io)?).into_owned())
}

/// Two messages, of which one may be standard input.
fn two_messages(one: &Path, other: &Path, io: &mut Io<'_>) -> Result<(Vec<u8>, Vec<u8>), Trouble> {
    let is_input = |path: &Path| path == Path::new("-");
    if is_input(one) && is_input(other) {
        let what = "both messages are to come from standard input";
        return Err(Trouble::new(Exit::Usage, what, "Give one of them as a file."));
    }
    Ok((message(one, io)?, message(other, io)?))
}

/// The message, or - for standard input.
#[derive(clap::Args)]
struct File {
    /// The message, or - for standard input
    file: PathBuf,
}
