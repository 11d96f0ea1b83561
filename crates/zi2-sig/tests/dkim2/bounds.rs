//! Bounds: what a stranger can make us do is bounded by what he sends (security.md G9).

use std::time::Instant;

use zi2_mail::{DigestPlan, Message, Timestamp};
use zi2_sig::dkim2::{BodyRecipe, BodyVersion, Draft, Policy, Recipe, Step, Verifier, recipe_for};
use zi2_sig::limits;

use crate::forge::*;

fn text(verdict: &zi2_sig::dkim2::Verdict) -> String {
    verdict.failure().map_or_else(|| verdict.result().to_owned(), ToString::to_string)
}

/// The steps from one body to another.
fn body_steps(before: &[u8], after: &[u8]) -> Vec<Step> {
    let mail = |body: &[u8]| [b"\r\n", body].concat();
    let (before, after) = (mail(before), mail(after));
    let recipe = recipe_for(&Message::split(&before), &Message::split(&after), Draft::default()).unwrap();
    let BodyRecipe::Steps(steps) = recipe.body() else { panic!("steps") };
    steps.clone()
}

fn octets(version: &BodyVersion<'_>) -> Vec<u8> {
    let mut octets = Vec::new();
    version.write(&mut |piece| octets.extend_from_slice(piece));
    octets
}

/// Fifty hops, each of which adds a line.
#[test]
fn fifty_hops_and_no_more() {
    let names: Vec<String> = (0..60).map(|at| format!("{}.example", char::from(b'a' + at % 26))).collect();
    let path = |at: usize| format!("<x@{}>", names[at]);
    let mail = MAIL.replace("list@b.example", "x@b.example");
    let mut mail = originate(mail.as_bytes(), to(&path(0), &[&path(1)]), identity(&names[0])).unwrap();
    for (at, name) in names.iter().enumerate().take(limits::DKIM2_FIELDS).skip(1) {
        let by = envelope(&path(at - 1), &[&path(at)]);
        let outgoing = [mail.as_slice(), format!("line of hop {at}\r\n").as_bytes()].concat();
        mail = hop(&mail, &by, &outgoing, &to(&path(at), &[&path(at + 1)]), &identity(name)).unwrap();
    }
    let by = envelope(&path(limits::DKIM2_FIELDS - 1), &[&path(limits::DKIM2_FIELDS)]);
    let verdict = judge(&mail, &by);
    assert_eq!((text(&verdict).as_str(), verdict.hops().len()), ("pass", limits::DKIM2_FIELDS));
    // One more of either kind is not read.
    for field in ["DKIM2-Signature: i=51;", "Message-Instance: m=51;"] {
        let more = [field.as_bytes(), b"\r\n", &mail].concat();
        assert_eq!(text(&judge(&more, &by)), "PERMERROR: Too many DKIM2 header fields");
    }
}

/// Nothing is made of a recipe whose signature does not hold, and a version is never written down.
#[test]
fn fifty_versions_of_ten_megabytes() {
    let line = [b"x".repeat(98).as_slice(), b"\r\n"].concat();
    let body = line.repeat(10 * 1024 * 1024 / line.len());
    let lines = (body.len() / line.len()) as u64;
    let recipe =
        Recipe::parse(format!("{{\"b\":[{{\"c\":[1,{}]}},{{\"d\":[\"y\"]}}]}}", lines - 1).as_bytes()).unwrap();
    let BodyRecipe::Steps(steps) = recipe.body() else { panic!("steps") };
    let begun = Instant::now();
    let mut version = BodyVersion::of(&body);
    let mut hashed = 0;
    for _ in 0..limits::DKIM2_FIELDS {
        version.undo(steps);
        version.write(&mut |octets| hashed += octets.len());
    }
    // A debug build without the hash itself; the bound of the hash is the length.
    assert!(hashed <= limits::DKIM2_FIELDS * (body.len() + 3), "{hashed}");
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
}

