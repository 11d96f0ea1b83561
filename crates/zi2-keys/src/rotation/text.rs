//! The state as text: a line for each key, for people and shells to read.

use zi2_mail::Timestamp;
use zi2_sig::Kid;

use super::state::{Entry, Rotation, Settling, Stage};
use crate::limits;

/// What the file begins with.
const HEAD: &str =
    "# zi2 rotation 1: key, stage, since; while published: all servers have it since, seconds until caches do";

/// Why a text is no state.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TextError {
    /// It is not of this version.
    #[error("it does not begin with the line of a rotation's state")]
    Head,
    /// A line is not one of a key.
    #[error("line {0} is not \"KEY STAGE SECONDS\"")]
    Line(usize),
    /// Two lines contradict each other.
    #[error("line {0}: only one key signs, only one is on its way, and each has one line")]
    Twice(usize),
    /// There are too many keys.
    #[error("it has more than {} keys", limits::KEYS)]
    TooMany,
}

impl Rotation {
    pub(super) fn to_text(&self) -> String {
        let line = |entry: &Entry| {
            let Entry { kid, stage, since, settling } = entry;
            let settling = settling.map_or_else(String::new, |s| format!(" {} {}", s.since.secs(), s.secs));
            format!("{kid} {} {}{settling}\n", stage.word(), since.secs())
        };
        format!("{HEAD}\n{}", self.entries.iter().map(line).collect::<String>())
    }

    pub(super) fn parse(text: &str) -> Result<Rotation, TextError> {
        let mut lines = text.lines();
        if lines.next() != Some(HEAD) {
            return Err(TextError::Head);
        }
        let mut rotation = Rotation { entries: Vec::new() };
        for (number, line) in (2..).zip(lines) {
            let entry = entry(line).ok_or(TextError::Line(number))?;
            let (is_coming, is_active) = (entry.stage.is_coming(), entry.stage == Stage::Active);
            let clashes = rotation.get(entry.kid).is_some()
                || (is_coming && rotation.coming().is_some())
                || (is_active && rotation.active().is_some());
            if clashes {
                return Err(TextError::Twice(number));
            }
            rotation.entries.push(entry);
        }
        rotation.entries.sort_unstable_by_key(|entry| entry.kid);
        if rotation.entries.len() > limits::KEYS { Err(TextError::TooMany) } else { Ok(rotation) }
    }
}

fn entry(line: &str) -> Option<Entry> {
    let words: Vec<&str> = line.split(' ').collect();
    let number = |word: &str| word.parse::<u64>().ok();
    let (kid, stage, since, settling) = match words.as_slice() {
        [kid, stage, since] => (kid, stage, since, None),
        [kid, stage, since, all, secs] => {
            (kid, stage, since, Some(Settling { since: Timestamp::from_secs(number(all)?), secs: number(secs)? }))
        }
        _ => return None,
    };
    let stage = Stage::ALL.into_iter().find(|known| known.word() == *stage)?;
    if settling.is_some() && stage != Stage::Published {
        return None;
    }
    Some(Entry { kid: Kid::parse(kid).ok()?, stage, since: Timestamp::from_secs(number(since)?), settling })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str = "zi2-cert-2026-04 retiring 5\nzi2-cert-2026-05 active 7\nzi2-cert-2026-06 published 8 9 3600\n";

    #[test]
    fn what_is_written_is_read() {
        let text = format!("{HEAD}\n{LINES}");
        assert_eq!(Rotation::parse(&text).unwrap().to_text(), text);
        assert_eq!(Rotation::parse(&format!("{HEAD}\n")).unwrap().entries().len(), 0);
    }

    #[test]
    fn what_is_no_state_is_refused() {
        for (lines, error) in [
            ("zi2-cert-2026-05 active", TextError::Line(2)),
            ("zi2-cert-2026-05 signing 7", TextError::Line(2)),
            ("zi2-cert-2026-05 active 7 8", TextError::Line(2)),
            ("zi2-cert-2026-05 active 7 8 9", TextError::Line(2)),
            ("zi2-cert-2026-05 active 7\n\n", TextError::Line(3)),
            ("zi2-cert-2026-05 active 7\nzi2-cert-2026-05 retired 7", TextError::Twice(3)),
            ("zi2-cert-2026-05 active 7\nzi2-cert-2026-06 active 7", TextError::Twice(3)),
            ("zi2-cert-2026-05 next 7\nzi2-cert-2026-06 proven 7", TextError::Twice(3)),
        ] {
            assert_eq!(Rotation::parse(&format!("{HEAD}\n{lines}")), Err(error), "{lines}");
        }
        assert_eq!(Rotation::parse(LINES), Err(TextError::Head));
        let many = |years: usize| -> String {
            let kids = (2000..2000 + years).flat_map(|year| (1..=12).map(move |month| (year, month)));
            kids.map(|(year, month)| format!("zi2-cert-{year}-{month:02} retired 1\n")).collect()
        };
        assert!(Rotation::parse(&format!("{HEAD}\n{}", many(5))).is_ok());
        assert_eq!(Rotation::parse(&format!("{HEAD}\n{}", many(6))), Err(TextError::TooMany));
    }
}
