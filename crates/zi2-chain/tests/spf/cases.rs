//! Cases of the threat model, and what a result says besides its verdict.

use zi2_chain::spf::{Spf, SpfIdentity, SpfReason, SpfResult, SpfVerdict};
use zi2_chain::{Answer, DnsName, Question};

use crate::world::{Record, SESSION, Session, Zone, receiver, run};

fn name(text: &str) -> DnsName {
    DnsName::parse(text).unwrap()
}

fn domain(result: &SpfResult) -> Option<&str> {
    result.domain.as_ref().map(DnsName::as_str)
}

/// The zone of the threat model: good.example, its own hosts, and the attacker's names.
fn zone() -> Zone {
    Zone::of(&[
        ("good.example", "v=spf1 ip4:192.0.2.10 -all"),
        ("mail.good.example", "v=spf1 a -all"),
        ("evil.example", "v=spf1 +all"),
        ("a.evil", "v=spf1 +all"),
        ("any.evil", "v=spf1 +all"),
    ])
    .with_address("mail.good.example", "192.0.2.10")
}

/// TC-093 (voids in `limits`): the eleventh record of a chain is not asked for.
#[test]
fn chain_of_includes() {
    let mut zone = Zone::of(&[("good.example", "v=spf1 include:n1.example -all")]);
    for number in 1..30 {
        let text = format!("v=spf1 include:n{}.example -all", number + 1);
        zone.add(&format!("n{number}.example"), Record::Txt(text.into_bytes()));
    }
    let (result, asked) = run(SESSION.begin(), |question| zone.answer(question));
    assert_eq!((result.verdict, result.reason), (SpfVerdict::PermError, SpfReason::TooManyLookups));
    assert_eq!((result.lookups, asked.len()), (10, 11));
    assert_eq!(result.decided_at, Some(name("n10.example")));
}

/// TC-102: a pass that says little is marked, wherever the wide network stands.
#[test]
fn broad_passes() {
    for (record, client, verdict, broad) in [
        ("v=spf1 ip4:0.0.0.0/1 -all", "98.51.100.66", SpfVerdict::Pass, true),
        ("v=spf1 ip4:98.50.0.0/15 -all", "98.51.100.66", SpfVerdict::Pass, true),
        ("v=spf1 ip4:98.51.0.0/16 -all", "98.51.100.66", SpfVerdict::Pass, false),
        ("v=spf1 ip4:98.51.0.0/16 ip4:0.0.0.0/0 -all", "98.51.100.66", SpfVerdict::Pass, false),
        ("v=spf1 ip6:2001:db8::/31 -all", "2001:db8::66", SpfVerdict::Pass, true),
        ("v=spf1 ip6:2001:db8::/32 -all", "2001:db8::66", SpfVerdict::Pass, false),
        ("v=spf1 all", "98.51.100.66", SpfVerdict::Pass, true),
        ("v=spf1 -all", "98.51.100.66", SpfVerdict::Fail, false),
        ("v=spf1 ?ip4:0.0.0.0/0", "98.51.100.66", SpfVerdict::Neutral, false),
        ("v=spf1 a:host.example/1 -all", "98.51.100.66", SpfVerdict::Pass, true),
        ("v=spf1 a:host.example/24 -all", "98.51.100.66", SpfVerdict::Pass, false),
        ("v=spf1 mx:host.example/8 -all", "98.51.100.66", SpfVerdict::Pass, true),
        ("v=spf1 include:evil.example -all", "98.51.100.66", SpfVerdict::Pass, true),
        ("v=spf1 redirect=evil.example", "98.51.100.66", SpfVerdict::Pass, true),
        ("v=spf1 exists:host.example -all", "98.51.100.66", SpfVerdict::Pass, true),
        ("v=spf1 exists:%{i}.yes.example -all", "98.51.100.66", SpfVerdict::Pass, false),
    ] {
        let zone = zone()
            .with("broad.example", Record::Txt(record.into()))
            .with_address("host.example", "98.51.100.1")
            .with("host.example", Record::Mx(Some(name("host.example"))))
            .with_address("98.51.100.66.yes.example", "127.0.0.2");
        let result = Session { client, mail_from: "<x@broad.example>", ..SESSION }.check(&zone);
        assert_eq!((result.verdict, result.broad), (verdict, broad), "{record}");
    }
}

