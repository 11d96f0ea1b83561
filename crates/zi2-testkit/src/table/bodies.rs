//! TC-033 to TC-051: bodies and fields changed on the way, lists, messages in messages.

use serde_json::json;

use super::delegation::{by_list, trusting, valid_then};
use super::sketch::{CHAIN, EVIL, GOOD, Sketch, b0, honest, malformed, missing, pass, refused, tampered, valid};
use super::trust::trusted;
use crate::milter::{Client, Decision, MilterStep, Reply, Role};
use crate::{After, Dkim, Dmarc, Expect, Mail, Signing};
use serde_json::Value;
use zi2_sig::Form;

pub(super) fn sketches() -> Vec<Sketch> {
    [line_ends(), whole_bodies(), parts(), lists(), fields()].into_iter().flatten().collect()
}

const EOL: &str = "C7: line ends";

fn line_ends() -> Vec<Sketch> {
    let lf = b0().octets().into_iter().filter(|octet| *octet != b'\r').collect();
    let bare = |number, octet: &str, title: &str| {
        let changed = b0().in_body("noon?\r\n", &format!("noon?{octet}"));
        let ours = Mail::by("alice@recv.example").in_body("noon?\r\n", &format!("noon?{octet}"));
        Sketch::one(number, EOL, title, &changed, tampered("tampered.body").by("good.example"))
            .note(
                "The threat model calls it msg.eol; by zi2.md §3 a mix of line ends is taken \
                octet by octet, so the body is another one, and a signer does not certify it \
                (message.not_smtp).",
            )
            .message("outgoing.eml", &ours)
            .senders("login alice@recv.example recv.example\n")
            .milter(not_certified("outgoing.eml", &ours, "message.not_smtp"))
    };
    vec![
        Sketch::new(33, EOL, "B0 with LF line ends, as a file on Unix").octets("message.eml", lf).step(
            "message.eml",
            "",
            pass("good.example"),
        ),
        bare(34, "\n", "one bare LF in the body"),
        bare(35, "\r", "one bare CR in the body"),
        Sketch::one(
            36,
            EOL,
            "a bare LF inside a field",
            &honest().with("Subject", "Lunch\nFrom: first@evil.example").forged(&super::certified::by_good()),
            refused("header.syntax").without(&["evil"]),
        ),
    ]
}

fn not_certified(message: &str, mail: &Mail, reason: &str) -> MilterStep {
    MilterStep {
        message: message.to_owned(),
        what: None,
        role: Role::Egress,
        client: Client::Login("alice@recv.example".to_owned()),
        mail_from: "alice@recv.example".to_owned(),
        rcpt: vec!["ann@good.example".to_owned()],
        world: Value::Null,
        decision: Some(Decision::Refuse),
        reason: Some(reason.to_owned()),
        reply: Reply::Accept,
        fields: mail.fields().into_iter().map(After::Kept).collect(),
    }
}

fn whole_bodies() -> Vec<Sketch> {
    let blank = honest().body(" \t\r\n\t \r\n   \r\n").signed(GOOD);
    let half = "Shall we meet at noon?\r\n";
    vec![
        Sketch::one(
            37,
            "C9: empty lines at the end",
            "50 empty lines added at the end",
            &b0().in_body("Ann\r\n", &format!("Ann\r\n{}", "\r\n".repeat(50))),
            pass("good.example"),
        )
        .arrives(
            "cut.eml",
            &honest().in_body("Ann\r\n", "Ann\r\n\r\n\r\n").signed(GOOD).in_body("Ann\r\n\r\n\r\n", "Ann\r\n"),
            "two certified ones cut off: what was certified cannot be known",
            tampered("tampered.body").by("good.example"),
        ),
        Sketch::one(
            38,
            "C9: white space at the end of a line",
            "a blank added at the end of one line",
            &b0().in_body("noon?\r\n", "noon? \r\n"),
            tampered("tampered.body").by("good.example"),
        ),
        Sketch::one(
            39,
            "C9: the empty body",
            "an empty body certified, one CRLF received",
            &honest().body("").signed(GOOD).body("\r\n"),
            pass("good.example"),
        )
        .arrives(
            "empty.eml",
            &honest().body("\r\n").signed(GOOD).body(""),
            "one CRLF certified, nothing received: the simple form of nothing is one CRLF (RFC 6376 §3.4.3)",
            pass("good.example"),
        ),
        Sketch::one(
            40,
            "C9: lines of blanks",
            "a body of lines with only spaces and tabs",
            &blank,
            pass("good.example"),
        )
        .arrives(
            "stripped.eml",
            &blank.clone().body("\r\n\r\n\r\n"),
            "the blanks taken away",
            tampered("tampered.body"),
        ),
        Sketch::one(
            41,
            "l=: a signature over half of the body",
            "HTML appended and a new boundary set in between",
            &partly_signed(half.len())
                .body(format!("{half}\r\n--x\r\nContent-Type: text/html\r\n\r\n<b>Pay</b>\r\n--x--\r\n")),
            partly(),
        ),
        Sketch::one(
            42,
            "l=0: a signature over no body",
            "the whole body replaced",
            &partly_signed(0).body("Pay at once.\r\n"),
            partly(),
        ),
    ]
}

