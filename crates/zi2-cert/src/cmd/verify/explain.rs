//! `--explain`: every check of zi2.md §7 in its order, with its verdict and duration.

mod asked;
mod decision;
mod rows;
mod walk;

use std::time::{Duration, Instant};

use serde::Serialize;
use zi2_flow::{Outcome, Services};
use zi2_mail::Message;

use super::scene::Scene;
use crate::io::Tone;
use crate::{Io, Trouble};
use walk::Walk;

/// One check.
#[derive(Serialize, Clone, PartialEq, Eq, Debug)]
pub(super) struct Check {
    /// What is checked; stable.
    pub(super) check: &'static str,
    /// How it went.
    pub(super) result: Word,
    /// Its duration, where it is more than a comparison.
    pub(super) micros: Option<u64>,
    /// What was seen, without an octet that a sender chose freely.
    pub(super) seen: String,
    /// The paragraph of zi2.md that makes the rule.
    pub(super) paragraph: &'static str,
}

/// How a check went.
#[derive(Serialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "lowercase")]
pub(super) enum Word {
    /// It holds.
    Ok,
    /// There is nothing, which is nobody's fault.
    None,
    /// It does not hold.
    Fail,
    /// It is not known now.
    TempError,
    /// What came before decided.
    Skipped,
}

/// Judges a message, and explains it: first each step alone, then the whole as the milter does it.
pub(super) async fn judged(
    scene: &Scene,
    octets: &[u8],
    services: &Services,
) -> Result<(Outcome, Vec<Check>), Trouble> {
    let walk = Walk::through(scene, octets, &scene.services()?).await;
    let begun = Instant::now();
    let outcome = scene.judge(&Message::split(octets), services).await;
    let whole = begun.elapsed();
    let checks = rows::checks(scene, &walk, &outcome, whole);
    Ok((outcome, checks))
}

/// The table.
pub(super) fn table(checks: &[Check], io: &mut Io<'_>) -> Result<(), Trouble> {
    if checks.is_empty() {
        return Ok(());
    }
    io.result(format_args!("\n{:<14} {:<9} {:>9}  {:<4} SEEN", "CHECK", "RESULT", "MICROS", "RULE"))?;
    for Check { check, result, micros, seen, paragraph } in checks {
        let word = io.toned(result.tone(), &format!("{:<9}", result.as_str()));
        let micros = micros.map_or_else(String::new, |micros| micros.to_string());
        let row = format!("{check:<14} {word} {micros:>9}  {paragraph:<4} {seen}");
        io.result(format_args!("{}", row.trim_end()))?;
    }
    Ok(())
}

impl Word {
    fn as_str(self) -> &'static str {
        match self {
            Word::Ok => "ok",
            Word::None => "none",
            Word::Fail => "fail",
            Word::TempError => "temperror",
            Word::Skipped => "skipped",
        }
    }

    fn tone(self) -> Tone {
        match self {
            Word::Ok => Tone::Good,
            Word::Fail => Tone::Bad,
            Word::None | Word::TempError | Word::Skipped => Tone::Doubtful,
        }
    }
}

fn micros_of(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
}
