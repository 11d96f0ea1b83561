//! A report of delivery, written: everything of it but the signature.

use std::fmt::Write;

use zi2_mail::{Domain, HostName, Message, NotSmtp, SmtpScan, Timestamp, format_date};

use super::{Action, BounceLeave, StatusCode};
use crate::dkim2::Path;
use crate::hash::{first_octets, sha256};
use crate::limits;

/// Who reports, and when.
#[derive(Clone, Copy, Debug)]
pub struct Reporter<'a> {
    /// The mail server.
    pub server: &'a HostName,
    /// The domain of From: the one the bounce will be signed as.
    pub domain: &'a Domain,
    /// The time.
    pub now: Timestamp,
    /// What makes the Message-ID unique.
    pub random: [u8; 16],
}

/// One recipient, and what became of the message there.
#[derive(Clone, Copy, Debug)]
pub struct Failing<'a> {
    /// As the hop before knows it.
    pub recipient: &'a Path,
    /// What became of it.
    pub action: Action,
    /// Why.
    pub status: StatusCode,
    /// What the next server said.
    pub diagnostic: Option<&'a str>,
}

/// How much of the message comes back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Returning {
    /// All of it; only the header section where SMTP would change the body.
    Whole,
    /// The header section.
    Header,
}

/// Why a report is not written.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ComposeError {
    /// The domain may not sign it.
    #[error("{0} is neither a domain that the message was sent to nor one above; sign as one of those")]
    Domain(Domain),
    /// No recipient, too many, or one that no line holds.
    #[error(
        "a report needs a recipient, and at most {} of at most {} octets",
        limits::REPORT_RECIPIENTS,
        limits::REPORT_TEXT_OCTETS
    )]
    Recipients,
}

