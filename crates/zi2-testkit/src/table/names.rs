//! TC-061 to TC-070, TC-088: one domain in many spellings, and names that look like another's.

use serde_json::json;

use super::sketch::{EVIL, GOOD, Sketch, b0, fail, honest, missing, no_key, pass, refused, tampered};
use super::trust::trusted;
use crate::{DAY, Forgery, KID, Mail, NOW, Signing, record};
use zi2_sig::Form;

pub(super) fn sketches() -> Vec<Sketch> {
    [spellings(), look_alikes(), locals(), displays()].into_iter().flatten().collect()
}

const BOOKS: Signing<'static> = Signing::of("books", "mx.xn--bcher-kva.example");

fn spellings() -> Vec<Sketch> {
    let a_label = "xn--bcher-kva.example";
    let dns = json!({"dns": {
        "_zi2cert.xn--bcher-kva.example": {"txt": [[record("books", KID)]]},
        "_zi2cert.mx.xn--bcher-kva.example": {"txt": [[record("books", KID)]]},
    }});
    let a = Mail::by("ann@xn--bcher-kva.example").signed(BOOKS);
    let u = Mail::by("ann@b\u{fc}cher.example").signed(BOOKS);
    let later = |days: u64| json!({"now": NOW + days * DAY / 8});
    vec![
        Sketch::one(61, "C10", "From ann@xn--bcher-kva.example, the record at the A-label", &a, pass(a_label))
            .world(dns.clone()),
        Sketch::new(62, "C10", "From ann@b\u{fc}cher.example (SMTPUTF8), the record at the A-label")
            .world(dns)
            .message("message.eml", &u)
            .message("a-label.eml", &a)
            .message("capitals.eml", &Mail::by("ann@B\u{dc}CHER.example").signed(BOOKS).with("X", "1"))
            .step_in("message.eml", "", later(0), pass(a_label).history("unverified"))
            .step_in("a-label.eml", "the A-label", later(1), pass(a_label).history("provisional"))
            .step_in("capitals.eml", "capitals", later(2), pass(a_label).history("provisional"))
            .leaves(&[(a_label, "books", 3, 1)]),
        Sketch::one(
            64,
            "C10",
            "a label that decodes to ASCII",
            &Mail::by("ann@xn--good-.example").forged(&of("xn--good-.example")),
            refused("header.syntax").by_nobody(),
        )
        .arrives(
            "inner.eml",
            &Mail::by("ann@mail.xn--good-.example").forged(&of("mail.xn--good-.example")),
            "the same below another label",
            refused("header.syntax").by_nobody(),
        ),
        Sketch::one(
            66,
            "C10",
            "a fullwidth dot in the domain",
            &Mail::by("ann@good\u{ff0e}example").signed(GOOD),
            pass("good.example"),
        )
        .arrives(
            "d.eml",
            &Mail::by("ann@good\u{ff0e}example").forged(&of("good\u{ff0e}example")),
            "and in d=",
            pass("good.example"),
        )
        .note(
            "UTS 46 maps it to a dot; by zi2.md §2 the mapped name is the name, in From, d= \
                 and the payload alike.",
        ),
        Sketch::new(88, "H7", "From ann@GOOD.Example: the same row as ann@good.example")
            .message("message.eml", &honest().with("From", "Ann <ann@GOOD.Example>").signed(GOOD))
            .message("plain.eml", &b0().with("X", "1"))
            .step("plain.eml", "in small letters", pass("good.example").history("unverified"))
            .step("message.eml", "", pass("good.example").history("provisional"))
            .leaves(&[("good.example", "good", 2, 1)]),
    ]
}

fn of(domain: &str) -> Forgery<'static> {
    Forgery::page("good", domain, "mx.good.example")
}

fn look_alikes() -> Vec<Sketch> {
    let look_alike = "ann@g\u{43e}\u{43e}d.example"; // Cyrillic
    let certified = Mail::by(look_alike).signed(EVIL);
    let own = json!({"dns": {"_zi2cert.xn--gd-fmca.example": {"txt": [[record("evil", KID)]]}}});
    vec![
        Sketch::new(63, "C11: a homograph", "a domain with Cyrillic o in \"good\"")
            .world(trusted("good"))
            .message("message.eml", &Mail::by(look_alike))
            .message("certified.eml", &certified)
            .step("message.eml", "not certified", missing().by("xn--gd-fmca.example"))
            .step("certified.eml", "certified, no key published", no_key("key.unauthorized").by("xn--gd-fmca.example"))
            .step_in(
                "certified.eml",
                "certified, its own key published",
                own,
                pass("xn--gd-fmca.example").history("unverified").without(&["good.example"]),
            )
            .leaves(&[("good.example", "good", 5, 3), ("xn--gd-fmca.example", "evil", 1, 1)])
            .later("warn=confusable: a judgement has no warnings yet."),
    ]
}

fn locals() -> Vec<Sketch> {
    let upper = "\u{dc}nal@good.example";
    let lower = "\u{fc}nal@good.example";
    let draft = |from: &str| Mail::by(from).signed(Signing { form: Form::Draft, ..GOOD });
    vec![
        Sketch::one(
            65,
            "C10: no case folding beyond ASCII",
            "a local part in UTF-8, its case changed",
            &Mail::by(upper).signed(GOOD).with("From", lower),
            fail("signature.invalid").by("good.example"),
        )
        .arrives(
            "draft.eml",
            &draft(upper).with("From", lower),
            "in draft form",
            fail("signature.invalid").by("good.example"),
        )
        .arrives(
            "ascii.eml",
            &draft("Ann@good.example").with("From", "ann@good.example"),
            "ASCII letters, in draft form: one mailbox",
            pass("good.example"),
        )
        .arrives(
            "ascii-combined.eml",
            &Mail::by("Ann@good.example").signed(GOOD).with("From", "ann@good.example"),
            "ASCII letters, in combined form: one mailbox, another field",
            tampered("tampered.header"),
        ),
    ]
}

fn displays() -> Vec<Sketch> {
    let shown = |number, title: &str, name: &str, absent: &[&str], warning: &str| {
        let mail = Mail::by(&format!("{name} <x@evil.example>")).signed(EVIL);
        let sketch = Sketch::one(number, "C11: the display name", title, &mail, pass("evil.example").without(absent));
        if warning.is_empty() { sketch } else { sketch.later(warning) }
    };
    let long = format!("\"{}\"", vec!["x".repeat(63); 160].join("\r\n "));
    vec![
        shown(
            67,
            "an encoded address of another domain",
            "=?utf-8?q?ceo=40good.example?=",
            &["good.example", "ceo"],
            "warn=display-address: a judgement has no warnings yet.",
        ),
        shown(
            68,
            "a right-to-left override",
            "\"\u{202e}elpmaxe.doog\"",
            &["\u{202e}", "elpmaxe"],
            "warn=bidi, and escaping where names are shown.",
        ),
        shown(
            69,
            "zero-width joiners",
            "\"A\u{200d}nn\"",
            &["\u{200d}"],
            "warn=confusable with a known sender's name.",
        ),
        shown(70, "a display name of 10 kB", &long, &["xxxx"], ""),
    ]
}
