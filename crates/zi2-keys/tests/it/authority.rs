//! The servers of a zone, each asked for itself: all on one port, at loopback addresses of their own.

use std::net::Ipv4Addr;
use std::time::Duration;

use hickory_server::proto::op::{Message, ResponseCode};
use hickory_server::proto::rr::rdata::{A, CNAME, NS};
use hickory_server::proto::rr::{RData, Record, RecordType};
use tokio::net::UdpSocket;
use zi2_keys::{Budget, Resolver, ServerAnswer};
use zi2_mail::Domain;
use zi2_sig::Trouble;
use zi2_trust::QueryName;

use super::server::{Server, name, name_of, reply, resolver, txt};

/// What a server holds: owner, and its records.
type Zone = Vec<(&'static str, Vec<Record>)>;

fn answer(zone: &Zone, question: &Message) -> Vec<Vec<u8>> {
    let (mut said, asked) = (reply(question), name_of(question));
    let kind = question.queries[0].query_type();
    match zone.iter().find(|(owner, _)| *owner == asked) {
        None => said.metadata.response_code = ResponseCode::NXDomain,
        Some((_, records)) => {
            let fits = |record: &&Record| [kind, RecordType::CNAME].contains(&record.record_type());
            said.add_answers(records.iter().filter(fits).cloned());
        }
    }
    vec![said.to_vec().unwrap()]
}

/// A resolver's view: who serves which zone, and where.
fn parents() -> Zone {
    let data = |owner: &str, data| Record::from_rdata(name(owner), 300, data);
    let ns = |owner: &str, host: &str| data(owner, RData::NS(NS(name(host))));
    let at = |owner: &str, last| data(owner, RData::A(A(Ipv4Addr::new(127, 0, 0, last))));
    vec![
        ("example.", vec![ns("example.", "ns1.example."), ns("example.", "ns2.example.")]),
        ("other.", vec![ns("other.", "ns3.other.")]),
        ("ns1.example.", vec![at("ns1.example.", 71)]),
        ("ns2.example.", vec![at("ns2.example.", 72)]),
        ("ns3.other.", vec![at("ns3.other.", 73)]),
    ]
}

/// Asks for `_zi2cert.one.example` where ns1 and ns2 of example, and ns3 of other, hold these; none: nobody listens there.
async fn asked(zones: [Option<Zone>; 3]) -> Vec<(String, Result<Vec<String>, Trouble>, u64)> {
    let parents = parents();
    let recursive = Server::start(move |question, _| answer(&parents, question)).await;
    let port = recursive.address.port();
    for (last, zone) in (71..).zip(zones) {
        let Some(zone) = zone else { continue };
        let socket = UdpSocket::bind((Ipv4Addr::new(127, 0, 0, last), port)).await.unwrap();
        tokio::spawn(async move {
            let mut buffer = [0; 4096];
            loop {
                let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
                let said = answer(&zone, &Message::from_vec(&buffer[..length]).unwrap());
                socket.send_to(&said[0], from).await.unwrap();
            }
        });
    }
    let resolver: Resolver = resolver(&[recursive.address]);
    let name = QueryName::record(&Domain::parse("one.example").unwrap());
    let budget = Budget::new(100, Duration::from_secs(20));
    let mut answers: Vec<_> =
        resolver.at_authorities(&name, port, &budget).await.unwrap().into_iter().map(shown).collect();
    answers.sort();
    answers
}

fn shown(answer: ServerAnswer) -> (String, Result<Vec<String>, Trouble>, u64) {
    let texts = |records: Vec<Vec<u8>>| records.into_iter().map(|text| String::from_utf8(text).unwrap()).collect();
    (answer.server, answer.records.map(texts), answer.ttl.as_secs())
}

const OWNER: &str = "_zi2cert.one.example.";

fn holds(text: &str) -> Option<Zone> {
    Some(vec![(OWNER, vec![txt(OWNER, &[text])])])
}

fn leads_to(target: &str) -> Option<Zone> {
    Some(vec![(OWNER, vec![Record::from_rdata(name(OWNER), 300, RData::CNAME(CNAME(name(target))))])])
}

fn said(server: &str, text: &str) -> (String, Result<Vec<String>, Trouble>, u64) {
    (server.to_owned(), Ok(vec![text.to_owned()]), 300)
}

#[tokio::test]
async fn each_server_speaks_for_itself() {
    assert_eq!(
        asked([holds("new"), holds("old"), None]).await,
        [said("ns1.example", "new"), said("ns2.example", "old")]
    );
    let empty = ("ns2.example".to_owned(), Ok(Vec::new()), 0);
    assert_eq!(asked([holds("new"), Some(Vec::new()), None]).await, [said("ns1.example", "new"), empty]);
    let silent = ("ns2.example".to_owned(), Err(Trouble::Timeout), 0);
    assert_eq!(asked([holds("new"), None, None]).await, [said("ns1.example", "new"), silent]);
}

#[tokio::test]
async fn a_delegated_name_is_asked_where_it_leads() {
    let target = "key.other.";
    let zone = Some(vec![(target, vec![txt(target, &["there"])])]);
    let third = || said("ns3.other", "there");
    assert_eq!(asked([leads_to(target), leads_to(target), zone.clone()]).await, [third()]);
    assert_eq!(asked([leads_to(target), holds("old"), zone]).await, [said("ns2.example", "old"), third()]);
    let failed = |server: &str| (server.to_owned(), Err(Trouble::ServFail), 0);
    let itself = asked([leads_to(OWNER), leads_to(OWNER), None]).await;
    assert_eq!(itself, [failed("ns1.example"), failed("ns2.example")]);
    let back = Record::from_rdata(name(target), 300, RData::CNAME(CNAME(name(OWNER))));
    let circle = asked([leads_to(target), holds("old"), Some(vec![(target, vec![back])])]).await;
    assert_eq!(circle, [said("ns2.example", "old"), failed("ns3.other")]);
}
