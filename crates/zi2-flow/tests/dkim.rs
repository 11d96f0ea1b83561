//! Which keys of DKIM a configuration gives: folder, OpenDKIM's tables, and what is refused.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test")]

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use tempfile::TempDir;
use zi2_config::{Config, Paths};
use zi2_flow::{DkimRules, limits};
use zi2_keys::FileError;

const RSA: &str = include_str!("../../zi2-sig/tests/dkim/keys/rsa2048-pkcs8.pem");
const ED: &str = include_str!("../../zi2-sig/tests/dkim/keys/ed25519-pkcs8.pem");
/// The seed of an Ed25519 key in base64.
const SEED: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

/// A host that signs, with these files of mode 0400; HERE is its folder.
struct Host {
    root: TempDir,
    environment: Vec<(OsString, OsString)>,
}

impl Host {
    fn with(files: &[(&str, &str)]) -> Host {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text.replace("HERE", &root.path().display().to_string())).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        }
        let host = Host { root, environment: Vec::new() };
        let dkim = host.path("dkim").display().to_string();
        host.set("SERVER__SID", "mail.example.com")
            .set("SERVER__HOSTED", "example.com, sub.example.com, b.example")
            .set("DKIM__SIGN", "true")
            .set("DKIM__DIR", &dkim)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn set(mut self, name: &str, value: &str) -> Host {
        let value = value.replace("HERE", &self.root.path().display().to_string());
        self.environment.push((format!("ZI2__{name}").into(), value.into()));
        self
    }

    fn tables(self) -> Host {
        self.set("DKIM__KEY_TABLE", "HERE/keys").set("DKIM__SIGNING_TABLE", "refile:HERE/signing")
    }

    fn load(&self) -> Result<Option<DkimRules>, FileError> {
        let loaded = Config::load(&Paths::below(self.root.path()), self.environment.clone()).unwrap();
        DkimRules::load(&loaded.config, None)
    }
}

fn signers(rules: &DkimRules, from: &str) -> Vec<String> {
    let from = zi2_mail::parse_from(from.as_bytes()).unwrap();
    let shown = |who: zi2_sig::dkim::Identity| format!("{}._domainkey.{}", who.selector, who.domain);
    rules.identities(&from).into_iter().map(shown).collect()
}

#[test]
fn a_folder_signs_for_its_domain_alone() {
    let host = Host::with(&[("dkim/example.com/r.pem", RSA), ("dkim/example.com/e.pem", ED)]);
    let rules = host.load().unwrap().unwrap();
    assert_eq!(signers(&rules, "ann@example.com"), ["e._domainkey.example.com", "r._domainkey.example.com"]);
    for from in ["ann@sub.example.com", "ann@b.example"] {
        assert!(signers(&rules, from).is_empty(), "{from}");
    }
    assert_eq!(rules.keys().len(), 2);
    assert!(Host::with(&[]).load().unwrap().unwrap().keys().is_empty(), "no folder holds no key");
    let off = Host::with(&[("dkim/example.com/r.pem", "no key")]).set("DKIM__SIGN", "false");
    assert!(off.load().unwrap().is_none(), "and who does not sign reads none");
}

#[test]
fn tables_with_files_keys_of_their_own_and_a_file_for_each_domain() {
    let keys = format!("main example.com:m:HERE/main\nown b.example:o:{SEED}\neach %:each:HERE/each/%.pem\n");
    let signing = "*@example.com main\n*@*.example.com main:@sub.example.com\n*@b.example own\n* each\n";
    let host = Host::with(&[
        ("keys", &keys),
        ("signing", signing),
        ("main", RSA),
        ("each/example.com.pem", ED),
        ("each/b.example.pem", ED),
        ("dkim/b.example/o.pem", RSA),
    ])
    .tables();
    let rules = host.load().unwrap().unwrap();
    for (from, wanted) in [
        ("ann@example.com", &["m._domainkey.example.com", "each._domainkey.example.com"][..]),
        ("ann@sub.example.com", &["m._domainkey.example.com"]),
        ("ann@b.example", &["o._domainkey.b.example", "each._domainkey.b.example"]), // `o` is in the folder, too
        ("ann@elsewhere.example", &[]),
    ] {
        assert_eq!(signers(&rules, from), wanted, "{from}");
    }
    let all: Vec<String> = rules.keys().iter().map(|key| key.name().unwrap().to_string()).collect();
    assert_eq!(
        all,
        [
            "each._domainkey.b.example",
            "o._domainkey.b.example",
            "each._domainkey.example.com",
            "m._domainkey.example.com"
        ]
    );
}

#[test]
fn what_others_could_read_is_refused() {
    let keys = format!("own b.example:o:{SEED}\n");
    let open = |host: &Host, name: &str| {
        fs::set_permissions(host.path(name), fs::Permissions::from_mode(0o644)).unwrap();
        let error = host.load().err().unwrap();
        assert!(matches!(&error, FileError::Exposed { path, .. } if *path == host.path(name)), "{error}");
    };
    open(&Host::with(&[("keys", &keys), ("signing", "*@b.example own\n")]).tables(), "keys");
    open(&Host::with(&[("keys", "f b.example:o:HERE/f\n"), ("signing", ""), ("f", ED)]).tables(), "f");
    open(
        &Host::with(&[("keys", "f %:o:HERE/%.pem\n"), ("signing", ""), ("b.example.pem", ED)]).tables(),
        "b.example.pem",
    );
    let missing = Host::with(&[("keys", "f b.example:o:HERE/f\n"), ("signing", "")]).tables();
    assert!(missing.load().err().unwrap().is_absent());
}

#[test]
fn no_message_has_more_signatures_than_that() {
    let lines: String = (0..=limits::DKIM_SIGNATURES).map(|n| format!("k{n} b.example:s{n}:{SEED}\n")).collect();
    let signing: String = (0..=limits::DKIM_SIGNATURES).map(|n| format!("* k{n}\n")).collect();
    let rules = Host::with(&[("keys", &lines), ("signing", &signing)]).tables().load().unwrap().unwrap();
    assert_eq!(signers(&rules, "ann@b.example").len(), limits::DKIM_SIGNATURES);
    assert_eq!(rules.keys().len(), limits::DKIM_SIGNATURES + 1);
}
