//! DKIM2 on the signing side: first hops on egress and on the last way out, further ones behind an ingress that keeps what
//! came in; each result read by a verifier with the envelope that was really used.

use std::sync::Arc;
use std::time::Duration;

use zi2_config::ChainMode;
use zi2_flow::{Dkim2Rules, DkimKeyFacts};
use zi2_keys::{Budget, FixedDns, FixedNode, Resolver};
use zi2_mail::{Message, Timestamp};
use zi2_milter::client::Answered;
use zi2_sig::SigningKey;
use zi2_sig::dkim::{DkimSigningKey, Selector};
use zi2_sig::dkim2::{Envelope, Policy, Verdict};
use zi2_store::{SnapshotBounds, SnapshotFiles, Snapshots};
use zi2d::Live;

use crate::chain::with_chain;
use crate::dkim::{identities, published, signing};
use crate::kit::{Delivered, NOW, Running, Side, Way, clock, domain, key, letter, live, services};

pub(crate) const ALICE: &str = "alice@good.example";
pub(crate) const SUBMITTED: Way<'_> =
    Way { service: "ORIGINATING", login: ALICE, sender: "<alice@good.example>", to: &["<bob@recv.example>"] };
/// Back from the queue, where nobody has a login.
const RETURNED: Way<'_> = Way { login: "", ..SUBMITTED };
/// What the forwarder sends on.
pub(crate) const FORWARDED: Way<'_> =
    Way { service: "FORWARDING", login: "", sender: "<fwd@recv.example>", to: &["<carol@third.example>"] };

fn facts(name: &str, seed: u8) -> DkimKeyFacts {
    DkimKeyFacts {
        domain: domain(name),
        selector: Selector::parse("fwd").unwrap(),
        key: Arc::new(DkimSigningKey::from(SigningKey::from_seed(&[seed; 32]).unwrap())),
    }
}

pub(crate) fn of_forwarder() -> [DkimKeyFacts; 2] {
    [facts("recv.example", 21), facts("other.example", 22)]
}

pub(crate) fn everybody() -> FixedDns {
    let with = |dns: FixedDns, key: &DkimKeyFacts| {
        dns.with(key.name().unwrap().as_str(), FixedNode::of_txt(&[key.key.record().as_str()]))
    };
    of_forwarder().iter().fold(published(), with)
}

pub(crate) fn rules() -> Dkim2Rules {
    let mut rules = Dkim2Rules::new(vec![key().public()]);
    for identity in identities() {
        rules.add_dkim(DkimKeyFacts { domain: identity.domain, selector: identity.selector, key: identity.key });
    }
    rules
}

/// Signs before the queue.
pub(crate) fn at_once(rules: Dkim2Rules) -> Live {
    let mut live = signing(live(services(FixedDns::new())));
    live.sender.dkim2 = Some(Arc::new(rules));
    live
}

/// Signs behind the queue.
fn at_last() -> Live {
    let mut live = live(services(FixedDns::new()));
    live.dkim2 = Some(Arc::new(rules()));
    live
}

/// Another server, which keeps what comes in.
pub(crate) struct Forwarder {
    pub(crate) live: Box<dyn Fn() -> Live>,
    _folder: tempfile::TempDir,
}

impl Forwarder {
    pub(crate) fn new() -> Forwarder {
        let folder = tempfile::tempdir().unwrap();
        let bounds = SnapshotBounds { count: 10, octets: 1_000_000, expiry: Duration::from_secs(3600) };
        let snapshots = Snapshots::start(SnapshotFiles::open(folder.path(), bounds).unwrap()).unwrap();
        let live = move || {
            let mut live = with_chain(live(services(everybody())), ChainMode::Mark);
            let mut rules = Dkim2Rules::new(Vec::new());
            of_forwarder().into_iter().for_each(|key| rules.add_dkim(key));
            live.dkim2 = Some(Arc::new(rules));
            live.services.snapshots = Some(snapshots.clone());
            live
        };
        Forwarder { live: Box::new(live), _folder: folder }
    }

    pub(crate) async fn receive(&self, way: &Way<'_>, content: &[u8]) -> Delivered {
        Running::start(Side::Ingress, (self.live)()).pass(&Way { login: "", ..*way }, content).await
    }

    pub(crate) async fn send(&self, way: &Way<'_>, content: &[u8], later: u64) -> Delivered {
        let now = Timestamp::from_secs(NOW + later);
        Running::with_clock(Side::Handoff, (self.live)(), clock(now)).pass(way, content).await
    }
}

pub(crate) async fn judged(way: &Way<'_>, content: &[u8]) -> Verdict {
    let (envelope, now) = (Envelope::of(way.sender.as_bytes(), way.to), Timestamp::from_secs(NOW + 60));
    let budget = Arc::new(Budget::new(60, Duration::from_secs(30)));
    let resolver = Resolver::fixed(everybody());
    zi2_flow::dkim2(&Message::split(content), &envelope, now, &Policy::default(), &resolver, &budget).await
}

