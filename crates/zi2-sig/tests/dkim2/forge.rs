//! Chains made to order: each domain has an Ed25519 key of its own, and a broken chain is signed as well as a good one.

use std::sync::Arc;

use zi2_mail::{Domain, Message, Timestamp};
use zi2_sig::SigningKey;
use zi2_sig::dkim::{DkimSigningKey, Selector};
use zi2_sig::dkim2::{
    Binding, Draft, Envelope, Extension, Flag, FullyVerified, HashChoice, Identity, Originator, Outcome, Policy,
    PrivateKey, Refusal, SigningMember, Terms, Verdict, extend,
};

use crate::kit::{Dns, verify};

pub(crate) const NOW: u64 = 1_777_400_000;

pub(crate) const MAIL: &str = "From: Ann <ann@a.example>\r\nTo: list@b.example\r\nSubject: Hi\r\n\
    Date: Tue, 28 Apr 2026 17:30:00 +0000\r\nMessage-ID: <1@a.example>\r\n\r\nHello\r\n\r\nBye\r\n";

/// The key of a domain: its first letter repeated.
pub(crate) fn key(domain: &str) -> DkimSigningKey {
    SigningKey::from_seed(&[domain.as_bytes()[0]; 32]).unwrap().into()
}

pub(crate) fn domain(name: &str) -> Domain {
    Domain::parse(name).unwrap()
}

pub(crate) fn member(selector: &str, key: DkimSigningKey) -> SigningMember {
    SigningMember { selector: Selector::parse(selector).unwrap(), key: PrivateKey::Dkim(Arc::new(key)) }
}

pub(crate) fn identity(name: &str) -> Identity {
    Identity { domain: domain(name), groups: vec![vec![member("s", key(name))]] }
}

/// The DNS of `a.example` to `z.example`, and of one below `a.example`.
pub(crate) fn dns() -> Dns {
    let names = ('a'..='z').map(|letter| format!("{letter}.example")).chain(["sub.a.example".to_owned()]);
    Dns(names.map(|name| (format!("s._domainkey.{name}"), vec![key(&name).record()])).collect())
}

pub(crate) fn envelope(mail: &str, rcpt: &[&str]) -> Envelope {
    Envelope::of(mail.as_bytes(), rcpt)
}

pub(crate) fn terms(binding: Binding) -> Terms {
    Terms {
        draft: Draft::default(),
        now: Timestamp::from_secs(NOW),
        binding,
        flags: Vec::new(),
        nonce: None,
        hashes: HashChoice::Sha256,
    }
}

pub(crate) fn to(mail: &str, rcpt: &[&str]) -> Terms {
    terms(Binding::of(&envelope(mail, rcpt)).unwrap())
}

/// The mail with its first hop.
pub(crate) fn originate(mail: &[u8], terms: Terms, identity: Identity) -> Result<Vec<u8>, Refusal> {
    let message = Message::split(mail);
    let mut plan = zi2_mail::DigestPlan::new();
    let signer = Originator::new(&message.header, terms, identity, &mut plan)?;
    let mut body = plan.start();
    body.feed(message.body);
    let fields = signer.finish(&body.finish())?;
    Ok(fields.iter().rev().fold(mail.to_vec(), |mail, field| [field.wire().as_bytes(), b"\r\n", &mail].concat()))
}

/// The first hop of [`MAIL`], from a.example to b.example.
pub(crate) fn first() -> Vec<u8> {
    originate(MAIL.as_bytes(), to("<ann@a.example>", &["<list@b.example>"]), identity("a.example")).unwrap()
}

pub(crate) fn judge(mail: &[u8], envelope: &Envelope) -> Verdict {
    verify(mail, envelope, NOW, &Policy::default(), &dns())
}

pub(crate) fn evidence(mail: &[u8], envelope: &Envelope) -> FullyVerified {
    let verdict = judge(mail, envelope);
    match verdict.outcome {
        Outcome::Full(full) => *full,
        other => panic!("{other:?}"),
    }
}

/// The mail as it goes out after another hop, which makes `outgoing` of it.
pub(crate) fn hop(
    received: &[u8],
    by: &Envelope,
    outgoing: &[u8],
    terms: &Terms,
    identity: &Identity,
) -> Result<Vec<u8>, Refusal> {
    let evidence = evidence(received, by);
    let Extension { fields, .. } =
        extend(&evidence, &Message::split(received), &Message::split(outgoing), terms, identity)?;
    Ok(fields.iter().rev().fold(outgoing.to_vec(), |mail, field| [field.wire().as_bytes(), b"\r\n", &mail].concat()))
}

/// What a list does: a tag in the subject, a footer, fields of its own, its own From.
pub(crate) fn list_edit(mail: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(mail.to_vec()).unwrap();
    let text = text.replacen("Subject: Hi", "List-Id: <list.b.example>\r\nSubject: [list] Hi", 1);
    let text =
        text.replacen("From: Ann <ann@a.example>", "From: Ann via list <list@b.example>\r\nReply-To: ann@a.example", 1);
    (text + "\r\n-- \r\nlist footer\r\n").into_bytes()
}

pub(crate) fn exploded(terms: Terms) -> Terms {
    Terms { flags: vec![Flag::Exploded], ..terms }
}
