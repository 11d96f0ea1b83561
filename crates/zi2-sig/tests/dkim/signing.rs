//! What our signer makes, read by our verifier and by hand.

use std::sync::Arc;

use zi2_mail::{DefectKind, DigestPlan, Domain, FieldWriter, Message, NewField, Timestamp};
use zi2_sig::dkim::{
    Agent, Canon, Cover, DkimKeyFileError, DkimSigningKey, Fault, Identity, Recipe, Refusal, Selector, SignedField,
    Signer,
};
use zi2_sig::{limits, pkcs8_pem};

use super::kit::{Zone, verify, words};

const NOW: u64 = 1_795_432_358;
const MAIL: &[u8] =
    b"Received: from x by y;\r\n now\r\nFrom: Ann <ann@example.com>\r\nTo: bob@example.net\r\nSubject: Hi  there\r\n\
    Date: Tue, 28 Apr 2026 17:30:00 +0000\r\nMessage-ID: <1@example.com>\r\n\r\nHello \t bob\r\n\r\nBye\r\n\r\n";

pub(crate) const RSA: &[u8] = include_bytes!("keys/rsa2048-pkcs8.pem");
const ED: &[u8] = include_bytes!("keys/ed25519-pkcs8.pem");

pub(crate) fn identity(selector: &str, key: &[u8]) -> Identity {
    Identity {
        domain: Domain::parse("example.com").unwrap(),
        selector: Selector::parse(selector).unwrap(),
        agent: None,
        key: Arc::new(DkimSigningKey::parse_file(key).unwrap()),
    }
}

pub(crate) fn both() -> Vec<Identity> {
    vec![identity("rsa", RSA), identity("ed", ED)]
}

pub(crate) fn keys(identities: &[Identity]) -> Zone {
    let name = |who: &Identity| format!("{}._domainkey.{}", who.selector, who.domain);
    identities.iter().map(|who| (name(who), vec![who.key.record()])).collect()
}

/// The message with added fields and signatures on top.
pub(crate) fn sign(octets: &[u8], who: Vec<Identity>, recipe: &Recipe, added: &[NewField]) -> Result<Vec<u8>, Refusal> {
    let message = Message::split(octets);
    let mut plan = DigestPlan::new();
    let signer = Signer::new(&message.header, who, recipe, Timestamp::from_secs(NOW), &mut plan)?;
    let mut digester = plan.start();
    message.body.chunks(3).for_each(|chunk| digester.feed(chunk));
    let signatures = signer.finish(&digester.finish(), added)?;
    let lines = signatures.iter().chain(added).map(|field| field.wire() + "\r\n").collect::<String>();
    Ok([lines.as_bytes(), octets].concat())
}

fn canons() -> [Canon; 4] {
    ["simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed"]
        .map(|c| Canon::parse(c.as_bytes()).unwrap())
}

fn recipe(canon: Canon) -> Recipe {
    Recipe::default().with_canon(canon)
}

#[test]
fn every_canonicalization_with_both_algorithms_in_one_pass() {
    for canon in canons() {
        for who in [both(), both()[..1].to_vec(), both()[1..].to_vec()] {
            let signed = sign(MAIL, who.clone(), &recipe(canon), &[]).unwrap();
            let facts = verify(&signed, &keys(&who), NOW);
            assert_eq!(words(&facts), vec!["pass"; who.len()], "{canon}");
            for line in signed.split(|octet| *octet == b'\n').take_while(|line| !line.starts_with(b"Received")) {
                assert!(line.len() <= 78, "{}", line.escape_ascii());
            }
            for facts in &facts.signatures {
                let field = facts.field().unwrap();
                assert_eq!((field.canon(), field.signed_at()), (canon, Some(Timestamp::from_secs(NOW))));
                assert_eq!(facts.passed().map(Domain::as_str), Some("example.com"));
            }
        }
    }
}

