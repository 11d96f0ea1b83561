//! `doctor` on a host that is well, and on the same host with one thing broken: each is found, with its fix.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test")]

mod said;
mod ward;

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::{Value, json};
use ward::{Ward, columns};
use zi2_cert::Exit;
use zi2_cert::limits::DOCTOR_DOMAINS;
use zi2_mail::Timestamp;

#[test]
fn a_host_that_is_well() {
    let ward = Ward::new();
    let said = ward.doctor();
    assert_eq!(said.exit, Exit::Ok, "{}", said.out);
    let findings = said.json();
    for finding in findings["findings"].as_array().unwrap() {
        let has_room = finding["check"] != "store.room"; // that is this machine's
        assert!(!has_room || (finding["status"] == "ok" && finding["fix"].is_null()), "{finding}");
    }
    let checks: Vec<&str> =
        findings["findings"].as_array().unwrap().iter().map(|f| f["check"].as_str().unwrap()).collect();
    for check in [
        "config",
        "keys.files",
        "keys.current",
        "dns.resolver",
        "dns.dnssec",
        "dns.records",
        "dns.server",
        "store.file",
        "store.room",
        "socket.egress",
        "socket.ingress",
        "postfix.ingress",
        "postfix.egress",
        "postfix.failing",
        "postfix.forged",
        "postfix.leaving",
        "clock",
    ] {
        assert!(checks.contains(&check), "{check} is not in {checks:?}");
    }
    let table = ward.run(&["doctor", "--world", ward.path("world.json").to_str().unwrap()]);
    assert!(table.out.contains("\n\n0 problems, "), "{}", table.out);
    assert!(table.out.lines().filter(|line| line.starts_with("ok ")).count() >= checks.len() - 1);
}

