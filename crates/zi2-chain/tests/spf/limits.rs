//! The limits of RFC 7208 §4.6.4, each at its value and one above.

use zi2_chain::limits::{SPF_CLIENT_NAMES, SPF_LOOKUPS, SPF_MX_HOSTS, SPF_QUESTIONS, SPF_VOIDS};
use zi2_chain::spf::{Spf, SpfReason, SpfResult, SpfVerdict};
use zi2_chain::{Answer, DnsName, Question};

use crate::world::{Record, SESSION, Session, Zone, receiver, run};

fn name(text: &str) -> DnsName {
    DnsName::parse(text).unwrap()
}

fn check(zone: &Zone) -> (SpfVerdict, SpfReason, usize, usize) {
    let SpfResult { verdict, reason, lookups, voids, .. } = SESSION.check(zone);
    (verdict, reason, lookups, voids)
}

/// Every kind of term counts, the last of them too.
#[test]
fn lookups() {
    for term in
        ["a:h.example", "mx:h.example", "ptr:no.example", "exists:h.example", "include:i.example", "a:%{p}.p.example"]
    {
        for (count, last) in [(SPF_LOOKUPS, "-all"), (SPF_LOOKUPS + 1, "-all"), (SPF_LOOKUPS, "redirect=i.example")] {
            let sign = "?";
            let record = format!("v=spf1 ip4:192.0.2.9 {}{last}", format!("{sign}{term} ").repeat(count));
            let zone = Zone::of(&[("good.example", &record), ("i.example", "v=spf1 ip4:192.0.2.9")])
                .with_address("h.example", "192.0.2.9")
                .with("h.example", Record::Mx(Some(name("h.example"))))
                .with_address("unknown.p.example", "192.0.2.9")
                .with("10.2.0.192.in-addr.arpa", Record::Pointer(name("h.example")));
            let wanted = match (term, count, last) {
                ("exists:h.example", ..) => (SpfVerdict::Neutral, SpfReason::Matched, 1, 0),
                (_, SPF_LOOKUPS, "-all") => (SpfVerdict::Fail, SpfReason::Matched, SPF_LOOKUPS, 0),
                _ => (SpfVerdict::PermError, SpfReason::TooManyLookups, SPF_LOOKUPS, 0),
            };
            assert_eq!(check(&zone), wanted, "{record}");
        }
    }
}

/// What needs no DNS does not count, nor what comes after a match.
#[test]
fn no_lookups() {
    let record = format!("v=spf1 {} +all {}", "ip4:192.0.2.9 ip6:::1 ".repeat(200), "a ".repeat(20));
    let zone = Zone::of(&[("good.example", &record)]);
    assert_eq!(check(&zone), (SpfVerdict::Pass, SpfReason::Matched, 0, 0));
}

#[test]
fn voids() {
    for term in ["a:no.example", "exists:no.example", "mx:no.example", "ptr", "mx:lost.example", "a:v6.example"] {
        for count in [SPF_VOIDS, SPF_VOIDS + 1, 5] {
            let record = format!("v=spf1 {} +all", [term].repeat(count).join(" "));
            let zone = Zone::of(&[("good.example", &record)])
                .with("lost.example", Record::Mx(Some(name("no.example"))))
                .with("v6.example", Record::V6("::1".parse().unwrap()));
            let wanted = match count {
                SPF_VOIDS => (SpfVerdict::Pass, SpfReason::Matched, SPF_VOIDS, SPF_VOIDS),
                _ => (SpfVerdict::PermError, SpfReason::TooManyVoids, SPF_VOIDS + 1, SPF_VOIDS + 1),
            };
            assert_eq!(check(&zone), wanted, "{record}");
        }
    }
}

