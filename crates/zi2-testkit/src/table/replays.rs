//! TC-052 to TC-055, TC-073, TC-074: one certification, many deliveries.

use serde_json::{Value, json};

use super::milter::{ingress, sent};
use super::sketch::{KEYS, Sketch, b0, valid};
use crate::{Expect, HOUR, KID, Mail, NOW, Signing, public};

fn pass() -> Expect {
    super::sketch::pass("good.example")
}

fn replayed() -> Expect {
    super::sketch::fail("replay.nonce").queries(KEYS).by("good.example")
}

pub(super) fn sketches() -> Vec<Sketch> {
    vec![other_recipient(), two_recipients(), again(), retry(), returned(), returned_to_recipient()]
}

fn to(recipients: &[String], now: u64) -> Value {
    json!({"rcpt": recipients, "now": now})
}

/// Recipients that the message does not name.
fn strangers(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|number| format!("stranger{number}@recv.example")).collect()
}

fn other_recipient() -> Sketch {
    let message = "message.eml";
    Sketch::new(52, "N1: replay to other recipients", "B0 to carol@recv.example, whom it does not name")
        .message(message, &b0())
        .step_in(message, "carol", to(&["carol@recv.example".to_owned()], NOW), pass().duplicate(false))
        .step_in(message, "19 more: the allowance of 20", to(&strangers(1..20), NOW + 1), pass())
        .step_in(message, "one more", to(&strangers(20..21), NOW + 2), replayed())
        .step_in(message, "another, though the last one was refused", to(&strangers(21..22), NOW + 3), replayed())
        .step_in(message, "bob, whom it names, is not counted", to(&["bob@recv.example".to_owned()], NOW + 4), pass())
        .leaves(&[("good.example", "good", 3, 1)])
        .note(
            "rcpt.mismatch in the threat model. Its head: B4 is not adopted; replay to \
                others passes below the allowance of zi2.md §8 and fails above it. A replayed \
                mail is genuine: no mark, and history does not move.",
        )
}

fn two_recipients() -> Sketch {
    let both = |mut others: Vec<String>| {
        others.push("bob@recv.example".to_owned());
        to(&others, NOW)
    };
    Sketch::new(53, "N1: replay to other recipients", "B0 to bob and carol in one transaction")
        .message("message.eml", &b0())
        .step_in("message.eml", "", both(vec!["carol@recv.example".to_owned()]), pass())
        .step_in("message.eml", "bob and 20 strangers", both(strangers(0..20)), pass())
        .step_in("message.eml", "bob and 21 strangers", both(strangers(0..21)), replayed())
        .step_in(
            "message.eml",
            "one stranger 21 times",
            both([strangers(0..1), vec!["Stranger0@RECV.example".to_owned(); 20]].concat()),
            pass(),
        )
        .note("Passes below the allowance and fails above it, as TC-052.")
}

fn again() -> Sketch {
    let dave = |now| to(&["dave@recv.example".to_owned()], now);
    Sketch::new(
        54,
        "N2: replay to the same recipient",
        "B0 again to the same recipient after an hour, from another client",
    )
    .message("message.eml", &b0())
    .step_in("message.eml", "to dave, whom it does not name", dave(NOW), pass().duplicate(false))
    .step_in("message.eml", "to dave again", dave(NOW + HOUR), pass().duplicate(true))
    .step_in("message.eml", "to bob, whom it names", json!({"now": NOW + HOUR}), pass())
    .step_in("message.eml", "to bob again", json!({"now": NOW + 2 * HOUR}), pass())
    .leaves(&[("good.example", "good", 4, 1)])
    .note(
        "The threat model's head: reported as duplicate, not failed. By zi2.md §8 the \
                set holds only recipients outside To and Cc, so for bob, who stands in To, a \
                second delivery cannot be told from a first one of another; whether it is \
                reported is left open here.",
    )
}

fn retry() -> Sketch {
    let dave = |now| to(&["dave@recv.example".to_owned()], now);
    Sketch::new(
        55,
        "N2: an SMTP retry after a lost 250",
        "B0 again to the same recipient after 60 s, from the same client",
    )
    .message("message.eml", &b0())
    .step_in("message.eml", "to bob", json!({"now": NOW}), pass())
    .step_in("message.eml", "to bob again", json!({"now": NOW + 60}), pass())
    .step_in("message.eml", "to dave", dave(NOW), pass().duplicate(false))
    .step_in("message.eml", "to dave again", dave(NOW + 60), pass().duplicate(true))
    .leaves(&[("good.example", "good", 4, 1)])
}

const OURS: Signing<'static> = Signing::of("recv", "mx.recv.example");

fn own_keys() -> Value {
    json!({"local_keys": [{"sid": "mx.recv.example", "kid": KID, "p": public("recv")}]})
}

/// Our domain publishes nothing in this world, so the page's name is asked too.
fn own(level: u8, reason: &str) -> Expect {
    valid("recv.example", level, reason).queries(KEYS + 1)
}

fn our_mail(to: &str) -> Mail {
    Mail::by("Alice <alice@recv.example>").with("To", to)
}

fn returned() -> Sketch {
    let mail = our_mail("ann@good.example");
    Sketch::new(73, "L3: level 3 from outside", "our own outbound mail returns from outside, to another local user")
        .world(own_keys())
        .message("message.eml", &mail.clone().signed(OURS))
        .message("sent.eml", &mail)
        .step("message.eml", "", own(1, "ok.returned").history("unverified"))
        .senders("login alice@recv.example recv.example\n")
        .milter(sent("sent.eml", &mail, &["ann@good.example"]))
        .milter(
            ingress("message.eml", &mail.signed(OURS), &["bob@recv.example"])
                .what("what went out comes back at once, before anybody here has claimed its nonce")
                .verified(&["result=pass", "level=1", "reason=ok.returned"], &["level=3"]),
        )
        .note(
            "rcpt.mismatch in the threat model is the allowance of zi2.md §8. A nonce whose \
                 mail has no recipient here must not stand in the log of issued nonces, or \
                whoever received the mail could claim it. The daemon chooses its own nonce, so \
                 what it made of the first milter step has to come back as well as the second \
                one.",
        )
}

fn returned_to_recipient() -> Sketch {
    let mail = our_mail("ann@good.example, bob@recv.example").signed(OURS);
    let at = |now: u64| json!({"now": now});
    Sketch::new(74, "L3: level 3 from outside", "the same to a local co-recipient of the original")
        .world(own_keys())
        .message("message.eml", &mail)
        .step_in("message.eml", "the original: its nonce was issued here", at(NOW), own(3, "ok.local"))
        .issued()
        .step_in("message.eml", "the same from outside", at(NOW + 60), own(1, "ok.returned"))
        .step_in("message.eml", "and again", at(NOW + HOUR), own(1, "ok.returned"))
        .leaves(&[("recv.example", "recv", 3, 1)])
}