/// Lines as long as they please: each octet of the body is looked at about once a version, not once a line and version.
#[test]
fn fifty_versions_of_long_lines() {
    let line = [b"x".repeat(256 * 1024).as_slice(), b"\r\n"].concat();
    let body = line.repeat(40);
    // Every second line is copied by a step of its own, and a literal stands between each two.
    let steps: Vec<String> = (1..=20).map(|at| format!("{{\"c\":[{at},{at}]}},{{\"d\":[\"y\"]}}")).collect();
    let recipe = Recipe::parse(format!("{{\"b\":[{}]}}", steps.join(",")).as_bytes()).unwrap();
    let BodyRecipe::Steps(steps) = recipe.body() else { panic!("steps") };
    let begun = Instant::now();
    let mut version = BodyVersion::of(&body);
    let mut written = 0;
    for _ in 0..limits::DKIM2_FIELDS {
        version.undo(steps);
        version.write(&mut |octets| written += octets.len());
    }
    assert!(written <= limits::DKIM2_FIELDS * body.len(), "{written}");
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
}

/// A copy of what a copy made: the classic bomb needs copies that repeat.
#[test]
fn recipes_do_not_grow() {
    let double = br#"{"b":[{"c":[1,1]},{"c":[1,1]}]}"#;
    assert!(Recipe::parse(double).is_err());
    let many =
        format!("{{\"b\":[{}]}}", (1..20_000).map(|at| format!("{{\"c\":[{at},{at}]}}")).collect::<Vec<_>>().join(","));
    let recipe = Recipe::parse(many.as_bytes()).unwrap();
    let BodyRecipe::Steps(steps) = recipe.body() else { panic!("steps") };
    let body = b"a\r\n".repeat(100);
    let mut version = BodyVersion::of(&body);
    for _ in 0..50 {
        version.undo(steps);
    }
    assert_eq!(octets(&version), body);
}

#[test]
fn an_unsigned_recipe_is_not_followed() {
    let mail = first();
    let recipe = "eyJiIjpbeyJjIjpbMSwxXX1dfQ=="; // {"b":[{"c":[1,1]}]}
    let text_of = String::from_utf8(mail).unwrap();
    let instance = text_of.split("Message-Instance: m=1").nth(1).unwrap().split(";\r\nFrom").next().unwrap().to_owned();
    let forged =
        format!("Message-Instance: m=2{instance}; r={recipe};\r\n{}", text_of.replacen("i=1; m=1", "i=1; m=2", 1));
    let message = Message::split(forged.as_bytes());
    let mut plan = DigestPlan::new();
    let by = envelope("<ann@a.example>", &["<list@b.example>"]);
    let verifier = Verifier::new(&message.header, &by, Timestamp::from_secs(NOW), &Policy::default(), &mut plan);
    assert!(verifier.wants_body());
    let verdict = judge(forged.as_bytes(), &by);
    assert_eq!(text(&verdict), "FAIL: DKIM2-Signature i=1 selector s incorrect signature");
    assert!(verdict.provisional().is_none());
}

#[test]
fn long_bodies_are_compared_in_time() {
    let lines = |skip: usize| -> Vec<u8> {
        (0..100_000).filter(|at| at % 5000 != skip).flat_map(|at| format!("line {at}\r\n").into_bytes()).collect()
    };
    let begun = Instant::now();
    let (before, after) = (lines(1), lines(2));
    let steps = body_steps(&before, &after);
    let mut version = BodyVersion::of(&after);
    version.undo(&steps);
    assert!(octets(&version) == before);
    let alternating = |first: &str, second: &str| [first, second].concat().repeat(2000).into_bytes();
    let probe = body_steps(&alternating("a\r\n", "b\r\n"), &alternating("b\r\n", "a\r\n"));
    assert!(probe.len() <= 3, "one line moves");
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
}

