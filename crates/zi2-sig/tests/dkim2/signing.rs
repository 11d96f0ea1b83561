//! What we sign: the signatures of the vectors again, octet by octet where they are deterministic, and what is refused.

use std::sync::Arc;

use zi2_mail::{Field, Header, Message};
use zi2_sig::dkim::{DkimSigningKey, Selector};
use zi2_sig::dkim2::{
    Binding, Draft, HashChoice, Identity, MlDsaSigningKey, Outcome, PrivateKey, Refusal, SigningMember, Terms, apply,
    extend, recipe_for, undo,
};

use crate::forge::*;
use crate::kit::{Dns, folder, message, verify};

fn vector_key(name: &str) -> PrivateKey {
    let pem = std::fs::read(folder().join("keys").join(format!("{name}.pem"))).unwrap();
    match MlDsaSigningKey::parse_file(&pem) {
        Some(key) => PrivateKey::MlDsa(Arc::new(key), [9; 32]),
        None => PrivateKey::Dkim(Arc::new(DkimSigningKey::parse_file(&pem).unwrap())),
    }
}

fn compact(field: Field<'_>) -> Vec<u8> {
    field.raw().iter().copied().filter(|octet| !octet.is_ascii_whitespace()).collect()
}

/// The DKIM2 fields without white space, the upper one first.
fn dkim2_fields(mail: &[u8]) -> Vec<String> {
    let header = Header::parse(mail);
    let ours = header.fields().filter(|field| field.is_named("DKIM2-Signature") || field.is_named("Message-Instance"));
    ours.map(|field| String::from_utf8(compact(field)).unwrap()).collect()
}

#[test]
fn signatures_of_the_vectors_again() {
    for (source, expected, selector, hashes) in [
        ("simple", "simple-ed25519", "ed25519", HashChoice::Sha256),
        ("simple", "simple-rsa2048", "sel1", HashChoice::Sha256),
        ("simple", "simple-sel2", "sel2", HashChoice::Sha256),
        ("simple", "simple-sel3", "sel3", HashChoice::Sha256),
        ("simple", "simple-sha512", "ed25519", HashChoice::Sha512),
        ("dupheaders", "dupheaders-ed25519", "ed25519", HashChoice::Sha256),
        ("emptybody", "emptybody-ed25519", "ed25519", HashChoice::Sha256),
        ("multiheader", "multiheader-ed25519", "ed25519", HashChoice::Sha256),
        ("multirecipient", "multirecipient-ed25519", "ed25519", HashChoice::Sha256),
        ("trailingblank", "trailingblank-ed25519", "ed25519", HashChoice::Sha256),
    ] {
        let (source, expected) =
            (message(&format!("emails/{source}.eml")), message(&format!("expected/{expected}.eml")));
        let expected_fields = dkim2_fields(&expected);
        // The envelope and the time are taken from the vector; everything else is made anew.
        let header = Header::parse(&expected);
        let chain = zi2_sig::dkim2::Chain::read(&header, Draft::D08, zi2_sig::dkim2::Brackets::Required);
        let chain = chain.unwrap().unwrap();
        let theirs = &chain.signatures()[0];
        let terms = Terms { now: theirs.time(), hashes, ..terms(theirs.binding().clone()) };
        let selector_name = Selector::parse(selector).unwrap();
        let key = vector_key(&format!("{selector}._domainkey.{}", theirs.domain()));
        let identity = Identity {
            domain: theirs.domain().clone(),
            groups: vec![vec![SigningMember { selector: selector_name, key }]],
        };
        let ours = originate(&source, terms, identity).unwrap();
        let mut ours = dkim2_fields(&ours);
        let mut theirs = expected_fields;
        ours.sort();
        theirs.sort();
        assert_eq!(ours, theirs, "{selector}");
    }
}

