//! `vectors/dkim2-gaps`: what no public vectors of DKIM2 cover. The test makes every message anew from fixed seeds and compares
//! it with its file, then reads the files as anybody would. `ZI2_WRITE_VECTORS=1` writes them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use zi2_mail::{BodyCanon, DigestPlan, HashAlg, Header, HostName, Message, Timestamp};
use zi2_sig::dkim2::bounce::{
    Action, BounceLeave, BounceVerifier, Failing, House, Reporter, Returning, StatusCode, compose,
};
use zi2_sig::dkim2::{
    Brackets, Chain, Draft, Envelope, KeyAnswer, KeyRecords, MlDsaSigningKey, Outcome, Policy, PrivateKey,
    SigningMember, Verifier, hashed_header,
};

use crate::forge::*;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../vectors/dkim2-gaps")
}

/// One message and what is to be said of it.
struct Case {
    name: &'static str,
    mail: Vec<u8>,
    sender: &'static str,
    recipient: &'static str,
    draft: Draft,
    /// Selectors whose keys cannot be asked for now.
    unavailable: &'static [&'static str],
    expected: &'static str,
}

const PASS: &str = "pass";

fn case(name: &'static str, mail: Vec<u8>, expected: &'static str) -> Case {
    let (sender, recipient) = ("<ann@a.example>", "<list@b.example>");
    Case { name, mail, sender, recipient, draft: Draft::D08, unavailable: &[], expected }
}

/// `s`, `t` and `u` of a domain have the same key; `pq` is of ML-DSA-44.
fn records() -> BTreeMap<String, String> {
    let mut records = BTreeMap::new();
    for letter in 'a'..='z' {
        for selector in ["s", "t", "u"] {
            records
                .insert(format!("{selector}._domainkey.{letter}.example"), key(&format!("{letter}.example")).record());
        }
    }
    records.insert("pq._domainkey.a.example".to_owned(), ml_dsa().record());
    records
}

fn ml_dsa() -> MlDsaSigningKey {
    MlDsaSigningKey::from_seed(&[b'q'; 32])
}

/// A signature over the fields as they stand: the value of each `?` in the newest `s=` is put in.
fn signed(unsigned: &str, domain: &str) -> Vec<u8> {
    let blank = unsigned.replace('?', "AAAA");
    let chain = Chain::read(&Header::parse(blank.as_bytes()), Draft::D08, Brackets::Required).unwrap().unwrap();
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &chain.signed_by(chain.newest().unwrap()));
    let key = zi2_sig::SigningKey::from_seed(&[domain.as_bytes()[0]; 32]).unwrap();
    unsigned.replace('?', &STANDARD.encode(key.sign(hash.as_ref()))).into_bytes()
}

fn hashes(mail: &str) -> (String, String) {
    let message = Message::split(mail.as_bytes());
    let header = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &hashed_header(&message.header, Draft::D08));
    (STANDARD.encode(header.as_ref()), STANDARD.encode(body_hash(message.body)))
}

fn body_hash(body: &[u8]) -> Vec<u8> {
    let mut plan = DigestPlan::new();
    let lane = plan.request(BodyCanon::Simple, HashAlg::Sha256);
    plan.digest(body).get(lane).to_vec()
}

/// A first hop by hand: what stands in `h=` and in `s=`, and which tags come before.
fn by_hand(mail: &str, h: &str, s: &str, head: &str) -> Vec<u8> {
    let (header, body) = hashes(mail);
    let h = h.replace("HEADER", &header).replace("BODY", &body);
    let (mf, rt) = (STANDARD.encode("<ann@a.example>"), STANDARD.encode("<list@b.example>"));
    let fields = format!(
        "DKIM2-Signature: {head} t={NOW}; d=a.example; mf={mf}; rt={rt}; s={s};\r\nMessage-Instance: m=1; h={h};\r\n"
    );
    signed(&(fields + mail), "a.example")
}