/// TC-104, TC-109 to TC-112: no argument of MAIL makes SPF speak for a name that is not the sender's, nor falls back to HELO.
#[test]
fn hostile_senders() {
    for (mail_from, verdict, wanted) in [
        ("any@notexist.good.example", SpfVerdict::None, Some("notexist.good.example")),
        ("<(any@good.example>", SpfVerdict::None, None),
        ("any@good.example(a.evil", SpfVerdict::None, None),
        ("<any@good.example(a.evil>", SpfVerdict::None, None),
        ("any@good.example'@any.evil", SpfVerdict::None, None),
        ("<@good,@any:'any@evil>", SpfVerdict::None, None),
        ("<@good.example,@any.evil:'any@a.evil>", SpfVerdict::Pass, Some("a.evil")),
        ("<\"any@good.example\"@a.evil>", SpfVerdict::Pass, Some("a.evil")),
        ("<any@good.example,a.evil>", SpfVerdict::None, None),
        ("<any@good.example\0.a.evil>", SpfVerdict::None, None),
        ("<any@good.example\r\nX: a.evil>", SpfVerdict::None, None),
        ("<any@good.example;spf=pass>", SpfVerdict::None, None),
        ("<any@good.example> <any@a.evil>", SpfVerdict::None, None),
        ("<ann@[192.0.2.10]>", SpfVerdict::None, None),
        ("<ann@good.example>", SpfVerdict::Fail, Some("good.example")),
    ] {
        let session = Session { client: "98.51.100.66", mail_from, ..SESSION };
        let result = session.check(&zone());
        assert_eq!((result.verdict, domain(&result)), (verdict, wanted), "{mail_from:?}");
        assert_eq!(result.identity, SpfIdentity::MailFrom, "{mail_from:?}");
    }
}

/// CVE-2019-20790: a result for HELO is never one for MAIL.
#[test]
fn identities() {
    for (mail_from, helo, client, verdict, identity, wanted) in [
        ("<>", "mail.good.example", "192.0.2.10", SpfVerdict::Pass, SpfIdentity::Helo, Some("mail.good.example")),
        ("", "mail.good.example", "98.51.100.66", SpfVerdict::Fail, SpfIdentity::Helo, Some("mail.good.example")),
        ("<>", "good.example", "192.0.2.10", SpfVerdict::Pass, SpfIdentity::Helo, Some("good.example")),
        ("<>", "[192.0.2.10]", "192.0.2.10", SpfVerdict::None, SpfIdentity::Helo, None),
        ("<>", "localhost", "192.0.2.10", SpfVerdict::None, SpfIdentity::Helo, None),
        ("<x@a.evil>", "mail.good.example", "192.0.2.10", SpfVerdict::Pass, SpfIdentity::MailFrom, Some("a.evil")),
        (
            "<ann@none.example>",
            "mail.good.example",
            "192.0.2.10",
            SpfVerdict::None,
            SpfIdentity::MailFrom,
            Some("none.example"),
        ),
        (
            "<ann@good.example>",
            "a.evil",
            "::ffff:192.0.2.10",
            SpfVerdict::Pass,
            SpfIdentity::MailFrom,
            Some("good.example"),
        ),
    ] {
        let result = Session { client, helo, mail_from }.check(&zone());
        assert_eq!(
            (result.verdict, result.identity, domain(&result)),
            (verdict, identity, wanted),
            "{mail_from} {helo}"
        );
    }
}

