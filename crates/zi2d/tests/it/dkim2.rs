//! DKIM2 through the milter protocol: every vector, the words of the results, and a list's mail restored.

use serde_json::{Value, json};
use zi2_config::{ChainMode, IngressMode};
use zi2_flow::{Services, World};
use zi2_keys::{Documents, Resolver};
use zi2_mail::crlf_at_every_lf;
use zi2_store::{MemoryStore, Settings, StoreHandle};
use zi2_testkit::dkim2_vectors::{dns, folder, read};
use zi2_testkit::{Hop, Mail, Signing};
use zi2d::Live;

use crate::chain::with_chain;
use crate::kit::{Delivered, Running, Side, clock, live, receiver};
use crate::vectors::travels;

fn live_in(world: &World, mode: ChainMode) -> Live {
    let store = StoreHandle::start(std::sync::Arc::new(MemoryStore::new(Settings::memory()))).unwrap();
    let (resolver, documents) = (Resolver::fixed(world.dns.clone()), Documents::None);
    let mut live = with_chain(live(Services { resolver, documents, store, snapshots: None }), mode);
    live.receiver = std::sync::Arc::new(receiver(world.hosted.clone()));
    live
}

async fn receive(running: &Running, world: &World, octets: &[u8]) -> Delivered {
    let recipients: Vec<&str> = world.recipients.iter().map(String::as_str).collect();
    running.receive_from(&world.client, &recipients, octets).await
}

