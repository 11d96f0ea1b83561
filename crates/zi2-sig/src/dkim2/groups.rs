//! How the members of `s=` and `h=` count together (§ -08 14): `,` is and, `|` is or.

use super::{Failure, Problem, Status};

/// The outcome of alternatives, of each of which all members must pass. Members are judged in their order, and none after
/// an alternative that passed. `none_passed` is said where several alternatives failed.
pub(super) fn judged<M>(
    groups: &[Vec<M>],
    member: impl Fn(&M) -> Result<(), Failure>,
    none_passed: Problem,
) -> Result<(), Failure> {
    let mut failures = Vec::new();
    for group in groups {
        let outcomes: Vec<Failure> = group.iter().filter_map(|one| member(one).err()).collect();
        match worst(outcomes, [Status::Fail, Status::PermError, Status::TempError]) {
            None => return Ok(()),
            Some(failure) => failures.push(failure),
        }
    }
    let several = groups.len() > 1;
    match worst(failures, [Status::TempError, Status::Fail, Status::PermError]) {
        None => Ok(()),
        Some(failure) if several && failure.status() == Status::Fail => {
            Err(Failure { problem: none_passed, ..failure })
        }
        Some(failure) => Err(failure),
    }
}

/// The first failure of the status that comes first in this order.
pub(super) fn worst(failures: Vec<Failure>, order: [Status; 3]) -> Option<Failure> {
    let mut chosen: Option<Failure> = None;
    let rank = |failure: &Failure| order.iter().position(|status| *status == failure.status());
    for failure in failures {
        if chosen.as_ref().is_none_or(|chosen| rank(&failure) < rank(chosen)) {
            chosen = Some(failure);
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::super::{Draft, KeyProblem, Place};
    use super::*;

    fn outcome(groups: &str) -> Option<String> {
        let groups: Vec<Vec<char>> = groups.split('|').map(|group| group.chars().collect()).collect();
        let member = |letter: &char| {
            let problem = match letter {
                '+' => return Ok(()),
                'f' => Problem::Incorrect("s".to_owned()),
                'p' => Problem::AlgorithmUnknown("s".to_owned()),
                _ => Problem::Key("s".to_owned(), KeyProblem::Unfetched),
            };
            Err(Failure { problem, draft: Draft::default(), place: Place { hop: Some(1), ..Place::default() } })
        };
        judged(&groups, member, Problem::NoSignatureGroup).err().map(|failure| failure.to_string())
    }

    #[test]
    fn and_or() {
        let fail = "FAIL: DKIM2-Signature i=1 selector s incorrect signature";
        let perm = "PERMERROR: DKIM2-Signature i=1 selector s algorithm unknown";
        let temp = "TEMPERROR: DKIM2-Signature i=1 public key s could not be fetched";
        let none = "FAIL: DKIM2-Signature i=1 no group of signatures passed";
        for (groups, expected) in [
            ("+", None),
            ("++", None),
            ("+f", Some(fail)),
            ("tpf", Some(fail)),
            ("tp", Some(perm)),
            ("+t", Some(temp)),
            ("f|+", None),
            ("+|f", None),
            ("+f|p+", Some(none)),
            ("f|f", Some(none)),
            ("f|t", Some(temp)),
            ("p|t", Some(temp)),
            ("ft|p", Some(none)),
            ("p|p", Some(perm)),
            ("t|+", None),
        ] {
            assert_eq!(outcome(groups).as_deref(), expected, "{groups}");
        }
    }
}