#[test]
fn a_list_may_wrap_what_it_cannot_edit() {
    let original: Vec<u8> = (0..5000).flat_map(|at| format!("{}\r\n", at * 7919 % 5000).into_bytes()).collect();
    let other: Vec<u8> = (0..5000).flat_map(|at| format!("x{at}\r\n").into_bytes()).collect();
    let wrapped = [b"--b\r\nhead\r\n".as_slice(), &other, b"--b\r\n", &original, b"--b--\r\n"].concat();
    assert_eq!(body_steps(&original, &wrapped), [Step::Copy(5004, 10_003)]);
    // What is neither edited within bounds nor wrapped is not signed.
    let (before, after) = ([b"\r\n".as_slice(), &original].concat(), [b"\r\n".as_slice(), &other].concat());
    assert!(recipe_for(&Message::split(&before), &Message::split(&after), Draft::default()).is_err());
}

#[test]
fn too_many_keys_are_not_asked_for() {
    let (mut signatures, mut at) = (String::new(), 0);
    for number in (1..=14).rev() {
        let members: Vec<String> = (0..8)
            .map(|_| {
                at += 1;
                format!("s{at}:rsa-sha256:AAAA")
            })
            .collect();
        let envelope = "mf=PGFubkBhLmV4YW1wbGU+; rt=PGFubkBhLmV4YW1wbGU+;";
        signatures +=
            &format!("DKIM2-Signature: i={number}; m=1; t={NOW}; d=a.example; {envelope} s={};\r\n", members.join(","));
    }
    let mail = first();
    let instance = String::from_utf8(mail).unwrap();
    let instance = &instance[instance.find("Message-Instance").unwrap()..];
    let mail = signatures + instance;
    let by = envelope("<ann@a.example>", &["<ann@a.example>"]);
    let message = Message::split(mail.as_bytes());
    let mut plan = DigestPlan::new();
    let verifier = Verifier::new(&message.header, &by, Timestamp::from_secs(NOW), &Policy::default(), &mut plan);
    assert!(verifier.questions().is_empty());
    assert_eq!(text(&judge(mail.as_bytes(), &by)), "PERMERROR: The chain names more keys than are asked for");
}

/// One bound after the other, each with its own words.
#[test]
fn fields_beyond_their_bounds() {
    let mail = String::from_utf8(first()).unwrap();
    let by = envelope("<ann@a.example>", &["<list@b.example>"]);
    let judged = |from: &str, to: &str| {
        assert!(mail.contains(from), "{from}");
        text(&judge(mail.replacen(from, to, 1).as_bytes(), &by))
    };
    let tags = |count: usize| (0..count).map(|at| format!("x{at}=1; ")).collect::<String>();
    let recipients = vec!["PGFubkBhLmV4YW1wbGU+"; limits::DKIM2_RECIPIENTS + 1].join(",");
    let hashes = (0..=limits::DKIM2_HASHES).map(|at| format!("x{at}:AAAA:AAAA")).collect::<Vec<_>>().join(",");
    let signature = "PERMERROR: DKIM2-Signature i=1 is longer or lists more than is read";
    let instance = "PERMERROR: Message-Instance m=1 is longer or lists more than is read";
    for (from, to, expected) in [
        ("i=1; ", format!("i=1; {}", tags(40)), signature),
        ("i=1; ", format!("i=1; x={}; ", "y".repeat(limits::DKIM2_SIGNATURE_OCTETS)), signature),
        ("; rt=", format!("; rt={recipients},"), signature),
        ("h=sha256", format!("h={hashes},sha256"), instance),
        ("Message-Instance: m=1; ", format!("Message-Instance: m=1; {}", tags(40)), instance),
    ] {
        assert_eq!(judged(from, &to), expected);
    }
}