/// § 4.6.4 counts terms: hosts of one `mx` without an address of the client's family are no three voids.
#[test]
fn hosts_without_addresses_are_one_term() {
    let mut zone = Zone::of(&[("good.example", "v=spf1 mx ip6:2001:db8::10 -all")]);
    for number in 1..=5 {
        zone.add("good.example", Record::Mx(Some(name(&format!("m{number}.example")))));
        zone = zone.with_address(&format!("m{number}.example"), "192.0.2.10");
    }
    let result = Session { client: "2001:db8::10", ..SESSION }.check(&zone);
    assert_eq!((result.verdict, result.lookups, result.voids), (SpfVerdict::Pass, 1, 1));
    let zone = zone.with("m5.example", Record::V6("2001:db8::9".parse().unwrap()));
    let result = Session { client: "2001:db8::10", ..SESSION }.check(&zone);
    assert_eq!((result.verdict, result.lookups, result.voids), (SpfVerdict::Pass, 1, 0));
}

#[test]
fn mail_hosts() {
    for count in [SPF_MX_HOSTS, SPF_MX_HOSTS + 1] {
        let mut zone = Zone::of(&[("good.example", "v=spf1 mx -all")]);
        for number in 1..=count {
            zone.add("good.example", Record::Mx(Some(name(&format!("m{number}.example")))));
        }
        let last = format!("m{SPF_MX_HOSTS}.example");
        let got = check(&zone.with_address(&last, "192.0.2.10"));
        let wanted = match count {
            SPF_MX_HOSTS => (SpfVerdict::Pass, SpfReason::Matched, 1, 0),
            _ => (SpfVerdict::PermError, SpfReason::TooManyMailHosts, 1, 0),
        };
        assert_eq!(got, wanted);
    }
}

/// The client's operator makes its names, so that too many of them are no error of the domain.
#[test]
fn client_names() {
    for (place, wanted) in [(SPF_CLIENT_NAMES, SpfVerdict::Pass), (SPF_CLIENT_NAMES + 1, SpfVerdict::Fail)] {
        let mut zone = Zone::of(&[("good.example", "v=spf1 ptr -all")]);
        for number in 1..=SPF_CLIENT_NAMES + 5 {
            let host = if number == place { "x.good.example".to_owned() } else { format!("n{number}.example") };
            zone = zone.with_address(&host, "192.0.2.10");
            zone.add("10.2.0.192.in-addr.arpa", Record::Pointer(name(&host)));
        }
        let (result, asked) = run(SESSION.begin(), |question| zone.answer(question));
        assert_eq!((result.verdict, result.lookups), (wanted, 1));
        assert_eq!(asked.len(), 2 + SPF_CLIENT_NAMES);
    }
}

/// The most that a check can ask: the bound is reached, and names of the client are asked for once only.
#[test]
fn questions() {
    let terms: String = (0..SPF_LOOKUPS + 1).map(|number| format!("mx:t{number}.%{{p1}}.example ")).collect();
    let record = |count: usize| {
        format!("v=spf1 {} -all exp=%{{p}}.why.example", terms.split_inclusive(' ').take(count).collect::<String>())
    };
    for count in [SPF_LOOKUPS, SPF_LOOKUPS + 1] {
        let (result, asked) = run(Spf::explaining(&SESSION.input(&receiver())), |question| match question {
            Question::Txt(name) if name.as_str() == "good.example" => Answer::Txt(vec![record(count).into_bytes()]),
            Question::Txt(_) => Answer::NoData,
            Question::Mx(host) => {
                Answer::Mx((0..SPF_MX_HOSTS).map(|number| name(&format!("m{number}.{host}"))).collect())
            }
            Question::Pointer(_) => {
                Answer::Pointer((0..50).map(|number| name(&format!("n{number}.example"))).collect())
            }
            Question::V4(_) | Question::V6(_) => Answer::V4(vec![[192, 0, 2, 9].into()]),
        });
        if count == SPF_LOOKUPS {
            assert_eq!((result.verdict, asked.len()), (SpfVerdict::Fail, SPF_QUESTIONS));
        } else {
            assert_eq!((result.verdict, asked.len()), (SpfVerdict::PermError, SPF_QUESTIONS - 1));
        }
    }
}