#[test]
fn an_added_field_is_signed_and_sealed_fields_cannot_be_added() {
    let who = both();
    let mut writer = FieldWriter::new("X-ZI2-Certified");
    writer.tag("v", "1").unwrap().base64("b", &"A".repeat(200)).unwrap();
    let added = [writer.finish()];
    for canon in canons() {
        let signed = sign(MAIL, who.clone(), &recipe(canon), &added).unwrap();
        let facts = verify(&signed, &keys(&who), NOW);
        assert_eq!(words(&facts), ["pass", "pass"], "{canon}");
        let names: Vec<_> = facts.signatures[0].field().unwrap().covered().map(str::to_owned).collect();
        assert_eq!(names.iter().filter(|name| *name == "x-zi2-certified").count(), 1);
        assert_eq!(names.iter().filter(|name| *name == "from").count(), 2);
        let text = String::from_utf8(signed.clone()).unwrap();
        let without = text.replace(&(added[0].wire() + "\r\n"), "");
        assert_eq!(words(&verify(without.as_bytes(), &keys(&who), NOW)), vec!["fail signature.mismatch"; 2]);
        for more in ["Subject: other", "Cc: eve@example.net", "Content-Type: text/html", "Reply-To: eve@example.net"] {
            let more = [more.as_bytes(), b"\r\n", &signed].concat();
            assert_eq!(words(&verify(&more, &keys(&who), NOW)), vec!["fail signature.mismatch"; 2]);
        }
        for harmless in ["X-Spam: no", "Received: from a by b; now", "Sender: list@example.net"] {
            let more = [harmless.as_bytes(), b"\r\n", &signed].concat();
            assert_eq!(words(&verify(&more, &keys(&who), NOW)), ["pass", "pass"], "{harmless}");
        }
    }
}

/// Added fields of one name count from the bottom as they will stand.
#[test]
fn several_fields_of_one_name() {
    let who = both();
    let fields = ["x-a", "x-b", "x-a"].map(|name| SignedField::new(name, Cover::Present).unwrap());
    let octets = [b"X-A: 3\r\nx-a : 2\r\nX-A: 1\r\n", MAIL].concat();
    let added = ["first", "second"].map(|value| NewField::unfolded("X-a", value).unwrap());
    for canon in canons() {
        let signed = sign(&octets, who.clone(), &Recipe::new(canon, fields.clone()), &added).unwrap();
        let facts = verify(&signed, &keys(&who), NOW);
        assert_eq!(words(&facts), ["pass", "pass"], "{canon}");
        let names: Vec<_> = facts.signatures[0].field().unwrap().covered().map(str::to_owned).collect();
        assert_eq!(names, ["from", "from", "x-a", "x-a", "x-a", "x-a", "x-a"]);
    }
}

#[test]
fn expiry_and_agent() {
    let recipe = Recipe::default().with_lifetime(60);
    let mut who = identity("ed", ED);
    who.agent = Agent::parse("a;b@mail.example.com".as_bytes());
    let keys = keys(std::slice::from_ref(&who));
    let signed = sign(MAIL, vec![who.clone()], &recipe, &[]).unwrap();
    for (now, expected) in [(NOW, "pass"), (NOW + 60, "pass"), (NOW + 61, "policy time.expired")] {
        let facts = verify(&signed, &keys, now);
        assert_eq!(words(&facts), [expected]);
        let field = facts.signatures[0].field().unwrap();
        assert_eq!((field.agent().local(), field.agent().domain().as_str()), ("a;b", "mail.example.com"));
    }
    who.agent = Agent::parse(b"a@other.example");
    assert_eq!(sign(MAIL, vec![who], &recipe, &[]).err(), Some(Refusal::Unusable(Fault::AgentOutside)));
}

#[test]
fn refusals() {
    let fields = (0..limits::DKIM_SIGNED_NAMES).map(|i| SignedField::new(&format!("x{i}"), Cover::Sealed).unwrap());
    let wide = Recipe::new(Canon::RELAXED, fields);
    let two = [b"From: eve@example.net\r\n", MAIL].concat();
    let obsolete = [b"From : eve@example.net\r\n", MAIL].concat();
    let huge = [b"X: y\r\n".repeat(1000).as_slice(), MAIL].concat();
    for (octets, recipe, expected) in [
        (b"To: a@example.net\r\n\r\n".as_slice(), &Recipe::default(), Refusal::FromNotSingle),
        (&two, &Recipe::default(), Refusal::FromNotSingle),
        (&obsolete, &Recipe::default(), Refusal::FromNotSingle),
        (&huge, &Recipe::default(), Refusal::Section(DefectKind::TooManyFields)),
        (MAIL, &wide, Refusal::Unusable(Fault::TooManyNames)),
    ] {
        assert_eq!(sign(octets, both(), recipe, &[]).err(), Some(expected));
    }
    assert_eq!(sign(MAIL, Vec::new(), &Recipe::default(), &[]).unwrap(), MAIL);
}

