//! What a run over many messages shows: rows or JSON lines, progress, and the summary.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use zi2_trust::{Reason, Verdict};

use super::message::{Judged, json, tone};
use super::scene::exit;
use crate::escape::for_terminal;
use crate::io::{Surface, Tone};
use crate::limits::PROGRESS;
use crate::{Exit, Io, Trouble};

/// How messages are shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Lines {
    /// A row each, and a table at the end.
    Table,
    /// A JSON object each.
    Json,
}

/// The board all results are written on.
pub(super) struct Board {
    lines: Lines,
    counts: BTreeMap<Outcome, usize>,
    exit: Exit,
    progress: Progress,
}

/// What is counted, in the order of the summary.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Outcome {
    Judged(Verdict, Reason),
    Malformed,
    Unreadable,
}

impl Board {
    pub(super) fn new(lines: Lines, total: usize, io: &Io<'_>) -> Board {
        Board { lines, counts: BTreeMap::new(), exit: Exit::Ok, progress: Progress::new(total, io) }
    }

    /// The exit code of the run is the highest seen: what is not known yet (75) comes before what cannot be read (66) or is no
    /// message (65), and these before what was judged (1, 0).
    pub(super) fn saw(&mut self, exit: Exit) {
        if exit.code() > self.exit.code() {
            self.exit = exit;
        }
    }

    /// Shows one message.
    pub(super) fn put(
        &mut self,
        path: &Path,
        judged: &Result<Judged, Trouble>,
        io: &mut Io<'_>,
    ) -> Result<(), Trouble> {
        let outcome = match judged {
            Ok(judged) => Outcome::Judged(judged.judgement.verdict, judged.judgement.reason),
            Err(trouble) if trouble.exit == Exit::Data => Outcome::Malformed,
            Err(_) => Outcome::Unreadable,
        };
        self.saw(judged.as_ref().map_or_else(|trouble| trouble.exit, |judged| exit(judged.judgement.verdict)));
        *self.counts.entry(outcome).or_default() += 1;
        if let Err(trouble) = judged {
            self.progress.hide(io);
            trouble.say(io);
        }
        match self.lines {
            Lines::Json => io.result(format_args!("{}", json(Some(path), judged.as_ref())?))?,
            Lines::Table => self.row(path, judged.as_ref().ok(), outcome, io)?,
        }
        if io.host.out == Surface::Terminal {
            io.out.flush()?;
        }
        self.progress.step(io);
        Ok(())
    }

    /// The summary, and the exit code.
    pub(super) fn close(self, io: &mut Io<'_>) -> Result<Exit, Trouble> {
        if self.lines == Lines::Table {
            io.result(format_args!("\n{:<10} {:<23} {:>8}", "RESULT", "REASON", "MESSAGES"))?;
            for (outcome, count) in &self.counts {
                let word = outcome.toned(io);
                io.result(format_args!("{word} {:<23} {count:>8}", outcome.reason()))?;
            }
            io.result(format_args!("{:<10} {:<23} {:>8}", "all", "", self.counts.values().sum::<usize>()))?;
            io.out.flush()?;
        }
        self.progress.close(io);
        Ok(self.exit)
    }

    /// Only checked names are shown as they are; the file's name is somebody else's.
    fn row(&self, path: &Path, judged: Option<&Judged>, outcome: Outcome, io: &mut Io<'_>) -> Result<(), Trouble> {
        if self.progress.done == 0 {
            let (result, reason) = ("RESULT", "REASON");
            io.result(format_args!("{result:<10} LEVEL {reason:<23} {:<28} FILE", "FROM"))?;
        }
        let level = judged.map_or_else(|| "-".to_owned(), |judged| judged.judgement.level.number().to_string());
        let from = judged.and_then(|judged| judged.judgement.from.as_ref()).map_or("-", |domain| domain.as_str());
        let file = for_terminal(&path.display().to_string());
        let word = outcome.toned(io);
        io.result(format_args!("{word} {level:>5} {:<23} {from:<28} {file}", outcome.reason()))?;
        Ok(())
    }
}

impl Outcome {
    fn reason(self) -> &'static str {
        match self {
            Outcome::Judged(_, reason) => reason.as_str(),
            Outcome::Malformed | Outcome::Unreadable => "-",
        }
    }

    /// The word in its colour, filled up before it is coloured: colours have no width.
    fn toned(self, io: &Io<'_>) -> String {
        let (tone, word) = match self {
            Outcome::Judged(verdict, _) => (tone(verdict), verdict.as_str()),
            Outcome::Malformed => (Tone::Doubtful, "malformed"),
            Outcome::Unreadable => (Tone::Doubtful, "unreadable"),
        };
        io.toned(tone, &format!("{word:<10}"))
    }
}

/// How far the run is, on a terminal that shows no rows.
struct Progress {
    done: usize,
    total: usize,
    begun: Instant,
    shown: Option<Instant>,
    is_live: bool,
}

impl Progress {
    fn new(total: usize, io: &Io<'_>) -> Progress {
        // Rows on the same terminal are progress enough, and would be mixed with it.
        let is_live = io.host.is_screen(io.host.err) && io.host.out != Surface::Terminal;
        Progress { done: 0, total, begun: Instant::now(), shown: None, is_live }
    }

    fn step(&mut self, io: &mut Io<'_>) {
        self.done += 1;
        let is_due = self.shown.is_none_or(|shown| shown.elapsed() >= PROGRESS);
        if self.is_live && is_due && self.done < self.total {
            self.shown = Some(Instant::now());
            io.overwrite(format_args!(
                "{} of {} messages, {} s",
                self.done,
                self.total,
                self.begun.elapsed().as_secs()
            ));
        }
    }

    /// Makes place for talk.
    fn hide(&self, io: &mut Io<'_>) {
        if self.is_live {
            io.overwrite(format_args!(""));
        }
    }

    fn close(&self, io: &mut Io<'_>) {
        self.hide(io);
        let taken = self.begun.elapsed().max(Duration::from_millis(1));
        let rate = u128::try_from(self.done).unwrap_or(u128::MAX).saturating_mul(1000) / taken.as_millis();
        io.talk(format_args!("{} messages verified in {:.1} s ({rate}/s)", self.done, taken.as_secs_f64()));
    }
}
