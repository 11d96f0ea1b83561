//! Values, their origins, and the sample file.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod host;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use zi2_config::{KeySource, dump_json, dump_table, sample};
use zi2_sig::dkim::{Canon, Cover, Recipe, SignedField};

use host::{Host, SID};

#[test]
fn later_sources_win_a_key_at_a_time() {
    let host =
        Host::with("[server]\nsid = \"a.example.com\"\nuser = \"one\"\n[log]\nlevel = \"warn\"\nformat = \"json\"\n")
            .file("etc/zi2/conf.d/20-b.toml", "[server]\nsid = \"c.example.com\"\n")
            .file("etc/zi2/conf.d/10-a.toml", "[server]\nsid = \"b.example.com\"\nuser = \"two\"\n")
            .file("etc/zi2/conf.d/30.conf", "junk")
            .file("etc/zi2/conf.d/10-a.toml~", "junk")
            .file("etc/zi2/conf.d/.hidden.toml", "junk")
            .file("run/level", "debug\n")
            .set("ZI2__LOG__LEVEL_FILE", "ROOT/run/level")
            .set("ZI2__SERVER__GROUP", "")
            .set("ZI2__METRICS__LISTEN", "")
            .set("ZI2__DNS__SERVERS", "127.0.0.1, ::1\n192.0.2.1:5353");
    let loaded = host.load().unwrap();
    let shown = host.hide_root(&dump_table(&loaded.origins));
    let row = |name: &str| {
        let row = shown.lines().find(|row| row.starts_with(name)).unwrap();
        row.split_whitespace().skip(1).collect::<Vec<_>>().join(" ")
    };
    for (name, wanted) in [
        ("server.sid", "\"c.example.com\" /etc/zi2/conf.d/20-b.toml:2:7"),
        ("server.authserv_id", "\"c.example.com\" from server.sid"),
        ("server.user", "\"two\" /etc/zi2/conf.d/10-a.toml:3:8"),
        ("server.group", "\"\" from the primary group of server.user"),
        ("log.level", "\"debug\" /run/level (ZI2__LOG__LEVEL_FILE)"),
        ("log.format", "\"json\" /etc/zi2/zi2.toml:6:10"),
        ("metrics.listen", "\"\" ZI2__METRICS__LISTEN"),
        ("dns.servers", "[\"127.0.0.1:53\", \"[::1]:53\", \"192.0.2.1:5353\"] ZI2__DNS__SERVERS"),
        ("replay.allowance", "20 default"),
    ] {
        assert_eq!(row(name), wanted);
    }
    assert_eq!(loaded.config.metrics.listen, None);
    let json = dump_json(&loaded.origins);
    assert_eq!(json["settings"][0]["value"], "c.example.com");
    assert_eq!(json["settings"][0]["origin"]["line"], 2);
    assert!(host.notices().contains("/etc/zi2/conf.d/30.conf: not read, since its name does not end in .toml"));
    assert!(!host.notices().contains("10-a.toml~"));
}

#[test]
fn notices() {
    for (host, wanted) in [
        (
            Host::empty().set("ZI2__SERVER__SID", "a.example").set("ZI2__EGRESS__LISTEN", ""),
            "/etc/zi2/zi2.toml: there is no such file; defaults and environment are all there is",
        ),
        (Host::with(SID), "server.hosted: no domain is hosted here, so nothing will be certified; name your domains"),
        (
            Host::with(
                "[server]\nsid = \"a.example\"\n[egress]\nlisten = []\n[ingress]\nlisten = [\"inet:0.0.0.0:1\"]\n",
            ),
            "ingress.listen: inet:0.0.0.0:1 can be reached from other hosts; whoever reaches it can use it, so let a firewall \
             keep them out",
        ),
        (
            Host::with(
                "[server]\nsid = \"a.example\"\n[egress]\nlisten = []\n[chain]\nmode = \"off\"\ntrusted_sealers = [\"b.example\"]\n",
            ),
            "chain.trusted_sealers: nobody is believed while chain.mode is off; set it to mark or evaluate",
        ),
    ] {
        assert_eq!(host.notices(), wanted);
    }
}

