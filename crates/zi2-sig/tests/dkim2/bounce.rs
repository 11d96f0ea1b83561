//! Bounces: one that is made, checked and passed back hop by hop, and the ways to have us send mail to strangers.

use zi2_mail::{Domain, HostName, Message, Timestamp};
use zi2_sig::dkim2::bounce::{
    Action, AuthenticBounce, BounceFault, BounceLeave, BounceVerifier, Failing, House, NoBounce, NonceKey,
    NotPassedBack, Reporter, Returning, StatusCode, compose,
};
use zi2_sig::dkim2::{Envelope, Outcome, Path, Terms};

use crate::forge::*;

const BY_LIST: (&str, &[&str]) = ("<bounce@b.example>", &["<carol@c.example>"]);

fn by_author() -> Envelope {
    envelope("<ann@a.example>", &["<list@b.example>"])
}

/// What c.example received: written by a.example, edited and sent on by b.example.
fn received(terms: Terms) -> Vec<u8> {
    let first = first();
    let signed = hop(&first, &by_author(), &list_edit(&first), &terms, &identity("b.example")).unwrap();
    [b"Received: from b.example by mx.c.example\r\nX-Where: inside.c.example\r\n".as_slice(), &signed].concat()
}

fn list_terms() -> Terms {
    to(BY_LIST.0, BY_LIST.1)
}

fn server(domain: &str) -> HostName {
    HostName::parse(&format!("mx.{domain}")).unwrap()
}

fn signed(mail: &[u8], leave: &BounceLeave, domain: &str) -> Vec<u8> {
    originate(mail, terms(leave.binding()), identity(domain)).unwrap()
}

/// The bounce of a received message, signed.
fn bounce(received: &[u8], by: &Envelope, domain: &str, returning: Returning) -> Vec<u8> {
    let leave = BounceLeave::of(&judge(received, by)).unwrap();
    let (server, name) = (server(domain), self::domain(domain));
    let reporter = Reporter { server: &server, domain: &name, now: Timestamp::from_secs(NOW), random: [7; 16] };
    let failing = Failing {
        recipient: &by.recipients()[0],
        action: Action::Failed,
        status: StatusCode::parse("5.1.1").unwrap(),
        diagnostic: Some("550 5.1.1 no such user\r\nX: y"),
    };
    let mail = compose(&leave, &Message::split(received), returning, &[failing], &reporter).unwrap();
    signed(&mail, &leave, domain)
}

fn by_list() -> Envelope {
    envelope(BY_LIST.0, BY_LIST.1)
}

/// What c.example received, the bounce it sends of it, and by what leave.
fn returned() -> (Vec<u8>, Vec<u8>, BounceLeave) {
    let (by, received) = (by_list(), received(list_terms()));
    let bounce = bounce(&received, &by, "c.example", Returning::Whole);
    let leave = BounceLeave::of(&judge(&received, &by)).unwrap();
    (received, bounce, leave)
}

fn house(domains: &[Domain]) -> House<'_> {
    House { domains, nonces: None }
}

fn checked<'m>(
    bounce: &'m [u8],
    by: &Envelope,
    house: &House<'_>,
    now: u64,
) -> Result<AuthenticBounce<'m>, BounceFault> {
    let evidence = evidence(bounce, by);
    let message = Message::split(bounce);
    let mut verifier = BounceVerifier::new(&evidence, by, &message, house, Timestamp::from_secs(now))?;
    let dns = dns();
    for name in verifier.questions() {
        verifier.answer(&name, &dns.answer(name.as_str()));
    }
    verifier.finish()
}

fn fault(bounce: &[u8], to: &str, ours: &[&str]) -> String {
    let domains: Vec<Domain> = ours.iter().map(|name| domain(name)).collect();
    let checked = checked(bounce, &envelope("<>", &[to]), &house(&domains), NOW);
    checked.err().map(|fault| fault.to_string()).unwrap_or_default()
}

