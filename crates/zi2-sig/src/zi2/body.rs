//! The body hash (zi2.md §3): which digests are wanted, and the three forms a verifier accepts.

use zi2_mail::{BodyCanon, DigestPlan, Digests, HashAlg, Lane};

/// The digests of a body that may be what was signed.
#[derive(Clone, Copy)]
pub(super) struct BodyLanes {
    raw: Lane,
    simple: Lane,
}

impl BodyLanes {
    pub(super) fn request(plan: &mut DigestPlan) -> BodyLanes {
        let [raw, simple] = [BodyCanon::Raw, BodyCanon::Simple].map(|canon| plan.request(canon, HashAlg::Sha256));
        BodyLanes { raw, simple }
    }

    /// §3: as received, or with its trailing empty lines reduced to one CRLF, or, if it is nothing but CRLFs, empty.
    pub(super) fn matches(self, digests: &Digests, hash: &[u8; 32]) -> bool {
        let is = |lane| digests.get(lane) == hash;
        is(self.raw) || is(self.simple) || (digests.only_crlf() && *hash == EMPTY_BODY)
    }
}

/// SHA-256 of nothing.
const EMPTY_BODY: [u8; 32] = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41,
    0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];