#[test]
fn the_key_file_of_the_product_page() {
    let no_egress = format!("{SID}[egress]\nlisten = []\n");
    let product = |toml: &str, public: &str| {
        Host::with(toml)
            .file("etc/zi2/keys/readme", "")
            .file("etc/zi2-mail-guard/zi2-cert.key", "secret")
            .file("etc/zi2-mail-guard/zi2-cert.pub", public)
    };
    let host = product(SID, "abc= # zi2-cert-2026-04\n");
    let keys = host.load().unwrap().config.keys;
    assert_eq!(keys.kid.unwrap().to_string(), "zi2-cert-2026-04");
    assert_eq!(keys.source, KeySource::ProductFile(host.path("etc/zi2-mail-guard/zi2-cert.key")));
    assert!(host.notices().starts_with(
        "keys.dir: it holds no key, so /etc/zi2-mail-guard/zi2-cert.key is used; move it there as KID.key when you can"
    ));
    assert_eq!(
        product(SID, "abc=").problems(),
        "keys.kid: not set, and /etc/zi2-mail-guard/zi2-cert.pub names none; write the identifier that the key was published \
         with below [keys], as in kid = \"zi2-cert-2026-04\""
    );
    assert_eq!(product(&no_egress, "abc=").problems(), "none", "a server that certifies nothing needs no key");
    let host = product(SID, "").file("etc/zi2/keys/zi2-cert-2026-05.key", "");
    assert_eq!(host.load().unwrap().config.keys.source, KeySource::Directory(host.path("etc/zi2/keys")));
}

/// Another value than the default, for every kind of setting.
fn another(section: &str, key: &str, root: &Path) -> String {
    let table = root.join("table");
    fs::write(&table, "example.org\n").unwrap();
    let senders = root.join("rules");
    fs::write(&senders, "a@example.org  b\n").unwrap();
    let own = root.join("own");
    fs::write(&own, "login a example.org\n").unwrap();
    let (keys, signing) = (root.join("keys"), root.join("signing"));
    fs::write(&keys, "k example.org:s:/key\n").unwrap();
    fs::write(&signing, "example.org k\n").unwrap();
    match (section, key) {
        ("server", "sid" | "authserv_id") => "\"other.example.com\"".to_owned(),
        ("server", "hosted") | ("chain", "trusted_sealers") => "[\"example.com\"]".to_owned(),
        ("server", "hosted_file") => format!("{:?}", table),
        ("server", _) => "\"other\"".to_owned(),
        ("keys", "dir") => format!("{:?}", root),
        ("keys", _) => "\"zi2-cert-2026-04\"".to_owned(),
        ("egress" | "ingress" | "dkim2", "listen") => "[\"unix:/other\"]".to_owned(),
        ("senders", "own_domain") | ("egress", "add_missing") => "false".to_owned(),
        ("senders", "map") => format!("[{:?}]", own),
        ("senders", "postfix_maps") => format!("[{:?}]", senders),
        ("egress", "issued_log") | ("replay", "sync") => "true".to_owned(),
        ("egress", "form") => "\"page\"".to_owned(),
        ("egress", _) => "\"reject\"".to_owned(),
        ("ingress", "mode") => "\"monitor\"".to_owned(),
        ("ingress", "page_name") | ("chain" | "replay", "mode") | ("replay", "dkim2") | ("dkim2", "bounces") => {
            "\"off\"".to_owned()
        }
        ("ingress" | "chain", "deadline") => "\"1s\"".to_owned(),
        ("ingress", _) | ("history", "min_span" | "idle" | "expected") => "\"48h\"".to_owned(),
        ("replay", "capacity") => "5000".to_owned(),
        ("dkim", "sign") | ("dkim2", "sign" | "forward") => "true".to_owned(),
        ("dkim2", "exploded") => "false".to_owned(),
        ("dkim2", "hash") => "\"both\"".to_owned(),
        ("dkim2", "draft") => "\"09\"".to_owned(),
        ("dkim2", "hidden_recipients") => "\"sign\"".to_owned(),
        ("dkim2", "feedback") => "\"wanted\"".to_owned(),
        ("dkim2", "snapshot_expiry") => "\"3d\"".to_owned(),
        ("dkim" | "dkim2", "dir") | ("dkim2", "snapshots") => format!("{root:?}"),
        // One table is nothing without the other.
        ("dkim", "key_table") => format!("{keys:?}\nsigning_table = {signing:?}"),
        ("dkim", "signing_table") => format!("{signing:?}\nkey_table = {keys:?}"),
        ("dkim", "canonicalization") => "\"simple/simple\"".to_owned(),
        ("dkim", "expiry") => "\"7d\"".to_owned(),
        ("dkim", _) => "[\"x-other\"]".to_owned(),
        ("dns", "servers") => "[\"127.0.0.1\"]".to_owned(),
        ("dns", "trust_ad") => "\"never\"".to_owned(),
        ("dns", "timeout") | ("limits", "shutdown") => "\"5s\"".to_owned(),
        ("store", "backend") => "\"memory\"".to_owned(),
        ("store", _) => "\"/other.db\"".to_owned(),
        ("log", "format") => "\"json\"".to_owned(),
        ("log", "addresses") => "\"full\"".to_owned(),
        ("log", _) => "\"debug\"".to_owned(),
        ("metrics", _) => "\"[::1]:1\"".to_owned(),
        _ => "7".to_owned(),
    }
}

