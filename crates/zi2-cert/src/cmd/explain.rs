//! `explain`: what a reason code means, for whom, and what to do.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use zi2_trust::{Explanation, Fault, Reason};

use crate::{Exit, Io, Trouble};

/// Which code.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The reason code, as it stands in X-ZI2-Verified and the log [default: all of them]
    #[arg(value_name = "REASON", hide_possible_values = true, value_parser = reasons())]
    reason: Option<Reason>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

fn reasons() -> impl TypedValueParser<Value = Reason> {
    let codes = PossibleValuesParser::new(Reason::ALL.map(Reason::as_str));
    codes.try_map(|code| Reason::parse(&code).ok_or("there is no such reason"))
}

pub(crate) fn run(args: &Args, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    let wanted = args.reason.map_or(Reason::ALL.to_vec(), |reason| vec![reason]);
    if args.json {
        let all: Vec<_> = wanted.iter().map(|reason| object(*reason)).collect();
        io.result(format_args!("{}", serde_json::json!({"schema": "zi2.reasons.v1", "version": 1, "reasons": all})))?;
        return Ok(Exit::Ok);
    }
    for (index, reason) in wanted.iter().enumerate() {
        let separator = if index == 0 { "" } else { "\n" };
        let Explanation { people, admins, remedy, paragraph, fault, retryable } = reason.explanation();
        io.result(format_args!("{separator}{}", reason.as_str()))?;
        io.result(format_args!("  {people}"))?;
        io.result(format_args!("  In detail   {admins}"))?;
        io.result(format_args!("  What to do  {remedy}"))?;
        io.result(format_args!("  Who         {}", who(fault)))?;
        io.result(format_args!("  Later       {}", later(retryable)))?;
        io.result(format_args!("  Rule        {paragraph}"))?;
    }
    Ok(Exit::Ok)
}

fn object(reason: Reason) -> serde_json::Value {
    let Explanation { people, admins, remedy, paragraph, fault, retryable } = reason.explanation();
    serde_json::json!({"reason": reason.as_str(), "people": people, "admins": admins, "remedy": remedy, "paragraph": paragraph,
        "who": who(fault), "retryable": retryable})
}

/// Who can change it, in words.
fn who(fault: Fault) -> &'static str {
    match fault {
        Fault::Nobody => "nobody is at fault",
        Fault::Sender => "the sender's side can change it",
        Fault::Transport => "something between sender and receiver",
        Fault::Here => "this host",
    }
}

/// Whether trying again helps, in words.
fn later(retryable: bool) -> &'static str {
    if retryable { "trying again later can change the result" } else { "trying again gives the same result" }
}
