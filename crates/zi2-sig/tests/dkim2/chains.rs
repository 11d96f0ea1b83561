//! The rules of a chain, one broken at a time, with the draft's text for each.

use zi2_mail::{DigestPlan, Domain, Message, Timestamp};
use zi2_sig::dkim2::{
    Binding, Draft, Envelope, Flag, Identity, KeyAnswer, KeyRecords, Outcome, Path, Policy, Problem, Refusal, Terms,
    Unkept, Verdict, Verifier, extend_through,
};

use crate::forge::*;
use crate::kit::verify;

fn by() -> Envelope {
    envelope("<ann@a.example>", &["<list@b.example>"])
}

/// Two hops; the second one edited the message.
fn two() -> (Vec<u8>, Envelope) {
    let first = first();
    let terms = exploded(to("<bounce@b.example>", &["<carol@c.example>"]));
    let second = hop(&first, &by(), &list_edit(&first), &terms, &identity("b.example")).unwrap();
    (second, envelope("<bounce@b.example>", &["<carol@c.example>"]))
}

fn text(verdict: &Verdict) -> String {
    verdict.failure().map_or_else(|| verdict.result().to_owned(), ToString::to_string)
}

fn edited(mail: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(mail.to_vec()).unwrap();
    assert!(text.contains(from), "{from} in {text}");
    text.replacen(from, to, 1).into_bytes()
}

#[test]
fn texts() {
    let (two, by_two) = two();
    let one = first();
    let judged = |mail: &[u8], by: &Envelope| text(&judge(mail, by));
    let at = |now: u64| text(&verify(&one, &by(), now, &Policy::default(), &dns()));
    const DAY: u64 = 86_400;
    for (got, expected) in [
        (judged(&one, &by()), "pass"),
        (judged(&two, &by_two), "pass"),
        (judged(MAIL.as_bytes(), &by()), "none"),
        (at(NOW + 14 * DAY), "pass"),
        (at(NOW + 14 * DAY + 1), "FAIL: DKIM2-Signature i=1 signature expired"),
        (at(NOW - DAY), "pass"),
        (at(NOW - DAY - 1), "FAIL: DKIM2-Signature i=1 signature is from the future"),
        (
            judged(&one, &envelope("<Ann@a.example>", &["<list@b.example>"])),
            "FAIL: DKIM2-Signature i=1 MAIL FROM <Ann@a.example> did not match",
        ),
        (judged(&one, &envelope("<ann@A.Example>", &["<list@B.example>"])), "pass"),
        (
            judged(&one, &envelope("<ann@a.example>", &["<list@b.example>", "<b@b.example>"])),
            "FAIL: DKIM2-Signature i=1 RCPT TO <b@b.example> did not match",
        ),
        (
            judged(&edited(&one, "Subject: Hi", "Subject: Ha"), &by()),
            "FAIL: Message-Instance m=1 header hash sha256 mismatch",
        ),
        (judged(&edited(&one, "Hello", "Hallo"), &by()), "FAIL: Message-Instance m=1 body hash sha256 mismatch"),
        (
            judged(&edited(&one, "t=1777400000", "t=1777400001"), &by()),
            "FAIL: DKIM2-Signature i=1 selector s incorrect signature",
        ),
        (
            judged(&edited(&one, "s=s:", "s=other:"), &by()),
            "PERMERROR: DKIM2-Signature i=1 public key other does not exist",
        ),
        (
            judged(&edited(&one, "ed25519-sha256", "rsa-sha256"), &by()),
            "PERMERROR: DKIM2-Signature i=1 public key s algorithm mismatch",
        ),
        (
            judged(&edited(&one, "ed25519-sha256", "banana"), &by()),
            "PERMERROR: DKIM2-Signature i=1 selector s algorithm unknown",
        ),
        (
            judged(&edited(&one, "h=sha256", "h=banana"), &by()),
            "PERMERROR: Message-Instance m=1 algorithm banana unknown",
        ),
        (judged(&edited(&one, "i=1;", "i=2;"), &by()), "PERMERROR: DKIM2-Signature i=1 missing"),
        (
            judged(&edited(&one, "Message-Instance: m=1", "X-Was: m=1"), &by()),
            "PERMERROR: Message-Instance m=1 missing",
        ),
        (judged(&edited(&one, "DKIM2-Signature:", "X-Was:"), &by()), "PERMERROR: DKIM2-Signature i=1 missing"),
        (judged(&edited(&two, "i=2;", "i=1;"), &by_two), "PERMERROR: DKIM2-Signature i=1 syntax error"),
        (judged(&edited(&two, "i=2; m=2", "i=2; m=1"), &by_two), "PERMERROR: Message-Instance m=2 is not signed"),
        (judged(&edited(&two, "i=2; m=2", "i=2; m=3"), &by_two), "PERMERROR: Message-Instance m=3 missing"),
        (
            judged(&edited(&two, "list footer", "list Footer"), &by_two),
            "FAIL: Message-Instance m=2 body hash sha256 mismatch",
        ),
        (
            judged(&edited(&one, "Subject", "not a field\r\nSubject"), &by()),
            "PERMERROR: The header section is malformed or too large",
        ),
    ] {
        assert_eq!(got, expected);
    }
}

