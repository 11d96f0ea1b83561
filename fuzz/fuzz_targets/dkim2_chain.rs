//! Nothing verifies by keys that never signed it; a first hop of ours verifies, and no edit of it does but where nothing
//! that counts was changed.
//!
//! Input: one octet for the number of edits, the edits (see [`zi2_fuzz::edit`]), then a message, with or without DKIM2 fields.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use zi2_fuzz::dkim2::{key, sign, verify};
use zi2_fuzz::edit;
use zi2_mail::Message;
use zi2_sig::dkim2::{Draft, Envelope, Outcome, hashed_header};

static OURS: LazyLock<String> = LazyLock::new(|| key(42).record());
static UNUSED: LazyLock<String> = LazyLock::new(|| key(43).record());

fuzz_target!(|data: &[u8]| {
    let [edits, rest @ ..] = data else { return };
    let Some((edits, message)) = rest.split_at_checked(3 * usize::from(*edits)) else { return };
    for draft in Draft::ALL {
        let verdict = verify(message, &Envelope::unknown(), draft, &UNUSED);
        assert!(!matches!(verdict.outcome, Outcome::Full(_) | Outcome::Unbound), "{verdict:?}");
        if let Some(failure) = verdict.failure() {
            assert!(failure.to_string().bytes().all(|octet| (b' '..=b'~').contains(&octet)));
        }
    }
    let Some(signed) = sign(message, &envelope(), key(42)) else { return };
    let verdict = verify(&signed, &envelope(), Draft::D08, &OURS);
    assert!(matches!(verdict.outcome, Outcome::Full(_)), "{:?}", verdict.failure());
    let mut edited = signed.clone();
    edit(&mut edited, edits);
    if let Outcome::Full(_) = verify(&edited, &envelope(), Draft::D08, &OURS).outcome {
        let (signed, edited) = (Message::split(&signed), Message::split(&edited));
        let hashed = |message: &Message<'_>| hashed_header(&message.header, Draft::D08);
        assert_eq!(hashed(&signed), hashed(&edited), "another header section");
        assert_eq!(without_ends(signed.body), without_ends(edited.body), "another body");
    }
});

fn envelope() -> Envelope {
    Envelope::of(b"<>", ["<bob@example.net>"])
}

fn without_ends(body: &[u8]) -> &[u8] {
    body.strip_suffix(b"\r\n").map_or(body, without_ends)
}
