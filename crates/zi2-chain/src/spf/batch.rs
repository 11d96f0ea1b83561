//! Questions that wait for their answers together.

use std::net::{IpAddr, Ipv4Addr};

use crate::dns::{Answer, DnsName, Question};

/// One question, or several whose answers are judged in their order, whatever the order they come in.
#[derive(Debug)]
pub(super) struct Batch {
    slots: Vec<(Question, Option<Answer>)>,
    handed_out: usize,
}

impl Batch {
    /// Questions without their repetitions.
    pub(super) fn new(questions: impl IntoIterator<Item = Question>) -> Batch {
        let mut slots: Vec<(Question, Option<Answer>)> = Vec::new();
        for question in questions {
            if !slots.iter().any(|(known, _)| *known == question) {
                slots.push((question, None));
            }
        }
        Batch { slots, handed_out: 0 }
    }

    /// The next question that nobody was given.
    pub(super) fn poll(&mut self) -> Option<Question> {
        let (question, _) = self.slots.get(self.handed_out)?;
        self.handed_out += 1;
        Some(question.clone())
    }

    /// Notes an answer. The first one counts; one to a question that is not here is dropped.
    pub(super) fn answer(&mut self, question: &Question, answer: Answer) {
        if let Some((_, open)) = self.slots.iter_mut().find(|(known, _)| known == question)
            && open.is_none()
        {
            *open = Some(answer);
        }
    }

    /// All questions, in their order.
    pub(super) fn questions(&self) -> impl Iterator<Item = &Question> {
        self.slots.iter().map(|(question, _)| question)
    }

    /// The answers up to the first that is still out.
    pub(super) fn answers(&self) -> impl Iterator<Item = &Answer> {
        self.slots.iter().map_while(|(_, answer)| answer.as_ref())
    }

    /// The answer to the first question.
    pub(super) fn first(&self) -> Option<&Answer> {
        self.slots.first()?.1.as_ref()
    }

    /// Whether every question has its answer.
    pub(super) fn is_complete(&self) -> bool {
        self.slots.iter().all(|(_, answer)| answer.is_some())
    }
}

/// What an answer means to whoever wanted these values of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reply<T> {
    Values(T),
    /// RCODE 0 with nothing in it, or RCODE 3: what § 4.6.4 calls void.
    Void,
    /// Also an answer of another kind: what was not answered is never taken for an absence.
    Trouble,
}

impl Answer {
    pub(super) fn texts(&self) -> Reply<&[Vec<u8>]> {
        self.reply(if let Answer::Txt(texts) = self { Some(texts) } else { None })
    }

    pub(super) fn mail_hosts(&self) -> Reply<&[DnsName]> {
        self.reply(if let Answer::Mx(hosts) = self { Some(hosts) } else { None })
    }

    pub(super) fn client_names(&self) -> Reply<&[DnsName]> {
        self.reply(if let Answer::Pointer(names) = self { Some(names) } else { None })
    }

    pub(super) fn v4(&self) -> Reply<&[Ipv4Addr]> {
        self.reply(if let Answer::V4(addresses) = self { Some(addresses) } else { None })
    }

    /// Addresses of the client's family, which are those that were asked for.
    pub(super) fn addresses(&self, client: IpAddr) -> Reply<Vec<IpAddr>> {
        match client {
            IpAddr::V4(_) => self.v4().map(|addresses| addresses.iter().copied().map(IpAddr::V4).collect()),
            IpAddr::V6(_) => {
                let reply = self.reply(if let Answer::V6(addresses) = self { Some(addresses) } else { None });
                reply.map(|addresses: &[_]| addresses.iter().copied().map(IpAddr::V6).collect())
            }
        }
    }

    /// `values`: what this answer holds, if it is of the kind that was asked for.
    fn reply<'a, T>(&self, values: Option<&'a Vec<T>>) -> Reply<&'a [T]> {
        match (self, values) {
            (Answer::NoData | Answer::NoSuchName, _) => Reply::Void,
            (_, Some(values)) if values.is_empty() => Reply::Void,
            (_, Some(values)) => Reply::Values(values),
            (_, None) => Reply::Trouble,
        }
    }
}

impl<T> Reply<T> {
    fn map<U>(self, change: impl FnOnce(T) -> U) -> Reply<U> {
        match self {
            Reply::Values(values) => Reply::Values(change(values)),
            Reply::Void => Reply::Void,
            Reply::Trouble => Reply::Trouble,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_judged_in_the_order_of_their_questions() {
        let question = |text: &str| Question::V4(DnsName::parse(text).unwrap());
        let mut batch = Batch::new(["a.b", "c.d", "A.B", "e.f"].map(question));
        let asked: Vec<Question> = std::iter::from_fn(|| batch.poll()).collect();
        assert_eq!(asked, ["a.b", "c.d", "e.f"].map(question));
        batch.answer(&question("e.f"), Answer::NoData);
        batch.answer(&question("x.y"), Answer::Trouble);
        assert_eq!(batch.answers().count(), 0);
        batch.answer(&question("a.b"), Answer::NoSuchName);
        batch.answer(&question("a.b"), Answer::Trouble);
        assert_eq!(batch.answers().collect::<Vec<_>>(), [&Answer::NoSuchName]);
        assert!(!batch.is_complete());
        batch.answer(&question("c.d"), Answer::Trouble);
        assert_eq!(batch.answers().collect::<Vec<_>>(), [&Answer::NoSuchName, &Answer::Trouble, &Answer::NoData]);
        assert!(batch.is_complete());
    }

    #[test]
    fn replies() {
        let client: IpAddr = "192.0.2.1".parse().unwrap();
        assert_eq!(Answer::V4(vec![]).addresses(client), Reply::Void);
        assert_eq!(Answer::NoData.addresses(client), Reply::Void);
        assert_eq!(Answer::Trouble.addresses(client), Reply::Trouble);
        assert_eq!(Answer::V6(vec![]).addresses(client), Reply::Trouble);
        assert_eq!(Answer::Txt(vec![]).mail_hosts(), Reply::Trouble);
        assert_eq!(Answer::V4(vec![[192, 0, 2, 1].into()]).addresses(client), Reply::Values(vec![client]));
    }
}
