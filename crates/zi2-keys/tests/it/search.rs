//! Searches in fixed worlds and against the clock.

use std::collections::BTreeMap;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use zi2_keys::{Budget, Documents, FixedDns, FixedNode, FixedStatus, Resolver, Search, gather, limits, policy};
use zi2_mail::{Domain, HostName};
use zi2_sig::{KeyDocument, KeyQuery, Kid, Origin, Trouble};
use zi2_trust::{Dnssec, Findings, Holdings, Ladder, PageName, PublishedPolicy, QueryName};

use super::server::{Server, Way, name_of, reply, txt};

const P: &str = "V7srNmbCvR82CBFMP6iWDZTQaFODxBloQf9GWfDGITY=";
const RECORD: &str = "v=ZI2CERT1; k=ed25519; p=V7srNmbCvR82CBFMP6iWDZTQaFODxBloQf9GWfDGITY=; kid=zi2-cert-2026-04";
const PAGE: &str = "v=ZI2CERT1; k=ed25519; p=V7srNmbCvR82CBFMP6iWDZTQaFODxBloQf9GWfDGITY=";

fn domain(text: &str) -> Domain {
    Domain::parse(text).unwrap()
}

fn ladder() -> Ladder<'static> {
    let query = KeyQuery {
        from: domain("example.com"),
        kid: Kid::parse("zi2-cert-2026-04").unwrap(),
        sid: HostName::parse("mail.example.com").unwrap(),
    };
    Ladder::new(query, Holdings { local: &[], exchanged: &[], hosted: false }, PageName::Fallback)
}

/// A fixed world answers at once: without a runtime, a timer or a second poll.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

fn found(dns: FixedDns) -> (Findings, u32) {
    let (resolver, budget) = (Resolver::fixed(dns), Budget::of_message());
    (at_once(gather(&resolver, ladder(), &budget, &Documents::None)), budget.spent())
}

#[test]
fn places_in_a_fixed_world() {
    let one = |node: FixedNode| FixedDns::new().with("_zi2cert.Example.com.", node);
    let page = FixedDns::new().with("_zi2cert.zi2-cert-2026-04.example.com", FixedNode::of_txt(&[PAGE]));
    let parent = FixedNode { mx: vec!["mx.example.net".into()], ..FixedNode::empty() };
    let alias = one(FixedNode::alias("k1.provider.example"));
    let signed = FixedNode { dnssec: Dnssec::Secure, ..FixedNode::of_txt(&[RECORD]) };
    for (what, dns, keys, trouble, spent) in [
        ("nothing", FixedDns::new(), 0, None, 3),
        ("record", one(FixedNode::of_txt(&[RECORD])), 1, None, 2),
        ("signed record", one(signed), 1, None, 2),
        ("alias", alias.clone().with("k1.provider.example", FixedNode::of_txt(&[RECORD])), 1, None, 3),
        ("alias to itself", one(FixedNode::alias("_zi2cert.example.com")), 0, Some(Trouble::ServFail), 2),
        ("dangling alias", alias, 0, None, 4),
        ("page name", page.clone(), 1, None, 7),
        ("page name whose parent lives", page.with("zi2-cert-2026-04.example.com", parent), 0, None, 7),
        ("no such name", one(FixedNode::of_status(FixedStatus::NxDomain)), 0, None, 3),
        ("silence", one(FixedNode::of_status(FixedStatus::Timeout)), 0, Some(Trouble::Timeout), 2),
        ("failure", one(FixedNode::of_status(FixedStatus::ServFail)), 0, Some(Trouble::ServFail), 2),
        ("bogus", one(FixedNode { dnssec: Dnssec::Bogus, ..FixedNode::of_txt(&[RECORD]) }), 0, Some(Trouble::Bogus), 2),
        ("over the limits", one(FixedNode::of_txt(&[&RECORD.repeat(60)])), 0, None, 3),
    ] {
        let (findings, cost) = found(dns);
        assert_eq!((findings.answer.candidates.len(), findings.answer.trouble), (keys, trouble), "{what}");
        assert_eq!(cost, spent, "{what}");
        let dnssec = if what == "signed record" { Some(Dnssec::Secure) } else { Some(Dnssec::Insecure) };
        assert_eq!(findings.dnssec.or(Some(Dnssec::Insecure)), dnssec, "{what}");
    }
}

