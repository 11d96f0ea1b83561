//! `zi2-cert dkim2`, and the `dkim2` section of `verify --json`: the vectors by command line, and a chain made with it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test")]

mod said;

use said::{NOW, Said, zi2_cert};
use serde_json::json;
use zi2_cert::Exit;
use zi2_testkit::dkim2_vectors::{dns, folder, read};

fn run(arguments: &[&str]) -> Said {
    zi2_cert(arguments)
}

#[test]
fn every_case() {
    let scratch = tempfile::tempdir().unwrap();
    let world = scratch.path().join("world.json");
    let (dns, cases) = (dns(), read("cases.json"));
    for case in cases.as_array().unwrap() {
        let content = json!({"now": case["now"], "mail_from": case["mail_from"], "rcpt": case["rcpt_to"], "dns": dns});
        std::fs::write(&world, content.to_string()).unwrap();
        let file = folder().join("expected").join(case["file"].as_str().unwrap());
        let (world, file) = (world.to_str().unwrap(), file.to_str().unwrap());
        let report = run(&["verify", "--world", world, "--json", file]).json();
        assert_eq!(report["dkim2"]["result"], case["expected"], "{}: {}", case["name"], report["dkim2"]);
        assert_eq!(report["dkim2"]["draft"], "08");
        let said = run(&["dkim2", "verify", "--world", world, "--json", file]);
        let report = said.json();
        assert_eq!(report["result"], case["expected"], "{}", case["name"]);
        assert_eq!(
            (said.exit == Exit::Ok, report["text"].is_null()),
            (case["expected"] == "pass", case["expected"] == "pass")
        );
        assert!(report["proven"] == "full" || case["expected"] != "pass", "{report}");
    }
}

#[test]
fn a_chain_as_a_table() {
    let scratch = tempfile::tempdir().unwrap();
    let world = scratch.path().join("world.json");
    let content = json!({"now": 1_740_002_100, "mail_from": "<forwarder@test5.dkim2.com>", "rcpt": ["<brong@test1.dkim2.com>"], "dns": dns()});
    std::fs::write(&world, content.to_string()).unwrap();
    let file = folder().join("expected/d2_07_chain_hop5.eml");
    let (world, file) = (world.to_str().unwrap(), file.to_str().unwrap());
    let said = run(&["dkim2", "explain", "--world", world, file]);
    assert_eq!(said.exit, Exit::Ok, "{}", said.err);
    for line in [
        "  1  test1.dkim2.com      0 s  pass ",
        "  made it",
        "extra-header body",
        "result    pass (draft 08, proven: full)",
    ] {
        assert!(said.out.contains(line), "{line} in\n{}", said.out);
    }
    assert_eq!(said.out.lines().count(), 7, "{}", said.out);
    let undone = run(&["dkim2", "undo", "--to", "1", file]);
    assert!(
        undone.out.contains("\r\nSubject: Working group last call draft-ietf-jmap-webpush-vapid\r\n"),
        "{}",
        undone.out
    );
    assert!(!undone.out.contains("i=2;") && undone.out.contains("i=1;"), "{}", undone.out);
    assert_eq!(run(&["dkim2", "undo", "--to", "9", file]).exit, Exit::Data);
    // Without the envelope nothing is proven, and everything is looked at.
    let said = run(&["dkim2", "verify", "--world", "/nonexistent", file]);
    assert_eq!(said.exit, Exit::NoInput);
}

const MAIL: &str = "From: ann@test1.dkim2.com\r\nTo: list@test2.dkim2.com\r\nSubject: Hi\r\n\r\nHello\r\nBye\r\n";

