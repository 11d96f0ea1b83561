//! Name servers that fail, lie and keep silent (security.md R7, R8, R9, R11).

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use hickory_server::proto::op::{Edns, Message, ResponseCode};
use hickory_server::proto::rr::rdata::opt::{EdnsCode, EdnsOption};
use hickory_server::proto::rr::rdata::{A, CNAME, NS, SOA};
use hickory_server::proto::rr::{Name, RData, Record, RecordType};
use zi2_keys::{Budget, DnsError, DnsOptions, Resolver, Servers, TrustAd, limits};
use zi2_mail::Domain;
use zi2_sig::{Kid, Trouble};
use zi2_trust::{Dnssec, QueryName, TxtAnswer};

use super::server::{Server, Way, name, name_of, reply, resolver, txt};

const OWNER: &str = "_zi2cert.example.com.";

fn query() -> QueryName {
    QueryName::record(&Domain::parse("example.com").unwrap())
}

async fn ask(resolver: &Resolver) -> Result<TxtAnswer, Trouble> {
    resolver.txt(&query(), &Budget::of_message()).await
}

fn alias(owner: &str, target: &str) -> Record {
    Record::from_rdata(name(owner), 300, RData::CNAME(CNAME(name(target))))
}

fn soa(zone: &str) -> Record {
    Record::from_rdata(name(zone), 300, RData::SOA(SOA::new(name("ns."), name("root."), 1, 1, 1, 1, 60)))
}

fn texts(answer: &Result<TxtAnswer, Trouble>) -> Result<Vec<&str>, Trouble> {
    let answer = answer.as_ref().map_err(|trouble| *trouble)?;
    Ok(answer.records.iter().map(|text| std::str::from_utf8(text).unwrap()).collect())
}

/// A server that answers every question the same, over UDP and TCP.
async fn of_message(make: impl Fn(&mut Message, &str) + Send + Sync + 'static) -> Server {
    Server::start(move |question, _| {
        let mut message = reply(question);
        make(&mut message, &name_of(question));
        vec![message.to_vec().unwrap()]
    })
    .await
}

fn code(code: ResponseCode) -> impl Fn(&mut Message, &str) + Send + Sync + 'static {
    move |message, _| message.metadata.response_code = code
}

fn extended(info: u8) -> impl Fn(&mut Message, &str) + Send + Sync + 'static {
    move |message, _| {
        message.metadata.response_code = ResponseCode::ServFail;
        let mut edns = Edns::new();
        let text = [&[0, info], b"why".as_slice()].concat();
        edns.options_mut().options.push((EdnsCode::from(15), EdnsOption::Unknown(15, text)));
        message.set_edns(edns);
    }
}

#[tokio::test]
async fn response_codes() {
    for (server, expected) in [
        (of_message(code(ResponseCode::NoError)).await, Ok(vec![])),
        (of_message(code(ResponseCode::NXDomain)).await, Ok(vec![])),
        (of_message(code(ResponseCode::ServFail)).await, Err(Trouble::ServFail)),
        (of_message(code(ResponseCode::Refused)).await, Err(Trouble::ServFail)),
        (of_message(code(ResponseCode::FormErr)).await, Err(Trouble::ServFail)),
        (of_message(code(ResponseCode::NotImp)).await, Err(Trouble::ServFail)),
        (of_message(extended(6)).await, Err(Trouble::Bogus)),
        (of_message(extended(7)).await, Err(Trouble::Bogus)),
        (of_message(extended(9)).await, Err(Trouble::Bogus)),
        (of_message(extended(10)).await, Err(Trouble::Bogus)),
        (of_message(extended(12)).await, Err(Trouble::Bogus)),
        (of_message(extended(5)).await, Err(Trouble::ServFail)),
        (of_message(extended(22)).await, Err(Trouble::ServFail)),
    ] {
        assert_eq!(texts(&ask(&server.resolver()).await), expected);
    }
}

