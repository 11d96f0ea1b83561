//! The rows of `--explain`, in the order of zi2.md §7.

use std::time::Duration;

use zi2_flow::Outcome;
use zi2_mail::{Domain, Timestamp};
use zi2_sig::{Certified, Form, Origin, Outcome as Found};
use zi2_trust::{NotDelegated, NotRestored, PublishedPolicy, ReplayVerdict, Spoof, Standing, Verdict};

use super::super::scene::Scene;
use super::decision::{Decision, Row, Stage};
use super::walk::{Timed, Walk};
use super::{Check, Word, asked, micros_of};
use crate::words::failure_detail;

/// Every check; those that were not reached say so.
pub(super) fn checks(scene: &Scene, walk: &Walk, outcome: &Outcome, whole: Duration) -> Vec<Check> {
    let decision = Decision::of(&walk.facts.value.outcome, &outcome.judgement);
    let certified = walk.certified.as_ref().and_then(|certified| certified.value.as_ref().ok());
    let mut checks = header(scene, walk, &decision, certified);
    checks.extend(asked::rows(&walk.asked, certified.map(|certified| certified.kid)));
    checks.extend(signature(walk, outcome, &decision, certified));
    checks.extend(trust(scene, walk, outcome, &decision));
    checks.extend(restoration(outcome));
    checks.extend(delegation(scene, outcome));
    checks.push(all(outcome, whole));
    checks
}

/// §7 steps 1 to 4.
fn header(scene: &Scene, walk: &Walk, decision: &Decision, certified: Option<&Certified>) -> Vec<Check> {
    let took = |took| Some(took);
    let from = walk.message.value.as_ref().ok().map(|message| message.domain());
    let field = Row {
        check: "certified",
        paragraph: "§1",
        took: walk.certified.as_ref().map(|certified| certified.took),
        holds: certified.map_or_else(String::new, |certified| {
            format!("{} form, key {} of {}", certified.form.as_str(), certified.kid, certified.sid)
        }),
    };
    let section = format!("{} fields", walk.fields.value);
    let section = Row { check: "section", paragraph: "§2", took: took(walk.fields.took), holds: section };
    let one = from.map_or_else(String::new, |from| format!("one mailbox in From, of {from}; nothing stands twice"));
    let message = Row { check: "message", paragraph: "§2", took: took(walk.message.took), holds: one };
    let identity = Row { check: "identity", paragraph: "§7", took: None, holds: identity(certified, from) };
    vec![
        honest(walk, Stage::Section, decision.check(Stage::Section, section)),
        honest(walk, Stage::Message, decision.check(Stage::Message, message)),
        decision.check(Stage::Field, field),
        decision.check(Stage::Identity, identity),
        time(scene, decision, certified),
    ]
}

/// Without the field the other checks of §2 do not decide (§7 step 1), but they were made.
fn honest(walk: &Walk, stage: Stage, check: Check) -> Check {
    match &walk.message.value {
        Err(failure) if check.result == Word::Ok && Stage::of(failure) == stage => {
            Check { result: Word::Fail, seen: failure_detail(failure), ..check }
        }
        Err(failure) if check.result == Word::Ok && Stage::of(failure) < stage => {
            Check { result: Word::Skipped, micros: None, seen: String::new(), ..check }
        }
        _ => check,
    }
}

fn identity(certified: Option<&Certified>, from: Option<&Domain>) -> String {
    let from = from.map_or("", |from| from.as_str());
    match certified.map(|certified| certified.form) {
        Some(Form::Draft) => format!("only keys of {from} are asked for"),
        Some(Form::Page | Form::Combined) => format!("d= is {from}, the domain of From, and h= names all it must"),
        None => String::new(),
    }
}

/// A stale time decides only if everything else holds (§7 step 4), but it is stale in any case.
fn time(scene: &Scene, decision: &Decision, certified: Option<&Certified>) -> Check {
    let seen = certified.map_or_else(String::new, |certified| age(certified.time, scene.now, scene.rules.window));
    let is_stale = certified.is_some_and(|certified| certified.time < scene.now.sub_secs(scene.rules.window));
    let row = Row { check: "time", paragraph: "§7", took: None, holds: seen.clone() };
    match decision.check(Stage::Time, row) {
        check if check.result == Word::Ok && is_stale => Check { result: Word::Fail, ..check },
        check if check.result == Word::Fail => Check { seen, ..check },
        check => check,
    }
}

