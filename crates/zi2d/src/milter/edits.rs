//! From fields of ours to edits of the milter protocol.

use std::num::NonZeroU32;

use zi2_mail::NewField;
use zi2_milter::{EditError, Edits, HeaderName, HeaderValue, Outcome, ReplyCode, Verdict};

use super::written::Kind;

/// Removes fields, then puts ours on top, the first one uppermost.
pub(super) fn header_edits(
    removals: &[(Kind, NonZeroU32)],
    on_top: &[NewField],
    at_the_end: &[NewField],
) -> Result<Edits, EditError> {
    let mut edits = Edits::new();
    for (kind, occurrence) in removals {
        edits.delete(HeaderName::new(kind.name())?, *occurrence)?;
    }
    // Each goes above what is there, also above the Received field of the mail server itself.
    for field in on_top.iter().rev() {
        edits.insert(0, HeaderName::new(field.name())?, HeaderValue::new(field.milter_value())?)?;
    }
    for field in at_the_end {
        edits.append(HeaderName::new(field.name())?, HeaderValue::new(field.milter_value())?)?;
    }
    Ok(edits)
}

/// Delivery, with these edits.
pub(super) fn delivered(edits: Edits) -> Outcome {
    Outcome { edits, quarantine: None, verdict: Verdict::Accept }
}

/// The answer to a message with more forged fields than can be removed: it can only be an attack, and to deliver it would
/// leave some of them standing.
pub(super) fn too_many_forged() -> Outcome {
    refused((5, 7, 1), "message refused: too many result fields that only this server may write")
}

/// A refusal for good.
pub(super) fn refused(enhanced: (u16, u16, u16), text: &str) -> Outcome {
    Outcome::from(ReplyCode::new(550, enhanced, text).map_or(Verdict::Reject, Verdict::Reply))
}
