//! What an attestation's entry becomes, the same for every backend.

use zi2_trust::{Admission, Admitted, ReplayVerdict};

/// What is kept of one attestation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Entry {
    pub(crate) claim: Claim,
    /// `None`: it did not arrive yet.
    pub(crate) recipients: Option<Vec<u64>>,
}

/// Whether an attestation was made here and waits for its first admission.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Claim {
    Open,
    None,
}

/// How much one day holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Fill {
    pub(crate) nonces: u64,
    pub(crate) issued: u64,
}

/// The answer of a store that does not know: the day is forgotten, or no further day can be opened.
pub(crate) const UNKNOWN: Admitted = Admitted { replay: ReplayVerdict::Unknown, issued: false };

/// Admits: the answer, and what to keep where that changed.
///
/// A full day answers `Unknown` for what is new (security.md N3) and still lets issued nonces be claimed: strangers who
/// fill the store do not touch our own mail.
pub(crate) fn admit(
    admission: &Admission,
    entry: Option<Entry>,
    fill: &mut Fill,
    capacity: u64,
) -> (Admitted, Option<Entry>) {
    let (claim, before) = entry.map_or((Claim::None, None), |entry| (entry.claim, entry.recipients));
    let issued = claim == Claim::Open;
    let (replay, recipients) = match &before {
        None if fill.nonces >= capacity => (ReplayVerdict::Unknown, None),
        _ => {
            let (verdict, set) = admission.decide(before.as_deref());
            (verdict, Some(set))
        }
    };
    fill.nonces += u64::from(before.is_none() && recipients.is_some());
    let changed = issued || before != recipients;
    (Admitted { replay, issued }, changed.then_some(Entry { claim: Claim::None, recipients }))
}

/// Issues: what to keep, or why nothing. What is known already stays as it is, so that nothing is claimed twice.
pub(crate) fn issue(entry: Option<Entry>, fill: &mut Fill, capacity: u64) -> Issuing {
    match entry {
        Some(_) => Issuing::Known,
        None if fill.issued >= capacity => Issuing::Full,
        None => {
            fill.issued += 1;
            Issuing::New(Entry { claim: Claim::Open, recipients: None })
        }
    }
}

/// What becomes of an issued nonce.
pub(crate) enum Issuing {
    New(Entry),
    Known,
    Full,
}
