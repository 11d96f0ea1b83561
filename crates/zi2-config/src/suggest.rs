//! "Did you mean": the known name nearest to a mistyped one. Decides nothing: a suggestion is only ever shown.

use crate::limits::SUGGESTED_OCTETS;

/// The known name nearest to this one, when one is near: a third of its letters may be wrong, two at least.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > SUGGESTED_OCTETS {
        return None;
    }
    let word = word.to_lowercase();
    let near = |name: &&str| distance(&word, name) <= (name.chars().count() / 3).max(2).min(name.len() - 1);
    known.into_iter().filter(|name| !name.is_empty()).filter(near).min_by_key(|name| distance(&word, name))
}

/// Optimal string alignment: insertions, deletions, replacements and swaps of neighbours that turn one into the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut last_char = None;
    for (i, x) in a.chars().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at = |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX / 2);
            let replaced = at(&last, j) + usize::from(x != *y);
            let mut cost = replaced.min(at(&last, j + 1) + 1).min(at(&row, j) + 1);
            let swapped = j > 0 && last_char == Some(*y) && b.get(j - 1) == Some(&x);
            if swapped {
                cost = cost.min(at(&before, j - 1) + 1);
            }
            row.push(cost);
        }
        (before, last, last_char) = (last, row, Some(x));
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (a, b, wanted) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("listen", "listen", 0),
            ("lisetn", "listen", 1),
            ("listn", "listen", 1),
            ("kitten", "sitting", 3),
            ("\u{fc}ser", "user", 1),
        ] {
            assert_eq!(distance(a, b), wanted, "{a} {b}");
        }
    }

    #[test]
    fn suggests_only_what_is_near() {
        let known = ["sid", "authserv_id", "hosted", "hosted_file", "user"];
        for (word, wanted) in [
            ("sidd", Some("sid")),
            ("SID", Some("sid")),
            ("authservid", Some("authserv_id")),
            ("authserv-id", Some("authserv_id")),
            ("hosts", Some("hosted")),
            ("xyz", None),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), wanted, "{word}");
        }
        let long = "s".repeat(SUGGESTED_OCTETS);
        assert_eq!(nearest(&long, [long.as_str()]), Some(long.as_str()));
        assert_eq!(nearest(&format!("{long}s"), [long.as_str()]), None);
    }
}
