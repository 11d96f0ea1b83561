//! The body hash (zi2.md §3): one stream, and the three forms a verifier accepts.

use zi2_mail::{BodyCanon, BodyDigester, DigestPlan, Digests, HashAlg, Lane};

/// Hashes a body chunk by chunk.
pub(crate) struct BodyHasher {
    digester: BodyDigester,
    raw: Lane,
    simple: Lane,
}

/// The hashes of a complete body.
#[derive(Clone, Debug)]
pub struct BodyHashes {
    digests: Digests,
    raw: Lane,
    simple: Lane,
}

impl BodyHasher {
    pub(crate) fn new() -> BodyHasher {
        let mut plan = DigestPlan::new();
        let raw = plan.request(BodyCanon::Raw, HashAlg::Sha256);
        let simple = plan.request(BodyCanon::Simple, HashAlg::Sha256);
        BodyHasher { digester: plan.start(), raw, simple }
    }

    pub(crate) fn feed(&mut self, chunk: &[u8]) {
        self.digester.feed(chunk);
    }

    pub(crate) fn finish(self) -> BodyHashes {
        BodyHashes { digests: self.digester.finish(), raw: self.raw, simple: self.simple }
    }
}

impl BodyHashes {
    /// The hash a signer writes: of the complete body as carried by SMTP.
    pub(crate) fn raw(&self) -> &[u8] {
        self.digests.get(self.raw)
    }

    /// §3: as received, or with its trailing empty lines reduced to one CRLF, or, if it is nothing but CRLFs, empty.
    pub(crate) fn matches(&self, hash: &[u8; 32]) -> bool {
        self.raw() == hash || self.digests.get(self.simple) == hash || (self.digests.only_crlf() && *hash == EMPTY_BODY)
    }
}

/// SHA-256 of nothing.
const EMPTY_BODY: [u8; 32] = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41,
    0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];
