//! The commands as a user runs them: all vectors through `verify --world --json`, and what each command prints.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test")]

mod said;

use said::{cases, vectors, zi2_cert};
use zi2_cert::Exit;

#[test]
fn every_vector_in_its_world() {
    let folder = tempfile::tempdir().unwrap();
    let world = folder.path().join("world.json");
    let mut count = 0;
    for case in cases() {
        std::fs::write(&world, case["env"].to_string()).unwrap();
        let message = vectors().join(case["message"].as_str().unwrap());
        let said = zi2_cert(&["verify", "--world", world.to_str().unwrap(), "--json", message.to_str().unwrap()]);
        let report: serde_json::Value = serde_json::from_str(&said.out).unwrap();
        for key in ["result", "reason", "level"] {
            assert_eq!(report["zi2"][key], case["expect"][key], "{} {key}", case["name"]);
        }
        let exit = match case["expect"]["result"].as_str().unwrap() {
            "pass" => Exit::Ok,
            "temperror" => Exit::TempFail,
            _ => Exit::Negative,
        };
        assert_eq!(said.exit, exit, "{}", case["name"]);
        count += 1;
    }
    assert!(count >= 202);
}

#[test]
fn a_key_is_made_once_and_signs() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let keygen = ["keygen", "--domain", "example.com", "--kid", "zi2-cert-2026-04", "--dir", dir];
    let said = zi2_cert(&keygen);
    assert_eq!(said.exit, Exit::Ok, "{}", said.err);
    assert!(
        said.out.starts_with(&format!("Private key written to {dir}/zi2-cert-2026-04.key (mode 0400)\n")),
        "{}",
        said.out
    );
    assert!(said.out.contains("_zi2cert.example.com  TXT  \"v=ZI2CERT1; k=ed25519; p="));
    assert!(said.out.contains("_zi2cert.zi2-cert-2026-04.example.com  TXT  \"v=ZI2CERT1; k=ed25519; p="));
    assert_eq!(zi2_cert(&keygen).exit, Exit::CantCreate, "a live key is never overwritten");

    let record = said.out.split('"').nth(1).unwrap().to_owned();
    let mail = folder.path().join("mail.eml");
    let text = "From: ann@example.com\r\nTo: bob@example.net\r\nSubject: Hi\r\nDate: x\r\nMessage-ID: <1@example.com>\r\n\r\nHello\r\n";
    std::fs::write(&mail, text).unwrap();
    let key = format!("{dir}/zi2-cert-2026-04.key");
    let signed = zi2_cert(&[
        "sign",
        "--key",
        &key,
        "--sid",
        "mail.example.com",
        "--kid",
        "zi2-cert-2026-04",
        mail.to_str().unwrap(),
    ]);
    assert_eq!(signed.exit, Exit::Ok, "{}", signed.err);
    assert!(signed.out.ends_with(text));
    std::fs::write(&mail, &signed.out).unwrap();

    let time = signed.out.split("; t=").nth(1).unwrap().split(';').next().unwrap();
    let world = folder.path().join("world.json");
    let json =
        serde_json::json!({"now": time.parse::<u64>().unwrap(), "dns": {"_zi2cert.example.com": {"txt": [[record]]}}});
    std::fs::write(&world, json.to_string()).unwrap();
    let said = zi2_cert(&["verify", "--world", world.to_str().unwrap(), mail.to_str().unwrap()]);
    assert_eq!(said.exit, Exit::Ok);
    assert!(said.out.starts_with("result    pass (level 1)\nreason    ok.dns: "), "{}", said.out);
}

#[test]
fn troubles_have_their_exit_codes() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty");
    std::fs::write(&empty, "").unwrap();
    let empty = empty.to_str().unwrap();
    for (arguments, exit) in [
        (&["verify", empty][..], Exit::Data),
        (&["verify", "/nowhere/mail"], Exit::NoInput),
        (&["verify", "--world", "/nowhere", "/nowhere"], Exit::NoInput),
        (&["explain", "key.lost"], Exit::Usage),
        (&["verify"], Exit::Usage),
        (&["trust", "list", "--store", "/nonexistent/zi2.db"], Exit::Unavailable),
        (&["dns", "show", "--domain", "example.com", "--dir", "/nonexistent"], Exit::NoPerm),
        (&["config", "check"], Exit::Ok),
        (&["completions", "bash"], Exit::Ok),
        (&["man"], Exit::Ok),
        (&["explain", "key.not_found"], Exit::Ok),
        (&["explain"], Exit::Ok),
        (&["frobnicate"], Exit::Usage),
        (&["--help"], Exit::Ok),
        (&["keygen", "--domain", "a..b"], Exit::Usage),
    ] {
        let said = zi2_cert(arguments);
        assert_eq!(said.exit, exit, "{arguments:?}: {}", said.err);
        assert_eq!(said.out.is_empty(), exit != Exit::Ok, "results on stdout, talk on stderr: {arguments:?}");
    }
}