#[test]
fn every_setting_has_an_effect() {
    let default = Host::with(SID).load().unwrap();
    for setting in default.origins.iter() {
        let host = Host::with(SID);
        let value = another(setting.section, setting.key, host.root.path());
        let host = host.file("etc/zi2/conf.d/x.toml", format!("[{}]\n{} = {value}\n", setting.section, setting.key));
        let loaded = host.load().unwrap_or_else(|problems| panic!("{problems}"));
        assert!(loaded.config != default.config, "{}.{} = {value}", setting.section, setting.key);
    }
}

#[test]
fn every_word_has_a_meaning() {
    let mut seen = BTreeSet::new();
    // A paragraph of prose as one line.
    for line in sample().replace("\n# ", " ").lines() {
        let words = line.rsplit_once('(').filter(|(_, words)| words.contains(" | ")).map(|(_, words)| words);
        seen.extend(words.into_iter().flat_map(|words| words.trim_end_matches(')').split(" | ").map(str::to_owned)));
    }
    assert!(seen.contains("combined") && seen.contains("loopback"), "{seen:?}");
    for (section, key, words) in [
        ("egress", "form", &["combined", "draft", "page"][..]),
        ("egress", "on_mismatch", &["skip", "reject"]),
        ("ingress", "mode", &["mark", "monitor"]),
        ("ingress", "page_name", &["fallback", "off"]),
        ("chain", "mode", &["mark", "evaluate", "off"]),
        ("replay", "mode", &["off", "flag", "fail"]),
        ("replay", "dkim2", &["off", "log", "fail"]),
        ("dkim2", "bounces", &["off", "check", "reject"]),
        ("dkim", "canonicalization", &["relaxed/relaxed", "relaxed/simple", "simple/relaxed", "simple/simple"]),
        ("dkim2", "hash", &["sha256", "sha512", "both"]),
        ("dkim2", "draft", &["08", "09"]),
        ("dkim2", "hidden_recipients", &["skip", "sign"]),
        ("dkim2", "feedback", &["none", "wanted", "through_here"]),
        ("dns", "trust_ad", &["loopback", "always", "never"]),
        ("store", "backend", &["sqlite", "memory"]),
        ("log", "format", &["text", "json"]),
        ("log", "addresses", &["none", "domain", "hash", "full"]),
        ("log", "level", &["error", "warn", "info", "debug", "trace"]),
    ] {
        for word in words {
            let host = Host::with(SID).file("etc/zi2/conf.d/x.toml", format!("[{section}]\n{key} = \"{word}\"\n"));
            assert_eq!(host.problems(), "none", "{section}.{key} = {word}");
            seen.remove(*word);
        }
    }
    assert_eq!(seen, BTreeSet::new());
}

