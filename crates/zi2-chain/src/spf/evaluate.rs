//! The evaluation of records: an explicit stack of records, one term at a time (RFC 7208 §4.6 to §6.1).
//!
//! Holds the limits of §4.6.4 over all records of the check. What answers mean is in `answers`.

use std::net::IpAddr;
use std::sync::Arc;

use super::batch::Batch;
use super::client::Client;
use super::explain::Explaining;
use super::macros::{MacroString, Values};
use super::network::Prefixes;
use super::record::Record;
use super::sender::{Sender, helo_text, sender};
use super::term::{Mechanism, Qualifier};
use super::{SpfInput, SpfReason, SpfResult, SpfVerdict};
use crate::dns::{Answer, DnsName, Question};
use crate::limits::{SPF_LOOKUPS, SPF_VOIDS};

/// The state of one check.
#[derive(Debug)]
pub(super) struct Evaluation {
    pub(super) subject: Subject,
    pub(super) client: Client,
    /// The records under way: each but the last stands at its `include`.
    pub(super) frames: Vec<Frame>,
    pub(super) waiting: Option<(Purpose, Batch)>,
    lookups: usize,
    voids: usize,
    wants_explanation: bool,
    pub(super) explaining: Option<Explaining>,
    pub(super) result: Option<SpfResult>,
}

/// What does not change while records are evaluated.
#[derive(Debug)]
pub(super) struct Subject {
    sender: Sender,
    helo: String,
    receiver: String,
    now: zi2_mail::Timestamp,
}

/// A record under way.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) domain: DnsName,
    pub(super) record: Arc<Record>,
    /// The directive that comes next, or waits for answers.
    pub(super) next: usize,
}

/// What the questions that are out are for.
#[derive(Debug)]
pub(super) enum Purpose {
    Record(DnsName, Origin),
    Addresses(Prefixes),
    MailHosts(Prefixes),
    MailAddresses(Prefixes),
    /// Whether the name depends on the client.
    Exists(Dependence),
    ClientNames,
    ClientAddresses,
    Explanation(Explaining),
}

/// What led to a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Origin {
    Sender,
    Include,
    Redirect,
}

/// Whether a name that is looked up is another one for another client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Dependence {
    OnClient,
    None,
}

impl Evaluation {
    pub(super) fn new(input: &SpfInput<'_>) -> Evaluation {
        let sender = sender(input.mail_from, input.helo);
        let domain = sender.domain.clone();
        let receiver = input.receiver.as_str().to_owned();
        let mut evaluation = Evaluation {
            subject: Subject { sender, helo: helo_text(input.helo), receiver, now: input.now },
            client: Client::new(input.client),
            frames: Vec::new(),
            waiting: None,
            lookups: 0,
            voids: 0,
            wants_explanation: false,
            explaining: None,
            result: None,
        };
        match domain {
            Some(domain) => evaluation.ask_record(domain, Origin::Sender),
            // § 4.3.
            None => evaluation.conclude(SpfVerdict::None, SpfReason::NoDomain, None),
        }
        evaluation
    }

    pub(super) fn explaining(mut self) -> Evaluation {
        self.wants_explanation = true;
        self
    }

    pub(super) fn poll(&mut self) -> Option<Question> {
        self.waiting.as_mut()?.1.poll()
    }

    pub(super) fn answer(&mut self, question: &Question, answer: Answer) {
        if let Some((_, batch)) = &mut self.waiting {
            batch.answer(question, answer);
        }
        // Each turn concludes, moves a record's `next` or asks: terms and look-ups are bounded, so this ends.
        while !self.is_finished() {
            match self.waiting.take() {
                None => self.step(),
                Some((purpose, batch)) => {
                    self.waiting = self.resume(purpose, batch);
                    if self.is_waiting() {
                        return;
                    }
                }
            }
        }
    }

    /// Whether an answer is still wanted for what is asked.
    fn is_waiting(&self) -> bool {
        self.waiting.as_ref().is_some_and(|(_, batch)| !batch.is_complete())
    }

    pub(super) const fn is_finished(&self) -> bool {
        self.result.is_some() && self.waiting.is_none() && self.explaining.is_none()
    }

