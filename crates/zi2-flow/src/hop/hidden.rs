//! Recipients that others must not learn of: a signature names all recipients of a copy to each.

use zi2_config::Hidden;
use zi2_mail::{AddrSpec, Header, parse_address_list, parse_envelope_address};
use zi2_sig::dkim2::{Envelope, Path};

use super::{Dkim2Rules, Dkim2Unsigned, Leaving};

/// Refuses to name a hidden recipient to the others, unless the operator wants it: a blind copy, the subscribers of a list.
pub(super) fn check_hidden(rules: &Dkim2Rules, leaving: &Leaving<'_>) -> Result<(), Dkim2Unsigned> {
    match rules.hidden {
        Hidden::Skip if has_hidden(leaving.header, leaving.envelope) => Err(Dkim2Unsigned::Hidden),
        _ => Ok(()),
    }
}

/// Whether one of several recipients stands in none of the fields that all of them see (§ -08 8.5).
fn has_hidden(header: &Header<'_>, envelope: &Envelope) -> bool {
    let recipients = envelope.recipients();
    if recipients.len() < 2 {
        return false;
    }
    let fields = ["to", "cc", "resent-to", "resent-cc"].into_iter().flat_map(|name| header.named(name));
    let lists: Vec<_> = fields.filter_map(|field| parse_address_list(field.value()).ok()).collect();
    let seen: Vec<&str> = lists.iter().flat_map(|list| list.flatten()).map(AddrSpec::normalized).collect();
    let is_seen = |path: &Path| {
        parse_envelope_address(path.octets()).is_some_and(|recipient| seen.contains(&recipient.normalized()))
    };
    !recipients.iter().all(is_seen)
}