fn groups() -> Vec<Case> {
    const H: &str = "sha256:HEADER:BODY";
    const WRONG: &str = "dGhpcyBpcyBub3QgYSBzaWduYXR1cmUsIGFuZCA2NCBvY3RldHMgbG9uZywgd2hpY2ggaXMgYWxsIGl0IGlzLi4uLg==";
    let s = |s: &str| by_hand(MAIL, H, &s.replace("WRONG", WRONG), "i=1; m=1;");
    let h = |h: &str| by_hand(MAIL, h, "s:ed25519-sha256:?", "i=1; m=1;");
    let unavailable = |case: Case| Case { unavailable: &["u"], ..case };
    let incorrect = "FAIL: DKIM2-Signature i=1 selector t incorrect signature";
    let none = "FAIL: DKIM2-Signature i=1 no group of signatures passed";
    let temporary = "TEMPERROR: DKIM2-Signature i=1 public key u could not be fetched";
    vec![
        case("or-second-group-passes", s("t:ed25519-sha256:WRONG|s:ed25519-sha256:?"), PASS),
        case("or-first-group-passes", s("s:ed25519-sha256:?|t:ed25519-sha256:WRONG"), PASS),
        case("and-one-fails", s("s:ed25519-sha256:?,t:ed25519-sha256:WRONG"), incorrect),
        case("or-of-ands-all-fail", s("s:ed25519-sha256:?,t:ed25519-sha256:WRONG|x:banana:?"), none),
        case("or-of-ands-one-passes", s("s:ed25519-sha256:?,x:banana:?|t:ed25519-sha256:?"), PASS),
        case("or-fail-and-permerror", s("x:banana:?|t:ed25519-sha256:WRONG"), none),
        case(
            "and-permerror",
            s("s:ed25519-sha256:?,x:banana:?"),
            "PERMERROR: DKIM2-Signature i=1 selector x algorithm unknown",
        ),
        unavailable(case("or-temperror-beats-fail", s("t:ed25519-sha256:WRONG|u:ed25519-sha256:?"), temporary)),
        unavailable(case("or-temperror-beats-permerror", s("x:banana:?|u:ed25519-sha256:?"), temporary)),
        unavailable(case("or-pass-beats-temperror", s("u:ed25519-sha256:?|s:ed25519-sha256:?"), PASS)),
        unavailable(case("and-fail-beats-temperror", s("u:ed25519-sha256:?,t:ed25519-sha256:WRONG"), incorrect)),
        unavailable(case("and-temperror-beats-pass", s("s:ed25519-sha256:?,u:ed25519-sha256:?"), temporary)),
        case("hash-or-unknown", h("banana:AAAA:AAAA|sha256:HEADER:BODY"), PASS),
        case(
            "hash-and-unknown",
            h("banana:AAAA:AAAA,sha256:HEADER:BODY"),
            "PERMERROR: Message-Instance m=1 algorithm banana unknown",
        ),
        case("hash-wrong-body", h("sha256:HEADER:HEADER"), "FAIL: Message-Instance m=1 body hash sha256 mismatch"),
    ]
}

fn grammar() -> Vec<Case> {
    const H: &str = "sha256:HEADER:BODY";
    let plain = |mail: &str| by_hand(mail, H, "s:ed25519-sha256:?", "i=1; m=1;");
    let trap = MAIL.replace(
        "To: list",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nList-Unsubscribe: <https://a.example/u>\r\nTo: list",
    );
    let lines = |mail: &str| {
        let mut lines: Vec<Vec<u8>> = hashed_header(&Message::split(mail.as_bytes()).header, Draft::D08)
            .split_inclusive(|octet| *octet == b'\n')
            .map(<[u8]>::to_vec)
            .collect();
        lines.sort();
        STANDARD.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &lines.concat()).as_ref())
    };
    let by_lines = by_hand(&trap, &format!("sha256:{}:BODY", lines(&trap)), "s:ed25519-sha256:?", "i=1; m=1;");
    let folded = MAIL.replace("Subject: Hi", "Subject:\r\n \t Hi\r\n\tthere \r\n  \t you");
    vec![
        case("names-are-sorted-not-lines", plain(&trap), PASS),
        case("lines-were-sorted", by_lines, "FAIL: Message-Instance m=1 header hash sha256 mismatch"),
        case("fold-after-colon", plain(&folded), PASS),
        case("leading-zeros", by_hand(MAIL, H, "s:ed25519-sha256:?", "i=0001; m=01;"), PASS),
        case("no-last-semicolon", without_last_semicolon(MAIL), PASS),
    ]
}