    pub(super) fn finish(mut self) -> SpfResult {
        match self.result.take() {
            Some(result) => result,
            None => self.make_result(SpfVerdict::TempError, SpfReason::Dns, None),
        }
    }

    fn step(&mut self) {
        if let Some(explaining) = self.explaining.take() {
            return self.explain(explaining);
        }
        let Some(frame) = self.frames.last() else {
            return self.fail_for(SpfReason::Dns, None);
        };
        let record = Arc::clone(&frame.record);
        match record.directives.get(frame.next) {
            Some(directive) => self.evaluate(&directive.mechanism),
            None => self.end_of_record(&record),
        }
    }

    fn evaluate(&mut self, mechanism: &Mechanism) {
        let by_name = matches!(mechanism, Mechanism::Pointer(_));
        if mechanism.asks() && !self.may_look_up(mechanism.name(), by_name) {
            return;
        }
        // What cannot be asked for is not there (§ 4.8); only `include` and `redirect` cannot do without (§ 5.2, § 6.1).
        let Some(target) = self.target(mechanism.name()) else {
            return if matches!(mechanism, Mechanism::Include(_)) {
                self.fail_here(SpfReason::TargetWithoutRecord);
            } else {
                self.no_match();
            };
        };
        match mechanism {
            Mechanism::All => self.matched(true),
            Mechanism::Network(network) if network.contains(self.client.address) => self.matched(network.is_broad()),
            Mechanism::Network(_) => self.no_match(),
            Mechanism::Include(_) => self.ask_record(target, Origin::Include),
            Mechanism::Address(_, prefixes) => self.ask(Purpose::Addresses(*prefixes), self.client.question(target)),
            Mechanism::MailHosts(_, prefixes) => self.ask(Purpose::MailHosts(*prefixes), Question::Mx(target)),
            Mechanism::Exists(name) => {
                let dependence = if name.has(b"ip") { Dependence::OnClient } else { Dependence::None };
                // § 5.7: A records, whatever the client's family.
                self.ask(Purpose::Exists(dependence), Question::V4(target));
            }
            Mechanism::Pointer(_) => self.evaluate_pointer(&target),
        }
    }

    /// § 5.5.
    fn evaluate_pointer(&mut self, target: &DnsName) {
        match self.client.names() {
            Some(names) if names.void => self.void(),
            Some(names) if names.any_within(target) => self.matched(false),
            _ => self.no_match(),
        }
    }

    fn end_of_record(&mut self, record: &Record) {
        if let Some(redirect) = &record.redirect {
            if !self.may_look_up(Some(redirect), false) {
                return;
            }
            return match self.target(Some(redirect)) {
                Some(target) => self.ask_record(target, Origin::Redirect),
                None => self.fail_here(SpfReason::TargetWithoutRecord),
            };
        }
        // § 4.7: neutral, which to an `include` is no match (§ 5.2).
        let domain = self.frames.pop().map(|frame| frame.domain);
        if self.frames.is_empty() {
            self.conclude(SpfVerdict::Neutral, SpfReason::NothingMatched, domain);
        } else {
            self.no_match();
        }
    }

    /// Counts a term that asks DNS (§ 4.6.4). `false`: there were too many, or the client's names come first.
    fn may_look_up(&mut self, name: Option<&MacroString>, by_name: bool) -> bool {
        if self.lookups >= SPF_LOOKUPS {
            self.fail_here(SpfReason::TooManyLookups);
            return false;
        }
        if (by_name || name.is_some_and(|name| name.has(b"p"))) && self.client.names().is_none() {
            self.ask_client_names();
            return false;
        }
        self.lookups += 1;
        true
    }

    /// The name that a term is about: without an argument, the domain whose record this is.
    fn target(&self, name: Option<&MacroString>) -> Option<DnsName> {
        let domain = &self.frames.last()?.domain;
        match name {
            None => Some(domain.clone()),
            Some(name) => name.name(&self.values(domain)?),
        }
    }

