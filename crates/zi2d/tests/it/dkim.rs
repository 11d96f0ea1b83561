//! DKIM signatures of the egress side: read by our own verifier, with whom they are made for, and what they cover.

use std::sync::Arc;

use zi2_config::ChainMode;
use zi2_flow::DkimRules;
use zi2_keys::{FixedDns, FixedNode};
use zi2_mail::Message;
use zi2_milter::client::Answered;
use zi2_sig::dkim::{DkimSigningKey, Identity, Recipe, Selector};
use zi2d::Live;

use crate::chain::with_chain;
use crate::kit::{Delivered, Running, Side, dns, domain, letter, live, services};

const ALICE: [(&str, &str); 1] = [("{auth_authen}", "alice@good.example")];
const TO: [&str; 1] = ["<bob@recv.example>"];
const RSA: &[u8] = include_bytes!("../../../zi2-sig/tests/dkim/keys/rsa2048-pkcs8.pem");
pub(crate) const ED: &[u8] = include_bytes!("../../../zi2-sig/tests/dkim/keys/ed25519-pkcs8.pem");

pub(crate) fn identities() -> [Identity; 2] {
    [("rsa", RSA), ("ed", ED)].map(|(selector, key)| Identity {
        domain: domain("good.example"),
        selector: Selector::parse(selector).unwrap(),
        agent: None,
        key: Arc::new(DkimSigningKey::parse_file(key).unwrap()),
    })
}

pub(crate) fn signing(mut live: Live) -> Live {
    let mut rules = DkimRules::new(Recipe::default());
    identities().into_iter().for_each(|identity| rules.add(identity));
    live.sender.dkim = Some(Arc::new(rules));
    live
}

/// DNS with the keys of the certification and of DKIM.
pub(crate) fn published() -> FixedDns {
    let with = |dns: FixedDns, who: &Identity| {
        let record = who.key.record();
        dns.with(&format!("{}._domainkey.{}", who.selector, who.domain), FixedNode::of_txt(&[record.as_str()]))
    };
    identities().iter().fold(dns(), with)
}

async fn sent(live: Live, content: &[u8]) -> Delivered {
    Running::start(Side::Egress, live).send(&ALICE, &TO, content).await
}

async fn received(content: &[u8]) -> Delivered {
    let live = with_chain(live(services(published())), ChainMode::Mark);
    Running::start(Side::Ingress, live).receive(&TO, content).await
}

/// How many of our own ingress side's results say that DKIM passes.
async fn passes(content: &[u8]) -> usize {
    let results = received(content).await.chain();
    results.iter().filter(|result| result.starts_with("dkim=pass") && result.contains("header.d=good.example")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_keys_make_two_signatures_above_the_certification_and_over_it() {
    let delivered = sent(signing(live(services(FixedDns::new()))), &letter("alice@good.example", "")).await;
    let message = Message::split(&delivered.octets);
    let names: Vec<String> =
        message.header.fields().take(4).map(|field| String::from_utf8_lossy(field.name()).into_owned()).collect();
    assert_eq!(names, ["DKIM-Signature", "DKIM-Signature", "X-ZI2-Certified", "From"]);
    for (field, algorithm) in delivered.fields("DKIM-Signature").iter().zip(["rsa-sha256", "ed25519-sha256"]) {
        assert!(field.starts_with(&format!("v=1; a={algorithm}; c=relaxed/relaxed; d=good.example;")), "{field}");
        let names = field.split_once("h=").unwrap().1.split(';').next().unwrap().replace([' ', '\t'], "");
        let times = |name: &str| names.split(':').filter(|found| *found == name).count();
        assert_eq!((times("x-zi2-certified"), times("from"), times("subject"), times("cc")), (1, 2, 2, 1), "{names}");
    }
    assert_eq!(passes(&delivered.octets).await, 2);
    let verdict = received(&delivered.octets).await.verified();
    assert_eq!(verdict.result_reason_level(), ["pass", "ok.dns", "1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certification_that_is_taken_away_or_changed_breaks_the_signatures() {
    let delivered = sent(signing(live(services(FixedDns::new()))), &letter("alice@good.example", "")).await;
    let text = String::from_utf8(delivered.octets).unwrap();
    let (signatures, rest) = text.split_once("X-ZI2-Certified:").unwrap();
    let (_, message) = rest.split_once("\r\nFrom:").unwrap();
    let without = [signatures, "From:", message].concat();
    assert_eq!(passes(without.as_bytes()).await, 0);
    assert_eq!(passes(text.replace("Subject: one", "Subject: two").as_bytes()).await, 0);
    assert_eq!(passes(text.replace("From:", "Subject: two\r\nFrom:").as_bytes()).await, 0, "sealed");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_be_certified_is_not_signed() {
    let two = letter("alice@good.example", "From: alice@good.example\r\n");
    let bare = b"From: alice@good.example\r\nTo: bob@recv.example\r\n\r\na\nb\r\n".to_vec();
    for (name, content, count) in [
        ("own", letter("alice@good.example", ""), 2),
        ("another tenant's domain", letter("ceo@b.example", ""), 0),
        ("not hosted", letter("alice@elsewhere.example", ""), 0),
        ("two From fields", two, 0),
        ("a body that SMTP changes", bare, 0),
    ] {
        let delivered = sent(signing(live(services(FixedDns::new()))), &content).await;
        assert_eq!(delivered.fields("DKIM-Signature").len(), count, "{name}");
        assert_eq!(delivered.answer.answered, Answered::Continue, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_two_signatures_do_not_need_each_other() {
    let mut without_key = signing(live(services(FixedDns::new())));
    without_key.sender.signer = None;
    let delivered = sent(without_key, &letter("alice@good.example", "")).await;
    assert!(delivered.fields("X-ZI2-Certified").is_empty());
    assert_eq!(passes(&delivered.octets).await, 2);
    // Ambiguous for a certification, but whose mail it is is known.
    let subjects = letter("alice@good.example", "Subject: another\r\n");
    let delivered = sent(signing(live(services(FixedDns::new()))), &subjects).await;
    assert!(delivered.fields("X-ZI2-Certified").is_empty());
    assert_eq!(passes(&delivered.octets).await, 2);
    let mut no_dkim_key = live(services(FixedDns::new()));
    no_dkim_key.sender.dkim = Some(Arc::new(DkimRules::new(Recipe::default())));
    let delivered = sent(no_dkim_key, &letter("alice@good.example", "")).await;
    assert_eq!(delivered.fields("X-ZI2-Certified").len(), 1);
    assert!(delivered.fields("DKIM-Signature").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn signatures_that_are_there_stay_and_fields_that_were_left_out_are_signed() {
    let theirs = "DKIM-Signature: v=1; d=other.example\r\nDKIM-Signature: v=1; d=good.example; s=old\r\n";
    let content = format!("{theirs}From: alice@good.example\r\nTo: bob@recv.example\r\n\r\n \r\nHello  \r\n\r\n\r\n");
    let delivered = sent(signing(live(services(FixedDns::new()))), content.as_bytes()).await;
    let fields = delivered.fields("DKIM-Signature");
    assert_eq!(fields.len(), 4);
    assert_eq!(fields[2..], ["v=1; d=other.example", "v=1; d=good.example; s=old"]);
    assert_eq!((delivered.fields("Date").len(), delivered.fields("Message-ID").len()), (1, 1));
    assert_eq!(passes(&delivered.octets).await, 2);
}
