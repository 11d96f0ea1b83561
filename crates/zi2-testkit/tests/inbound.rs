//! Every case through the library: whole, and octet by octet.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test")]

mod common;
mod host;

use std::sync::Arc;

use common::{differences, present, steps};
use host::begin;
use zi2_flow::{Envelope, Outcome, Services, World};
use zi2_keys::Resolver;
use zi2_mail::{DigestPlan, HostName, Message, MessageReader, NewField, crlf_from_file};
use zi2_sig::{FIELD_NAME, Verifier, limits::WINDOW_SECS};
use zi2_store::{MemoryStore, Page, Settings, Store, StoreHandle};
use zi2_testkit::{Case, Row, Step, cases};
use zi2_trust::render::{Report, authentication_results, verified};
use zi2_trust::{Dmarc, Verdict};

/// The world of a step, read as `--world` reads it.
fn world(case: &Case, step: &Step, name: &str) -> World {
    let json = zi2_testkit::world(case, &step.world).to_string();
    World::parse(json.as_bytes()).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// How the octets arrive.
#[derive(Clone, Copy, PartialEq)]
enum Cut {
    Whole,
    Octets,
}

#[tokio::test(flavor = "multi_thread")]
async fn whole() {
    every_case(Cut::Whole).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn octet_by_octet() {
    every_case(Cut::Octets).await;
}

async fn every_case(cut: Cut) {
    let mut found = Vec::new();
    for case in cases() {
        found.extend(differences_of(&case, cut).await);
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

async fn differences_of(case: &Case, cut: Cut) -> Vec<String> {
    let mut found = Vec::new();
    let mut host: Option<StoreHandle> = None;
    for (_, step, name) in steps(std::slice::from_ref(case)) {
        let world = world(case, step, &name);
        // Steps in sequence share what the host remembers; others begin with the world's past.
        let store = match host.clone().filter(|_| case.in_sequence) {
            Some(store) => store,
            None => host.insert(store_of(&world)).clone(),
        };
        let outcome = arrive(case, step, &world, &store, cut).await;
        let report = Report::new(&outcome.judgement, outcome.dns_queries);
        let report = match &outcome.chain {
            Some(chain) => report.with_chain(chain),
            None => report,
        };
        let report = match &outcome.dkim2 {
            Some(verdict) => report.with_dkim2(verdict),
            None => report,
        };
        let report = serde_json::to_value(report).unwrap();
        let mut wrong = differences(&report, &step.expect);
        wrong.extend(fields(&outcome, &world, step));
        found.extend(wrong.into_iter().map(|what| format!("{name}: {what}")));
    }
    if let (Some(rows), Some(store)) = (&case.rows, &host) {
        let left = rows_of(store).await;
        if left != *rows {
            found.push(format!("{}: rows are {left:?}, not {rows:?}", case.id));
        }
    }
    found
}

fn store_of(world: &World) -> StoreHandle {
    let store = MemoryStore::new(Settings::memory());
    store.import(&world.history).unwrap();
    StoreHandle::start(Arc::new(store)).unwrap()
}

async fn rows_of(store: &StoreHandle) -> Vec<Row> {
    store.flush().await.unwrap();
    let rows = store.store().list(&Page::default()).unwrap();
    let row = |row: &zi2_trust::KeyHistory| Row {
        domain: row.domain.to_string(),
        p: row.key.to_base64(),
        valid: row.valid,
        days: row.days,
    };
    rows.iter().map(row).collect()
}

/// One message arrives as at a host: judged, and remembered.
async fn arrive(case: &Case, step: &Step, world: &World, store: &StoreHandle, cut: Cut) -> Outcome {
    let octets = crlf_from_file(&case.octets(&step.message)).into_owned();
    if step.issued {
        issue(&octets, world, store).await;
    }
    let services = services(world, store);
    let dmarc = match step.dmarc {
        None => Dmarc::Unknown,
        Some(zi2_testkit::Dmarc::Pass) => Dmarc::Pass,
        Some(zi2_testkit::Dmarc::Fail) => Dmarc::Fail,
    };
    let outcome = judge(&octets, world, &services, cut, dmarc).await;
    if let Some(seen) = outcome.seen(world.now) {
        store.record(seen);
        store.flush().await.unwrap();
    }
    outcome
}

async fn judge(octets: &[u8], world: &World, services: &Services, cut: Cut, dmarc: Dmarc) -> Outcome {
    let mut inbound;
    if cut == Cut::Whole {
        let message = Message::split(octets);
        inbound = begin(&message.header, services, world);
        inbound.body(message.body);
    } else {
        let mut reader = MessageReader::new();
        let body: Vec<u8> = octets.chunks(1).flat_map(|octet| reader.feed(octet).to_vec()).collect();
        inbound = begin(&reader.into_header(), services, world);
        body.chunks(1).for_each(|octet| inbound.body(octet));
    }
    inbound.finish(&Envelope::of(&world.recipients), world.submission, dmarc).await
}

fn services(world: &World, store: &StoreHandle) -> Services {
    Services {
        resolver: Resolver::fixed(world.dns.clone()),
        documents: world.documents.clone(),
        store: store.clone(),
        snapshots: None,
    }
}

/// Puts the message's nonce into the log of issued nonces, as the egress side does.
async fn issue(octets: &[u8], world: &World, store: &StoreHandle) {
    let message = Message::split(octets);
    let mut plan = DigestPlan::new();
    let mut verifier = Verifier::new(&message.header, world.now, WINDOW_SECS, &mut plan);
    verifier.answer(world.local_keys.first().expect("our key").key.into());
    let (zi2_sig::Outcome::Verified(attested) | zi2_sig::Outcome::Tampered(_, attested)) =
        verifier.finish(&plan.digest(message.body)).outcome
    else {
        panic!("certified with our key, whatever became of the message")
    };
    store.issue(attested.id(), attested.time().day()).await.unwrap();
}

/// §10 and security.md L5: the fields for any verdict are short, plain and copy nothing a sender chose.
fn fields(outcome: &Outcome, world: &World, step: &Step) -> Vec<String> {
    let us = HostName::parse("mx.recv.example").unwrap();
    let made: [NewField; 2] = [
        verified(&outcome.judgement, &us, world.now).unwrap(),
        authentication_results(&outcome.judgement, &us).unwrap(),
    ];
    let mut found = Vec::new();
    for wire in made.iter().map(NewField::wire) {
        let unfolded = wire.replace("\r\n", "");
        if unfolded.len() > 998
            || unfolded.bytes().any(|octet| !(0x20..0x7f).contains(&octet))
            || unfolded.contains('(')
        {
            found.push(format!("long, or with odd octets: {unfolded:?}"));
        }
        found.extend(present(&wire, &step.expect));
    }
    let word = match step.expect.result.as_str() {
        "pass" => "x-zi2=pass ",
        "fail" | "tampered" => "x-zi2=fail ",
        "missing" => "x-zi2=none ",
        "expired" => "x-zi2=policy ",
        _ => "x-zi2=temperror ",
    };
    if !made[1].wire().replace("\r\n", "").contains(word) {
        found.push(format!("{:?} lacks {word}", made[1].wire()));
    }
    found
}

/// No message passes for another reason than its signature: with a bit of it changed, none does.
#[tokio::test]
async fn passes_rest_on_the_signature() {
    let mut count = 0;
    for case in cases() {
        let steps = case.steps.iter().filter(|step| step.expect.result == "pass");
        for step in steps {
            let octets = crlf_from_file(&case.octets(&step.message)).into_owned();
            let name = format!("{}/{}", case.id, step.message);
            let broken = without_proof(&octets);
            assert_ne!(broken, octets, "{name}");
            let world = world(&case, step, &name);
            let services = services(&world, &store_of(&world));
            let outcome = judge(&broken, &world, &services, Cut::Whole, Dmarc::Unknown).await;
            assert_ne!(outcome.judgement.verdict, Verdict::Pass, "{name}");
            count += 1;
        }
    }
    assert!(count > 50, "only {count}");
}

/// zi2.md §11: what stands in the way of each message that is not restored is what its case is about, and nothing else.
#[tokio::test]
async fn nothing_else_stands_in_the_way_of_a_restoration() {
    let case = cases().into_iter().find(|case| case.id == "TC-048").unwrap();
    for step in &case.steps {
        let world = world(&case, step, &step.message);
        let services = services(&world, &store_of(&world));
        let octets = case.octets(&step.message);
        let outcome = judge(&octets, &world, &services, Cut::Whole, Dmarc::Unknown).await;
        let expected = match step.message.as_str() {
            "wrong.eml" => Some("the DKIM2 chain is fail"),
            "own.eml" => Some("the DKIM2 chain is fail"),
            "lifted.eml" => Some("no earlier version that the author's domain signed is certified"),
            "renamed.eml" | "id.eml" => Some("the message is not one that was changed after its certification"),
            "display.eml" | "later.eml" => Some("the DKIM2 chain is fail"),
            "unsigned.eml" => Some("the DKIM2 chain is permerror"),
            "rewritten.eml" | "copied.eml" => None,
            other => panic!("{other} is new"),
        };
        let found = outcome.restoration.as_ref().err().map(ToString::to_string);
        assert_eq!(found.as_deref(), expected, "{}", step.message);
        if let Ok(restoration) = &outcome.restoration {
            let revisers: Vec<&str> = restoration.revisers().iter().map(|domain| domain.as_str()).collect();
            assert_eq!(revisers, ["evil.example"], "whoever wrote what is seen is named");
        }
    }
}

/// The certification with all its signatures changed in one bit.
fn without_proof(octets: &[u8]) -> Vec<u8> {
    let message = Message::split(octets);
    let field = message.header.named(FIELD_NAME).next().expect("certified");
    let text = String::from_utf8(field.raw().to_vec()).unwrap();
    let flip = |text: String, tag: &str| match text.split_once(tag) {
        Some((before, after)) if after.starts_with('A') => format!("{before}{tag}{}", after.replacen('A', "B", 1)),
        Some((before, after)) => format!("{before}{tag}A{}", after.chars().skip(1).collect::<String>()),
        None => text,
    };
    let changed = flip(flip(text, " sig="), " b=");
    let (before, after) = (field.offset(), field.offset() + field.raw().len());
    [&octets[..before], changed.as_bytes(), &octets[after..]].concat()
}
