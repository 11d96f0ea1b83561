//! A host that is well, to be broken in one place.
#![allow(dead_code, reason = "each test program uses a part")]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tempfile::TempDir;
use zi2_cert::{Exit, Host};
use zi2_config::Paths;
use zi2_mail::Timestamp;
use zi2_sig::Kid;
use zi2_store::{Durability, Settings, SqliteStore};

use super::said::{Said, bare_host, zi2_cert_on};

/// A host below a folder of its own, with everything as the manual says.
pub(crate) struct Ward {
    pub(crate) dir: TempDir,
    pub(crate) host: Host,
    pub(crate) kid: String,
    pub(crate) world: Value,
    pub(crate) toml: String,
    pub(crate) main: String,
    pub(crate) columns: String,
    pub(crate) options: String,
    pub(crate) sockets: Vec<UnixListener>,
}

impl Ward {
    pub(crate) fn new() -> Ward {
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

    pub(crate) fn folders(&self) {
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
    pub(crate) fn keys(&mut self) {
        let keys = self.path("keys").to_str().unwrap().to_owned();
        assert_eq!(self.run(&["keygen", "--domain", "example.com", "--dir", &keys]).exit, Exit::Ok);
        let show = ["dns", "show", "--domain", "example.com", "--domain", "mail.example.com", "--format", "json"];
        for record in self.run(&show).json()["records"].as_array().unwrap() {
            self.publish(record["name"].as_str().unwrap(), &[record["value"].as_str().unwrap()]);
        }
        self.world["dns"]["_zi2cert.ietf.org"] = json!({"status": "NXDOMAIN", "dnssec": "secure"});
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn chmod(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    pub(crate) fn key(&self) -> String {
        format!("keys/{}.key", self.kid)
    }

    pub(crate) fn publish(&mut self, name: &str, texts: &[&str]) {
        self.world["dns"][name] = json!({"txt": texts.iter().map(|text| [text]).collect::<Vec<_>>()});
    }

    pub(crate) fn page_name(&self) -> String {
        format!("_zi2cert.{}.example.com", self.kid)
    }

    pub(crate) fn listen(&mut self, side: &str) {
        self.sockets.push(UnixListener::bind(self.path(&format!("run/{side}.sock"))).unwrap());
        self.chmod(&format!("run/{side}.sock"), 0o660);
    }

    /// With everything that `setup postfix` prints for it.
    pub(crate) fn signs_with_dkim2(&mut self) {
        let run = self.path("run").display().to_string();
        self.toml += &format!("[dkim2]\nsign = true\nlisten = [\"unix:{run}/dkim2.sock\"]\n");
        self.main += "disable_mime_output_conversion = yes\nsmtp_line_length_limit = 0\nvirtual_alias_maps = hash:/a\n\
                      local_header_rewrite_clients = permit_inet_interfaces\n\
                      internal_mail_filter_classes = bounce\n\
                      zi2-sign_destination_recipient_limit = 1\n\
                      message_drop_headers = bcc, content-length, resent-bcc, return-path\n";
        self.columns += &columns("127.0.0.1:10026/inet", "n", "smtpd");
        self.columns += &columns("zi2-cleanup/unix", "n", "cleanup");
        let returning = [
            ("smtpd_milters", format!("unix:{run}/dkim2.sock")),
            ("milter_macro_daemon_name", "ORIGINATING".to_owned()),
            ("milter_default_action", "accept".to_owned()),
            ("content_filter", String::new()),
            ("receive_override_options", "no_unknown_recipient_checks,no_address_mappings".to_owned()),
            ("local_header_rewrite_clients", String::new()),
            ("cleanup_service_name", "zi2-cleanup".to_owned()),
        ];
        returning.iter().for_each(|(name, value)| self.options += &format!("127.0.0.1:10026/inet/{name} = {value}\n"));
        self.options += "smtp/inet/cleanup_service_name = zi2-cleanup\n\
                         zi2-cleanup/unix/message_drop_headers = return-path\n\
                         submission/inet/content_filter = zi2-sign:[127.0.0.1]:10026\n";
        self.listen("dkim2");
    }

    pub(crate) fn replace(&mut self, old: &str, new: &str) {
        for text in [&mut self.toml, &mut self.main, &mut self.columns, &mut self.options] {
            *text = text.replace(old, new);
        }
    }

    pub(crate) fn write(&self) {
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

    pub(crate) fn postconf(&self, script: &str) {
        let path = self.path("usr/sbin/postconf");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        self.chmod("usr/sbin/postconf", 0o755);
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        let config = self.path("etc/zi2/zi2.toml");
        let all: Vec<&str> = arguments.iter().copied().chain(["--config", config.to_str().unwrap()]).collect();
        zi2_cert_on(self.host.clone(), &all)
    }

    pub(crate) fn doctor(&self) -> Said {
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

pub(crate) fn columns(name: &str, chroot: &str, command: &str) -> String {
    format!("{name}/chroot = {chroot}\n{name}/wakeup = -\n{name}/command = {command} -o x=y\n")
}
