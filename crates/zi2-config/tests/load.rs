//! Loading from a directory that stands for the root of a host: values, their origins, and the text of every problem.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use zi2_config::{Config, KeySource, Loaded, Paths, Problems, dump_json, dump_table, sample};

/// A host: files below a temporary root, whose name is taken out of messages.
struct Host {
    root: tempfile::TempDir,
    environment: Vec<(OsString, OsString)>,
}

/// Everything that is there before a test adds something: nothing but a name.
const SID: &str = "[server]\nsid = \"mail.example.com\"\n";

impl Host {
    fn empty() -> Host {
        Host { root: tempfile::tempdir().unwrap(), environment: Vec::new() }
    }

    fn with(toml: &str) -> Host {
        Host::empty().file("etc/zi2/zi2.toml", toml)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn file(self, name: &str, text: impl AsRef<[u8]>) -> Host {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        // In a text, ROOT is this host's root.
        let root = self.root.path().as_os_str().as_encoded_bytes();
        let text = text.as_ref();
        let at = text.windows(4).position(|w| w == b"ROOT");
        let text = at.map_or(text.to_vec(), |at| [&text[..at], root, &text[at + 4..]].concat());
        fs::write(path, text).unwrap();
        self
    }

    fn set(mut self, name: &str, value: &str) -> Host {
        self.environment.push((name.into(), value.replace("ROOT", &self.root.path().display().to_string()).into()));
        self
    }

    /// Defaults are real paths of a host; tests must not see this one's.
    fn load(&self) -> Result<Loaded, Problems> {
        self.load_from(&Paths::below(self.root.path()))
    }

    fn load_from(&self, paths: &Paths) -> Result<Loaded, Problems> {
        let defaults = [
            ("ZI2__SERVER__HOSTED_FILE", "etc/zi2/hosted"),
            ("ZI2__SENDERS__MAP", "etc/zi2/senders"),
            ("ZI2__KEYS__DIR", "etc/zi2/keys"),
        ];
        let mut environment = self.environment.clone();
        for (name, path) in defaults {
            if self.path(path).exists() {
                environment.push((name.into(), self.path(path).into()));
            }
        }
        Config::load(paths, environment)
    }

    fn problems(&self) -> String {
        match self.load() {
            Ok(_) => "none".to_owned(),
            Err(problems) => self.hide_root(&problems.to_string()),
        }
    }

    fn notices(&self) -> String {
        let notices = self.load().unwrap().notices;
        let shown: Vec<String> = notices.iter().map(ToString::to_string).collect();
        self.hide_root(&shown.join("\n"))
    }

    fn hide_root(&self, text: &str) -> String {
        text.replace(&self.root.path().display().to_string(), "")
    }
}

const FILE: &str = "/etc/zi2/zi2.toml";

#[test]
fn every_problem_of_a_value_says_where_what_and_what_to_do() {
    for (toml, wanted) in [
        ("[server]\nsidd = \"a.example\"", ":2:1: [server] has no key \"sidd\"; did you mean sid?"),
        (
            "[server]\nflavour = 1",
            ":2:1: [server] has no key \"flavour\"; write sid, authserv_id, hosted, hosted_file, user or group",
        ),
        ("[server]\nform = \"page\"", ":2:1: [server] has no key \"form\"; it is a key of [egress]"),
        ("[sever]\nsid = 1", ":1:2: there is no section [sever]; did you mean [server]?"),
        (
            "[arc]",
            ":1:2: there is no section [arc]; write server, keys, egress, senders, ingress, replay, history, dns, store, log, \
             metrics or limits",
        ),
        ("sid = \"a.example\"", ":1:1: the key \"sid\" stands outside of the sections; write it below [server]"),
        ("mode = \"off\"", ":1:1: the key \"mode\" stands outside of the sections; write it below its [section]"),
        ("server = 1", ":1:1: server is a section; write [server] and its keys below"),
        ("[[server]]\nsid = 1", ":1:3: server is a section; write [server] and its keys below"),
        (
            "[server]\n\tsid = 5",
            ":2:8: server.sid is a number; write a host name in quotes, as in \"mail.example.com\"",
        ),
        (
            "[server]\nhosted = [\"a.example\", 5]",
            ":2:24: an item of server.hosted is a number; write a list of domains, as in [\"example.com\", \"example.org\"]",
        ),
        (
            "[server]\nhosted = [\"\u{fc}.example\", \"a b\"]",
            ":2:24: an item of server.hosted = \"a b\": the domain holds octet 0x20; letters, digits, hyphens and dots are \
             allowed",
        ),
        ("[replay]\nallowance = 65", ":2:13: replay.allowance = 65 is out of range; write 0 to 64"),
        (
            "[replay]\nallowance = 99999999999999999999",
            ":2:13: replay.allowance is a number of more than 64 bits; write a whole number from 0 to 64, without quotes",
        ),
        (
            "[replay]\nallowance = 1.5",
            ":2:13: replay.allowance is a number with a fraction; write a whole number from 0 to 64, without quotes",
        ),
        ("[replay]\nmode = \"fial\"", ":2:8: replay.mode = \"fial\" is unknown; did you mean fail?"),
        ("[replay]\nmode = \"drop\"", ":2:8: replay.mode = \"drop\" is unknown; write off, flag or fail"),
        ("[ingress]\nwindow = \"30m\"", ":2:10: ingress.window = 30m is out of range; write 1h to 7d"),
        (
            "[ingress]\nwindow = 1979-05-27",
            ":2:10: ingress.window is a date; write a duration in quotes, as in \"60ms\", \"25s\", \"24h\" or \"7d\"",
        ),
        (
            "[dns]\nservers = [[\"a\"]]",
            ":2:12: an item of dns.servers is a list in a list; write a list of addresses, as in [\"127.0.0.1:53\"]",
        ),
        (
            "[server.user]\nname = 1",
            ":1:1: server.user is a table; write the name of an account in quotes, as in \"zi2\"",
        ),
        (
            "[egress]\nlisten = [\"unix:/s\"]\n[ingress]\nlisten = [\"unix:/s\"]",
            ":4:10: unix:/s is listened on twice; give each listener a socket of its own",
        ),
        (
            "[log]\nlevel = \"info\"\nlevel = \"warn\"",
            ":3:1: this key or section stands in the file a second time; keep one of the two",
        ),
        ("[log]\n[dns]\n[log]", ":3:2: this key or section stands in the file a second time; keep one of the two"),
        (
            "[log]\nlevel = info",
            ":2:9: this is not TOML: invalid float, expected `inf`; a line reads key = value, and texts stand in quotes",
        ),
    ] {
        let host =
            Host::with(toml).set("ZI2__SERVER__AUTHSERV_ID", "").file("proc/sys/kernel/hostname", "mx.example.net\n");
        assert_eq!(host.problems(), format!("{FILE}{wanted}"), "{toml}");
    }
}

#[test]
fn all_problems_at_once() {
    let host = Host::with("[server]\nsid = \"mail\"\nhosted_file = \"/none\"\n[replay]\nmoode = 1\nsync = 1\n")
        .file("etc/zi2/conf.d/50-x.toml", "[log]\nformat = \"xml\"\n")
        .file("etc/zi2/senders", "login\n")
        .set("ZI2__DNS__QUERIES", "none");
    assert_eq!(
        host.problems(),
        "/etc/zi2/zi2.toml:5:1: [replay] has no key \"moode\"; did you mean mode?\n\
         /etc/zi2/zi2.toml:6:8: replay.sync is a number; write true or false, without quotes\n\
         /etc/zi2/zi2.toml:2:7: server.sid = \"mail\": the host name has one label; write it in full, as in mail.example.com\n\
         /etc/zi2/conf.d/50-x.toml:2:10: log.format = \"xml\" is unknown; write text or json\n\
         ZI2__DNS__QUERIES: dns.queries is a text; write a whole number from 1 to 1000, without quotes\n\
         /none: there is no such file; create it, or name another\n\
         /etc/zi2/senders:1:1: the rule names nobody; write login NAME DOMAIN..."
    );
}

#[test]
fn a_value_that_another_replaces_is_checked_too() {
    let host =
        Host::with("[log]\nlevel = \"loud\"\n").set("ZI2__LOG__LEVEL", "debug").set("ZI2__SERVER__SID", "a.example");
    assert_eq!(
        host.problems(),
        "/etc/zi2/zi2.toml:2:9: log.level = \"loud\" is unknown; write error, warn, info, debug or trace"
    );
}

#[test]
fn files_that_cannot_be_read() {
    let large = format!("# {}\n", "x".repeat(1024 * 1024));
    for (host, wanted) in [
        (
            Host::empty().file("etc/zi2/zi2.toml", large),
            "/etc/zi2/zi2.toml: it has more than 1048576 octets; is it the right file?",
        ),
        (
            Host::empty().file("etc/zi2/zi2.toml", b"[log]\n#\xc3\xbc\xff\n"),
            "/etc/zi2/zi2.toml:2:3: this is not UTF-8; save it as UTF-8 text",
        ),
        (
            Host::empty().file("etc/zi2/zi2.toml/x", ""),
            "/etc/zi2/zi2.toml: reading it failed: Is a directory (os error 21)",
        ),
        (
            Host::with(SID).file("etc/zi2/conf.d", ""),
            "/etc/zi2/conf.d: reading it failed: Not a directory (os error 20)",
        ),
        (
            Host::with(SID).file("etc/zi2/senders", b"login a \xff"),
            "/etc/zi2/senders:1:9: this is not UTF-8; save it as UTF-8 text",
        ),
        (
            Host::with(SID).file("etc/zi2/hosted", "a b\n"),
            "/etc/zi2/hosted:1:3: a line of this file is one domain; \"b\" is too much",
        ),
        (
            Host::empty().set("ZI2__SERVER__SID_FILE", "ROOT/none"),
            "/none (ZI2__SERVER__SID_FILE): there is no such file; create it, or name another",
        ),
    ] {
        assert_eq!(host.problems(), wanted);
    }
    let host = Host::with(SID);
    let named = Paths::below(host.root.path()).with_file(host.path("other/x.toml"));
    let problems = host.load_from(&named).unwrap_err().to_string();
    assert_eq!(host.hide_root(&problems), "/other/x.toml: there is no such file; create it, or name another");
    let denied = zi2_config::Fault::Denied.to_string();
    assert!(
        denied.starts_with("reading it is not permitted; give the account that runs this program the right"),
        "{denied}"
    );
    assert_eq!(
        zi2_config::Fault::TooManyFiles { limit: 9 }.to_string(),
        "it holds more than 9 files; join some of them"
    );
    assert_eq!(
        zi2_config::Fault::Bug("x".to_owned()).to_string(),
        "this program's own table is wrong about x; please report it"
    );
}

#[test]
fn problems_of_variables() {
    for (name, value, wanted) in [
        ("ZI2__SERVER__SDI", "x", ": no setting has this name; did you mean ZI2__SERVER__SID?"),
        ("ZI2__COLOUR", "x", ": no setting has this name; write ZI2__SECTION__KEY, as in ZI2__SERVER__SID"),
        ("ZI2__SERVER__USER_FILE", "/none", ": it is set, and ZI2__SERVER__USER too; keep one of the two"),
        ("ZI2__REPLAY__SYNC", "yes", ": replay.sync is a text; write true or false, without quotes"),
        ("ZI2__SERVER__HOSTED", "a.example, b", "none"),
        (
            "ZI2__SERVER__HOSTED",
            "a.example, *",
            ": an item of server.hosted = \"*\": the domain holds octet 0x2a; letters, \
             digits, hyphens and dots are allowed",
        ),
    ] {
        let host = Host::with(SID).set("ZI2__SERVER__USER", "mail").set(name, value).set("ZI2_OTHER", "is not ours");
        let wanted = if wanted == "none" { wanted.to_owned() } else { format!("{name}{wanted}") };
        assert_eq!(host.problems(), wanted);
    }
    let mut host = Host::with(SID);
    host.environment.push(("ZI2__LOG__LEVEL".into(), OsString::from_vec(vec![0xff])));
    assert_eq!(host.problems(), "ZI2__LOG__LEVEL: this is not UTF-8; save it as UTF-8 text");
}

#[test]
fn the_name_of_the_host() {
    let advice = "write it below [server], as in sid = \"mail.example.com\"";
    for (kernel, hosts, wanted) in [
        ("mail.example.com\n", "", Ok("mail.example.com")),
        ("mail\n", "127.0.1.1 Mail.example.com mail\n", Ok("mail.example.com")),
        (
            "mail\n",
            "",
            Err("(\"mail\") does not do: the host name has one label; write it in full, as in mail.example.com"),
        ),
        (
            "mail.local\n",
            "",
            Err(
                "(\"mail.local\") does not do: names under localhost, local, internal, invalid, onion and arpa name no public host",
            ),
        ),
        (
            "localhost.localdomain",
            "",
            Err("(\"localhost.localdomain\") does not do: names under localdomain name no public host"),
        ),
        (
            "",
            "",
            Err("(\"\") does not do: the domain has an empty label; write it without a leading, final or double dot"),
        ),
    ] {
        let host = Host::empty().file("proc/sys/kernel/hostname", kernel).file("etc/hosts", hosts);
        match (host.load(), wanted) {
            (Ok(loaded), Ok(name)) => {
                assert_eq!(loaded.config.server.sid.as_str(), name);
                assert_eq!(loaded.config.server.authserv_id.as_str(), name);
                let origins = dump_table(&loaded.origins);
                assert!(origins.lines().next().unwrap().ends_with("  from the full name of this host"), "{origins}");
            }
            (Err(problems), Err(why)) => {
                assert_eq!(
                    problems.to_string(),
                    format!("server.sid: not set, and the name of this host {why}; {advice}")
                );
            }
            (got, wanted) => panic!("{got:?} {wanted:?}"),
        }
    }
}

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
    match (section, key) {
        ("server", "sid" | "authserv_id") => "\"other.example.com\"".to_owned(),
        ("server", "hosted") => "[\"example.com\"]".to_owned(),
        ("server", "hosted_file") => format!("{:?}", table),
        ("server", _) => "\"other\"".to_owned(),
        ("keys", "dir") => format!("{:?}", root),
        ("keys", _) => "\"zi2-cert-2026-04\"".to_owned(),
        ("egress" | "ingress", "listen") => "[\"unix:/other\"]".to_owned(),
        ("senders", "own_domain") | ("egress", "add_missing") => "false".to_owned(),
        ("senders", "map") => format!("[{:?}]", own),
        ("senders", "postfix_maps") => format!("[{:?}]", senders),
        ("egress", "issued_log") | ("replay", "sync") => "true".to_owned(),
        ("egress", "form") => "\"page\"".to_owned(),
        ("egress", _) => "\"reject\"".to_owned(),
        ("ingress", "mode") => "\"monitor\"".to_owned(),
        ("ingress", "page_name") | ("replay", "mode") => "\"off\"".to_owned(),
        ("ingress", "deadline") => "\"1s\"".to_owned(),
        ("ingress", _) | ("history", "min_span" | "idle" | "expected") => "\"48h\"".to_owned(),
        ("replay", "capacity") => "5000".to_owned(),
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
    for line in sample().lines().filter(|line| line.starts_with('[') || line.starts_with("# ")) {
        let words = line.rsplit_once('(').filter(|(_, words)| words.contains(" | ")).map(|(_, words)| words);
        seen.extend(words.into_iter().flat_map(|words| words.trim_end_matches(')').split(" | ").map(str::to_owned)));
    }
    assert!(seen.contains("combined") && seen.contains("loopback"), "{seen:?}");
    for (section, key, words) in [
        ("egress", "form", &["combined", "draft", "page"][..]),
        ("egress", "on_mismatch", &["skip", "reject"]),
        ("ingress", "mode", &["mark", "monitor"]),
        ("ingress", "page_name", &["fallback", "off"]),
        ("replay", "mode", &["off", "flag", "fail"]),
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
fn the_sample_is_the_default() {
    let default = Host::with(SID).load().unwrap().config;
    let as_it_is = Host::with(&sample()).set("ZI2__SERVER__SID", "mail.example.com").load().unwrap().config;
    assert_eq!(as_it_is, default);
    let switched_on: String = sample()
        .lines()
        .map(|line| line.strip_prefix('#').filter(|rest| !rest.is_empty() && !rest.starts_with(' ')).unwrap_or(line))
        .filter(|line| !line.starts_with("hosted_file") && !line.starts_with("map ")) // named, they must exist
        .map(|line| format!("{line}\n"))
        .collect();
    let all_on = Host::with(&switched_on).load().unwrap();
    assert_eq!(all_on.config.server.group.as_deref(), Some("zi2"));
    assert_eq!((all_on.config.egress, all_on.config.dns), (default.egress, default.dns));
}

#[test]
fn octets_of_every_kind_are_refused_in_words() {
    let deep = format!("[server]\nhosted = {}", "[".repeat(100_000));
    let wide = format!("[server]\n{}", (0..50_000).map(|n| format!("k{n}=1\n")).collect::<String>());
    for toml in [deep, wide, "\u{feff}[server]\nsid = \"\\u202e\"".to_owned()] {
        let problems = Host::with(&toml).problems();
        assert!(problems.lines().count() <= 101 && problems.starts_with(FILE), "{problems}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_octets_panic(
        toml in prop::collection::vec(prop_oneof![
            prop::sample::select(vec!["[", "]", "server", "sid", "=", "\"", "\n", ".", ",", "{", "}", "hosted", "'", "1"])
                .prop_map(|text| text.as_bytes().to_vec()),
            prop::collection::vec(any::<u8>(), 0..4),
        ], 0..40),
        value in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        let mut host = Host::empty().file("etc/zi2/zi2.toml", toml.concat()).file("etc/zi2/senders", &value);
        host.environment.push(("ZI2__SERVER__HOSTED".into(), OsString::from_vec(value)));
        let _ = host.load().map_err(|problems| problems.to_string());
    }
}
