//! All that the existing chain says of one message.

use zi2_sig::dkim;

use crate::arc::ArcResult;
use crate::dmarc::DmarcResult;
use crate::spf::SpfResult;

/// The results, as far as the chain was evaluated.
#[derive(Clone, Debug)]
pub struct ChainResults {
    /// DKIM, signature by signature.
    pub dkim: dkim::Facts,
    /// ARC.
    pub arc: ArcResult,
    /// SPF; none without an address of the client.
    pub spf: Option<SpfResult>,
    /// DMARC; none without one author domain.
    pub dmarc: Option<DmarcResult>,
}
