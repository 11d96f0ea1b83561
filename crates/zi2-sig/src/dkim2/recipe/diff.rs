//! Making recipes: from the version that came in and the one that goes out, the steps that lead back. Linear in both, with
//! a bound on what is searched (§ -08; the budget is the one that implementers agreed on).

use std::collections::HashMap;

use memchr::memmem::{find, rfind};

use super::Step;
use super::body::{body_lines, line_ends};
use crate::limits;

/// How a body is made again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::dkim2) enum BodyDiff {
    /// Both are the same.
    Same,
    /// By these steps.
    Steps(Vec<Step>),
    /// Only by more search or more literals than a recipe is worth: the original is better wrapped than edited.
    TooBig,
    /// Not at all: a CR or LF stands within a line.
    Impossible,
}

/// The steps that make the body `before` of the body `after`.
pub(in crate::dkim2) fn body_steps<'a>(before: &'a [u8], after: &'a [u8]) -> BodyDiff {
    if before == after {
        return BodyDiff::Same;
    }
    // Most of a body is as it was: those lines are counted, and no more.
    let (start, end) = common_lines(before, after);
    let middle = |body: &'a [u8]| body.get(start..body.len() - end).unwrap_or_default();
    let (old, new) = (body_lines(middle(before)), body_lines(middle(after)));
    let Some(mut runs) = matches(&old, &new) else { return BodyDiff::TooBig };
    let first = line_ends(before.get(..start).unwrap_or_default()).count();
    runs.iter_mut().for_each(|run| (run.old, run.new) = (run.old + first, run.new + first));
    runs.insert(0, Run { old: 0, new: 0, length: first });
    let last = after.get(after.len() - end..).unwrap_or_default();
    let last = line_ends(last).count() + usize::from(!last.is_empty() && !last.ends_with(b"\r\n"));
    runs.push(Run { old: first + old.len(), new: first + new.len(), length: last });
    let literal = |line: &&[u8]| Box::from(*line);
    let steps = steps(&old, first, &runs, literal);
    let literals: Vec<_> =
        steps.iter().filter_map(|step| if let Step::Literal(lines) = step { Some(lines) } else { None }).collect();
    if literals.iter().map(|lines| lines.len()).sum::<usize>() > limits::DKIM2_LITERAL_LINES {
        return BodyDiff::TooBig;
    }
    // § -08 5: a literal holds no CR or LF
    if literals.into_iter().flatten().any(|line| line.iter().any(|octet| matches!(octet, b'\r' | b'\n'))) {
        return BodyDiff::Impossible;
    }
    BodyDiff::Steps(steps)
}

/// The steps that make the values `before` of the values `after`, both from the bottom up. Values are compared as
/// they are hashed, in relaxed form; literals are of that form. Nothing if they are the same.
///
/// # Errors
/// [`NotUndoable`], as where a CR or LF stands within a value.
pub(in crate::dkim2) fn header_steps(before: &[Vec<u8>], after: &[Vec<u8>]) -> Result<Option<Vec<Step>>, NotUndoable> {
    if before == after {
        return Ok(None);
    }
    // Where searching costs too much, what both begin and end with is copied and the rest is written out.
    let matches = matches(before, after).unwrap_or_else(|| edges(before, after));
    let steps = steps(before, 0, &matches, |value| Box::from(value.as_slice()));
    let broken = |step: &Step| match step {
        Step::Literal(lines) => lines.iter().any(|line| line.iter().any(|octet| matches!(octet, b'\r' | b'\n'))),
        Step::Copy(..) => false,
    };
    if steps.iter().any(broken) { Err(NotUndoable) } else { Ok(Some(steps)) }
}

/// A header field holds a CR or LF that is no fold: no recipe can write it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a header field that changes holds a CR or LF that is no fold; it cannot be put into a recipe")]
pub struct NotUndoable;

/// A run of equal items: where it begins in the old and in the new sequence, and how long it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    old: usize,
    new: usize,
    length: usize,
}

/// Octets of the whole lines that both begin with, and of those that both end with.
fn common_lines(one: &[u8], other: &[u8]) -> (usize, usize) {
    let same = equal(one.chunks(BLOCK), other.chunks(BLOCK));
    let same = same + equal(one.iter().skip(same), other.iter().skip(same));
    let start = rfind(one.get(..same).unwrap_or_default(), b"\r\n").map_or(0, |at| at + b"\r\n".len());
    let (one, other) = (one.get(start..).unwrap_or_default(), other.get(start..).unwrap_or_default());
    let same = equal(one.rchunks(BLOCK), other.rchunks(BLOCK));
    let same = same + equal(one.iter().rev().skip(same), other.iter().rev().skip(same));
    let tail = one.get(one.len() - same..).unwrap_or_default();
    // Its first octets may be the end of a line that differs.
    let end = find(tail, b"\r\n").map_or(0, |at| tail.len() - at - b"\r\n".len());
    (start, end)
}