#[test]
fn back_to_the_author() {
    let by = by_list();
    for returning in [Returning::Whole, Returning::Header] {
        let received = received(list_terms());
        let from_c = bounce(&received, &by, "c.example", returning);
        let text = String::from_utf8(from_c.clone()).unwrap();
        assert!(text.contains("no such user\\x0d\\x0aX: y"), "{text}");
        assert!(text.lines().all(|line| line.len() <= 120), "{text}");
        let (b, a) = ([domain("b.example")], [domain("a.example")]);
        let at_b = checked(&from_c, &envelope("<>", &["<bounce@b.example>"]), &house(&b), NOW).unwrap();
        assert_eq!((at_b.action(), at_b.status().to_string().as_str()), (Action::Failed, "5.1.1"));
        assert_eq!((at_b.signature().number(), at_b.is_whole()), (2, returning == Returning::Whole));
        let (server, name) = (server("b.example"), domain("b.example"));
        let reporter = Reporter { server: &server, domain: &name, now: Timestamp::from_secs(NOW), random: [8; 16] };
        let passed = at_b.pass_back(&house(&b), None, &reporter).unwrap();
        assert_eq!(passed.leave.to().to_string(), "<ann@a.example>");
        let text = String::from_utf8(passed.mail.clone()).unwrap();
        assert!(!text.contains("c.example") && !text.contains("carol") && !text.contains("list footer"), "{text}");
        assert!(
            text.contains("Final-Recipient: rfc822; list@b.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"),
            "{text}"
        );
        assert!(!text.contains("i=2;") && !text.contains("[list]"), "{text}");
        assert_eq!(text.contains(&MAIL[MAIL.find("\r\n\r\n").unwrap()..]), returning == Returning::Whole, "{text}");
        let from_b = signed(&passed.mail, &passed.leave, "b.example");
        let by_b = envelope("<>", &["<ann@a.example>"]);
        let at_a = checked(&from_b, &by_b, &house(&a), NOW).unwrap();
        assert_eq!(at_a.signature().domain().as_str(), "a.example");
        assert_eq!(at_a.pass_back(&house(&a), None, &reporter), Err(NotPassedBack::Ours));
    }
}

#[test]
fn who_is_sent_a_bounce() {
    let mail = received(list_terms());
    let verdict = |mail: &[u8], by: &Envelope| BounceLeave::of(&judge(mail, by));
    let by = by_list();
    let leave = verdict(&mail, &by).unwrap();
    assert_eq!(leave.to().to_string(), "<bounce@b.example>");
    for (name, may) in [("c.example", true), ("sub.c.example", false), ("b.example", false), ("example.com", false)] {
        assert_eq!(leave.may_sign(&domain(name)), may, "{name}");
    }
    assert!(!leave.may_sign(&domain("example")), "one label is nobody's");
    assert_eq!(verdict(MAIL.as_bytes(), &by), Err(NoBounce::Absent));
    assert_eq!(verdict(&mail, &Envelope::unknown()), Err(NoBounce::Unbound));
    let edited = String::from_utf8(mail.clone()).unwrap().replacen("list footer", "another", 1);
    assert!(matches!(verdict(edited.as_bytes(), &by), Err(NoBounce::Unproven(_))));
    let other = envelope("<bounce@b.example>", &["<x@c.example>"]);
    assert!(matches!(verdict(&mail, &other), Err(NoBounce::Unproven(_))), "to another recipient than it was sent to");
    let null = originate(MAIL.as_bytes(), to("<>", &["<list@b.example>"]), identity("a.example")).unwrap();
    assert_eq!(verdict(&null, &envelope("<>", &["<list@b.example>"])), Err(NoBounce::NullSender));
    // Something before the newest hop does not hold: it may be bounced, to the newest hop.
    let broken = String::from_utf8(mail).unwrap().replacen("i=1; m=1; t=1777400000", "i=1; m=1; t=1777400001", 1);
    assert!(matches!(judge(broken.as_bytes(), &by).outcome, Outcome::Failed(_)), "signed over by the newest");
}