#[test]
fn ml_dsa_beside_ed25519() {
    let ml_dsa = vector_key("mldsa44._domainkey.test1.dkim2.com");
    let member = |selector: &str, key| SigningMember { selector: Selector::parse(selector).unwrap(), key };
    let ed25519 = vector_key("ed25519._domainkey.test1.dkim2.com");
    let groups = vec![vec![member("ed25519", ed25519), member("mldsa44", ml_dsa)]];
    let identity = Identity { domain: domain("test1.dkim2.com"), groups };
    let envelope = envelope("<sender@test1.dkim2.com>", &["<recipient@example.com>"]);
    let terms = Terms { hashes: HashChoice::Both, nonce: Some("a-1".into()), ..terms(Binding::of(&envelope).unwrap()) };
    let mail = originate(&message("emails/simple.eml"), terms, identity).unwrap();
    let text = String::from_utf8(mail.clone()).unwrap();
    assert!(text.lines().all(|line| line.len() <= 90), "{text}");
    let verdict = verify(&mail, &envelope, NOW, &Default::default(), &Dns::of_vectors());
    assert!(matches!(verdict.outcome, Outcome::Full(_)), "{:?}", verdict.failure());
}

#[test]
fn there_and_back() {
    let first = first();
    let (by, next) = (envelope("<ann@a.example>", &["<list@b.example>"]), ["<carol@c.example>", "<dan@d.example>"]);
    let outgoing = list_edit(&first);
    let terms = exploded(to("<bounce@b.example>", &next));
    let second = hop(&first, &by, &outgoing, &terms, &identity("b.example")).unwrap();
    let by = envelope("<bounce@b.example>", &["<carol@c.example>"]);
    let evidence = evidence(&second, &by);
    assert!(evidence.is_exploded());
    assert_eq!(evidence.originator().as_str(), "a.example");
    assert_eq!(evidence.newest().bounce_to().unwrap().to_string(), "<bounce@b.example>");
    let message = Message::split(&second);
    let undone = undo(&message, evidence.chain(), 1).unwrap();
    let undone = String::from_utf8(undone).unwrap();
    assert!(undone.ends_with(&MAIL[MAIL.find("\r\n\r\n").unwrap()..]), "{undone}");
    assert!(undone.contains("\r\nFrom: Ann <ann@a.example>\r\n") && undone.contains("\r\nSubject: Hi\r\n"), "{undone}");
    assert!(!undone.contains("List-Id") && !undone.contains("i=2;"), "{undone}");
    // Nothing changes: no new version.
    let third =
        hop(&second, &by, &second, &to("<carol@c.example>", &["<eve@e.example>"]), &identity("c.example")).unwrap();
    assert_eq!(dkim2_fields(&third).iter().filter(|field| field.starts_with("Message-Instance")).count(), 2);
    let verdict = judge(&third, &envelope("<carol@c.example>", &["<eve@e.example>"]));
    assert_eq!((verdict.result(), verdict.hops().len()), ("pass", 3), "{:?}", verdict.failure());
    let hops = verdict.hops();
    assert_eq!(hops.iter().map(|hop| hop.made.map(|made| made.number())).collect::<Vec<_>>(), [Some(1), Some(2), None]);
}

#[test]
fn what_is_not_signed() {
    let with = |from: &str, to: &str| MAIL.replace(from, to).into_bytes();
    let a = || identity("a.example");
    let good = || to("<ann@a.example>", &["<b@b.example>"]);
    let refused = |mail: &[u8], terms: Terms, who: Identity| {
        originate(mail, terms, who).err().map(|refusal| format!("{refusal:?}"))
    };
    let mail = MAIL.as_bytes();
    for (outcome, expected) in [
        (refused(mail, good(), a()), ""),
        (refused(mail, to("<>", &["<b@b.example>"]), a()), ""),
        (refused(mail, to("<ann@x.a.example>", &["<b@b.example>"]), a()), ""),
        (refused(&with("a.example>\r\nTo", "sub.a.example>\r\nTo"), good(), a()), ""),
        (refused(mail, to("<ann@b.example>", &["<b@b.example>"]), a()), "Sender"),
        (refused(mail, to("<postmaster>", &["<b@b.example>"]), a()), "Sender"),
        (refused(mail, to("<ann@a.example>", &["<postmaster>"]), a()), "Recipients"),
        (refused(mail, exploded(good()), a()), "ExplodedAtOrigin"),
        (refused(mail, Terms { nonce: Some("x".repeat(65)), ..good() }, a()), "Unusable"),
        (refused(mail, Terms { nonce: Some("a;b".into()), ..good() }, a()), "Field"),
        (refused(mail, good(), Identity { groups: Vec::new(), ..a() }), "Key"),
        (refused(mail, terms(Binding::Next(domain("b.example"))), a()), ""),
        (refused(&with("ann@a.example>\r\nTo", "ann@b.example>\r\nTo"), good(), a()), "From"),
        (refused(&with("From: Ann", "From: b@a.example, Ann"), good(), a()), "From"),
        (refused(&with("To:", "From: x@a.example\r\nTo:"), good(), a()), "From"),
        (refused(&with("To:", "not a field\r\nTo:"), good(), a()), "Section"),
        (refused(&first(), good(), a()), "AlreadySigned"),
        (refused(&with("To:", "Message-Instance : m=1;\r\nTo:"), good(), a()), "AlreadySigned"),
    ] {
        assert!(outcome.as_deref().unwrap_or_default().starts_with(expected), "{outcome:?}, not {expected}");
        assert_eq!(outcome.is_some(), !expected.is_empty(), "{outcome:?}");
    }
}

