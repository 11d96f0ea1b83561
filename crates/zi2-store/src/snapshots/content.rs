//! A snapshot as octets: a mark, a hash of all that follows, the parts with their lengths. A file that was torn, or that
//! somebody changed, is no snapshot.

use aws_lc_rs::digest::{SHA256, digest};
use zi2_mail::Timestamp;

use crate::limits;

/// A message as it was received, with its envelope.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Snapshot {
    /// When it was received.
    pub received: Timestamp,
    /// The argument of MAIL.
    pub mail_from: Vec<u8>,
    /// The arguments of RCPT.
    pub recipients: Vec<Vec<u8>>,
    /// The header section, without the empty line after it.
    pub section: Vec<u8>,
    /// The body.
    pub body: Vec<u8>,
}

/// The form of the file; another one is another mark.
const MARK: &[u8; 8] = b"ZI2SNAP1";

const HASH_OCTETS: usize = 32;

impl Snapshot {
    /// Octets of the parts.
    pub(super) fn octets(&self) -> usize {
        let recipients: usize = self.recipients.iter().map(Vec::len).sum();
        [self.mail_from.len(), recipients, self.section.len(), self.body.len()].into_iter().sum()
    }

    /// As a file holds it.
    pub(super) fn to_octets(&self) -> Vec<u8> {
        let mut rest = self.received.secs().to_be_bytes().to_vec();
        let count = u32::try_from(self.recipients.len()).unwrap_or(u32::MAX);
        push(&mut rest, &self.mail_from);
        rest.extend(count.to_be_bytes());
        self.recipients.iter().for_each(|recipient| push(&mut rest, recipient));
        push(&mut rest, &self.section);
        push(&mut rest, &self.body);
        [MARK, digest(&SHA256, &rest).as_ref(), &rest].concat()
    }

    /// Read from a file; nothing unless it is there as it was written.
    pub(super) fn of_octets(octets: &[u8]) -> Option<Snapshot> {
        let (hash, rest) = octets.strip_prefix(MARK)?.split_at_checked(HASH_OCTETS)?;
        if digest(&SHA256, rest).as_ref() != hash {
            return None;
        }
        let (seconds, mut rest) = rest.split_first_chunk()?;
        let received = Timestamp::from_secs(u64::from_be_bytes(*seconds));
        let mail_from = part(&mut rest)?;
        let count = number(&mut rest)?;
        let recipients = (0..count).map(|_| part(&mut rest)).collect::<Option<_>>()?;
        let (section, body) = (part(&mut rest)?, part(&mut rest)?);
        rest.is_empty().then_some(Snapshot { received, mail_from, recipients, section, body })
    }

    /// The most octets a file may have.
    pub(super) const FILE_OCTETS: usize = limits::SNAPSHOT_OCTETS * 2;
}

fn push(to: &mut Vec<u8>, part: &[u8]) {
    let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
    to.extend(length.to_be_bytes());
    to.extend_from_slice(part);
}

fn number(from: &mut &[u8]) -> Option<u32> {
    let (number, rest) = from.split_first_chunk()?;
    *from = rest;
    Some(u32::from_be_bytes(*number))
}

fn part(from: &mut &[u8]) -> Option<Vec<u8>> {
    let length = usize::try_from(number(from)?).ok()?;
    let (part, rest) = from.split_at_checked(length)?;
    *from = rest;
    Some(part.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(recipients: &[&str]) -> Snapshot {
        Snapshot {
            received: Timestamp::from_secs(1_777_400_000),
            mail_from: b"<a@example.com>".to_vec(),
            recipients: recipients.iter().map(|recipient| recipient.as_bytes().to_vec()).collect(),
            section: b"From: a@example.com\r\n".to_vec(),
            body: b"\0\xff\r\n".to_vec(),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for recipients in [&[][..], &["<b@example.org>"], &["<b@example.org>", ""]] {
            let snapshot = snapshot(recipients);
            assert_eq!(Snapshot::of_octets(&snapshot.to_octets()), Some(snapshot));
        }
    }

    #[test]
    fn nothing_else_is() {
        let octets = snapshot(&["<b@example.org>"]).to_octets();
        for end in 0..octets.len() {
            assert_eq!(Snapshot::of_octets(&octets[..end]), None, "torn at {end}");
        }
        for at in 0..octets.len() {
            let mut changed = octets.clone();
            changed[at] ^= 1;
            assert_eq!(Snapshot::of_octets(&changed), None, "changed at {at}");
        }
        assert_eq!(Snapshot::of_octets(&[octets.as_slice(), b"x"].concat()), None);
    }
}