#[tokio::test]
async fn forged_replies_are_not_heard() {
    let forged = |change: fn(&mut Message)| {
        Server::start(move |question, way| {
            let mut lie = reply(question);
            lie.add_answer(txt(OWNER, &["lie"]));
            change(&mut lie);
            let mut truth = reply(question);
            truth.add_answer(txt(OWNER, &["truth"]));
            match way {
                Way::Udp => vec![lie.to_vec().unwrap(), truth.to_vec().unwrap()],
                Way::Tcp => vec![truth.to_vec().unwrap()],
            }
        })
    };
    let id: fn(&mut Message) = |lie| lie.metadata.id ^= 1;
    let other_name: fn(&mut Message) = |lie| lie.queries[0].name = name("_zi2cert.example.net.");
    let no_question: fn(&mut Message) = |lie| lie.queries.clear();
    let other_type: fn(&mut Message) = |lie| lie.queries[0].query_type = RecordType::A;
    let letter_case: fn(&mut Message) = |lie| lie.queries[0].name = name(OWNER);
    for (what, change) in [
        ("id", id),
        ("name", other_name),
        ("no question", no_question),
        ("type", other_type),
        ("letter case (0x20)", letter_case),
    ] {
        let server = forged(change).await;
        assert_eq!(texts(&ask(&server.resolver()).await), Ok(vec!["truth"]), "{what}");
        let tcp = server.asked().contains(&Way::Tcp);
        assert_eq!(tcp, what.starts_with("letter"), "{what}: {:?}", server.asked());
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_the_servers_failure() {
    let garbage =
        Server::start(|question, _| vec![[&question.metadata.id.to_be_bytes()[..], &[0xff; 40]].concat()]).await;
    assert_eq!(ask(&garbage.resolver()).await, Err(Trouble::ServFail));
    let elsewhere = Server::start(|question, way| {
        let mut message = reply(question);
        message.metadata.truncation = way == Way::Udp;
        if way == Way::Tcp {
            message.queries[0].name = name("_zi2cert.example.net.");
        }
        vec![message.to_vec().unwrap()]
    })
    .await;
    assert_eq!(ask(&elsewhere.resolver()).await, Err(Trouble::ServFail));
    let always_cut = of_message(|message, _| message.metadata.truncation = true).await;
    assert_eq!(ask(&always_cut.resolver()).await, Err(Trouble::ServFail));
}

#[tokio::test]
async fn silence_is_a_timeout_and_ends_in_time() {
    let silent = Server::start(|_, _| Vec::new()).await;
    let resolver = silent.resolver();
    let start = tokio::time::Instant::now();
    assert_eq!(ask(&resolver).await, Err(Trouble::Timeout));
    assert!(start.elapsed() < Duration::from_secs(2));
    // The failure is kept for a while.
    let asked = resolver.questions();
    assert_eq!(ask(&resolver).await, Err(Trouble::Timeout));
    assert_eq!(resolver.questions(), asked);

    let cut = Server::start(|question, way| {
        let mut message = reply(question);
        message.metadata.truncation = true;
        if way == Way::Udp { vec![message.to_vec().unwrap()] } else { Vec::new() }
    })
    .await;
    assert_eq!(ask(&cut.resolver()).await, Err(Trouble::Timeout), "truncated, and silent over TCP");

    let budget = Budget::new(60, Duration::from_millis(20));
    assert_eq!(silent.resolver().txt(&query(), &budget).await, Err(Trouble::Timeout));
}

#[tokio::test]
async fn a_datagram_may_be_lost() {
    let seen = AtomicU32::new(0);
    let server = Server::start(move |question, _| {
        let mut message = reply(question);
        message.add_answer(txt(OWNER, &["second"]));
        if seen.fetch_add(1, Ordering::Relaxed) == 0 { Vec::new() } else { vec![message.to_vec().unwrap()] }
    })
    .await;
    let servers = Servers::These(vec![server.address]);
    let options = DnsOptions { servers, time: Duration::from_secs(3), ..DnsOptions::STANDARD };
    assert_eq!(texts(&ask(&Resolver::new(&options).unwrap()).await), Ok(vec!["second"]));
}

#[tokio::test]
async fn another_server_helps_unless_the_answer_is_bogus() {
    let good = || of_message(|message, _| drop(message.add_answer(txt(OWNER, &["good"])).clone()));
    let unused: SocketAddr = {
        let (udp, _tcp) = super::server::sockets().await;
        udp.local_addr().unwrap()
    };
    for bad in [
        of_message(code(ResponseCode::ServFail)).await.address,
        of_message(code(ResponseCode::Refused)).await.address,
        Server::start(|_, _| Vec::new()).await.address,
        unused,
    ] {
        let good = good().await;
        let resolver = resolver(&[bad, good.address]);
        assert_eq!(texts(&ask(&resolver).await), Ok(vec!["good"]));
        // From now on the good one is asked first.
        resolver.forget(&query()).await;
        let before = resolver.questions();
        assert_eq!(texts(&ask(&resolver).await), Ok(vec!["good"]));
        assert_eq!(resolver.questions(), before + 1);
    }
    let (bogus, good) = (of_message(extended(6)).await, good().await);
    assert_eq!(ask(&resolver(&[bogus.address, good.address])).await, Err(Trouble::Bogus));
    assert_eq!(good.asked(), []);
}

#[tokio::test]
async fn aliases_are_followed_four_deep() {
    let chain = |names: &'static [&'static str], end: Option<&'static str>, all: bool| {
        of_message(move |message, asked| {
            let from = names.iter().position(|known| *known == asked).unwrap_or(names.len());
            let links = names[from..].windows(2).map(|pair| alias(pair[0], pair[1]));
            let last = names.last().copied().filter(|_| all || from + 1 == names.len());
            message.add_answers(links.take(if all { names.len() } else { 1 }));
            message.add_answers(last.zip(end).map(|(owner, text)| txt(owner, &[text])));
        })
    };
    const FIVE: &[&str] = &[OWNER, "a.example.", "b.example.", "c.example.", "d.example."];
    const SIX: &[&str] = &[OWNER, "a.example.", "b.example.", "c.example.", "d.example.", "e.example."];
    const LOOP: &[&str] = &[OWNER, "a.example.", OWNER];
    const SELF: &[&str] = &[OWNER, OWNER];
    for (names, end, all, expected, questions) in [
        (FIVE, Some("end"), true, Ok(vec!["end"]), 1),
        (FIVE, Some("end"), false, Ok(vec!["end"]), 5),
        (SIX, Some("end"), true, Err(Trouble::ServFail), 1),
        (SIX, Some("end"), false, Err(Trouble::ServFail), 5),
        (LOOP, None, true, Err(Trouble::ServFail), 1),
        (LOOP, None, false, Err(Trouble::ServFail), 5),
        (SELF, None, true, Err(Trouble::ServFail), 1),
    ] {
        let server = chain(names, end, all).await;
        let (resolver, budget) = (server.resolver(), Budget::of_message());
        assert_eq!(texts(&resolver.txt(&query(), &budget).await), expected, "{names:?} {all}");
        assert_eq!((resolver.questions(), u64::from(budget.spent())), (questions, questions), "{names:?} {all}");
        // The cache gives the same at the same price.
        let budget = Budget::of_message();
        assert_eq!(texts(&resolver.txt(&query(), &budget).await), expected);
        assert_eq!((resolver.questions(), u64::from(budget.spent())), (questions, questions));
    }
}

