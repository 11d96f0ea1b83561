//! What a recipe makes is no longer than its source and its literals; what we make of two messages leads back.
//!
//! Input: the length of the first part in two octets, then two parts: a recipe and a message, or two messages.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zi2_mail::Message;
use zi2_sig::dkim2::{BodyRecipe, BodyVersion, Draft, Recipe, Step, apply, hashed_header, recipe_for};

fuzz_target!(|data: &[u8]| {
    let [high, low, rest @ ..] = data else { return };
    let at = usize::from(u16::from_be_bytes([*high, *low])).min(rest.len());
    let (one, other) = rest.split_at(at);
    if let Ok(recipe) = Recipe::parse(one) {
        does_not_grow(&recipe, other);
    }
    leads_back(&Message::split(one), &Message::split(other));
});

fn does_not_grow(recipe: &Recipe, message: &[u8]) {
    let message = Message::split(message);
    // Twice, as if two hops had used the same.
    if let BodyRecipe::Steps(steps) = recipe.body() {
        let mut version = BodyVersion::of(message.body);
        for hops in 1..=2 {
            version.undo(steps);
            let mut length = 0;
            version.write(&mut |octets| length += octets.len());
            assert!(length <= message.body.len() + b"\r\n".len() + hops * literals(steps), "{length}");
        }
    }
    let made = apply(&message, recipe, Draft::D08);
    assert_eq!(made.is_err(), *recipe.body() == BodyRecipe::Null);
}

fn literals(steps: &[Step]) -> usize {
    let literal = |step: &Step| match step {
        Step::Literal(lines) => lines.iter().map(|line| line.len() + b"\r\n".len()).sum(),
        Step::Copy(..) => 0,
    };
    steps.iter().map(literal).sum()
}

fn leads_back(before: &Message<'_>, after: &Message<'_>) {
    let Ok(recipe) = recipe_for(before, after, Draft::D08) else { return };
    let made = apply(after, &recipe, Draft::D08).expect("we give no body up");
    let mut version = BodyVersion::of(after.body);
    if let BodyRecipe::Steps(steps) = recipe.body() {
        version.undo(steps);
    }
    let mut undone = Vec::new();
    version.write(&mut |octets| undone.extend_from_slice(octets));
    assert_eq!(without_ends(&undone), without_ends(before.body), "{}", recipe.to_json());
    // A section with lines that are no fields is not read to its end again.
    if before.header.defect().is_none() && after.header.defect().is_none() {
        let made = Message::split(&made);
        let hashed = |message: &Message<'_>| hashed_header(&message.header, Draft::D08);
        assert_eq!(hashed(&made), hashed(before), "{}", recipe.to_json());
    }
}

/// Empty lines at the end, and whether there is a last CRLF, are not hashed.
fn without_ends(body: &[u8]) -> &[u8] {
    body.strip_suffix(b"\r\n").map_or(body, without_ends)
}