#[test]
fn why_and_where() {
    let zone = Zone::of(&[
        ("include.example", "v=spf1 -ip4:192.0.2.9 ?include:good.example -all"),
        ("good.example", "v=spf1 +ip4:192.0.2.10 moo=x -all"),
        ("redirect.example", "v=spf1 redirect=soft.example"),
        ("soft.example", "v=spf1 ~all"),
        ("open.example", "v=spf1"),
        ("broken.example", "v=spf1 a moo"),
        ("to-broken.example", "v=spf1 include:broken.example -all"),
        ("to-none.example", "v=spf1 include:none.example -all"),
        ("to-nowhere.example", "v=spf1 redirect=%{h}"),
        ("twice.example", "v=spf1"),
        ("twice.example", "v=spf1"),
        ("other.example", "google-site-verification=x"),
    ])
    .with("slow.example", Record::Timeout);
    for (sender, wanted, reason, at, term) in [
        ("include.example", SpfVerdict::Neutral, "a mechanism matched", "good.example", "?include:good.example"),
        ("redirect.example", SpfVerdict::SoftFail, "a mechanism matched", "soft.example", "~all"),
        ("open.example", SpfVerdict::Neutral, "no mechanism matched", "open.example", ""),
        (
            "broken.example",
            SpfVerdict::PermError,
            "there is no such mechanism (term 2 of the record)",
            "broken.example",
            "",
        ),
        (
            "to-broken.example",
            SpfVerdict::PermError,
            "there is no such mechanism (term 2 of the record)",
            "broken.example",
            "",
        ),
        (
            "to-none.example",
            SpfVerdict::PermError,
            "include or redirect leads to a name without an SPF record",
            "none.example",
            "",
        ),
        (
            "to-nowhere.example",
            SpfVerdict::PermError,
            "include or redirect leads to a name without an SPF record",
            "to-nowhere.example",
            "",
        ),
        (
            "twice.example",
            SpfVerdict::PermError,
            "the domain publishes more than one SPF record; there must be one",
            "twice.example",
            "",
        ),
        ("other.example", SpfVerdict::None, "the domain publishes no SPF record", "", ""),
        ("no.example", SpfVerdict::None, "the domain does not exist", "", ""),
        ("slow.example", SpfVerdict::TempError, "DNS did not answer; try again later", "slow.example", ""),
    ] {
        let mail_from = format!("<ann@{sender}>");
        let result = Session { mail_from: &mail_from, helo: "localhost", ..SESSION }.check(&zone);
        assert_eq!((result.verdict, result.reason.to_string().as_str()), (wanted, reason), "{sender}");
        assert_eq!(result.decided_at, DnsName::parse(at).ok(), "{sender}");
        assert_eq!(result.matched.as_deref().unwrap_or_default(), term, "{sender}");
        assert_eq!(domain(&result), Some(sender));
    }
}

/// Nothing is fetched for an explanation unless somebody wants it, and none is given that is not printable ASCII.
#[test]
fn explanations() {
    let zone = |text: &[u8]| {
        Zone::of(&[("good.example", "v=spf1 -all exp=%{p}.why.good.example")])
            .with("unknown.why.good.example", Record::Txt(text.to_vec()))
    };
    let text = b"%{i} (%{h}) is no host of %{d} for %{r} at %{t}: %{S}, %{p}.";
    let (result, asked) = run(SESSION.begin(), |question| zone(text).answer(question));
    assert_eq!((asked.len(), result.explanation), (1, None));
    let result = SESSION.explained(&zone(text));
    let wanted = "192.0.2.10 (mail.good.example) is no host of good.example for mx.recv.example at 1777397400: \
                  ann%40good.example, unknown.";
    assert_eq!(result.explanation.as_deref(), Some(wanted));
    for helo in ["a\r\nb", "a\u{e4}", "a\0"] {
        let result = Session { helo, ..SESSION }.explained(&zone(text));
        assert_eq!((result.verdict, result.explanation), (SpfVerdict::Fail, None), "{helo:?}");
    }
    for text in [&b"%"[..], b"%{x}", b"a\nb", b"\xff", &[b'x'; 4000]] {
        let result = SESSION.explained(&zone(text));
        assert_eq!((result.verdict, result.explanation), (SpfVerdict::Fail, None), "{text:?}");
    }
}

/// RFC 8616 §4: a local part beyond ASCII is in no name, so what asks for it does not match; the domain is asked for by its
/// A-labels.
#[test]
fn internationalized_senders() {
    let zone = Zone::of(&[("xn--bcher-kva.example", "v=spf1 -exists:%{l}.users.%{d} ip4:192.0.2.10 -all")]);
    let session = Session { mail_from: "<j\u{f6}rg@b\u{fc}cher.example>", ..SESSION };
    let (result, asked) = run(session.begin(), |question| zone.answer(question));
    assert_eq!((result.verdict, asked.len(), result.voids), (SpfVerdict::Pass, 1, 0));
}