fn age(signed: Timestamp, now: Timestamp, window: u64) -> String {
    let (signed, now) = (signed.secs(), now.secs());
    let (distance, side) = if signed > now { (signed - now, "after") } else { (now - signed, "before") };
    format!(
        "signed {distance} s {side} now; from {window} s before to {} s after is fresh",
        zi2_sig::limits::FUTURE_SECS
    )
}

/// §7 steps 5 and 6.
fn signature(walk: &Walk, outcome: &Outcome, decision: &Decision, certified: Option<&Certified>) -> Vec<Check> {
    let form = certified.map(|certified| certified.form);
    let candidates = walk.findings.as_ref().map_or(&[][..], |findings| &findings.answer.candidates);
    let origins: Vec<&str> = candidates.iter().map(|candidate| origin(candidate.origin)).collect();
    let keys = Row { check: "key", paragraph: "§7", took: None, holds: format!("to try: {}", origins.join(", ")) };
    let signature = match &walk.facts.value.outcome {
        Found::Tampered(zi2_sig::Part::Header, _) => "sig= holds, b= does not",
        _ if form == Some(Form::Draft) => "sig= holds",
        _ => "b= holds",
    };
    let took = Some(walk.facts.took);
    let signature = Row { check: "signature", paragraph: "§7", took, holds: signature.to_owned() };
    let covered = match form {
        Some(Form::Draft) => "addresses and Message-ID are as signed; nothing else is covered".to_owned(),
        _ => format!("the fields of h= are as signed; covered: {}", outcome.judgement.covers.len().saturating_sub(1)),
    };
    let covered = Row { check: "header", paragraph: "§5", took: Some(walk.signed_octets), holds: covered };
    let body = format!("{} octets are as signed", walk.body.value);
    let body = Row { check: "body", paragraph: "§3", took: Some(walk.body.took), holds: body };
    vec![
        decision.check(Stage::Key, keys),
        decision.check(Stage::Signature, signature),
        decision.check(Stage::Header, covered),
        decision.check(Stage::Body, body),
    ]
}

fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Local => "one of ours",
        Origin::Exchanged => "one exchanged with the server",
        Origin::Dns => "one from the domain's DNS",
        Origin::Https => "one from the domain's HTTPS host",
    }
}

/// §8 and §9.
fn trust(scene: &Scene, walk: &Walk, outcome: &Outcome, decision: &Decision) -> Vec<Check> {
    let judgement = &outcome.judgement;
    let replay = match judgement.replay {
        ReplayVerdict::Duplicate => "the same recipients again: a retry",
        _ => "not seen before in this run",
    };
    let took = walk.trust.admitted.as_ref().map(|admitted| admitted.took);
    let replay = Row { check: "replay", paragraph: "§8", took, holds: replay.to_owned() };
    let level = format!("level {}: {}", judgement.level.number(), judgement.reason.as_str());
    let level =
        match decision.check(Stage::Level, Row { check: "level", paragraph: "§9", took: None, holds: String::new() }) {
            check if check.result == Word::Ok => Check { seen: level, ..check },
            check => check,
        };
    vec![
        recipients(scene, walk),
        decision.check(Stage::Replay, replay),
        level,
        history(walk, outcome),
        spoof(walk, outcome),
    ]
}

fn recipients(scene: &Scene, walk: &Walk) -> Check {
    let seen = |unnamed: usize| {
        let (all, allowance) = (scene.recipients.len(), scene.rules.allowance);
        format!("{all} in the envelope, {unnamed} of them in neither To nor Cc; {allowance} may be")
    };
    let (result, micros, seen) = match &walk.trust.admission {
        Some(Timed { value, took }) => (Word::Ok, Some(micros_of(*took)), seen(value.recipients.len())),
        None => (Word::Skipped, None, String::new()),
    };
    Check { check: "recipients", result, micros, seen, paragraph: "§8" }
}

