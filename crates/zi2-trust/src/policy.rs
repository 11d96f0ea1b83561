//! What a domain says of itself at `_zi2policy` (zi2.md §9), and what DMARC says of a message.

use zi2_chain::dmarc::{DmarcResult, Outcome};
use zi2_mail::TagList;

/// The policy a domain publishes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PublishedPolicy {
    /// It publishes none, or it was not asked.
    Nothing,
    /// It tries certification out: never marks.
    Monitor,
    /// All its mail is certified.
    Enforce,
}

impl PublishedPolicy {
    /// The policy among the TXT records of `_zi2policy.<domain>`. Two policy records, or one that cannot be read, are none:
    /// a domain's mistake must not mark its mail.
    pub fn of_records<'a>(records: impl IntoIterator<Item = &'a [u8]>) -> PublishedPolicy {
        let mut found = records.into_iter().filter_map(PublishedPolicy::parse);
        match (found.next(), found.next()) {
            (Some(policy), None) => policy,
            _ => PublishedPolicy::Nothing,
        }
    }

    fn parse(txt: &[u8]) -> Option<PublishedPolicy> {
        let tags = TagList::parse(txt).ok()?;
        tags.first().filter(|v| v.name() == "v" && v.value() == b"ZI2POL1")?;
        Some(match tags.get("p")?.value() {
            b"enforce" => PublishedPolicy::Enforce,
            b"monitor" => PublishedPolicy::Monitor,
            _ => PublishedPolicy::Nothing,
        })
    }
}

/// DMARC's result for the message, as far as known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dmarc {
    /// It was not evaluated.
    Unknown,
    /// The From domain is aligned.
    Pass,
    /// It is not.
    Fail,
}

impl Dmarc {
    /// As far as it counts here: without a policy, or after an error, DMARC says nothing of the message.
    pub fn of(result: Option<&DmarcResult>) -> Dmarc {
        match result.map(|dmarc| dmarc.outcome) {
            Some(Outcome::Pass) => Dmarc::Pass,
            Some(Outcome::Fail) => Dmarc::Fail,
            Some(Outcome::None | Outcome::TempError | Outcome::PermError) | None => Dmarc::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records() {
        let of = |records: &[&'static str]| PublishedPolicy::of_records(records.iter().map(|r| r.as_bytes()));
        assert_eq!(of(&["v=spf1 -all", "v=ZI2POL1; p=enforce"]), PublishedPolicy::Enforce);
        assert_eq!(of(&["v=ZI2POL1; p=monitor;"]), PublishedPolicy::Monitor);
        for nothing in [
            &[][..],
            &["v=ZI2POL1; p=enforce", "v=ZI2POL1; p=enforce"],
            &["p=enforce; v=ZI2POL1"],
            &["v=ZI2POL1; p=reject"],
        ] {
            assert_eq!(of(nothing), PublishedPolicy::Nothing, "{nothing:?}");
        }
    }
}
