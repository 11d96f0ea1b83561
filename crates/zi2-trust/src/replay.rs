//! Replay (zi2.md §8): what a store is asked about an attestation, and what its answer means.

use zi2_sig::dkim2::{self, Envelope, FullyVerified, Path};
use zi2_sig::limits::DKIM2_AGE_SECS;
use zi2_sig::{AttestationId, Attested, Unambiguous, recipient_hash};

use crate::limits;

/// What is done about replays.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReplayMode {
    /// Not looked at.
    Off,
    /// Reported.
    Flag,
    /// Failed.
    Fail,
}

/// One attestation knocking at the replay store: asked and remembered in one step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Admission {
    /// The attestation.
    pub id: AttestationId,
    /// The UTC day it is remembered under, that of its signing time: entries are forgotten a day at a time, a window after it.
    pub day: u32,
    /// Hashes of the envelope recipients that stand neither in To nor in Cc.
    pub recipients: Vec<u64>,
    /// How many such recipients one attestation may reach.
    pub allowance: u32,
}

/// The store's answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Admitted {
    /// Whether it was seen before.
    pub replay: ReplayVerdict,
    /// Whether we issued it here and nobody had claimed it yet; claiming it is part of the admission.
    pub issued: bool,
}

/// Whether an attestation was seen before, at this host.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReplayVerdict {
    /// Within the allowance.
    Fresh,
    /// The same recipients again: an SMTP retry.
    Duplicate,
    /// It reached more recipients than the allowance.
    Replayed,
    /// The store could not be asked.
    Unknown,
}

impl Admission {
    /// The admission of a verified attestation for these envelope recipients, normalized.
    pub fn new<'a>(
        attested: &Attested,
        message: &Unambiguous,
        recipients: impl IntoIterator<Item = &'a str>,
        allowance: u32,
    ) -> Admission {
        let named = message.addressees();
        let is_named = |recipient: &&str| named.iter().any(|named| named.normalized() == *recipient);
        let unnamed = recipients.into_iter().filter(|recipient| !is_named(recipient)).map(recipient_hash);
        let mut recipients: Vec<u64> = unnamed.collect();
        recipients.sort_unstable();
        recipients.dedup();
        Admission { id: attested.id(), day: attested.time().day(), recipients, allowance }
    }

    /// The admissions of a message whose DKIM2 chain holds, one for each recipient of its transaction (§ -08 13). A copy is
    /// remembered under the day on which its newest signature expires, so that it outlives that, however short the window of
    /// certifications is.
    pub fn of_copies(evidence: &FullyVerified, envelope: &Envelope) -> Vec<Admission> {
        let day = evidence.newest().signature().time().add_secs(DKIM2_AGE_SECS).day();
        let copy =
            |recipient: &Path| Admission { id: evidence.copy_id(recipient), day, recipients: vec![COPY], allowance: 1 };
        envelope.recipients().iter().map(copy).collect()
    }

    /// Decides, given the recipients seen before (`None`: the attestation is new); also the set to remember.
    /// The set of a replay is not remembered, so that it cannot grow without bound.
    pub fn decide(&self, before: Option<&[u64]>) -> (ReplayVerdict, Vec<u64>) {
        let seen = before.unwrap_or_default();
        let mut union: Vec<u64> = seen.iter().chain(&self.recipients).copied().collect();
        union.sort_unstable();
        union.dedup();
        let allowed = limits::REPLAY_RECIPIENTS.min(usize::try_from(self.allowance).unwrap_or(usize::MAX));
        match union.len() {
            n if n > allowed && n > seen.len() => (ReplayVerdict::Replayed, seen.to_vec()),
            n if before.is_some() && n == seen.len() && !self.recipients.is_empty() => {
                (ReplayVerdict::Duplicate, union)
            }
            _ => (ReplayVerdict::Fresh, union),
        }
    }
}

/// The one recipient of a copy, whose identifier names who it is.
const COPY: u64 = 0;

/// What is known of the copies of a message whose DKIM2 chain holds (§ -08 13).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Copies {
    /// One of its recipients gets it for the first time.
    New,
    /// A hop said that there are several, so nothing was asked.
    Exploded,
    /// All of them came before, and no hop said that there are several. An SMTP retry after a reply that was lost looks the
    /// same (RFC 1047), so a site should log this and not refuse.
    Replayed(dkim2::Failure),
    /// The store could not be asked, which accuses nobody.
    Unknown,
}

impl Copies {
    /// What the answers of the store mean, one for each copy that it was asked about.
    pub fn of(evidence: &FullyVerified, answers: &[Admitted]) -> Copies {
        let Some(failure) = evidence.replayed() else { return Copies::Exploded };
        let has = |replay| answers.iter().any(|answer| answer.replay == replay);
        match answers {
            _ if has(ReplayVerdict::Fresh) => Copies::New,
            [] => Copies::Unknown,
            _ if has(ReplayVerdict::Unknown) => Copies::Unknown,
            _ => Copies::Replayed(failure),
        }
    }