/// 100,000 lines edited here and there, and nearly as many equal fields as a section holds: signed, verified, undone.
#[test]
fn what_is_long_is_undone() {
    let lines: String = (0..100_000).map(|at| format!("line {at} \r\n")).collect();
    let fields = "Comments: again\r\n".repeat(900);
    let mail = MAIL.replacen("Subject:", &format!("{fields}Subject:"), 1) + &lines;
    let first =
        originate(mail.as_bytes(), to("<ann@a.example>", &["<list@b.example>"]), identity("a.example")).unwrap();
    let text = String::from_utf8(first.clone()).unwrap();
    let edited = text.replacen("Comments: again\r\n", "", 1).replacen("Comments: again\r\n", "Comments:  again\r\n", 1);
    let edited = edited.replace("line 500 ", "line 500").replace("line 99000 \r\n", "") + "-- \r\nfooter\r\n";
    let by = envelope("<ann@a.example>", &["<list@b.example>"]);
    let terms = to("<x@b.example>", &["<c@c.example>"]);
    let second = hop(&first, &by, edited.as_bytes(), &terms, &identity("b.example")).unwrap();
    let evidence = evidence(&second, &envelope("<x@b.example>", &["<c@c.example>"]));
    let recipe = evidence.chain().instances()[1].recipe().unwrap().to_json();
    assert!(recipe.len() < 300, "{recipe}");
    let undone = zi2_sig::dkim2::undo(&Message::split(&second), evidence.chain(), 1).unwrap();
    let (undone, before) = (Message::split(&undone), Message::split(mail.as_bytes()));
    let hashed = |message: &Message<'_>| zi2_sig::dkim2::hashed_header(&message.header, Draft::default());
    assert!(undone.body == before.body && hashed(&undone) == hashed(&before));
}

/// G9 of our threat model, measured: fifty hops over a megabyte, and a recipe as full of copies as a field holds. What is
/// asserted is what is counted; times and memory are printed (`--nocapture`).
#[test]
fn what_the_worst_costs() {
    let memory = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default().to_owned()
    };
    let line = [b"x".repeat(70).as_slice(), b"\r\n"].concat();
    let body = line.repeat(1024 * 1024 / line.len());
    let name = |at: usize| format!("{}.example", char::from(b'a' + u8::try_from(at % 26).unwrap()));
    let path = |at: usize| format!("<x@{}>", name(at));
    let mail = [MAIL.as_bytes(), &body].concat();
    let mut mail = originate(&mail, to(&path(0), &[&path(1)]), identity(&name(0))).unwrap();
    for at in 1..limits::DKIM2_FIELDS {
        let outgoing = [mail.as_slice(), format!("hop {at}\r\n").as_bytes()].concat();
        let by = envelope(&path(at - 1), &[&path(at)]);
        mail = hop(&mail, &by, &outgoing, &to(&path(at), &[&path(at + 1)]), &identity(&name(at))).unwrap();
    }
    let by = envelope(&path(limits::DKIM2_FIELDS - 1), &[&path(limits::DKIM2_FIELDS)]);
    let begun = Instant::now();
    let verdict = judge(&mail, &by);
    eprintln!("50 hops over 1 MiB: verified in {:?}, {}", begun.elapsed(), memory());
    assert_eq!(text(&verdict), "pass");
    // {"c":[1,1]},{"c":[3,3]}, ... in base64, as many as a Message-Instance holds.
    let steps: Vec<String> = (0..9_000).map(|at| format!("{{\"c\":[{0},{0}]}}", 2 * at + 1)).collect();
    let recipe = Recipe::parse(format!("{{\"b\":[{}]}}", steps.join(",")).as_bytes()).unwrap();
    assert!(recipe.to_base64().len() <= limits::DKIM2_INSTANCE_OCTETS);
    let BodyRecipe::Steps(steps) = recipe.body() else { panic!("steps") };
    let body = line.repeat(10 * 1024 * 1024 / line.len());
    let begun = Instant::now();
    let (mut version, mut written, mut pieces) = (BodyVersion::of(&body), 0, 0);
    for _ in 0..limits::DKIM2_FIELDS {
        version.undo(steps);
        version.write(&mut |octets| (written, pieces) = (written + octets.len(), pieces + 1));
    }
    eprintln!("a bomb of {} copies, 50 times over 10 MiB: {:?}, {}", steps.len(), begun.elapsed(), memory());
    assert!(written <= steps.len() * line.len() * 3, "each version is made of the one after it: {written}");
    assert!(pieces <= limits::DKIM2_FIELDS * steps.len() * 2, "{pieces}");
}