#[test]
fn key_files() {
    let read = |octets: &[u8]| DkimSigningKey::parse_file(octets);
    let record = |octets: &[u8]| read(octets).map(|key| key.record());
    let p = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA3L9mgQwpvwoWFHI4nMr7daY/OxO4EuJHv3dPuU3oD0mvFEYU2niLuQTo1qyKqVjoin60wtxfpokVCwAUPLtd8NXrgnlfzfdKgkwNhQjJK7USdhIPYpKQk0ntTz8/a30OOAtcm1ka7bzlUKeKUUXkQzVYTVVKTDsPcHBZGyIJ/L9bs3CznnHGD2dAY0GOiMSy6HIyE2/aN4eH9HR1nBvmf2jSWF1sbzyVTW8cRB/6K66DX+OqT3XAQlNQnewIKz0pHdyCzTl6ooo4b3rz3WLCX3LqHvotYQNLQHC8xqYbXcnP8ID/IKJRUBVFwa9Uo9/RMJnvFhEjIjfSNW0VaAyTKQIDAQAB";
    let expected = format!("v=DKIM1; k=rsa; p={p}"); // openssl pkey -pubout
    assert_eq!(record(RSA), Ok(expected.clone()));
    assert_eq!(record(include_bytes!("keys/rsa2048-pkcs1.pem")), Ok(expected));
    let seed = [9; 32];
    let forms = [
        seed.to_vec(),
        pkcs8_pem(&seed).as_bytes().to_vec(),
        b"CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=\n".to_vec(),
    ];
    for form in forms {
        assert_eq!(record(&form), Ok(super::forge::record()));
    }
    let damaged = String::from_utf8(RSA.to_vec()).unwrap().replace("MII", "MIJ");
    let padded = |octets: usize| [RSA, vec![b'\n'; octets - RSA.len()].as_slice()].concat();
    for (octets, expected) in [
        (include_bytes!("keys/rsa2047-pkcs8.pem").to_vec(), DkimKeyFileError::ShortRsa(2047)),
        (include_bytes!("keys/encrypted.pem").to_vec(), DkimKeyFileError::Encrypted),
        (include_bytes!("keys/ec.pem").to_vec(), DkimKeyFileError::OtherPem),
        (damaged.into_bytes(), DkimKeyFileError::OtherPem),
        (RSA[..RSA.len() - 40].to_vec(), DkimKeyFileError::OtherPem),
        (b"-----BEGIN".to_vec(), DkimKeyFileError::OtherPem),
        (b"hello".to_vec(), DkimKeyFileError::Unknown),
        (Vec::new(), DkimKeyFileError::Unknown),
        (padded(limits::DKIM_KEY_FILE_OCTETS + 1), DkimKeyFileError::TooLong),
    ] {
        assert_eq!(read(&octets).err(), Some(expected));
    }
    assert!(read(&padded(limits::DKIM_KEY_FILE_OCTETS)).is_ok());
}

/// ZI2 and DKIM read the body once: one plan gives both their digests.
#[test]
fn one_pass_serves_several() {
    let message = Message::split(MAIL);
    let (mut alone, mut shared) = (DigestPlan::new(), DigestPlan::new());
    let now = Timestamp::from_secs(NOW);
    let signer = |plan: &mut DigestPlan| Signer::new(&message.header, both(), &Recipe::default(), now, plan).unwrap();
    let (one, two) = (signer(&mut alone), signer(&mut shared));
    let other = shared.request(zi2_mail::BodyCanon::Raw, zi2_mail::HashAlg::Sha256);
    let (mut first, mut second) = (alone.start(), shared.start());
    first.feed(message.body);
    second.feed(message.body);
    let (first, second) = (first.finish(), second.finish());
    assert_eq!(second.get(other).len(), 32);
    assert_eq!(one.finish(&first, &[]), two.finish(&second, &[]));
}
