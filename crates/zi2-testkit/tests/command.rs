//! Every case that needs no memory of earlier mail and no DMARC through `zi2-cert verify --world --json`, and what the
//! command says of keys and files that cases are about.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test")]

mod common;

use std::ffi::OsString;
use std::path::Path;

use common::{differences, steps};
use zi2_cert::{Exit, Host, Io, Surface, Talk, run};
use zi2_config::Paths;
use zi2_mail::{Message, Timestamp};
use zi2_testkit::{KID, TIME, cases, folder};

struct Said {
    exit: Exit,
    out: String,
    err: String,
}

fn zi2_cert(arguments: &[&str], mut input: &[u8]) -> Said {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let host = Host {
        environment: Vec::new(),
        root: "/nonexistent".into(),
        paths: Paths::below("/nonexistent".as_ref()),
        now: Timestamp::from_secs(TIME),
        out: Surface::Other,
        err: Surface::Other,
        talk: Talk::Normal,
    };
    let arguments = std::iter::once("zi2-cert").chain(arguments.iter().copied()).map(OsString::from);
    let exit = run(arguments, &mut Io { input: &mut input, out: &mut out, err: &mut err, host });
    Said { exit, out: String::from_utf8(out).unwrap(), err: String::from_utf8(err).unwrap() }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn every_case() {
    let place = tempfile::tempdir().unwrap();
    let world = place.path().join("world.json");
    let (cases, mut found, mut count) = (cases(), Vec::new(), 0);
    for (case, step, name) in steps(&cases) {
        // The command has no memory between two runs, and DMARC is not evaluated yet.
        let first = case.steps.first() == Some(step);
        if step.dmarc.is_some() || step.issued || (case.in_sequence && !first) {
            continue;
        }
        std::fs::write(&world, zi2_testkit::world(case, &step.world).to_string()).unwrap();
        let message = folder().join(&case.id).join(&step.message);
        let said = zi2_cert(&["verify", "--world", text(&world), "--json", text(&message)], b"");
        let exit = step.expect.exit.unwrap_or(match step.expect.result.as_str() {
            "pass" => 0,
            "temperror" => 75,
            _ => 1,
        });
        let mut wrong = Vec::new();
        if said.exit.code() != exit {
            wrong.push(format!("exit {}, not {exit}: {}", said.exit.code(), said.err));
        }
        if exit != 65 {
            let report = serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{name}: {e}: {}", said.out));
            wrong.extend(differences(&report, &step.expect));
        }
        found.extend(wrong.into_iter().map(|what| format!("{name}: {what}")));
        count += 1;
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(count > 150, "only {count}");
}

/// The table for people says the same and copies nothing either.
#[test]
fn every_case_in_words() {
    let place = tempfile::tempdir().unwrap();
    let world = place.path().join("world.json");
    let cases = cases();
    for (case, step, name) in steps(&cases).filter(|(_, step, _)| !step.expect.absent.is_empty()) {
        std::fs::write(&world, zi2_testkit::world(case, &step.world).to_string()).unwrap();
        let message = folder().join(&case.id).join(&step.message);
        let said = zi2_cert(&["verify", "--world", text(&world), text(&message)], b"");
        let verdict = format!("result    {} (level {})\n", step.expect.result, step.expect.level);
        assert!(said.out.starts_with(&verdict), "{name}: {}", said.out);
        for absent in step.expect.absent.iter().filter(|absent| absent.as_str() != "first") {
            assert!(!said.out.contains(absent.as_str()), "{name}: {absent} in {}", said.out);
        }
        assert!(said.out.bytes().all(|octet| octet == b'\n' || (0x20..0x7f).contains(&octet)), "{name}: {}", said.out);
    }
}

/// TC-028 and TC-033, as sketched: on standard input.
#[test]
fn on_standard_input() {
    let place = tempfile::tempdir().unwrap();
    let world = place.path().join("world.json");
    std::fs::write(&world, zi2_testkit::zone().to_string()).unwrap();
    let verify = |input: &[u8]| zi2_cert(&["verify", "--world", text(&world), "--json", "-"], input);
    assert_eq!(verify(b"").exit, Exit::Data);
    let lf = std::fs::read(folder().join("TC-033/message.eml")).unwrap();
    assert!(!lf.contains(&b'\r'));
    assert_eq!(verify(&lf).exit, Exit::Ok);
}

/// TC-115: the operator is told what is wrong with the record.
#[test]
fn a_key_in_the_wrong_wrapping_is_explained() {
    let place = tempfile::tempdir().unwrap();
    let world = place.path().join("world.json");
    let case = cases().into_iter().find(|case| case.id == "TC-115").unwrap();
    std::fs::write(&world, zi2_testkit::world(&case, &case.steps[0].world).to_string()).unwrap();
    let said = zi2_cert(&["verify", "--domain", "good.example", "--world", text(&world)], b"");
    assert_eq!(said.exit, Exit::Negative);
    assert!(said.out.contains("SubjectPublicKeyInfo"), "{}", said.out);
}

/// TC-072 in the command: whatever certifications a message carries, `sign` leaves one, its own.
#[test]
fn signing_leaves_one_certification() {
    let place = tempfile::tempdir().unwrap();
    let key = place.path().join("key");
    let seed = zi2_sig::pkcs8_pem(&[7; 32]);
    std::fs::write(&key, seed.as_bytes()).unwrap();
    restrict(&key);
    let message = folder().join("TC-072/message.eml");
    let names =
        ["--key", text(&key), "--sid", "mx.recv.example", "--kid", KID, "--nonce", "000102030405060708090a0b0c0d0e0f"];
    let said = zi2_cert(&[&["sign"][..], &names, &[text(&message)]].concat(), b"");
    assert_eq!(said.exit, Exit::Ok, "{}", said.err);
    let signed = Message::split(said.out.as_bytes());
    let certified: Vec<_> = signed.header.named("x-zi2-certified").collect();
    assert_eq!(certified.len(), 1);
    assert!(certified[0].value().starts_with(b" v=1; d=recv.example;"));
    assert!(!said.out.contains("garbage"));
}

fn restrict(key: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(key, std::fs::Permissions::from_mode(0o400)).unwrap();
}
