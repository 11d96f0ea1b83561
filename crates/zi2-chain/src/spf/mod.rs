//! SPF: `check_host()` of RFC 7208 for the sender of one message, with the limits of §4.6.4. Paragraphs are those of RFC 7208.
//!
//! Refuses to guess: an argument of MAIL that cannot be read has no domain, and no other name answers for it. Fetches
//! no explanation unless told to.
//!
//! ```
//! use zi2_chain::spf::{Spf, SpfInput, SpfVerdict};
//! use zi2_chain::{Answer, Question};
//! use zi2_mail::{HostName, Timestamp};
//!
//! let mut spf = Spf::new(&SpfInput {
//!     client: "192.0.2.10".parse().unwrap(),
//!     helo: b"mail.good.example",
//!     mail_from: b"<ann@good.example>",
//!     receiver: &HostName::parse("mx.recv.example").unwrap(),
//!     now: Timestamp::from_secs(1_777_397_400),
//! });
//! while let Some(question) = spf.poll() {
//!     let answer = match &question {
//!         Question::Txt(name) if name.as_str() == "good.example" => Answer::Txt(vec![b"v=spf1 ip4:192.0.2.10 -all".to_vec()]),
//!         _ => Answer::NoSuchName,
//!     };
//!     spf.answer(&question, answer);
//! }
//! assert_eq!(spf.finish().verdict, SpfVerdict::Pass);
//! ```

mod answers;
mod batch;
mod client;
mod evaluate;
mod explain;
mod macros;
mod network;
mod record;
mod result;
mod sender;
mod term;

use std::net::IpAddr;

use zi2_mail::{HostName, Timestamp};

pub use record::SpfSyntax;
pub use result::{SpfIdentity, SpfReason, SpfResult, SpfVerdict};

use crate::dns::{Answer, Question};
use evaluate::Evaluation;

/// What a check is about.
#[derive(Clone, Copy, Debug)]
pub struct SpfInput<'a> {
    /// Address of the SMTP client; an IPv4-mapped one counts as IPv4 (§5).
    pub client: IpAddr,
    /// The argument of HELO or EHLO.
    pub helo: &'a [u8],
    /// The argument of MAIL without its parameters, with or without angle brackets; `<>` or nothing is the null sender.
    pub mail_from: &'a [u8],
    /// Who checks, for explanations (`%{r}`).
    pub receiver: &'a HostName,
    /// When, for explanations (`%{t}`).
    pub now: Timestamp,
}

/// One check under way: ask [`Spf::poll`] until it has no question, answer them all, and go on until none is left.
///
/// Asks at most [`SPF_QUESTIONS`](crate::limits::SPF_QUESTIONS) questions. Several may be out at a time, and their answers
/// may come in any order; the result is the same.
#[derive(Debug)]
pub struct Spf {
    evaluation: Evaluation,
}

impl Spf {
    /// Begins a check. Refuses nothing: a sender without a domain is a result.
    #[must_use]
    pub fn new(input: &SpfInput<'_>) -> Spf {
        Spf { evaluation: Evaluation::new(input) }
    }

    /// The same, but the explanation of a domain that refuses the client is fetched as well (§6.2), at one question more.
    #[must_use]
    pub fn explaining(input: &SpfInput<'_>) -> Spf {
        Spf { evaluation: Evaluation::new(input).explaining() }
    }

    /// The next question. `None`: all are asked, until an answer makes new ones.
    pub fn poll(&mut self) -> Option<Question> {
        self.evaluation.poll()
    }

    /// Takes what DNS said. Refuses silently what was not asked or is answered already.
    pub fn answer(&mut self, question: &Question, answer: Answer) {
        self.evaluation.answer(question, answer);
    }

    /// Whether nothing is left to ask or to be answered.
    #[must_use]
    pub const fn is_finished(&self) -> bool {
        self.evaluation.is_finished()
    }

    /// The result. Questions without an answer make it a temporary error, never a pass.
    #[must_use]
    pub fn finish(self) -> SpfResult {
        self.evaluation.finish()
    }
}
