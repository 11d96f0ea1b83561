//! What a session shows the program. Macros are looked up beside an event and are none themselves.

use super::macros::Macros;
use crate::codec::{Command, Connect, Envelope};
use crate::negotiation::Negotiated;

/// An event with the macros in force.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// What happened.
    pub event: Event<'a>,
    /// What the MTA told so far about connection and message.
    pub macros: &'a Macros,
}

/// One step of the conversation. All octets are borrowed and gone at the next event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event<'a> {
    /// The negotiation is done.
    Negotiated(Negotiated),
    /// A client of the MTA; again after QUIT_NC.
    Connected(Connect<'a>),
    /// HELO or EHLO; again after STARTTLS.
    Helo(&'a [u8]),
    /// A message begins.
    MailFrom(Envelope<'a>),
    /// A recipient.
    RcptTo(Envelope<'a>),
    /// DATA; old MTAs do not send it.
    Data,
    /// A header field: value as after the colon, folds with bare LF.
    Header {
        /// The name.
        name: &'a [u8],
        /// The value.
        value: &'a [u8],
    },
    /// The header section is complete.
    EndOfHeaders,
    /// Octets of the body, cut anywhere, also between CR and LF.
    Body(&'a [u8]),
    /// The message is complete and the MTA waits for the answer.
    EndOfMessage,
    /// The message was given up.
    Aborted,
    /// The MTA is done with the connection; an open message is given up.
    Closed,
}

impl<'a> Event<'a> {
    /// The event of a command; none for what a session deals with itself.
    pub(super) fn of(command: Command<'a>) -> Option<Event<'a>> {
        Some(match command {
            Command::Connect(connect) => Event::Connected(connect),
            Command::Helo(name) => Event::Helo(name),
            Command::Mail(envelope) => Event::MailFrom(envelope),
            Command::Rcpt(envelope) => Event::RcptTo(envelope),
            Command::Data => Event::Data,
            Command::Header { name, value } => Event::Header { name, value },
            Command::EndOfHeaders => Event::EndOfHeaders,
            Command::Body(chunk) => Event::Body(chunk),
            Command::EndOfMessage(_) => Event::EndOfMessage,
            Command::Abort | Command::QuitNewConnection => Event::Aborted,
            Command::Quit => Event::Closed,
            Command::OptNeg(_) | Command::Macros(_) | Command::Unknown(_) => return None,
        })
    }
}
