//! TC-047, 048, 101, 129, 130: chains of DKIM2, and what they give back of a certified mail (zi2.md §11).

use serde_json::{Value, json};
use zi2_sig::Form;

use super::sketch::{CHAIN, GOOD, Sketch, b0, fail, honest, malformed, merged, tampered, valid};
use crate::{Expect, HOUR, Hop, KID, Mail, NOW, Signing, public};

pub(super) fn sketches() -> Vec<Sketch> {
    vec![restored(), not_restored(), taken_away(), descending(), odd_recipes()]
}

const BOB: &[&str] = &["bob@recv.example"];

fn by_good<'a>(recipients: &'a [&'a str]) -> Hop<'a> {
    Hop::of("good", "good.example", "ann@good.example", recipients)
}

fn by_list<'a>(recipients: &'a [&'a str]) -> Hop<'a> {
    Hop::of("list", "list.example", "bounce@list.example", recipients)
}

fn by_evil<'a>(recipients: &'a [&'a str]) -> Hop<'a> {
    Hop::of("evil", "evil.example", "x@evil.example", recipients)
}

/// A mail that its author's server sends to this address.
fn sent(mail: Mail, to: &str) -> Mail {
    mail.version(None).hop(&by_good(&[to]))
}

/// What a mailing list makes of B0 before it signs.
fn changed(mail: Mail) -> Mail {
    mail.with("Subject", "[list] Lunch")
        .above("List-Id: <list.list.example>")
        .in_body("Ann\r\n", "Ann\r\n___\r\nlist\r\n")
}

fn through_list(mail: Mail, to: &[&str]) -> Mail {
    let before = sent(mail, "list@list.example");
    changed(before.clone()).version_after(&before).hop(&by_list(to))
}

fn from_list() -> Value {
    json!({"mail_from": "bounce@list.example"})
}

fn from_evil() -> Value {
    json!({"mail_from": "x@evil.example"})
}

fn dkim2(result: &str) -> Value {
    json!({"dkim2": {"result": result}})
}

/// Nothing stands in for the certification.
fn stays(result: &str) -> Expect {
    tampered("tampered.header").by("good.example").queries(CHAIN).chain(dkim2(result))
}

fn passes(level: u8) -> Expect {
    let expect = valid("good.example", level, "ok.restored.dkim2").queries(CHAIN).history("unverified");
    expect.chain(dkim2("pass")).not_covering(&["subject", "body"])
}

fn restored() -> Sketch {
    let exchanged = json!({"exchanged": [{"sid": "mx.good.example", "kid": KID, "p": public("good")}]});
    let enforce = json!({"dns": {"_zi2policy.good.example": {"txt": [["v=ZI2POL1; p=enforce"]]}}});
    let ours = json!({
        "hosted": ["recv.example", "good.example"],
        "local_keys": [{"sid": "mx.good.example", "kid": KID, "p": public("good")}],
    });
    let with = |more: Value| merged(from_list(), &more);
    let list = through_list(b0(), BOB);
    let footer = sent(b0(), "list@list.example");
    let footer = footer.clone().in_body("Ann\r\n", "Ann\r\n___\r\nlist\r\n").version_after(&footer).hop(&by_list(BOB));
    let prefix = sent(b0(), "list@list.example");
    let prefix = prefix.clone().with("Subject", "[list] Lunch").version_after(&prefix).hop(&by_list(BOB));
    let draft = honest().signed(Signing { form: Form::Draft, ..GOOD });
    let footer_of = |expect: Expect| Expect { not_covered: vec!["body".to_owned()], ..expect };
    Sketch::new(47, "N7: a mailing list", "a DKIM2 chain that leads back to what was certified")
        .note(
            "The threat model says level at most 1; zi2.md §11, which decides, says the key's own level. What the list \
             wrote is not certified, and `covers` leaves it out.",
        )
        .world(from_list())
        .arrives("list.eml", &list, "Subject, List-Id and a footer", passes(1))
        .arrives("footer.eml", &footer, "a footer alone: Subject is as it was certified", footer_of(passes(1)))
        .arrives("prefix.eml", &prefix, "Subject alone, so that no body is made again", only("subject", passes(1)))
        .arrives("draft.eml", &through_list(draft, BOB), "in draft form", footer_of(passes(1)))
        .message("two.eml", &two_lists())
        .step_in("two.eml", "two lists, one after the other", json!({"mail_from": "bounce@relay.example"}), passes(1))
        .step_in("list.eml", "with a key that is worth level 2", with(exchanged), passes(2))
        .step_in("list.eml", "from a domain that enforces: no mark", with(enforce), passes(1))
        .step_in("list.eml", "after the window", with(json!({"now": NOW + 24 * HOUR})), stays("pass"))
        .step_in("list.eml", "to somebody else", with(json!({"rcpt": ["eve@recv.example"]})), stays("fail"))
        .step_in("list.eml", "from somebody else", json!({"mail_from": "x@list.example"}), stays("fail"))
        .step_in("list.eml", "the list's key cannot be asked for", with(key_is("list", "TIMEOUT")), stays("temperror"))
        .step_in("list.eml", "the author's key is gone", with(key_is("good", "NXDOMAIN")), stays("permerror"))
        .message("many.eml", &through_list(b0(), &members()))
        .step_in("many.eml", "to more people than one certification may reach", json!({"rcpt": members()}), replayed())
        .step_in("list.eml", "our own, and its nonce was issued: not submitted here", with(ours), passes(1))
        .issued()
}

fn two_lists() -> Mail {
    let first = through_list(b0(), &["relay@relay.example"]);
    let second = first.clone().with("Subject", "[relay] [list] Lunch").in_body("list\r\n", "list\r\nrelay\r\n");
    second.version_after(&first).hop(&Hop::of("relay", "relay.example", "bounce@relay.example", BOB))
}

fn only(field: &str, expect: Expect) -> Expect {
    Expect { not_covered: vec![field.to_owned()], ..expect }
}

fn members() -> Vec<&'static str> {
    const MEMBERS: [&str; 21] = [
        "a@recv.example",
        "b@recv.example",
        "c@recv.example",
        "d@recv.example",
        "e@recv.example",
        "f@recv.example",
        "g@recv.example",
        "h@recv.example",
        "i@recv.example",
        "j@recv.example",
        "k@recv.example",
        "l@recv.example",
        "m@recv.example",
        "n@recv.example",
        "o@recv.example",
        "p@recv.example",
        "q@recv.example",
        "r@recv.example",
        "s@recv.example",
        "t@recv.example",
        "u@recv.example",
    ];
    MEMBERS.to_vec()
}

fn replayed() -> Expect {
    fail("replay.nonce").by("good.example").queries(CHAIN).chain(dkim2("pass"))
}

fn key_is(owner: &str, status: &str) -> Value {
    json!({"dns": {format!("s1._domainkey.{owner}.example"): {"status": status, "txt": null}}})
}

/// What an attacker can do who has keys of his own, mail of the author's to himself, and any certified mail of theirs.
fn not_restored() -> Sketch {
    let visible = |mail: Mail| mail.with("Subject", "Invoice").body("Pay at once.\r\n");
    let to_evil = || sent(b0(), "x@evil.example");
    let wrong = sent(b0(), "list@list.example");
    let wrong = changed(wrong).version(Some(r#"{"b":[{"c":[1,2]}]}"#)).hop(&by_list(BOB));
    // evil's own chain from its first hop on: the certified version is in it, and nobody of good.example signed that.
    let own = b0().version(None);
    let own = visible(own.clone()).version_after(&own).hop(&by_evil(BOB));
    // A chain that good.example began for another mail to evil; the certified one is a version of evil's.
    let other = honest().with("Subject", "Re: your offer").body("No, thanks.\r\n");
    let other = sent(other, "x@evil.example");
    let lifted = other.clone().with("Subject", "Lunch").body(b0().body_octets()).version_after(&other);
    let lifted = visible(lifted.clone()).version_after(&lifted);
    let certification =
        b0().fields().into_iter().find(|field| field.starts_with("X-ZI2-Certified")).unwrap_or_default();
    let lifted = lifted.above(certification).hop(&by_evil(BOB));
    // Another From that leads back to the certified one.
    let renamed = visible(to_evil()).with("From", "Ann <ann@evil.example>").version_after(&to_evil());
    let display = visible(to_evil()).with("From", "The Boss <ann@good.example>").version_after(&to_evil());
    let id = visible(to_evil()).with("Message-ID", "<2@mail.example>").version_after(&to_evil());
    let invalid = fail("signature.invalid").by("good.example").queries(CHAIN).chain(dkim2("pass"));
    let mismatch = malformed("domain.mismatch").by("evil.example").queries(CHAIN).chain(dkim2("pass"));
    let rewritten = visible(to_evil()).version_after(&to_evil()).hop(&by_evil(BOB));
    // Cc is not signed by `sig=`, which is all that holds of a message whose fields were changed.
    let copied =
        visible(to_evil()).with("Cc", members().join(", ")).version_after(&to_evil()).hop(&by_evil(&members()));
    let passed_on = through_list(b0(), &["x@evil.example"]).hop(&by_evil(BOB));
    let then_changed = passed_on.clone().in_body("noon", "nine");
    Sketch::new(48, "N7: a mailing list", "DKIM2 chains that do not lead back to what the author certified")
        .world(from_evil())
        .message("wrong.eml", &wrong)
        .step_in("wrong.eml", "a recipe that makes something else", from_list(), stays("fail"))
        .arrives("own.eml", &own, "a chain of evil's own around it", stays("fail"))
        .arrives("lifted.eml", &lifted, "a certified mail as a version of evil's in the chain of another", stays("pass"))
        .arrives("renamed.eml", &renamed.hop(&by_evil(BOB)), "the visible author is another", mismatch)
        .arrives("display.eml", &display.hop(&by_evil(BOB)), "another display name", stays("fail"))
        .arrives("id.eml", &id.hop(&by_evil(BOB)), "another Message-ID", invalid)
        .arrives("later.eml", &then_changed, "changed after the last hop", stays("fail"))
        .arrives("unsigned.eml", &visible(to_evil()).version_after(&to_evil()), "a version nobody signed", stays("permerror"))
        .arrives("rewritten.eml", &rewritten, "a recipient rewrites it and says so: zi2.md §11 lets it pass", passes(1))
        .message("copied.eml", &copied)
        .step_in(
            "copied.eml",
            "the same to many, whom it puts into Cc",
            merged(from_evil(), &json!({"rcpt": members()})),
            replayed(),
        )
        .note(
            "rewritten.eml is what zi2.md §11 makes of whoever was sent a mail and passes it on: not told from a mailing \
             list. `via` names who wrote what is seen, and `covers` leaves it out.",
        )
}

fn taken_away() -> Sketch {
    let bare = changed(b0());
    let half = through_list(b0(), BOB).without("DKIM2-Signature");
    Sketch::new(101, "D5: DKIM2 removed", "all DKIM2 fields of a list's mail removed")
        .world(from_list())
        .arrives("message.eml", &bare, "all", stays("none"))
        .arrives("half.eml", &half, "the signatures, and not the versions", stays("permerror"))
}

/// The recipes of a list that says so of its changes to B0.
fn with_recipe(recipe: &str) -> Mail {
    changed(sent(b0(), "list@list.example")).version(Some(recipe)).hop(&by_list(BOB))
}

fn descending() -> Sketch {
    Sketch::new(129, "G9: recipes that grow", "copies in descending or overlapping order")
        .world(from_list())
        .arrives("descending.eml", &with_recipe(r#"{"b":[{"c":[3,4]},{"c":[1,2]}]}"#), "descending", stays("permerror"))
        .arrives("overlap.eml", &with_recipe(r#"{"b":[{"c":[1,4]},{"c":[4,5]}]}"#), "overlapping", stays("permerror"))
        .arrives("beyond.eml", &with_recipe(r#"{"b":[{"c":[1,18446744073709551615]}]}"#), "to no end", stays("fail"))
}

fn odd_recipes() -> Sketch {
    let literal = r#"{"b":[{"d":["a\r\nb"]}]}"#;
    let twice = r#"{"h":{"subject":[{"d":["Lunch"]}],"Subject":[]},"b":[{"c":[1,4]}]}"#;
    let unsigned = r#"{"h":{"subject":[{"d":["Lunch"]}],"list-id":[],"x-zi2-certified":[]},"b":[{"c":[1,4]}]}"#;
    Sketch::new(
        130,
        "G9: recipes that two read differently",
        "line ends in literals, fields that are not signed, a key twice",
    )
    .world(from_list())
    .arrives("literal.eml", &with_recipe(literal), "a literal with a line end", stays("permerror"))
    .arrives("twice.eml", &with_recipe(twice), "a name twice", stays("permerror"))
    .arrives("unsigned.eml", &with_recipe(unsigned), "a field that is not signed: passed over", passes(1))
    .note("The threat model says permerror for fields that are not signed; the draft has readers pass over them.")
}
