//! The cases of the threat model through the milter protocol: what arrives at ingress, and their parts for the milter.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use zi2_config::{ChainMode, OwnDomain, SenderMap};
use zi2_flow::{Services, World, has_chain};
use zi2_keys::Resolver;
use zi2_mail::{HostName, Message, crlf_from_file};
use zi2_milter::client::{Answered, Mail, Origin};
use zi2_sig::{Identity, Kid, dkim2};
use zi2_store::{MemoryStore, Settings, StoreHandle};
use zi2_testkit::{Case, Client, MilterStep, Reply, Role, Step, cases, milter_cases};
use zi2d::Live;

use crate::chain::with_chain;
use crate::kit::{Delivered, OURS, Running, Side, clock, live, receiver};
use crate::vectors::travels;

/// The steps that need no word of DMARC's, in sequence where they are, by what the delivered message says.
#[tokio::test(flavor = "multi_thread")]
async fn every_step_at_ingress() {
    let (mut carried, mut wrong) = (0, Vec::new());
    for case in cases() {
        let mut store = None;
        for (at, step) in case.steps.iter().enumerate().take_while(|(_, step)| step.dmarc.is_none() && !step.issued) {
            let octets = crlf_from_file(&case.octets(&step.message)).into_owned();
            if !travels(&octets) || step.expect.exit.is_some() {
                continue;
            }
            let world = world(&case, &step.world);
            let store =
                if case.in_sequence { store.get_or_insert_with(|| store_of(&world)) } else { &store_of(&world) };
            wrong.extend(
                at_ingress(step, &world, store, &octets).await.map(|what| format!("{} {}: {what}", case.id, at + 1)),
            );
            carried += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(carried > 130, "only {carried}");
}

async fn at_ingress(step: &Step, world: &World, store: &StoreHandle, octets: &[u8]) -> Option<String> {
    let mut live = live_in(world, store, None);
    let header = Message::split(octets).header;
    let evaluates = has_chain(&header, &world.client) || header.named(dkim2::MESSAGE_INSTANCE).next().is_some();
    if evaluates {
        live = with_chain(live, ChainMode::Mark);
    }
    let server = Running::with_clock(Side::Ingress, live, clock(world.now));
    let recipients: Vec<&str> = world.recipients.iter().map(String::as_str).collect();
    let delivered = server.receive_from(&world.client, &recipients, octets).await;
    if delivered.answer.answered != Answered::Continue {
        return Some(format!("{:?}", delivered.answer.answered));
    }
    store.flush().await.unwrap();
    let tags = delivered.verified();
    let expect = &step.expect;
    let level = expect.level.to_string();
    let spoof = Some(expect.spoof.as_str()).filter(|spoof| *spoof != "no").unwrap_or_default();
    let got = (tags.result_reason_level(), tags.get("spoof"));
    let wanted = ([expect.result.as_str(), &expect.reason, &level], spoof);
    let mut ours = delivered.fields("X-ZI2-Verified");
    ours.extend(delivered.fields("Authentication-Results").into_iter().filter(|field| field.starts_with(OURS)));
    assert_eq!(ours.len(), if evaluates { 3 } else { 2 });
    let chain = if evaluates { delivered.chain() } else { Vec::new() };
    let present = expect.absent.iter().find(|text| ours.iter().any(|field| field.contains(text.as_str())));
    match present {
        _ if got != wanted => Some(format!("{got:?}, not {wanted:?}")),
        Some(text) => Some(format!("{text:?} appears in {ours:?}")),
        None => wanted_of_chain(&expect.chain)
            .into_iter()
            .find(|method| !chain.iter().any(|found| found.starts_with(method.as_str())))
            .map(|method| format!("{method} is not in {chain:?}")),
    }
}

/// The results that the chain's field must hold: the words, and of DKIM the reason.
fn wanted_of_chain(expect: &Value) -> Vec<String> {
    let word = |method: &str| Some(format!("{method}={}", expect[method]["result"].as_str()?));
    let signatures = expect["dkim"].as_array().into_iter().flatten();
    let signature = |one: &Value| {
        let reason = one["reason"].as_str().map(|reason| format!(" reason={reason}")).unwrap_or_default();
        Some(format!("dkim={}{reason}", one["result"].as_str()?))
    };
    // RFC 8617 has no word for a key that could not be asked for.
    let others = ["spf", "dmarc", "arc", "dkim2"].into_iter().filter_map(word);
    let others = others.filter(|result| result != "arc=temperror" && result != "dkim2=none");
    signatures.filter_map(signature).chain(others).collect()
}

/// The milter parts, one after another at one host, with the whole header section compared.
#[tokio::test(flavor = "multi_thread")]
async fn every_part_for_the_milter() {
    let mut wrong = Vec::new();
    for case in milter_cases() {
        let store = store_of(&world(&case, &serde_json::Value::Null));
        for (at, step) in case.milter.iter().enumerate() {
            let delivered = deliver(&case, step, &store).await;
            let accepted = delivered.answer.answered == Answered::Continue;
            if accepted != (step.reply == Reply::Accept) {
                wrong.push(format!("{} {}: {:?}", case.id, at + 1, delivered.answer.answered));
            }
            let message = Message::split(&delivered.octets);
            let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
            let fields: Vec<_> = message.header.fields().map(|f| (text(f.name()), text(f.value()))).collect();
            wrong.extend(step.check(&fields).err().map(|what| format!("{} {}: {what}", case.id, at + 1)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// TC-073 as it happens: what the daemon itself certified for somebody elsewhere comes back at once, with the log on.
#[tokio::test(flavor = "multi_thread")]
async fn what_we_sent_out_is_worth_level_1_when_it_returns() {
    let case = milter_cases().into_iter().find(|case| case.id == "TC-073").unwrap();
    let store = store_of(&world(&case, &serde_json::Value::Null));
    let (out, back) = (&case.milter[0], &case.milter[1]);
    let sent = deliver(&case, out, &store).await;
    let returned = carry(&case, back, &store, &sent.octets).await;
    assert_eq!(returned.verified().result_reason_level(), ["pass", "ok.returned", "1"]);
}

async fn deliver(case: &Case, step: &MilterStep, store: &StoreHandle) -> Delivered {
    carry(case, step, store, &case.octets(&step.message)).await
}

async fn carry(case: &Case, step: &MilterStep, store: &StoreHandle, octets: &[u8]) -> Delivered {
    let world = world(case, &step.world);
    let side = if step.role == Role::Egress { Side::Egress } else { Side::Ingress };
    let server = Running::with_clock(side, live_in(&world, store, case.senders.as_deref()), clock(world.now));
    let bracketed = |address: &str| format!("<{address}>");
    let (sender, recipients) =
        (bracketed(&step.mail_from), step.rcpt.iter().map(|to| bracketed(to)).collect::<Vec<_>>());
    let (client, octets) = (step.client.clone(), octets.to_vec());
    server
        .talk(move |mut talk| {
            let recipients: Vec<&str> = recipients.iter().map(String::as_str).collect();
            let (address, login) = match &client {
                Client::Login(login) => (None, Some(("{auth_authen}", login.as_str()))),
                Client::Network(address) => (Some(address.to_string()), None),
            };
            let origin = Origin { address: address.as_deref().unwrap_or("192.0.2.10"), ..Origin::STRANGER };
            talk.open(&origin).unwrap();
            let macros: Vec<_> = login.into_iter().collect();
            let mail = Mail {
                sender: &sender,
                recipients: &recipients,
                macros: &macros,
                queue_id: "4bTEST",
                content: &octets,
            };
            let answer = talk.send(&mail).unwrap();
            let octets = answer.apply(&octets);
            Delivered { answer, octets }
        })
        .await
}

fn world(case: &Case, patch: &serde_json::Value) -> World {
    World::parse(zi2_testkit::world(case, patch).to_string().as_bytes()).unwrap()
}

fn store_of(world: &World) -> StoreHandle {
    let store = StoreHandle::start(Arc::new(MemoryStore::new(Settings::memory()))).unwrap();
    store.store().import(&world.history).unwrap();
    store
}

fn live_in(world: &World, store: &StoreHandle, senders: Option<&str>) -> Live {
    let (resolver, documents) = (Resolver::fixed(world.dns.clone()), world.documents.clone());
    let mut live = live(Services { resolver, documents, store: store.clone(), snapshots: None });
    let mut rules = receiver(world.hosted.clone());
    (rules.local_keys, rules.exchanged) = (world.local_keys.clone(), world.exchanged.clone());
    rules.sealers = world.sealers.clone();
    live.receiver = Arc::new(rules);
    live.issued_log = true;
    let identity = Identity { sid: HostName::parse(OURS).unwrap(), kid: Kid::parse(zi2_testkit::KID).unwrap() };
    live.sender.signer = Some((identity, Arc::new(zi2_testkit::key("recv"))));
    live.sender.hosted = world.hosted.clone();
    if let Some(map) = senders {
        let file = Path::new("senders.map");
        live.sender.senders = SenderMap::from_text(world.hosted.clone(), OwnDomain::ByRuleOnly, file, map).unwrap();
    }
    live
}