/// A second hop by a stranger's rules: whatever a signer of ours would refuse.
fn forged(second: &str, by: &Envelope, key_of: &str) -> String {
    let mail = first();
    // Signed by hand: the input is that of our own chain reader.
    let unsigned = [format!("DKIM2-Signature: {second} s=s:ed25519-sha256:AAAA;\r\n").as_bytes(), &mail].concat();
    let header = zi2_mail::Header::parse(&unsigned);
    let chain = zi2_sig::dkim2::Chain::read(&header, Draft::default(), Default::default()).unwrap().unwrap();
    let input = chain.signed_by(chain.newest().unwrap());
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &input);
    let signature = zi2_sig::SigningKey::from_seed(&[key_of.as_bytes()[0]; 32]).unwrap().sign(hash.as_ref());
    let signature = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, signature);
    let signed = String::from_utf8(unsigned).unwrap().replacen("AAAA", &signature, 1);
    let verdict = judge(signed.as_bytes(), by);
    let provisional = if verdict.provisional().is_some() { " (provisional)" } else { "" };
    text(&verdict) + provisional
}

#[test]
fn custody() {
    let base64 = |path: &str| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, path);
    let tags = |d: &str, mf: &str, rt: &str| format!("i=2; m=1; t={NOW}; d={d}; mf={}; rt={};", base64(mf), base64(rt));
    for (d, mf, expected) in [
        ("b.example", "<x@b.example>", "pass (provisional)"),
        ("b.example", "<x@sub.b.example>", "pass (provisional)"),
        ("b.example", "<>", "pass (provisional)"),
        ("c.example", "<>", "FAIL: DKIM2-Signature i=2 d= does not match the rt= of i=1 (provisional)"),
        ("c.example", "<x@c.example>", "FAIL: DKIM2-Signature i=2 mf= does not match the rt= of i=1 (provisional)"),
        ("b.example", "<x@c.example>", "FAIL: DKIM2-Signature i=2 MAIL FROM and d= do not match"),
        ("b.example", "<postmaster>", "FAIL: DKIM2-Signature i=2 MAIL FROM and d= do not match"),
    ] {
        let got = forged(&tags(d, mf, "<y@d.example>"), &envelope(mf, &["<y@d.example>"]), d);
        assert_eq!(got, expected, "{d} {mf}");
    }
    let next = format!("i=2; m=1; t={NOW}; d=b.example; nd=c.example;");
    let got = forged(&next, &envelope("<x@c.example>", &["<y@d.example>"]), "b.example");
    assert_eq!(got, "FAIL: DKIM2-Signature i=2 tag=nd was unexpected");
}

#[test]
fn an_imaginary_hop() {
    let one = first();
    let nd = terms(Binding::Next(domain("c.example")));
    let evidence_one = evidence(&one, &by());
    let message = Message::split(&one);
    let extension = zi2_sig::dkim2::extend(&evidence_one, &message, &message, &nd, &identity("b.example")).unwrap();
    let two = [extension.fields[0].wire().as_bytes(), b"\r\n", &one].concat();
    // The next hop is in the same house, which has no evidence but its own: signed by hand.
    let unsigned = |d: &str| {
        let path = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("<x@{d}>"));
        format!(
            "DKIM2-Signature: i=3; m=1; t={NOW}; d={d}; mf={path}; rt=PHlAZC5leGFtcGxlPg==; s=s:ed25519-sha256:AAAA;\r\n"
        )
    };
    for (d, expected) in [("c.example", "pass"), ("d.example", "FAIL: DKIM2-Signature i=3 nd= does not match")] {
        let mail = [unsigned(d).as_bytes(), &two].concat();
        let header = zi2_mail::Header::parse(&mail);
        let chain = zi2_sig::dkim2::Chain::read(&header, Draft::default(), Default::default()).unwrap().unwrap();
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &chain.signed_by(chain.newest().unwrap()));
        let key = zi2_sig::SigningKey::from_seed(&[d.as_bytes()[0]; 32]).unwrap();
        let value = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, key.sign(hash.as_ref()));
        let mail = String::from_utf8(mail).unwrap().replacen("AAAA", &value, 1);
        let verdict = judge(mail.as_bytes(), &envelope(&format!("<x@{d}>"), &["<y@d.example>"]));
        assert_eq!(text(&verdict), expected);
    }
}