/// Octets compared in one go.
const BLOCK: usize = 4096;

/// Octets of the pieces that are equal, up to the first that is not.
fn equal<T: PartialEq + Octets>(one: impl Iterator<Item = T>, other: impl Iterator<Item = T>) -> usize {
    one.zip(other).take_while(|(one, other)| one == other).map(|(piece, _)| piece.octets()).sum()
}

/// What [`equal`] compares: octets, and runs of them.
trait Octets {
    fn octets(&self) -> usize;
}

impl Octets for &u8 {
    fn octets(&self) -> usize {
        1
    }
}

impl Octets for &[u8] {
    fn octets(&self) -> usize {
        self.len()
    }
}

/// Copies for the runs, literals for what is between them. `old` lacks the first `skipped` items, which are in a run.
fn steps<T>(old: &[T], skipped: usize, runs: &[Run], literal: impl Fn(&T) -> Box<[u8]>) -> Vec<Step> {
    let (mut steps, mut next) = (Vec::new(), 0);
    let write = |steps: &mut Vec<Step>, from: usize, to: usize| {
        let (from, to) = (from.saturating_sub(skipped), to.saturating_sub(skipped));
        let lines: Vec<_> = old.get(from..to).unwrap_or_default().iter().map(&literal).collect();
        if !lines.is_empty() {
            steps.push(Step::Literal(lines));
        }
    };
    for run in runs.iter().filter(|run| run.length > 0) {
        write(&mut steps, next, run.old);
        let (first, last) = (run.new + 1, run.new + run.length);
        match steps.last_mut() {
            Some(Step::Copy(_, end)) if *end + 1 == number(first) => *end = number(last),
            _ => steps.push(Step::Copy(number(first), number(last))),
        }
        next = run.old + run.length;
    }
    write(&mut steps, next, skipped + old.len());
    steps
}

fn number(line: usize) -> u64 {
    u64::try_from(line).unwrap_or(u64::MAX)
}

/// What both begin and end with.
fn edges<T: PartialEq>(old: &[T], new: &[T]) -> Vec<Run> {
    let start = old.iter().zip(new).take_while(|(one, other)| one == other).count();
    let rest = old.len().min(new.len()) - start;
    let end = old.iter().rev().zip(new.iter().rev()).take(rest).take_while(|(one, other)| one == other).count();
    vec![Run { old: 0, new: 0, length: start }, Run { old: old.len() - end, new: new.len() - end, length: end }]
}

/// The runs of a shortest edit; nothing if that is not found within the budget.
fn matches<T: Eq + std::hash::Hash>(old: &[T], new: &[T]) -> Option<Vec<Run>> {
    let mut runs = edges(old, new);
    let (start, end) = (runs.first()?.length, runs.last()?.length);
    let middle = |length: usize| start..length - end;
    // Each different item gets a number, so that the search compares numbers.
    let mut known: HashMap<&T, usize> = HashMap::new();
    let (mut a, mut b) = (Vec::with_capacity(old.len()), Vec::with_capacity(new.len()));
    for (items, numbers) in [(old, &mut a), (new, &mut b)] {
        for item in items.get(middle(items.len()))? {
            let next = known.len();
            numbers.push(*known.entry(item).or_insert(next));
        }
    }
    let last = runs.pop()?;
    for run in shortest_edit(&a, &b)? {
        runs.push(Run { old: run.old + start, new: run.new + start, length: run.length });
    }
    runs.push(last);
    Some(runs)
}

/// Greedy search of E. W. Myers (1986), forward only, each step's frontier kept for the way back. Of two ways equally far
/// the one that drops an old item is taken.
fn shortest_edit(old: &[usize], new: &[usize]) -> Option<Vec<Run>> {
    let reach = old.len() + new.len();
    let mut frontiers: Vec<Vec<usize>> = Vec::new();
    let mut spent = 0_usize;
    for depth in 0..=reach {
        // A frontier has one place for each second diagonal.
        let mut frontier = Vec::with_capacity(depth + 1);
        for place in 0..=depth {
            let start = entry(frontiers.last(), place, depth);
            let diagonal_new = |old_at: usize| (old_at + depth).checked_sub(2 * place);
            let mut at = start;
            while let Some(new_at) = diagonal_new(at)
                && let (Some(one), Some(other)) = (old.get(at), new.get(new_at))
                && one == other
            {
                at += 1;
            }
            spent += at - start + 1;
            frontier.push(at);
            if at >= old.len() && diagonal_new(at).is_some_and(|new_at| new_at >= new.len()) {
                frontiers.push(frontier);
                return Some(way_back(&frontiers, place));
            }
        }
        if spent > limits::DKIM2_DIFF_WORK {
            return None;
        }
        frontiers.push(frontier);
    }
    None
}