pub(crate) async fn result(way: &Way<'_>, content: &[u8]) -> String {
    let verdict = judged(way, content).await;
    verdict.failure().map_or_else(|| verdict.result().to_owned(), ToString::to_string)
}

fn names(delivered: &Delivered) -> Vec<String> {
    let message = Message::split(&delivered.octets);
    message.header.fields().map(|field| String::from_utf8_lossy(field.name()).into_owned()).collect()
}

/// A message of Alice that her own server signed before its queue.
pub(crate) async fn signed(content: &[u8]) -> Delivered {
    Running::start(Side::Egress, at_once(rules())).pass(&SUBMITTED, content).await
}

fn edited(content: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(content.to_vec()).unwrap();
    (text.replace("Subject: one", "Subject: [fwd] one") + "-- \r\nforwarded\r\n").into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn all_three_are_made_in_one_pass_dkim2_on_top() {
    let delivered = signed(&letter(ALICE, "")).await;
    let order = ["DKIM2-Signature", "Message-Instance", "DKIM-Signature", "DKIM-Signature", "X-ZI2-Certified", "From"];
    assert_eq!(names(&delivered)[..6], order);
    assert_eq!(result(&SUBMITTED, &delivered.octets).await, "pass");
    let verdict = judged(&SUBMITTED, &delivered.octets).await;
    let groups: Vec<usize> = verdict.chain().unwrap().signatures()[0].groups().iter().map(Vec::len).collect();
    assert_eq!(groups, [1, 1], "either key is enough");
    let replayed = Way { to: &["<eve@recv.example>"], ..SUBMITTED };
    assert_ne!(result(&replayed, &delivered.octets).await, "pass", "it names its envelope");
    // What the client left out is signed, too.
    let bare = b"From: alice@good.example\r\nTo: bob@recv.example\r\n\r\nHello\r\n";
    assert_eq!(result(&SUBMITTED, &signed(bare).await.octets).await, "pass");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_signed_on_egress_leaves_all_the_same() {
    let two = ["<bob@recv.example>", "<blind@recv.example>"];
    let both = letter(ALICE, "Cc: \"B\" <BLIND@recv.example>\r\n");
    let chain = signed(&letter(ALICE, "")).await.octets;
    let several = Way { to: &two, ..SUBMITTED };
    for (name, way, content, count) in [
        ("one recipient whom no field names", Way { to: &two[1..], ..SUBMITTED }, letter(ALICE, ""), 1),
        ("two whom the fields name", several, both, 1),
        ("a blind one among two", several, letter(ALICE, ""), 0),
        ("a neighbour's From", SUBMITTED, letter("ceo@b.example", ""), 0),
        ("an envelope sender of another domain", Way { sender: "<a@b.example>", ..SUBMITTED }, letter(ALICE, ""), 0),
        ("no domain", Way { to: &["<postmaster>"], ..SUBMITTED }, letter(ALICE, ""), 0),
        ("two authors", SUBMITTED, letter("alice@good.example, eve@good.example", ""), 0),
        ("it has a chain", SUBMITTED, chain, 1),
    ] {
        let server = Running::start(Side::Egress, at_once(rules()));
        let delivered = server.pass(&way, &content).await;
        assert_eq!(delivered.fields("DKIM2-Signature").len(), count, "{name}");
        assert_eq!(delivered.answer.answered, Answered::Continue, "{name}");
    }
    let mut may_be_named = rules();
    may_be_named.hidden = zi2_config::Hidden::Sign;
    let server = Running::start(Side::Egress, at_once(may_be_named));
    let delivered = server.pass(&several, &letter(ALICE, "")).await;
    assert_eq!(result(&several, &delivered.octets).await, "pass");
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_the_queue_only_what_egress_let_pass_is_signed() {
    let submit = |live| async { Running::start(Side::Egress, live).pass(&SUBMITTED, &letter(ALICE, "")).await.octets };
    let certified = submit(live(services(FixedDns::new()))).await;
    let mut only_dkim = signing(live(services(FixedDns::new())));
    only_dkim.sender.signer = None;
    let dkim = submit(only_dkim).await;
    let changed = |mail: &[u8]| String::from_utf8(mail.to_vec()).unwrap().replace("Hello", "Hallo").into_bytes();
    let passing = Way { service: "mail.good.example", ..RETURNED };
    for (name, way, content, expected) in [
        ("certified", RETURNED, certified.clone(), "pass"),
        ("signed with DKIM only, as an older mail may be too", RETURNED, dkim, "none"),
        ("another recipient, by an alias", Way { to: &["<x@third.example>"], ..RETURNED }, certified.clone(), "pass"),
        ("through another service", passing, certified.clone(), "none"),
        ("neither", RETURNED, letter(ALICE, ""), "none"),
        ("certified and changed", RETURNED, changed(&certified), "none"),
        ("another's envelope sender", Way { sender: "<x@third.example>", ..RETURNED }, certified.clone(), "none"),
    ] {
        let server = Running::start(Side::Handoff, at_last());
        let delivered = server.pass(&way, &content).await;
        assert_eq!(result(&way, &delivered.octets).await, expected, "{name}");
        assert_eq!(delivered.answer.answered, Answered::Continue, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forwarder_signs_further_what_it_changed_and_what_not() {
    let (forwarder, first) = (Forwarder::new(), signed(&letter(ALICE, "")).await.octets);
    let received = forwarder.receive(&SUBMITTED, &first).await.octets;
    for (name, content, instances) in [("unchanged", received.clone(), 1), ("changed", edited(&received), 2)] {
        let sent = forwarder.send(&FORWARDED, &content, 30).await;
        assert_eq!(result(&FORWARDED, &sent.octets).await, "pass", "{name}");
        let verdict = judged(&FORWARDED, &sent.octets).await;
        let chain = verdict.chain().unwrap();
        assert_eq!((chain.signatures().len(), chain.instances().len()), (2, instances), "{name}");
        assert!(chain.newest().unwrap().has_flag("exploded"), "{name}");
    }
    // Sent by another domain of this server: the one it came to hands it on.
    let other = Way { sender: "<list@other.example>", ..FORWARDED };
    let sent = forwarder.send(&other, &edited(&received), 30).await;
    assert_eq!(result(&other, &sent.octets).await, "pass");
    let verdict = judged(&other, &sent.octets).await;
    let domains: Vec<_> = verdict.chain().unwrap().signatures().iter().map(|hop| hop.domain().to_string()).collect();
    assert_eq!(domains, ["good.example", "recv.example", "other.example"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_proven_is_not_signed_further() {
    let (forwarder, first) = (Forwarder::new(), signed(&letter(ALICE, "")).await.octets);
    let unseen = signed(&letter(ALICE, "X-Other: 1\r\nComments: two\r\n")).await.octets;
    let forged = String::from_utf8(unseen.clone()).unwrap().replace("Comments: two", "Comments: three").into_bytes();
    let received = forwarder.receive(&SUBMITTED, &first).await.octets;
    let forged = forwarder.receive(&SUBMITTED, &forged).await.octets;
    // What a stranger sends with the DKIM2 fields of a good message, and with the name it was kept by.
    let text = |octets: &[u8]| String::from_utf8(octets.to_vec()).unwrap();
    let names = |octets: &[u8]| text(octets).lines().filter(|line| line.starts_with("X-ZI2-Snapshot:")).count();
    let other = text(&received).replace("Hello", "Pay at once").into_bytes();
    let other = forwarder.receive(&SUBMITTED, &other).await.octets;
    let as_ours = text(&received).replace("From: alice@good.example", "From: ceo@recv.example").into_bytes();
    let as_ours = forwarder.receive(&SUBMITTED, &as_ours).await.octets;
    assert_eq!([&received, &forged, &other, &as_ours].map(|octets| names(octets)), [1, 0, 0, 0]);
    let named_twice = [b"X-ZI2-Snapshot: 00\r\n".as_slice(), &received].concat();
    let without =
        String::from_utf8(received.clone()).unwrap().replace("d=good.example;", "d=evil.example;").into_bytes();
    let authored =
        String::from_utf8(received.clone()).unwrap().replace("From: alice@good.example", "From: x@third.example");
    let from_afar = Way { sender: "<alice@good.example>", ..FORWARDED };
    for (name, way, content, hops) in [
        ("the original sender stays in the envelope", from_afar, received.clone(), 1),
        ("never seen", FORWARDED, unseen, 1),
        ("seen and forged", FORWARDED, forged, 1),
        ("another body under the same chain", FORWARDED, other, 1),
        ("another author under the same chain", FORWARDED, as_ours, 1),
        ("named twice", FORWARDED, named_twice, 1),
        ("its fields were changed", FORWARDED, without, 1),
        ("From was given to another domain", FORWARDED, authored.into_bytes(), 1),
        ("without DKIM2", FORWARDED, letter(ALICE, ""), 0),
    ] {
        let sent = forwarder.send(&way, &content, 30).await;
        assert_eq!(sent.fields("DKIM2-Signature").len(), hops, "{name}");
        assert_eq!(sent.answer.answered, Answered::Continue, "{name}");
    }
    // Where ingress changes nothing, nobody takes such fields of others away.
    let mut monitoring = (forwarder.live)();
    monitoring.mode = zi2_config::IngressMode::Monitor;
    let later = clock(Timestamp::from_secs(NOW + 30));
    let sent = Running::with_clock(Side::Handoff, monitoring, later).pass(&FORWARDED, &received).await;
    assert_eq!(sent.fields("DKIM2-Signature").len(), 1, "monitor");
}
