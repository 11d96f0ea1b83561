//! `dkim2 diff`: what changed from one message to another, as hashes see it: signed fields and lines.

use std::path::PathBuf;

use serde::Serialize;
use zi2_mail::Message;
use zi2_sig::dkim2::{BodyRecipe, Draft, Recipe, Step, body_lines, hashed_values, recipe_for};

use super::recipe::not_undoable;
use super::{Rules, two_messages};
use crate::escape::{self, for_terminal};
use crate::io::Tone;
use crate::{Exit, Io, Trouble};

/// Which messages.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The message before, or - for standard input
    before: PathBuf,
    /// The message after
    after: PathBuf,
    #[command(flatten)]
    rules: Rules,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// A change in human form.
#[derive(Serialize)]
struct Change {
    schema: &'static str,
    draft: &'static str,
    fields: Vec<Part>,
    body: Vec<Part>,
}

/// What was there before and what is there now, in one place.
#[derive(Serialize)]
struct Part {
    /// The field, or the line of the message after from which on it is.
    at: String,
    removed: Vec<String>,
    added: Vec<String>,
}

/// The exit code says whether there is a difference, as that of diff(1).
pub(super) fn run(args: &Args, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    let (before, after) = two_messages(&args.before, &args.after, io)?;
    let (before, after) = (Message::split(&before), Message::split(&after));
    let draft = args.rules.draft;
    let recipe = recipe_for(&before, &after, draft).map_err(|refusal| not_undoable(&refusal))?;
    let (fields, body) = (fields(&recipe, &after, draft), body(&recipe, &after));
    let exit = if fields.is_empty() && body.is_empty() { Exit::Ok } else { Exit::Negative };
    let change = Change { schema: "zi2.dkim2-diff.v1", draft: draft.number(), fields, body };
    if args.json {
        io.result(format_args!("{}", escape::json(&change).map_err(Trouble::bug)?))?;
        return Ok(exit);
    }
    for part in &change.fields {
        show(part, &format!("{}: ", part.at), io)?;
    }
    for part in &change.body {
        io.result(format_args!("body, line {}", part.at))?;
        show(part, "", io)?;
    }
    Ok(exit)
}

fn show(part: &Part, lead: &str, io: &mut Io<'_>) -> Result<(), Trouble> {
    for (tone, sign, lines) in [(Tone::Bad, "-", &part.removed), (Tone::Good, "+", &part.added)] {
        for line in lines {
            let sign = io.toned(tone, sign);
            io.result(format_args!("{sign} {lead}{}", for_terminal(line)))?;
        }
    }
    Ok(())
}

fn fields(recipe: &Recipe, after: &Message<'_>, draft: Draft) -> Vec<Part> {
    let part = |(name, steps): (&str, &[Step])| {
        let now = hashed_values(&after.header, name, draft);
        // From the bottom up in the recipe, from the top down for people.
        let mut parts = walk(steps, &now.iter().map(Vec::as_slice).collect::<Vec<_>>());
        parts.reverse();
        let mut whole = Part { at: name.to_owned(), removed: Vec::new(), added: Vec::new() };
        for part in parts {
            whole.removed.extend(part.removed.into_iter().rev());
            whole.added.extend(part.added.into_iter().rev());
        }
        whole
    };
    recipe.header().map(part).collect()
}

fn body(recipe: &Recipe, after: &Message<'_>) -> Vec<Part> {
    match recipe.body() {
        BodyRecipe::Steps(steps) => walk(steps, &body_lines(after.body)),
        BodyRecipe::Unchanged | BodyRecipe::Null => Vec::new(),
    }
}

/// A literal was there before; what is not copied is new.
fn walk(steps: &[Step], now: &[&[u8]]) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut next = 0_usize;
    let mut removed: Vec<String> = Vec::new();
    // Whole, as a hash sees it; what is no UTF-8 cannot be shown.
    let shown = |line: &[u8]| String::from_utf8_lossy(line).into_owned();
    let mut close = |removed: &mut Vec<String>, from: usize, to: usize| {
        let added: Vec<String> = now.get(from..to).unwrap_or_default().iter().map(|line| shown(line)).collect();
        if !removed.is_empty() || !added.is_empty() {
            parts.push(Part { at: (from + 1).to_string(), removed: std::mem::take(removed), added });
        }
    };
    for step in steps {
        match step {
            Step::Literal(lines) => removed.extend(lines.iter().map(|line| shown(line))),
            Step::Copy(first, last) => {
                let place = |line: u64| usize::try_from(line).unwrap_or(usize::MAX).min(now.len());
                close(&mut removed, next, place(first.saturating_sub(1)));
                next = place(*last);
            }
        }
    }
    close(&mut removed, next, now.len());
    parts
}
