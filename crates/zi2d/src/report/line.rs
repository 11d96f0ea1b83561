//! The one log line of a message, and its place in the figures.

use std::time::Duration;

use tracing::field::display as word;
use zi2_chain::ChainResults;
use zi2_flow::{CheckedBounce, Outcome};
use zi2_mail::Domain;
use zi2_sig::{Identity, dkim2};
use zi2_trust::render::via;
use zi2_trust::{Copies, Judgement, Reason, Spoof};

use super::metrics::{Direction, Metrics};
use super::signed::{Dkim2Signed, Signatures};
use crate::limits::QUEUE_ID;

/// What is told of a message.
pub(crate) struct Line<'a> {
    /// The macro `i`, if the mail server gave one.
    pub(crate) queue_id: Option<&'a [u8]>,
    /// What became of it.
    pub(crate) result: Result<'a>,
    /// Questions put to DNS.
    pub(crate) queries: u32,
    /// The envelope sender, in the form the log may have.
    pub(crate) sender: Option<String>,
    /// The login, likewise.
    pub(crate) login: Option<String>,
    /// How many recipients.
    pub(crate) recipients: usize,
    /// Time from the end of the message to our answer.
    pub(crate) took: Duration,
}

/// What became of a message.
#[derive(Clone, Copy)]
pub(crate) enum Result<'a> {
    /// Judged on ingress.
    Verified(&'a Judgement, Existing<'a>),
    /// Certified on egress.
    Signed { from: Option<&'a Domain>, identity: Option<&'a Identity>, signed: Signatures },
    /// Not certified on egress.
    Unsigned { how: Unsigned, reason: Reason, from: Option<&'a Domain>, signed: Signatures },
    /// Signed with DKIM2 on the last way out, or left as it was.
    HandedOff(Dkim2Signed),
}

/// What became of the existing chain, DKIM2 included.
#[derive(Clone, Copy, Default)]
pub(crate) struct Existing<'a> {
    /// SPF, DKIM, ARC and DMARC, if they were evaluated.
    pub(crate) results: Option<&'a ChainResults>,
    /// DKIM2, if it was.
    pub(crate) dkim2: Option<&'a dkim2::Verdict>,
    /// Whether its copies came before, if that was asked.
    pub(crate) copies: Option<&'a Copies>,
    /// What was found of a bounce, if it is one.
    pub(crate) bounce: Option<&'a CheckedBounce>,
}

impl<'a> Existing<'a> {
    pub(crate) fn of(judged: &'a Outcome, bounce: Option<&'a CheckedBounce>) -> Existing<'a> {
        Existing {
            results: judged.chain.as_ref(),
            dkim2: judged.dkim2.as_ref(),
            copies: judged.copies.as_ref(),
            bounce,
        }
    }
}

/// How a message was not certified.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Unsigned {
    /// It went out as it was.
    Skipped,
    /// It was refused.
    Rejected,
}

impl Unsigned {
    fn as_str(self) -> &'static str {
        match self {
            Unsigned::Skipped => "skipped",
            Unsigned::Rejected => "rejected",
        }
    }
}