/// The last `;` of the signature is not there, and not signed.
fn without_last_semicolon(mail: &str) -> Vec<u8> {
    let (header, body) = hashes(mail);
    let (mf, rt) = (STANDARD.encode("<ann@a.example>"), STANDARD.encode("<list@b.example>"));
    let fields = format!(
        "DKIM2-Signature: i=1; m=1; t={NOW}; d=a.example; mf={mf}; rt={rt}; s=s:ed25519-sha256:?\r\nMessage-Instance: m=1; h=sha256:{header}:{body}\r\n"
    );
    signed(&(fields + mail), "a.example")
}

fn hybrids() -> Vec<Case> {
    let pq = SigningMember {
        selector: zi2_sig::dkim::Selector::parse("pq").unwrap(),
        key: PrivateKey::MlDsa(std::sync::Arc::new(ml_dsa()), [9; 32]),
    };
    let groups = vec![vec![member("s", key("a.example")), pq]];
    let who = zi2_sig::dkim2::Identity { domain: domain("a.example"), groups };
    let mail = originate(MAIL.as_bytes(), to("<ann@a.example>", &["<list@b.example>"]), who).unwrap();
    let text = String::from_utf8(mail.clone()).unwrap();
    let start = text.find("pq:mldsa44:").unwrap() + "pq:mldsa44:".len() + 8;
    let (before, after) = text.split_at(start);
    let flipped = if after.starts_with('A') { "B" } else { "A" };
    let altered = [before, flipped, &after[1..]].concat().into_bytes();
    vec![
        case("hybrid", mail, PASS),
        case("hybrid-second-fails", altered, "FAIL: DKIM2-Signature i=1 selector pq incorrect signature"),
    ]
}

fn addresses() -> Vec<Case> {
    let mail = MAIL.replace("ann@a.example", "\u{fc}n@a.example");
    let terms = to("<\u{fc}n@a.example>", &["<\u{e9}@b\u{fc}cher.example>"]);
    let eai = originate(mail.as_bytes(), terms, identity("a.example")).unwrap();
    let named = |name, recipient| Case { sender: "<\u{fc}n@a.example>", recipient, ..case(name, eai.clone(), PASS) };
    vec![
        named("eai-as-u-label", "<\u{e9}@b\u{fc}cher.example>"),
        named("eai-as-a-label", "<\u{e9}@xn--bcher-kva.example>"),
        Case {
            expected: "FAIL: DKIM2-Signature i=1 RCPT TO <e@xn--bcher-kva.example> did not match",
            ..named("eai-another-local-part", "<e@xn--bcher-kva.example>")
        },
    ]
}

/// Two hops; the second changes Subject and From, and gives the body up.
fn given_up() -> Vec<Case> {
    let first = String::from_utf8(first()).unwrap();
    let outgoing = first.replacen("Hello", "Hallo", 1);
    let plain = MAIL.replacen("Hello", "Hallo", 1);
    let (header, body) = hashes(&plain);
    let (mf, rt) = (STANDARD.encode("<bounce@b.example>"), STANDARD.encode("<carol@c.example>"));
    let null = STANDARD.encode("{\"b\":null}");
    let fields = format!(
        "DKIM2-Signature: i=2; m=2; t={NOW}; d=b.example; mf={mf}; rt={rt}; s=s:ed25519-sha256:?;\r\n\
         Message-Instance: m=2; h=sha256:{header}:{body}; r={null};\r\n"
    );
    let mail = signed(&(fields + &outgoing), "b.example");
    let expected = |draft, expected| Case {
        sender: "<bounce@b.example>",
        recipient: "<carol@c.example>",
        draft,
        ..case(if draft == Draft::D08 { "null-body-08" } else { "null-body-09" }, mail.clone(), expected)
    };
    vec![
        expected(Draft::D08, "FAIL: Message-Instance m=2 has a null Recipe, earlier body hashes cannot be checked"),
        expected(
            Draft::D09,
            "PERMERROR: Message-Instance m=2 has a null Recipe, earlier body hashes cannot be checked",
        ),
    ]
}

