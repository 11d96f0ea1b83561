//! TC-031, TC-056 to TC-060, TC-120: X-ZI2-Certified itself. Every signature here holds.

use serde_json::json;

use super::sketch::{EVIL, GOOD, Sketch, b0, expired, honest, malformed, pass, refused};
use crate::{DAY, Forgery, Signing, TIME};

pub(super) fn sketches() -> Vec<Sketch> {
    let mut all = clock();
    all.extend([second(), kid(), written(), large(), zero(), servers()]);
    all
}

pub(super) fn by_good() -> Forgery<'static> {
    Forgery::page("good", "good.example", "mx.good.example")
}

fn second() -> Sketch {
    let duplicate = || refused("header.duplicate").by("good.example");
    let enforce = json!({"dns": {"_zi2policy.good.example": {"txt": [["v=ZI2POL1; p=enforce"]]}}});
    Sketch::one(
        71,
        "D2: a second one, so that both are ignored",
        "a garbage X-ZI2-Certified above B0's",
        &b0().above("X-ZI2-Certified: garbage"),
        duplicate(),
    )
    .arrives("below.eml", &b0().below("x-zi2-certified: v=1"), "below it", duplicate())
    .arrives("copy.eml", &b0().above(b0().fields().swap_remove(0)), "a copy of it", duplicate())
    .arrives("empty.eml", &honest().above("X-ZI2-Certified:"), "one that is empty", malformed("header.syntax"))
    .step_in(
        "empty.eml",
        "from a domain that enforces: breaking it gains nothing",
        enforce,
        malformed("header.syntax").spoof("yes"),
    )
    .step_in(
        "message.eml",
        "a domain hosted here: nothing need be asked to mark it",
        json!({"hosted": ["good.example"]}),
        duplicate().spoof("yes"),
    )
}

fn kid() -> Sketch {
    let with = |kid: &str| honest().forged(&by_good().tag("kid", kid));
    let bad = || malformed("header.syntax").without(&[".x"]);
    Sketch::one(
        31,
        "A3: a NUL in a name for DNS",
        "kid=zi2-cert-2026-11, NUL, .x",
        &with("zi2-cert-2026-11\0.x"),
        refused("header.syntax").without(&[".x"]),
    )
    .arrives("dot.eml", &with("zi2-cert-2026-11.x"), "a further label", bad())
    .arrives("empty.eml", &with(""), "empty", bad())
    .arrives("case.eml", &with("ZI2-CERT-2026-11"), "in capitals", bad())
    .note(
        "The NUL is a defect of the header section, so nothing at all is asked. The \
                others cost one question, for the policy of the From domain: by D2 a broken \
                field must gain nothing over a missing one.",
    )
}

fn clock() -> Vec<Sketch> {
    let at = |number, title: &str, (late, too_late): (u64, u64), expect| {
        Sketch::new(number, "N6: the clock", title)
            .message("message.eml", &b0())
            .step_in("message.eml", "", json!({"now": too_late}), expect)
            .step_in("message.eml", "one second less", json!({"now": late}), pass("good.example"))
    };
    vec![
        at(56, "one second older than the window", (TIME + DAY, TIME + DAY + 1), expired().by("good.example")),
        at(57, "301 seconds in the future", (TIME - 300, TIME - 301), malformed("clock.future"))
            .note("time.future in the threat model."),
    ]
}

fn times(number: u32, title: &str, values: &[(&str, &str)]) -> Sketch {
    values.iter().fold(Sketch::new(number, "N6: numbers", title), |sketch, (file, value)| {
        sketch.arrives(
            file,
            &honest().forged(&by_good().tag("t", *value)),
            &format!("t={value}"),
            malformed("header.syntax"),
        )
    })
}

fn written() -> Sketch {
    let values = [
        ("zero.eml", "01793534400"),
        ("sign.eml", "+1793534400"),
        ("exponent.eml", "1e9"),
        ("minus.eml", "-1"),
        ("hex.eml", "0x6AE6B400"),
        ("blank.eml", "1793 534400"),
    ];
    times(58, "t= in other spellings", &values)
}

fn large() -> Sketch {
    let values = [("64.eml", "18446744073709551616"), ("63.eml", "9223372036854775808"), ("14.eml", "99999999999999")];
    times(59, "t= too large", &values).arrives(
        "12.eml",
        &honest().forged(&by_good().tag("t", "999999999999")),
        "twelve digits are well-formed, and far in the future",
        malformed("clock.future"),
    )
}

fn zero() -> Sketch {
    let mail = honest().signed(Signing { time: 0, ..GOOD });
    Sketch::one(60, "N6: numbers", "t=0", &mail, expired().by("good.example"))
}

fn servers() -> Sketch {
    let names = [
        ("literal.eml", "169.254.169.254"),
        ("localhost.eml", "localhost"),
        ("six.eml", "[::1]"),
        ("short.eml", "127.1"),
        ("port.eml", "mail.evil.example:8443"),
        ("decimal.eml", "2130706433"),
        ("hex.eml", "0x7f.0x1"),
        ("internal.eml", "metadata.google.internal"),
        ("path.eml", "mail.evil.example/x"),
        ("user.eml", "x@mail.evil.example"),
        ("dot.eml", "mail.evil.example."),
    ];
    let honest = || crate::Mail::by("x@evil.example");
    let refused = |name: &str| malformed("header.syntax").by("evil.example").without(&[&format!("sid={name}")]);
    let sketch = Sketch::new(120, "R1: the server's name as a way inside", "s= and sid= that are no host name");
    names
        .iter()
        .fold(sketch, |sketch, (file, name)| {
            let page = honest().forged(&Forgery::page("evil", "evil.example", name));
            let draft = honest().forged(&Forgery::draft("evil", name, ["x@evil.example", "bob@recv.example"]));
            sketch.arrives(&format!("page-{file}"), &page, &format!("s={name}"), refused(name)).arrives(
                &format!("draft-{file}"),
                &draft,
                &format!("sid={name}"),
                refused(name),
            )
        })
        .arrives(
            "proof.eml",
            &honest().signed(EVIL),
            "a host name, to show that nothing else is wrong",
            pass("evil.example"),
        )
        .arrives(
            "proof-draft.eml",
            &honest().forged(&Forgery::draft("evil", "mx.evil.example", ["x@evil.example", "bob@recv.example"])),
            "the same in draft form",
            pass("evil.example"),
        )
        .note(
            "sid.syntax in the threat model. The one question allowed is for the policy of \
                the From domain.",
        )
}
