//! What a rotation looks like: a table for people, one object for programs.

use serde_json::{Value, json};
use zi2_keys::{Rotation, Stage, Task};
use zi2_mail::{Timestamp, format_date};

use super::How;
use crate::io::Tone;
use crate::{Exit, Io, Trouble};

pub(super) fn status(rotation: &Rotation, how: &How, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    let now = io.host.now;
    if how.json {
        io.result(format_args!("{}", object(rotation, now, "status", Value::Null)))?;
    } else {
        for entry in rotation.entries() {
            let tone = match entry.stage {
                Stage::Active | Stage::Proven => Tone::Good,
                Stage::Revoked => Tone::Bad,
                _ => Tone::Doubtful,
            };
            let word = io.toned(tone, &format!("{:<9}", entry.stage.word()));
            let wait = entry.settling.map_or_else(String::new, |settling| {
                format!("; every server has it, caches will by {}", format_date(settling.until()))
            });
            io.result(format_args!("{}  {word}  since {}{wait}", entry.kid, format_date(entry.since)))?;
        }
    }
    if rotation.active().is_none() {
        io.talk(format_args!("No key signs: nothing is certified until one is active (zi2-cert rotate plan)."));
    }
    Ok(if rotation.active().is_some() { Exit::Ok } else { Exit::Negative })
}

pub(super) fn plan(rotation: &Rotation, how: &How, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    let now = io.host.now;
    if how.json {
        io.result(format_args!("{}", object(rotation, now, "plan", Value::Null)))?;
        return Ok(Exit::Ok);
    }
    for Task { step, kid, at } in rotation.plan(now) {
        let when = if at <= now { "now".to_owned() } else { format!("from {}", format_date(at)) };
        io.result(format_args!("{:<8}  {kid}  {when}", step.word()))?;
    }
    Ok(Exit::Ok)
}

/// The whole state, and what a step adds to it.
pub(super) fn object(rotation: &Rotation, now: Timestamp, result: &str, more: Value) -> Value {
    let keys: Vec<Value> = rotation
        .entries()
        .iter()
        .map(|entry| {
            let until = entry.settling.map(|settling| settling.until().secs());
            let (kid, stage) = (entry.kid.to_string(), entry.stage.word());
            json!({"kid": kid, "stage": stage, "since": entry.since.secs(), "settles": until})
        })
        .collect();
    let task = |Task { step, kid, at }| json!({"step": step.word(), "kid": kid.to_string(), "at": at.secs(), "due": at <= now});
    let plan: Vec<Value> = rotation.plan(now).into_iter().map(task).collect();
    let active = rotation.active().map(|kid| kid.to_string());
    let mut object = json!({"schema": "zi2.rotation.v1", "version": 1, "result": result, "active": active, "keys": keys, "plan": plan});
    if let (Some(object), Value::Object(more)) = (object.as_object_mut(), more) {
        object.extend(more);
    }
    object
}