/// B0 with a DKIM signature over so many octets of its body.
fn partly_signed(octets: usize) -> Mail {
    let octets = u64::try_from(octets).unwrap_or_default();
    b0().dkim(&Dkim::of("good", "good.example").length(octets))
}

/// What lies beyond `l=` may be anybody's, so DKIM does not pass, and neither does ZI2.
fn partly() -> Expect {
    let expect = tampered("tampered.body").by("good.example").queries(CHAIN);
    expect.chain(json!({"dkim": [{"result": "policy", "reason": "body.uncovered", "d": "good.example"}]}))
}

fn multipart() -> Mail {
    honest()
        .with("Content-Type", "multipart/alternative; boundary=a")
        .body("x\r\n--a\r\n\r\nNoon?\r\n--b\r\n\r\nPay at once.\r\n--b--\r\n--a--\r\n")
        .signed(GOOD)
}

fn parts() -> Vec<Sketch> {
    let attack = "C12: the same octets shown in another way";
    let changed = || tampered("tampered.header").by("good.example");
    vec![
        Sketch::one(
            43,
            attack,
            "the boundary of Content-Type changed, the body as certified",
            &multipart().with("Content-Type", "multipart/alternative; boundary=b"),
            changed(),
        ),
        Sketch::one(44, attack, "Content-Type taken away", &multipart().without("Content-Type"), changed()),
    ]
}

fn lists() -> Vec<Sketch> {
    let mail = b0()
        .with("Subject", "[list] Lunch")
        .with("List-Id", "<list.list.example>")
        .in_body("Ann\r\n", "Ann\r\n___\r\nlist mailing list\r\n");
    let rewritten = b0().with("From", "Ann via list <list@list.example>");
    let carrier = Mail::by("x@evil.example").with("Content-Type", "message/rfc822").body(b0().octets());
    vec![
        Sketch::new(45, "N7: a mailing list", "a prefix in Subject and a footer, From kept")
            .world(trusted("good"))
            .arrives("message.eml", &mail, "DKIM survived", tampered("tampered.header").by("good.example"))
            .dmarc(Dmarc::Pass)
            .step("message.eml", "DMARC fails too", tampered("tampered.header").by("good.example").spoof("suspected"))
            .dmarc(Dmarc::Fail)
            .message("sealed.eml", &by_list(mail.clone(), &valid_then()))
            .step_in(
                "sealed.eml",
                "a list that is trusted to have seen it valid: it counts for no history",
                trusting(&["list.example"]),
                valid("good.example", 1, "ok.delegated.arc").history("trusted").queries(CHAIN),
            )
            .leaves(&[("good.example", "good", 5, 3)])
            .note(
                "The threat model says body.changed; by zi2.md §7 step 6 the field signature is \
                 looked at first, and it covers Subject. It never marks a list; by zi2.md §9 \
                history marks `suspected` unless DMARC passes or a restoration succeeds.",
            )
            .later("via=list where nobody seals."),
        Sketch::one(
            46,
            "N7: a mailing list",
            "From rewritten to the list's domain",
            &rewritten,
            malformed("domain.mismatch").by("list.example").without(&["mx.evil"]),
        )
        .arrives(
            "stripped.eml",
            &rewritten.clone().without("X-ZI2-Certified"),
            "and the certification taken away",
            missing().by("list.example"),
        )
        .world(json!({"hosted": ["recv.example"]})),
        Sketch::one(
            49,
            "L6: a verdict for a part",
            "B0 attached as message/rfc822 to evil's mail",
            &carrier,
            missing().by("evil.example").without(&["good"]),
        )
        .arrives(
            "certified.eml",
            &carrier.clone().signed(EVIL),
            "and that certified by evil",
            pass("evil.example").without(&["good"]),
        ),
    ]
}

fn fields() -> Vec<Sketch> {
    let draft = honest().signed(Signing { form: Form::Draft, ..GOOD });
    let bare = |sketch: Sketch, name: &str, value: &str, field: &str| {
        sketch.arrives(
            "draft.eml",
            &draft.clone().with(name, value),
            "in draft form, which does not cover it and says so",
            pass("good.example").not_covering(&[field]),
        )
    };
    let changed = |number, attack, title, name: &str, value: &str| {
        let mail = b0().with(name, value);
        let sketch = Sketch::one(number, attack, title, &mail, tampered("tampered.header").by("good.example"));
        bare(sketch, name, value, &name.to_lowercase())
    };
    vec![
        changed(50, "C2: what a reader sees first", "only Subject changed", "Subject", "Pay at once"),
        changed(
            51,
            "C11: the display name",
            "only the display name in From changed",
            "From",
            "Boss <ann@good.example>",
        ),
    ]
}