fn history(walk: &Walk, outcome: &Outcome) -> Check {
    let (standing, micros) = (outcome.judgement.history, walk.trust.past.as_ref().map(|past| micros_of(past.took)));
    let (result, seen) = match walk.trust.past.as_ref().map(|past| &past.value) {
        None => (Word::Skipped, String::new()),
        Some(None) => (Word::TempError, "the store gave no answer".to_owned()),
        Some(Some(rows)) => {
            let word = if standing == Standing::Unverified { Word::None } else { Word::Ok };
            (word, format!("{}; keys seen of this domain: {}", standing.as_str(), rows.len()))
        }
    };
    Check { check: "history", result, micros, seen, paragraph: "§9" }
}

fn spoof(walk: &Walk, outcome: &Outcome) -> Check {
    let policy = match walk.trust.policy.as_ref().map(|policy| policy.value) {
        None => "the domain's policy was not asked for",
        Some(None) => "the domain's policy could not be asked for",
        Some(Some(PublishedPolicy::Nothing)) => "the domain publishes no policy",
        Some(Some(PublishedPolicy::Monitor)) => "the domain only tries certification out (p=monitor)",
        Some(Some(PublishedPolicy::Enforce)) => "the domain says that all its mail is certified (p=enforce)",
    };
    let result = match outcome.judgement.spoof {
        Spoof::No => Word::Ok,
        Spoof::Suspected | Spoof::Yes => Word::Fail,
    };
    let micros = walk.trust.policy.as_ref().map(|policy| micros_of(policy.took));
    let seen = format!("{}; {policy}", outcome.judgement.spoof.as_str());
    Check { check: "spoof", result, micros, seen, paragraph: "§9" }
}

/// §11, for a message that was changed and has a DKIM2 chain.
fn restoration(outcome: &Outcome) -> Option<Check> {
    let (result, seen) = match &outcome.restoration {
        Ok(restoration) => {
            let revisers: Vec<&str> = restoration.revisers().iter().map(Domain::as_str).collect();
            let (level, reason) = (outcome.judgement.level.number(), outcome.judgement.reason.as_str());
            (Word::Ok, format!("the changes of {} undone: level {level}, {reason}", revisers.join(", ")))
        }
        Err(NotRestored::NotTampered | NotRestored::NotEvaluated) => return None,
        Err(none @ NotRestored::NotVerified("none")) => (Word::None, none.to_string()),
        Err(why) => (Word::Fail, why.to_string()),
    };
    Some(Check { check: "restoration", result, micros: None, seen, paragraph: "§11" })
}

/// §11, for a message that was changed.
fn delegation(scene: &Scene, outcome: &Outcome) -> Option<Check> {
    let arc = outcome.chain.as_ref().map(|chain| &chain.arc);
    let oldest = scene.now.sub_secs(scene.rules.window);
    let (result, seen) = match scene.rules.sealers.delegation(&outcome.facts, arc, oldest) {
        Ok(delegation) => {
            let (level, reason) = (outcome.judgement.level.number(), outcome.judgement.reason.as_str());
            (Word::Ok, format!("on the word of {}: level {level}, {reason}", delegation.reporter()))
        }
        Err(NotDelegated::NotTampered) => return None,
        Err(nobody @ NotDelegated::NobodyTrusted) => (Word::None, nobody.to_string()),
        Err(why) => (Word::Fail, why.to_string()),
    };
    Some(Check { check: "delegation", result, micros: None, seen, paragraph: "§11" })
}

fn all(outcome: &Outcome, whole: Duration) -> Check {
    let judgement = &outcome.judgement;
    let result = match judgement.verdict {
        Verdict::Pass => Word::Ok,
        Verdict::Missing => Word::None,
        Verdict::TempError => Word::TempError,
        Verdict::Fail | Verdict::Expired | Verdict::Tampered => Word::Fail,
    };
    let seen = format!(
        "{} ({}); DNS look-ups: {}",
        judgement.verdict.as_str(),
        judgement.reason.as_str(),
        outcome.dns_queries
    );
    Check { check: "all", result, micros: Some(micros_of(whole)), seen, paragraph: "§7" }
}
