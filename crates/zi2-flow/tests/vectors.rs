//! All ZI2 vectors through the library: whole, and with the message cut in two at every octet and into single octets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use zi2_flow::{Envelope, Inbound, ReceiverRules, Services, World};
use zi2_keys::Resolver;
use zi2_mail::{DigestPlan, Header, Message, MessageReader, crlf_from_file};
use zi2_sig::limits::WINDOW_SECS;
use zi2_store::{MemoryStore, Settings, StoreHandle};
use zi2_trust::Dmarc;

#[derive(Deserialize)]
struct Case {
    name: String,
    message: String,
    env: serde_json::Value,
    expect: Expect,
}

#[derive(Deserialize, PartialEq, Debug)]
struct Expect {
    result: String,
    reason: String,
    level: u8,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors")
}

fn cases() -> Vec<(Case, Vec<u8>)> {
    let cases: Vec<Case> = serde_json::from_slice(&std::fs::read(folder().join("zi2/cases.json")).unwrap()).unwrap();
    assert!(cases.len() >= 202, "only {} cases", cases.len());
    let with_octets = |case: Case| {
        let octets = std::fs::read(folder().join("zi2").join(&case.message)).unwrap();
        (case, crlf_from_file(&octets).into_owned())
    };
    cases.into_iter().map(with_octets).collect()
}

fn world_of(case: &Case) -> World {
    World::parse(case.env.to_string().as_bytes()).unwrap_or_else(|e| panic!("{}: {e}", case.name))
}

fn services(world: &World) -> Services {
    let store = StoreHandle::start(Arc::new(MemoryStore::new(Settings::memory()))).unwrap();
    Services {
        resolver: Resolver::fixed(world.dns.clone()),
        documents: world.documents.clone(),
        store,
        snapshots: None,
    }
}

fn rules(world: &World) -> Arc<ReceiverRules> {
    Arc::new(ReceiverRules {
        local_keys: world.local_keys.clone(),
        exchanged: world.exchanged.clone(),
        ..ReceiverRules::protocol(world.hosted.clone(), Duration::from_secs(30))
    })
}

/// Judges a message whose header section is known and whose body comes in these chunks.
async fn judge(world: &World, header: &Header<'_>, body: impl Iterator<Item = &[u8]>) -> Expect {
    let mut inbound = Inbound::begin(header, &services(world), &rules(world), world.now);
    body.for_each(|chunk| inbound.body(chunk));
    let outcome = inbound.finish(&Envelope::of(&world.recipients), world.submission, Dmarc::Unknown).await;
    Expect {
        result: outcome.judgement.verdict.as_str().to_owned(),
        reason: outcome.judgement.reason.as_str().to_owned(),
        level: outcome.judgement.level.number(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_whole() {
    for (case, octets) in cases() {
        let message = Message::split(&octets);
        let got = judge(&world_of(&case), &message.header, std::iter::once(message.body)).await;
        assert_eq!(got, case.expect, "{}", case.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_octet_by_octet() {
    for (case, octets) in cases() {
        let mut reader = MessageReader::new();
        let body: Vec<u8> = octets.chunks(1).flat_map(|octet| reader.feed(octet).to_vec()).collect();
        let got = judge(&world_of(&case), &reader.into_header(), body.chunks(1)).await;
        assert_eq!(got, case.expect, "{}", case.name);
    }
}

/// The cut may only change how octets arrive: header section and hashes must come out the same for each, so each cut is
/// read and hashed, and the verdict is asked for once for every different outcome (there must be one only).
#[test]
fn every_case_cut_in_two_anywhere() {
    for (case, octets) in cases() {
        let world = world_of(&case);
        let whole = Message::split(&octets);
        let facts = |header: &Header<'_>, chunks: [&[u8]; 2]| {
            let mut plan = DigestPlan::new();
            let mut verifier = zi2_sig::Verifier::new(header, world.now, WINDOW_SECS, &mut plan);
            verifier.answer(any_key(&case));
            let mut digester = plan.start();
            chunks.into_iter().for_each(|chunk| digester.feed(chunk));
            verifier.finish(&digester.finish())
        };
        let expected = facts(&whole.header, [whole.body, b""]);
        for cut in 0..=octets.len() {
            let (first, second) = octets.split_at(cut);
            let mut reader = MessageReader::new();
            let chunks = [reader.feed(first).to_vec(), reader.feed(second).to_vec()];
            assert_eq!(facts(&reader.into_header(), [&chunks[0], &chunks[1]]), expected, "{} cut at {cut}", case.name);
        }
    }
}

/// The test keys, as if all were published: cuts must not change anything, whatever the key.
fn any_key(case: &Case) -> zi2_sig::KeyAnswer {
    let keys: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder().join("zi2/keys.json")).unwrap()).unwrap();
    let name = if case.name.contains("foreign") { "evil" } else { "a" };
    zi2_sig::PublicKey::from_base64(keys[name]["public"].as_str().unwrap().as_bytes()).unwrap().into()
}

/// What the originals have and the repository does not need: ARC is not sealed here.
const LEFT_OUT: &str = "arc/arc-draft-sign-tests.yml";

/// Users have the repository's copy only; where the original is present too, both are the same. Beside a copy may stand
/// more that is ours.
#[test]
fn the_copies_equal_the_originals() {
    for name in ["zi2", "ed25519", "dkim", "dkim2", "spf", "arc"] {
        let copy = tree(&folder().join(name));
        assert!(!copy.is_empty(), "the repository has its own copy of {name}");
        let original = folder().join("../../shared/vectors").join(name);
        let original = if original.exists() { tree(&original) } else { Vec::new() };
        for file in original.iter().filter(|(path, _)| Path::new(name).join(path) != Path::new(LEFT_OUT)) {
            assert!(copy.contains(file), "{name}/{} is not the original", file.0.display());
        }
    }
}

fn tree(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => files.push((path.strip_prefix(folder).unwrap().to_path_buf(), std::fs::read(&path).unwrap())),
            }
        }
    }
    files.sort();
    files
}