/// What is broken, and what is found: check, status, a part of what was seen, a part of the fix.
type Case = (fn(&mut Ward), [&'static str; 4]);

fn examine(cases: &[Case]) {
    for (break_it, [check, status, seen, fix]) in cases {
        let mut ward = Ward::new();
        break_it(&mut ward);
        let said = ward.doctor();
        let findings = said.json();
        let is_found = |finding: &&Value| {
            finding["check"] == *check
                && finding["status"] == *status
                && finding["seen"].as_str().unwrap().contains(seen)
                && finding["fix"].as_str().unwrap_or_default().contains(fix)
        };
        let all = findings["findings"].as_array().unwrap();
        assert!(all.iter().any(|finding| is_found(&finding)), "{check} {status} {seen:?} {fix:?} in {all:#?}");
        let worst = |status: &str| all.iter().any(|finding| finding["status"] == status);
        let exit = match (worst("problem"), worst("unknown")) {
            (true, _) => Exit::Negative,
            (false, true) => Exit::TempFail,
            (false, false) => Exit::Ok,
        };
        assert_eq!(said.exit, exit, "{all:#?}");
    }
}

#[test]
fn configuration_keys_clock_and_store() {
    examine(&[
        (
            |ward| ward.replace("hosted =", "hostd ="),
            ["config", "problem", "did you mean hosted", "zi2-cert config check"],
        ),
        (
            |ward| ward.replace("[\"example.com\"]", "[]"),
            ["config", "warning", "no domain is hosted here", "config check"],
        ),
        (
            |ward| ward.chmod(&ward.key(), 0o440),
            ["keys.files", "problem", "mode 0440: others can use it", "chmod 0400 /"],
        ),
        (|ward| ward.chmod("keys", 0o770), ["keys.files", "problem", "mode 0770: others can use it", "chmod 0700 /"]),
        (
            |ward| ward.replace("user = \"zi2\"", "user = \"postfix\""),
            ["store.file", "problem", "postfix cannot write it", "chown -R postfix /"],
        ),
        (
            |ward| {
                let key = ward.path(&ward.key());
                fs::rename(&key, ward.path("elsewhere")).unwrap();
                symlink(ward.path("elsewhere"), key).unwrap();
            },
            ["keys.files", "problem", "is a link", "put the file itself there"],
        ),
        (
            |ward| fs::remove_dir_all(ward.path("keys")).unwrap(),
            ["keys.files", "problem", "keys is not there", "zi2-cert keygen --domain"],
        ),
        (
            |ward| fs::remove_file(ward.path(&ward.key())).unwrap(),
            [
                "keys.current",
                "problem",
                "no key whose month has come",
                "zi2-cert keygen --domain example.com --kid zi2-cert-",
            ],
        ),
        (
            |ward| fs::write(ward.path(&format!("keys/{}.pub", ward.kid)), format!("{}=\n", "A".repeat(43))).unwrap(),
            ["keys.pairs", "problem", ".pub is not the public key", "zi2-cert dns show --kid"],
        ),
        (
            |ward| ward.host.now = ward.host.now.add_secs(40 * 86_400),
            [
                "keys.current",
                "warning",
                "this month has no key of its own",
                "zi2-cert keygen --domain example.com --kid",
            ],
        ),
        (
            |ward| ward.replace("[keys]\n", "[keys]\nkid = \"zi2-cert-2025-01\"\n"),
            ["keys.current", "problem", "names zi2-cert-2025-01, which is not there", "--kid zi2-cert-2025-01"],
        ),
        (
            |ward| ward.host.now = Timestamp::from_secs(86_400),
            ["clock", "problem", "it is set to 1970-01-02", "timedatectl set-ntp true"],
        ),
        (
            |ward| ward.host.now = ward.host.now.sub_secs(86_400),
            ["clock", "problem", "was written 86", "timedatectl set-ntp true"],
        ),
        (
            |ward| ward.chmod("store/zi2.db", 0o644),
            ["store.file", "problem", "others can read or write it", "chmod 0600 /"],
        ),
        (|ward| ward.chmod("store", 0o777), ["store.file", "problem", "others can write in it", "chmod go-w /"]),
        (
            |ward| fs::write(ward.path("store/zi2.db"), "no database").unwrap(),
            ["store.file", "problem", "is damaged", "line above"],
        ),
        (
            |ward| fs::remove_dir_all(ward.path("store")).unwrap(),
            ["store.file", "problem", "there is no directory", "install -d -m 0700 -o zi2 /"],
        ),
        (
            |ward| {
                ["", "-wal", "-shm"]
                    .iter()
                    .for_each(|end| drop(fs::remove_file(ward.path(&format!("store/zi2.db{end}")))))
            },
            ["store.file", "ok", "at its first start", ""],
        ),
        (
            |ward| ward.replace("[store]\n", "[store]\nbackend = \"memory\"\n"),
            ["store.file", "warning", "kept in memory", "sqlite"],
        ),
    ]);
}

#[test]
fn names_and_sockets() {
    const OTHER: &str = "v=ZI2CERT1; k=ed25519; p=V7srNmbCvR82CBFMP6iWDZTQaFODxBloQf9GWfDGITY=";
    examine(&[
        (
            |ward| ward.world["dns"]["_zi2cert.mail.example.com"] = json!({"status": "TIMEOUT"}),
            ["dns.resolver", "problem", "no answer in time", "127.0.0.1:53"],
        ),
        (
            |ward| ward.world["dns"]["_zi2cert.ietf.org"] = json!({}),
            ["dns.dnssec", "warning", "", "apt install unbound"],
        ),
        (
            |ward| drop(ward.world["dns"].as_object_mut().unwrap().remove("_zi2cert.example.com")),
            [
                "dns.records",
                "problem",
                "_zi2cert.example.com does not publish zi2-cert-",
                "zi2-cert dns show --domain example.com --kid",
            ],
        ),
        (
            |ward| ward.publish("_zi2cert.example.com", &[&format!("{OTHER}; kid={}", ward.kid.clone())]),
            ["dns.records", "problem", "publishes another key as zi2-cert-", "zi2-cert dns show"],
        ),
        (
            |ward| ward.publish("_zi2cert.example.com", &[&format!("v=ZI2CERT1; p=; kid={}", ward.kid.clone())]),
            ["dns.records", "problem", "revokes zi2-cert-", "zi2-cert dns show"],
        ),
        (
            |ward| ward.publish("_zi2cert.example.com", &[&format!("\"{OTHER}\"")]),
            ["dns.records", "problem", "has a record that cannot be read", "zi2-cert dns show"],
        ),
        (
            |ward| ward.world["dns"]["_zi2cert.example.com"] = json!({"status": "SERVFAIL"}),
            ["dns.records", "unknown", "_zi2cert.example.com: the name servers failed", "try again"],
        ),
        (
            |ward| {
                let name = ward.page_name();
                drop(ward.world["dns"].as_object_mut().unwrap().remove(&name));
            },
            ["dns.records", "warning", "verifiers of the project page find no key", "zi2-cert dns show"],
        ),
        (
            |ward| ward.publish(&ward.page_name(), &[OTHER]),
            ["dns.records", "problem", "publishes another key", "zi2-cert dns show"],
        ),
        (
            |ward| {
                let parent = format!("{}.example.com", ward.kid);
                ward.world["dns"][parent] = json!({"a": ["192.0.2.1"]});
            },
            ["dns.records", "warning", "so the record below it does not count", "wildcard"],
        ),
        (
            |ward| ward.publish("_zi2cert.mail.example.com", &["v=spf1 -all"]),
            [
                "dns.server",
                "warning",
                "do not confirm this server's name",
                "zi2-cert dns show --domain mail.example.com",
            ],
        ),
        (
            |ward| fs::remove_file(ward.path("run/egress.sock")).unwrap(),
            ["socket.egress", "problem", "is not there", "systemctl enable --now"],
        ),
        (
            |ward| ward.sockets.clear(),
            ["socket.ingress", "problem", "does not accept connections", "systemctl enable --now"],
        ),
        (
            |ward| ward.chmod("run/ingress.sock", 0o600),
            ["socket.ingress", "problem", "postfix may not connect", "chgrp postfix /"],
        ),
        (|ward| ward.chmod("run", 0o700), ["socket.egress", "problem", "run is closed to it", "chmod o+x /"]),
        (
            |ward| {
                fs::remove_file(ward.path("run/egress.sock")).unwrap();
                fs::write(ward.path("run/egress.sock"), "").unwrap();
            },
            ["socket.egress", "problem", "is no socket", "rm /"],
        ),
        (
            |ward| {
                let socket = format!("unix:{}/run/ingress.sock", ward.dir.path().display());
                ward.toml = ward.toml.replace(&socket, "inet:127.0.0.1:1");
            },
            ["socket.ingress", "problem", "inet:127.0.0.1:1 does not accept connections", "systemctl"],
        ),
    ]);
}

#[test]
fn postfix_and_its_traps() {
    examine(&[
        (
            |ward| fs::remove_file(ward.path("usr/sbin/postconf")).unwrap(),
            ["postfix", "warning", "there is no postconf here", ""],
        ),
        (
            |ward| ward.postconf("echo 'postconf: fatal: open main.cf' >&2; exit 1"),
            ["postfix", "unknown", "postconf: fatal: open main.cf", "--postfix DIR"],
        ),
        (
            |ward| ward.main = ward.main.replace("smtpd_milters = unix", "smtpd_milters = unix:/other/sock, unix"),
            ["postfix.ingress", "ok", "smtp/inet: what arrives is verified", ""],
        ),
        (
            |ward| {
                ward.main =
                    ward.main.lines().skip(1).fold("smtpd_milters =\n".to_owned(), |all, line| all + line + "\n")
            },
            [
                "postfix.ingress",
                "problem",
                "smtp/inet: what arrives is not verified",
                "postconf -e 'smtpd_milters = unix:/",
            ],
        ),
        (
            |ward| ward.main = ward.main.replacen("ingress.sock", "egress.sock", 1),
            ["postfix.ingress", "problem", "goes to the certifying socket", "/run/ingress.sock' && postfix reload"],
        ),
        (
            |ward| ward.columns = ward.columns.replace("smtp/inet/chroot = n", "smtp/inet/chroot = y"),
            ["postfix.ingress", "problem", "chrooted, it looks for unix:/", "postconf -F 'smtp/inet/chroot = n'"],
        ),
        (
            |ward| ward.columns = ward.columns.replace("cleanup/unix/chroot = n", "cleanup/unix/chroot = y"),
            ["postfix.egress", "problem", "non_smtpd_milters: chrooted", "postconf -F 'cleanup/unix/chroot = n'"],
        ),
        (
            |ward| ward.options = "submission/inet/smtpd_milters = inet:127.0.0.1:8891\n".to_owned(),
            [
                "postfix.egress",
                "problem",
                "submission/inet: what is submitted is not certified",
                "postconf -P submission/inet/smtpd_milters=inet:127.0.0.1:8891,unix:/",
            ],
        ),
        // inherits the list of port 25
        (
            |ward| ward.options.clear(),
            ["postfix.egress", "problem", "as if it came from outside", "postconf -P submission/inet/smtpd_milters="],
        ),
        (
            |ward| ward.options.push_str("submission/inet/receive_override_options = no_address_mappings,no_milters\n"),
            ["postfix.egress", "problem", "submission/inet: what is submitted is not certified", ""],
        ),
        (
            |ward| ward.main = ward.main.replace("non_smtpd_milters = unix", "non_smtpd_milters = #"),
            [
                "postfix.egress",
                "warning",
                "sendmail(1), cron and web applications",
                "postconf -e 'non_smtpd_milters = #",
            ],
        ),
        (
            |ward| ward.columns = ward.columns.replace("submission/inet", "10587/inet"),
            ["postfix.egress", "warning", "no smtpd listens on port 587 or 465", "packaging/postfix.md"],
        ),
        (
            |ward| ward.options = ward.options.replace("egress.sock\n", "egress.sock, inet:127.0.0.1:8891\n"),
            [
                "postfix.order",
                "warning",
                "inet:127.0.0.1:8891 comes after ours",
                "smtpd_milters=inet:127.0.0.1:8891,unix:/",
            ],
        ),
        (
            |ward| {
                ward.toml = ward.toml.replace("zi2.example.com", "mail.example.com");
                ward.main = ward.main.replacen("smtpd_milters = ", "smtpd_milters = unix:opendkim/opendkim.sock, ", 1);
            },
            ["postfix.order", "warning", "results it writes as mail.example.com are removed", "authserv_id = \"zi2."],
        ),
        (
            |ward| {
                let ours = format!("unix:{}/run/egress.sock", ward.dir.path().display());
                ward.options = ward.options.replacen(&ours, &format!("{ours} {{ {ours}, connect_timeout=1s }}"), 1);
            },
            [
                "postfix.twice",
                "problem",
                "submission/inet: the same socket stands twice",
                "postconf -P submission/inet/smtpd_milters=",
            ],
        ),
        (
            |ward| ward.columns.push_str(&columns("127.0.0.1:10025/inet", "n", "smtpd")),
            [
                "postfix.twice",
                "warning",
                "comes back from a content filter",
                "postconf -P 127.0.0.1:10025/inet/smtpd_milters=",
            ],
        ),
        (
            |ward| ward.replace("milter_default_action = tempfail", "milter_default_action = reject"),
            [
                "postfix.failing",
                "warning",
                "mail is refused for good (reject)",
                "postconf -P submission/inet/milter_default_action=tempfail",
            ],
        ),
        (|_| {}, ["postfix.failing", "ok", "without the milter, mail is delivered unmarked (accept)", ""]),
        (
            |_| {},
            [
                "postfix.failing",
                "ok",
                "submission/inet: without the milter, the client tries again later (tempfail)",
                "",
            ],
        ),
        (
            |ward| ward.replace("milter_protocol = 6", "milter_protocol = 2"),
            ["postfix.protocol", "problem", "milter_protocol is 2", "postconf -e 'milter_protocol = 6'"],
        ),
        (
            |ward| fs::write(ward.path("checks"), "/^X-Other:/ IGNORE\n").unwrap(),
            ["postfix.forged", "warning", "forged X-ZI2-Verified", "header_checks = regexp:"],
        ),
        (
            |ward| fs::remove_file(ward.path("checks")).unwrap(),
            ["postfix.leaving", "unknown", "checks cannot be read", "ls -l /"],
        ),
        (
            |ward| ward.replace("smtp_generic_maps =", "smtp_generic_maps = hash:/etc/postfix/generic"),
            ["postfix.rewrites", "warning", "after they were certified", "sender_canonical_maps"],
        ),
    ]);
}

/// What is broken in a host that signs with DKIM2.
const DKIM2: [fn(&mut Ward); 11] = [
    |ward| ward.main = ward.main.replace("output_conversion = yes", "output_conversion = no"),
    |ward| ward.main = ward.main.replace("length_limit = 0", "length_limit = 998"),
    |ward| ward.main = ward.main.replace("recipient_limit = 1", "recipient_limit = 50"),
    |ward| ward.main = ward.main.replace("smtp_generic_maps =", "smtp_generic_maps = hash:/x"),
    |ward| ward.options = ward.options.replace("no_address_mappings", "no_milter"),
    |ward| ward.options = ward.options.replace("10026/inet/content_filter =", "10026/inet/content_filter = zi2-sign:x"),
    |ward| ward.options = ward.options.replace("submission/inet/content_filter = zi2-sign", "submission/inet/x = y"),
    |ward| ward.options = ward.options.replace("ORIGINATING", "mail.example.com"),
    |ward| ward.options = ward.options.replace("smtp/inet/cleanup_service_name", "smtp/inet/x"),
    |ward| {
        ward.options =
            ward.options.replace("local_header_rewrite_clients =", "local_header_rewrite_clients = static:all")
    },
    |ward| ward.main = ward.main.replace("filter_classes = bounce", "filter_classes = notify"),
];

#[test]
fn what_dkim2_wants_of_postfix() {
    let well = || {
        let mut ward = Ward::new();
        ward.signs_with_dkim2();
        ward
    };
    let wrong = |ward: &Ward| -> Vec<Value> {
        let findings = ward.doctor().json()["findings"].as_array().unwrap().clone();
        let is_about = |finding: &Value| {
            ["postfix.", "socket."].iter().any(|room| finding["check"].as_str().unwrap().starts_with(room))
        };
        findings.into_iter().filter(|finding| is_about(finding) && finding["status"] != "ok").collect()
    };
    let found = wrong(&well());
    assert!(found.is_empty(), "{found:#?}");
    for (break_it, [check, seen, fix]) in DKIM2.into_iter().zip([
        ["postfix.conversion", "made 7-bit", "postconf -e 'disable_mime_output_conversion = yes'"],
        ["postfix.conversion", "are cut after signing", "smtp_line_length_limit = 0"],
        ["postfix.recipients", "blind ones leave unsigned", "zi2-sign_destination_recipient_limit = 1"],
        ["postfix.rewrites", "header and envelope after they were signed", "sender_canonical_maps"],
        ["postfix.dkim2", "aliases and copies are applied again", "no_address_mappings"],
        ["postfix.dkim2", "around for ever", "10026/inet/content_filter="],
        ["postfix.dkim2", "no content_filter sends it around", "zi2-sign:[127.0.0.1]:10026"],
        ["postfix.dkim2", "no smtpd named ORIGINATING", "zi2-cert setup postfix"],
        ["postfix.dropped", "removes Bcc and Content-Length", "zi2-cleanup"],
        ["postfix.dkim2", "completed once more", "local_header_rewrite_clients="],
        ["postfix.bounces", "leave unsigned", "internal_mail_filter_classes = notify, bounce"],
    ]) {
        let mut ward = well();
        break_it(&mut ward);
        let found = wrong(&ward);
        let is_it = |finding: &&Value| {
            finding["check"] == check
                && finding["seen"].as_str().unwrap().contains(seen)
                && finding["fix"].as_str().unwrap().contains(fix)
        };
        assert!(found.iter().any(|finding| is_it(&finding)), "{check} {seen:?} {fix:?} in {found:#?}");
    }
}

#[test]
fn setup_prints_what_doctor_wants() {
    let mut ward = Ward::new();
    ward.signs_with_dkim2();
    ward.write();
    let text = ward.run(&["setup", "postfix"]);
    assert_eq!(text.exit, Exit::Ok, "{}", text.err);
    let sockets = ward.path("run");
    for line in [
        format!("smtpd_milters = unix:{}/ingress.sock", sockets.display()),
        "disable_mime_output_conversion = yes".to_owned(),
        "internal_mail_filter_classes = bounce".to_owned(),
        "zi2-sign_destination_recipient_limit = 1".to_owned(),
        "127.0.0.1:10026 inet n - n - - smtpd".to_owned(),
        format!("  -o smtpd_milters=unix:{}/dkim2.sock", sockets.display()),
        "  -o milter_macro_daemon_name=ORIGINATING".to_owned(),
        "  -o content_filter=zi2-sign:[127.0.0.1]:10026".to_owned(),
    ] {
        assert!(text.out.lines().any(|found| found == line), "{line} is not in\n{}", text.out);
    }
    assert!(!text.out.contains("10027"), "nothing is forwarded");
    let commands = ward.run(&["setup", "postfix", "--commands", "--address", "192.0.2.1"]).out;
    for line in [
        "postconf -M '192.0.2.1:10026/inet=192.0.2.1:10026 inet n - n - - smtpd'",
        "postconf -P 'pickup/unix/content_filter=zi2-sign:[192.0.2.1]:10026'",
        "postfix reload",
    ] {
        assert!(commands.lines().any(|found| found == line), "{line} is not in\n{commands}");
    }
    let mut ward = Ward::new();
    ward.replace("[ingress]\nlisten", "[chain]\nmode = \"off\"\n[ingress]\nlisten");
    ward.write();
    let text = ward.run(&["setup", "postfix"]).out;
    assert!(text.contains("submission inet ...\n  -o smtpd_milters=") && !text.contains("zi2-"), "{text}");
}

#[test]
fn a_host_that_only_verifies() {
    let mut ward = Ward::new();
    fs::remove_dir_all(ward.path("keys")).unwrap();
    let egress = format!("unix:{}/run/egress.sock", ward.dir.path().display());
    ward.toml = ward.toml.replace(&format!("\"{egress}\""), "");
    ward.main = ward.main.replace(&egress, "");
    ward.options.clear();
    let said = ward.doctor();
    assert_eq!(said.exit, Exit::Ok, "no key and no egress are needed: {}", said.out);
    let findings = said.json();
    let checks: Vec<&str> =
        findings["findings"].as_array().unwrap().iter().map(|f| f["check"].as_str().unwrap()).collect();
    assert!(
        !checks.iter().any(|check| ["dns.records", "postfix.egress", "postfix.leaving"].contains(check)),
        "{checks:?}"
    );
}

/// Whoever may not look is told so, and nothing is concluded from what was not seen.
#[test]
fn what_may_not_be_looked_at() {
    let ward = Ward::new();
    ward.write();
    ward.chmod("keys", 0o000);
    let said = ward.run(&["doctor", "--json", "--world", ward.path("world.json").to_str().unwrap()]);
    let is_root = fs::read_dir(ward.path("keys")).is_ok(); // whom no mode stops
    assert_eq!(said.exit, if is_root { Exit::Ok } else { Exit::TempFail }, "{}", said.out);
    ward.chmod("keys", 0o700);
}

#[test]
fn what_postfix_says_is_escaped() {
    let mut ward = Ward::new();
    ward.main = ward.main.replacen("smtpd_milters = ", "smtpd_milters = unix:/\u{1b}[2J\u{202e}, ", 1);
    ward.toml = ward.toml.replace("zi2.example.com", "mail.example.com");
    ward.write();
    let world = ward.path("world.json");
    let said = ward.run(&["doctor", "--world", world.to_str().unwrap()]);
    assert!(said.out.contains("\\u{1b}[2J\\u{202e}"), "{}", said.out);
    assert!(!said.out.contains(['\u{1b}', '\u{202e}']));
    assert!(ward.doctor().out.is_ascii());
}

#[test]
fn so_many_domains_are_looked_up() {
    for (hosted, left) in [(DOCTOR_DOMAINS, false), (DOCTOR_DOMAINS + 1, true)] {
        let mut ward = Ward::new();
        let domains: Vec<String> = (0..hosted).map(|number| format!("\"d{number}.example\"")).collect();
        ward.replace("[\"example.com\"]", &format!("[{}]", domains.join(", ")));
        let said = ward.doctor();
        assert!(said.out.contains("d0.example"), "{}", said.out);
        assert_eq!(said.out.contains("the records of 1 more domains"), left, "{hosted}");
    }
}
