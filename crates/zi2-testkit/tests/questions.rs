//! What the cases cost a real name server: how many questions reach it, and for which names.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test")]

mod host;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use host::{begin, begin_within};
use zi2_flow::{Envelope, Outcome, Services, World};
use zi2_keys::{DnsOptions, Documents, Resolver, Servers, TrustAd};
use zi2_mail::{Message, crlf_from_file};
use zi2_store::{MemoryStore, Settings, StoreHandle};
use zi2_testkit::{Case, DnsServer, KID, Mail, Signing, Step, cases};
use zi2_trust::Dmarc;

fn asking(server: &DnsServer) -> Resolver {
    let servers = Servers::These(vec![server.address()]);
    Resolver::new(&DnsOptions { servers, trust_ad: TrustAd::Never, time: Duration::from_secs(5) }).unwrap()
}

/// The zone that all cases share, on a server, and whoever asks it.
fn shared_zone() -> (DnsServer, World, Resolver) {
    let (server, zone) = (DnsServer::start(), zi2_testkit::zone());
    server.take(&zone);
    let (world, resolver) = (World::parse(zone.to_string().as_bytes()).unwrap(), asking(&server));
    (server, world, resolver)
}

fn services(resolver: &Resolver) -> Services {
    let store = StoreHandle::start(Arc::new(MemoryStore::new(Settings::memory()))).unwrap();
    Services { resolver: resolver.clone(), documents: Documents::None, store, snapshots: None }
}

async fn judge(octets: &[u8], world: &World, services: &Services) -> Outcome {
    let message = Message::split(octets);
    let mut inbound = begin(&message.header, services, world);
    inbound.body(message.body);
    inbound.finish(&Envelope::of(&world.recipients), world.submission, Dmarc::Unknown).await
}

