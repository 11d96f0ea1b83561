//! Copies of messages with DKIM2 on ingress: what the replay store has seen, and what is done about it.

use std::sync::Arc;

use zi2_config::ChainMode;
use zi2_flow::ReceiverRules;
use zi2_keys::Resolver;
use zi2_mail::Domain;
use zi2_store::{Batch, Imported, MemoryStore, Page, Remembered, Settings, Store, StoreError, StoreHandle, Tidied};
use zi2_trust::{KeyHistory, ReplayMode};
use zi2d::Live;

use crate::chain::with_chain;
use crate::dkim2_hops::{ALICE, FORWARDED, Forwarder, SUBMITTED, everybody, signed};
use crate::kit::{Delivered, Running, Side, Way, letter, live, services};

fn receiving(mode: ReplayMode) -> Live {
    let mut live = with_chain(live(services(everybody())), ChainMode::Mark);
    let rules = ReceiverRules::clone(&live.receiver);
    live.receiver = Arc::new(ReceiverRules { dkim2_replay: mode, ..rules });
    live
}

/// What the figures say of copies: `new 1, replayed 1`.
fn figures(running: &Running) -> String {
    let text = running.desk.metrics.text();
    let counts = text.lines().filter_map(|line| line.strip_prefix("zi2_dkim2_copies_total{result=\""));
    let mut counts: Vec<String> = counts.map(|count| count.replace("\"}", "")).collect();
    counts.sort();
    counts.join(", ")
}

fn dkim2(delivered: &Delivered) -> String {
    delivered.chain().into_iter().filter(|method| method.starts_with("dkim2=")).collect()
}

/// Takes in the same message once for each of these recipients.
async fn taken(running: &Running, way: &Way<'_>, to: &[&str], content: &[u8]) -> Vec<String> {
    let mut results = Vec::new();
    for to in to {
        results.push(dkim2(&running.pass(&Way { to: &[to], login: "", ..*way }, content).await));
    }
    results
}

const BOB: &str = "<bob@recv.example>";
const EVE: &str = "<eve@recv.example>";

#[tokio::test(flavor = "multi_thread")]
async fn a_second_copy_for_the_same_recipient_is_one() {
    let both = letter(ALICE, "Cc: eve@recv.example\r\n");
    let two = signed_for(&[BOB, EVE], &both).await;
    let pass = "dkim2=pass header.d=good.example";
    let fail = "dkim2=fail reason=replay header.d=good.example header.i=1";
    for (mode, to, expected, counted) in [
        (ReplayMode::Flag, [BOB, BOB], [pass, pass], "new 1, replayed 1"),
        (ReplayMode::Flag, [BOB, EVE], [pass, pass], "new 2"),
        (ReplayMode::Fail, [BOB, BOB], [pass, fail], "new 1, replayed 1"),
        (ReplayMode::Fail, [BOB, EVE], [pass, pass], "new 2"),
        (ReplayMode::Off, [BOB, BOB], [pass, pass], ""),
    ] {
        let running = Running::start(Side::Ingress, receiving(mode));
        assert_eq!(taken(&running, &SUBMITTED, &to, &two).await, expected, "{mode:?} {to:?}");
        assert_eq!(figures(&running), counted, "{mode:?} {to:?}");
    }
}

async fn signed_for(to: &[&str], content: &[u8]) -> Vec<u8> {
    let server = Running::start(Side::Egress, crate::dkim2_hops::at_once(crate::dkim2_hops::rules()));
    server.pass(&Way { to, ..SUBMITTED }, content).await.octets
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_copies_by_its_own_word_is_asked_about_never() {
    let (forwarder, first) = (Forwarder::new(), signed(&letter(ALICE, "")).await.octets);
    let received = forwarder.receive(&SUBMITTED, &first).await.octets;
    let sent = forwarder.send(&FORWARDED, &received, 30).await.octets;
    let running = Running::start(Side::Ingress, receiving(ReplayMode::Fail));
    let to = FORWARDED.to[0];
    let pass = "dkim2=pass header.d=good.example";
    assert_eq!(taken(&running, &FORWARDED, &[to, to], &sent).await, [pass, pass]);
    assert_eq!(figures(&running), "exploded 2");
}

/// A disk that takes nothing.
struct Broken(MemoryStore);

impl Store for Broken {
    fn past(&self, domains: &[Domain]) -> Result<Vec<Vec<KeyHistory>>, StoreError> {
        self.0.past(domains)
    }
    fn remember(&self, _: &Batch) -> Result<Remembered, StoreError> {
        Err(StoreError::Closed)
    }
    fn list(&self, page: &Page) -> Result<Vec<KeyHistory>, StoreError> {
        self.0.list(page)
    }
    fn forget(&self, domains: &[Domain]) -> Result<u64, StoreError> {
        self.0.forget(domains)
    }
    fn import(&self, rows: &[KeyHistory]) -> Result<Imported, StoreError> {
        self.0.import(rows)
    }
    fn tidy(&self, now: zi2_mail::Timestamp, window: u64) -> Result<Tidied, StoreError> {
        self.0.tidy(now, window)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_fails_and_a_message_that_is_refused_accuse_nobody() {
    let mail = signed(&letter(ALICE, "")).await.octets;
    let pass = "dkim2=pass header.d=good.example";
    let mut live = receiving(ReplayMode::Fail);
    live.services.store = StoreHandle::start(Arc::new(Broken(MemoryStore::new(Settings::memory())))).unwrap();
    live.services.resolver = Resolver::fixed(everybody());
    let running = Running::start(Side::Ingress, live);
    assert_eq!(taken(&running, &SUBMITTED, &[BOB, BOB], &mail).await, [pass, pass]);
    assert_eq!(figures(&running), "unknown 2");
    // What was refused for its forged fields comes without them later.
    let running = Running::start(Side::Ingress, receiving(ReplayMode::Fail));
    let forged = [b"X-ZI2-Verified: a\r\n".repeat(4001), mail.clone()].concat();
    running.pass(&Way { login: "", ..SUBMITTED }, &forged).await;
    assert_eq!(taken(&running, &SUBMITTED, &[BOB], &mail).await, [pass]);
    assert_eq!(figures(&running), "new 1");
}
