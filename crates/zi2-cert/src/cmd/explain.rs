//! `explain`: the reasons in words.

use zi2_trust::{Fault, Reason};

use crate::{Exit, Io, Trouble};

/// What to explain.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A reason code such as `key.not_found`; all if left out.
    reason: Option<String>,
}

pub(crate) fn run(args: &Args, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    let Some(code) = &args.reason else {
        for reason in Reason::ALL {
            writeln!(io.out, "{:<24} {}", reason.as_str(), reason.explanation().people)?;
        }
        return Ok(Exit::Ok);
    };
    let unknown =
        || Trouble::new(Exit::Usage, format!("there is no reason {code:?}"), "`zi2-cert explain` lists all of them.");
    let reason = Reason::parse(code).ok_or_else(unknown)?;
    let said = reason.explanation();
    writeln!(io.out, "{} ({})\n", reason.as_str(), said.paragraph)?;
    writeln!(io.out, "  {}\n", said.people)?;
    writeln!(io.out, "  For admins  {}", said.admins)?;
    writeln!(io.out, "  What to do  {}", said.remedy)?;
    writeln!(io.out, "  Who can     {}", who(said.fault))?;
    writeln!(io.out, "  Try again   {}", if said.retryable { "yes, the result can change" } else { "no" })?;
    Ok(Exit::Ok)
}

fn who(fault: Fault) -> &'static str {
    match fault {
        Fault::Nobody => "nobody needs to",
        Fault::Sender => "the sending side",
        Fault::Transport => "whoever is in between",
        Fault::Here => "this host",
    }
}
