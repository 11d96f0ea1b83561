//! The negotiation: what the program wishes, what the MTA offers, what holds. Everything offered that saves replies is taken.

use crate::codec::{Actions, CommandKind, OptNeg, Protocol};

/// What a program wants from the MTA. Replies, skipping and exact header values are always asked for.
#[derive(Clone, Debug)]
pub struct Wishes {
    /// Actions without which the program cannot work; an MTA that lacks one is refused.
    pub needed: Actions,
    /// Actions it can do without.
    pub welcome: Actions,
    /// Commands the MTA need not send.
    pub unwanted: Vec<Unwanted>,
    /// Macro names per stage, in the form `i` or `{auth_authen}`; a stage not listed keeps the MTA's own choice.
    pub macros: Vec<(SymbolStage, Vec<&'static str>)>,
}

impl Wishes {
    /// For a filter that reads whole messages and edits headers.
    pub fn header_edits() -> Wishes {
        Wishes {
            needed: Actions::ADD_HEADERS.with(Actions::CHANGE_HEADERS),
            welcome: Actions::NONE,
            unwanted: vec![Unwanted::Unknown],
            macros: Vec::new(),
        }
    }
}

/// A command a program can live without. The others make up a message and always come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unwanted {
    /// HELO.
    Helo,
    /// RCPT.
    Rcpt,
    /// DATA.
    Data,
    /// The body.
    Body,
    /// Unknown SMTP commands.
    Unknown,
}

/// A stage for which macros can be asked (SMFIM_*).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SymbolStage {
    /// At CONNECT.
    Connect,
    /// At HELO.
    Helo,
    /// At MAIL.
    Mail,
    /// At RCPT.
    Rcpt,
    /// At DATA.
    Data,
    /// At the end of message.
    EndOfMessage,
    /// At the end of headers.
    EndOfHeaders,
}

/// What an MTA does with the space after the colon of a header field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LeadingSpace {
    /// Values come and go exactly as after the colon.
    Kept,
    /// One leading space was taken from each value we see (`X:v` and `X: v` look the same), and the MTA puts one
    /// into each field we add.
    Lost,
}

/// What holds on a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Negotiated {
    /// Protocol version, 2 to 6.
    pub version: u32,
    /// Actions that may be used.
    pub actions: Actions,
    /// Protocol steps that hold.
    pub protocol: Protocol,
}

/// An MTA we cannot work with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NegotiationError {
    /// Older than version 2.
    #[error("the MTA speaks milter protocol version {0}; versions 2 to 6 and later are understood")]
    Version(u32),
    /// A needed action is missing.
    #[error("the MTA does not allow {missing:?}, which is needed; allow header changes in its milter settings")]
    Action {
        /// What is missing.
        missing: Actions,
    },
}

const VERSION: u32 = 6;
const OLDEST_VERSION: u32 = 2;

impl Negotiated {
    /// Takes from an offer what the program wishes.
    ///
    /// # Errors
    /// [`NegotiationError`] for too old an MTA and for one without a needed action.
    pub fn from_offer(wishes: &Wishes, offer: OptNeg) -> Result<Negotiated, NegotiationError> {
        if offer.version < OLDEST_VERSION {
            return Err(NegotiationError::Version(offer.version));
        }
        let needed = wishes.needed.and(Actions::USABLE);
        let missing = needed.without(offer.actions);
        if missing != Actions::NONE {
            return Err(NegotiationError::Action { missing });
        }
        let symbols = if wishes.macros.is_empty() { Actions::NONE } else { Actions::REQUEST_MACROS };
        let wanted = needed.with(wishes.welcome).with(symbols).and(Actions::USABLE);
        Ok(Negotiated {
            version: offer.version.min(VERSION),
            actions: wanted.and(offer.actions),
            protocol: wanted_protocol(&wishes.unwanted).and(offer.protocol),
        })
    }

    /// What becomes of the space after the colon.
    pub fn leading_space(&self) -> LeadingSpace {
        if self.protocol.contains(Protocol::LEADING_SPACE) { LeadingSpace::Kept } else { LeadingSpace::Lost }
    }

    /// Whether the MTA waits for an answer to this command.
    pub fn is_answered(&self, command: CommandKind) -> bool {
        let no_reply = match command {
            CommandKind::Connect => Protocol::NR_CONNECT,
            CommandKind::Helo => Protocol::NR_HELO,
            CommandKind::Mail => Protocol::NR_MAIL,
            CommandKind::Rcpt => Protocol::NR_RCPT,
            CommandKind::Data => Protocol::NR_DATA,
            CommandKind::Unknown => Protocol::NR_UNKNOWN,
            CommandKind::Header => Protocol::NR_HEADER,
            CommandKind::EndOfHeaders => Protocol::NR_END_OF_HEADERS,
            CommandKind::Body => Protocol::NR_BODY,
            CommandKind::OptNeg | CommandKind::EndOfMessage => return true,
            CommandKind::Macros | CommandKind::Abort | CommandKind::Quit | CommandKind::QuitNewConnection => {
                return false;
            }
        };
        !self.protocol.contains(no_reply)
    }

