//! The existing chain through the milter protocol: every DKIM probe, and a message on which SPF, DKIM and DMARC agree or
//! do not.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use zi2_config::ChainMode;
use zi2_flow::{ChainRules, World};
use zi2_keys::{FixedDns, FixedNode, Resolver};
use zi2_mail::{HostName, crlf_from_file};
use zi2_trust::Dmarc;
use zi2d::Live;

use crate::kit::{OURS, Running, Side, certified, clock, dns, letter, live, receiver, services};
use crate::vectors::travels;

#[derive(Deserialize)]
struct Probe {
    name: String,
    message: String,
    env: serde_json::Value,
    expect: String,
}

pub(crate) fn with_chain(mut live: Live, mode: ChainMode) -> Live {
    let rules = ChainRules { receiver: HostName::parse(OURS).unwrap(), deadline: Duration::from_secs(30) };
    live.chain = Some((rules, mode));
    live
}

#[tokio::test(flavor = "multi_thread")]
async fn every_dkim_probe() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/dkim");
    let probes: Vec<Probe> = serde_json::from_slice(&std::fs::read(folder.join("cases.json")).unwrap()).unwrap();
    let mut carried = 0;
    for probe in &probes {
        let octets = crlf_from_file(&std::fs::read(folder.join(&probe.message)).unwrap()).into_owned();
        if !travels(&octets) {
            continue;
        }
        let world = World::parse(probe.env.to_string().as_bytes()).unwrap();
        let mut services = services(FixedDns::new());
        services.resolver = Resolver::fixed(world.dns.clone());
        let mut live = with_chain(live(services), ChainMode::Mark);
        live.receiver = Arc::new(receiver(world.hosted.clone()));
        let server = Running::with_clock(Side::Ingress, live, clock(world.now));
        let delivered = server.receive(&["<bob@recv.example>"], &octets).await;
        let dkim = delivered.chain();
        let dkim: Vec<_> = dkim.iter().filter(|result| result.starts_with("dkim=")).collect();
        let passes = dkim.iter().filter(|result| result.starts_with("dkim=pass")).count();
        let right = match probe.expect.as_str() {
            "pass" | "passany" => passes > 0,
            "fail" | "policy" => passes == 0,
            "limit" => dkim.len() <= 10,
            "any" => dkim.len() == 1, // and no panic
            other => panic!("{other} is new"),
        };
        assert!(right, "{}: {} expected, {dkim:?}", probe.name, probe.expect);
        carried += 1;
    }
    assert!(carried * 10 >= probes.len() * 8, "{carried} of {}", probes.len());
}

/// What `good.example` publishes for SPF and DMARC, beside its key.
fn published(spf: &str) -> FixedDns {
    let dmarc = FixedNode::of_txt(&["v=DMARC1; p=reject"]);
    dns().with("_dmarc.good.example", dmarc).with("sender.example", FixedNode::of_txt(&[spf]))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_results_in_words_and_what_they_mean_for_history() {
    let content = certified("ann@good.example").await;
    let server = Running::start(Side::Ingress, with_chain(live(services(published("v=spf1 -all"))), ChainMode::Mark));
    let delivered = server.receive(&["<bob@recv.example>"], &content).await;
    let expected = ["dkim=none", "spf=fail smtp.mailfrom=sender.example", "dmarc=fail header.from=good.example"];
    assert_eq!(delivered.chain(), expected);
    assert_eq!(delivered.verified().get("result"), "pass", "DMARC does not change what ZI2 proves");
    let store = &server.desk.live().services.store;
    store.flush().await.unwrap();
    let past = store.past(zi2_mail::Domain::parse("good.example").unwrap()).await.unwrap();
    assert!(past.is_empty(), "zi2.md §9: no history from mail that DMARC fails");
}

#[tokio::test(flavor = "multi_thread")]
async fn evaluate_writes_nothing_and_off_asks_nothing() {
    let content = letter("ann@good.example", "");
    for mode in [Some(ChainMode::Evaluate), None] {
        let live = live(services(published("v=spf1 ip4:192.0.2.10 -all")));
        let live = match mode {
            Some(mode) => with_chain(live, mode),
            None => live,
        };
        let delivered = Running::start(Side::Ingress, live).receive(&["<bob@recv.example>"], &content).await;
        let fields = delivered.fields("Authentication-Results");
        assert!(fields.len() == 1 && fields[0].starts_with("mx.recv.example; x-zi2="), "{fields:?}");
    }
    assert_eq!(Dmarc::of(None), Dmarc::Unknown);
}