/// § -08 16.3: everything that has to hold, one broken at a time.
#[test]
fn forged_bounces() {
    let (_, good, leave) = returned();
    // Signed anew after an edit, as whoever holds the key of a domain can.
    let composed = String::from_utf8(good[find(&good, "From: Mail delivery")..].to_vec()).unwrap();
    let edited = |from: &str, to: &str, domain: &str| {
        assert!(composed.contains(from), "{from} in {composed}");
        signed(
            composed
                .replace(from, to)
                .replace("MAILER-DAEMON@c.example", &format!("MAILER-DAEMON@{domain}"))
                .as_bytes(),
            &leave,
            domain,
        )
    };
    let to = "<bounce@b.example>";
    let b: &[&str] = &["b.example"];
    for (bounce, ours, expected) in [
        (good.clone(), b, ""),
        (edited("MIME-Version", "MIME-Version", "c.example"), b, ""),
        // Backscatter: what comes back was never sent from here.
        (good.clone(), &["a.example"], "the returned message was last sent by b.example, not from here"),
        (
            edited("DKIM2-Signature", "X-Was", "c.example"),
            b,
            "returned message: PERMERROR: DKIM2-Signature i=1 missing",
        ),
        (
            edited("list footer", "buy this", "c.example"),
            b,
            "returned message: FAIL: Message-Instance m=2 body hash sha256 mismatch",
        ),
        (
            edited("Subject: [list] Hi", "Subject: buy this", "c.example"),
            b,
            "returned message: FAIL: Message-Instance m=2 header hash sha256 mismatch",
        ),
        (
            edited("t=1777400000; d=b.example", "t=1777400001; d=b.example", "c.example"),
            b,
            "returned message: FAIL: DKIM2-Signature i=2 selector s incorrect signature",
        ),
        (
            edited("t=1777400000; d=b.example", "t=1776000000; d=b.example", "c.example"),
            b,
            "returned message: FAIL: DKIM2-Signature i=2 signature expired",
        ),
        // The message was not sent to who says that it failed.
        (
            edited("MIME-Version", "MIME-Version", "d.example"),
            b,
            "the returned message was not sent to d.example, which signed the bounce",
        ),
        // Reports that readers take in different ways, or that are none.
        (
            edited("multipart/report", "multipart/mixed", "c.example"),
            b,
            "the message is no multipart/report of delivery-status",
        ),
        (
            edited("report-type=delivery-status", "report-type=feedback-report", "c.example"),
            b,
            "the message is no multipart/report of delivery-status",
        ),
        (edited("MIME-Version: 1.0", "Content-Type: text/plain", "c.example"), b, "the Content-Type cannot be read"),
        (
            edited("message/rfc822", "text/plain", "c.example"),
            b,
            "the third part is not the message or its header section",
        ),
        (
            edited(
                "message/rfc822\r\nContent-Transfer-Encoding: 7bit",
                "message/rfc822\r\nContent-Transfer-Encoding: base64",
                "c.example",
            ),
            b,
            "the message comes back in an encoding; its octets are what was signed",
        ),
        (
            edited("Action: failed", "Action: exploded", "c.example"),
            b,
            "the second part is no delivery status with action and status of a recipient",
        ),
        (
            edited("Status: 5.1.1", "Status: 9.1.1", "c.example"),
            b,
            "the second part is no delivery status with action and status of a recipient",
        ),
        (
            edited("--\r\n", "-\r\n", "c.example"),
            b,
            "the parts of the report cannot be told apart: a line begins like a boundary and is none, or one stands after the end",
        ),
    ] {
        assert_eq!(fault(&bounce, to, ours), expected);
    }
}

fn find(mail: &[u8], text: &str) -> usize {
    mail.windows(text.len()).position(|window| window == text.as_bytes()).unwrap()
}

#[test]
fn bounces_of_bounces_and_to_others() {
    // c.example makes a bounce of a bounce: nothing was sent by nobody.
    let (_, good, leave) = returned();
    let composed = &good[find(&good, "From: Mail delivery")..];
    // Addressed to a stranger, whom the sender would like to mail through us.
    let elsewhere = envelope("<>", &["<victim@b.example>"]);
    let terms = terms(zi2_sig::dkim2::Binding::of(&elsewhere).unwrap());
    let mail = originate(composed, terms, identity("c.example")).unwrap();
    let b = [domain("b.example")];
    assert_eq!(checked(&mail, &elsewhere, &house(&b), NOW).unwrap_err(), BounceFault::Addressee);
    let to_nobody = envelope("<>", &[]);
    let message = Message::split(&good);
    let of_good = evidence(&good, &envelope("<>", &["<bounce@b.example>"]));
    let checked_for = |by| BounceVerifier::new(&of_good, by, &message, &house(&b), Timestamp::from_secs(NOW)).err();
    assert_eq!(checked_for(&to_nobody), Some(BounceFault::Addressee));
    // With a sender it is no bounce.
    let sender = envelope("<x@c.example>", &["<bounce@b.example>"]);
    let with_sender = to("<x@c.example>", &["<bounce@b.example>"]);
    let mail = originate(composed, with_sender, identity("c.example")).unwrap();
    assert_eq!(checked(&mail, &sender, &house(&b), NOW).unwrap_err(), BounceFault::HasSender);
    // The bounce within a bounce: b.example had sent that bounce itself, to whom nobody answers.
    let null =
        originate(MAIL.replace("ann@a", "ann@b").as_bytes(), to("<>", &["<carol@c.example>"]), identity("b.example"))
            .unwrap();
    let mut nested = composed.to_vec();
    let (start, end) = (find(&nested, "Received: from b.example"), find(&nested, "\r\n--=_"));
    let end = nested[start..].windows(5).position(|window| window == b"\r\n--=").unwrap_or(end) + start;
    nested.splice(start..end, null);
    let mail = signed(&nested, &leave, "c.example");
    assert_eq!(
        checked(&mail, &envelope("<>", &["<bounce@b.example>"]), &house(&b), NOW).unwrap_err(),
        BounceFault::Addressee
    );
}

