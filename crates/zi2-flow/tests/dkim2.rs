//! All DKIM2 vectors through `Inbound`: the verdict of the library, whatever the pieces; and what is kept of a message.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test")]

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use zi2_flow::{BodyRoom, Envelope, Inbound, Outcome, ReceiverRules, Services, World, dkim2, limits};
use zi2_keys::{Budget, Resolver};
use zi2_mail::{Message, crlf_at_every_lf};
use zi2_sig::dkim2::{Outcome as Proven, Policy};
use zi2_store::{MemoryStore, Settings, StoreHandle};
use zi2_testkit::dkim2_vectors::{dns, folder, read};
use zi2_trust::{Dmarc, Submission};

const PATIENCE: Duration = Duration::from_secs(30);

/// The cases with their octets and worlds.
fn cases() -> Vec<(Value, Vec<u8>, World)> {
    let dns = dns();
    let with_world = |case: &Value| {
        let json = json!({"now": case["now"], "mail_from": case["mail_from"], "rcpt": case["rcpt_to"], "dns": dns});
        let octets = std::fs::read(folder().join("expected").join(case["file"].as_str().unwrap())).unwrap();
        (case.clone(), crlf_at_every_lf(&octets).into_owned(), World::parse(json.to_string().as_bytes()).unwrap())
    };
    let cases: Vec<_> = read("cases.json").as_array().unwrap().iter().map(with_world).collect();
    assert!(cases.len() >= 43, "only {}", cases.len());
    cases
}

fn rules(room: BodyRoom) -> Arc<ReceiverRules> {
    let protocol = ReceiverRules::protocol(zi2_config::HostedDomains::new([]), PATIENCE);
    Arc::new(ReceiverRules { room, ..protocol })
}

fn begin(octets: &[u8], world: &World, rules: &Arc<ReceiverRules>) -> Inbound {
    let store = StoreHandle::start(Arc::new(MemoryStore::new(Settings::memory()))).unwrap();
    let (resolver, documents) = (Resolver::fixed(world.dns.clone()), world.documents.clone());
    let header = Message::split(octets).header;
    let mut inbound =
        Inbound::begin(&header, &Services { resolver, documents, store, snapshots: None }, rules, world.now);
    inbound.evaluate_dkim2(&header, &world.envelope, PATIENCE);
    inbound
}

async fn finish(mut inbound: Inbound, body: impl Iterator<Item = &[u8]>, world: &World) -> Outcome {
    body.for_each(|chunk| inbound.body(chunk));
    inbound.finish(&Envelope::of(&world.recipients), Submission::Outside, Dmarc::Unknown).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_as_the_library_has_it() {
    for (case, octets, world) in cases() {
        let message = Message::split(&octets);
        let (resolver, budget) = (Resolver::fixed(world.dns.clone()), Arc::new(Budget::new(100, PATIENCE)));
        let policy = Policy::default();
        let library = dkim2(&message, &world.envelope, world.now, &policy, &resolver, &budget).await;
        assert_eq!(library.result(), case["expected"], "{}", case["name"]);
        for size in [1, 7, octets.len()] {
            let inbound = begin(&octets, &world, &rules(BodyRoom::default()));
            let outcome = finish(inbound, message.body.chunks(size), &world).await;
            let verdict = outcome.dkim2.unwrap();
            let said = |verdict: &zi2_sig::dkim2::Verdict| {
                let text = verdict.failure().map(zi2_sig::dkim2::Failure::text);
                (verdict.result(), text, matches!(verdict.outcome, Proven::Full(_)))
            };
            assert_eq!(said(&verdict), said(&library), "{} in {size}", case["name"]);
            assert!(outcome.received.is_none(), "nobody asked for it");
        }
    }
}

/// A chain in which a hop changed the body.
fn with_changed_body() -> (Vec<u8>, World) {
    let is_changed = |(case, _, _): &(Value, Vec<u8>, World)| case["file"] == "d2_07_chain_hop5.eml";
    let (_, octets, world) = cases().into_iter().find(is_changed).unwrap();
    (octets, world)
}

#[tokio::test]
async fn a_body_that_cannot_be_kept_is_no_pass() {
    let (octets, world) = with_changed_body();
    let body = Message::split(&octets).body;
    let room = BodyRoom::of(body.len());
    let rules = rules(room.clone());
    let first = finish(begin(&octets, &world, &rules), [body].into_iter(), &world).await;
    assert!(matches!(first.dkim2.unwrap().outcome, Proven::Full(_)));

    // Another message holds the room until it is gone.
    let mut holding = begin(&octets, &world, &rules);
    holding.body(body);
    let second = finish(begin(&octets, &world, &rules), [body].into_iter(), &world).await.dkim2.unwrap();
    let text = second.failure().unwrap().to_string();
    assert!(text.starts_with("TEMPERROR: ") && text.ends_with(" earlier bodies cannot be checked now"), "{text}");
    assert!(matches!(second.outcome, Proven::Provisional(..)), "the newest hop needs no whole body");
    drop(holding);
    let third = finish(begin(&octets, &world, &rules), [body].into_iter(), &world).await;
    assert!(matches!(third.dkim2.unwrap().outcome, Proven::Full(_)));

    // Beyond the bound the newest hop decides, which such a body does not match.
    let rest = vec![b'x'; limits::KEPT_BODY];
    let chunks = [body, &rest];
    let large = finish(begin(&octets, &world, &self::rules(BodyRoom::default())), chunks.into_iter(), &world).await;
    assert_eq!(large.dkim2.unwrap().failure().unwrap().code(), "body_hash");
}

#[tokio::test]
async fn the_message_as_received_for_whoever_sends_it_on() {
    let (octets, world) = with_changed_body();
    let message = Message::split(&octets);
    let rules = rules(BodyRoom::default());
    let mut inbound = begin(&octets, &world, &rules);
    inbound.keep_received();
    let outcome = finish(inbound, message.body.chunks(5), &world).await;
    let received = outcome.received.unwrap();
    assert_eq!([received.section(), b"\r\n", received.body()].concat(), octets);
    assert!(matches!(outcome.dkim2.unwrap().outcome, Proven::Full(_)));

    let plain = b"From: a@b.example\r\nDate: x\r\nMessage-ID: <1@b.example>\r\n\r\nHello\r\n";
    let mut inbound = begin(plain, &world, &rules);
    inbound.keep_received();
    let outcome = finish(inbound, [&b"Hello\r\n"[..]].into_iter(), &world).await;
    assert!(outcome.received.is_none(), "there is no chain to extend");
    assert_eq!(outcome.dkim2.unwrap().result(), "none");
}