/// How far into the old sequence the place of this step begins: from the place below by an insertion, or from the one
/// above by a deletion. Place `p` of depth `d` is the diagonal `old - new = 2p - d`.
fn entry(before: Option<&Vec<usize>>, place: usize, depth: usize) -> usize {
    let Some(before) = before.filter(|_| depth > 0) else { return 0 };
    let insertion = before.get(place).copied();
    let deletion = place.checked_sub(1).and_then(|place| before.get(place)).map(|at| at + 1);
    match (insertion, deletion) {
        (Some(insertion), Some(deletion)) => insertion.max(deletion),
        (Some(at), None) | (None, Some(at)) => at,
        (None, None) => 0,
    }
}

fn way_back(frontiers: &[Vec<usize>], mut place: usize) -> Vec<Run> {
    let mut runs = Vec::new();
    for depth in (0..frontiers.len()).rev() {
        let before = depth.checked_sub(1).and_then(|before| frontiers.get(before));
        let at = frontiers.get(depth).and_then(|frontier| frontier.get(place)).copied().unwrap_or(0);
        let start = entry(before, place, depth);
        runs.push(Run { old: start, new: (start + depth).saturating_sub(2 * place), length: at - start });
        let deleted = place.checked_sub(1).and_then(|below| before?.get(below)).map(|at| at + 1);
        if deleted == Some(start) && before.and_then(|before| before.get(place)) != Some(&start) {
            place -= 1;
        }
    }
    runs.reverse();
    runs
}

#[cfg(test)]
mod tests {
    use super::super::{BodyRecipe, BodyVersion, Recipe};
    use super::*;

    fn diff(before: &str, after: &str) -> String {
        match body_steps(before.as_bytes(), after.as_bytes()) {
            BodyDiff::Steps(steps) => {
                let mut version = BodyVersion::of(after.as_bytes());
                version.undo(&steps);
                assert_eq!(String::from_utf8(version.to_vec()).unwrap(), before);
                Recipe::new(Vec::new(), BodyRecipe::Steps(steps)).to_json()
            }
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn bodies() {
        for (before, after, expected) in [
            ("a\r\n", "a\r\n", "Same"),
            ("a\r\n", "a\r\n\r\n-- \r\nfoot\r\n", r#"{"b":[{"c":[1,1]}]}"#),
            ("", "a\r\n", r#"{"b":[]}"#),
            ("a\r\n", "", r#"{"b":[{"d":["a"]}]}"#),
            ("a\r\nb\r\nc\r\n", "a\r\nx\r\nc\r\n", r#"{"b":[{"c":[1,1]},{"d":["b"]},{"c":[3,3]}]}"#),
            (
                "a\r\nb\r\nc\r\nd\r\n",
                "x\r\nb\r\ny\r\nd\r\nz\r\n",
                r#"{"b":[{"d":["a"]},{"c":[2,2]},{"d":["c"]},{"c":[4,4]}]}"#,
            ),
            ("a\r\na\r\n", "a\r\n", r#"{"b":[{"c":[1,1]},{"d":["a"]}]}"#),
            ("a\r\n", "a\r\na\r\n", r#"{"b":[{"c":[1,1]}]}"#),
            ("a\rb\r\n", "c\r\n", "Impossible"),
            ("a\nb\r\nc\r\n", "a\nb\r\nd\r\n", r#"{"b":[{"c":[1,1]},{"d":["c"]}]}"#),
        ] {
            assert_eq!(diff(before, after), expected, "{before:?} {after:?}");
        }
    }

    #[test]
    fn what_is_too_big_is_said_so() {
        let line = |start: usize| (start..start + 1001).map(|number| format!("{number}\r\n")).collect::<String>();
        assert_eq!(diff(&line(0), &line(5000)), "TooBig", "1001 literals");
        let many = |start: usize| {
            (0..50_000).map(|number| format!("{}\r\n", start + number * 7919 % 50_000)).collect::<String>()
        };
        assert_eq!(diff(&many(0), &many(25_000)), "TooBig", "the search ends");
    }

    #[test]
    fn many_equal_fields_are_no_work() {
        let values = vec![b"x".to_vec(); 16_000];
        assert_eq!(
            header_steps(&values, &values[1..]),
            Ok(Some(vec![Step::Copy(1, 15_999), Step::Literal(vec![(*b"x").into()])]))
        );
        let mixed: Vec<_> = (0..16_000_u16).map(|number| format!("{}", number % 2).into_bytes()).collect();
        let other: Vec<_> = (0..16_000_u16).map(|number| format!("{}", number % 3).into_bytes()).collect();
        assert!(header_steps(&mixed, &other).unwrap().is_some());
        assert_eq!(header_steps(&[b"a\nb".to_vec()], &[]), Err(NotUndoable));
    }
}