/// Fifty hops that each add a line, and one more that nobody reads.
fn long_chain() -> Vec<Case> {
    let name = |at: usize| format!("{}.example", char::from(b'a' + u8::try_from(at % 26).unwrap()));
    let path = |at: usize| format!("<x@{}>", name(at));
    let mut mail = originate(MAIL.as_bytes(), to(&path(0), &[&path(1)]), identity(&name(0))).unwrap();
    for at in 1..50 {
        let outgoing = [mail.as_slice(), format!("hop {at}\r\n").as_bytes()].concat();
        let by = envelope(&path(at - 1), &[&path(at)]);
        mail = hop(&mail, &by, &outgoing, &to(&path(at), &[&path(at + 1)]), &identity(&name(at))).unwrap();
    }
    let more = [b"DKIM2-Signature: i=51;\r\n".as_slice(), &mail].concat();
    let by = |case| Case { sender: "<x@x.example>", recipient: "<x@y.example>", ..case };
    vec![
        by(case("fifty-hops", mail, PASS)),
        by(case("fifty-one-hops", more, "PERMERROR: Too many DKIM2 header fields")),
    ]
}

/// What a list sent on, its bounce, and the bounce the list makes of that for the author.
fn bounces() -> Vec<Case> {
    let first = first();
    let by_author = envelope("<ann@a.example>", &["<list@b.example>"]);
    let terms = to("<bounce@b.example>", &["<carol@c.example>"]);
    let second = hop(&first, &by_author, &list_edit(&first), &terms, &identity("b.example")).unwrap();
    let by_list = envelope("<bounce@b.example>", &["<carol@c.example>"]);
    let leave = BounceLeave::of(&judge(&second, &by_list)).unwrap();
    let (c, b) = (HostName::parse("mx.c.example").unwrap(), HostName::parse("mx.b.example").unwrap());
    let (dc, db) = (domain("c.example"), domain("b.example"));
    let at_c = Reporter { server: &c, domain: &dc, now: Timestamp::from_secs(NOW), random: [7; 16] };
    let failing = Failing {
        recipient: &by_list.recipients()[0],
        action: Action::Failed,
        status: StatusCode::parse("5.1.1").unwrap(),
        diagnostic: Some("550 5.1.1 no such user"),
    };
    let bounce = compose(&leave, &Message::split(&second), Returning::Whole, &[failing], &at_c).unwrap();
    let bounce = originate(&bounce, crate::forge::terms(leave.binding()), identity("c.example")).unwrap();
    let passed = passed_back(&bounce, &db, &b);
    let back = originate(&passed.mail, crate::forge::terms(passed.leave.binding()), identity("b.example")).unwrap();
    let by = |name, mail, sender, recipient| Case { sender, recipient, ..case(name, mail, PASS) };
    vec![
        by("bounce-0-sent-on-by-a-list", second, "<bounce@b.example>", "<carol@c.example>"),
        by("bounce-1-to-the-list", bounce, "<>", "<bounce@b.example>"),
        by("bounce-2-back-to-the-author", back, "<>", "<ann@a.example>"),
    ]
}

fn passed_back(bounce: &[u8], own: &zi2_mail::Domain, server: &HostName) -> zi2_sig::dkim2::bounce::PassedBack {
    let by = envelope("<>", &["<bounce@b.example>"]);
    let owned = [own.clone()];
    let house = House { domains: &owned, nonces: None };
    let message = Message::split(bounce);
    let mut check =
        BounceVerifier::new(&evidence(bounce, &by), &by, &message, &house, Timestamp::from_secs(NOW)).unwrap();
    for name in check.questions() {
        check.answer(&name, &dns().answer(name.as_str()));
    }
    let reporter = Reporter { server, domain: own, now: Timestamp::from_secs(NOW), random: [8; 16] };
    check.finish().unwrap().pass_back(&house, None, &reporter).unwrap()
}

fn all() -> Vec<Case> {
    [groups(), grammar(), hybrids(), addresses(), given_up(), long_chain(), bounces()].into_iter().flatten().collect()
}

