//! Against hickory's own name server with a real zone.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use hickory_server::Server;
use hickory_server::net::runtime::TokioRuntimeProvider;
use hickory_server::proto::rr::rdata::{A, AAAA, CNAME, MX, PTR, SOA};
use hickory_server::proto::rr::{Name, RData, Record};
use hickory_server::store::in_memory::InMemoryZoneHandler;
use hickory_server::zone_handler::{AxfrPolicy, Catalog, ZoneType};
use zi2_keys::{Budget, Resolver};
use zi2_mail::Domain;
use zi2_sig::Kid;
use zi2_trust::QueryName;

use super::server::{name, resolver, sockets, txt};

fn zone() -> InMemoryZoneHandler<TokioRuntimeProvider> {
    let mut zone = InMemoryZoneHandler::empty(name("example."), ZoneType::Primary, AxfrPolicy::Deny);
    let data = |owner: &str, data: RData| Record::from_rdata(name(owner), 300, data);
    let soa = SOA::new(name("ns.example."), name("root.example."), 1, 3600, 600, 86_400, 60);
    let long = "x".repeat(255);
    let mut records = vec![
        data("example.", RData::SOA(soa)),
        txt("_zi2cert.one.example.", &["v=ZI2CERT1; ", "k=ed25519"]),
        txt("_zi2cert.two.example.", &["a"]),
        txt("_zi2cert.two.example.", &["b"]),
        data("_zi2cert.alias.example.", RData::CNAME(CNAME(name("_zi2cert.one.example.")))),
        data("_zi2cert.dangling.example.", RData::CNAME(CNAME(name("gone.example.")))),
        txt("_zi2cert.zi2-cert-2026-04.one.example.", &["page"]),
        data("zi2-cert-2026-04.two.example.", RData::A(A::new(192, 0, 2, 1))),
        txt("_zi2cert.huge.example.", &[long.as_str(); 250]),
        data("mail.example.", RData::A(A::new(192, 0, 2, 7))),
        data("mail.example.", RData::A(A::new(192, 0, 2, 8))),
        data("mail.example.", RData::AAAA(AAAA::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 7))),
        data("in.example.", RData::MX(MX::new(20, name("second.example.")))),
        data("in.example.", RData::MX(MX::new(10, name("first.example.")))),
        data("www.example.", RData::CNAME(CNAME(name("mail.example.")))),
    ];
    records.extend((0..1000).map(|n| txt("_zi2cert.many.example.", &[&format!("{n:04}")])));
    for record in records {
        assert!(zone.upsert_mut(record, 1));
    }
    zone
}

fn reverse_zone() -> InMemoryZoneHandler<TokioRuntimeProvider> {
    let origin = name("2.0.192.in-addr.arpa.");
    let mut zone = InMemoryZoneHandler::empty(origin.clone(), ZoneType::Primary, AxfrPolicy::Deny);
    let soa = SOA::new(name("ns.example."), name("root.example."), 1, 3600, 600, 86_400, 60);
    let pointer = Record::from_rdata(name("7.2.0.192.in-addr.arpa."), 300, RData::PTR(PTR(name("Mail.Example."))));
    for record in [Record::from_rdata(origin, 300, RData::SOA(soa)), pointer] {
        assert!(zone.upsert_mut(record, 1));
    }
    zone
}

async fn start() -> (Server<Catalog>, Resolver) {
    let mut catalog = Catalog::new();
    catalog.upsert(Name::from_ascii("example.").unwrap().into(), vec![Arc::new(zone())]);
    catalog.upsert(name("2.0.192.in-addr.arpa.").into(), vec![Arc::new(reverse_zone())]);
    let (udp, tcp) = sockets().await;
    let address = udp.local_addr().unwrap();
    let mut server = Server::new(catalog);
    server.register_socket(udp);
    server.register_listener(tcp, Duration::from_secs(5), 1024);
    (server, resolver(&[address]))
}

#[tokio::test]
async fn a_real_zone() {
    let (_server, resolver) = start().await;
    let texts = async |domain: &str| {
        let name = QueryName::record(&Domain::parse(domain).unwrap());
        let answer = resolver.txt(&name, &Budget::of_message()).await.unwrap();
        answer.records.into_iter().map(|text| String::from_utf8(text).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(texts("one.example").await, ["v=ZI2CERT1; k=ed25519"]);
    assert_eq!(texts("two.example").await, ["a", "b"]);
    assert_eq!(texts("alias.example").await, ["v=ZI2CERT1; k=ed25519"]);
    let none: [&str; 0] = [];
    assert_eq!(texts("dangling.example").await, none);
    assert_eq!(texts("none.example").await, none);
    assert_eq!(texts("huge.example").await, none, "over the limit, and truncated over UDP");
    let many = texts("many.example").await;
    assert_eq!((many.len(), many[0].as_str()), (64, "0000"));
}

#[tokio::test]
async fn a_real_parent() {
    let (_server, resolver) = start().await;
    let kid = Kid::parse("zi2-cert-2026-04").unwrap();
    for (domain, expected) in [("one.example", false), ("two.example", true), ("none.example", false)] {
        let parent = QueryName::page_parent(kid, &Domain::parse(domain).unwrap());
        assert_eq!(resolver.exists(&parent, &Budget::of_message()).await, Ok(expected), "{domain}");
    }
}

#[tokio::test]
async fn the_questions_of_the_existing_chain() {
    use zi2_chain::{Answer, DnsName, Question};
    let (_server, resolver) = start().await;
    let at = |text: &str| DnsName::parse(text).unwrap();
    let v4 = [Ipv4Addr::new(192, 0, 2, 7), Ipv4Addr::new(192, 0, 2, 8)];
    let v6 = "2001:db8::7".parse().unwrap();
    for (question, expected) in [
        (Question::Txt(at("_zi2cert.one.example")), Answer::Txt(vec![b"v=ZI2CERT1; k=ed25519".to_vec()])),
        (Question::V6(at("MAIL.example")), Answer::V6(vec![v6])),
        (Question::Mx(at("in.example")), Answer::Mx(vec![at("first.example"), at("second.example")])),
        (Question::Pointer("192.0.2.7".parse().unwrap()), Answer::Pointer(vec![at("mail.example")])),
        (Question::Pointer("192.0.2.9".parse().unwrap()), Answer::NoSuchName),
        (Question::Mx(at("mail.example")), Answer::NoData),
        (Question::V4(at("gone.example")), Answer::NoSuchName),
        (Question::V4(at("back\\slash.example")), Answer::NoSuchName),
        (Question::Txt(at("elsewhere.test")), Answer::Trouble), // refused: not this server's
    ] {
        assert_eq!(resolver.ask(&question, &Budget::of_message()).await, expected, "{question:?}");
    }
    for name in ["mail.example", "www.example"] {
        let Answer::V4(mut found) = resolver.ask(&Question::V4(at(name)), &Budget::of_message()).await else {
            panic!()
        };
        found.sort_unstable();
        assert_eq!(found, v4, "{name}");
    }
    let spent = Budget::new(0, Duration::from_secs(10));
    assert_eq!(resolver.ask(&Question::V4(at("mail.example")), &spent).await, Answer::Trouble);
}
