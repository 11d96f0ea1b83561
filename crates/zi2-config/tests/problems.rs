//! The text of every problem, its place included.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod host;

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

use proptest::prelude::*;
use zi2_config::{Paths, dump_table, limits};

use host::{Host, SID};

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
            ":1:2: there is no section [arc]; write server, keys, egress, senders, dkim, dkim2, ingress, chain, replay, history, dns, \
             store, log, metrics or limits",
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
fn what_is_exactly_at_a_limit_is_read() {
    let padded = |octets: u64| format!("{SID}#{}", "x".repeat(usize::try_from(octets).unwrap() - SID.len() - 1));
    let files = |number: usize| {
        (0..number).fold(Host::with(SID), |host, number| host.file(&format!("etc/zi2/conf.d/{number}.toml"), ""))
    };
    let user = |octets: usize| Host::with(&format!("{SID}user = \"{}\"\n", "x".repeat(octets)));
    for (at, above, wanted) in [
        (
            Host::with(&padded(limits::FILE_OCTETS)),
            Host::with(&padded(limits::FILE_OCTETS + 1)),
            "/etc/zi2/zi2.toml: it has more than 1048576 octets; is it the right file?",
        ),
        (
            files(limits::FILES),
            files(limits::FILES + 1),
            "/etc/zi2/conf.d: it holds more than 1000 files; join some of them",
        ),
        (
            user(limits::ACCOUNT_OCTETS),
            user(limits::ACCOUNT_OCTETS + 1),
            "/etc/zi2/zi2.toml:3:8: server.user = \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\": write the name of an account, as in zi2",
        ),
    ] {
        assert_eq!((at.problems().as_str(), above.problems().as_str()), ("none", wanted));
    }
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
