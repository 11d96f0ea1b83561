//! DKIM in the command: keys are made, shown, used by `sign`, and looked at by `doctor`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test")]

mod said;
mod ward;

use std::fs;

use serde_json::Value;
use ward::Ward;
use zi2_cert::Exit;

const MAIL: &str =
    "From: ann@example.com\nTo: bob@example.net\nSubject: Hi\nDate: x\nMessage-ID: <1@example.com>\n\nHello\n";

/// A host with keys of DKIM that are published, and that signs.
fn signing() -> Ward {
    let mut ward = Ward::new();
    ward.toml.push_str(&format!("[dkim]\nsign = true\ndir = \"{}\"\n", ward.path("dkim").display()));
    ward.write();
    let made = ward.run(&["keygen", "--dkim", "--domain", "example.com", "--selector", "s", "--json"]);
    assert_eq!(made.exit, Exit::Ok, "{}", made.err);
    for key in made.json()["keys"].as_array().unwrap() {
        let text = |name: &str| key["record"][name].as_str().unwrap();
        ward.publish(text("name"), &[text("value")]);
    }
    ward
}

fn findings(ward: &Ward) -> Vec<(String, String, String, String)> {
    let text = |finding: &Value, name: &str| finding[name].as_str().unwrap_or_default().to_owned();
    let all = ward.doctor().json();
    let all = all["findings"].as_array().unwrap().iter();
    let ours = all.filter(|finding| finding["check"].as_str().unwrap().starts_with("dkim."));
    ours.map(|f| (text(f, "check"), text(f, "status"), text(f, "seen"), text(f, "fix"))).collect()
}

#[test]
fn keys_are_made_once_under_their_selectors() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    for (arguments, files) in [
        (&["--selector", "one", "--rsa"][..], &["one"][..]),
        (&["--selector", "two", "--ed25519"], &["two"]),
        (&["--selector", "both"], &["both-rsa", "both-ed25519"]),
    ] {
        let all = [&["keygen", "--dkim", "--domain", "example.com", "--dir", dir], arguments].concat();
        let said = said::zi2_cert(&all);
        assert_eq!(said.exit, Exit::Ok, "{}", said.err);
        for file in files {
            let path = folder.path().join(format!("example.com/{file}.pem"));
            assert!(
                said.out.contains(&format!("Private key written to {} (mode 0400)\n", path.display())),
                "{}",
                said.out
            );
            assert!(said.out.contains(&format!("  {file}._domainkey.example.com  TXT  \"v=DKIM1; k=")), "{}", said.out);
        }
        assert!(said.err.contains("sign = true below [dkim]"), "{}", said.err);
        assert_eq!(said::zi2_cert(&all).exit, Exit::CantCreate, "a key is never overwritten");
    }
    // An RSA key does not fit one string of a TXT record.
    let rsa = said::zi2_cert(&["keygen", "--dkim", "--domain", "b.example", "--rsa", "--dir", dir]);
    let record = rsa.out.lines().find(|line| line.contains("_domainkey")).unwrap();
    assert_eq!(record.matches('"').count(), 4, "{record}");
    for wrong in [&["keygen", "--rsa", "--domain", "example.com"][..], &["keygen", "--dkim"]] {
        assert_eq!(said::zi2_cert(wrong).exit, Exit::Usage);
    }
}

#[test]
fn records_are_shown_beside_those_of_the_certifying_key() {
    let ward = signing();
    for (format, wanted) in [
        ("zone", "s-rsa._domainkey.example.com. 3600 IN TXT \"v=DKIM1; k=rsa; p=MII"),
        ("json", "\"selector\":\"s-ed25519\""),
    ] {
        let said = ward.run(&["dns", "show", "--format", format]);
        assert!(said.out.contains(wanted) && said.out.contains("_zi2cert.example.com"), "{}", said.out);
    }
    let one = ward.run(&["dns", "show", "--kid", &ward.kid]);
    assert!(!one.out.contains("_domainkey"), "{}", one.out);
}