#[test]
fn signed_changed_and_signed_again() {
    let scratch = tempfile::tempdir().unwrap();
    let path = |name: &str| scratch.path().join(name).to_str().unwrap().to_owned();
    let key =
        |domain: &str| folder().join(format!("keys/ed25519._domainkey.{domain}.pem")).to_str().unwrap().to_owned();
    let world = |from: &str, to: &str| {
        let content = json!({"now": NOW, "mail_from": from, "rcpt": [to], "dns": dns()});
        std::fs::write(path("world.json"), content.to_string()).unwrap();
    };
    std::fs::write(path("plain.eml"), MAIL).unwrap();
    let (one, two) = (key("test1.dkim2.com"), key("test2.dkim2.com"));
    let (sender, list) = ("<ann@test1.dkim2.com>", "<list@test2.dkim2.com>");
    let first = ["dkim2", "sign", "--selector", "ed25519", "--key", &one, "--domain", "test1.dkim2.com"];
    let said = run(&[&first, ["--sender", sender, "--recipient", list, &path("plain.eml")].as_slice()].concat());
    assert_eq!(said.exit, Exit::Ok, "{}", said.err);
    assert!(said.out.ends_with(MAIL));
    std::fs::write(path("received.eml"), &said.out).unwrap();
    let edited = said.out.replace("Subject: Hi", "List-Id: <x>\r\nSubject: [x] Hi") + "footer\r\n";
    std::fs::write(path("edited.eml"), &edited).unwrap();

    let (received, outgoing) = (path("received.eml"), path("edited.eml"));
    let said = run(&["dkim2", "diff", &received, &outgoing]);
    assert_eq!(said.exit, Exit::Negative);
    assert_eq!(said.out, "+ list-id: <x>\n- subject: Hi\n+ subject: [x] Hi\nbody, line 3\n+ footer\n", "{}", said.err);
    let report = run(&["dkim2", "diff", "--json", &received, &outgoing]).json();
    assert_eq!(report["body"], json!([{"at": "3", "removed": [], "added": ["footer"]}]));
    assert_eq!(run(&["dkim2", "diff", &received, &received]).exit, Exit::Ok);
    let recipe = run(&["dkim2", "recipe", "make", &received, &outgoing]).out;
    assert_eq!(recipe, "{\"h\":{\"list-id\":[],\"subject\":[{\"d\":[\"Hi\"]}]},\"b\":[{\"c\":[1,2]}]}\n");
    std::fs::write(path("recipe"), run(&["dkim2", "recipe", "make", "--base64", &received, &outgoing]).out).unwrap();
    assert_eq!(
        run(&["dkim2", "recipe", "apply", &path("recipe"), &outgoing]).out.as_bytes(),
        std::fs::read(&received).unwrap()
    );
    assert_eq!(run(&["dkim2", "recipe", "lint", &path("recipe")]).exit, Exit::Ok);
    std::fs::write(path("bad"), "{\"h\":{\"received\":[]},\"b\":null}").unwrap();
    let said = run(&["dkim2", "recipe", "lint", &path("bad")]);
    assert_eq!((said.exit, said.out.lines().count()), (Exit::Negative, 2), "{}", said.out);
    let report = run(&["dkim2", "recipe", "lint", "--json", &path("bad")]).json();
    assert_eq!(report["remarks"].as_array().map(Vec::len), Some(2), "{report}");
    std::fs::write(path("bad"), "{\"b\":[{\"c\":[2,1]}]}").unwrap();
    assert_eq!(run(&["dkim2", "recipe", "lint", &path("bad")]).exit, Exit::Data);

    let second = ["dkim2", "sign", "--selector", "ed25519", "--key", &two, "--domain", "test2.dkim2.com"];
    let to = ["--sender", "<bounce@test2.dkim2.com>", "--recipient", "<bob@example.com>", "--flag", "exploded"];
    let from = ["--received", &received, "--world", &path("world.json"), &outgoing].map(str::to_owned);
    let further: Vec<&str> =
        [&second, to.as_slice()].concat().into_iter().chain(from.iter().map(String::as_str)).collect();
    world(sender, "<other@test2.dkim2.com>");
    let said = run(&further);
    assert_eq!(said.exit, Exit::Negative);
    assert!(said.err.contains("RCPT TO <other@test2.dkim2.com> did not match"), "{}", said.err);
    world(sender, list);
    let said = run(&further);
    assert_eq!(said.exit, Exit::Ok, "{}", said.err);
    std::fs::write(path("second.eml"), &said.out).unwrap();
    world("<bounce@test2.dkim2.com>", "<bob@example.com>");
    let report = run(&["dkim2", "verify", "--json", "--world", &path("world.json"), &path("second.eml")]).json();
    assert_eq!((&report["result"], &report["proven"]), (&json!("pass"), &json!("full")), "{report}");
    assert_eq!(report["hops"][1]["changed"], json!({"fields": ["list-id", "subject"], "body": "yes"}));
    assert_eq!(report["hops"][1]["flags"], json!(["exploded"]));
    world("<bounce@test2.dkim2.com>", "<eve@example.com>");
    let said = run(&["dkim2", "explain", "--draft", "09", "--world", &path("world.json"), &path("second.eml")]);
    assert_eq!(said.exit, Exit::Negative);
    assert!(said.out.contains("text      DKIM2-Signature i=2 RCPT TO <eve@example.com> did not match"), "{}", said.out);
    assert!(said.out.contains("draft 09") && said.out.contains("tag rt="), "{}", said.out);
}

