//! What we say to the MTA. Shutdown, replaced bodies and envelope changes have no variant, so none can be sent.

use std::num::NonZeroU32;

use super::command::OptNeg;
use super::edit::{Edits, HeaderName, HeaderValue};
use super::frame::write_frame;
use crate::limits;
use crate::negotiation::{LeadingSpace, SymbolStage};

/// A text for the SMTP client or the queue that cannot be sent; the program is at fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TextError {
    /// Not 4xx or 5xx, or the enhanced code is of the other class (RFC 3463 §3).
    #[error("an SMTP reply code of a filter is 400 to 599, with an enhanced code of the same class")]
    Code,
    /// Something other than printable ASCII and spaces.
    #[error("the text must be printable ASCII on one line")]
    Octet,
    /// Empty, or longer than one SMTP reply line.
    #[error("the text is empty or makes a line longer than {} octets", limits::REPLY_LINE)]
    Length,
}

/// An SMTP reply of our own: `550 5.7.1 text`. One line of printable ASCII.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReplyCode(Box<str>);

impl ReplyCode {
    /// Makes a reply from a code, an enhanced code and a text.
    ///
    /// # Errors
    /// [`TextError`] for what a client could not read.
    pub fn new(code: u16, enhanced: (u16, u16, u16), text: &str) -> Result<ReplyCode, TextError> {
        let (class, subject, detail) = enhanced;
        if !(400..600).contains(&code) || code / 100 != class || subject > 999 || detail > 999 {
            return Err(TextError::Code);
        }
        let line = format!("{code} {class}.{subject}.{detail} {}", Reason::new(text)?.0);
        if line.len() > limits::REPLY_LINE {
            return Err(TextError::Length);
        }
        Ok(ReplyCode(line.into()))
    }

