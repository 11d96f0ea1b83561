//! What an answer of DNS means to the term that asked (RFC 7208 §4.4, §4.5, §5.2 to §5.7).
//!
//! An answer that did not come is a temporary error, except where §5.5 says that a client without names is one.

use std::sync::Arc;

use super::batch::{Batch, Reply};
use super::evaluate::{Dependence, Evaluation, Frame, Origin, Purpose};
use super::network::Prefixes;
use super::record::{self, Record};
use super::{SpfReason, SpfVerdict};
use crate::dns::{Answer, DnsName, Question};
use crate::limits::SPF_MX_HOSTS;

/// What is still waited for.
type Waiting = Option<(Purpose, Batch)>;

impl Evaluation {
    /// Goes on with what has been answered. Gives what must be waited for then.
    pub(super) fn resume(&mut self, purpose: Purpose, batch: Batch) -> Waiting {
        match purpose {
            Purpose::MailAddresses(prefixes) => self.take_mail_addresses(prefixes, batch),
            Purpose::ClientAddresses if !batch.is_complete() => Some((purpose, batch)),
            Purpose::ClientAddresses => {
                self.client.take_addresses(&batch);
                None
            }
            _ => match batch.first() {
                Some(answer) => self.take(purpose, answer),
                None => Some((purpose, batch)),
            },
        }
    }

    /// The answer to a question that was alone.
    fn take(&mut self, purpose: Purpose, answer: &Answer) -> Waiting {
        match purpose {
            Purpose::Record(domain, origin) => self.take_record(domain, origin, answer),
            Purpose::Addresses(prefixes) => match answer.addresses(self.client.address) {
                Reply::Values(addresses) => self.matched_if(self.matching(&addresses, prefixes)),
                Reply::Void => self.void(),
                Reply::Trouble => self.fail_here(SpfReason::Dns),
            },
            Purpose::Exists(dependence) => match answer.v4() {
                Reply::Values(_) => self.matched(dependence == Dependence::None),
                Reply::Void => self.void(),
                Reply::Trouble => self.fail_here(SpfReason::Dns),
            },
            Purpose::MailHosts(prefixes) => return self.take_mail_hosts(prefixes, answer),
            Purpose::ClientNames => {
                let names = self.client.take_names(answer);
                if !names.is_empty() {
                    let questions = names.into_iter().map(|name| self.client.question(name));
                    return Some((Purpose::ClientAddresses, Batch::new(questions)));
                }
            }
            Purpose::Explanation(explaining) => self.take_explanation(explaining, answer),
            // These wait for several answers.
            Purpose::MailAddresses(_) | Purpose::ClientAddresses => {}
        }
        None
    }

    fn matched_if(&mut self, broad: Option<bool>) {
        match broad {
            Some(broad) => self.matched(broad),
            None => self.no_match(),
        }
    }

    fn take_record(&mut self, domain: DnsName, origin: Origin, answer: &Answer) {
        let texts = match answer.texts() {
            Reply::Values(texts) => texts,
            Reply::Void => &[],
            // § 4.4.
            Reply::Trouble => return self.fail_for(SpfReason::Dns, Some(domain)),
        };
        match record::select(texts) {
            Err(record::Multiple) => self.fail_for(SpfReason::SeveralRecords, Some(domain)),
            Ok(None) => self.no_record(domain, origin, answer),
            Ok(Some(terms)) => match Record::parse(terms) {
                Err((syntax, term)) => self.fail_for(SpfReason::Syntax { syntax, term }, Some(domain)),
                Ok(record) => self.enter(domain, origin, record),
            },
        }
    }

    fn no_record(&mut self, domain: DnsName, origin: Origin, answer: &Answer) {
        let reason = if *answer == Answer::NoSuchName { SpfReason::NoSuchDomain } else { SpfReason::NoRecord };
        match origin {
            // § 4.3, § 4.5.
            Origin::Sender => self.conclude(SpfVerdict::None, reason, None),
            // § 5.2, § 6.1.
            Origin::Include | Origin::Redirect => self.fail_for(SpfReason::TargetWithoutRecord, Some(domain)),
        }
    }

    fn enter(&mut self, domain: DnsName, origin: Origin, record: Record) {
        // § 6.1: as if the other record had been found at first. § 6.2: the explanation of this one is gone with it.
        if origin == Origin::Redirect {
            self.frames.pop();
        }
        self.frames.push(Frame { domain, record: Arc::new(record), next: 0 });
    }

    /// § 5.4: no hosts, no match; never the name itself in their place.
    fn take_mail_hosts(&mut self, prefixes: Prefixes, answer: &Answer) -> Waiting {
        match answer.mail_hosts() {
            Reply::Values(hosts) if hosts.len() > SPF_MX_HOSTS => self.fail_here(SpfReason::TooManyMailHosts),
            Reply::Values(hosts) => {
                let questions: Vec<Question> = hosts.iter().cloned().map(|host| self.client.question(host)).collect();
                return Some((Purpose::MailAddresses(prefixes), Batch::new(questions)));
            }
            Reply::Void => self.void(),
            Reply::Trouble => self.fail_here(SpfReason::Dns),
        }
        None
    }

    /// Hosts count in their order, whatever the order of the answers: the first that matches or cannot be told decides.
    fn take_mail_addresses(&mut self, prefixes: Prefixes, batch: Batch) -> Waiting {
        let mut found = false;
        for answer in batch.answers() {
            match answer.addresses(self.client.address) {
                Reply::Trouble => {
                    self.fail_here(SpfReason::Dns);
                    return None;
                }
                Reply::Void => {}
                Reply::Values(addresses) => {
                    found = true;
                    if let Some(broad) = self.matching(&addresses, prefixes) {
                        self.matched(broad);
                        return None;
                    }
                }
            }
        }
        if !batch.is_complete() {
            return Some((Purpose::MailAddresses(prefixes), batch));
        }
        // § 4.6.4 counts terms: one that found any address was not void.
        if found {
            self.no_match()
        } else {
            self.void()
        }
        None
    }
}