    /// Whether the MTA sends this command at all.
    pub(crate) fn is_sent(&self, command: CommandKind) -> bool {
        let left_out = match command {
            CommandKind::Connect => Protocol::NO_CONNECT,
            CommandKind::Helo => Protocol::NO_HELO,
            CommandKind::Mail => Protocol::NO_MAIL,
            CommandKind::Rcpt => Protocol::NO_RCPT,
            CommandKind::Data => Protocol::NO_DATA,
            CommandKind::Unknown => Protocol::NO_UNKNOWN,
            CommandKind::Header => Protocol::NO_HEADERS,
            CommandKind::EndOfHeaders => Protocol::NO_END_OF_HEADERS,
            CommandKind::Body => Protocol::NO_BODY,
            _ => return true,
        };
        !self.protocol.contains(left_out)
    }

    /// Whether Skip may answer a body chunk.
    pub(crate) fn can_skip(&self) -> bool {
        self.protocol.contains(Protocol::SKIP)
    }

    /// The twelve octets of our answer.
    pub(crate) fn answer(self) -> OptNeg {
        OptNeg { version: self.version, actions: self.actions, protocol: self.protocol }
    }

    /// The macro requests of our answer: none where they were not offered.
    pub(crate) fn requests(self, wishes: &Wishes) -> Vec<(SymbolStage, String)> {
        if !self.actions.contains(Actions::REQUEST_MACROS) {
            return Vec::new();
        }
        wishes.macros.iter().map(|(stage, names)| (*stage, names.join(" "))).collect()
    }
}

impl LeadingSpace {
    /// The part of an exact value to send: the MTA may put the space itself.
    pub(crate) fn on_the_wire(self, value: &[u8]) -> &[u8] {
        match self {
            LeadingSpace::Kept => value,
            LeadingSpace::Lost => value.strip_prefix(b" ").unwrap_or(value),
        }
    }
}

impl SymbolStage {
    /// The number on the wire (SMFIM_*).
    pub const fn number(self) -> u32 {
        match self {
            SymbolStage::Connect => 0,
            SymbolStage::Helo => 1,
            SymbolStage::Mail => 2,
            SymbolStage::Rcpt => 3,
            SymbolStage::Data => 4,
            SymbolStage::EndOfMessage => 5,
            SymbolStage::EndOfHeaders => 6,
        }
    }
}

impl Unwanted {
    const fn flag(self) -> Protocol {
        match self {
            Unwanted::Helo => Protocol::NO_HELO,
            Unwanted::Rcpt => Protocol::NO_RCPT,
            Unwanted::Data => Protocol::NO_DATA,
            Unwanted::Body => Protocol::NO_BODY,
            Unwanted::Unknown => Protocol::NO_UNKNOWN,
        }
    }
}

/// Everything that saves round trips, exact header values, and the wishes.
fn wanted_protocol(unwanted: &[Unwanted]) -> Protocol {
    let always = Protocol::NO_REPLIES.with(Protocol::SKIP).with(Protocol::LEADING_SPACE);
    unwanted.iter().fold(always, |flags, wish| flags.with(wish.flag()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers() {
        let all = OptNeg::VERSION_6;
        let old = OptNeg { version: 2, actions: Actions::from_bits(0x1f), protocol: Protocol::from_bits(0x7f) };
        let newer = OptNeg { version: 9, ..all };
        let poor = OptNeg { actions: Actions::ADD_HEADERS, ..all };
        let dead = OptNeg { version: 1, ..all };
        let table = [
            (all, Ok((6, 0x11, 0x1f_f580, LeadingSpace::Kept))),
            (newer, Ok((6, 0x11, 0x1f_f580, LeadingSpace::Kept))),
            (old, Ok((2, 0x11, 0, LeadingSpace::Lost))),
            (poor, Err(NegotiationError::Action { missing: Actions::CHANGE_HEADERS })),
            (dead, Err(NegotiationError::Version(1))),
        ];
        for (offer, expected) in table {
            let got = Negotiated::from_offer(&Wishes::header_edits(), offer);
            let got = got.map(|n| (n.version, n.actions.bits(), n.protocol.bits(), n.leading_space()));
            assert_eq!(got, expected, "{offer:?}");
        }
    }

    #[test]
    fn macros_are_asked_for_only_where_offered() {
        let macros = vec![(SymbolStage::Mail, vec!["i", "{auth_type}"])];
        let wishes = Wishes { macros, ..Wishes::header_edits() };
        let without = OptNeg { actions: Actions::from_bits(0xff), ..OptNeg::VERSION_6 };
        for (offer, expected) in
            [(OptNeg::VERSION_6, vec![(SymbolStage::Mail, "i {auth_type}".to_owned())]), (without, vec![])]
        {
            let negotiated = Negotiated::from_offer(&wishes, offer).unwrap();
            assert_eq!(negotiated.requests(&wishes), expected);
        }
    }

    #[test]
    fn only_flags_granted_silence_us() {
        let granted = |bits| Negotiated { version: 6, actions: Actions::NONE, protocol: Protocol::from_bits(bits) };
        let never = [CommandKind::Macros, CommandKind::Abort, CommandKind::Quit, CommandKind::QuitNewConnection];
        for kind in CommandKind::ALL {
            assert_eq!(granted(0).is_answered(*kind), !never.contains(kind), "{kind:?}");
            let always = matches!(kind, CommandKind::OptNeg | CommandKind::EndOfMessage);
            assert_eq!(granted(Protocol::NO_REPLIES.bits()).is_answered(*kind), always, "{kind:?}");
        }
    }
}
