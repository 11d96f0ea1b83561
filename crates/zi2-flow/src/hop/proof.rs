//! What our own egress side has written into a message that it let pass: a certification or a DKIM signature of ours.
//!
//! Behind the queue nobody knows any more who submitted a message. Without this, whoever gets a message through an alias
//! here would have it signed in the name of whomever it pretends to be from.

use zi2_mail::{DigestPlan, Digests, Domain, Header, Timestamp};
use zi2_sig::dkim::{self, DkimRecords, RecordAnswer};
use zi2_sig::{Candidate, KeyAnswer, Origin, Verifier};

use super::Dkim2Rules;
use crate::limits;

/// A message that may prove it; the body is still to come.
pub(super) struct Proof {
    from: Domain,
    certification: Verifier,
    signatures: dkim::Verifier,
}

impl Proof {
    /// Looks for what only we can have written. Nothing if there is none.
    pub(super) fn look(
        rules: &Dkim2Rules,
        header: &Header<'_>,
        now: Timestamp,
        plan: &mut DigestPlan,
    ) -> Option<Proof> {
        let mut certification = Verifier::new(header, now, limits::QUEUED_SECS, plan);
        let from = certification.from()?.clone();
        let is_open = certification.query().is_some() && !rules.certifiers.is_empty();
        let candidate = |key: &_| Candidate { key: *key, origin: Origin::Local };
        certification
            .answer(KeyAnswer { candidates: rules.certifiers.iter().map(candidate).collect(), ..KeyAnswer::default() });
        let mut signatures = dkim::Verifier::new(header, now, &dkim::Policy::default(), plan);
        let mut is_signed = false;
        for name in signatures.questions() {
            let ours = rules.dkim.iter().find(|key| key.name().as_ref() == Some(&name));
            if let Some(ours) = ours.filter(|ours| from.is_within(&ours.domain)) {
                let records = DkimRecords::parse([ours.key.record().as_bytes()]);
                signatures.answer(&name, &RecordAnswer::Records(records));
                is_signed = true;
            }
        }
        (is_open || is_signed).then_some(Proof { from, certification, signatures })
    }

    /// Whether it holds.
    pub(super) fn holds(self, digests: &Digests) -> bool {
        let Proof { from, certification, signatures } = self;
        let is_certified = matches!(certification.finish(digests).outcome, zi2_sig::Outcome::Verified(_));
        // What was not answered did not pass: only our own keys were given.
        is_certified || signatures.finish(digests).passed().any(|domain| from.is_within(domain))
    }
}
