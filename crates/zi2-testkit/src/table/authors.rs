//! TC-013 to TC-024: From fields of which readers make different authors.

use super::sketch::{EVIL, Sketch, honest, pass, refused};
use crate::{Expect, Forgery, Mail};

pub(super) fn sketches() -> Vec<Sketch> {
    [nobody(), evil_in_disguise()].into_iter().flatten().collect()
}

/// Certified by evil, once as evil.example and once as good.example; the signature holds over the field as it stands.
fn from(number: u32, attack: &str, value: &str, more: Option<(&str, &str)>, expect: Expect) -> Sketch {
    let mail = more.into_iter().fold(Mail::by(value), |mail, (name, value)| mail.with(name, value));
    let as_domain = |domain| mail.clone().forged(&Forgery::page("evil", domain, "mx.evil.example"));
    let title = more.map_or(format!("From: {value}"), |(name, other)| format!("From: {value} and {name}: {other}"));
    Sketch::one(number, attack, &title, &as_domain("evil.example"), expect.clone()).arrives(
        "as-good.eml",
        &as_domain("good.example"),
        "the same, said to be for good.example",
        expect,
    )
}

fn nobody() -> Vec<Sketch> {
    let ambiguous = || refused("header.from_ambiguous").by_nobody().without(&["good", "first", "second"]);
    let syntax = || refused("header.syntax").by_nobody().without(&["good", "first", "second"]);
    let broken = "first at evil.example";
    let encoded = "=?utf-8?b?PGFkbWluQGdvb2QuZXhhbXBsZT4=?=,<second@evil.example>";
    vec![
        from(13, "espoofer A14: two mailboxes", "<first@evil.example>, <admin@good.example>", None, ambiguous()),
        from(14, "espoofer A15: an encoded word as an address", encoded, None, syntax()),
        from(15, "espoofer A16: a source route", "<@evil.example,@any.com:admin@good.example>", None, ambiguous()),
        from(16, "espoofer A17: an escaped comma", "<admin@good.example>\\,<second@evil.example>", None, syntax()),
        from(17, "espoofer A18: two mailboxes", "admin@good.example,<second@evil.example>", None, ambiguous()),
        from(18, "espoofer A19: text behind the mailbox", "<first@evil.example>admin@good.example", None, syntax()),
        from(19, "espoofer A12: Sender in its place", broken, Some(("Sender", "admin@good.example")), syntax()),
        from(
            20,
            "espoofer A13: Resent-From in its place",
            broken,
            Some(("Resent-From", "admin@good.example")),
            syntax(),
        ),
        from(21, "C4: a group", "x:a@evil.example,b@good.example;", None, ambiguous()),
    ]
}

/// One mailbox, at evil.example. Whoever takes the other address for the author is wrong.
fn evil_in_disguise() -> Vec<Sketch> {
    let disguised = |number, attack, value: &str| {
        let mail = Mail::by(value);
        let title = format!("From: {value}");
        let claim = mail.clone().forged(&Forgery::page("evil", "good.example", "mx.evil.example"));
        Sketch::one(number, attack, &title, &mail.signed(EVIL), pass("evil.example").without(&["good.example"]))
            .arrives(
                "as-good.eml",
                &claim,
                "the same, said to be for good.example",
                super::sketch::malformed("domain.mismatch").by("evil.example").without(&["good.example"]),
            )
    };
    vec![
        disguised(22, "C4: a comment", "(admin@good.example) ann@evil.example"),
        disguised(23, "C11: an address as display name", "\"ann@good.example\" <x@evil.example>")
            .later("warn=display-address: a judgement has no warnings yet."),
        disguised(24, "C4: a quoted local part", "\"a@good.example\"@evil.example").arrives(
            "of-good.eml",
            &honest().with("From", "\"a@evil.example\"@good.example").signed(super::sketch::GOOD),
            "the other way round: a mailbox at good.example",
            pass("good.example").without(&["evil"]),
        ),
    ]
}
