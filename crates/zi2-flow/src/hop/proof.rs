//! What our own egress side has written into a message that it let pass: a certification of ours.
//!
//! Behind the queue nobody knows any more who submitted a message. Without this, whoever gets a message through an alias
//! here would have it signed in the name of whomever it pretends to be from. A DKIM signature of ours proves nothing: egress
//! leaves those that a message comes with, so anybody could submit a mail of somebody else once more. Certifications that a
//! message comes with are removed there.

use zi2_mail::{DigestPlan, Digests, Header, Timestamp};
use zi2_sig::{Candidate, KeyAnswer, Origin, Outcome, Verifier};

use super::Dkim2Rules;
use crate::limits;

/// A message that may prove it; the body is still to come.
pub(super) struct Proof(Verifier);

impl Proof {
    /// Looks for what only we can have written. Nothing if there is none.
    pub(super) fn look(
        rules: &Dkim2Rules,
        header: &Header<'_>,
        now: Timestamp,
        plan: &mut DigestPlan,
    ) -> Option<Proof> {
        let mut certification = Verifier::new(header, now, limits::QUEUED_SECS, plan);
        if rules.certifiers.is_empty() || certification.query().is_none() {
            return None;
        }
        let candidate = |key: &_| Candidate { key: *key, origin: Origin::Local };
        let candidates = rules.certifiers.iter().map(candidate).collect();
        certification.answer(KeyAnswer { candidates, ..KeyAnswer::default() });
        Some(Proof(certification))
    }

    /// Whether it holds.
    pub(super) fn holds(self, digests: &Digests) -> bool {
        matches!(self.0.finish(digests).outcome, Outcome::Verified(_))
    }
}
