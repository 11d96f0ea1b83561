//! Trust delegated by ARC (zi2.md §11): a handler that the operator trusts saw a valid certification before it changed the
//! message. It never speaks for a message that was not certified, nor for one whose certification does not verify at all.

use std::collections::HashSet;
use std::sync::Arc;

use zi2_chain::arc::{self, ArcResult};
use zi2_mail::{Domain, Timestamp};
use zi2_sig::{Facts, Outcome};

/// The sealers whose word the operator takes. Holds exact names: a subdomain is another sealer.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TrustedSealers {
    domains: Arc<HashSet<Domain>>,
}

/// Evidence: every handler of an unbroken chain is trusted, and the oldest reports this certification as valid. Made by
/// [`TrustedSealers::delegation`] and nowhere else.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delegation {
    reporter: Domain,
    covers: Vec<String>,
}

/// Why nobody's word stands in for a certification.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotDelegated {
    /// The message is as certified, or was never validly certified.
    #[error("the message is not one that was changed after its certification")]
    NotTampered,
    /// Nobody is trusted.
    #[error("no sealer is trusted here (chain.trusted_sealers)")]
    NobodyTrusted,
    /// The certification is older than the window.
    #[error("the certification is older than the window, so nobody's word counts")]
    TooOld,
    /// The chain was not evaluated.
    #[error("the existing chain was not evaluated")]
    NotEvaluated,
    /// There is no unbroken chain.
    #[error("the ARC chain is {}", .0.as_str())]
    NoChain(arc::Outcome),
    /// A handler is not on the list.
    #[error("{0} sealed it and is not trusted here (chain.trusted_sealers)")]
    Untrusted(Domain),
    /// The newest message signature leaves From open.
    #[error("the newest ARC-Message-Signature does not cover From")]
    FromUncovered,
    /// The newest message signature would stand over another certification as well.
    #[error("the newest ARC-Message-Signature covers neither Message-ID nor X-ZI2-Certified")]
    CertificationUncovered,
    /// The oldest handler does not report this certification as valid.
    #[error("the oldest ARC-Authentication-Results does not report x-zi2=pass for this domain and key")]
    NotReported,
}

impl TrustedSealers {
    /// These domains.
    pub fn new(domains: impl IntoIterator<Item = Domain>) -> TrustedSealers {
        TrustedSealers { domains: Arc::new(domains.into_iter().collect()) }
    }

    /// Whether nobody is trusted.
    pub fn is_empty(&self) -> bool {
        self.domains.is_empty()
    }

    /// Whether the handlers' word stands in for what was certified: for a message that is tampered with, and whose
    /// certification is not from before `oldest`.
    ///
    /// # Errors
    /// [`NotDelegated`], by the first condition that does not hold.
    pub fn delegation(
        &self,
        facts: &Facts,
        arc: Option<&ArcResult>,
        oldest: Timestamp,
    ) -> Result<Delegation, NotDelegated> {
        let (Outcome::Tampered(_, attested), Some(from)) = (&facts.outcome, &facts.from) else {
            return Err(NotDelegated::NotTampered);
        };
        if self.is_empty() {
            return Err(NotDelegated::NobodyTrusted);
        }
        if attested.time() < oldest {
            return Err(NotDelegated::TooOld);
        }
        let arc = arc.ok_or(NotDelegated::NotEvaluated)?;
        let chain = arc.chain.as_ref().ok_or(NotDelegated::NoChain(arc.outcome()))?;
        // Stricter than §11: a listed sealer vouches for what it saw, which an unlisted one before it may have made up.
        if let Some(hop) = chain.hops().iter().find(|hop| !self.domains.contains(&hop.sealer)) {
            return Err(NotDelegated::Untrusted(hop.sealer.clone()));
        }
        if !chain.covers_from() {
            return Err(NotDelegated::FromUncovered);
        }
        // A fresh certification put over an old sealed message would pass on the old one's report.
        if !chain.covered().any(|name| matches!(name, "message-id" | "x-zi2-certified")) {
            return Err(NotDelegated::CertificationUncovered);
        }
        match chain.hops().first() {
            Some(oldest) if chain.reports_certified(from, &attested.kid().to_string()) => {
                let covers = chain.covered().map(str::to_owned).chain(["body".to_owned()]).collect();
                Ok(Delegation { reporter: oldest.sealer.clone(), covers })
            }
            _ => Err(NotDelegated::NotReported),
        }
    }
}

impl Delegation {
    /// The sealer whose report it rests on.
    pub fn reporter(&self) -> &Domain {
        &self.reporter
    }

    /// What is as the newest handler left it.
    pub fn covers(&self) -> &[String] {
        &self.covers
    }
}
