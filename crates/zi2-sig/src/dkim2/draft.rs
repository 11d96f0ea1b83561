//! What differs between drafts of DKIM2: one table. Everything else in this room holds for all of them.

use super::Status;

/// A draft of draft-ietf-dkim-dkim2-spec whose rules are followed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Draft {
    /// draft -08, the newest of which there are public vectors.
    #[default]
    D08,
    /// draft -09, as far as its changes are known.
    D09,
}

/// One row of the table.
pub(super) struct Rules {
    number: &'static str,
    /// Names of fields that are not signed, in lower case.
    unsigned: &'static [&'static str],
    /// The same for the start of a name.
    unsigned_starts: &'static [&'static str],
    /// What it is when an earlier body cannot be made again.
    pub(super) null_body: Status,
}

/// § -08 (section 5 of the digest): what relays add, and what they may change.
const UNSIGNED: &[&str] = &[
    "apparently-to",
    "arc-authentication-results",
    "arc-message-signature",
    "arc-seal",
    "authentication-results",
    "delivered-to",
    "dkim-signature",
    "dkim2-signature",
    "dl-expansion-history",
    "message-instance",
    "original-recipient",
    "received",
    "return-path",
    "sio-label-history",
    "x400-received",
    "x400-trace",
];
const UNSIGNED_STARTS: &[&str] = &["received-", "x-"];

static D08: Rules =
    Rules { number: "08", unsigned: UNSIGNED, unsigned_starts: UNSIGNED_STARTS, null_body: Status::Fail };

static D09: Rules =
    Rules { number: "09", unsigned: UNSIGNED, unsigned_starts: UNSIGNED_STARTS, null_body: Status::PermError };

impl Draft {
    /// The drafts there are, the oldest first.
    pub const ALL: [Draft; 2] = [Draft::D08, Draft::D09];

    /// The draft of this number, two digits.
    pub fn parse(number: &str) -> Option<Draft> {
        Draft::ALL.into_iter().find(|draft| draft.number() == number)
    }

    /// Its number, two digits.
    pub fn number(self) -> &'static str {
        self.rules().number
    }

    /// Whether fields of this name are covered by the hashes of a Message-Instance; letter case does not count.
    pub fn signs(self, name: &[u8]) -> bool {
        let rules = self.rules();
        let is = |other: &&str| name.eq_ignore_ascii_case(other.as_bytes());
        let starts =
            |start: &&str| name.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start.as_bytes()));
        !rules.unsigned.iter().any(is) && !rules.unsigned_starts.iter().any(starts)
    }

    pub(super) fn rules(self) -> &'static Rules {
        match self {
            Draft::D08 => &D08,
            Draft::D09 => &D09,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (name, signed) in [
            ("From", true),
            ("Bcc", true),
            ("List-Id", true),
            ("Auto-Submitted", true),
            ("VBR-Info", true),
            ("ReceivedX", true),
            ("ARC-Other", true),
            ("X", true),
            ("X400-Other", true),
            ("RECEIVED", false),
            ("Received-SPF", false),
            ("X-Any", false),
            ("x-", false),
            ("X400-Trace", false),
            ("Message-Instance", false),
            ("DKIM2-Signature", false),
        ] {
            for draft in Draft::ALL {
                assert_eq!(draft.signs(name.as_bytes()), signed, "{name}");
            }
        }
        assert_eq!(Draft::ALL.map(|draft| Draft::parse(draft.number())), Draft::ALL.map(Some));
        assert_eq!(Draft::parse("8"), None);
    }
}
