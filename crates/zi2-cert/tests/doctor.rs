//! `doctor` on a host that is well, and on the same host with one thing broken: each is found, with its fix.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test")]

mod said;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use said::{Said, bare_host, zi2_cert_on};
use serde_json::{Value, json};
use tempfile::TempDir;
use zi2_cert::{Exit, Host};
use zi2_config::Paths;
use zi2_mail::Timestamp;
use zi2_sig::Kid;
use zi2_store::{Durability, Settings, SqliteStore};

/// A host below a folder of its own, with everything as the manual says.
struct Ward {
    dir: TempDir,
    host: Host,
    kid: String,
    world: Value,
    toml: String,
    main: String,
    columns: String,
    options: String,
    sockets: Vec<UnixListener>,
}

impl Ward {
    fn new() -> Ward {
        let dir = tempfile::tempdir().unwrap();
        let now = Timestamp::from_secs(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs());
        let (root, paths) = (dir.path().to_owned(), Paths::below(dir.path()));
        let mut ward = Ward {
            host: Host { environment: Vec::new(), root, paths, now, ..bare_host() },
            kid: Kid::of_month(now.month().0, now.month().1).unwrap().to_string(),
            world: json!({"now": 0, "dns": {}}),
            toml: toml(dir.path()),
            main: main_cf(dir.path()),
            columns: ["smtp", "submission"].map(|name| columns(&format!("{name}/inet"), "n", "smtpd")).concat()
                + &columns("cleanup/unix", "n", "cleanup"),
            options: options(dir.path()),
            sockets: Vec::new(),
            dir,
        };
        ward.folders();
        ward.write();
        ward.keys();
        SqliteStore::open(&ward.path("store/zi2.db"), Durability::Grouped, Settings::disk()).unwrap();
        ward.listen("egress");
        ward.listen("ingress");
        ward
    }

    fn folders(&self) {
        for (folder, mode) in [("", 0o755), ("etc/zi2", 0o755), ("run", 0o755), ("store", 0o700), ("usr/sbin", 0o755)] {
            fs::create_dir_all(self.path(folder)).unwrap();
            self.chmod(folder, mode);
        }
        let found = self.dir.path().metadata().unwrap();
        let (uid, gid) = (found.uid(), found.gid());
        fs::write(self.path("etc/passwd"), format!("zi2:x:{uid}:{gid}::/:\npostfix:x:4242:4242::/:\n")).unwrap();
        fs::write(self.path("etc/group"), format!("zi2:x:{gid}:other,postfix\npostfix:x:4242:\n")).unwrap();
        fs::write(self.path("checks"), "/^X-ZI2-Verified:/ IGNORE\n").unwrap();
        self.postconf(
            "case \"$*\" in *-F*) f=columns;; *-P*) f=options;; *) f=main;; esac\ncat \"${0%usr/sbin/postconf}$f\"",
        );
    }

    /// A key of this month, published wherever it should be, in a world whose resolver validates.
    fn keys(&mut self) {
        let keys = self.path("keys").to_str().unwrap().to_owned();
        assert_eq!(self.run(&["keygen", "--domain", "example.com", "--dir", &keys]).exit, Exit::Ok);
        let show = ["dns", "show", "--domain", "example.com", "--domain", "mail.example.com", "--format", "json"];
        for record in self.run(&show).json()["records"].as_array().unwrap() {
            self.publish(record["name"].as_str().unwrap(), &[record["value"].as_str().unwrap()]);
        }
        self.world["dns"]["_zi2cert.ietf.org"] = json!({"status": "NXDOMAIN", "dnssec": "secure"});
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn chmod(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    fn key(&self) -> String {
        format!("keys/{}.key", self.kid)
    }

    fn publish(&mut self, name: &str, texts: &[&str]) {
        self.world["dns"][name] = json!({"txt": texts.iter().map(|text| [text]).collect::<Vec<_>>()});
    }

    fn page_name(&self) -> String {
        format!("_zi2cert.{}.example.com", self.kid)
    }

    fn listen(&mut self, side: &str) {
        self.sockets.push(UnixListener::bind(self.path(&format!("run/{side}.sock"))).unwrap());
        self.chmod(&format!("run/{side}.sock"), 0o660);
    }

    fn replace(&mut self, old: &str, new: &str) {
        for text in [&mut self.toml, &mut self.main, &mut self.columns, &mut self.options] {
            *text = text.replace(old, new);
        }
    }

    fn write(&self) {
        let files = [
            ("etc/zi2/zi2.toml", &self.toml),
            ("main", &self.main),
            ("columns", &self.columns),
            ("options", &self.options),
        ];
        for (name, text) in files {
            fs::write(self.path(name), text).unwrap();
        }
        fs::write(self.path("world.json"), self.world.to_string()).unwrap();
    }

    fn postconf(&self, script: &str) {
        let path = self.path("usr/sbin/postconf");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        self.chmod("usr/sbin/postconf", 0o755);
    }

    fn run(&self, arguments: &[&str]) -> Said {
        let config = self.path("etc/zi2/zi2.toml");
        let all: Vec<&str> = arguments.iter().copied().chain(["--config", config.to_str().unwrap()]).collect();
        zi2_cert_on(self.host.clone(), &all)
    }

    fn doctor(&self) -> Said {
        self.write();
        let world = self.path("world.json");
        self.run(&["doctor", "--json", "--world", world.to_str().unwrap()])
    }
}

fn toml(dir: &Path) -> String {
    let dir = dir.display();
    format!(
        "[server]\nsid = \"mail.example.com\"\nhosted = [\"example.com\"]\nauthserv_id = \"zi2.example.com\"\nuser = \"zi2\"\n\
         [keys]\ndir = \"{dir}/keys\"\n[store]\npath = \"{dir}/store/zi2.db\"\n\
         [egress]\nlisten = [\"unix:{dir}/run/egress.sock\"]\n[ingress]\nlisten = [\"unix:{dir}/run/ingress.sock\"]\n"
    )
}

fn main_cf(dir: &Path) -> String {
    let dir = dir.display();
    format!(
        "smtpd_milters = unix:{dir}/run/ingress.sock\nnon_smtpd_milters = unix:{dir}/run/egress.sock\n\
         milter_default_action = accept\nmilter_protocol = 6\nqueue_directory = {dir}/spool\nmail_owner = postfix\n\
         myhostname = mail.example.com\nheader_checks = regexp:{dir}/checks\nsmtp_header_checks = regexp:{dir}/checks\n\
         smtp_generic_maps =\ncontent_filter =\n"
    )
}

fn options(dir: &Path) -> String {
    let egress = format!("unix:{}/run/egress.sock", dir.display());
    format!("submission/inet/smtpd_milters = {egress}\nsubmission/inet/milter_default_action = tempfail\n")
}

fn columns(name: &str, chroot: &str, command: &str) -> String {
    format!("{name}/chroot = {chroot}\n{name}/wakeup = -\n{name}/command = {command} -o x=y\n")
}

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