#[tokio::test]
async fn an_alias_to_nothing_is_nothing() {
    for (what, questions, change) in [
        ("denied along", 1, (|message| drop(message.add_authority(soa("example.")).clone())) as fn(&mut Message)),
        ("no such name", 1, |message| message.metadata.response_code = ResponseCode::NXDomain),
        ("asked again", 2, |_| {}),
    ] {
        let server = of_message(move |message, asked| {
            if asked == OWNER {
                message.add_answer(alias(OWNER, "nothing.example."));
            }
            change(message);
        })
        .await;
        let resolver = server.resolver();
        assert_eq!(texts(&ask(&resolver).await), Ok(vec![]), "{what}");
        assert_eq!(resolver.questions(), questions, "{what}");
    }
}

#[tokio::test]
async fn records_of_other_names_do_not_count() {
    let server = of_message(|message, _| {
        message.add_answer(txt("_zi2cert.example.net.", &["lie"]));
        message.add_additional(txt(OWNER, &["lie"]));
        message.add_authority(txt(OWNER, &["lie"]));
        message.add_answer(Record::from_rdata(name(OWNER), 1, RData::A(A::new(192, 0, 2, 1))));
    })
    .await;
    assert_eq!(texts(&ask(&server.resolver()).await), Ok(vec![]));
    let referral = of_message(|message, _| {
        message.metadata.recursion_available = false;
        message.add_authority(Record::from_rdata(name("com."), 1, RData::NS(NS(name("a.gtld-servers.net.")))));
    })
    .await;
    assert_eq!(ask(&referral.resolver()).await, Err(Trouble::ServFail));
}

