//! DKIM2 on the signing side: the first hop of mail of ours, and a further one of mail that is sent on.
//!
//! It signs nothing that is not proven: a first hop takes a submitter who may use the From domain, a further one the message
//! as it came in, verified again. Whatever it refuses leaves as it is.

mod first;
mod further;
mod hidden;
mod made;
mod proof;
mod rules;
mod unsigned;

pub use first::FirstHop;
pub use further::{Further, has_dkim2};
pub use made::BounceHop;
pub use rules::Dkim2Rules;
pub use unsigned::Dkim2Unsigned;

use zi2_mail::{Header, NewField, Timestamp};
use zi2_sig::dkim2::Envelope;

use crate::limits;

/// A message that leaves, as its header section shows it.
#[derive(Clone, Copy)]
pub struct Leaving<'a> {
    /// The header section, as it will be sent.
    pub header: &'a Header<'a>,
    /// The envelope it is sent with.
    pub envelope: &'a Envelope,
    /// When.
    pub now: Timestamp,
    /// Octets that nobody can foresee, for signatures of ML-DSA.
    pub random: [u8; 32],
}

/// The fields, if each can be handed to the mail server.
fn fitting(fields: Vec<NewField>) -> Result<Vec<NewField>, Dkim2Unsigned> {
    let fits = |field: &NewField| field.milter_value().len() <= limits::FIELD_OCTETS;
    if fields.iter().all(fits) { Ok(fields) } else { Err(Dkim2Unsigned::TooLarge) }
}
