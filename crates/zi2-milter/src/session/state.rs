//! The order of commands, as one table. It sees kinds only, never payloads.

use crate::codec::CommandKind;

/// Where a conversation stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Before the negotiation.
    Start,
    /// After it, before a client (and again after QUIT_NC).
    Negotiated,
    /// A client, no message.
    Idle,
    /// After MAIL.
    Mail,
    /// After a RCPT.
    Rcpt,
    /// After DATA.
    Data,
    /// Inside the header section.
    Headers,
    /// After the header section.
    EndOfHeaders,
    /// Inside the body.
    Body,
    /// The MTA waits for the verdict.
    Ending,
    /// After QUIT.
    Closed,
}

/// What a command does to the state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Move {
    /// Next state, perhaps the same.
    To(State),
    /// The message is given up without ABORT; then the command is looked at again in [`State::Idle`].
    GiveUp,
    /// Not now: the MTA broke the order.
    Refuse,
}

impl State {
    /// Every state.
    #[cfg(test)]
    pub(crate) const ALL: [State; 11] = [
        State::Start,
        State::Negotiated,
        State::Idle,
        State::Mail,
        State::Rcpt,
        State::Data,
        State::Headers,
        State::EndOfHeaders,
        State::Body,
        State::Ending,
        State::Closed,
    ];

    /// Whether a message is open.
    pub fn in_message(self) -> bool {
        !matches!(self, State::Start | State::Negotiated | State::Idle | State::Closed)
    }

    /// The table. DATA may be missing (old MTAs, or not wished), RCPT too; the end of headers never is.
    pub(crate) fn after(self, command: CommandKind) -> Move {
        use CommandKind as C;
        use State as S;
        match (self, command) {
            (S::Closed, _) => Move::Refuse,
            (_, C::Quit) => Move::To(S::Closed),
            (S::Start, C::OptNeg) => Move::To(S::Negotiated),
            (S::Start, _) | (_, C::OptNeg) => Move::Refuse,
            (_, C::QuitNewConnection) => Move::To(S::Negotiated),
            (S::Negotiated, C::Abort) => Move::To(S::Negotiated),
            (_, C::Abort) => Move::To(S::Idle),
            (S::Ending, _) => Move::Refuse,
            (same, C::Macros) => Move::To(same),
            (S::Negotiated, C::Connect) => Move::To(S::Idle),
            (S::Idle, C::Helo) => Move::To(S::Idle),
            (S::Idle, C::Mail) => Move::To(S::Mail),
            // A client that starts over: some MTAs leave ABORT out, and libmilter bears with it.
            (S::Mail | S::Rcpt | S::Data, C::Helo | C::Mail) => Move::GiveUp,
            (S::Mail | S::Rcpt, C::Rcpt) => Move::To(S::Rcpt),
            (S::Mail | S::Rcpt, C::Data) => Move::To(S::Data),
            (S::Mail | S::Rcpt | S::Data | S::Headers, C::Header) => Move::To(S::Headers),
            (S::Mail | S::Rcpt | S::Data | S::Headers, C::EndOfHeaders) => Move::To(S::EndOfHeaders),
            (S::EndOfHeaders | S::Body, C::Body) => Move::To(S::Body),
            (S::EndOfHeaders | S::Body, C::EndOfMessage) => Move::To(S::Ending),
            (same @ (S::Idle | S::Mail | S::Rcpt), C::Unknown) => Move::To(same),
            _ => Move::Refuse,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One row per state, one column per command. Letters: the next state; `!` refused; `~` given up; `.` the same.
    #[test]
    fn all_pairs() {
        let letter = |state| "SNIMRDHEBFC".chars().nth(State::ALL.iter().position(|s| *s == state).unwrap()).unwrap();
        let columns = "ODCHMRTLNBEAQKU";
        let table = [
            (State::Start, "N!!!!!!!!!!!C!!"),
            (State::Negotiated, "!.I!!!!!!!!.C.!"),
            (State::Idle, "!.!.M!!!!!!.CN."),
            (State::Mail, "!.!~~RDHE!!ICN."),
            (State::Rcpt, "!.!~~.DHE!!ICN."),
            (State::Data, "!.!~~!!HE!!ICN!"),
            (State::Headers, "!.!!!!!.E!!ICN!"),
            (State::EndOfHeaders, "!.!!!!!!!BFICN!"),
            (State::Body, "!.!!!!!!!.FICN!"),
            (State::Ending, "!!!!!!!!!!!ICN!"),
            (State::Closed, "!!!!!!!!!!!!!!!"),
        ];
        assert_eq!(table.map(|(state, _)| state), State::ALL);
        for (state, row) in table {
            for (octet, expected) in columns.bytes().zip(row.chars()) {
                let got = match state.after(CommandKind::from_octet(octet).unwrap()) {
                    Move::Refuse => '!',
                    Move::GiveUp => '~',
                    Move::To(next) if next == state => '.',
                    Move::To(next) => letter(next),
                };
                assert_eq!(got, expected, "{state:?} {}", char::from(octet));
            }
        }
    }
}
