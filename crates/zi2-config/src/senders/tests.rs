use proptest::prelude::*;

use super::*;

const OWN: &str = "\
# who may send as whom
login alice@Example.com   example.com example.org   # two
login *@example.com       example.net
login bob                 shared@example.com
net   192.0.2.0/24        example.com
net   192.0.2.128/25      example.net
net   2001:db8::/32       example.com
local www-data            example.com
local *                   example.net
login alice@example.com   elsewhere.example
";

const POSTFIX: &str = "\
# owners
sales@example.com   alice,
    bob@example.org carol

  # a comment does not end an entry
    dave
@example.com        erin
example.net         Frank
postmaster          root
nobody@example.com
";

fn hosted() -> HostedDomains {
    HostedDomains::new(["example.com", "example.net", "example.org"].map(|domain| Domain::parse(domain).unwrap()))
}

fn own_map(own_domain: OwnDomain, text: &str) -> Result<SenderMap, Problems> {
    SenderMap::from_text(hosted(), own_domain, Path::new("/senders"), text)
}

fn decision(map: &SenderMap, submitter: &Submitter, from: &str) -> String {
    match map.allows(submitter, &zi2_mail::parse_from(from.as_bytes()).unwrap()) {
        SenderDecision::Allowed(rule) => rule.to_string(),
        SenderDecision::Refused(SenderRefusal::NoRule) => "-".to_owned(),
        SenderDecision::Refused(refusal) => refusal.to_string(),
    }
}

fn login(name: &str) -> Submitter {
    Submitter::Login(name.to_owned())
}

fn net(address: &str) -> Submitter {
    Submitter::Network(address.parse().unwrap())
}

fn local(user: &str) -> Submitter {
    Submitter::Local(Some(user.to_owned()))
}

#[test]
fn own_rules() {
    let map = own_map(OwnDomain::ByRuleOnly, OWN).unwrap();
    for (submitter, from, wanted) in [
        (login("alice@example.com"), "a@example.com", "/senders:2"),
        (login("ALICE@example.com"), "a@EXAMPLE.org", "/senders:2"),
        (login("alice@example.com"), "a@example.net", "/senders:3"),
        (login("carol@example.com"), "a@example.net", "/senders:3"),
        (login("carol@example.com"), "a@example.com", "-"),
        (login("carol@sub.example.com"), "a@example.net", "-"),
        (login("carol@evil.example@example.com"), "a@example.net", "-"),
        (login("bob"), "Shared@Example.com", "/senders:4"),
        (login("bob"), "other@example.com", "-"),
        (login("alice"), "a@example.com", "-"),
        (login(""), "a@example.com", "-"),
        (login("*@example.com"), "a@example.com", "-"),
        (net("192.0.2.1"), "a@example.com", "/senders:5"),
        (net("::ffff:192.0.2.1"), "a@example.com", "/senders:5"),
        (net("192.0.2.200"), "a@example.com", "/senders:5"),
        (net("192.0.2.200"), "a@example.net", "/senders:6"),
        (net("192.0.2.1"), "a@example.net", "-"),
        (net("198.51.100.1"), "a@example.com", "-"),
        (net("2001:db8:1::1"), "a@example.com", "/senders:7"),
        (net("2001:db9::1"), "a@example.com", "-"),
        (local("www-data"), "a@example.com", "/senders:8"),
        (local("WWW-data"), "a@example.com", "-"),
        (local("root"), "a@example.net", "/senders:9"),
        (Submitter::Local(None), "a@example.net", "/senders:9"),
        (Submitter::Local(None), "a@example.com", "-"),
        (
            login("alice@example.com"),
            "a@elsewhere.example",
            "the From domain is not hosted here; server.hosted would say so",
        ),
    ] {
        assert_eq!(decision(&map, &submitter, from), wanted, "{submitter:?} {from}");
    }
    let refused = SenderRefusal::NoRule.to_string();
    assert_eq!(refused, "no rule lets this sender use the From domain; a line in senders.map would");
}

