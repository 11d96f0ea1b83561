//! `config`: whether the configuration is right, and what is in force.

use zi2_config::{Origin, dump_json, dump_table};

use crate::cli::Common;
use crate::{Exit, Io, Trouble, settings};

/// What about the configuration.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Read everything as the milter does and say what is wrong, with file, line and column
    Check {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Show the settings that were written down, and where
    Dump {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
        /// Show every value in force, defaults too
        #[arg(long)]
        effective: bool,
    },
}

pub(crate) fn run(args: &Args, common: &Common, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    match args.verb {
        Verb::Check { json: true } => check_json(common, io),
        Verb::Check { json: false } => check(common, io),
        Verb::Dump { json, effective } => dump(json, effective, common, io),
    }
}

fn check(common: &Common, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    let loaded = settings::load(common, &io.host)?;
    for notice in &loaded.notices {
        io.talk(format_args!("note: {notice}"));
    }
    let paths = settings::paths(common, &io.host);
    io.result(format_args!(
        "{} OK ({} domains hosted, sid {})",
        paths.file.display(),
        loaded.config.server.hosted.len(),
        loaded.config.server.sid
    ))?;
    Ok(Exit::Ok)
}

fn check_json(common: &Common, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    let paths = settings::paths(common, &io.host);
    let (result, problems, notices, exit) = match settings::read(&paths, &io.host) {
        Ok(loaded) => ("ok", Vec::new(), loaded.notices, Exit::Ok),
        Err(problems) => {
            let list = problems.iter().map(
                |problem| serde_json::json!({"place": problem.place.to_string(), "problem": problem.fault.to_string()}),
            );
            ("invalid", list.collect(), Vec::new(), Exit::Config)
        }
    };
    let notices: Vec<String> = notices.iter().map(ToString::to_string).collect();
    let object = serde_json::json!({"schema": "zi2.config-check.v1", "version": 1, "result": result, "problems": problems, "notices": notices});
    io.result(format_args!("{object}"))?;
    Ok(exit)
}

fn dump(json: bool, effective: bool, common: &Common, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    let loaded = settings::load(common, &io.host)?;
    if json {
        let mut object = dump_json(&loaded.origins);
        if let Some(settings) = object.get_mut("settings").and_then(|settings| settings.as_array_mut()) {
            settings.retain(|value| {
                effective
                    || !matches!(
                        value.pointer("/origin/kind").and_then(|kind| kind.as_str()),
                        Some("default" | "derived")
                    )
            });
        }
        io.result(format_args!("{object}"))?;
        return Ok(Exit::Ok);
    }
    let lines = dump_table(&loaded.origins);
    let mut shown = 0_usize;
    for (line, value) in lines.lines().zip(loaded.origins.iter()) {
        if effective || matches!(value.origin, Origin::Set(_)) {
            io.result(format_args!("{line}"))?;
            shown += 1;
        }
    }
    if shown == 0 {
        io.talk(format_args!("Nothing is set; --effective shows the defaults in force."));
    }
    Ok(Exit::Ok)
}
