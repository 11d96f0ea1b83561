//! `senders`: who may send as whom, by the very rules the milter goes by (zi2.md §9).

use std::net::IpAddr;

use zi2_config::{OnMismatch, SenderDecision, SenderRule, Submitter};
use zi2_mail::{AddrSpec, parse_from};

use crate::cli::Common;
use crate::escape::field_value;
use crate::{Exit, Io, Trouble, settings};

/// What about senders.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Say whether a login, a network client or a local user may send with a From address, and by which rule
    Check {
        /// The login as the mail server knows it, an IP address, or local or local:USER for sendmail(1)
        #[arg(value_name = "LOGIN", value_parser = submitter)]
        submitter: Submitter,
        /// The From address
        #[arg(value_parser = address)]
        from: AddrSpec,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
}

pub(crate) fn run(args: &Args, common: &Common, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    let Verb::Check { submitter, from, json } = &args.verb;
    let config = settings::load_nameless(common, &io.host)?;
    let (word, why) = match config.senders.allows(submitter, from) {
        SenderDecision::Allowed(SenderRule::OwnDomain) => {
            ("allowed", "it is the domain of the login (senders.own_domain)".to_owned())
        }
        SenderDecision::Allowed(SenderRule::Line { file, line }) => {
            ("allowed", format!("{} line {line}", file.display()))
        }
        SenderDecision::Refused(refusal) => ("refused", refusal.to_string()),
    };
    let is_allowed = word == "allowed";
    let outcome = match (is_allowed, config.egress.on_mismatch, submitter) {
        (true, ..) => "certified and signed",
        (false, OnMismatch::Reject, Submitter::Login(_)) => "rejected",
        (false, ..) => "sent without a certification",
    };
    if *json {
        let object = serde_json::json!({
            "schema": "zi2.sender.v1", "version": 1, "submitter": shown(submitter), "from": from.normalized(),
            "result": word, "why": why, "outcome": outcome,
        });
        io.result(format_args!("{object}"))?;
    } else {
        let (who, from) = (field_value(shown(submitter).as_bytes()), field_value(from.normalized().as_bytes()));
        io.result(format_args!("{word}: {who} as {from}: {why}; such mail is {outcome}"))?;
    }
    Ok(if is_allowed { Exit::Ok } else { Exit::Negative })
}

fn shown(submitter: &Submitter) -> String {
    match submitter {
        Submitter::Login(login) => login.clone(),
        Submitter::Network(address) => address.to_string(),
        Submitter::Local(None) => "local".to_owned(),
        Submitter::Local(Some(user)) => format!("local:{user}"),
    }
}

fn submitter(text: &str) -> Result<Submitter, std::convert::Infallible> {
    Ok(match (text.parse::<IpAddr>(), text.strip_prefix("local:")) {
        (Ok(address), _) => Submitter::Network(address),
        (_, Some(user)) => Submitter::Local(Some(user.to_owned())),
        (_, None) if text == "local" => Submitter::Local(None),
        (_, None) => Submitter::Login(text.to_owned()),
    })
}

fn address(text: &str) -> Result<AddrSpec, String> {
    parse_from(text.as_bytes()).map_err(|_| "write one mail address, such as anna@example.com".to_owned())
}