/// From a.example's list to its author: made by the receiver, checked by the list, passed back by it.
#[test]
fn a_bounce_goes_back() {
    let scratch = tempfile::tempdir().unwrap();
    let path = |name: &str| scratch.path().join(name).to_str().unwrap().to_owned();
    let keys = |number: u8| {
        let key = folder().join(format!("keys/ed25519._domainkey.test{number}.dkim2.com.pem"));
        let words = ["--selector", "ed25519", "--key", key.to_str().unwrap(), "--domain"].map(str::to_owned);
        words.into_iter().chain([format!("test{number}.dkim2.com")]).collect::<Vec<_>>()
    };
    let world = |from: &str, to: &str| {
        let content = json!({"now": NOW, "mail_from": from, "rcpt": [to], "dns": dns()});
        std::fs::write(path("world.json"), content.to_string()).unwrap();
        path("world.json")
    };
    let said = |words: &[&str], keys: &[String], file: &str| {
        let keys = keys.iter().map(String::as_str);
        run(&words.iter().copied().chain(keys).chain([path(file).as_str()]).collect::<Vec<_>>())
    };
    let (author, list) = ("<ann@test1.dkim2.com>", "<list@test2.dkim2.com>");
    let (bounces, bob) = ("<bounce@test2.dkim2.com>", "<bob@test3.dkim2.com>");
    std::fs::write(path("plain"), MAIL).unwrap();
    let first = said(&["dkim2", "sign", "--sender", author, "--recipient", list], &keys(1), "plain");
    std::fs::write(path("received"), &first.out).unwrap();
    std::fs::write(path("edited"), first.out.replace("Subject: Hi", "Subject: [x] Hi")).unwrap();
    let (came, received) = (world(author, list), path("received"));
    let onward = ["dkim2", "sign", "--sender", bounces, "--recipient", bob, "--world", &came, "--received", &received];
    std::fs::write(path("second"), said(&onward, &keys(2), "edited").out).unwrap();

    let at_bob = world(bounces, bob);
    let make = ["dkim2", "bounce", "make", "--mta", "mx.test3.dkim2.com", "--world", &at_bob, "--status", "5.1.1"];
    let made =
        said(&[make.as_slice(), &["--recipient", bob, "--diagnostic", "no such user"]].concat(), &keys(3), "second");
    assert_eq!(made.exit, Exit::Ok, "{}", made.err);
    assert!(made.out.contains("Status: 5.1.1\r\nDiagnostic-Code: smtp; no such user\r\n"), "{}", made.out);
    std::fs::write(path("bounce"), &made.out).unwrap();
    // A stranger's domain may not sign it.
    let stranger = said(&[make.as_slice(), &["--recipient", bob]].concat(), &keys(4), "second");
    assert_eq!(stranger.exit, Exit::Data, "{}", stranger.out);

    let at_list = world("<>", bounces);
    let check = ["dkim2", "bounce", "check", "--world", &at_list, "--own", "test2.dkim2.com"];
    let checked = said(&check, &[], "bounce");
    assert_eq!(checked.exit, Exit::Ok, "{}", checked.err);
    assert_eq!(checked.out, "result    ours (draft 08)\naction    failed\nstatus    5.1.1\nhop       i=2\n");
    let report =
        said(&["dkim2", "bounce", "check", "--json", "--world", &at_list, "--own", "test9.dkim2.com"], &[], "bounce");
    assert_eq!(report.exit, Exit::Negative);
    assert_eq!(report.json()["reply"], "550 5.7.1");
    assert_eq!(report.json()["text"], "the returned message was last sent by test2.dkim2.com, not from here");

    let back =
        ["dkim2", "bounce", "back", "--world", &at_list, "--own", "test2.dkim2.com", "--mta", "mx.test2.dkim2.com"];
    let back = said(&back, &keys(2), "bounce");
    assert_eq!(back.exit, Exit::Ok, "{}", back.err);
    assert!(!back.out.contains("test3") && !back.out.contains("[x]") && back.out.contains(MAIL), "{}", back.out);
    std::fs::write(path("back"), &back.out).unwrap();
    let at_author = world("<>", author);
    let check = ["dkim2", "bounce", "check", "--world", &at_author, "--own", "test1.dkim2.com"];
    let checked = said(&check, &[], "back");
    assert_eq!(
        checked.out, "result    ours (draft 08)\naction    failed\nstatus    5.1.1\nhop       i=1\n",
        "{}",
        checked.err
    );
}

#[test]
fn words_for_what_cannot_be_read() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("recipe").to_str().unwrap().to_owned();
    std::fs::write(&path, "eyJ*").unwrap();
    let said = run(&["dkim2", "recipe", "lint", &path]);
    assert!(said.exit == Exit::Data && said.err.contains("neither JSON nor base64"), "{}", said.err);
    let said = run(&["dkim2", "diff", "-", "-"]);
    assert!(said.exit == Exit::Usage && said.err.contains("both messages"), "{}", said.err);
}
