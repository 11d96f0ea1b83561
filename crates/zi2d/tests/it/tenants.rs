//! Who may be certified as whom, and what a neighbour gets to see (TC-072, TC-073, TC-081 to TC-084).

use zi2_config::{HostedDomains, OnMismatch};
use zi2_keys::FixedDns;
use zi2_milter::client::Answered;
use zi2_trust::Held;

use crate::kit::{Delivered, KID, Running, Side, certified, dns, domain, key, letter, live, receiver, services};

const ALICE: [(&str, &str); 1] = [("{auth_authen}", "alice@good.example")];

async fn sent(macros: &[(&str, &str)], to: &[&str], content: &[u8]) -> Delivered {
    Running::start(Side::Egress, live(services(FixedDns::new()))).send(macros, to, content).await
}

#[tokio::test(flavor = "multi_thread")]
async fn only_its_own_domain_is_certified_for_a_login() {
    let two = letter("alice@good.example", "From: alice@good.example\r\n");
    let cases = [
        ("own", &ALICE[..], letter("alice@good.example", ""), 1),
        ("TC-084", &ALICE, letter("Alice <Alice@GOOD.Example>", ""), 1),
        ("TC-081", &ALICE, letter("ceo@b.example", ""), 0),
        ("TC-082", &[], letter("alice@good.example", ""), 0),
        ("TC-083", &ALICE, two, 0),
        ("not hosted", &ALICE, letter("alice@elsewhere.example", ""), 0),
        ("empty login", &[("{auth_authen}", "")], letter("alice@good.example", ""), 0),
    ];
    for (name, macros, content, count) in cases {
        let delivered = sent(macros, &["<bob@recv.example>"], &content).await;
        assert_eq!(delivered.fields("X-ZI2-Certified").len(), count, "{name}");
        assert_eq!(delivered.answer.answered, Answered::Continue, "{name}");
        assert!(delivered.fields("X-ZI2-Verified").is_empty(), "{name}: the recipient is not hosted here");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_that_the_client_brought_are_replaced() {
    let more =
        "X-ZI2-Certified: v=1\r\nX-ZI2-Verified: result=pass\r\nAuthentication-Results: mx.recv.example; x=y\r\n";
    let delivered = sent(&ALICE, &["<bob@recv.example>"], &letter("alice@good.example", &more.repeat(3))).await;
    let certified = delivered.fields("X-ZI2-Certified");
    assert!(certified.len() == 1 && certified[0].contains("d=good.example"), "{certified:?}");
    assert!(delivered.fields("X-ZI2-Verified").is_empty());
    assert!(delivered.fields("Authentication-Results").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn certifications_of_relayed_mail_stay() {
    let content = letter("x@elsewhere.example", "X-ZI2-Certified: v=1; theirs\r\nX-ZI2-Verified: result=pass\r\n");
    let delivered = sent(&ALICE, &["<bob@recv.example>"], &content).await;
    assert_eq!(delivered.fields("X-ZI2-Certified"), ["v=1; theirs"]);
    assert!(delivered.fields("X-ZI2-Verified").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_neighbour_sees_level_3_or_the_mismatch() {
    let to = ["<bob@recv.example>", "<carol@b.example>"];
    let delivered = sent(&ALICE, &to, &letter("alice@good.example", "")).await;
    assert_eq!(delivered.verified().result_reason_level(), ["pass", "ok.local", "3"]);
    let delivered = sent(&ALICE, &to, &letter("carol@b.example", "")).await;
    let tags = delivered.verified();
    assert_eq!(tags.result_reason_level(), ["missing", "tenant.login_mismatch", "0"]);
    assert_eq!((tags.get("spoof"), tags.get("d")), ("yes", "b.example"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mismatch_is_refused_where_the_operator_wants_it() {
    let mut live = live(services(FixedDns::new()));
    live.sender.on_mismatch = OnMismatch::Reject;
    let server = Running::start(Side::Egress, live);
    let to = ["<bob@recv.example>"];
    let refused = server.send(&ALICE, &to, &letter("carol@b.example", "")).await;
    assert!(matches!(&refused.answer.answered, Answered::Reply(line) if line.starts_with("550 5.7.1 ")));
    let stranger = server.send(&[], &to, &letter("carol@b.example", "")).await;
    assert_eq!(stranger.answer.answered, Answered::Continue, "only a login is refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_fields_are_completed_before_certifying() {
    let content = b"From: alice@good.example\r\nTo: bob@recv.example\r\n\r\nHello\r\n";
    let delivered = sent(&ALICE, &["<bob@recv.example>"], content).await;
    assert_eq!(delivered.fields("Date"), ["Wed, 25 Nov 2026 09:46:40 +0000"]);
    assert!(delivered.fields("Message-ID")[0].ends_with("@mail.good.example>"));
    let verdict = Running::start(Side::Ingress, live(services(dns())));
    let verdict = verdict.receive(&["<bob@recv.example>"], &delivered.octets).await.verified();
    assert_eq!(verdict.result_reason_level(), ["pass", "ok.dns", "1"]);
}

/// TC-073 and TC-074, and what the log of issued nonces is for.
#[tokio::test(flavor = "multi_thread")]
async fn only_mail_that_never_left_comes_in_with_level_3() {
    for (to, expected) in [
        (&["<carol@b.example>"][..], ["pass", "ok.local", "3"]),
        (&["<carol@b.example>", "<bob@recv.example>"], ["pass", "ok.returned", "1"]),
    ] {
        let shared = services(dns());
        let mut sender = live(shared.clone());
        sender.issued_log = true;
        let sent = Running::start(Side::Egress, sender).send(&ALICE, to, &letter("alice@good.example", "")).await;
        let mut own = receiver(HostedDomains::new([domain("good.example"), domain("b.example")]));
        own.local_keys = vec![Held { sid: None, kid: zi2_sig::Kid::parse(KID).unwrap(), key: key().public() }];
        let mut back = live(shared);
        back.receiver = std::sync::Arc::new(own);
        let verdict =
            Running::start(Side::Ingress, back).receive(&["<carol@b.example>"], &sent.octets).await.verified();
        assert_eq!(verdict.result_reason_level(), expected, "{to:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_certificate_is_on_top_and_verifies() {
    let octets = certified("ann@good.example").await;
    assert!(octets.starts_with(b"X-ZI2-Certified: v=1; d=good.example; "));
    let delivered =
        Running::start(Side::Ingress, live(services(dns()))).receive(&["<bob@recv.example>"], &octets).await;
    assert_eq!(delivered.verified().result_reason_level(), ["pass", "ok.dns", "1"]);
    let again = delivered.fields("X-ZI2-Certified");
    assert_eq!(again.len(), 1, "the certificate stays");
}
