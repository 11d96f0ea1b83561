//! What must hold whatever strangers publish, and however answers come.

use proptest::prelude::*;
use zi2_chain::limits::SPF_QUESTIONS;
use zi2_chain::spf::{Spf, SpfInput, SpfReason, SpfResult, SpfVerdict};
use zi2_chain::{Answer, DnsName, Question};
use zi2_mail::Timestamp;

use crate::world::{Record, SESSION, Session, Zone, receiver, run};

/// Names that records and hosts below lead to.
const NAMES: [&str; 6] =
    ["good.example", "n1.example", "n2.example", "n3.example", "unknown.example", "x.good.example"];

fn target() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => prop::sample::select(&NAMES[..]).prop_map(str::to_owned),
        1 => prop::sample::select(&["%{h}", "%{d}", "%{p}.example", "%{l1r-}.%{o2}", "%{i}.%{v}.x.y", "a..b", "%{s}"][..])
            .prop_map(str::to_owned),
    ]
}

fn term(with_names_of_client: bool) -> impl Strategy<Value = String> {
    let mechanism = prop_oneof![
        1 => Just("a".to_owned()),
        4 => Just("mx".to_owned()),
        1 => Just(if with_names_of_client { "ptr" } else { "a/24" }.to_owned()),
        1 => target().prop_map(|target| format!("a:{target}/31")),
        2 => target().prop_map(|target| format!("mx:{target}//64")),
        1 => target().prop_map(|target| format!("include:{target}")),
        1 => target().prop_map(|target| format!("exists:{target}")),
        1 => prop::sample::select(&["ip4:192.0.2.8/31", "ip4:192.0.2.0/24", "ip6:2001:db8::/32", "all", "ip4:1", "moo"][..])
            .prop_map(str::to_owned),
    ];
    let modifier = target().prop_map(|target| format!("redirect={target}"));
    prop_oneof![8 => ("[-+~?]?", mechanism).prop_map(|(sign, rest)| sign + &rest), 1 => modifier]
        .prop_filter("names of the client", move |term| with_names_of_client || !term.contains("%{p"))
}

fn record(with_names_of_client: bool) -> impl Strategy<Value = Record> {
    let text = prop::collection::vec(term(with_names_of_client), 0..6)
        .prop_map(|terms| Record::Txt(format!("v=spf1 {}", terms.join(" ")).into_bytes()));
    let host = prop::sample::select(&NAMES[..]).prop_map(|name| DnsName::parse(name).unwrap());
    prop_oneof![
        6 => text,
        3 => (7_u8..12).prop_map(|last| Record::V4([192, 0, 2, last].into())),
        2 => Just(Record::V6("2001:db8::10".parse().unwrap())),
        6 => host.prop_map(|host| Record::Mx(Some(host))),
        1 => Just(Record::Timeout),
    ]
}

fn zone(with_names_of_client: bool) -> impl Strategy<Value = Zone> {
    let entries = prop::collection::vec((prop::sample::select(&NAMES[..]), record(with_names_of_client)), 6..24);
    let names = prop::collection::vec(prop::sample::select(&NAMES[..]), 0..4);
    (entries, names).prop_map(|(entries, names)| {
        let mut zone = Zone::default();
        entries.into_iter().for_each(|(name, record)| zone.add(name, record));
        names.into_iter().for_each(|name| {
            zone.add("10.2.0.192.in-addr.arpa", Record::Pointer(DnsName::parse(name).unwrap()));
        });
        zone
    })
}

/// Answers in another order: everything that can be asked is asked, then one of the open questions is answered, twice.
fn run_shuffled(mut spf: Spf, zone: &Zone, order: &[usize]) -> SpfResult {
    let mut order = order.iter().cycle();
    let mut open: Vec<Question> = Vec::new();
    let stray = Question::Txt(DnsName::parse("stray.example").unwrap());
    loop {
        open.extend(std::iter::from_fn(|| spf.poll()));
        if spf.is_finished() {
            return spf.finish();
        }
        spf.answer(&stray, Answer::Trouble);
        let question = open.swap_remove(order.next().unwrap() % open.len());
        spf.answer(&question, zone.answer(&question));
        spf.answer(&stray, Answer::Txt(vec![b"v=spf1 +all".to_vec()]));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any octets behind the version, at every name, for any session.
    #[test]
    fn any_octets(
        record in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            "[ -~]{0,80}".prop_map(String::into_bytes),
            "( [-+~?]?(a|mx|ptr|exists|include|ip4|ip6|all|redirect|exp|x)[:/=]?[%{}a-z0-9.:/_-]{0,20}){0,8}"
                .prop_map(String::into_bytes),
        ],
        mail_from in prop_oneof![Just(b"<ann@good.example>".to_vec()), prop::collection::vec(any::<u8>(), 0..40)],
        helo in prop::collection::vec(any::<u8>(), 0..300),
        client in any::<u128>(),
    ) {
        let receiver = receiver();
        let input = SpfInput {
            client: std::net::Ipv6Addr::from_bits(client).into(),
            helo: &helo,
            mail_from: &mail_from,
            receiver: &receiver,
            now: Timestamp::from_secs(0),
        };
        let text = [b"v=spf1 ", &record[..]].concat();
        let host = DnsName::parse("h.example").unwrap();
        let (result, asked) = run(Spf::explaining(&input), |question| match question {
            Question::Txt(_) => Answer::Txt(vec![text.clone()]),
            Question::V4(_) => Answer::V4(vec![[192, 0, 2, 1].into()]),
            Question::V6(_) => Answer::V6(vec!["::1".parse().unwrap()]),
            Question::Mx(_) => Answer::Mx(vec![host.clone()]),
            Question::Pointer(_) => Answer::Pointer(vec![host.clone()]),
        });
        prop_assert!(asked.len() <= SPF_QUESTIONS);
        prop_assert_eq!(result.domain.is_none(), result.reason == SpfReason::NoDomain);
    }

    /// The order of answers, answers that come twice and answers to nothing make no difference; nor does a second look.
    #[test]
    fn order_of_answers(zone in zone(true), order in prop::collection::vec(any::<usize>(), 1..8), v6 in any::<bool>()) {
        let session = Session { client: if v6 { "2001:db8::10" } else { "192.0.2.10" }, ..SESSION };
        let (result, asked) = run(session.begin(), |question| zone.answer(question));
        prop_assert!(asked.len() <= SPF_QUESTIONS);
        prop_assert_eq!(run_shuffled(session.begin(), &zone, &order), result);
    }

    /// A budget that ends: whoever asked for more than it got has a temporary error. § 5.5 makes an exception for names of
    /// the client, which are left out here.
    #[test]
    fn budget(zone in zone(false), budget in 0_usize..12) {
        let (whole, _) = run(SESSION.begin(), |question| zone.answer(question));
        let mut left = budget;
        let (result, asked) = run(SESSION.begin(), |question| match left.checked_sub(1) {
            Some(less) => {
                left = less;
                zone.answer(question)
            }
            None => Answer::Trouble,
        });
        if asked.len() > budget {
            prop_assert_eq!((result.verdict, result.reason), (SpfVerdict::TempError, SpfReason::Dns));
        } else {
            prop_assert_eq!(result, whole);
        }
    }
}