#[test]
fn own_domains() {
    let map = own_map(OwnDomain::Allowed, "login * example.org").unwrap();
    for (name, from, wanted) in [
        ("u@example.com", "other@example.com", "senders.own_domain"),
        ("u@EXAMPLE.com", "other@example.com", "senders.own_domain"),
        ("u@example.com", "u@example.net", "-"),
        ("u@example.com", "u@a.example.com", "the From domain is not hosted here; server.hosted would say so"),
        ("@example.com", "u@example.com", "-"),
        ("a@b@example.com", "u@example.com", "-"),
        ("u@other.example", "u@other.example", "the From domain is not hosted here; server.hosted would say so"),
        ("anybody", "u@example.org", "/senders:1"),
        ("", "u@example.org", "-"),
    ] {
        assert_eq!(decision(&map, &login(name), from), wanted, "{name} {from}");
    }
}

#[test]
fn postfix_tables() {
    let (mut map, mut problems) = (SenderMap::new(hosted(), OwnDomain::ByRuleOnly), Problems::none());
    let notices = map.add_postfix(&Arc::from(Path::new("/logins")), POSTFIX, &mut problems);
    assert!(problems.is_empty(), "{problems}");
    let shown: Vec<String> = notices.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "/logins:9:1: not imported, since it names no login, or neither a domain nor a full address (and 1 more of this file)"
        ]
    );
    for (name, from, wanted) in [
        ("alice", "sales@example.com", "/logins:2"),
        ("BOB@example.org", "Sales@example.com", "/logins:3"),
        ("dave", "sales@example.com", "/logins:6"),
        ("erin", "sales@example.com", "-"), // the full address decides
        ("erin", "info@example.com", "/logins:7"),
        ("alice", "info@example.com", "-"),
        ("frank", "x@example.net", "/logins:8"),
        ("erin", "nobody@example.com", "/logins:7"), // its entry names no login, so there is none
        ("root", "postmaster@example.com", "-"),
    ] {
        assert_eq!(decision(&map, &login(name), from), wanted, "{name} {from}");
    }
    assert_eq!(decision(&map, &local("erin"), "info@example.com"), "-", "a local user is no login");
}

#[test]
fn rules_about_foreign_domains_are_noticed() {
    let (mut map, mut problems) = (SenderMap::new(hosted(), OwnDomain::Allowed), Problems::none());
    let text = "login a example.com b.example c@d.example";
    let notices = map.add_own(&Arc::from(Path::new("/senders")), text, &mut problems);
    assert_eq!(
        notices.first().map(ToString::to_string).as_deref(),
        Some(
            "/senders:1:1: b.example is not hosted here, so the rule allows nothing (and 1 more of this file); add it to \
             server.hosted, or remove it"
        )
    );
}