#[tokio::test]
async fn the_limits_of_records() {
    let string = "x".repeat(255);
    let long = vec![string.as_str(); 16]; // 4,080 octets
    let cases: [(Vec<&str>, Option<usize>); 6] = [
        (vec!["a", "b", ""], Some(2)),
        (vec!["x"; limits::TXT_STRINGS], Some(limits::TXT_STRINGS)),
        (vec!["x"; limits::TXT_STRINGS + 1], None),
        ([long.clone(), vec![&string[..16]]].concat(), Some(4096)),
        ([long, vec![&string[..17]]].concat(), None),
        (vec![string.as_str(); 250], None), // 64,000 octets
    ];
    for (strings, expected) in cases {
        let record = txt(OWNER, &strings);
        let server = Server::start(move |question, way| {
            let mut message = reply(question);
            match way {
                Way::Udp => message.metadata.truncation = true,
                Way::Tcp => message.insert_answers(vec![record.clone(), txt(OWNER, &["neighbour"])]),
            }
            vec![message.to_vec().unwrap()]
        })
        .await;
        let answer = ask(&server.resolver()).await.unwrap();
        let lengths = answer.records.iter().map(Vec::len).filter(|length| *length != 9).collect::<Vec<_>>();
        assert_eq!(lengths, expected.into_iter().collect::<Vec<_>>());
        assert!(answer.records.contains(&b"neighbour".to_vec()));
        assert_eq!(server.asked(), [Way::Udp, Way::Tcp]);
    }
}

#[tokio::test]
async fn of_a_thousand_records_the_same_few_count_in_any_order() {
    let rotated = |by: usize| {
        Server::start(move |question, way| {
            let mut message = reply(question);
            message.metadata.truncation = way == Way::Udp;
            if way == Way::Tcp {
                let mut all = (0..1000).map(|n| txt(OWNER, &[&format!("record {n}")])).collect::<Vec<_>>();
                all.rotate_left(by);
                message.insert_answers(all);
            }
            vec![message.to_vec().unwrap()]
        })
    };
    let [a, b] = [ask(&rotated(0).await.resolver()).await.unwrap(), ask(&rotated(777).await.resolver()).await.unwrap()];
    assert_eq!(a.records.len(), limits::TXT_RECORDS);
    assert_eq!(a, b);
}

