//! Nothing passes for a bounce of our mail whose returned message we did not sign; what we compose comes back authentic, and
//! after edits only with the header section that we signed.
//!
//! Input: one octet for the number of edits, the edits (see [`zi2_fuzz::edit`]), then a message: a bounce, and one to bounce.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use zi2_fuzz::dkim2::{NOW, key, sign, verify};
use zi2_fuzz::edit;
use zi2_mail::{Domain, HostName, Message};
use zi2_sig::dkim2::bounce::{
    Action, AuthenticBounce, BounceFault, BounceLeave, BounceVerifier, Failing, House, Reporter, Returning, StatusCode,
    compose,
};
use zi2_sig::dkim2::{Draft, Envelope, FullyVerified, KeyAnswer, KeyRecords, Outcome};

static OURS: LazyLock<String> = LazyLock::new(|| key(42).record());
static THEIRS: LazyLock<String> = LazyLock::new(|| key(43).record());
static UNUSED: LazyLock<String> = LazyLock::new(|| key(44).record());
static WE: LazyLock<Domain> = LazyLock::new(|| Domain::parse("example.com").expect("a domain"));
static THEY: LazyLock<Domain> = LazyLock::new(|| Domain::parse("example.net").expect("a domain"));

fuzz_target!(|data: &[u8]| {
    let [edits, rest @ ..] = data else { return };
    let Some((edits, message)) = rest.split_at_checked(3 * usize::from(*edits)) else { return };
    if let Some(signed) = sign(message, &back(), key(43)) {
        assert!(!is_authentic(&signed, &UNUSED), "signed by a key that nobody has");
    }
    let Some(sent) = sign(message, &forth(), key(42)) else { return };
    let Some(mut bounce) = bounced(&sent) else { return };
    let signed = sign(&bounce, &back(), key(43)).expect("what we compose can be signed");
    assert!(is_authentic(&signed, &OURS), "{}", signed.escape_ascii());
    edit(&mut bounce, edits);
    if let Some(signed) = sign(&bounce, &back(), key(43)) {
        is_authentic(&signed, &OURS);
    }
});

/// By what our mail goes to them.
fn forth() -> Envelope {
    Envelope::of(b"<ann@example.com>", ["<bob@example.net>"])
}

/// By what its bounces come back.
fn back() -> Envelope {
    Envelope::of(b"<>", ["<ann@example.com>"])
}

fn is_authentic(bounce: &[u8], record: &str) -> bool {
    let Outcome::Full(evidence) = verify(bounce, &back(), Draft::D08, &THEIRS).outcome else { return false };
    match check(bounce, &evidence, record) {
        Ok(authentic) => {
            assert_eq!(authentic.signature().domain(), &*WE);
            true
        }
        Err(fault) => {
            assert!(fault.to_string().bytes().all(|octet| (b' '..=b'~').contains(&octet)), "{fault}");
            false
        }
    }
}

fn check<'m>(bounce: &'m [u8], evidence: &FullyVerified, record: &str) -> Result<AuthenticBounce<'m>, BounceFault> {
    let house = House { domains: std::slice::from_ref(&*WE), nonces: None };
    let mut verifier = BounceVerifier::new(evidence, &back(), &Message::split(bounce), &house, NOW)?;
    for name in verifier.questions() {
        verifier.answer(&name, &KeyAnswer::Records(KeyRecords::parse([record.as_bytes()])));
    }
    verifier.finish()
}

/// What they send back when they cannot deliver what we sent.
fn bounced(sent: &[u8]) -> Option<Vec<u8>> {
    let leave = BounceLeave::of(&verify(sent, &forth(), Draft::D08, &OURS)).ok()?;
    let envelope = forth();
    let server = HostName::parse("mx.example.net").ok()?;
    let reporter = Reporter { server: &server, domain: &THEY, now: NOW, random: [7; 16] };
    let failing = Failing {
        recipient: envelope.recipients().first()?,
        action: Action::Failed,
        status: StatusCode::parse("5.1.1")?,
        diagnostic: Some("550 no such user"),
    };
    compose(&leave, &Message::split(sent), Returning::Whole, &[failing], &reporter).ok()
}