#[test]
fn faults_of_own_lines() {
    for (line, wanted) in [
        ("logn a example.com", r#":1: "logn" is no rule; did you mean login?"#),
        ("example.com alice", r#":1: "example.com" is no rule; write login, net or local"#),
        ("  login", ":3: the rule names nobody; write login NAME DOMAIN..."),
        ("net # 192.0.2.1", ":1: the rule names nobody; write net ADDRESS/BITS DOMAIN..."),
        ("local", ":1: the rule names nobody; write local USER DOMAIN..."),
        ("login alice", r#":7: the rule names no domain; write one or more after "alice""#),
        ("login a* example.com", r#":7: "a*": a star stands alone or before @, as in *@example.com"#),
        ("login *x example.com", r#":7: "*x": a star stands alone or before @, as in *@example.com"#),
        ("local w* example.com", r#":7: "w*": a star stands alone or before @, as in *@example.com"#),
        (
            "login *@a..b example.com",
            r#":7: "a..b" is no domain: the domain has an empty label; write it without a leading, final or double dot"#,
        ),
        (
            "login alice exa_mple.com",
            r#":13: "exa_mple.com" is no domain: the domain holds octet 0x5f; letters, digits, hyphens and dots are allowed"#,
        ),
        (
            "login alice a@[192.0.2.1]",
            r#":13: "a@[192.0.2.1]" is no mail address; write a domain, or a full address as in alice@example.com"#,
        ),
        (
            "net 192.0.2.1/24 example.com",
            r#":5: "192.0.2.1/24": the address has bits beyond the prefix; write 192.0.2.0/24, or a longer prefix"#,
        ),
        (
            "net example.com example.com",
            r#":5: "example.com": write an address and a prefix length, as in 192.0.2.0/24 or 2001:db8::/32"#,
        ),
        ("net 10.0.0.0/40 example.com", r#":5: "10.0.0.0/40": the prefix length is at most 32 here"#),
        ("net ::/0 example.com", r#":5: "::/0": this is every client there is; name the networks you run"#),
    ] {
        let problems = own_map(OwnDomain::Allowed, &format!("\n{line}\n")).unwrap_err();
        assert_eq!(problems.to_string(), format!("/senders:2{wanted}"), "{line}");
    }
}

#[test]
fn faults_of_postfix_tables() {
    let (mut map, mut problems) = (SenderMap::new(hosted(), OwnDomain::ByRuleOnly), Problems::none());
    map.add_postfix(&Arc::from(Path::new("/logins")), "# x\n  alice\n", &mut problems);
    assert_eq!(
        problems.to_string(),
        "/logins:2:3: the first line begins with a space, so it continues nothing; begin it at the margin"
    );
}

#[test]
fn so_many_rules_and_no_more() {
    type Add = fn(&mut SenderMap, &str, &mut Problems) -> Vec<Notice>;
    let own: Add = |map, text, problems| map.add_own(&Arc::from(Path::new("/senders")), text, problems);
    let postfix: Add = |map, text, problems| map.add_postfix(&Arc::from(Path::new("/logins")), text, problems);
    let rest = "the sender files have more than 2 rules together; the rest is not read";
    for (add, text, found) in [
        (own, "login a example.com\nlogin b example.com\n", String::new()),
        (own, "login a example.com example.net example.org\nx\n", format!("/senders:1:33: {rest}")),
        (postfix, "@example.com a b\n", String::new()),
        (postfix, "@example.com a b\n@example.net a\n  x\n", format!("/logins:2:14: {rest}")),
    ] {
        let (mut map, mut problems) = (SenderMap::new(hosted(), OwnDomain::ByRuleOnly), Problems::none());
        assert_eq!(map.most, limits::RULES);
        map.most = 2;
        add(&mut map, text, &mut problems);
        assert_eq!((map.len(), problems.to_string()), (2, found), "{text}");
    }
}

#[test]
fn one_table_cannot_fill_the_report() {
    let problems = own_map(OwnDomain::Allowed, &"x\n".repeat(1000)).unwrap_err();
    assert_eq!(problems.iter().len(), limits::TABLE_PROBLEMS);
}

#[test]
fn a_million_lines_are_read_in_linear_time() {
    let text: String = (0..100_000).map(|n| format!("login user{n}@example.com example.com\n")).collect();
    let map = own_map(OwnDomain::ByRuleOnly, &text).unwrap();
    assert_eq!(map.len(), 100_000);
    assert_eq!(decision(&map, &login("user99999@example.com"), "x@example.com"), "/senders:100000");
}

proptest! {
    #[test]
    fn no_text_panics(text in "((login|net|local|\\*|@|#| |\t|\n|,|192\\.0\\.2\\.0/24|a@example\\.com|\u{fc}|\r|/)|.){0,60}") {
        let (mut map, mut problems) = (SenderMap::new(hosted(), OwnDomain::Allowed), Problems::none());
        map.add_own(&Arc::from(Path::new("/o")), &text, &mut problems);
        map.add_postfix(&Arc::from(Path::new("/p")), &text, &mut problems);
        crate::hosted::read(&Arc::from(Path::new("/h")), &text, &mut problems);
    }
}