#[test]
fn documents_are_served_from_data() {
    let json = format!(
        r#"{{"version":1,"sid":"mail.example.com","keys":[{{"kid":"zi2-cert-2026-04","k":"ed25519","p":"{P}"}}],"domains":[]}}"#
    );
    let document = KeyDocument::parse(json.as_bytes()).unwrap();
    let documents = Documents::Fixed(BTreeMap::from([(domain("example.com"), document)]));
    let (resolver, budget) = (Resolver::fixed(FixedDns::new()), Budget::of_message());
    let findings = at_once(gather(&resolver, ladder(), &budget, &documents));
    assert_eq!(findings.answer.candidates.iter().map(|c| c.origin).collect::<Vec<_>>(), [Origin::Https]);
}

#[test]
fn a_budget_ends_a_search() {
    let dns = FixedDns::new().with("_zi2cert.example.com", FixedNode::of_txt(&[RECORD]));
    let resolver = Resolver::fixed(dns);
    let findings = at_once(gather(&resolver, ladder(), &Budget::new(0, limits::MESSAGE_TIME), &Documents::None));
    assert_eq!((findings.answer.candidates.len(), findings.answer.trouble), (0, Some(Trouble::Timeout)));
    let findings = at_once(gather(&resolver, ladder(), &Budget::new(1, limits::MESSAGE_TIME), &Documents::None));
    assert_eq!(
        (findings.answer.candidates.len(), findings.answer.trouble),
        (1, None),
        "the place that decides comes first"
    );
}

#[test]
fn policies() {
    let name = "_zi2policy.example.com";
    let of = |node| {
        at_once(policy(
            &Resolver::fixed(FixedDns::new().with(name, node)),
            &domain("example.com"),
            &Budget::of_message(),
        ))
    };
    assert_eq!(of(FixedNode::of_txt(&["v=ZI2POL1; p=enforce"])), Ok(PublishedPolicy::Enforce));
    assert_eq!(of(FixedNode::of_txt(&["v=spf1 -all"])), Ok(PublishedPolicy::Nothing));
    assert_eq!(of(FixedNode::of_status(FixedStatus::NxDomain)), Ok(PublishedPolicy::Nothing));
    assert_eq!(of(FixedNode::of_status(FixedStatus::ServFail)), Err(Trouble::ServFail));
}

#[test]
fn a_name_too_long_for_dns_has_no_records() {
    let label = "a".repeat(63);
    let long = Domain::parse(&[label.as_str(), &label, &label, &label[..61]].join(".")).unwrap();
    let resolver = Resolver::fixed(FixedDns::new());
    let answer = at_once(resolver.txt(&QueryName::record(&long), &Budget::of_message())).unwrap();
    assert_eq!((answer.records.len(), answer.dnssec), (0, Dnssec::Insecure));
}

/// A server that thinks for a while before it says something of From's record, and at once of anything else.
async fn slow() -> Server {
    Server::start(|question, way| {
        let mut message = reply(question);
        if name_of(question) == "_zi2cert.example.com." {
            message.metadata.truncation = way == Way::Udp;
            if way == Way::Tcp {
                std::thread::sleep(Duration::from_millis(150));
                message.add_answer(txt("_zi2cert.example.com.", &[RECORD]));
            }
        }
        vec![message.to_vec().unwrap()]
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_soft_deadline_takes_what_is_there_and_the_rest_fills_the_cache() {
    let server = slow().await;
    let (resolver, budget) = (server.resolver(), Budget::of_message());
    let mut search = Search::new(ladder(), &resolver, &budget, &Documents::None);
    assert!(tokio::time::timeout(Duration::from_millis(60), search.run()).await.is_err());
    let early = search.findings();
    assert_eq!((early.answer.candidates.len(), early.answer.trouble), (0, Some(Trouble::Timeout)));
    drop(search);

    tokio::time::sleep(Duration::from_millis(400)).await;
    let asked = resolver.questions();
    let findings = gather(&resolver, ladder(), &Budget::of_message(), &Documents::None).await;
    assert_eq!((findings.answer.candidates.len(), findings.answer.trouble), (1, None));
    assert_eq!(resolver.questions(), asked, "all from the cache");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_search_can_go_on() {
    let server = slow().await;
    let (resolver, budget) = (server.resolver(), Budget::of_message());
    let mut search = Search::new(ladder(), &resolver, &budget, &Documents::None);
    while tokio::time::timeout(Duration::from_millis(20), search.run()).await.is_err() {}
    assert_eq!(search.findings().answer.candidates.len(), 1);
    assert_eq!((resolver.questions(), budget.spent()), (2, 2), "nothing was asked twice");
    drop(search);
    tokio::spawn(async move { gather(&resolver, ladder(), &Budget::of_message(), &Documents::None).await })
        .await
        .unwrap();
}
