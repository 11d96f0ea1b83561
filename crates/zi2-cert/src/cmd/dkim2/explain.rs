//! `dkim2 verify` and `dkim2 explain`: the verdict in two lines, or the chain as a table.

use serde::Serialize;
use zi2_mail::Timestamp;
use zi2_trust::render::{Dkim2Hop, Dkim2Report};

use super::look::{Args, exit};
use super::message;
use crate::cli::Common;
use crate::escape::for_terminal;
use crate::io::Tone;
use crate::{Exit, Io, Trouble, escape};

pub(super) fn verify(args: &Args, common: &Common, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    let (report, _) = judged(args, common, io)?;
    if args.json {
        json(&report, io)?;
    } else {
        summary(&report, io)?;
    }
    Ok(exit(report.result))
}

pub(super) fn explain(args: &Args, common: &Common, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    let (report, now) = judged(args, common, io)?;
    if args.json {
        json(&report, io)?;
        return Ok(exit(report.result));
    }
    if !report.hops.is_empty() {
        chain(&report, now, io)?;
    }
    summary(&report, io)?;
    Ok(exit(report.result))
}

fn judged(args: &Args, common: &Common, io: &mut Io<'_>) -> Result<(Dkim2Report, Timestamp), Trouble> {
    let mail = message(&args.file.file, io)?;
    let scene = args.around.scene(common, io)?;
    Ok((Dkim2Report::from(&scene.judge(&mail, &args.rules)?), scene.now))
}

fn json(report: &Dkim2Report, io: &mut Io<'_>) -> Result<(), Trouble> {
    #[derive(Serialize)]
    struct Line<'a> {
        schema: &'static str,
        #[serde(flatten)]
        report: &'a Dkim2Report,
    }
    let line = escape::json(&Line { schema: "zi2.dkim2.v1", report }).map_err(Trouble::bug)?;
    io.result(format_args!("{line}"))?;
    Ok(())
}

/// Texts hold checked names and escaped octets only.
fn summary(report: &Dkim2Report, io: &mut Io<'_>) -> Result<(), Trouble> {
    let word = io.toned(tone(report.result), report.result);
    io.result(format_args!("result    {word} (draft {}, proven: {})", report.draft, report.proven))?;
    if let Some(text) = &report.text {
        io.result(format_args!("text      {}", for_terminal(text)))?;
    }
    if let Some(at) = &report.at {
        let tag = at.tag.map(|tag| format!("tag {tag}=")).unwrap_or_default();
        let octet = at.offset.map(|offset| format!("octet {offset} of the header section")).unwrap_or_default();
        let joint = if tag.is_empty() || octet.is_empty() { "" } else { ", " };
        if !(tag.is_empty() && octet.is_empty()) {
            io.result(format_args!("at        {tag}{joint}{octet}"))?;
        }
    }
    Ok(())
}

/// The hops, columns as wide as their longest word; what may be long comes last.
fn chain(report: &Dkim2Report, now: Timestamp, io: &mut Io<'_>) -> Result<(), Trouble> {
    let rows: Vec<(&Dkim2Hop, String)> = report.hops.iter().map(|hop| (hop, envelope(hop))).collect();
    let domain = widest(report.hops.iter().map(|hop| hop.d.as_str()).chain(["DOMAIN"]));
    let path = widest(rows.iter().map(|(_, path)| path.as_str()).chain(["ENVELOPE"]));
    io.result(format_args!(
        "HOP  {:<domain$}  {:>7}  {:<9}  {:<path$}  CHANGED",
        "DOMAIN", "AGE", "VERDICT", "ENVELOPE"
    ))?;
    for (hop, envelope) in rows {
        let result = verdict(hop, report);
        let word = io.toned(tone(result), &format!("{result:<9}"));
        let (age, changed) = (age(hop.t, now), changed(hop));
        io.result(format_args!("{:>3}  {:<domain$}  {age:>7}  {word}  {envelope:<path$}  {changed}", hop.i, hop.d))?;
    }
    Ok(())
}

fn widest<'a>(cells: impl Iterator<Item = &'a str>) -> usize {
    cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
}

/// The result word of a hop; a dash where nobody looked.
fn verdict(hop: &Dkim2Hop, report: &Dkim2Report) -> &'static str {
    match blamed(report) == Some(hop.i) {
        true => report.result,
        false => hop.result.unwrap_or("-"),
    }
}

/// The hop where the failure lies; for a version of the message, the first that signed it.
fn blamed(report: &Dkim2Report) -> Option<u32> {
    let at = report.at.as_ref()?;
    let signed = |m: u32| report.hops.iter().find(|hop| hop.m >= m).map(|hop| hop.i);
    at.i.or_else(|| at.m.and_then(signed))
}

fn envelope(hop: &Dkim2Hop) -> String {
    if let Some(next) = &hop.nd {
        return format!("within the house, to {next}");
    }
    let to = match hop.rt.as_slice() {
        [one] => one.clone(),
        several => format!("{} recipients", several.len()),
    };
    for_terminal(&format!("{} -> {to}", hop.mf.as_deref().unwrap_or("?")))
}

fn changed(hop: &Dkim2Hop) -> String {
    let Some(changed) = &hop.changed else { return if hop.i == 1 { "made it" } else { "-" }.to_owned() };
    let body = match changed.body {
        "yes" => Some("body".to_owned()),
        "lost" => Some("body (lost)".to_owned()),
        _ => None,
    };
    let names: Vec<String> = changed.fields.iter().cloned().chain(body).collect();
    for_terminal(&names.join(" "))
}

/// How long ago, in the largest unit that fits.
fn age(then: u64, now: Timestamp) -> String {
    let Some(seconds) = now.secs().checked_sub(then) else { return "future".to_owned() };
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

fn tone(result: &str) -> Tone {
    match result {
        "pass" => Tone::Good,
        "fail" | "permerror" => Tone::Bad,
        _ => Tone::Doubtful,
    }
}
