//! One message judged and shown, in words or as JSON.

use std::path::Path;

use serde::Serialize;
use zi2_mail::{Message, crlf_from_file};
use zi2_trust::render::{Report, via};
use zi2_trust::{Judgement, Reason, Spoof, Verdict};

use super::Args;
use super::explain::{self, Check};
use super::scene::{Scene, exit};
use crate::cli::Common;
use crate::io::Tone;
use crate::{Exit, Io, Trouble, escape, input, net};

/// A message judged.
pub(super) struct Judged {
    pub(super) judgement: Judgement,
    report: Report,
    checks: Option<Vec<Check>>,
}

/// Whether only the verdict is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Steps {
    /// Only the verdict.
    Hidden,
    /// Each check with its duration (`--explain`).
    Shown,
}

pub(super) fn run(file: &Path, args: &Args, common: &Common, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    let octets = input::message(file, io)?;
    let scene = Scene::of(args, common, io)?;
    let judged = net::runtime()?.block_on(judged(&scene, octets, args.steps()))?;
    if args.show.json {
        io.result(format_args!("{}", json(None, Ok(&judged))?))?;
    } else {
        table(&judged.judgement, io)?;
        chain(&judged.report, io)?;
        explain::table(judged.checks.as_deref().unwrap_or_default(), io)?;
    }
    Ok(exit(judged.judgement.verdict))
}

/// Judges the content of a file.
pub(super) async fn judged(scene: &Scene, file: Vec<u8>, steps: Steps) -> Result<Judged, Trouble> {
    let octets = crlf_from_file(&file);
    let services = scene.services()?;
    let (outcome, checks) = match steps {
        Steps::Hidden => (scene.judge(&Message::split(&octets), &services).await, None),
        Steps::Shown => {
            let (outcome, checks) = explain::judged(scene, &octets, &services).await?;
            (outcome, Some(checks))
        }
    };
    let (dkim2, queries) = scene.dkim2(&file, &octets, &outcome).await;
    let report = Report::new(&outcome.judgement, outcome.dns_queries.saturating_add(queries)).with_dkim2(&dkim2);
    let report = match &outcome.chain {
        Some(chain) => report.with_chain(chain),
        None => report,
    };
    Ok(Judged { judgement: outcome.judgement, report, checks })
}

/// The report of a message; with its file where there are several. A file that is no message has the same keys, all null,
/// and says why.
pub(super) fn json(file: Option<&Path>, judged: Result<&Judged, &Trouble>) -> Result<String, Trouble> {
    let file = file.map(|file| file.to_string_lossy());
    let line = match judged {
        Ok(judged) => {
            escape::json(&Line { file: file.as_deref(), report: &judged.report, explain: judged.checks.as_deref() })
        }
        Err(trouble) => escape::json(&Line {
            file: file.as_deref(),
            report: &NoReport {
                schema: "zi2.report.v1",
                error: Some(Fault { exit: trouble.exit.code(), what: &trouble.what, remedy: &trouble.remedy }),
                ..NoReport::default()
            },
            explain: None,
        }),
    };
    line.map_err(Trouble::bug)
}

#[derive(Serialize)]
struct Line<'a, R> {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    #[serde(flatten)]
    report: &'a R,
    #[serde(skip_serializing_if = "Option::is_none")]
    explain: Option<&'a [Check]>,
}

/// A [`Report`] about nothing.
#[derive(Serialize, Default)]
struct NoReport<'a> {
    schema: &'static str,
    zi2: Option<()>,
    spoof: Option<()>,
    dkim: Option<()>,
    spf: Option<()>,
    dmarc: Option<()>,
    arc: Option<()>,
    dkim2: Option<()>,
    metrics: Option<()>,
    error: Option<Fault<'a>>,
}

#[derive(Serialize)]
struct Fault<'a> {
    exit: u8,
    what: &'a str,
    remedy: &'a str,
}

/// How a verdict looks.
pub(super) fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Pass => Tone::Good,
        Verdict::Missing | Verdict::Expired | Verdict::TempError => Tone::Doubtful,
        Verdict::Fail | Verdict::Tampered => Tone::Bad,
    }
}

/// Only checked names and closed sets of words are printed: no octet that a sender chose freely.
fn table(judgement: &Judgement, io: &mut Io<'_>) -> Result<(), Trouble> {
    let said = judgement.reason.explanation();
    let verdict = io.toned(tone(judgement.verdict), judgement.verdict.as_str());
    io.result(format_args!("result    {verdict} (level {})", judgement.level.number()))?;
    io.result(format_args!("reason    {}: {}", judgement.reason.as_str(), said.people))?;
    if let Some(domain) = &judgement.from {
        io.result(format_args!("from      {domain}"))?;
    }
    if let (Some(sid), Some(kid)) = (&judgement.sid, judgement.kid) {
        let confirmed = if judgement.sid_confirmed { "confirmed by the server" } else { "not confirmed" };
        io.result(format_args!("server    {sid} ({confirmed}), key {kid}"))?;
    }
    if let Some(names) = via(judgement) {
        let why = match judgement.reason {
            Reason::OkRestoredDkim2 => "whose changes were undone: what they wrote is not certified",
            _ => "who is trusted here and saw it valid",
        };
        io.result(format_args!("via       {names}, {why}"))?;
    }
    io.result(format_args!("history   {}", judgement.history.as_str()))?;
    if !judgement.covers.is_empty() {
        io.result(format_args!("covers    {}", judgement.covers.join(" ")))?;
    }
    if judgement.spoof != Spoof::No {
        let spoof = io.toned(Tone::Bad, judgement.spoof.as_str());
        io.result(format_args!("spoof     {spoof}"))?;
    }
    if judgement.verdict != Verdict::Pass {
        io.result(format_args!("to do     {}", said.remedy))?;
    }
    Ok(())
}

/// The existing chain, where it was evaluated. Domains and selectors are checked names.
fn chain(report: &Report, io: &mut Io<'_>) -> Result<(), Trouble> {
    for signature in report.dkim.iter().flatten() {
        let [domain, selector] = [&signature.d, &signature.s].map(|name| name.as_deref().unwrap_or("?"));
        let reason = signature.reason.map(|reason| format!(": {reason}")).unwrap_or_default();
        io.result(format_args!("dkim      {}{reason} ({domain}, key {selector})", signature.result))?;
    }
    if let Some(arc) = report.arc.as_ref().filter(|arc| arc.result != "none") {
        let sealers = if arc.sealers.is_empty() { String::new() } else { format!(" ({})", arc.sealers.join(", ")) };
        io.result(format_args!("arc       {}{sealers}", arc.result))?;
    }
    if let Some(dkim2) = report.dkim2.as_ref().filter(|dkim2| dkim2.result != "none") {
        let text = dkim2.text.as_deref().map(|text| format!(": {}", escape::for_terminal(text))).unwrap_or_default();
        io.result(format_args!("dkim2     {}{text} ({} hops, draft {})", dkim2.result, dkim2.hops.len(), dkim2.draft))?;
    }
    if let Some(spf) = &report.spf {
        let domain = spf.domain.as_deref().unwrap_or("no domain");
        io.result(format_args!("spf       {} ({} {domain}): {}", spf.result, spf.identity, spf.reason))?;
    }
    if let Some(dmarc) = &report.dmarc {
        let aligned = dmarc.aligned.as_ref().map(|domain| format!(", by {domain}")).unwrap_or_default();
        io.result(format_args!("dmarc     {} ({}{aligned})", dmarc.result, dmarc.domain))?;
    }
    Ok(())
}
