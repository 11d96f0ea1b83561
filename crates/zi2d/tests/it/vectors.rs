//! Every ZI2 vector through the milter protocol.

use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use zi2_flow::{Envelope, Inbound, Services, World};
use zi2_keys::Resolver;
use zi2_mail::{Message, crlf_from_file};
use zi2_milter::client::Answered;
use zi2_store::{MemoryStore, Settings, StoreHandle};
use zi2_trust::{Dmarc, Submission};
use zi2d::Live;

use crate::kit::{Running, Side, clock, live, receiver, services};

#[derive(Deserialize)]
struct Case {
    name: String,
    message: String,
    env: serde_json::Value,
    expect: Expect,
}

#[derive(Deserialize)]
struct Expect {
    result: String,
    reason: String,
    level: u8,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/zi2");
    let cases: Vec<Case> = serde_json::from_slice(&std::fs::read(folder.join("cases.json")).unwrap()).unwrap();
    assert!(cases.len() >= 202, "only {} cases", cases.len());
    let (mut carried, mut stopped, mut wrong) = (0, Vec::new(), Vec::new());
    for case in cases {
        let octets = crlf_from_file(&std::fs::read(folder.join(&case.message)).unwrap()).into_owned();
        if !travels(&octets) {
            stopped.push(case.name);
            continue;
        }
        let got = through_milter(&case, &octets).await;
        let expected =
            [&case.expect.result, &case.expect.reason, &case.expect.level.to_string()].map(ToOwned::to_owned);
        if got == expected {
            carried += 1;
        } else {
            wrong.push(format!("{}: expected {expected:?}, got {got:?}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{carried} right, wrong:\n{}", wrong.join("\n"));
    assert!(carried >= 199 && stopped.iter().all(|name| name.starts_with("malformed-")), "{stopped:?}");
}

/// Whether a mail server can hand the header section over: a frame of the protocol has no place for NUL, and a line that
/// is no field ends the section for the server, so that no milter ever sees it. The library and the command have these.
pub(crate) fn travels(octets: &[u8]) -> bool {
    let section = octets.windows(4).position(|end| end == b"\r\n\r\n").map_or(octets, |end| &octets[..end]);
    let mut lines = section.split(|octet| *octet == b'\n');
    let is_field = |line: &[u8]| !line.starts_with(b" ") && !line.starts_with(b"\t") && line.contains(&b':');
    let first = lines.next().is_some_and(is_field);
    first
        && !section.contains(&0)
        && lines.all(|line| line.starts_with(b" ") || line.starts_with(b"\t") || is_field(line))
}

async fn through_milter(case: &Case, octets: &[u8]) -> [String; 3] {
    let world = World::parse(case.env.to_string().as_bytes()).unwrap();
    let live = live_in(&world);
    if world.submission == Submission::Here {
        issue(&live, &world, octets).await;
    }
    let recipients: Vec<&str> = world.recipients.iter().map(String::as_str).collect();
    let server = Running::with_clock(Side::Ingress, live, clock(world.now));
    let delivered = server.receive(&recipients, octets).await;
    assert_eq!(delivered.answer.answered, Answered::Continue, "{}", case.name);
    delivered.verified().result_reason_level().map(str::to_owned)
}

fn live_in(world: &World) -> Live {
    let store = StoreHandle::start(Arc::new(MemoryStore::new(Settings::memory()))).unwrap();
    store.store().import(&world.history).unwrap();
    let services = Services {
        resolver: Resolver::fixed(world.dns.clone()),
        documents: world.documents.clone(),
        store,
        snapshots: None,
    };
    let mut rules = receiver(world.hosted.clone());
    (rules.local_keys, rules.exchanged) = (world.local_keys.clone(), world.exchanged.clone());
    let mut live = live(services);
    live.receiver = Arc::new(rules);
    live
}

/// What the world calls submitted here was certified here a moment ago: its nonce stands in the log of issued ones.
async fn issue(live: &Live, world: &World, octets: &[u8]) {
    let elsewhere = services(world.dns.clone());
    let message = Message::split(octets);
    let mut inbound = Inbound::begin(&message.header, &elsewhere, &live.receiver, world.now);
    inbound.body(message.body);
    let judged = inbound.finish(&Envelope::of(&world.recipients), Submission::Here, Dmarc::Unknown).await;
    if let zi2_sig::Outcome::Verified(attested) = judged.facts.outcome {
        live.services.store.issue(attested.id(), attested.time().day()).await.unwrap();
    }
}