#[tokio::test]
async fn dnssec_is_the_word_of_a_trusted_server() {
    let server = Server::start(|question, _| {
        assert!(question.metadata.authentic_data, "RFC 6840 §5.7");
        let mut message = reply(question);
        message.metadata.authentic_data = true;
        message.add_answer(txt(OWNER, &["signed"]));
        vec![message.to_vec().unwrap()]
    })
    .await;
    for (trust_ad, expected) in
        [(TrustAd::Loopback, Dnssec::Secure), (TrustAd::Always, Dnssec::Secure), (TrustAd::Never, Dnssec::Insecure)]
    {
        let servers = Servers::These(vec![server.address]);
        let resolver = Resolver::new(&DnsOptions { servers, trust_ad, ..DnsOptions::STANDARD }).unwrap();
        assert_eq!(ask(&resolver).await.unwrap().dnssec, expected, "{trust_ad:?}");
    }
    // One insecure link makes the chain insecure.
    let half = of_message(|message, asked| {
        message.metadata.authentic_data = asked == OWNER;
        let record = if asked == OWNER { alias(OWNER, "a.example.") } else { txt("a.example.", &["x"]) };
        message.add_answer(record);
    })
    .await;
    assert_eq!(ask(&half.resolver()).await.unwrap().dnssec, Dnssec::Insecure);
}

#[tokio::test]
async fn one_flight_for_a_hundred() {
    let server = of_message(|message, _| drop(message.add_answer(txt(OWNER, &["x"])).clone())).await;
    let resolver = server.resolver();
    let flights = (0..100).map(|_| {
        let resolver = resolver.clone();
        tokio::spawn(async move { ask(&resolver).await })
    });
    for flight in flights.collect::<Vec<_>>() {
        assert_eq!(texts(&flight.await.unwrap()), Ok(vec!["x"]));
    }
    assert_eq!((server.asked().len(), resolver.questions()), (1, 1));
    resolver.forget(&query()).await;
    assert_eq!(texts(&ask(&resolver).await), Ok(vec!["x"]));
    assert_eq!(resolver.questions(), 2);
}

#[tokio::test]
async fn whether_a_name_exists() {
    let parent =
        QueryName::page_parent(Kid::parse("zi2-cert-2026-04").unwrap(), &Domain::parse("example.com").unwrap());
    let of = |kind: RecordType, other: ResponseCode| {
        of_message(move |message, asked| {
            let owner: Name = name(asked);
            let data = match message.queries[0].query_type() {
                asked if asked != kind => {
                    message.metadata.response_code = other;
                    return;
                }
                RecordType::NS => RData::NS(NS(name("ns."))),
                _ => RData::A(A::new(192, 0, 2, 1)),
            };
            message.add_answer(Record::from_rdata(owner, 60, data));
        })
    };
    for (server, expected) in [
        (of(RecordType::A, ResponseCode::NoError).await, Ok(true)),
        (of(RecordType::NS, ResponseCode::NoError).await, Ok(true)),
        (of(RecordType::TXT, ResponseCode::NoError).await, Ok(false)),
        (of(RecordType::TXT, ResponseCode::NXDomain).await, Ok(false)),
        (of(RecordType::TXT, ResponseCode::ServFail).await, Err(Trouble::ServFail)),
        (of(RecordType::A, ResponseCode::ServFail).await, Ok(true)),
    ] {
        let budget = Budget::of_message();
        assert_eq!(server.resolver().exists(&parent, &budget).await, expected);
        assert_eq!(budget.spent(), 4);
    }
}

#[tokio::test]
async fn over_budget_nothing_is_asked() {
    let server = of_message(|message, _| drop(message.add_answer(txt(OWNER, &["x"])).clone())).await;
    let resolver = server.resolver();
    let spent = Budget::new(0, Duration::from_secs(10));
    let late = Budget::new(60, Duration::ZERO);
    for budget in [spent, late] {
        assert_eq!(resolver.txt(&query(), &budget).await, Err(Trouble::Timeout));
    }
    assert_eq!(server.asked(), []);
}

#[test]
fn some_server_is_needed() {
    let none = DnsOptions { servers: Servers::These(Vec::new()), ..DnsOptions::STANDARD };
    assert!(matches!(Resolver::new(&none), Err(DnsError::NoServers)));
    assert!(Resolver::new(&DnsOptions::STANDARD).is_ok());
}
