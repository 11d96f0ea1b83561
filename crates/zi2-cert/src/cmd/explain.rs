//! `explain`: what a reason code means, for whom, and what to do.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use zi2_flow::Dkim2Unsigned;
use zi2_trust::{Explanation, Fault, Reason};

use crate::{Exit, Io, Trouble};

/// Which code.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The reason code, as it stands in X-ZI2-Verified and the log [default: all of them]
    #[arg(value_name = "REASON", hide_possible_values = true, value_parser = reasons())]
    reason: Option<Code>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// A code of X-ZI2-Verified, or one that only the log has.
#[derive(Clone, Copy)]
enum Code {
    Of(Reason),
    Dkim2(Dkim2Unsigned),
}

impl Code {
    /// All of them: the words that both have mean the same.
    fn all() -> Vec<Code> {
        let dkim2 = Dkim2Unsigned::ALL.into_iter().filter(|why| Reason::parse(why.as_str()).is_none());
        Reason::ALL.map(Code::Of).into_iter().chain(dkim2.map(Code::Dkim2)).collect()
    }

    fn as_str(self) -> &'static str {
        match self {
            Code::Of(reason) => reason.as_str(),
            Code::Dkim2(why) => why.as_str(),
        }
    }

    fn parse(text: &str) -> Option<Code> {
        Code::all().into_iter().find(|code| code.as_str() == text)
    }
}

fn reasons() -> impl TypedValueParser<Value = Code> {
    let codes = PossibleValuesParser::new(Code::all().into_iter().map(Code::as_str));
    codes.try_map(|code| Code::parse(&code).ok_or("there is no such reason"))
}

pub(crate) fn run(args: &Args, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    let wanted = args.reason.map_or_else(Code::all, |reason| vec![reason]);
    if args.json {
        let all: Vec<_> = wanted.iter().map(|code| object(*code)).collect();
        io.result(format_args!("{}", serde_json::json!({"schema": "zi2.reasons.v1", "version": 1, "reasons": all})))?;
        return Ok(Exit::Ok);
    }
    for (index, code) in wanted.iter().enumerate() {
        let separator = if index == 0 { "" } else { "\n" };
        io.result(format_args!("{separator}{}", code.as_str()))?;
        match code {
            Code::Of(reason) => explain(*reason, io)?,
            Code::Dkim2(why) => {
                io.result(format_args!("  {DKIM2}"))?;
                io.result(format_args!("  In detail   {}", why.advice()))?;
            }
        }
    }
    Ok(Exit::Ok)
}

/// What the codes of DKIM2 are about.
const DKIM2: &str = "The message left without a DKIM2 signature of this server.";

fn explain(reason: Reason, io: &mut Io<'_>) -> Result<(), Trouble> {
    let Explanation { people, admins, remedy, paragraph, fault, retryable } = reason.explanation();
    io.result(format_args!("  {people}"))?;
    io.result(format_args!("  In detail   {admins}"))?;
    io.result(format_args!("  What to do  {remedy}"))?;
    io.result(format_args!("  Who         {}", who(fault)))?;
    io.result(format_args!("  Later       {}", later(retryable)))?;
    io.result(format_args!("  Rule        {paragraph}"))?;
    Ok(())
}

fn object(code: Code) -> serde_json::Value {
    let reason = match code {
        Code::Of(reason) => reason,
        Code::Dkim2(why) => {
            // Every object has every key: what to do stands in the detail of these.
            return serde_json::json!({"reason": why.as_str(), "people": DKIM2, "admins": why.advice(), "remedy": null,
                "paragraph": null, "who": null, "retryable": null});
        }
    };
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