    /// § 7.2: what macros stand for in the record of `domain`.
    pub(super) fn values<'a>(&'a self, domain: &'a DnsName) -> Option<Values<'a>> {
        let Subject { sender, helo, receiver, now } = &self.subject;
        let validated = self.client.names().and_then(|names| names.best_for(domain));
        Some(Values {
            local: &sender.local,
            sender: sender.domain.as_ref()?,
            domain,
            client: self.client.address,
            validated: validated.map_or("unknown", DnsName::as_str),
            helo,
            receiver,
            now: *now,
        })
    }

    fn ask(&mut self, purpose: Purpose, question: Question) {
        self.waiting = Some((purpose, Batch::new([question])));
    }

    fn ask_record(&mut self, domain: DnsName, origin: Origin) {
        self.ask(Purpose::Record(domain.clone(), origin), Question::Txt(domain));
    }

    pub(super) fn ask_client_names(&mut self) {
        self.ask(Purpose::ClientNames, Question::Pointer(self.client.address));
    }

    /// The directive under way did not match.
    pub(super) fn no_match(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            frame.next += 1;
        }
    }

    /// The term under way asked for what is not there.
    pub(super) fn void(&mut self) {
        self.voids += 1;
        if self.voids > SPF_VOIDS { self.fail_here(SpfReason::TooManyVoids) } else { self.no_match() }
    }

    /// The directive under way matched: for an `include` around it, a pass is a match and all else is none (§ 5.2).
    pub(super) fn matched(&mut self, broad: bool) {
        let decided_at = self.frames.last().map(|frame| frame.domain.clone());
        while let Some(frame) = self.frames.pop() {
            let Some(directive) = frame.record.directives.get(frame.next) else { return };
            let verdict = verdict(directive.qualifier);
            if self.frames.is_empty() {
                let mut result = self.make_result(verdict, SpfReason::Matched, decided_at);
                result.matched = Some(directive.text.clone());
                result.broad = broad && verdict == SpfVerdict::Pass;
                self.result = Some(result);
                if self.wants_explanation && verdict == SpfVerdict::Fail {
                    self.explaining = Explaining::begin(frame);
                }
                return;
            }
            if verdict != SpfVerdict::Pass {
                return self.no_match();
            }
        }
    }

    /// An error in the record under way. It ends the check, however deep in `include` it is (§ 5.2).
    pub(super) fn fail_here(&mut self, reason: SpfReason) {
        let domain = self.frames.last().map(|frame| frame.domain.clone());
        self.fail_for(reason, domain);
    }

    pub(super) fn fail_for(&mut self, reason: SpfReason, domain: Option<DnsName>) {
        let verdict = if reason == SpfReason::Dns { SpfVerdict::TempError } else { SpfVerdict::PermError };
        self.conclude(verdict, reason, domain);
    }

    pub(super) fn conclude(&mut self, verdict: SpfVerdict, reason: SpfReason, decided_at: Option<DnsName>) {
        self.result = Some(self.make_result(verdict, reason, decided_at));
    }

    fn make_result(&self, verdict: SpfVerdict, reason: SpfReason, decided_at: Option<DnsName>) -> SpfResult {
        let Sender { identity, domain, .. } = &self.subject.sender;
        SpfResult {
            verdict,
            reason,
            identity: *identity,
            domain: domain.clone(),
            decided_at,
            matched: None,
            broad: false,
            lookups: self.lookups,
            voids: self.voids,
            explanation: None,
        }
    }

    /// Whether an address of a host, with the lengths of the term, makes a match; and if, whether that is a broad one.
    pub(super) fn matching(&self, addresses: &[IpAddr], prefixes: Prefixes) -> Option<bool> {
        let mut networks = addresses.iter().map(|address| prefixes.around(*address));
        networks.find(|network| network.contains(self.client.address)).map(super::network::Network::is_broad)
    }
}

const fn verdict(qualifier: Qualifier) -> SpfVerdict {
    match qualifier {
        Qualifier::Pass => SpfVerdict::Pass,
        Qualifier::Fail => SpfVerdict::Fail,
        Qualifier::SoftFail => SpfVerdict::SoftFail,
        Qualifier::Neutral => SpfVerdict::Neutral,
    }
}