impl Line<'_> {
    /// Logs and counts. Every word is of a closed set, a checked name or escaped.
    pub(crate) fn tell(&self, metrics: &Metrics) {
        match self.result {
            Result::Verified(judgement, chain) => {
                metrics.verified(judgement, self.took);
                if let Some(results) = chain.results {
                    metrics.evaluated(results);
                }
                if let Some(dkim2) = chain.dkim2 {
                    metrics.dkim2_evaluated(dkim2);
                }
                if let Some(copies) = chain.copies {
                    metrics.copies_asked(copies.as_str());
                }
                if let Some(bounce) = chain.bounce {
                    metrics.bounce_checked(bounce.as_str());
                }
                self.log_judgement(judgement, chain);
            }
            Result::Signed { from, identity, signed } => {
                metrics.departed("signed", "ok", self.took);
                self.tell_departure("signed", None, from, identity, signed, metrics);
            }
            Result::Unsigned { how, reason, from, signed } => {
                metrics.departed(how.as_str(), reason.as_str(), self.took);
                self.tell_departure(how.as_str(), Some(reason), from, None, signed, metrics);
            }
            Result::HandedOff(dkim2) => self.tell_handoff(dkim2, metrics),
        }
    }

    fn log_judgement(&self, judgement: &Judgement, chain: Existing<'_>) {
        let Existing { results: chain, dkim2, copies, bounce } = chain;
        let failed = dkim2.and_then(|verdict| verdict.failure().zip(verdict.chain()));
        tracing::info!(
            queue_id = word(self.queue_id()),
            direction = word(Direction::Ingress.as_str()),
            result = word(judgement.verdict.as_str()),
            reason = word(judgement.reason.as_str()),
            level = judgement.level.number(),
            history = word(judgement.history.as_str()),
            spoof = (judgement.spoof != Spoof::No).then(|| word(judgement.spoof.as_str())),
            via = via(judgement).map(word),
            sid = judgement.sid.as_ref().map(word),
            kid = judgement.kid.map(word),
            header_from_domain = judgement.from.as_ref().map(word),
            spf = chain.and_then(|chain| chain.spf.as_ref()).map(|spf| word(spf.verdict.as_str())),
            dkim = chain.map(|chain| word(best(chain))),
            arc = chain.map(|chain| word(chain.arc.outcome().as_str())),
            dmarc = chain.and_then(|chain| chain.dmarc.as_ref()).map(|dmarc| word(dmarc.outcome.as_str())),
            dkim2 = dkim2.map(|verdict| word(verdict.result())),
            dkim2_reason = dkim2.and_then(dkim2::Verdict::failure).map(|failure| word(failure.code())),
            dkim2_replay = copies.map(|copies| word(copies.as_str())),
            bounce = bounce.map(|bounce| word(bounce.as_str())),
            dkim2_hop = failed.and_then(|(failure, chain)| failure.hop(chain)),
            mail_from = self.sender.as_deref().map(word),
            recipients = self.recipients,
            dns_queries = self.queries,
            duration_ms = word(Millis(self.took)),
        );
    }

    fn tell_departure(
        &self,
        result: &'static str,
        reason: Option<Reason>,
        from: Option<&Domain>,
        identity: Option<&Identity>,
        signed: Signatures,
        metrics: &Metrics,
    ) {
        let Signatures { dkim, dkim2 } = signed;
        let (dkim_words, dkim2_words) = (dkim.words(), dkim2.words());
        if let Some((result, reason)) = dkim_words {
            metrics.dkim_departed(result, reason);
        }
        if let Some((result, reason)) = dkim2_words {
            metrics.dkim2_departed(result, reason);
        }
        tracing::info!(
            queue_id = word(self.queue_id()),
            direction = word(Direction::Egress.as_str()),
            result = word(result),
            reason = reason.map(|reason| word(reason.as_str())),
            sid = identity.map(|identity| word(&identity.sid)),
            kid = identity.map(|identity| word(identity.kid)),
            header_from_domain = from.map(word),
            dkim = dkim_words.map(|(result, _)| word(result)),
            dkim_signatures = dkim.count(),
            dkim_reason = dkim_words.filter(|(result, _)| *result != "signed").map(|(_, reason)| word(reason)),
            dkim2 = dkim2_words.map(|(result, _)| word(result)),
            dkim2_reason = dkim2_words.filter(|(_, reason)| *reason != "first").map(|(_, reason)| word(reason)),
            login = self.login.as_deref().map(word),
            mail_from = self.sender.as_deref().map(word),
            recipients = self.recipients,
            duration_ms = word(Millis(self.took)),
        );
        self.advise(dkim2);
    }

    fn tell_handoff(&self, dkim2: Dkim2Signed, metrics: &Metrics) {
        let (result, reason) = dkim2.words().unwrap_or(("skipped", "off"));
        metrics.handed_off(result, self.took);
        metrics.dkim2_departed(result, reason);
        tracing::info!(
            queue_id = word(self.queue_id()),
            direction = word(Direction::Handoff.as_str()),
            dkim2 = word(result),
            dkim2_reason = word(reason),
            mail_from = self.sender.as_deref().map(word),
            recipients = self.recipients,
            duration_ms = word(Millis(self.took)),
        );
        self.advise(dkim2);
    }

    /// Says what the operator can do, on a line of its own that most logs leave out.
    fn advise(&self, dkim2: Dkim2Signed) {
        if let Some(advice) = dkim2.advice() {
            tracing::debug!(queue_id = word(self.queue_id()), "not signed with DKIM2: {advice}");
        }
    }

    /// The queue id: letters, digits and a few marks, or a question mark for whatever else an MTA may say.
    fn queue_id(&self) -> &str {
        let text = self.queue_id.map_or("-", |id| std::str::from_utf8(id).unwrap_or_default());
        let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-._".contains(&octet);
        let fits = (1..=QUEUE_ID).contains(&text.len()) && text.bytes().all(plain);
        if fits { text } else { "?" }
    }
}

/// The result of a message's signatures in one word: a pass, or else that of the uppermost.
fn best(chain: &ChainResults) -> &'static str {
    let mut results = chain.dkim.signatures.iter().map(|signature| signature.outcome().result());
    let first = results.next().unwrap_or("none");
    if results.any(|result| result == "pass") { "pass" } else { first }
}

/// Milliseconds to the microsecond.
struct Millis(Duration);

impl std::fmt::Display for Millis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let micros = self.0.as_micros();
        write!(f, "{}.{:03}", micros / 1000, micros % 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queue_ids_cannot_write_lines() {
        let line = |id| Line {
            queue_id: id,
            result: Result::HandedOff(Dkim2Signed::First),
            queries: 0,
            sender: None,
            login: None,
            recipients: 0,
            took: Duration::from_micros(12_034),
        };
        let long = [b'A'; QUEUE_ID + 1];
        for (id, shown) in [
            (Some(&b"4bXyZ123"[..]), "4bXyZ123"),
            (None, "-"),
            (Some(b"a\nresult=pass"), "?"),
            (Some(b""), "?"),
            (Some(b"\xff"), "?"),
            (Some(&long[..]), "?"),
            (Some(&long[1..]), &"A".repeat(QUEUE_ID)),
        ] {
            assert_eq!(line(id).queue_id(), shown);
        }
        assert_eq!(Millis(Duration::from_micros(12_034)).to_string(), "12.034");
    }
}
