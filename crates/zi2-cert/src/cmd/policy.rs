//! `policy`: what a domain says at `_zi2policy` of its mail without a certification (zi2.md §9).

use zi2_keys::Budget;
use zi2_mail::Domain;
use zi2_trust::{PublishedPolicy, QueryName};

use crate::cli::Common;
use crate::escape::field_value;
use crate::limits::{DOMAIN_LOOK_UPS, PATIENCE};
use crate::net::{self, Ask};
use crate::words::no_answer;
use crate::{Exit, Io, Trouble, settings};

/// What about policies.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Show the policy a domain publishes, and what it means here
    Show {
        /// The domain
        #[arg(value_parser = super::domain)]
        domain: Domain,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        ask: Ask,
    },
}

pub(crate) fn run(args: &Args, common: &Common, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    let Verb::Show { domain, json, ask } = &args.verb;
    let config = settings::load_public(common, io)?;
    let (resolver, name) = (ask.resolver(&config)?, QueryName::policy(domain));
    let budget = Budget::new(DOMAIN_LOOK_UPS, PATIENCE);
    let answer = net::runtime()?.block_on(resolver.txt(&name, &budget)).map_err(|trouble| {
        let what = format!("{name}: {}", no_answer(trouble));
        Trouble::new(Exit::TempFail, what, "Try again, or ask another server with --server IP.")
    })?;
    let found = Found::of(&answer.records);
    let (word, meaning) = found.words();
    if *json {
        let records: Vec<String> = answer.records.iter().map(|text| field_value(text)).collect();
        let object = serde_json::json!({
            "schema": "zi2.policy.v1", "version": 1, "domain": domain.as_str(), "name": name.as_str(),
            "result": word, "meaning": meaning, "records": records,
        });
        io.result(format_args!("{object}"))?;
    } else {
        io.result(format_args!("{domain}: {word}"))?;
        io.result(format_args!("  {meaning}"))?;
        answer.records.iter().try_for_each(|text| io.result(format_args!("  {name}  {}", field_value(text))))?;
    }
    if config.server.hosted.contains(domain) {
        io.talk(format_args!(
            "{domain} is hosted here: its mail without a valid certification is marked whatever it says."
        ));
    }
    Ok(if matches!(found, Found::Policy(_)) { Exit::Ok } else { Exit::Negative })
}

/// What stands at the name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Found {
    Policy(PublishedPolicy),
    Absent,
    Unreadable,
    Several,
}

impl Found {
    fn of(records: &[Vec<u8>]) -> Found {
        let is_meant = |text: &&Vec<u8>| text.windows(7).any(|part| part.eq_ignore_ascii_case(b"ZI2POL1"));
        let meant: Vec<&Vec<u8>> = records.iter().filter(is_meant).collect();
        match PublishedPolicy::of_records(records.iter().map(Vec::as_slice)) {
            PublishedPolicy::Nothing if meant.is_empty() => Found::Absent,
            PublishedPolicy::Nothing if meant.len() > 1 => Found::Several,
            PublishedPolicy::Nothing => Found::Unreadable,
            policy => Found::Policy(policy),
        }
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Found::Policy(PublishedPolicy::Enforce) => {
                ("enforce", "all its mail is certified: mail without a valid certification is marked spoof=yes")
            }
            Found::Policy(PublishedPolicy::Monitor) => {
                ("monitor", "it tries certification out: no mail of it is marked, whatever its history")
            }
            Found::Policy(PublishedPolicy::Nothing) | Found::Absent => {
                ("none", "it publishes no policy: only its history can make mail without a certification suspicious")
            }
            Found::Unreadable => (
                "unreadable",
                "the record counts as none: write \"v=ZI2POL1; p=enforce\" or \"v=ZI2POL1; p=monitor\", without quotes of its own",
            ),
            Found::Several => ("several", "two policy records count as none: leave one"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_at_the_name() {
        use PublishedPolicy::{Enforce, Monitor};
        for (records, found) in [
            (vec![], Found::Absent),
            (vec!["v=spf1 -all"], Found::Absent),
            (vec!["v=ZI2POL1; p=enforce", "v=spf1 -all"], Found::Policy(Enforce)),
            (vec!["v=ZI2POL1;p=monitor;x=y"], Found::Policy(Monitor)),
            (vec!["v=ZI2POL1; p=none"], Found::Unreadable),
            (vec!["v=ZI2POL1"], Found::Unreadable),
            (vec!["\"v=ZI2POL1; p=enforce\""], Found::Unreadable),
            (vec!["v=ZI2POL1; p=enforce", "v=ZI2POL1; p=monitor"], Found::Several),
        ] {
            let texts: Vec<Vec<u8>> = records.iter().map(|text| text.as_bytes().to_vec()).collect();
            assert_eq!(Found::of(&texts), found, "{records:?}");
        }
    }
}
