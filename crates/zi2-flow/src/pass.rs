//! The one pass over a body: asked before it comes, then fed.

use zi2_mail::{BodyDigester, DigestPlan, Digests};

/// A pass that starts with the first octets of the body.
pub(crate) enum Pass {
    /// Something can still be asked.
    Asked(DigestPlan),
    /// It is too late to ask.
    Begun(Box<BodyDigester>),
}

impl Pass {
    /// Takes the next octets of the body.
    pub(crate) fn feed(&mut self, chunk: &[u8]) {
        if let Pass::Asked(plan) = self {
            *self = Pass::Begun(Box::new(std::mem::take(plan).start()));
        }
        if let Pass::Begun(digester) = self {
            digester.feed(chunk);
        }
    }

    /// Ends the body.
    pub(crate) fn finish(self) -> Digests {
        match self {
            Pass::Asked(plan) => plan.digest(b""),
            Pass::Begun(digester) => digester.finish(),
        }
    }
}