    /// The word in log and figures. It is stable: other programs match on it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Copies::New => "new",
            Copies::Exploded => "exploded",
            Copies::Replayed(_) => "replayed",
            Copies::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(recipients: &[u64], allowance: u32) -> Admission {
        Admission { id: AttestationId::from_octets([0; 16]), day: 0, recipients: recipients.to_vec(), allowance }
    }

    #[test]
    fn sets_grow_to_the_allowance() {
        use ReplayVerdict::{Duplicate, Fresh, Replayed};
        for (before, now, allowance, verdict) in [
            (None, &[][..], 20, Fresh),
            (None, &[1, 2], 2, Fresh),
            (None, &[1, 2, 3], 2, Replayed),
            (Some(&[1][..]), &[1], 2, Duplicate),
            (Some(&[1]), &[2], 2, Fresh),
            (Some(&[1, 2]), &[3], 2, Replayed),
            (Some(&[1, 2]), &[], 2, Fresh), // To and Cc are not counted
            (None, &[1], 0, Replayed),
            (Some(&[1, 2, 3]), &[2], 2, Duplicate), // the allowance was lowered since
        ] {
            let (got, set) = admission(now, allowance).decide(before);
            assert_eq!(got, verdict, "{before:?} {now:?} {allowance}");
            assert!(set.len() <= limits::REPLAY_RECIPIENTS);
        }
        let many: Vec<u64> = (0..65).collect();
        assert_eq!(admission(&many, 1000).decide(None).0, Replayed, "at most 64 are remembered");
    }

    /// A first hop that verifies.
    fn verified(recipients: &[&str]) -> (FullyVerified, Envelope) {
        use zi2_mail::{DigestPlan, Domain, Message, Timestamp};
        use zi2_sig::dkim2::{
            Binding, Draft, HashChoice, Identity, KeyAnswer, KeyRecords, Originator, Outcome, Policy, PrivateKey,
            SigningMember, Terms, Verifier,
        };
        let key = || zi2_sig::dkim::DkimSigningKey::from(zi2_sig::SigningKey::from_seed(&[1; 32]).unwrap());
        let envelope = Envelope::of(b"<ann@a.example>", recipients);
        let now = Timestamp::from_secs(1_777_400_000);
        let (draft, binding) = (Draft::default(), Binding::of(&envelope).unwrap());
        let hashes = HashChoice::Sha256;
        let terms = Terms { draft, now, binding, flags: Vec::new(), nonce: None, hashes };
        let selector = zi2_sig::dkim::Selector::parse("s").unwrap();
        let member = SigningMember { selector, key: PrivateKey::Dkim(std::sync::Arc::new(key())) };
        let identity = Identity { domain: Domain::parse("a.example").unwrap(), groups: vec![vec![member]] };
        let plain = b"From: ann@a.example\r\n\r\nHello\r\n";
        let mut plan = DigestPlan::new();
        let signer = Originator::new(&Message::split(plain).header, terms, identity, &mut plan).unwrap();
        let fields = signer.finish(&plan.digest(b"Hello\r\n")).unwrap();
        let lines: String = fields.iter().map(|field| field.wire() + "\r\n").collect();
        let mail = [lines.as_bytes(), plain].concat();
        let message = Message::split(&mail);
        let mut plan = DigestPlan::new();
        let mut verifier = Verifier::new(&message.header, &envelope, now, &Policy::default(), &mut plan);
        for name in verifier.questions() {
            verifier.answer(&name, &KeyAnswer::Records(KeyRecords::parse([key().record().as_bytes()])));
        }
        match verifier.finish(&plan.digest(message.body), b"").outcome {
            Outcome::Full(evidence) => (*evidence, envelope),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn copies_of_dkim2() {
        let (evidence, envelope) = verified(&["<b@b.example>", "<c@c.example>"]);
        let copies = Admission::of_copies(&evidence, &envelope);
        assert_eq!(copies.iter().map(|copy| copy.day).collect::<Vec<_>>(), [20_571 + 14; 2]);
        assert_ne!(copies[0].id, copies[1].id);
        let answer =
            |copy: &Admission, before: Option<&[u64]>| Admitted { replay: copy.decide(before).0, issued: false };
        let (new, seen) = (answer(&copies[0], None), answer(&copies[1], Some(&[COPY])));
        assert_eq!((new.replay, seen.replay), (ReplayVerdict::Fresh, ReplayVerdict::Duplicate));
        let unknown = Admitted { replay: ReplayVerdict::Unknown, issued: false };
        for (answers, word) in [
            (&[][..], "unknown"),
            (&[new, new], "new"),
            (&[new, seen], "new"), // one recipient of a retry was accepted before
            (&[seen, seen], "replayed"),
            (&[seen, unknown], "unknown"), // a store that does not know accuses nobody
        ] {
            assert_eq!(Copies::of(&evidence, answers).as_str(), word, "{answers:?}");
        }
    }
}