/// The report: a message that `leave` allows, to be signed as the reporter's domain and sent by the envelope of `leave`.
/// What comes back stands in it octet by octet.
///
/// # Errors
/// [`ComposeError`].
pub fn compose(
    leave: &BounceLeave,
    message: &Message<'_>,
    returning: Returning,
    failing: &[Failing<'_>],
    reporter: &Reporter<'_>,
) -> Result<Vec<u8>, ComposeError> {
    if !leave.may_sign(reporter.domain) {
        return Err(ComposeError::Domain(reporter.domain.clone()));
    }
    let fits = |path: &Path| path.octets().len() <= limits::REPORT_TEXT_OCTETS;
    let all_fit = fits(leave.to()) && failing.iter().all(|one| fits(one.recipient));
    let (Some(first), true) = (failing.first().filter(|_| failing.len() <= limits::REPORT_RECIPIENTS), all_fit) else {
        return Err(ComposeError::Recipients);
    };
    let mut returned = message.header.octets().to_vec();
    let is_whole = returning == Returning::Whole && survives(message.body);
    if is_whole {
        returned.extend_from_slice(b"\r\n");
        returned.extend_from_slice(message.body);
    }
    let form = Form::of(&returned, message.header.octets().is_ascii(), is_whole);
    let mut mail = form.header(leave, first.action, reporter);
    write!(mail, "--{}\r\nContent-Type: text/plain; charset=utf-8\r\n", form.boundary).ok();
    write!(mail, "Content-Transfer-Encoding: {}\r\n\r\n{}", form.encoding, said(failing, reporter)).ok();
    write!(mail, "\r\n--{}\r\nContent-Type: {}\r\n", form.boundary, form.status_type).ok();
    write!(mail, "Content-Transfer-Encoding: {}\r\n\r\n{}", form.encoding, status(failing, reporter)).ok();
    write!(mail, "\r\n--{}\r\nContent-Type: {}\r\n", form.boundary, form.returned_type).ok();
    write!(mail, "Content-Transfer-Encoding: {}\r\n\r\n", form.encoding).ok();
    let end = format!("\r\n--{}--\r\n", form.boundary);
    Ok([mail.as_bytes(), &returned, end.as_bytes()].concat())
}

/// Whether SMTP carries a body unchanged; long lines survive most relays.
fn survives(body: &[u8]) -> bool {
    let mut scan = SmtpScan::new();
    scan.feed(body);
    matches!(scan.finish(), Ok(()) | Err(NotSmtp::LongLine))
}

/// What depends on the octets that come back.
struct Form {
    boundary: String,
    encoding: &'static str,
    status_type: &'static str,
    returned_type: &'static str,
}

impl Form {
    fn of(returned: &[u8], is_ascii_header: bool, is_whole: bool) -> Form {
        // Nobody finds a message that holds its own hash.
        let boundary = format!("{:032x}", u128::from_be_bytes(first_octets(&sha256(returned))));
        let (status_type, returned_type) = match (is_ascii_header, is_whole) {
            (true, true) => ("message/delivery-status", "message/rfc822"),
            (true, false) => ("message/delivery-status", "text/rfc822-headers"),
            (false, true) => ("message/global-delivery-status", "message/global"),
            (false, false) => ("message/global-delivery-status", "message/global-headers"),
        };
        let encoding = if returned.is_ascii() { "7bit" } else { "8bit" };
        Form { boundary: format!("=_{boundary}"), encoding, status_type, returned_type }
    }

    fn header(&self, leave: &BounceLeave, action: Action, reporter: &Reporter<'_>) -> String {
        let subject = match action {
            Action::Failed => "Undelivered mail returned to sender",
            Action::Delayed => "Delayed mail",
            Action::Delivered | Action::Relayed | Action::Expanded => "Mail delivery report",
        };
        let mut header = format!("From: Mail delivery <MAILER-DAEMON@{}>\r\n", reporter.domain);
        write!(header, "To: {}\r\nSubject: {subject}\r\n", address(leave.to())).ok();
        let (id, server) = (u128::from_be_bytes(reporter.random), reporter.server);
        write!(header, "Date: {}\r\nMessage-ID: <{id:032x}@{server}>\r\n", format_date(reporter.now)).ok();
        header.push_str("Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n");
        write!(
            header,
            "Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"{}\"\r\n",
            self.boundary
        )
        .ok();
        write!(header, "Content-Transfer-Encoding: {}\r\n\r\n", self.encoding).ok();
        header
    }
}

/// A path as an address of a header field; one that would read as something else there is not shown.
fn address(path: &Path) -> String {
    let inner = path.octets().get(1..path.octets().len().saturating_sub(1)).unwrap_or_default();
    let is_plain =
        inner.iter().all(|octet| !octet.is_ascii() || octet.is_ascii_graphic() && !b"<>()[],;:\\\"".contains(octet));
    match std::str::from_utf8(inner).ok().filter(|_| is_plain) {
        Some(address) => format!("<{address}>"),
        None => "undisclosed-recipients:;".to_owned(),
    }
}

/// The part for people.
fn said(failing: &[Failing<'_>], reporter: &Reporter<'_>) -> String {
    let mut text = format!("This is the mail server {}. Your message:\r\n\r\n", reporter.server);
    for one in failing {
        let became = match one.action {
            Action::Failed => "was not delivered",
            Action::Delayed => "is not delivered yet; it is tried again",
            Action::Delivered => "was delivered",
            Action::Relayed => "went on to a server that makes no reports",
            Action::Expanded => "went on to several recipients",
        };
        write!(text, "{}: {became} ({})\r\n", one.recipient, one.status).ok();
        if let Some(diagnostic) = one.diagnostic {
            write!(text, "  {}\r\n", on_one_line(diagnostic)).ok();
        }
    }
    text
}

/// The part for machines (RFC 3464).
fn status(failing: &[Failing<'_>], reporter: &Reporter<'_>) -> String {
    let mut text = format!("Reporting-MTA: dns; {}\r\n", reporter.server);
    for one in failing {
        let path = one.recipient.to_string();
        let address = path.strip_prefix('<').and_then(|path| path.strip_suffix('>')).unwrap_or(&path);
        write!(text, "\r\nFinal-Recipient: rfc822; {address}\r\nAction: {}\r\n", one.action.as_str()).ok();
        write!(text, "Status: {}\r\n", one.status).ok();
        if let Some(diagnostic) = one.diagnostic {
            write!(text, "Diagnostic-Code: smtp; {}\r\n", on_one_line(diagnostic)).ok();
        }
    }
    text
}

/// What another server said, as text that ends no line early.
fn on_one_line(text: &str) -> String {
    crate::dkim2::failure::printable(text.as_bytes(), limits::REPORT_TEXT_OCTETS.min(text.len()))
}