#[test]
fn what_is_not_extended() {
    let first = first();
    let by = envelope("<ann@a.example>", &["<list@b.example>"]);
    let b = || identity("b.example");
    let good = || to("<bounce@b.example>", &["<c@c.example>"]);
    let outgoing = |from: &str, to: &str| String::from_utf8(first.clone()).unwrap().replacen(from, to, 1).into_bytes();
    let refused = |outgoing: &[u8], terms: Terms, who: Identity| hop(&first, &by, outgoing, &terms, &who).err();
    assert_eq!(refused(&first, good(), b()), None);
    for (outcome, expected) in [
        (refused(&first, to("<bounce@b.example>", &["<c@c.example>"]), identity("c.example")), "Sender"),
        (
            refused(&first, to("<bounce@c.example>", &["<c@c.example>"]), identity("c.example")),
            "Custody(CustodySender)",
        ),
        (refused(&first, to("<>", &["<c@c.example>"]), identity("c.example")), "Custody(CustodyDomain)"),
        (refused(&outgoing("From: Ann <ann@a.example>", "From: x@x.example"), good(), b()), "From"),
        (refused(&outgoing("; d=a.example", "; d=x.example"), good(), b()), "FieldsChanged"),
        (refused(MAIL.as_bytes(), good(), b()), "FieldsChanged"),
        (refused(&outgoing("Hello", "Hel\rlo"), good(), b()), "NotSmtp"),
        (refused(&outgoing("Subject: Hi", "Subject Hi"), good(), b()), "Section"),
    ] {
        let outcome = outcome.map(|refusal| format!("{refusal:?}")).unwrap_or_default();
        assert!(outcome.starts_with(expected), "{outcome}, not {expected}");
    }
    let evidence = evidence(&first, &by);
    let other = outgoing("Hello", "Hallo");
    let refusal = extend(&evidence, &Message::split(&other), &Message::split(&first), &good(), &b()).err();
    assert_eq!(refusal, Some(Refusal::NotTheSnapshot));
}

#[test]
fn recipes_lead_back() {
    for (before, after) in [
        ("Subject: a\r\n\r\nx\r\n", "Subject: b\r\n\r\ny\r\n"),
        ("To: a\r\nTo: b\r\nTo: c\r\n\r\n", "To: c\r\nTo: a\r\n\r\nx\r\n"),
        ("A: \u{fc}\r\n\r\n\u{ff}\r\nb\r\n", "\r\nb\r\n"),
    ] {
        let octets = |text: &str| text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect::<Vec<u8>>();
        let (before, after) = (octets(before), octets(after));
        let (before, after) = (Message::split(&before), Message::split(&after));
        let recipe = recipe_for(&before, &after, Draft::default()).unwrap();
        let json = recipe.to_json();
        let recipe = zi2_sig::dkim2::Recipe::parse(json.as_bytes()).unwrap();
        let made = apply(&after, &recipe, Draft::default()).unwrap();
        let made = Message::split(&made);
        let hashed = |message: &Message<'_>| zi2_sig::dkim2::hashed_header(&message.header, Draft::default());
        assert_eq!(hashed(&made), hashed(&before), "{json}");
        assert_eq!(made.body, before.body, "{json}");
    }
}
