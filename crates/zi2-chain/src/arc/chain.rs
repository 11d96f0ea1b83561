//! What ARC says of a message.

use zi2_mail::Domain;
use zi2_sig::dkim::Outcome as SignatureOutcome;

use super::words::AuthResults;

/// The result for one message.
#[derive(Clone, Debug)]
pub struct ArcResult {
    /// Why it is as it is.
    pub reason: Reason,
    /// The chain, which only a passing result has.
    pub chain: Option<Chain>,
}

/// The results of RFC 8601 for the method `arc`, and one for keys that could not be asked for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Outcome {
    /// There is no chain.
    None,
    /// The chain is unbroken.
    Pass,
    /// It is broken.
    Fail,
    /// A key could not be asked for; another try may do better.
    TempError,
}

/// Why a result is as it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// Pass: the newest message signature and all seals are good.
    Unbroken,
    /// None: the message has no ARC field.
    NoSets,
    /// Fail: the fields make no chain.
    Broken(Broken),
    /// Fail: the newest sealer found the chain broken already.
    SealedAsBroken,
    /// The newest message signature is no pass.
    Message(SignatureOutcome),
    /// The seal of a set is no pass.
    Seal(u8, SignatureOutcome),
}

/// Why fields make no chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Broken {
    /// A field without the number of its set.
    Instance(FieldKind),
    /// A number over [`limits::ARC_SETS`](crate::limits::ARC_SETS).
    TooManySets,
    /// A set has two of a kind.
    Duplicate(FieldKind),
    /// A set lacks a field.
    Missing(FieldKind, u8),
    /// `cv=` of a set is not what its place wants.
    Claim(u8),
    /// The message signature of a set covers a seal.
    SealCovered(u8),
}

/// The fields of a set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FieldKind {
    /// ARC-Authentication-Results.
    Results,
    /// ARC-Message-Signature.
    Message,
    /// ARC-Seal.
    Seal,
}

/// An unbroken chain. Made where all its seals and its newest message signature have passed, and nowhere else.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chain {
    hops: Vec<Hop>,
    covered: Vec<Box<str>>,
    oldest_pass: u8,
}

/// What a handler left behind. Only its seal is proven: what it reports is its word.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hop {
    /// The number of its set.
    pub instance: u8,
    /// The domain of its seal.
    pub sealer: Domain,
    /// The domain of its message signature, where the field could be read.
    pub signer: Option<Domain>,
    /// Its Authentication-Results, where they could be read.
    pub results: Option<AuthResults>,
}

impl ArcResult {
    pub(super) fn without_chain(reason: Reason) -> ArcResult {
        ArcResult { reason, chain: None }
    }

    pub(super) fn of(chain: Chain) -> ArcResult {
        ArcResult { reason: Reason::Unbroken, chain: Some(chain) }
    }

    /// The result.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.reason.outcome()
    }
}

impl Chain {
    /// `hops` from the oldest to the newest, never empty; `covered` by the newest message signature.
    pub(super) fn new(hops: Vec<Hop>, covered: Vec<Box<str>>, oldest_pass: u8) -> Chain {
        Chain { hops, covered, oldest_pass }
    }

    /// The handlers, the oldest first. A chain is worth what the least trusted of them is: the oldest made the report that
    /// is of interest, and each later one could have made up all before it.
    #[must_use]
    pub fn hops(&self) -> &[Hop] {
        &self.hops
    }

    /// The number of the oldest set whose message signature still holds, with those of all newer ones; 0 if all do, as
    /// `header.oldest-pass` of RFC 8617 §10.2. Where it is not known, it is taken not to hold.
    #[must_use]
    pub fn oldest_pass(&self) -> u8 {
        self.oldest_pass
    }

    /// The fields that the newest message signature covers, besides the whole body: what arrived as the newest handler
    /// left it. In lower case.
    pub fn covered(&self) -> impl Iterator<Item = &str> {
        self.covered.iter().map(AsRef::as_ref)
    }

    /// Whether the newest message signature covers From: without it, anybody's From may stand above this chain.
    #[must_use]
    pub fn covers_from(&self) -> bool {
        self.covered().any(|name| name == "from")
    }

    /// What the oldest handler reports of the message as it first came in.
    #[must_use]
    pub fn first_results(&self) -> Option<&AuthResults> {
        self.hops.first().and_then(|hop| hop.results.as_ref())
    }

