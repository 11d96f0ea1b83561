//! The sets of a chain: three fields each, numbered without a gap (RFC 8617 §4).

use zi2_mail::{Field, Header, TagList};
use zi2_sig::dkim::{ChainClaim, Seal, SignatureField};

use super::chain::{Broken, FieldKind, Hop, Reason};
use super::words::{AuthResults, split_instance};
use crate::limits;

/// One complete set.
pub(super) struct Set<'h> {
    pub(super) instance: u8,
    pub(super) results: Field<'h>,
    pub(super) message: Field<'h>,
    pub(super) seal: Field<'h>,
}

/// The fields found for one number.
#[derive(Clone, Copy, Default)]
struct Slot<'h> {
    fields: [Option<Field<'h>>; 3],
}

/// The sets of a header section, the oldest first. Empty: there is no ARC field.
///
/// § RFC 8617 §5.2 step 3: for each number up to the highest there is one field of each kind.
pub(super) fn gather<'h>(header: &'h Header<'_>) -> Result<Vec<Set<'h>>, Broken> {
    let mut slots: Vec<Slot<'h>> = Vec::new();
    for field in header.fields() {
        let Some(kind) = FieldKind::of(field.name()) else { continue };
        let instance = usize::from(instance(kind, field.value())?);
        if slots.len() < instance {
            slots.resize(instance, Slot::default());
        }
        let place = slots.get_mut(instance - 1).and_then(|slot| slot.fields.get_mut(kind.place()));
        if place.is_some_and(|place| place.replace(field).is_some()) {
            return Err(Broken::Duplicate(kind));
        }
    }
    (1..).zip(slots).map(|(instance, slot)| slot.complete(instance)).collect()
}

impl<'h> Slot<'h> {
    fn complete(self, instance: u8) -> Result<Set<'h>, Broken> {
        match self.fields {
            [Some(results), Some(message), Some(seal)] => Ok(Set { instance, results, message, seal }),
            [None, ..] => Err(Broken::Missing(FieldKind::Results, instance)),
            [_, None, _] => Err(Broken::Missing(FieldKind::Message, instance)),
            [.., None] => Err(Broken::Missing(FieldKind::Seal, instance)),
        }
    }
}

/// The number of a field's set.
fn instance(kind: FieldKind, value: &[u8]) -> Result<u8, Broken> {
    let digits = match kind {
        FieldKind::Results => split_instance(value).map(|(digits, _)| digits.to_vec()),
        FieldKind::Message | FieldKind::Seal => {
            TagList::parse(value).ok().and_then(|tags| tags.get("i")).map(|tag| tag.value().to_vec())
        }
    };
    let text = digits.and_then(|digits| String::from_utf8(digits).ok());
    let all_digits = text.filter(|text| !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit()));
    let number = all_digits.ok_or(Broken::Instance(kind))?.parse::<u8>().unwrap_or(u8::MAX);
    match number {
        0 => Err(Broken::Instance(kind)),
        // § RFC 8617 §5.2 step 1: a chain of more than 50 sets fails
        number if number > limits::ARC_SETS => Err(Broken::TooManySets),
        number => Ok(number),
    }
}

impl Set<'_> {
    /// What a set must say of the chain before it; `age` is 0 for the newest.
    pub(super) fn check(&self, seal: &Seal, message: Option<&SignatureField>, age: usize) -> Result<(), Reason> {
        // § RFC 8617 §5.2 step 2: what the newest sealer gave up as broken stays so
        if age == 0 && seal.claim() == ChainClaim::Fail {
            return Err(Reason::SealedAsBroken);
        }
        // § RFC 8617 §5.2 step 3: cv=none in the first set, cv=pass in all others
        let wanted = if self.instance == 1 { ChainClaim::None } else { ChainClaim::Pass };
        if seal.claim() != wanted {
            return Err(Reason::Broken(Broken::Claim(self.instance)));
        }
        // § RFC 8617 §4.1.2: the message signature covers no seal
        match message.is_some_and(|message| message.covered().any(|name| name == FieldKind::Seal.name())) {
            true => Err(Reason::Broken(Broken::SealCovered(self.instance))),
            false => Ok(()),
        }
    }

    /// What is known of the handler, if its seal turns out to be good.
    pub(super) fn hop(&self, seal: &Seal, message: Option<&SignatureField>) -> Hop {
        Hop {
            instance: self.instance,
            sealer: seal.domain().clone(),
            signer: message.map(|message| message.domain().clone()),
            results: split_instance(self.results.value()).and_then(|(_, rest)| AuthResults::parse(rest)),
        }
    }
}