/// Steps in a world of their own that DNS alone decides and that a plain server can show.
fn plain(case: &Case) -> impl Iterator<Item = (&Step, serde_json::Value)> {
    let steps = case.steps.iter().take(if case.in_sequence { 1 } else { usize::MAX });
    let worlds = steps.map(move |step| (step, zi2_testkit::world(case, &step.world)));
    worlds.filter(|(step, world)| {
        let text = world["dns"].to_string();
        let shown = !text.contains("SERVFAIL") && !text.contains("TIMEOUT") && !text.contains("bogus");
        shown && world.get("https").is_none() && step.dmarc.is_none() && !step.issued
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_is_cheap() {
    let server = DnsServer::start();
    let (mut found, mut silent, mut count) = (Vec::new(), 0, 0);
    for case in cases() {
        for (step, json) in plain(&case) {
            let name = format!("{}/{}", case.id, step.message);
            let world = World::parse(json.to_string().as_bytes()).unwrap();
            server.take(&json);
            let resolver = asking(&server);
            let octets = crlf_from_file(&case.octets(&step.message)).into_owned();
            let outcome = judge(&octets, &world, &services(&resolver)).await;
            let asked = server.asked();
            if asked.len() > usize::try_from(step.expect.dns_queries).unwrap() {
                found.push(format!("{name}: asked {asked:?}, at most {}", step.expect.dns_queries));
            }
            let counted = u64::try_from(asked.len()).unwrap();
            assert_eq!(resolver.questions(), counted, "{name}: whom else was it asking?");
            found.extend(strange(&asked, &outcome, &json).into_iter().map(|asked| format!("{name}: asked {asked}")));
            silent += usize::from(asked.is_empty());
            count += 1;
            if outcome.judgement.reason.as_str() != step.expect.reason && json.get("history").is_none() {
                found.push(format!("{name}: {}, not {}", outcome.judgement.reason.as_str(), step.expect.reason));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(count > 150 && silent > 40, "{count} steps, {silent} without a question");
}

/// Names that nothing in this message gives a right to ask for; links of a chain are the domain owner's choice.
fn strange(asked: &[String], outcome: &Outcome, world: &serde_json::Value) -> Vec<String> {
    if outcome.chain.is_some() {
        return Vec::new(); // SPF and the signatures are of the sender's choosing: the budget is what holds
    }
    let mut allowed = BTreeSet::new();
    if let Some(from) = &outcome.facts.from {
        allowed.insert(format!("_zi2policy.{from}"));
        allowed.insert(format!("_zi2cert.{from}"));
        if let Some(certified) = &outcome.facts.certified {
            let (kid, sid) = (certified.kid, &certified.sid);
            allowed.extend([format!("_zi2cert.{kid}.{from}"), format!("{kid}.{from}"), format!("_zi2cert.{sid}")]);
        }
    }
    let hops = outcome.dkim2.iter().filter_map(|verdict| verdict.chain()).flat_map(|chain| chain.signatures());
    let keys = hops.flat_map(|hop| hop.groups().iter().flatten()).filter_map(|member| member.key_name.as_ref());
    allowed.extend(keys.map(|name| name.as_str().to_owned()));
    let targets = world["dns"].as_object().unwrap().values().filter_map(|node| node["cname"].as_str());
    allowed.extend(targets.map(str::to_owned));
    let is_plain = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    asked.iter().filter(|name| !allowed.contains(*name) || !is_plain(name)).cloned().collect()
}

/// A flood from one domain costs the questions of one mail (R7: the cache), whatever its bodies.
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_mails_cost_two_questions() {
    let (server, world, resolver) = shared_zone();
    let services = services(&resolver);
    for number in 0..1000 {
        let mail =
            Mail::by("ann@good.example").body(format!("{number}\r\n")).signed(Signing::of("good", "mx.good.example"));
        let outcome = judge(&mail.octets(), &world, &services).await;
        assert_eq!(outcome.judgement.reason.as_str(), "ok.dns");
    }
    assert_eq!(server.asked().len(), 2, "{:?}", server.asked());
    assert_eq!(resolver.questions(), 2);
}

/// A flood that names a new domain and a new server each time costs at most what each mail alone would (R6, R7).
#[tokio::test(flavor = "multi_thread")]
async fn new_names_cost_a_bounded_number_each() {
    let (server, world, resolver) = shared_zone();
    let services = services(&resolver);
    for number in 0..200 {
        let (from, sid) = (format!("x@a{number}.evil.example"), format!("mx{number}.evil.example"));
        let mail = Mail::by(&from).signed(Signing::of("evil", &sid));
        let outcome = judge(&mail.octets(), &world, &services).await;
        assert_eq!(outcome.judgement.reason.as_str(), "key.not_found");
        assert!(outcome.dns_queries <= 4);
    }
    assert!(server.asked().len() <= 200 * 4, "{}", server.asked().len());
    assert!(server.asked().iter().any(|name| name.contains(KID)), "the page's name was asked");
}

/// zi2.md §11 within the soft deadline: a chain that is not there in time vouches for nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_chain_vouches_for_nothing() {
    let case = cases().into_iter().find(|case| case.id == "TC-100").unwrap();
    let server = DnsServer::start();
    let silent = serde_json::json!({"s1._domainkey.list.example": {"status": "TIMEOUT"}});
    let (patience, soon) = (Duration::from_secs(30), Duration::from_millis(200));
    for (dns, deadline, reason) in
        [(serde_json::json!({}), patience, "ok.delegated.arc"), (silent, soon, "tampered.header")]
    {
        let json = zi2_testkit::world(&case, &serde_json::json!({"trusted_sealers": ["list.example"], "dns": dns}));
        server.take(&json);
        let world = World::parse(json.to_string().as_bytes()).unwrap();
        let services = services(&asking(&server));
        let octets = case.octets("list.eml");
        let message = Message::split(&octets);
        let mut inbound = begin_within(deadline, &message.header, &services, &world);
        inbound.body(message.body);
        let outcome = inbound.finish(&Envelope::of(&world.recipients), world.submission, Dmarc::Unknown).await;
        assert_eq!(outcome.judgement.reason.as_str(), reason);
    }
}