#[test]
fn two_hops_of_one_house() {
    let one = first();
    let (evidence, outgoing) = (evidence(&one, &by()), list_edit(&one));
    let (received, changed) = (Message::split(&one), Message::split(&outgoing));
    let through = |recipient: &str, sender: &str| {
        let sent = to(&format!("<x@{sender}>"), &["<y@d.example>", "<z@d.example>"]);
        extend_through(&evidence, &received, &changed, &sent, &identity(recipient), &identity(sender))
    };
    let extension = through("b.example", "c.example").unwrap();
    let mail = extension
        .fields
        .iter()
        .rev()
        .fold(outgoing.clone(), |mail, field| [field.wire().as_bytes(), b"\r\n", &mail].concat());
    let verdict = judge(&mail, &envelope("<x@c.example>", &["<y@d.example>"]));
    assert_eq!(text(&verdict), "pass");
    let hops: Vec<_> =
        verdict.hops().iter().map(|hop| (hop.signature.domain().to_string(), hop.made.is_some())).collect();
    assert_eq!(hops, [("a.example".into(), true), ("b.example".into(), true), ("c.example".into(), false)]);
    let is_exploded = |at: usize| verdict.hops()[at].signature.has_flag("exploded");
    assert!(!is_exploded(1) && is_exploded(2), "within the house nobody is sent to");
    // From was changed to b.example, which another domain cannot answer for; nor did the message come to it.
    for (recipient, wanted) in [
        ("c.example", Refusal::Custody(Problem::CustodyDomain)),
        ("a.example", Refusal::Custody(Problem::CustodyDomain)),
    ] {
        assert_eq!(through(recipient, "b.example").err(), Some(wanted), "{recipient}");
    }
}

#[test]
fn keys() {
    let mail = first();
    let message = Message::split(&mail);
    let with = |answer: Option<KeyAnswer>| {
        let mut plan = zi2_mail::DigestPlan::new();
        let now = zi2_mail::Timestamp::from_secs(NOW);
        let mut verifier = Verifier::new(&message.header, &by(), now, &Policy::default(), &mut plan);
        let names = verifier.questions();
        assert_eq!(names.iter().map(|name| name.as_str()).collect::<Vec<_>>(), ["s._domainkey.a.example"]);
        if let Some(answer) = answer {
            verifier.answer(&names[0], &answer);
        }
        let mut body = plan.start();
        body.feed(message.body);
        text(&verifier.finish(&body.finish(), b""))
    };
    let records =
        |texts: &[&str]| Some(KeyAnswer::Records(KeyRecords::parse(texts.iter().map(|text| text.as_bytes()))));
    let good = key("a.example").record();
    for (answer, expected) in [
        (records(&[&good]), "pass"),
        (None, "TEMPERROR: DKIM2-Signature i=1 public key s could not be fetched"),
        (
            Some(KeyAnswer::Unavailable(zi2_sig::Trouble::ServFail)),
            "TEMPERROR: DKIM2-Signature i=1 public key s could not be fetched",
        ),
        (records(&[]), "PERMERROR: DKIM2-Signature i=1 public key s does not exist"),
        (records(&[&good, &good]), "PERMERROR: DKIM2-Signature i=1 public key s has multiple records"),
        (records(&["v=spf1"]), "PERMERROR: DKIM2-Signature i=1 public key s has a syntax error"),
        (records(&["k=ed25519; p="]), "PERMERROR: DKIM2-Signature i=1 public key s has been revoked"),
        (records(&["k=ed25519; p=AAAA"]), "PERMERROR: DKIM2-Signature i=1 public key s is malformed"),
        (records(&[&key("b.example").record()]), "FAIL: DKIM2-Signature i=1 selector s incorrect signature"),
    ] {
        assert_eq!(with(answer), expected);
    }
}