#[test]
fn the_keys_of_a_domain() {
    let folder = tempfile::tempdir().unwrap();
    let world = folder.path().join("world.json");
    let live = "v=ZI2CERT1; k=ed25519; p=V7srNmbCvR82CBFMP6iWDZTQaFODxBloQf9GWfDGITY=";
    let place =
        |name: &str, texts: &[&str]| serde_json::json!({name: {"txt": texts.iter().map(|t| [t]).collect::<Vec<_>>()}});
    let (draft, page) = ("_zi2cert.example.com", "_zi2cert.zi2-cert-2026-04.example.com");
    let with_kid = format!("{live}; kid=zi2-cert-2026-04");
    let (quoted, spki) =
        (format!("\"{live}\""), format!("v=ZI2CERT1; p={}; kid=zi2-cert-2026-04", "A".repeat(59) + "="));
    for (dns, exit, line) in [
        (place(draft, &[&with_kid, "v=spf1 -all"]), Exit::Ok, "kid=zi2-cert-2026-04 OK (Ed25519, 32 bytes)\n"),
        (place(page, &[live]), Exit::Ok, "kid=zi2-cert-2026-04 OK (Ed25519, 32 bytes)\n"),
        (place(draft, &["v=ZI2CERT1; p=; kid=zi2-cert-2026-04"]), Exit::Negative, "kid=zi2-cert-2026-04 REVOKED\n"),
        (place(draft, &[&quoted]), Exit::Negative, "kid=none BAD (not a ZI2 record"),
        (place(draft, &[&spki]), Exit::Negative, "SubjectPublicKeyInfo"),
        (serde_json::json!({}), Exit::Negative, ""),
        (serde_json::json!({draft: {"status": "SERVFAIL"}}), Exit::TempFail, ""),
    ] {
        std::fs::write(&world, serde_json::json!({"now": 1, "dns": dns}).to_string()).unwrap();
        let said = zi2_cert(&["verify", "--domain", "example.com", "--world", world.to_str().unwrap()]);
        assert_eq!(said.exit, exit, "{} {}", said.out, said.err);
        assert!(said.out.contains(line), "{} lacks {line}", said.out);
        assert_eq!(said.err.is_empty(), !said.out.is_empty(), "whoever prints no result says why");
    }
}

#[test]
fn records_are_shown_for_name_servers() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let made = zi2_cert(&["keygen", "--domain", "example.com", "--kid", "zi2-cert-2026-04", "--dir", dir]);
    assert_eq!(made.exit, Exit::Ok, "{}", made.err);
    let record = made.out.split('"').nth(1).unwrap();
    let said = zi2_cert(&["dns", "show", "--domain", "example.com", "--dir", dir]);
    assert_eq!(said.exit, Exit::Ok, "{}", said.err);
    assert!(said.out.contains(&format!("_zi2cert.example.com. 3600 IN TXT \"{record}\"\n")), "{}", said.out);
}

#[test]
fn history_goes_in_and_out() {
    let folder = tempfile::tempdir().unwrap();
    let (store, file) = (folder.path().join("zi2.db"), folder.path().join("history.jsonl"));
    let store = store.to_str().unwrap();
    std::fs::write(&file, "{\"schema\":\"nonsense\"}\n").unwrap();
    let refused = zi2_cert(&["trust", "import", file.to_str().unwrap(), "--store", store]);
    assert_eq!(refused.exit, Exit::Data, "{}", refused.out);
    assert!(refused.err.contains("line 1"), "{}", refused.err);
    let empty = zi2_cert(&["trust", "export", "--store", store]);
    assert_eq!(empty.exit, Exit::Ok, "{}", empty.err);
    std::fs::write(&file, &empty.out).unwrap();
    assert_eq!(zi2_cert(&["trust", "import", file.to_str().unwrap(), "--store", store]).exit, Exit::Ok);
    assert_eq!(zi2_cert(&["trust", "show", "example.com", "--store", store]).exit, Exit::Negative);
}

#[test]
fn manual_pages_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let said = zi2_cert(&["man", "--out", folder.path().to_str().unwrap()]);
    assert_eq!(said.exit, Exit::Ok, "{}", said.err);
    for (page, text) in [
        ("zi2-cert.1", "zi2\\-cert\\-doctor(1)"),
        ("zi2-cert-doctor.1", "75 no problem, but something could not"),
        ("zi2-cert-doctor.1", "\\-\\-postfix"),
        ("zi2-cert-verify.1", "\\-\\-jsonl"),
        ("zi2-cert-verify.1", "\\-\\-explain"),
        ("zi2-cert-verify.1", "75 one could not be judged now"),
        ("zi2-cert.1", "zi2\\-cert"),
        ("zi2-reasons.7", "key.not_found"),
        ("zi2.toml.5", ".SH KEYS"),
    ] {
        let page = std::fs::read_to_string(folder.path().join(page)).unwrap();
        assert!(page.contains(text), "{text}");
    }
}
