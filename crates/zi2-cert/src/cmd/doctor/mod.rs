//! `doctor`: what could keep certifying and verifying from working, each finding with its fix. It changes nothing.

mod accounts;
mod clock;
mod dkim;
mod dns;
pub(super) mod finding;
mod keys;
pub(super) mod postfix;
mod sockets;
mod store;

use std::path::PathBuf;

use zi2_config::{Config, Fault};

use crate::cli::Common;
use crate::net::Ask;
use crate::{Exit, Io, Trouble, escape, settings};
use accounts::Accounts;
use finding::{Chart, Finding, Status};

/// What is looked at.
#[derive(clap::Args)]
#[command(after_help = AFTER, after_long_help = AFTER)]
pub(crate) struct Args {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// The configuration directory of Postfix [default: the one postconf knows]
    #[arg(long, value_name = "DIR")]
    postfix: Option<PathBuf>,
    #[command(flatten)]
    ask: Ask,
}

const AFTER: &str = "\
Run it as root: others may not look at keys, store and sockets. It changes nothing; each fix is yours to run.
Of DNS it asks our own names, and one below ietf.org, which is signed, to see whether the resolver validates.

Exit codes: 0 no problem (there may be warnings), 1 a problem, 75 no problem, but something could not be looked at.";

pub(crate) fn run(args: &Args, common: &Common, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    let mut chart = Chart::default();
    if let Some(config) = configuration(common, io, &mut chart) {
        let accounts = Accounts::read(&io.host.root);
        let key = keys::look(&config, &accounts, io.host.now, &mut chart);
        let dkim = dkim::keys(&config, &mut chart);
        match args.ask.resolver(&config) {
            Ok(resolver) => {
                dns::look(&config, key, resolver.clone(), &mut chart)?;
                dkim::published(&dkim, &resolver, &mut chart)?;
            }
            // No server to ask is a finding; a world that cannot be read is not.
            Err(trouble) if trouble.exit == Exit::TempFail => {
                chart.problem("dns.resolver", trouble.what, trouble.remedy)
            }
            Err(trouble) => return Err(trouble),
        }
        store::look(&config, &accounts, &mut chart);
        let mail = postfix::Setup::read(args.postfix.as_deref(), &io.host);
        sockets::look(&config, &accounts, mail.as_ref().map_or("postfix", |setup| setup.owner()), &mut chart);
        postfix::look(&config, mail, &mut chart);
        clock::look(&config, &settings::paths(common, &io.host).file, &io.host, &mut chart);
    }
    show(&chart, args.json, io)?;
    Ok(chart.exit())
}

/// The configuration. Where only this host's name is missing, the rest is looked at all the same.
fn configuration(common: &Common, io: &Io<'_>, chart: &mut Chart) -> Option<Config> {
    const CHECK: &str = "config";
    let paths = settings::paths(common, &io.host);
    let problems = match settings::read(&paths, &io.host) {
        Ok(loaded) => {
            let server = &loaded.config.server;
            let seen = format!("{}: sid {}, hosted domains: {}", paths.file.display(), server.sid, server.hosted.len());
            chart.ok(CHECK, seen);
            for notice in &loaded.notices {
                chart.warning(CHECK, notice, "zi2-cert config check");
            }
            return Some(loaded.config);
        }
        Err(problems) => problems,
    };
    for problem in problems.iter() {
        let seen = format!("{}: {}", problem.place, problem.fault);
        match problem.fault {
            Fault::Denied => chart.unknown(CHECK, seen, "sudo zi2-cert doctor"),
            _ => chart.problem(CHECK, seen, "correct it as zi2.toml(5) says; `zi2-cert config check` looks again"),
        }
    }
    settings::load_nameless(common, &io.host).ok()
}

fn show(chart: &Chart, json: bool, io: &mut Io<'_>) -> Result<(), Trouble> {
    let count = |status| chart.findings.iter().filter(|finding| finding.status == status).count();
    let [problems, warnings, unknown, ok] = [Status::Problem, Status::Warning, Status::Unknown, Status::Ok].map(count);
    if json {
        let object = serde_json::json!({
            "schema": "zi2.doctor.v1", "version": 1, "findings": chart.findings,
            "problems": problems, "warnings": warnings, "unknown": unknown,
        });
        io.result(format_args!("{}", escape::json(&object).map_err(Trouble::bug)?))?;
        return Ok(());
    }
    for Finding { check, status, seen, fix } in &chart.findings {
        let word = io.toned(status.tone(), &format!("{:<8}", status.as_str()));
        io.result(format_args!("{word} {check:<16} {}", escape::for_terminal(seen)))?;
        if let Some(fix) = fix {
            io.result(format_args!("{:<25} fix: {}", "", escape::for_terminal(fix)))?;
        }
    }
    io.result(format_args!("\n{problems} problems, {warnings} warnings, {unknown} not looked at, {ok} ok"))?;
    Ok(())
}
