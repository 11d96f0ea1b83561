//! A recipe that was read is the same when it is written and read again, and its copies ascend.
//!
//! Input: JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zi2_sig::dkim2::{BodyRecipe, Recipe, Step};

fuzz_target!(|json: &[u8]| {
    let Ok(recipe) = Recipe::parse(json) else { return };
    assert!(recipe.header().len() > 0 || *recipe.body() != BodyRecipe::Unchanged);
    let written = recipe.to_json();
    let again = Recipe::parse(written.as_bytes()).expect("what we wrote");
    assert_eq!(again.to_json(), written);
    assert!(serde_json::from_str::<serde_json::Value>(&written).is_ok(), "{written}");
    let mut names: Vec<&str> = recipe.header().map(|(name, _)| name).collect();
    assert!(names.iter().all(|name| !name.is_empty() && !name.contains([':', ' ', '\r', '\n'])));
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count, "a name is there once");
    recipe.header().for_each(|(_, steps)| ascends(steps));
    if let BodyRecipe::Steps(steps) = recipe.body() {
        ascends(steps);
    }
});

fn ascends(steps: &[Step]) {
    let mut copied = 0;
    for step in steps {
        match step {
            Step::Copy(first, last) => {
                assert!(*first > copied && last >= first, "{steps:?}");
                copied = *last;
            }
            Step::Literal(lines) => {
                assert!(!lines.is_empty());
                assert!(lines.iter().flatten().all(|octet| !matches!(octet, b'\r' | b'\n')));
            }
        }
    }
}