/// CVE-2021-20314, CVE-2023-42118: whatever macros make, a name of more than 253 octets is not asked for.
#[test]
fn expansions_that_grow() {
    let long = format!("<{}@good.example>", "l.".repeat(400));
    for name in ["%{s}", "%{S1000}", "%{lr-+.}", "%{L}.%{l}.%{S}.%{h}", "%{o99r}.%{d}.%{l}.x.example"] {
        let record = format!("v=spf1 {} -all", format!("exists:%{{i}}.{name}.{} ", ["%{s}"; 100].concat()).repeat(10));
        let zone = Zone::of(&[("good.example", &record)]);
        let session = Session { mail_from: &long, ..SESSION };
        let (result, asked) = run(session.begin(), |question| zone.answer(question));
        let wanted = [SpfVerdict::PermError, SpfVerdict::Fail];
        assert!(wanted.contains(&result.verdict), "{name}: {}", result.verdict);
        assert!(asked.iter().all(|question| !matches!(question, Question::V4(name) if name.as_str().len() > 253)));
    }
}

/// A check that is given up is a temporary error.
#[test]
fn given_up() {
    let mut spf = Spf::new(&SESSION.input(&receiver()));
    assert!(!spf.is_finished());
    let question = spf.poll().unwrap();
    assert_eq!(spf.poll(), None);
    spf.answer(&question, Answer::Txt(vec![b"v=spf1 a +all".to_vec()]));
    spf.answer(&question, Answer::Txt(vec![b"v=spf1 +all".to_vec()]));
    assert!(!spf.is_finished());
    let result = spf.finish();
    assert_eq!((result.verdict, result.reason), (SpfVerdict::TempError, SpfReason::Dns));
    // An answer of another kind is none.
    let wrong = |question: &Question| match question {
        Question::Txt(_) => Answer::Txt(vec![b"v=spf1 -a +all".to_vec()]),
        _ => Answer::Mx(vec![name("good.example")]),
    };
    assert_eq!(run(SESSION.begin(), wrong).0.verdict, SpfVerdict::TempError);
}

/// What could not be asked is a temporary error, whichever question it was; a match before it counts, and § 5.5 makes
/// trouble with names of the client no match. Never does it make a pass of `+all` behind it.
#[test]
fn trouble_anywhere() {
    let (pass, trouble) = (SpfVerdict::Pass, SpfVerdict::TempError);
    for (record, silent, verdict) in [
        ("a:h.example +all", "A h.example", trouble),
        ("exists:h.example +all", "A h.example", trouble),
        ("mx:h.example +all", "MX h.example", trouble),
        ("mx:h.example +all", "A m1.example", trouble),
        ("mx:h.example +all", "A m2.example", trouble),
        ("mx:h.example/24 +all", "A m2.example", pass),
        ("include:i.example +all", "TXT i.example", trouble),
        ("-include:i.example +all", "A h.example", trouble),
        ("redirect=i.example", "TXT i.example", trouble),
        ("redirect=i.example", "A h.example", trouble),
        ("ip4:192.0.2.10 a:h.example -all", "A h.example", pass),
        ("-ptr:h.example +all", "PTR", pass),
        ("-ptr:h.example +all", "A h.example", pass),
        ("-exists:%{p}.x.example a:unknown.example", "PTR", pass),
        ("+all", "TXT good.example", trouble),
    ] {
        let zone = Zone::of(&[("good.example", &format!("v=spf1 {record}")), ("i.example", "v=spf1 a:h.example")])
            .with_address("h.example", "192.0.2.9")
            .with("h.example", Record::Mx(Some(name("m1.example"))))
            .with("h.example", Record::Mx(Some(name("m2.example"))))
            .with_address("m1.example", "192.0.2.9")
            .with_address("m2.example", "198.51.100.9")
            .with_address("unknown.example", "192.0.2.10")
            .with("10.2.0.192.in-addr.arpa", Record::Pointer(name("h.example")));
        let kind = |question: &Question| match question {
            Question::Txt(name) => format!("TXT {name}"),
            Question::V4(name) => format!("A {name}"),
            Question::V6(name) => format!("AAAA {name}"),
            Question::Mx(name) => format!("MX {name}"),
            Question::Pointer(_) => "PTR".to_owned(),
        };
        let (result, asked) =
            run(
                SESSION.begin(),
                |question| if kind(question) == silent { Answer::Trouble } else { zone.answer(question) },
            );
        assert_eq!(result.verdict, verdict, "{record} without {silent}");
        assert!(asked.iter().any(|question| kind(question) == silent) || verdict == pass, "{record}");
    }
}
