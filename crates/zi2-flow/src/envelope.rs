//! The envelope recipients of a message, and what of them the replay store is told.

use zi2_config::HostedDomains;
use zi2_mail::{AddrSpec, parse_envelope_address};
use zi2_sig::{Attested, Unambiguous};
use zi2_trust::Admission;

/// The envelope recipients of a message, as far as they can be read.
#[derive(Clone, Debug, Default)]
pub struct Envelope {
    recipients: Vec<AddrSpec>,
    unread: usize,
}

impl Envelope {
    /// The recipients of RCPT arguments, with or without angle brackets.
    pub fn of<A: AsRef<[u8]>>(arguments: impl IntoIterator<Item = A>) -> Envelope {
        let mut envelope = Envelope::default();
        for argument in arguments {
            match parse_envelope_address(argument.as_ref()) {
                Some(recipient) => envelope.recipients.push(recipient),
                None => envelope.unread = envelope.unread.saturating_add(1),
            }
        }
        envelope
    }

    /// Whether every recipient is known to be hosted here, so that no copy leaves. False for an empty envelope.
    pub fn all_hosted(&self, hosted: &HostedDomains) -> bool {
        let here = |recipient: &AddrSpec| recipient.domain().is_some_and(|domain| hosted.contains(domain));
        self.unread == 0 && !self.recipients.is_empty() && self.recipients.iter().all(here)
    }

    /// Whether a recipient's domain is hosted here.
    pub fn any_hosted(&self, hosted: &HostedDomains) -> bool {
        self.recipients.iter().filter_map(AddrSpec::domain).any(|domain| hosted.contains(domain))
    }

    /// What the replay store is asked and told about this delivery.
    pub(crate) fn admission(&self, attested: &Attested, message: &Unambiguous, allowance: u32) -> Admission {
        Admission::new(attested, message, self.recipients.iter().map(AddrSpec::normalized), allowance)
    }
}
