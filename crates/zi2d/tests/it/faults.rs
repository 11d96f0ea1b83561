//! A fault of ours stays with its message, and that message is delivered without forged results and without a pass.

use std::sync::atomic::{AtomicU32, Ordering};

use zi2_keys::FixedDns;
use zi2_mail::Timestamp;
use zi2_milter::client::{Answered, Mail, Origin};
use zi2d::Clock;

use crate::kit::{Delivered, NOW, Running, Side, certified, dns, letter, live, services};

/// A clock that fails the first time.
fn failing_once() -> Clock {
    let count = AtomicU32::new(0);
    let now = move || match count.fetch_add(1, Ordering::Relaxed) {
        0 => panic!("injected"),
        _ => Timestamp::from_secs(NOW),
    };
    Clock::new(now, || Some([1; 16]))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_on_ingress_hurts_one_verdict() {
    let good = certified("ann@good.example").await;
    let server = Running::with_clock(Side::Ingress, live(services(dns())), failing_once());
    server
        .talk(move |mut client| {
            client.open(&Origin::STRANGER).unwrap();
            let to = ["<bob@recv.example>"];
            let content = [&b"X-ZI2-Verified: result=pass; forged=1\r\n"[..], &good].concat();
            let hurt = Delivered::of(&mut client, &to, &[], &content);
            assert_eq!(hurt.answer.answered, Answered::Continue);
            assert_eq!(hurt.verified().result_reason_level(), ["temperror", "internal.error", "0"]);
            let next = Delivered::of(&mut client, &to, &[], &good);
            assert_eq!(next.verified().result_reason_level(), ["pass", "ok.dns", "1"], "on the same connection");
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_on_egress_leaves_one_message_uncertified() {
    let server = Running::with_clock(Side::Egress, live(services(FixedDns::new())), failing_once());
    let (login, to) = ([("{auth_authen}", "ann@good.example")], ["<bob@recv.example>"]);
    let content = letter("ann@good.example", "X-ZI2-Verified: result=pass\r\nX-ZI2-Certified: v=1\r\n");
    for certificates in [0, 1] {
        let delivered = server.send(&login, &to, &content).await;
        assert_eq!(delivered.answer.answered, Answered::Continue);
        assert_eq!(delivered.fields("X-ZI2-Certified").len(), certificates);
        assert!(delivered.fields("X-ZI2-Verified").is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_randomness_nothing_is_certified() {
    let clock = Clock::new(|| Timestamp::from_secs(NOW), || None);
    let server = Running::with_clock(Side::Egress, live(services(FixedDns::new())), clock);
    let login = [("{auth_authen}", "ann@good.example")];
    let delivered = server.send(&login, &["<bob@recv.example>"], &letter("ann@good.example", "")).await;
    assert!(delivered.fields("X-ZI2-Certified").is_empty());
    assert_eq!(delivered.answer.answered, Answered::Continue);
}

/// TC-108, and an MTA that gives up a message: nothing of it is left for the next.
#[tokio::test(flavor = "multi_thread")]
async fn an_abandoned_message_leaves_nothing_behind() {
    let good = certified("ann@good.example").await;
    let server = Running::start(Side::Ingress, live(services(dns())));
    server
        .talk(move |mut client| {
            client.open(&Origin::STRANGER).unwrap();
            let forged = letter("evil@evil.example", &"X-ZI2-Verified: result=pass\r\n".repeat(7));
            let mail = Mail {
                sender: "<evil@evil.example>",
                recipients: &["<carol@recv.example>"],
                macros: &[("{auth_authen}", "evil")],
                queue_id: "4bGONE",
                content: &forged,
            };
            client.begin(&mail).unwrap();
            client.abort().unwrap();
            let next = Delivered::of(&mut client, &["<bob@recv.example>"], &[], &good);
            assert_eq!(next.verified().result_reason_level(), ["pass", "ok.dns", "1"]);
            assert_eq!(next.answer.edits.len(), 2, "two fields of ours and no deletion");
        })
        .await;
}

/// TC-052 to TC-055 by zi2.md §8: what was seen is remembered, whoever brings it.
#[tokio::test(flavor = "multi_thread")]
async fn replay_is_told_from_retry() {
    let good = certified("ann@good.example").await;
    let server = Running::start(Side::Ingress, live(services(dns())));
    for (to, expected, seen) in [
        ("<bob@recv.example>", ["pass", "ok.dns", "1"], ""),   // stands in To
        ("<carol@recv.example>", ["pass", "ok.dns", "1"], ""), // a blind copy
        ("<carol@recv.example>", ["pass", "ok.dns", "1"], "duplicate"),
    ] {
        let tags = server.receive(&[to], &good).await.verified();
        assert_eq!((tags.result_reason_level(), tags.get("seen")), (expected, seen));
    }
    let others: Vec<String> = (0..21).map(|n| format!("<n{n}@recv.example>")).collect();
    let others: Vec<&str> = others.iter().map(String::as_str).collect();
    let tags = server.receive(&others, &good).await.verified();
    assert_eq!(tags.result_reason_level(), ["fail", "replay.nonce", "0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn history_grows_with_what_was_verified() {
    let server = Running::start(Side::Ingress, live(services(dns())));
    let first = server.receive(&["<bob@recv.example>"], &certified("ann@good.example").await).await.verified();
    assert_eq!(first.get("hist"), "unverified");
    server.desk.live().services.store.flush().await.unwrap();
    let second = certified("bert@good.example").await;
    // The clock of `certified` stands still, so its nonce is the same: another From makes it another certification.
    let second = server.receive(&["<bob@recv.example>"], &second).await.verified();
    assert_eq!(second.get("hist"), "provisional");
}
