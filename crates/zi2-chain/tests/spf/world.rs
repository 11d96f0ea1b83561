//! DNS in memory, and a check driven through it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use zi2_chain::spf::{Spf, SpfInput, SpfResult};
use zi2_chain::{Answer, DnsName, Question};
use zi2_mail::{HostName, Timestamp};

#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Record {
    Txt(Vec<u8>),
    V4(Ipv4Addr),
    V6(Ipv6Addr),
    /// `None`: a null MX.
    Mx(Option<DnsName>),
    Pointer(DnsName),
    Alias(DnsName),
    /// Whatever else is asked of this name is not answered.
    Timeout,
}

#[derive(Clone, Default, Debug)]
pub(crate) struct Zone {
    names: BTreeMap<String, Vec<Record>>,
}

impl Zone {
    /// TXT records.
    pub(crate) fn of(texts: &[(&str, &str)]) -> Zone {
        let mut zone = Zone::default();
        texts.iter().for_each(|(name, text)| zone.add(name, Record::Txt(text.as_bytes().to_vec())));
        zone
    }

    pub(crate) fn with(mut self, name: &str, record: Record) -> Zone {
        self.add(name, record);
        self
    }

    pub(crate) fn with_address(self, name: &str, address: &str) -> Zone {
        self.with(name, Record::V4(address.parse().unwrap()))
    }

    pub(crate) fn add(&mut self, name: &str, record: Record) {
        self.names.entry(name.to_ascii_lowercase()).or_default().push(record);
    }

    /// A name without records of its own.
    pub(crate) fn add_name(&mut self, name: &str) {
        self.names.entry(name.to_ascii_lowercase()).or_default();
    }

    pub(crate) fn answer(&self, question: &Question) -> Answer {
        let name = match question {
            Question::Txt(name) | Question::V4(name) | Question::V6(name) | Question::Mx(name) => {
                name.as_str().to_owned()
            }
            Question::Pointer(address) => reverse(*address),
        };
        self.answer_for(question, &name, 8)
    }

    fn answer_for(&self, question: &Question, name: &str, aliases: usize) -> Answer {
        let Some(records) = self.names.get(name) else { return Answer::NoSuchName };
        if let Some(Record::Alias(other)) = records.iter().find(|record| matches!(record, Record::Alias(_))) {
            let Some(left) = aliases.checked_sub(1) else { return Answer::Trouble };
            return self.answer_for(question, other.as_str(), left);
        }
        let mut values = Values::default();
        records.iter().for_each(|record| values.take(question, record));
        match values.found {
            false if records.contains(&Record::Timeout) => Answer::Trouble,
            false => Answer::NoData,
            true => values.into_answer(question),
        }
    }
}

#[derive(Default)]
struct Values {
    found: bool,
    texts: Vec<Vec<u8>>,
    v4: Vec<Ipv4Addr>,
    v6: Vec<Ipv6Addr>,
    names: Vec<DnsName>,
}

impl Values {
    fn take(&mut self, question: &Question, record: &Record) {
        match (question, record) {
            (Question::Txt(_), Record::Txt(text)) => self.texts.push(text.clone()),
            (Question::V4(_), Record::V4(address)) => self.v4.push(*address),
            (Question::V6(_), Record::V6(address)) => self.v6.push(*address),
            (Question::Mx(_), Record::Mx(host)) => self.names.extend(host.clone()),
            (Question::Pointer(_), Record::Pointer(name)) => self.names.push(name.clone()),
            _ => return,
        }
        self.found = true;
    }

    fn into_answer(self, question: &Question) -> Answer {
        match question {
            Question::Txt(_) => Answer::Txt(self.texts),
            Question::V4(_) => Answer::V4(self.v4),
            Question::V6(_) => Answer::V6(self.v6),
            Question::Mx(_) => Answer::Mx(self.names),
            Question::Pointer(_) => Answer::Pointer(self.names),
        }
    }
}

fn reverse(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(address) => {
            let digits = address.octets().into_iter().rev().map(|octet| format!("{:x}.{:x}.", octet & 15, octet >> 4));
            digits.collect::<String>() + "ip6.arpa"
        }
    }
}

/// A session of SMTP.
#[derive(Clone, Copy)]
pub(crate) struct Session<'a> {
    pub(crate) client: &'a str,
    pub(crate) helo: &'a str,
    pub(crate) mail_from: &'a str,
}

/// A client of good.example.
pub(crate) const SESSION: Session<'static> =
    Session { client: "192.0.2.10", helo: "mail.good.example", mail_from: "<ann@good.example>" };

impl Session<'_> {
    pub(crate) fn input<'r>(&'r self, receiver: &'r HostName) -> SpfInput<'r> {
        SpfInput {
            client: self.client.parse().unwrap(),
            helo: self.helo.as_bytes(),
            mail_from: self.mail_from.as_bytes(),
            receiver,
            now: Timestamp::from_secs(1_777_397_400),
        }
    }

    pub(crate) fn begin(&self) -> Spf {
        Spf::new(&self.input(&receiver()))
    }

    pub(crate) fn check(&self, zone: &Zone) -> SpfResult {
        run(self.begin(), |question| zone.answer(question)).0
    }

    pub(crate) fn explained(&self, zone: &Zone) -> SpfResult {
        run(Spf::explaining(&self.input(&receiver())), |question| zone.answer(question)).0
    }
}

pub(crate) fn receiver() -> HostName {
    HostName::parse("mx.recv.example").unwrap()
}

/// Asks until nothing is left to ask. Gives the questions too.
pub(crate) fn run(mut spf: Spf, mut answer: impl FnMut(&Question) -> Answer) -> (SpfResult, Vec<Question>) {
    let mut asked = Vec::new();
    while let Some(question) = spf.poll() {
        spf.answer(&question, answer(&question));
        asked.push(question);
    }
    assert!(spf.is_finished(), "nothing to ask and yet not finished");
    (spf.finish(), asked)
}
