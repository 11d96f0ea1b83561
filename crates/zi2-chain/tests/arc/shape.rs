//! Which fields make a chain, and the limits.

use zi2_chain::arc::{Broken, FieldKind, Outcome, Reason};
use zi2_chain::limits;
use zi2_sig::dkim::Outcome as SignatureOutcome;

use crate::world::{Keys, verify};

const HASH: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

/// A set that is well-formed and proves nothing.
fn set(instance: &str, cv: &str) -> [String; 3] {
    [
        format!("ARC-Seal: i={instance}; a=rsa-sha256; cv={cv}; d=s{instance}.example; s=s; b=AAAA\r\n"),
        format!(
            "ARC-Message-Signature: i={instance}; a=rsa-sha256; d=m{instance}.example; s=s; h=from; bh={HASH}; b=AAAA\r\n"
        ),
        format!("ARC-Authentication-Results: i={instance}; mx.example; none\r\n"),
    ]
}

fn chain(sets: u8) -> String {
    let sets = (1..=sets).rev().map(|instance| set(&instance.to_string(), if instance == 1 { "none" } else { "pass" }));
    sets.flatten().collect::<String>() + "From: a@good.example\r\n\r\n"
}

fn reason(message: &str) -> Reason {
    verify(message.as_bytes(), &Keys::default()).0.reason
}

fn is_whole(message: &str) -> bool {
    matches!(reason(message), Reason::Message(SignatureOutcome::PermError(_)))
}

#[test]
fn shapes() {
    let good = chain(3);
    assert!(is_whole(&good));
    let broken = |message: String| match reason(&message) {
        Reason::Broken(broken) => broken,
        other => panic!("{other:?} {message}"),
    };
    use FieldKind::{Message, Results, Seal};
    // each field missing, each one twice
    for (kind, place) in [(Seal, 0), (Message, 1), (Results, 2)] {
        let part = &set("2", "pass")[place];
        assert_eq!(broken(good.replace(part, "")), Broken::Missing(kind, 2));
        assert_eq!(broken(good.replace(part, &part.repeat(2))), Broken::Duplicate(kind));
        for bad in ["i=", "i=0", "i=x", "i=-1", "i=1 2", "i=+2", "j=2"] {
            assert_eq!(broken(good.replace(part, &part.replacen("i=2", bad, 1))), Broken::Instance(kind), "{bad}");
        }
        for bad in ["i=51", "i=999", "i=99999999999999999999"] {
            assert_eq!(broken(good.replace(part, &part.replacen("i=2", bad, 1))), Broken::TooManySets, "{bad}");
        }
    }
    // a gap
    let gap = good.replace("i=3;", "i=4;");
    assert!(matches!(broken(gap), Broken::Missing(_, 3)));
    // what is said of the chain before
    for (instance, from, to, wanted) in [
        (1, "none", "pass", Reason::Broken(Broken::Claim(1))),
        (1, "none", "fail", Reason::Broken(Broken::Claim(1))),
        (2, "pass", "none", Reason::Broken(Broken::Claim(2))),
        (2, "pass", "fail", Reason::Broken(Broken::Claim(2))),
        (3, "pass", "fail", Reason::SealedAsBroken),
    ] {
        let message = good.replace(&set(&instance.to_string(), from)[0], &set(&instance.to_string(), to)[0]);
        assert_eq!(reason(&message), wanted, "{instance} {to}");
    }
    assert_eq!(broken(good.replacen("h=from", "h=from:ARC-Seal", 1)), Broken::SealCovered(3));
    assert_eq!(reason("From: a@good.example\r\n\r\n"), Reason::NoSets);
    assert_eq!(verify(good.as_bytes(), &Keys::default()).0.outcome(), Outcome::Fail);
}

/// TC-095: 51 sets are refused before any key is asked for; 50 are looked at, within the budget of a message.
#[test]
fn at_most_50_sets() {
    let (result, names) = verify(chain(limits::ARC_SETS).as_bytes(), &Keys::default());
    assert!(matches!(result.reason, Reason::Message(SignatureOutcome::PermError(_))), "{:?}", result.reason);
    assert_eq!(names.len(), 51, "a seal each, and one message signature");
    let (result, names) = verify(chain(limits::ARC_SETS + 1).as_bytes(), &Keys::default());
    assert_eq!((result.reason, names.len()), (Reason::Broken(Broken::TooManySets), 0));
}

/// TC-100: an attacker's seal is a chain of the attacker's, whatever it reports.
#[test]
fn a_report_without_good_seals_is_nothing() {
    let message = chain(1).replace("none\r\n", "x-zi2=pass header.d=good.example header.s=zi2-cert-2026-11\r\n");
    assert!(verify(message.as_bytes(), &Keys::default()).0.chain.is_none());
}
