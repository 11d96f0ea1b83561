//! The envelope of a message, as far as it is needed: bounded, and read only at the end.

use zi2_config::LogAddresses;
use zi2_flow::Envelope;
use zi2_mail::parse_envelope_address;
use zi2_milter::Opening;
use zi2_sig::dkim2;

use crate::limits::{ADDRESS, RECIPIENTS};

/// Who sends to whom, as the mail server said it.
#[derive(Debug, Default)]
pub(super) struct Wrapper {
    sender: Box<[u8]>,
    recipients: Vec<Box<[u8]>>,
    /// Recipients beyond what is kept.
    unkept: usize,
}

impl Wrapper {
    /// Of this sender; kept only if the log wants it.
    pub(super) fn from(sender: &[u8], addresses: LogAddresses) -> Wrapper {
        let wanted = addresses != LogAddresses::None && sender.len() <= ADDRESS;
        Wrapper { sender: if wanted { sender.into() } else { Box::default() }, ..Wrapper::default() }
    }

    /// To one more recipient.
    pub(super) fn to(&mut self, recipient: &[u8]) {
        if self.recipients.len() < RECIPIENTS && recipient.len() <= ADDRESS {
            self.recipients.push(recipient.into());
        } else {
            self.unkept = self.unkept.saturating_add(1);
        }
    }

    /// The recipients, read.
    pub(super) fn envelope(&self) -> Envelope {
        Envelope::of(&self.recipients)
    }

    /// The recipients as they came.
    pub(super) fn recipients(&self) -> Vec<Vec<u8>> {
        self.recipients.iter().map(|recipient| recipient.to_vec()).collect()
    }

    /// The envelope that a DKIM2 chain must name, every octet and recipient of it; nothing if not all was kept.
    pub(super) fn dkim2(&self, sender: &[u8]) -> Option<dkim2::Envelope> {
        let is_whole = self.unkept == 0 && !self.recipients.is_empty() && !sender.is_empty();
        is_whole.then(|| dkim2::Envelope::of(sender, &self.recipients))
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.recipients.len()
    }

    /// The sender in the form the log may have, which is printable.
    pub(super) fn logged_sender(&self, addresses: LogAddresses) -> Option<String> {
        logged(&self.sender, addresses)
    }
}

/// The sender of a message in full; nothing of one that no mail server takes. Of a program on this host Postfix writes it
/// without brackets, so that the null sender is empty.
pub(super) fn sender_of(opening: &Opening<'_>) -> Box<[u8]> {
    match opening.mail.address {
        [] => b"<>".as_slice().into(),
        sender if sender.len() <= ADDRESS => sender.into(),
        _ => Box::default(),
    }
}

/// An address in the form the log may have.
pub(super) fn logged(address: &[u8], addresses: LogAddresses) -> Option<String> {
    let parsed = || parse_envelope_address(address);
    match addresses {
        LogAddresses::None => None,
        LogAddresses::Domain => Some(parsed()?.domain()?.to_string()),
        LogAddresses::Hash => Some(pseudonym(parsed()?.normalized())),
        LogAddresses::Full => Some(printable(address)),
    }
}

/// A name for an address by which lines of this process are found together. The key is gone with the process, so that
/// nobody finds out by trying addresses.
fn pseudonym(address: &str) -> String {
    use std::hash::{BuildHasher, RandomState};
    use std::sync::LazyLock;
    static KEY: LazyLock<(RandomState, RandomState)> = LazyLock::new(|| (RandomState::new(), RandomState::new()));
    format!("{:016x}{:016x}", KEY.0.hash_one(address), KEY.1.hash_one(address))
}

/// Octets of a stranger for the log: no blank, quote, control or 8-bit octet gets through as it is.
pub(super) fn printable(octets: &[u8]) -> String {
    octets.escape_ascii().to_string().replace(' ', "\\x20")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_log_may_have() {
        let address = b"<Alice@Example.COM>";
        assert_eq!(logged(address, LogAddresses::None), None);
        assert_eq!(logged(address, LogAddresses::Domain).as_deref(), Some("example.com"));
        assert_eq!(logged(address, LogAddresses::Full).as_deref(), Some("<Alice@Example.COM>"));
        let hash = logged(address, LogAddresses::Hash).unwrap();
        assert_eq!(Some(&hash), logged(b"Alice@example.com", LogAddresses::Hash).as_ref(), "the same mailbox");
        assert!(!hash.contains("lice") && hash.len() == 32, "{hash}");
        assert_eq!(logged(b"<>", LogAddresses::Domain), None);
        assert_eq!(logged(b"<a\n x=y\x1b@b>", LogAddresses::Full).as_deref(), Some("<a\\n\\x20x=y\\x1b@b>"));
    }

    #[test]
    fn the_whole_envelope_or_none() {
        let mut wrapper = Wrapper::from(b"<a@example.com>", LogAddresses::None);
        assert_eq!(wrapper.dkim2(b"<a@example.com>"), None, "no recipient");
        wrapper.to(b"<b@example.net>");
        let whole = dkim2::Envelope::of(b"<a@example.com>", [b"<b@example.net>"]);
        assert_eq!(wrapper.dkim2(b"<a@example.com>"), Some(whole));
        assert_eq!(wrapper.dkim2(b""), None, "a sender that was not kept is not the null sender");
        assert!(wrapper.dkim2(b"<>").is_some());
    }

    #[test]
    fn recipients_are_bounded() {
        let mut wrapper = Wrapper::from(b"", LogAddresses::None);
        for (octets, taken) in [(ADDRESS + 1, 0), (ADDRESS, 1)] {
            let address = vec![b'a'; octets];
            wrapper.to(&address);
            assert_eq!(wrapper.count(), taken, "{octets}");
            assert!(wrapper.dkim2(b"<>").is_none(), "{octets}: a recipient is missing");
            let sender = Wrapper::from(&address, LogAddresses::Full).logged_sender(LogAddresses::Full);
            assert_eq!(sender.map(|sender| sender.len()), Some(taken * ADDRESS), "{octets}");
        }
        for count in 2..=RECIPIENTS {
            wrapper.to(b"<a@example.com>");
            assert_eq!(wrapper.count(), count);
        }
        wrapper.to(b"<a@example.com>");
        assert_eq!(wrapper.count(), RECIPIENTS);
    }
}
