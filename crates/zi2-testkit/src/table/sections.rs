//! TC-001 to TC-012, TC-025 to TC-029: header sections that are not what they seem.

use super::sketch::{EVIL, GOOD, Sketch, b0, honest, missing, pass, refused};
use crate::{Forgery, Mail, NOW};
use serde_json::json;

/// Each is certified so that the signature over what a verifier sees holds: only the header section is wrong.
pub(super) fn sketches() -> Vec<Sketch> {
    let all = [disguised_authors(), twice(), lacking()];
    all.into_iter().flatten().collect()
}

fn by_good() -> Forgery<'static> {
    Forgery::page("good", "good.example", "mx.good.example")
}

fn disguised_authors() -> Vec<Sketch> {
    let hidden = |number, attack, title, line: &[u8]| {
        let mail = honest().signed(GOOD).above(line);
        Sketch::one(number, attack, title, &mail, refused("header.syntax").without(&["evil", "first"]))
    };
    let two_authors = Mail::by("admin@good.example").above("From: first@evil.example");
    vec![
        Sketch::one(
            1,
            "espoofer A8: two From fields, the attacker's first",
            "From evil, then From good, certified by evil as evil",
            &two_authors.clone().forged(&Forgery::page("evil", "evil.example", "mx.evil.example")),
            refused("header.duplicate").by_nobody(),
        )
        .arrives(
            "as-good.eml",
            &two_authors.forged(&Forgery::page("evil", "good.example", "mx.evil.example")),
            "certified by evil as good",
            refused("header.duplicate").by_nobody(),
        ),
        Sketch::one(
            2,
            "client attack a1: a second From above the certified one",
            "B0 with From evil on top",
            &b0().above("From: first@evil.example"),
            refused("header.duplicate").by_nobody(),
        ),
        hidden(
            3,
            "espoofer A9",
            "the first line begins with a blank: ` From: <first@evil>`",
            b" From: <first@evil.example>",
        ),
        Sketch::one(
            4,
            "espoofer A10",
            "`From: evil` and `From : good`",
            &Mail::by("first@evil.example").signed(EVIL).above("From : admin@good.example"),
            refused("header.syntax").without(&["good"]),
        ),
        hidden(5, "espoofer A11", "`From`, folded before its colon, then From good", b"From\r\n : first@evil.example"),
        hidden(6, "email test tools", "` From` with octet 0xFF before the colon", b" From\xff: <first@evil.example>")
            .arrives(
                "no-blank.eml",
                &b0().above(b"From\xff: <first@evil.example>"),
                "the same without the blank",
                refused("header.syntax"),
            ),
        hidden(7, "email test tools", "`From` with a NUL before the colon", b"From\x00: first@evil.example"),
    ]
}

fn twice() -> Vec<Sketch> {
    let twice =
        |number, name: &str, value: &str, title: &str| {
            let line = format!("{name}: {value}");
            let stale = b0().above(&line); // the certified field is the lower one, which relaxed signing takes
            let whole = honest().above(&line).forged(&by_good()); // certified as it stands
            Sketch::one(number, "C2: one field signed, another shown", title, &stale, refused("header.duplicate"))
                .arrives("certified.eml", &whole, "certified with both fields in place", refused("header.duplicate"))
        };
    vec![
        twice(8, "Subject", "Pay at once", "two Subject fields, the first not certified"),
        twice(9, "Date", "Mon, 02 Nov 2026 12:00:00 +0000", "two Date fields"),
        twice(10, "Message-ID", "<1@mail.example>", "two Message-ID fields, the first equal to the certified one"),
        twice(11, "To", "carol@recv.example", "two To fields, the second the original"),
        twice(12, "Content-Type", "text/html", "two Content-Type fields"),
    ]
}

fn lacking() -> Vec<Sketch> {
    let lacks = |number, name: &str| {
        let title = format!("no {name}, though certified");
        let mail = honest().without(name).forged(&by_good());
        Sketch::one(number, "C6", &title, &mail, refused("header.missing_field")).arrives(
            "taken.eml",
            &b0().without(name),
            "B0 from which it was taken",
            refused("header.missing_field"),
        )
    };
    let bare = honest().body("").signed(GOOD).header();
    vec![
        lacks(25, "From"),
        lacks(26, "Message-ID"),
        lacks(27, "Date").note(
            "The threat model evaluates it and lets the signature fail; zi2.md §2 wants \
                Date exactly once.",
        ),
        Sketch::new(28, "C6", "no octet at all").octets("message.eml", Vec::new()).step(
            "message.eml",
            "",
            missing().by_nobody().queries(0).exit(65),
        ),
        Sketch::new(29, "C6", "a header section without the empty line at its end: an empty body")
            .octets("message.eml", bare)
            .step_in("message.eml", "", json!({"now": NOW}), pass("good.example")),
    ]
}