#[test]
fn how_mail_is_signed_with_dkim() {
    let default = Host::with(SID).load().unwrap().config.dkim;
    assert!(!default.sign && default.tables.is_none());
    assert_eq!((default.dir.as_path(), &default.recipe), (Path::new("/etc/zi2/dkim"), &Recipe::default()));
    let host = Host::with(&format!(
        "{SID}hosted = [\"a.example\"]\n[egress]\nadd_missing = false\n[dkim]\nsign = true\ncanonicalization = \"relaxed/simple\"\n\
         expiry = \"7d\"\nsealed = [\"from\", \"Date\", \"Subject\"]\nsigned = [\"X-Mine\"]\nkey_table = \"ROOT/keys\"\n"
    ))
    .set("ZI2__DKIM__SIGNING_TABLE", "refile:ROOT/signing")
    .file("keys", "k a.example:s:/key\n")
    .file("signing", "*@a.example k\n");
    let dkim = host.load().unwrap().config.dkim;
    let fields = [
        ("date", Cover::Present),
        ("subject", Cover::Sealed),
        ("x-mine", Cover::Present),
        ("x-zi2-certified", Cover::Present),
    ];
    let fields = fields.map(|(name, cover)| SignedField::new(name, cover).unwrap());
    let canon = Canon::parse(b"relaxed/simple").unwrap();
    assert_eq!((dkim.sign, dkim.recipe), (true, Recipe::new(canon, fields).with_lifetime(7 * 86_400)));
    let from = zi2_mail::parse_from(b"x@a.example").unwrap();
    assert_eq!(dkim.tables.unwrap().choices(&from).len(), 1);
    let one = Host::with(&format!("{SID}[dkim]\nkey_table = \"/none\"\n"));
    assert_eq!(one.problems(), "dkim.signing_table: not set, and dkim.key_table is; name both tables, or none");
    let none = Host::with(&format!("{SID}[dkim]\nkey_table = \"/none\"\nsigning_table = \"/none\"\n"));
    assert!(none.problems().starts_with("/none: there is no such file"), "{}", none.problems());
}

#[test]
fn what_dkim2_needs() {
    let host = |more: &str| Host::with(&format!("{SID}hosted = [\"a.example\"]\n{more}"));
    let (sign, listen) = ("[dkim2]\nsign = true\n", "listen = [\"unix:/d\"]\n");
    for (more, notice) in [
        (sign.to_owned(), ""),
        (format!("{sign}{listen}forward = true\n"), ""),
        (format!("[dkim2]\n{listen}"), "dkim2.listen: it does nothing, since dkim2.sign is false"),
        ("[dkim2]\nforward = true\n".to_owned(), "dkim2.forward: it does nothing, since dkim2.sign is false"),
        (format!("{sign}forward = true\n"), "dkim2.forward: it does nothing, since dkim2.listen names no listener"),
        (
            format!("{sign}{listen}forward = true\n[ingress]\nlisten = []\n"),
            "dkim2.forward: it does nothing, since ingress.listen names no listener",
        ),
        (
            format!("{sign}[egress]\nlisten = []\n"),
            "dkim2.sign: it does nothing, since neither egress.listen nor dkim2.listen names a listener",
        ),
    ] {
        assert_eq!(host(&more).notices(), notice, "{more}");
    }
    let both = format!("{sign}listen = [\"unix:/run/zi2/egress.sock\"]\n");
    assert!(host(&both).problems().contains("unix:/run/zi2/egress.sock"), "{}", host(&both).problems());
    let config = |more: &str| host(more).load().unwrap().config.dkim2;
    assert!(config(sign).signs_on_egress() && !config(&format!("{sign}{listen}")).signs_on_egress());
    let kept = config(&format!("{sign}{listen}forward = true\nsnapshot_megabytes = 5\n"));
    assert_eq!(kept.keeps().map(|place| (place.octets, place.expiry.as_secs())), Some((5_000_000, 7 * 86_400)));
    assert!(config("[dkim2]\nforward = true\n").keeps().is_none());
}

#[test]
fn the_sample_is_the_default() {
    let default = Host::with(SID).load().unwrap().config;
    let as_it_is = Host::with(&sample()).set("ZI2__SERVER__SID", "mail.example.com").load().unwrap().config;
    assert_eq!(as_it_is, default);
    let switched_on: String = sample()
        .lines()
        .map(|line| line.strip_prefix('#').filter(|rest| !rest.is_empty() && !rest.starts_with(' ')).unwrap_or(line))
        .filter(|line| !["hosted_file", "map ", "key_table", "signing_table"].iter().any(|key| line.starts_with(key))) // named, they must exist
        .map(|line| format!("{line}\n"))
        .collect();
    let all_on = Host::with(&switched_on).load().unwrap();
    assert_eq!(all_on.config.server.group.as_deref(), Some("zi2"));
    assert_eq!((all_on.config.egress, all_on.config.dns), (default.egress, default.dns));
}