/// What stands in the chain's field of DKIM2.
fn words(delivered: &Delivered) -> Vec<String> {
    delivered.chain().into_iter().filter(|method| method.starts_with("dkim2=")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case() {
    let (folder, dns) = (folder(), dns());
    let mut carried = 0;
    for case in read("cases.json").as_array().unwrap() {
        let file = std::fs::read(folder.join("expected").join(case["file"].as_str().unwrap())).unwrap();
        let octets = crlf_at_every_lf(&file).into_owned();
        assert!(travels(&octets), "{}", case["name"]);
        // The mail server's side of the kit puts the brackets.
        let bare = |path: &Value| path.as_str().unwrap().trim_matches(['<', '>']).to_owned();
        let json =
            json!({"now": case["now"], "mail_from": bare(&case["mail_from"]), "rcpt": case["rcpt_to"], "dns": dns});
        let world = World::parse(json.to_string().as_bytes()).unwrap();
        let running = Running::with_clock(Side::Ingress, live_in(&world, ChainMode::Mark), clock(world.now));
        let found = words(&receive(&running, &world, &octets).await);
        let expected = format!("dkim2={}", case["expected"].as_str().unwrap());
        assert!(matches!(found.as_slice(), [only] if only.starts_with(&expected)), "{}: {found:?}", case["name"]);
        carried += 1;
    }
    assert!(carried >= 43, "only {carried}");
}

const BOB: &[&str] = &["bob@recv.example"];

/// B0 by a list that edits it, and what it came by.
fn by_list() -> (Vec<u8>, Value) {
    let sent = Mail::by("Ann <ann@good.example>").signed(Signing::of("good", "mx.good.example")).version(None);
    let sent = sent.hop(&Hop::of("good", "good.example", "ann@good.example", &["list@list.example"]));
    let changed = sent.clone().with("Subject", "[list] Lunch").in_body("Ann\r\n", "Ann\r\n___\r\nlist\r\n");
    let mail = changed.version_after(&sent).hop(&Hop::of("list", "list.example", "bounce@list.example", BOB));
    let mut world = zi2_testkit::zone();
    world["mail_from"] = json!("bounce@list.example");
    (mail.octets(), world)
}

fn parsed(world: &Value) -> World {
    World::parse(world.to_string().as_bytes()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_words_of_the_results() {
    let (octets, json) = by_list();
    let with = |key: &str, value: Value| {
        let mut json = json.clone();
        json[key] = value;
        json
    };
    let mut silent = json.clone();
    silent["dns"]["s1._domainkey.list.example"] = json!({"status": "TIMEOUT"});
    for (json, expected) in [
        (json.clone(), "dkim2=pass header.d=good.example"),
        (with("rcpt", json!(["eve@recv.example"])), "dkim2=fail reason=rcpt_to header.d=good.example header.i=2"),
        (with("mail_from", json!("x@y.example")), "dkim2=fail reason=mail_from header.d=good.example header.i=2"),
        (silent, "dkim2=temperror reason=key header.d=good.example header.i=2"),
    ] {
        let world = parsed(&json);
        let running = Running::with_clock(Side::Ingress, live_in(&world, ChainMode::Mark), clock(world.now));
        assert_eq!(words(&receive(&running, &world, &octets).await), [expected]);
    }
    let changed = String::from_utf8(octets.clone()).unwrap().replace("noon", "nine");
    let world = parsed(&json);
    let running = Running::with_clock(Side::Ingress, live_in(&world, ChainMode::Mark), clock(world.now));
    let found = words(&receive(&running, &world, changed.as_bytes()).await);
    assert_eq!(found, ["dkim2=fail reason=body_hash header.d=good.example header.i=2"]);
    let found = words(&receive(&running, &world, &Mail::by("Ann <ann@good.example>").octets()).await);
    assert_eq!(found, [""; 0], "nothing is said of a message without a chain");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_undone_wherever_the_chain_is_evaluated() {
    let (octets, json) = by_list();
    let world = parsed(&json);
    for (mode, ingress, expected) in [
        (ChainMode::Mark, IngressMode::Mark, Some(["pass", "ok.restored.dkim2", "1"])),
        (ChainMode::Evaluate, IngressMode::Mark, Some(["pass", "ok.restored.dkim2", "1"])),
        (ChainMode::Mark, IngressMode::Monitor, None),
    ] {
        let mut live = live_in(&world, mode);
        live.mode = ingress;
        let running = Running::with_clock(Side::Ingress, live, clock(world.now));
        let delivered = receive(&running, &world, &octets).await;
        match expected {
            Some(expected) => {
                let tags = delivered.verified();
                assert_eq!(
                    (tags.result_reason_level(), tags.get("via"), tags.get("hist")),
                    (expected, "list.example", "unverified")
                );
                let results = delivered.fields("Authentication-Results");
                assert!(
                    results
                        .iter()
                        .any(|field| field.contains("x-zi2=pass") && field.contains("policy.via=list.example")),
                    "{results:?}"
                );
                assert_eq!(results.iter().any(|field| field.contains("dkim2=")), mode == ChainMode::Mark);
            }
            None => assert_eq!(delivered.octets, octets),
        }
    }
    let mut off = live_in(&world, ChainMode::Mark);
    off.chain = None;
    let running = Running::with_clock(Side::Ingress, off, clock(world.now));
    let delivered = receive(&running, &world, &octets).await;
    assert_eq!(delivered.verified().result_reason_level(), ["tampered", "tampered.header", "0"]);
}

/// zi2.md §9 and 17 of the draft: a forwarder without DKIM2 breaks the binding to the envelope, which marks nobody.
#[tokio::test(flavor = "multi_thread")]
async fn a_broken_binding_marks_nobody() {
    let mail = Mail::by("Ann <ann@good.example>").signed(Signing::of("good", "mx.good.example")).version(None);
    let mail = mail.hop(&Hop::of("good", "good.example", "ann@good.example", &["ann@old.example"]));
    let world = parsed(&zi2_testkit::zone());
    let running = Running::with_clock(Side::Ingress, live_in(&world, ChainMode::Mark), clock(world.now));
    let delivered = receive(&running, &world, &mail.octets()).await;
    assert_eq!(words(&delivered), ["dkim2=fail reason=rcpt_to header.d=good.example header.i=1"]);
    let tags = delivered.verified();
    assert_eq!((tags.result_reason_level(), tags.get("spoof")), (["pass", "ok.dns", "1"], ""));
}