#[test]
fn one_of_several_keys_is_enough_and_all_of_one_group_are_needed() {
    let with = |groups: Vec<Vec<(&str, &str)>>| {
        let groups = groups.into_iter();
        let groups =
            groups.map(|group| group.into_iter().map(|(selector, of)| member(selector, key(of))).collect()).collect();
        let who = Identity { domain: domain("a.example"), groups };
        let mail = originate(MAIL.as_bytes(), to("<ann@a.example>", &["<list@b.example>"]), who).unwrap();
        text(&judge(&mail, &by()))
    };
    assert_eq!(with(vec![vec![("none", "x")], vec![("s", "a")]]), "pass");
    assert_eq!(
        with(vec![vec![("none", "x"), ("s", "a")]]),
        "PERMERROR: DKIM2-Signature i=1 public key none does not exist"
    );
    assert_eq!(with(vec![vec![("s", "b")]]), "FAIL: DKIM2-Signature i=1 selector s incorrect signature");
    assert_eq!(
        with(vec![vec![("s", "b")], vec![("none", "x")]]),
        "FAIL: DKIM2-Signature i=1 no group of signatures passed"
    );
}

#[test]
fn who_wants_feedback() {
    let flags = |flags: &[Flag], terms: Terms| Terms { flags: flags.to_vec(), ..terms };
    let mail = originate(
        MAIL.as_bytes(),
        flags(&[Flag::Feedback], to("<ann@a.example>", &["<list@b.example>"])),
        identity("a.example"),
    )
    .unwrap();
    let wanting = |mail: &[u8], by: &Envelope| {
        let evidence = evidence(mail, by);
        evidence.feedback().into_iter().map(Domain::to_string).collect::<Vec<_>>()
    };
    assert_eq!(wanting(&mail, &by()), ["a.example"]);
    let next = flags(&[Flag::FeedHere], to("<x@b.example>", &["<c@c.example>"]));
    let mail = hop(&mail, &by(), &mail, &next, &identity("b.example")).unwrap();
    assert_eq!(wanting(&mail, &envelope("<x@b.example>", &["<c@c.example>"])), ["b.example"]);
}

#[test]
fn from_belongs_to_who_signed_it_first() {
    // The list changes From to a name that is not its own, and signs all the same.
    let first = first();
    let forged = edited(&first, "From: Ann <ann@a.example>", "From: Ann <ann@x.example>");
    let terms = to("<x@b.example>", &["<c@c.example>"]);
    let refusal = hop(&first, &by(), &forged, &terms, &identity("b.example")).unwrap_err();
    assert!(refusal.to_string().starts_with("From is not one mailbox"), "{refusal}");
    // As originator of a name that is not its own.
    let verdict = {
        let mail =
            originate(MAIL.as_bytes(), to("<ann@a.example>", &["<list@b.example>"]), identity("a.example")).unwrap();
        judge(&edited(&mail, "From: Ann <ann@a.example>", "From: Ann <ann@b.example>"), &by())
    };
    assert_eq!(text(&verdict), "FAIL: Message-Instance m=1 header hash sha256 mismatch");
}

#[test]
fn an_unknown_envelope_is_no_evidence() {
    let verdict = judge(&first(), &Envelope::unknown());
    assert_eq!(verdict.result(), "pass");
    assert!(matches!(verdict.outcome, Outcome::Unbound) && verdict.provisional().is_none());
    // Nor is a part of it, where something before the newest hop is wrong.
    let base64 = |path: &str| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, path);
    let stranger =
        format!("i=2; m=1; t={NOW}; d=c.example; mf={}; rt={};", base64("<x@c.example>"), base64("<y@d.example>"));
    let broken = "FAIL: DKIM2-Signature i=2 mf= does not match the rt= of i=1";
    assert_eq!(forged(&stranger, &Envelope::unknown(), "c.example"), broken);
}

#[test]
fn a_body_that_cannot_be_made_again() {
    let one = first();
    for (draft, expected) in [
        (Draft::D08, "FAIL: Message-Instance m=2 has a null Recipe, earlier body hashes cannot be checked"),
        (Draft::D09, "PERMERROR: Message-Instance m=2 has a null Recipe, earlier body hashes cannot be checked"),
    ] {
        let terms = to("<x@b.example>", &["<c@c.example>"]);
        let two = hop(&one, &by(), &edited(&one, "Hello", "Hallo"), &terms, &identity("b.example")).unwrap();
        // {"b":null} instead of its recipe: unsigned, so the signature is made again by hand.
        let text_of = String::from_utf8(two).unwrap();
        let unfolded = text_of.replace("\r\n ", "");
        let (before, rest) = unfolded.split_once("; r=").unwrap();
        let (_, after) = rest.split_once(';').unwrap();
        let null = format!("{before}; r=eyJiIjpudWxsfQ==;{after}");
        let header = zi2_mail::Header::parse(null.as_bytes());
        let chain = zi2_sig::dkim2::Chain::read(&header, draft, Default::default()).unwrap().unwrap();
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &chain.signed_by(chain.newest().unwrap()));
        let key = zi2_sig::SigningKey::from_seed(&[b'b'; 32]).unwrap();
        let value = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, key.sign(hash.as_ref()));
        let (start, rest) = null.split_once("ed25519-sha256:").unwrap();
        let signed = format!("{start}ed25519-sha256:{value}{}", &rest[rest.find(';').unwrap()..]);
        let policy = Policy { draft, ..Policy::default() };
        let verdict = verify(signed.as_bytes(), &envelope("<x@b.example>", &["<c@c.example>"]), NOW, &policy, &dns());
        assert_eq!(text(&verdict), expected);
        assert!(verdict.provisional().is_some());
    }
}