    /// The line as the client sees it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a message is held, for the operator of the queue. One line of printable ASCII.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reason(Box<str>);

impl Reason {
    /// Takes a text.
    ///
    /// # Errors
    /// [`TextError`] for line ends, control and 8-bit octets, empty and overlong texts.
    pub fn new(text: &str) -> Result<Reason, TextError> {
        if text.is_empty() || text.len() > limits::REPLY_LINE {
            return Err(TextError::Length);
        }
        let printable = text.bytes().all(|octet| matches!(octet, b' '..=b'~'));
        if printable { Ok(Reason(text.into())) } else { Err(TextError::Octet) }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What becomes of a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Goes on to delivery.
    Accept,
    /// Refused for good (5xx).
    Reject,
    /// Refused for now (4xx).
    TempFail,
    /// Taken and thrown away.
    Discard,
    /// Refused with a reply of our own.
    Reply(ReplyCode),
}

/// The answer at end of message. Edits and quarantine are only sent with [`Verdict::Accept`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// Header edits.
    pub edits: Edits,
    /// Hold the message, and why.
    pub quarantine: Option<Reason>,
    /// What becomes of it.
    pub verdict: Verdict,
}

impl From<Verdict> for Outcome {
    fn from(verdict: Verdict) -> Outcome {
        Outcome { edits: Edits::new(), quarantine: None, verdict }
    }
}

/// One frame to the MTA.
#[derive(Clone, Copy, Debug)]
pub enum Reply<'a> {
    /// Go on.
    Continue,
    /// No more of this message.
    Accept,
    /// Refuse for good.
    Reject,
    /// Refuse for now.
    TempFail,
    /// Throw away.
    Discard,
    /// Refuse with this line.
    ReplyCode(&'a ReplyCode),
    /// No more body chunks.
    Skip,
    /// We are still at it.
    Progress,
    /// Field at the end of the header.
    AddHeader {
        /// Field name.
        name: &'a HeaderName,
        /// Its value.
        value: &'a HeaderValue,
    },
    /// Field at a place from the top.
    InsertHeader {
        /// The place; 0 is above everything.
        index: u32,
        /// Field name.
        name: &'a HeaderName,
        /// Its value.
        value: &'a HeaderValue,
    },
    /// Another value for a field.
    ChangeHeader {
        /// Field name.
        name: &'a HeaderName,
        /// Which one of that name, from 1.
        occurrence: NonZeroU32,
        /// Its value.
        value: &'a HeaderValue,
    },
    /// A field goes.
    DeleteHeader {
        /// Field name.
        name: &'a HeaderName,
        /// Which one of that name, from 1.
        occurrence: NonZeroU32,
    },
    /// Hold the message. Not final.
    Quarantine(&'a Reason),
    /// The answer to the negotiation.
    OptNeg {
        /// What we take.
        answer: OptNeg,
        /// Macro names wanted per stage; none leaves the MTA's own choice.
        macros: &'a [(SymbolStage, String)],
    },
}

impl Reply<'_> {
    /// Appends the frame. Where the MTA puts a space after the colon itself, ours is taken off.
    pub fn encode(&self, space: LeadingSpace, out: &mut Vec<u8>) {
        let plain = |value: &'_ HeaderValue| space.on_the_wire(value.as_octets()).to_vec();
        match self {
            Reply::Continue => write_frame(out, b'c', &[]),
            Reply::Accept => write_frame(out, b'a', &[]),
            Reply::Reject => write_frame(out, b'r', &[]),
            Reply::TempFail => write_frame(out, b't', &[]),
            Reply::Discard => write_frame(out, b'd', &[]),
            Reply::Skip => write_frame(out, b's', &[]),
            Reply::Progress => write_frame(out, b'p', &[]),
            // The MTA takes a percent sign for the start of a format.
            Reply::ReplyCode(code) => write_frame(out, b'y', &[code.0.replace('%', "%%").as_bytes(), b"\0"]),
            Reply::Quarantine(reason) => write_frame(out, b'q', &[reason.0.as_bytes(), b"\0"]),
            Reply::AddHeader { name, value } => {
                write_frame(out, b'h', &[name.as_octets(), b"\0", &plain(value), b"\0"]);
            }
            Reply::InsertHeader { index, name, value } => {
                let index = index.to_be_bytes();
                write_frame(out, b'i', &[&index, name.as_octets(), b"\0", &plain(value), b"\0"]);
            }
            Reply::ChangeHeader { name, occurrence, value } => {
                let index = occurrence.get().to_be_bytes();
                write_frame(out, b'm', &[&index, name.as_octets(), b"\0", &plain(value), b"\0"]);
            }
            Reply::DeleteHeader { name, occurrence } => {
                write_frame(out, b'm', &[&occurrence.get().to_be_bytes(), name.as_octets(), b"\0\0"]);
            }
            Reply::OptNeg { answer, macros } => opt_neg(*answer, macros, out),
        }
    }
}

impl Verdict {
    /// The reply that ends a message. Accepting is Continue on the wire: it means the same at the end of a message,
    /// and no MTA can take it for the messages after it.
    pub(crate) fn final_reply(&self) -> Reply<'_> {
        match self {
            Verdict::Accept => Reply::Continue,
            other => other.early_reply(),
        }
    }

    /// The reply that ends a message before its end.
    pub(crate) fn early_reply(&self) -> Reply<'_> {
        match self {
            Verdict::Accept => Reply::Accept,
            Verdict::Reject => Reply::Reject,
            Verdict::TempFail => Reply::TempFail,
            Verdict::Discard => Reply::Discard,
            Verdict::Reply(code) => Reply::ReplyCode(code),
        }
    }
}