#[test]
fn files_are_current() {
    let cases = all();
    let listed: Vec<Value> = cases.iter().map(Case::listed).collect();
    let dns: Value =
        records().into_iter().map(|(name, text)| (name, json!([text]))).collect::<serde_json::Map<_, _>>().into();
    let intermediates: serde_json::Map<_, _> =
        cases.iter().filter_map(|case| Some((case.name.to_owned(), case.intermediates()?))).collect();
    let text = |value: &Value| serde_json::to_string_pretty(value).unwrap() + "\n";
    let mut files = vec![
        ("cases.json".to_owned(), text(&listed.into()).into_bytes()),
        ("dns.json".to_owned(), text(&dns).into_bytes()),
        ("intermediates.json".to_owned(), text(&intermediates.into()).into_bytes()),
    ];
    files.extend(cases.into_iter().map(|case| (format!("messages/{}.eml", case.name), case.mail)));
    for (name, content) in files {
        let path = folder().join(&name);
        if std::env::var_os("ZI2_WRITE_VECTORS").is_some() {
            std::fs::write(&path, &content).unwrap();
        }
        assert!(std::fs::read(&path).unwrap_or_default() == content, "{name} is not what the test makes of it");
    }
}

impl Case {
    fn listed(&self) -> Value {
        json!({
            "name": self.name, "draft": self.draft.number(), "mail_from": self.sender, "rcpt_to": [self.recipient],
            "now": NOW, "unavailable": self.unavailable, "expected": self.expected,
        })
    }

    /// What is hashed and signed in the newest version.
    fn intermediates(&self) -> Option<Value> {
        let message = Message::split(&self.mail);
        let chain = Chain::read(&message.header, self.draft, Brackets::Required).ok()??;
        let sha256 =
            |octets: &[u8]| STANDARD.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, octets).as_ref());
        let header = hashed_header(&message.header, self.draft);
        let signed = chain.signatures().iter().map(|signature| {
            let input = chain.signed_by(signature);
            let shown = if input.len() < 4096 { json!(String::from_utf8_lossy(&input)) } else { Value::Null };
            json!({"i": signature.number(), "octets": input.len(), "sha256": sha256(&input), "input": shown})
        });
        Some(json!({
            "header_input": STANDARD.encode(&header), "header_sha256": sha256(&header),
            "body_sha256": STANDARD.encode(body_hash(message.body)), "signed": signed.collect::<Vec<_>>(),
        }))
    }
}

/// The files, read as anybody would.
#[test]
fn every_case() {
    let read = |name: &str| std::fs::read(folder().join(name)).unwrap();
    let value = |name: &str| serde_json::from_slice::<Value>(&read(name)).unwrap();
    let (cases, dns) = (value("cases.json"), value("dns.json"));
    assert!(cases.as_array().unwrap().len() >= 30);
    for case in cases.as_array().unwrap() {
        let text = |key: &str| case[key].as_str().unwrap();
        let mail = read(&format!("messages/{}.eml", text("name")));
        let by = Envelope::of(text("mail_from").as_bytes(), [case["rcpt_to"][0].as_str().unwrap()]);
        let policy = Policy { draft: Draft::parse(text("draft")).unwrap(), ..Policy::default() };
        let message = Message::split(&mail);
        let mut plan = DigestPlan::new();
        let now = Timestamp::from_secs(case["now"].as_u64().unwrap());
        let mut verifier = Verifier::new(&message.header, &by, now, &policy, &mut plan);
        for name in verifier.questions() {
            let is_away =
                |selector: &Value| name.as_str().starts_with(&format!("{}._domainkey.", selector.as_str().unwrap()));
            let answer = match case["unavailable"].as_array().unwrap().iter().any(is_away) {
                true => KeyAnswer::Unavailable(zi2_sig::Trouble::Timeout),
                false => {
                    let texts = dns[name.as_str()]
                        .as_array()
                        .into_iter()
                        .flatten()
                        .map(|text| text.as_str().unwrap().as_bytes());
                    KeyAnswer::Records(KeyRecords::parse(texts))
                }
            };
            verifier.answer(&name, &answer);
        }
        let verdict = verifier.finish(&plan.digest(message.body), message.body);
        let said = verdict.failure().map_or_else(|| verdict.result().to_owned(), ToString::to_string);
        assert_eq!(said, text("expected"), "{}", text("name"));
        assert_eq!(matches!(verdict.outcome, Outcome::Full(_)), said == PASS);
    }
}
