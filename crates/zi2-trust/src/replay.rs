//! Replay (zi2.md §8): what a store is asked about an attestation, and what its answer means.

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
    /// UTC day of its signing time: entries are forgotten a day at a time.
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
}
