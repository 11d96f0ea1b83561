//! What only we may write is removed from every message (TC-076 to TC-080).

use zi2_keys::{FixedDns, FixedNode, FixedStatus};
use zi2_milter::client::Answered;

use crate::kit::{Delivered, OURS, Running, Side, certified, letter, live, services};

const FORGED: &str = "X-ZI2-Verified: result=pass; level=3; forged=1\r\n";

async fn received(dns: FixedDns, content: &[u8]) -> Delivered {
    Running::start(Side::Ingress, live(services(dns))).receive(&["<bob@recv.example>"], content).await
}

fn assert_clean(delivered: &Delivered) {
    let text = String::from_utf8_lossy(&delivered.octets);
    assert!(!text.contains("forged="), "{text}");
    assert_eq!(delivered.fields("X-ZI2-Verified").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_forged_results_go_and_foreign_ones_stay_in_order() {
    let mut more = String::new();
    for n in 0..8 {
        let id = if n % 2 == 0 { OURS.to_owned() } else { OURS.to_uppercase() };
        more += &format!("Authentication-Results: other{n}.example; spf=pass\r\n");
        more += &format!("AUTHENTICATION-results:\r\n\t(c) {id} 1; x-zi2=pass policy.forged={n}\r\n");
    }
    let delivered = received(FixedDns::new(), &letter("ann@good.example", &more)).await;
    assert_clean(&delivered);
    let results = delivered.fields("Authentication-Results");
    assert!(results[0].starts_with("mx.recv.example; x-zi2=none"), "{results:?}");
    let others: Vec<String> = (0..8).map(|n| format!("other{n}.example; spf=pass")).collect();
    assert_eq!(results[1..], others);
}

#[tokio::test(flavor = "multi_thread")]
async fn three_forged_verdicts_go() {
    let delivered = received(FixedDns::new(), &letter("ann@good.example", &FORGED.repeat(3))).await;
    assert_clean(&delivered);
    assert_eq!(delivered.verified().get("result"), "missing");
    assert!(delivered.octets.starts_with(b"X-ZI2-Verified: result=missing; level=0; "), "ours is on top");
}

#[tokio::test(flavor = "multi_thread")]
async fn they_go_from_a_message_beyond_every_limit() {
    let huge = format!("{FORGED}X-Filler: {}\r\n{FORGED}", "x".repeat(300 * 1024));
    let many = format!("{FORGED}{}{FORGED}", "X-Filler: x\r\n".repeat(1200));
    let broken = format!("{FORGED}Bcc\u{fe}: a\r\n{FORGED}");
    for more in [huge, many, broken] {
        let delivered = received(FixedDns::new(), &letter("ann@good.example", &more)).await;
        assert_clean(&delivered);
        assert_eq!(delivered.verified().get("result"), "missing");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn they_go_while_dns_is_down() {
    let node = || FixedNode::of_status(FixedStatus::Timeout);
    let names = ["_zi2cert.good.example", "_zi2cert.zi2-cert-2026-11.good.example", "good.example"];
    let down = names.iter().fold(FixedDns::new(), |dns, name| dns.with(name, node()));
    let content = [FORGED.as_bytes(), &certified("ann@good.example").await].concat();
    let delivered = received(down, &content).await;
    assert_clean(&delivered);
    assert_eq!(delivered.verified().result_reason_level(), ["temperror", "dns.timeout", "0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_cannot_be_cleaned_is_refused() {
    let more = "X-ZI2-Verified:\r\n".repeat(zi2d::limits::REMOVALS + 1);
    let delivered = received(FixedDns::new(), &letter("ann@good.example", &more)).await;
    assert!(matches!(&delivered.answer.answered, Answered::Reply(line) if line.starts_with("550 5.7.1 ")));
    let more = "X-ZI2-Verified:\r\n".repeat(zi2d::limits::REMOVALS);
    let delivered = received(FixedDns::new(), &letter("ann@good.example", &more)).await;
    assert_eq!(delivered.answer.answered, Answered::Continue);
    assert_clean(&delivered);
}
