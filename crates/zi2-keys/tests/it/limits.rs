//! What is exactly at a limit of DNS counts, and one more does not. Clocks stand still and jump.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hickory_server::proto::op::{Message, ResponseCode};
use tokio::net::UdpSocket;
use tokio::time::{Instant, sleep};
use zi2_chain::{Answer, DnsName, Question};
use zi2_keys::{Budget, DnsOptions, FixedDns, FixedNode, Resolver, Servers, limits};
use zi2_mail::Domain;
use zi2_sig::Trouble;
use zi2_trust::QueryName;

use super::server::{Server, name_of, reply, txt};

const MOMENT: Duration = Duration::from_millis(1);
const LONG: Duration = Duration::from_secs(1000);

fn query(domain: &str) -> QueryName {
    QueryName::record(&Domain::parse(domain).unwrap())
}

fn resolver(servers: Vec<SocketAddr>, time: Duration) -> Resolver {
    Resolver::new(&DnsOptions { servers: Servers::These(servers), time, ..DnsOptions::STANDARD }).unwrap()
}

/// A server that answers each datagram so long after it came.
async fn slow(after: Duration) -> SocketAddr {
    let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 4096];
        loop {
            let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
            let question = Message::from_vec(&buffer[..length]).unwrap();
            let socket = Arc::clone(&socket);
            tokio::spawn(async move {
                sleep(after).await;
                let mut message = reply(&question);
                message.add_answer(txt(&name_of(&question), &["late"]));
                // The asker may be gone.
                socket.send_to(&message.to_vec().unwrap(), from).await.ok();
            });
        }
    });
    address
}

#[tokio::test]
async fn servers() {
    let good = async || {
        Server::start(|question, _| {
            let mut message = reply(question);
            message.add_answer(txt(&name_of(question), &["good"]));
            vec![message.to_vec().unwrap()]
        })
        .await
    };
    let bad = async || {
        Server::start(|question, _| {
            let mut message = reply(question);
            message.metadata.response_code = ResponseCode::ServFail;
            vec![message.to_vec().unwrap()]
        })
        .await
    };
    for (before, found) in [(limits::SERVERS - 1, Ok(1)), (limits::SERVERS, Err(Trouble::ServFail))] {
        let mut addresses = Vec::new();
        for _ in 0..before {
            addresses.push(bad().await.address);
        }
        addresses.push(good().await.address);
        let resolver = resolver(addresses, LONG);
        let answer = resolver.txt(&query("example.com"), &Budget::of_message()).await;
        assert_eq!(answer.map(|answer| answer.records.len()), found, "the good one comes after {before}");
        assert_eq!(resolver.questions(), limits::SERVERS as u64);
    }
}

#[tokio::test(start_paused = true)]
async fn time_of_a_server_and_of_a_look_up() {
    for (time, limit) in [(DnsOptions::STANDARD.time, limits::SERVER_TIME), (LONG, limits::LOOK_UP_TIME)] {
        for (after, found) in [(limit - MOMENT, Ok(1)), (limit + MOMENT, Err(Trouble::Timeout))] {
            let resolver = resolver(vec![slow(after).await], time);
            let began = Instant::now();
            let answer = resolver.txt(&query("example.com"), &Budget::new(1, LONG)).await;
            assert_eq!(answer.map(|answer| answer.records.len()), found, "{after:?} of {limit:?}");
            assert!(began.elapsed() <= limit + MOMENT, "{:?} of {limit:?}", began.elapsed());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn look_ups_under_way_at_once() {
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let resolver = resolver(vec![silent.local_addr().unwrap()], limits::SERVER_TIME);
    let asking = (0..=limits::FLIGHTS).map(|number| {
        let resolver = resolver.clone();
        tokio::spawn(async move { resolver.txt(&query(&format!("d{number}.example")), &Budget::new(1, LONG)).await })
    });
    let asking: Vec<_> = asking.collect();
    sleep(limits::SERVER_TIME / 2).await;
    assert_eq!(resolver.questions(), limits::FLIGHTS as u64);
    for asking in asking {
        assert_eq!(asking.await.unwrap(), Err(Trouble::Timeout));
    }
    assert_eq!(resolver.questions(), limits::FLIGHTS as u64 + 1);
}

#[tokio::test]
async fn records_of_one_name() {
    for number in [limits::TXT_RECORDS, limits::TXT_RECORDS + 1] {
        let texts: Vec<String> = (0..number).map(|number| format!("{number:04}")).collect();
        let node = FixedNode::of_txt(&texts.iter().map(String::as_str).collect::<Vec<_>>());
        let resolver = Resolver::fixed(FixedDns::new().with("_zi2cert.example.com", node));
        let answer = resolver.txt(&query("example.com"), &Budget::of_message()).await.unwrap();
        let first: Vec<_> = texts.iter().take(limits::TXT_RECORDS).map(|text| text.as_bytes().to_vec()).collect();
        assert_eq!(answer.records, first, "{number}");
    }
    let name = || DnsName::parse("mail.example.com").unwrap();
    for number in [limits::RECORDS, limits::RECORDS + 1] {
        let addresses = (0..).map(Ipv4Addr::from_bits).take(number);
        let names: Vec<String> = (0..number).map(|number| format!("d{number:04}.example")).collect();
        let node = FixedNode {
            aaaa: addresses.clone().map(|address| address.to_ipv6_mapped()).collect(),
            a: addresses.collect(),
            mx: names.clone(),
            ptr: names,
            ..FixedNode::empty()
        };
        let dns = FixedDns::new().with("mail.example.com", node.clone()).with("1.2.0.192.in-addr.arpa", node);
        let resolver = Resolver::fixed(dns);
        let pointer = Question::Pointer(Ipv4Addr::new(192, 0, 2, 1).into());
        for question in [Question::V4(name()), Question::V6(name()), Question::Mx(name()), pointer] {
            let found = match resolver.ask(&question, &Budget::of_message()).await {
                Answer::V4(found) => found.len(),
                Answer::V6(found) => found.len(),
                Answer::Mx(found) | Answer::Pointer(found) => found.len(),
                other => panic!("{question:?}: {other:?}"),
            };
            assert_eq!(found, limits::RECORDS, "{question:?}: {number}");
        }
    }
}
