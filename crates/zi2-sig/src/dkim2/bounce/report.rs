//! A report of delivery (RFC 3464 in RFC 6522, with the types of RFC 6533), read: what became of the message, and what of it
//! came back. Strict, since what is read here is sent on.

use std::fmt;

use zi2_mail::{ContentType, ContentTypeError, Header, Message, MultipartError, multipart};

use crate::limits;

/// What a report says, and what it brings back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Report<'m> {
    pub(super) action: Action,
    pub(super) status: StatusCode,
    pub(super) returned: Returned<'m>,
}

/// The message that comes back, with its body or without.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Returned<'m> {
    Whole(Message<'m>),
    Header(Header<'m>),
}

impl<'m> Returned<'m> {
    pub(super) fn header(&self) -> &Header<'m> {
        match self {
            Returned::Whole(message) => &message.header,
            Returned::Header(header) => header,
        }
    }

    pub(super) fn body(&self) -> Option<&'m [u8]> {
        match self {
            Returned::Whole(message) => Some(message.body),
            Returned::Header(_) => None,
        }
    }
}

/// What became of a message (RFC 3464 §2.3.3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Action {
    /// It was not delivered.
    Failed,
    /// It was not delivered yet.
    Delayed,
    /// It was delivered.
    Delivered,
    /// It went on to where no such reports are made.
    Relayed,
    /// It went on to several others.
    Expanded,
}

impl Action {
    const ALL: [Action; 5] = [Action::Failed, Action::Delayed, Action::Delivered, Action::Relayed, Action::Expanded];

    /// The word of RFC 3464.
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Failed => "failed",
            Action::Delayed => "delayed",
            Action::Delivered => "delivered",
            Action::Relayed => "relayed",
            Action::Expanded => "expanded",
        }
    }
}

/// An enhanced status code (RFC 3463).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StatusCode {
    class: u8,
    subject: u16,
    detail: u16,
}

impl StatusCode {
    /// Reads `5.1.1`.
    pub fn parse(text: &str) -> Option<StatusCode> {
        let number = |text: &str| {
            let fits = (1..=3).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_digit());
            text.parse::<u16>().ok().filter(|_| fits)
        };
        let mut three = text.splitn(3, '.');
        let class = three.next().filter(|class| matches!(*class, "2" | "4" | "5"))?.parse().ok()?;
        Some(StatusCode { class, subject: number(three.next()?)?, detail: number(three.next()?)? })
    }
}

impl fmt::Display for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

