//! Bounces: those that Postfix makes are signed where DKIM2 speaks of them, and those that come in say whose mail they are about.

use zi2_config::{Bounces, ChainMode};
use zi2_mail::{DigestPlan, HostName, Message, Timestamp};
use zi2_milter::client::{Answered, Client, Mail, Origin};
use zi2_sig::dkim2::bounce::{Action, BounceLeave, Failing, Reporter, Returning, StatusCode, compose};
use zi2_sig::dkim2::{Draft, HashChoice, Identity, Originator, Path, PrivateKey, SigningMember, Terms};
use zi2d::Live;

use crate::chain::with_chain;
use crate::dkim2_hops::{ALICE, Forwarder, SUBMITTED, everybody, judged, of_forwarder, result, rules, signed};
use crate::kit::{Delivered, NOW, Running, Side, Way, domain, letter, live, services};

/// How a bounce comes to Alice's server.
const BACK: Way<'_> = Way { service: "mx", login: "", sender: "<>", to: &["<alice@good.example>"] };

async fn leave(mail: &[u8]) -> BounceLeave {
    BounceLeave::of(&judged(&SUBMITTED, mail).await).unwrap()
}

/// What the receiver's mail server writes when it cannot deliver.
async fn written(mail: &[u8], returning: Returning) -> Vec<u8> {
    let (server, name) = (HostName::parse("mx.recv.example").unwrap(), domain("recv.example"));
    let reporter = Reporter { server: &server, domain: &name, now: Timestamp::from_secs(NOW), random: [7; 16] };
    let recipient = Path::of_command(b"<bob@recv.example>");
    let status = StatusCode::parse("5.1.1").unwrap();
    let failing = Failing { recipient: &recipient, action: Action::Failed, status, diagnostic: None };
    compose(&leave(mail).await, &Message::split(mail), returning, &[failing], &reporter).unwrap()
}

fn text(octets: &[u8]) -> String {
    String::from_utf8(octets.to_vec()).unwrap()
}

/// Hands a message to the receiver's egress side as Postfix does with its own: localhost, port 0, no brackets.
async fn made_here(live: Live, sender: &str, to: &str, content: &[u8]) -> Delivered {
    let (sender, to, content) = (sender.to_owned(), to.to_owned(), content.to_vec());
    let running = Running::start(Side::Egress, live);
    running
        .talk(move |mut client: Client| {
            client.open(&Origin::LOCAL).unwrap();
            let mail = Mail { sender: &sender, recipients: &[&to], macros: &[], queue_id: "4bTEST", content: &content };
            let answer = client.send(&mail).unwrap();
            let octets = answer.apply(&content);
            Delivered { answer, octets }
        })
        .await
}