#[test]
fn a_body_that_was_not_kept() {
    let (second, by) = two();
    let message = Message::split(&second);
    for (unkept, expected) in [
        (Unkept::TooLarge, "PERMERROR: Message-Instance m=2 earlier bodies are too large to be checked"),
        (Unkept::NoRoom, "TEMPERROR: Message-Instance m=2 earlier bodies cannot be checked now"),
    ] {
        let mut plan = DigestPlan::new();
        let now = Timestamp::from_secs(NOW);
        let mut verifier = Verifier::new(&message.header, &by, now, &Policy::default(), &mut plan);
        assert!(!verifier.is_settled() && verifier.wants_body());
        for name in verifier.questions() {
            verifier.answer(&name, &dns().answer(name.as_str()));
        }
        let verdict = verifier.finish_unkept(&plan.digest(message.body), unkept);
        assert_eq!((text(&verdict).as_str(), verdict.failure().unwrap().code()), (expected, "too_large"));
        assert!(verdict.provisional().is_some(), "the newest hop holds");
    }
    let mut plan = DigestPlan::new();
    let other = envelope("<x@b.example>", &["<carol@c.example>"]);
    let settled = Verifier::new(&message.header, &other, Timestamp::from_secs(NOW), &Policy::default(), &mut plan);
    assert!(settled.is_settled() && !settled.wants_body() && settled.questions().is_empty());
    let verdict = settled.finish_unkept(&plan.digest(b""), Unkept::TooLarge);
    assert_eq!(verdict.failure().unwrap().code(), "mail_from");
    assert_eq!(verdict.failure().unwrap().hop(verdict.chain().unwrap()), Some(2));
}

/// Earlier versions are those of the message that was verified, and of no other.
#[test]
fn earlier_versions_of_what_was_verified() {
    let ((second, by), first) = (two(), first());
    let evidence = evidence(&second, &by);
    let message = Message::split(&second);
    let earlier = evidence.earlier(&message.header, message.body, 1).unwrap();
    let original = Message::split(&first);
    let mut body = Vec::new();
    earlier.body().unwrap().write(&mut |octets| body.extend_from_slice(octets));
    assert_eq!((earlier.section(), body.as_slice()), (original.header.octets(), original.body));
    assert!(evidence.earlier(&message.header, message.body, 2).unwrap().body().is_none(), "the one that arrived");
    assert!(evidence.earlier(&message.header, message.body, 3).is_none());
    assert!(evidence.earlier(&message.header, b"other\r\n", 1).is_none());
    assert!(evidence.earlier(&original.header, message.body, 1).is_none());
}

/// § -08 13: the same copy for the same recipient is known again, any other is another.
#[test]
fn copies() {
    let (two, by_two) = two();
    let (first, second) = (evidence(&first(), &by()), evidence(&two, &by_two));
    let id = |evidence: &zi2_sig::dkim2::FullyVerified, to: &str| evidence.copy_id(&Path::of_command(to.as_bytes()));
    let carol = id(&second, "<carol@c.example>");
    assert_eq!(carol, id(&second, "<carol@C.Example>"));
    for (other, why) in [
        (id(&second, "<Carol@c.example>"), "another recipient"),
        (id(&first, "<carol@c.example>"), "the same message by another way"),
    ] {
        assert_ne!(carol, other, "{why}");
    }
    // Refolding makes no other copy of it.
    let refolded = edited(&two, "; t=1777400000", ";\r\n t=1777400000");
    assert_eq!(carol, id(&evidence(&refolded, &by_two), "<carol@c.example>"));
    assert!(second.is_exploded() && second.replayed().is_none());
    let failure = first.replayed().unwrap();
    assert_eq!(failure.to_string(), "FAIL: Duplicate message with no exploded flag");
}