    /// Whether the oldest handler reports ZI2 certification of this domain by this key, without contradiction (zi2.md §11).
    /// Whether all handlers are trusted is for the caller to see.
    #[must_use]
    pub fn reports_certified(&self, domain: &Domain, kid: &str) -> bool {
        let mut reports = self.first_results().into_iter().flat_map(|results| results.of("x-zi2"));
        let (Some(report), None) = (reports.next(), reports.next()) else { return false };
        let names_domain = report.property("header", "d").is_some_and(|d| d.eq_ignore_ascii_case(domain.as_str()));
        report.result() == "pass" && names_domain && report.property("header", "s") == Some(kid)
    }
}

impl Reason {
    /// A code for the reason, of lower-case letters and dots; nothing for a pass and without a chain.
    #[must_use]
    pub fn code(self) -> Option<&'static str> {
        match self {
            Reason::Unbroken | Reason::NoSets => None,
            Reason::Broken(broken) => Some(broken.code()),
            Reason::SealedAsBroken => Some("seal.failed"),
            Reason::Message(outcome) | Reason::Seal(_, outcome) => outcome.reason(),
        }
    }

    /// The result that the reason leads to.
    #[must_use]
    pub const fn outcome(self) -> Outcome {
        match self {
            Reason::Unbroken => Outcome::Pass,
            Reason::NoSets => Outcome::None,
            Reason::Message(SignatureOutcome::TempError(_)) | Reason::Seal(_, SignatureOutcome::TempError(_)) => {
                Outcome::TempError
            }
            Reason::Broken(_) | Reason::SealedAsBroken | Reason::Message(_) | Reason::Seal(..) => Outcome::Fail,
        }
    }
}

impl Broken {
    const fn code(self) -> &'static str {
        match self {
            Broken::Instance(_) => "set.number",
            Broken::TooManySets => "set.many",
            Broken::Duplicate(_) => "set.duplicate",
            Broken::Missing(..) => "set.incomplete",
            Broken::Claim(_) => "seal.claim",
            Broken::SealCovered(_) => "seal.covered",
        }
    }
}

impl Outcome {
    /// The word for Authentication-Results.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Outcome::None => "none",
            Outcome::Pass => "pass",
            Outcome::Fail => "fail",
            Outcome::TempError => "temperror",
        }
    }
}

impl FieldKind {
    const ALL: [FieldKind; 3] = [FieldKind::Results, FieldKind::Message, FieldKind::Seal];

    /// The kind of a field by its name, in any case.
    pub(super) fn of(name: &[u8]) -> Option<FieldKind> {
        FieldKind::ALL.into_iter().find(|kind| name.eq_ignore_ascii_case(kind.name().as_bytes()))
    }

    /// The name of the field, in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            FieldKind::Results => "arc-authentication-results",
            FieldKind::Message => "arc-message-signature",
            FieldKind::Seal => "arc-seal",
        }
    }

    pub(super) const fn place(self) -> usize {
        match self {
            FieldKind::Results => 0,
            FieldKind::Message => 1,
            FieldKind::Seal => 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_of_certification() {
        let domain = |text| Domain::parse(text).unwrap();
        let hop = |instance, results: &str| Hop {
            instance,
            sealer: domain("list.example"),
            signer: None,
            results: AuthResults::parse(results.as_bytes()),
        };
        let reports = |first: &str, second: &str| {
            let chain = Chain::new(vec![hop(1, first), hop(2, second)], Vec::new(), 0);
            chain.reports_certified(&domain("good.example"), "zi2-cert-2026-11")
        };
        let good = "mx.example; dmarc=pass; x-zi2=pass header.d=good.example header.s=zi2-cert-2026-11 policy.level=1";
        assert!(reports(good, "mx.example; none"));
        for bad in [
            "mx.example; none",
            "mx.example; x-zi2=fail header.d=good.example header.s=zi2-cert-2026-11",
            "mx.example; x-zi2=pass header.d=evil.example header.s=zi2-cert-2026-11",
            "mx.example; x-zi2=pass header.d=good.example header.s=zi2-cert-2026-10",
            "mx.example; x-zi2=pass header.d=good.example",
            "mx.example; x-zi2=pass header.d=good.example header.d=good.example header.s=zi2-cert-2026-11",
            &format!("{good}; x-zi2=fail"),
            &format!("{good}; ("),
        ] {
            assert!(!reports(bad, good), "{bad}");
        }
    }
}