fn receiver() -> Live {
    (Forwarder::new().live)()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bounce_of_what_came_in_is_signed() {
    let mail = signed(&letter(ALICE, "")).await.octets;
    // What the receiver's own side has added comes back, too.
    let received = [b"Received: from x by mx.recv.example\r\nX-ZI2-Verified: result=none\r\n", &*mail].concat();
    for returning in [Returning::Whole, Returning::Header] {
        let bounce = written(&received, returning).await;
        let sent = made_here(receiver(), "", "alice@good.example", &bounce).await;
        assert_eq!(result(&BACK, &sent.octets).await, "pass", "{}", text(&sent.octets));
        let verdict = judged(&BACK, &sent.octets).await;
        assert_eq!(verdict.chain().unwrap().newest().unwrap().domain().as_str(), "recv.example");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_else_looks_like_one_leaves_as_it_is() {
    let mail = signed(&letter(ALICE, "")).await.octets;
    let bounce = text(&written(&mail, Returning::Whole).await);
    let plain = letter(ALICE, "");
    let unsigned = bounce.replace(&text(&mail), &text(&plain));
    let off = || Live { bounces: Bounces::Off, ..receiver() };
    for (name, live, sender, to, content) in [
        ("to another than it came from", receiver(), "", "eve@good.example", bounce.clone()),
        ("with a sender", receiver(), "x@recv.example", "alice@good.example", bounce.clone()),
        ("what it returns was changed", receiver(), "", "alice@good.example", bounce.replace("Hello", "Hallo")),
        ("what it returns has no DKIM2", receiver(), "", "alice@good.example", unsigned),
        ("of a person", receiver(), "", "alice@good.example", bounce.replace("MAILER-DAEMON@", "joe@")),
        ("no report", receiver(), "", "alice@good.example", bounce.replace("delivery-status;", "feedback-report;")),
        ("by another domain", receiver(), "", "alice@good.example", bounce.replace("DAEMON@recv", "DAEMON@other")),
        ("switched off", off(), "", "alice@good.example", bounce.clone()),
    ] {
        let sent = made_here(live, sender, to, content.as_bytes()).await;
        assert_eq!(sent.answer.answered, Answered::Continue, "{name}");
        assert_eq!(text(&sent.octets), content, "{name}");
    }
    let stranger = Running::start(Side::Egress, receiver()).pass(&BACK, bounce.as_bytes()).await;
    assert_eq!(text(&stranger.octets), bounce, "from the network");
}

/// A first hop as whoever holds a key of `other.example` can make it.
fn by_other(mail: &str) -> Vec<u8> {
    let [_, other] = of_forwarder();
    let envelope = zi2_sig::dkim2::Envelope::of(b"<>", BACK.to);
    let terms = Terms {
        draft: Draft::default(),
        now: Timestamp::from_secs(NOW),
        binding: zi2_sig::dkim2::Binding::of(&envelope).unwrap(),
        flags: Vec::new(),
        nonce: None,
        hashes: HashChoice::Sha256,
    };
    let member = SigningMember { selector: other.selector, key: PrivateKey::Dkim(other.key) };
    let identity = Identity { domain: other.domain, groups: vec![vec![member]] };
    let message = Message::split(mail.as_bytes());
    let mut plan = DigestPlan::new();
    let signer = Originator::new(&message.header, terms, identity, &mut plan).unwrap();
    let fields = signer.finish(&plan.digest(message.body)).unwrap();
    let lines: String = fields.iter().map(|field| field.wire() + "\r\n").collect();
    (lines + mail).into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn whose_mail_a_bounce_is_about() {
    let mail = signed(&letter(ALICE, "")).await.octets;
    let bounce = written(&mail, Returning::Whole).await;
    let authentic = made_here(receiver(), "", "alice@good.example", &bounce).await.octets;
    let stranger = text(&bounce).replace("MAILER-DAEMON@recv.example", "MAILER-DAEMON@other.example");
    let foreign = stranger.replace(&text(&mail), "From: a@third.example\r\n\r\nHello\r\n");
    let letter_of_other = "From: x@other.example\r\nTo: alice@good.example\r\n\r\nAway until Monday\r\n";
    let refusal = "550 5.7.1 the returned message was not sent to other.example, which signed the bounce";
    for (name, policy, content, counted, answered) in [
        ("theirs", Bounces::Reject, authentic.clone(), "authentic 1", Answered::Continue),
        ("a stranger's", Bounces::Check, by_other(&stranger), "forged 1", Answered::Continue),
        ("a stranger's", Bounces::Reject, by_other(&stranger), "forged 1", Answered::Reply(refusal.to_owned())),
        ("of other mail", Bounces::Reject, by_other(&foreign), "foreign 1", Answered::Continue),
        ("no report", Bounces::Reject, by_other(letter_of_other), "", Answered::Continue),
        ("not signed", Bounces::Reject, bounce.clone(), "", Answered::Continue),
        ("off", Bounces::Off, authentic.clone(), "", Answered::Continue),
    ] {
        let mut live = with_chain(live(services(everybody())), ChainMode::Mark);
        (live.dkim2, live.bounces) = (Some(std::sync::Arc::new(rules())), policy);
        let running = Running::start(Side::Ingress, live);
        let delivered = running.pass(&BACK, &content).await;
        assert_eq!(delivered.answer.answered, answered, "{name}");
        let text = running.desk.metrics.text();
        let counts = text.lines().filter_map(|line| line.strip_prefix("zi2_bounces_total{result=\""));
        assert_eq!(counts.map(|count| count.replace("\"}", "")).collect::<String>(), counted, "{name}");
    }
}