#[test]
fn a_message_is_signed_where_the_configuration_signs() {
    let ward = signing();
    let mail = ward.path("mail.eml");
    fs::write(&mail, MAIL).unwrap();
    let signed = ward.run(&["sign", mail.to_str().unwrap()]);
    assert_eq!(signed.exit, Exit::Ok, "{}", signed.err);
    assert!(signed.out.starts_with("DKIM-Signature: ") && signed.out.ends_with(MAIL), "{}", signed.out);
    fs::write(&mail, &signed.out).unwrap();
    let world = ward.path("world.json");
    let mut outside = ward.world.clone();
    outside["now"] = ward.host.now.secs().into();
    fs::write(&world, outside.to_string()).unwrap();
    let said = ward.run(&["verify", "--world", world.to_str().unwrap(), "--json", mail.to_str().unwrap()]);
    let report = said.json();
    assert_eq!(report["zi2"]["result"], "pass", "{report:#}");
    assert_eq!(said.out.matches("\"s-rsa\"").count() + said.out.matches("\"s-ed25519\"").count(), 2, "{report:#}");
    let other = MAIL.replace("ann@example.com", "ann@elsewhere.example");
    fs::write(&mail, other).unwrap();
    let said = ward.run(&["sign", mail.to_str().unwrap()]);
    assert!(
        said.out.starts_with("X-ZI2-Certified: ") && said.err.contains("no key for the From address"),
        "{}",
        said.err
    );
}

#[test]
fn doctor_looks_at_keys_and_records() {
    let well = findings(&signing());
    assert_eq!(well.iter().map(|f| f.1.as_str()).collect::<Vec<_>>(), ["ok", "ok", "ok"], "{well:#?}");
    assert_eq!(findings(&Ward::new())[0].2, "mail is not signed with DKIM here, as [dkim] sign says");
    type Case = (fn(&mut Ward), [&'static str; 4]);
    let (rsa, ed25519) = ("s-rsa._domainkey.example.com", "s-ed25519._domainkey.example.com");
    let cases: [Case; 7] = [
        (
            |w| w.publish("s-rsa._domainkey.example.com", &["v=DKIM1; p="]),
            ["dkim.records", "problem", "revokes the key", "keygen --dkim"],
        ),
        (
            |w| w.publish("s-rsa._domainkey.example.com", &[]),
            ["dkim.records", "problem", rsa, "zi2-cert dns show --domain example.com"],
        ),
        (
            |w| {
                w.publish(
                    "s-ed25519._domainkey.example.com",
                    &["v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="],
                )
            },
            ["dkim.records", "problem", "publishes another key", "dns show"],
        ),
        (
            |w| w.world["dns"]["s-ed25519._domainkey.example.com"] = serde_json::json!({"status": "SERVFAIL"}),
            ["dkim.records", "unknown", ed25519, "try again"],
        ),
        (|w| w.chmod("dkim/example.com/s-rsa.pem", 0o444), ["dkim.keys", "problem", "chmod 0400", "does not start"]),
        (
            |w| fs::remove_file(w.path("dkim/example.com/s-rsa.pem")).unwrap(),
            ["dkim.keys", "warning", "Ed25519 alone", "--rsa"],
        ),
        (|w| w.replace("sign = true", "sign = false"), ["dkim.keys", "warning", "not signed with them", "sign = true"]),
    ];
    for (break_it, [check, status, seen, fix]) in cases {
        let mut ward = signing();
        break_it(&mut ward);
        let all = findings(&ward);
        let is_found = |f: &(String, String, String, String)| {
            f.0 == check && f.1 == status && f.2.contains(seen) && f.3.contains(fix)
        };
        assert!(all.iter().any(is_found), "{check} {status} {seen:?} {fix:?} in {all:#?}");
    }
    let mut unsigned = signing();
    unsigned.replace("hosted = [\"example.com\"]", "hosted = [\"example.com\", \"b.example\"]");
    assert!(findings(&unsigned).iter().any(|f| f.2 == "b.example has no key"));
}