fn opt_neg(answer: OptNeg, macros: &[(SymbolStage, String)], out: &mut Vec<u8>) {
    let mut payload = answer.octets().to_vec();
    for (stage, names) in macros {
        payload.extend_from_slice(&stage.number().to_be_bytes());
        payload.extend_from_slice(names.as_bytes());
        payload.push(0);
    }
    write_frame(out, b'O', &[&payload]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use LeadingSpace::{Kept, Lost};

    #[test]
    fn every_reply_on_the_wire() {
        let (name, value) = (&HeaderName::new("X-A").unwrap(), &HeaderValue::new(" v\n w").unwrap());
        let (code, reason) = (&ReplyCode::new(550, (5, 7, 1), "100% no").unwrap(), &Reason::new("odd").unwrap());
        let occurrence = NonZeroU32::new(2).unwrap();
        let macros = &[(SymbolStage::EndOfHeaders, "i j".to_owned())][..];
        let table: &[(Reply<'_>, LeadingSpace, &[u8])] = &[
            (Reply::Continue, Kept, b"\0\0\0\x01c"),
            (Reply::Accept, Kept, b"\0\0\0\x01a"),
            (Reply::Reject, Kept, b"\0\0\0\x01r"),
            (Reply::TempFail, Kept, b"\0\0\0\x01t"),
            (Reply::Discard, Kept, b"\0\0\0\x01d"),
            (Reply::Skip, Kept, b"\0\0\0\x01s"),
            (Reply::Progress, Kept, b"\0\0\0\x01p"),
            (Reply::ReplyCode(code), Kept, b"\0\0\0\x14y550 5.7.1 100%% no\0"),
            (Reply::Quarantine(reason), Kept, b"\0\0\0\x05qodd\0"),
            (Reply::AddHeader { name, value }, Kept, b"\0\0\0\x0bhX-A\0 v\n w\0"),
            (Reply::AddHeader { name, value }, Lost, b"\0\0\0\x0ahX-A\0v\n w\0"),
            (Reply::InsertHeader { index: 1, name, value }, Kept, b"\0\0\0\x0fi\0\0\0\x01X-A\0 v\n w\0"),
            (Reply::ChangeHeader { name, occurrence, value }, Lost, b"\0\0\0\x0em\0\0\0\x02X-A\0v\n w\0"),
            (Reply::DeleteHeader { name, occurrence }, Kept, b"\0\0\0\x0am\0\0\0\x02X-A\0\0"),
            (
                Reply::OptNeg { answer: OptNeg::VERSION_6, macros },
                Kept,
                b"\0\0\0\x15O\0\0\0\x06\0\0\x01\xff\0\x1f\xff\xff\0\0\0\x06i j\0",
            ),
        ];
        for (reply, space, wire) in table {
            let mut out = Vec::new();
            reply.encode(*space, &mut out);
            assert_eq!(out, *wire, "{reply:?}");
        }
    }

    #[test]
    fn texts_are_checked() {
        let table = [
            (550, (5, 7, 1), "no", None),
            (250, (2, 0, 0), "no", Some(TextError::Code)),
            (550, (4, 7, 1), "no", Some(TextError::Code)),
            (550, (5, 1000, 1), "no", Some(TextError::Code)),
            (451, (4, 7, 1), "", Some(TextError::Length)),
            (451, (4, 7, 1), "a\r\nb", Some(TextError::Octet)),
            (451, (4, 7, 1), "ü", Some(TextError::Octet)),
        ];
        for (code, enhanced, text, error) in table {
            assert_eq!(ReplyCode::new(code, enhanced, text).err(), error, "{text:?}");
        }
        let code = |octets| ReplyCode::new(451, (4, 7, 1), &"a".repeat(octets)).map(|code| code.as_str().len());
        let text = limits::REPLY_LINE - "451 4.7.1 ".len();
        assert_eq!((code(text), code(text + 1)), (Ok(limits::REPLY_LINE), Err(TextError::Length)));
        let reason = |octets| Reason::new(&"a".repeat(octets)).map(|reason| reason.as_str().len());
        let text = limits::REPLY_LINE;
        assert_eq!((reason(text), reason(text + 1)), (Ok(text), Err(TextError::Length)));
    }
}