#[test]
fn nonces_of_ours() {
    let (key, other) = (NonceKey::new(&[3; 32]), NonceKey::new(&[4; 32]));
    let terms = Terms { nonce: key.nonce("4bQ12"), ..list_terms() };
    let received = received(terms);
    let good = bounce(&received, &by_list(), "c.example", Returning::Header);
    let b = [domain("b.example")];
    let by = envelope("<>", &["<bounce@b.example>"]);
    let with = |nonces| checked(&good, &by, &House { domains: &b, nonces }, NOW);
    let authentic = with(Some(&key)).unwrap();
    assert_eq!(authentic.signature().nonce().and_then(|nonce| key.transaction(nonce)), Some("4bQ12"));
    assert_eq!(with(Some(&other)).unwrap_err(), BounceFault::Nonce);
    assert!(with(None).is_ok());
}

#[test]
fn temporary_faults_are_temporary() {
    let (received, good, _) = returned();
    let by = envelope("<>", &["<bounce@b.example>"]);
    let b = [domain("b.example")];
    let evidence = evidence(&good, &by);
    let message = Message::split(&good);
    let other = Message::split(&received);
    let of_another = BounceVerifier::new(&evidence, &by, &other, &house(&b), Timestamp::from_secs(NOW));
    assert_eq!(of_another.err(), Some(BounceFault::OtherMessage));
    let verifier = BounceVerifier::new(&evidence, &by, &message, &house(&b), Timestamp::from_secs(NOW)).unwrap();
    let names: Vec<_> = verifier.questions().iter().map(|name| name.as_str().to_owned()).collect();
    assert_eq!(names, ["s._domainkey.b.example"], "our own key only");
    let fault = verifier.finish().unwrap_err();
    assert_eq!(fault.reply(), (451, "4.7.5"), "{fault}");
    assert_eq!(BounceFault::HasSender.reply(), (550, "5.7.1"));
}

#[test]
fn for_whom_it_had_come() {
    // Sent to two addresses of b.example: which of them was sent on, b.example must say.
    let both = ["<list@b.example>", "<info@b.example>"];
    let first = originate(MAIL.as_bytes(), to("<ann@a.example>", &both), identity("a.example")).unwrap();
    let second =
        hop(&first, &envelope("<ann@a.example>", &both), &list_edit(&first), &list_terms(), &identity("b.example"))
            .unwrap();
    let good = bounce(&second, &by_list(), "c.example", Returning::Whole);
    let b = [domain("b.example")];
    let at_b = checked(&good, &envelope("<>", &["<bounce@b.example>"]), &house(&b), NOW).unwrap();
    let (server, name) = (server("b.example"), domain("b.example"));
    let reporter = Reporter { server: &server, domain: &name, now: Timestamp::from_secs(NOW), random: [8; 16] };
    let back = |named: Option<&str>| {
        at_b.pass_back(&house(&b), named.map(|path| Path::of_command(path.as_bytes())).as_ref(), &reporter)
    };
    assert_eq!(back(None), Err(NotPassedBack::Recipient));
    assert_eq!(back(Some("<x@b.example>")), Err(NotPassedBack::Recipient));
    let mail = String::from_utf8(back(Some("<info@b.example>")).unwrap().mail).unwrap();
    assert!(mail.contains("Final-Recipient: rfc822; info@b.example\r\n"), "{mail}");
}