/// Why a message is no report of delivery that can be gone by.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReportError {
    /// No multipart/report of the type delivery-status.
    #[error("the message is no multipart/report of delivery-status")]
    NotAReport,
    /// Its Content-Type, or that of a part, cannot be read or is there twice.
    #[error("{0}")]
    ContentType(#[from] ContentTypeError),
    /// Its parts cannot be told apart.
    #[error("the parts of the report cannot be told apart: {0}")]
    Parts(#[from] MultipartError),
    /// A header section of a part can be read in several ways.
    #[error("the header section of a part of the report is malformed or too large")]
    PartHeader,
    /// The second part is no delivery status, or names no recipient with action and status.
    #[error("the second part is no delivery status with action and status of a recipient")]
    Status,
    /// The message does not come back, or as something else than one message.
    #[error("the third part is not the message or its header section")]
    NoMessage,
    /// The message comes back encoded, which RFC 2046 §5.2.1 forbids.
    #[error("the message comes back in an encoding; its octets are what was signed")]
    Encoded,
}

impl<'m> Report<'m> {
    /// Reads the report that a message is.
    pub(super) fn read(message: &Message<'m>) -> Result<Report<'m>, ReportError> {
        let kind = content_type(&message.header)?.filter(|kind| kind.is("multipart/report"));
        let kind = kind
            .filter(|kind| kind.parameter("report-type").is_some_and(|of| of.eq_ignore_ascii_case("delivery-status")));
        let kind = kind.ok_or(ReportError::NotAReport)?;
        let boundary = kind.parameter("boundary").ok_or(MultipartError::Boundary)?;
        let parts = multipart(message.body, boundary, limits::REPORT_PARTS)?;
        let [_, status, returned] = parts.as_slice() else { return Err(ReportError::NoMessage) };
        let (action, status) = read_status(&Message::split(status))?;
        Ok(Report { action, status, returned: read_returned(&Message::split(returned))? })
    }
}

/// The one Content-Type; nothing if there is none.
fn content_type(header: &Header<'_>) -> Result<Option<ContentType>, ReportError> {
    if header.ambiguity().is_some() {
        return Err(ReportError::PartHeader);
    }
    let mut fields = header.from_bottom().filter(|field| field.is_named("content-type"));
    match (fields.next(), fields.next()) {
        (None, _) => Ok(None),
        (Some(field), None) => Ok(Some(ContentType::parse(field.value())?)),
        (Some(_), Some(_)) => Err(ReportError::ContentType(ContentTypeError)),
    }
}

fn read_status(part: &Message<'_>) -> Result<(Action, StatusCode), ReportError> {
    const TYPES: [&str; 2] = ["message/delivery-status", "message/global-delivery-status"];
    let kind = content_type(&part.header)?.ok_or(ReportError::Status)?;
    if !TYPES.iter().any(|one| kind.is(one)) {
        return Err(ReportError::Status);
    }
    check_encoding(&part.header)?;
    let mut found: Option<(Action, StatusCode)> = None;
    // The first group is about the message, each other one about a recipient.
    let mut rest = Message::split(part.body).body;
    for _ in 0..limits::REPORT_RECIPIENTS {
        rest = without_empty_lines(rest);
        if rest.is_empty() {
            break;
        }
        let group = Message::split(rest);
        rest = group.body;
        let here = recipient_status(&group.header).ok_or(ReportError::Status)?;
        // What failed for one recipient is what the sender must know.
        if found.is_none_or(|(action, _)| action != Action::Failed && here.0 == Action::Failed) {
            found = Some(here);
        }
    }
    found.ok_or(ReportError::Status)
}

fn without_empty_lines(octets: &[u8]) -> &[u8] {
    let mut rest = octets;
    while let Some(after) = rest.strip_prefix(b"\r\n") {
        rest = after;
    }
    rest
}

fn recipient_status(group: &Header<'_>) -> Option<(Action, StatusCode)> {
    let one = |name: &str| {
        let mut fields = group.named(name);
        let field = fields.next().filter(|_| fields.next().is_none())?;
        // What follows in brackets is a comment.
        std::str::from_utf8(field.value()).ok()?.split('(').next().map(str::trim)
    };
    if group.ambiguity().is_some() {
        return None;
    }
    let word = one("action")?;
    let action = Action::ALL.into_iter().find(|action| action.as_str().eq_ignore_ascii_case(word))?;
    Some((action, StatusCode::parse(one("status")?)?))
}

fn read_returned<'m>(part: &Message<'m>) -> Result<Returned<'m>, ReportError> {
    let kind = content_type(&part.header)?.ok_or(ReportError::NoMessage)?;
    check_encoding(&part.header)?;
    if kind.is("message/rfc822") || kind.is("message/global") {
        return Ok(Returned::Whole(Message::split(part.body)));
    }
    if kind.is("text/rfc822-headers") || kind.is("message/global-headers") {
        return Ok(Returned::Header(Header::parse(part.body)));
    }
    Err(ReportError::NoMessage)
}

fn check_encoding(header: &Header<'_>) -> Result<(), ReportError> {
    let is_plain = |value: &[u8]| {
        let value = value.trim_ascii();
        ["7bit", "8bit", "binary"].iter().any(|plain| value.eq_ignore_ascii_case(plain.as_bytes()))
    };
    let mut fields = header.from_bottom().filter(|field| field.is_named("content-transfer-encoding"));
    if fields.all(|field| is_plain(field.value())) { Ok(()) } else { Err(ReportError::Encoded) }
}
