//! Where the facts were decided: from there on, checks were not looked at.

use std::cmp::Ordering;
use std::time::Duration;

use zi2_sig::{Failure, Outcome as Found, Part, SyntaxFault};
use zi2_trust::{Judgement, Reason, ReplayVerdict, Verdict};

use super::{Check, Word, micros_of};
use crate::words::{failure_detail, no_answer};

/// A check before it is known how it went.
pub(super) struct Row {
    pub(super) check: &'static str,
    pub(super) paragraph: &'static str,
    pub(super) took: Option<Duration>,
    /// What is said if it holds.
    pub(super) holds: String,
}

/// The checks that can decide, in the order in which they do (zi2.md §7).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Stage {
    Section,
    Message,
    Field,
    Identity,
    Time,
    Key,
    Signature,
    Header,
    Body,
    Replay,
    Level,
}

impl Stage {
    /// The check that fails.
    pub(super) fn of(failure: &Failure) -> Stage {
        match failure {
            Failure::Syntax(SyntaxFault::Section(..)) => Stage::Section,
            Failure::Syntax(SyntaxFault::Certified(_) | SyntaxFault::Tag(_)) | Failure::Version => Stage::Field,
            Failure::Syntax(SyntaxFault::Field(_) | SyntaxFault::Control(_))
            | Failure::Duplicate(_)
            | Failure::MissingField(_)
            | Failure::FromAmbiguous => Stage::Message,
            Failure::DomainMismatch | Failure::Uncovered(_) => Stage::Identity,
            Failure::Future => Stage::Time,
            Failure::KeyNotFound | Failure::KeyUnauthorized | Failure::KeyRevoked | Failure::TooManyKeys => Stage::Key,
            Failure::SignatureInvalid => Stage::Signature,
        }
    }
}

/// Where the facts were decided, how, and in which words.
pub(super) struct Decision {
    stage: Stage,
    word: Word,
    seen: String,
}

impl Decision {
    pub(super) fn of(found: &Found, judgement: &Judgement) -> Decision {
        let (stage, word) = match found {
            Found::Absent => (Stage::Field, Word::None),
            Found::Failed(failure) => (Stage::of(failure), Word::Fail),
            Found::Unavailable(_) => (Stage::Key, Word::TempError),
            Found::Tampered(Part::Body, _) => (Stage::Body, Word::Fail),
            Found::Tampered(Part::Header, _) => (Stage::Header, Word::Fail),
            // § zi2.md §7 step 4: everything else holds, and replays of what is stale are not counted
            Found::Expired(_) => (Stage::Replay, Word::Skipped),
            Found::Verified(_) if judgement.verdict != Verdict::Pass => (Stage::Replay, word_of(judgement.replay)),
            Found::Verified(_) => (Stage::Level, Word::Ok),
        };
        let seen = match found {
            Found::Failed(failure) => failure_detail(failure),
            Found::Unavailable(trouble) => no_answer(*trouble).to_owned(),
            Found::Expired(_) => String::new(),
            // A judgement that passes all the same has its own row (§11).
            Found::Tampered(Part::Body, _) => Reason::TamperedBody.explanation().admins.to_owned(),
            Found::Tampered(Part::Header, _) => Reason::TamperedHeader.explanation().admins.to_owned(),
            _ => judgement.reason.explanation().admins.to_owned(),
        };
        Decision { stage, word, seen }
    }

    /// One check: what came before the decision holds, what comes after it was not looked at.
    pub(super) fn check(&self, stage: Stage, row: Row) -> Check {
        let Row { check, paragraph, took, holds } = row;
        let (result, micros, seen) = match stage.cmp(&self.stage) {
            Ordering::Less => (Word::Ok, took, holds),
            Ordering::Equal => (self.word, took, self.seen.clone()),
            Ordering::Greater => (Word::Skipped, None, String::new()),
        };
        Check { check, result, micros: micros.map(micros_of), seen, paragraph }
    }
}

fn word_of(replay: ReplayVerdict) -> Word {
    match replay {
        ReplayVerdict::Fresh | ReplayVerdict::Duplicate => Word::Ok,
        ReplayVerdict::Replayed => Word::Fail,
        ReplayVerdict::Unknown => Word::TempError,
    }
}
