//! DMARC (RFC 9989): whether the author domain stands behind a message, and what its owner asks for if not.
//!
//! Finds organizational domains by the DNS tree walk; knows no list of public suffixes, sends no reports, and leaves what
//! happens to the message to the receiver.

mod align;
mod record;
mod result;
mod tags;
mod uri;
mod walk;

use zi2_mail::Domain;

use crate::{Answer, DnsName, Question};

pub use align::Identifiers;
pub use record::{Alignment, FailureOption, Policy, PolicyTag, Psd, Record, RecordError, Testing};
pub use result::{Aligned, Applied, DmarcResult, Existence, Likeness, Method, Outcome, Reason};
pub use uri::ReportUri;

use walk::{Found, Halt, Known, LABEL};

/// The evaluation of one message, as a machine that asks and is told.
///
/// Asks as little as decides: one question where the author domain has a record and is itself authenticated, never more
/// than [`DMARC_QUESTIONS`](crate::limits::DMARC_QUESTIONS). Answers to questions it did not ask are ignored.
///
/// ```
/// use zi2_chain::Answer;
/// use zi2_chain::dmarc::{Dmarc, Identifiers, Outcome};
/// use zi2_mail::Domain;
///
/// let good = Domain::parse("good.example").unwrap();
/// let mut dmarc = Dmarc::new(&good);
/// while let Some(question) = dmarc.poll() {
///     dmarc.answer(&question, Answer::Txt(vec![b"v=DMARC1; p=reject".to_vec()]));
/// }
/// dmarc.identify(Identifiers { spf: Some(good), dkim: vec![], undecided: vec![] });
/// assert_eq!(dmarc.poll(), None);
/// assert_eq!(dmarc.finish().outcome, Outcome::Pass);
/// ```
#[derive(Clone, Debug)]
pub struct Dmarc {
    from: Domain,
    known: Known,
    existence: Option<Existence>,
    identifiers: Option<Identifiers>,
}

/// A record, and the domain it stands at.
#[derive(Clone, Copy)]
struct Placed<'a> {
    place: &'a str,
    record: &'a Record,
}

impl Dmarc {
    /// Begins with the domain of the From field, which must be the only one there.
    #[must_use]
    pub fn new(from: &Domain) -> Dmarc {
        Dmarc { from: from.clone(), known: Known::default(), existence: None, identifiers: None }
    }

    /// The next question. `None`: the result is there, or [`Dmarc::identify`] is needed first.
    #[must_use]
    pub fn poll(&self) -> Option<Question> {
        match self.judge() {
            Err(Halt::Ask(question)) => Some(question),
            Err(Halt::AwaitIdentifiers | Halt::Trouble) | Ok(_) => None,
        }
    }

    /// Takes what DNS said to a question of [`Dmarc::poll`].
    pub fn answer(&mut self, question: &Question, answer: Answer) {
        let Question::Txt(name) = question else { return };
        if self.poll().as_ref() != Some(question) {
            return;
        }
        match name.as_str().strip_prefix(LABEL) {
            Some(domain) => self.known.learn(domain, Found::of(&answer)),
            None => self.existence = Some(existence(&answer)),
        }
    }

    /// Takes what SPF and DKIM authenticated, at any time; more questions may follow. The first call counts.
    pub fn identify(&mut self, identifiers: Identifiers) {
        self.identifiers.get_or_insert(identifiers);
    }

    /// The result. What was not answered by now could not be asked; without [`Dmarc::identify`] nothing was authenticated.
    #[must_use]
    pub fn finish(mut self) -> DmarcResult {
        self.identify(Identifiers { spf: None, dkim: Vec::new(), undecided: Vec::new() });
        loop {
            match self.judge() {
                Ok(result) => return result,
                Err(Halt::Ask(question)) => self.answer(&question, Answer::Trouble),
                Err(Halt::AwaitIdentifiers | Halt::Trouble) => {
                    return self.conclude(Reason::Unanswered, None, None);
                }
            }
        }
    }

    /// The result, from what is known so far, or what is missing for it.
    fn judge(&self) -> Result<DmarcResult, Halt> {
        match self.discover() {
            Ok(Ok(placed)) => self.apply(placed),
            Ok(Err(reason)) => Ok(self.conclude(reason, None, None)),
            Err(Halt::Trouble) => Ok(self.conclude(Reason::Unanswered, None, None)),
            Err(halt) => Err(halt),
        }
    }

    /// The record that applies, or why none does.
    ///
    /// § RFC 9989 §4.10.1: "The Author Domain; The Organizational Domain of the Author Domain; The Public Suffix Domain of
    /// the Author Domain".
    fn discover(&self) -> Result<Result<Placed<'_>, Reason>, Halt> {
        let from = self.from.as_str();
        match self.known.at(from)? {
            Found::Record(record) => return Ok(Ok(Placed { place: from, record })),
            Found::Trouble => return Err(Halt::Trouble),
            Found::Nothing { .. } | Found::Several | Found::Bad(_) => {}
        }
        let walk = self.known.walk(from)?;
        let places = [Some(walk.organization), walk.suffix];
        let placed = places.into_iter().flatten().find_map(|place| {
            let record = self.known.peek(place)?.record()?;
            Some(Placed { place, record })
        });
        Ok(placed.ok_or_else(|| self.absence()))
    }

    /// Why there is no record: broken ones are told of, since their owner believes to be protected.
    fn absence(&self) -> Reason {
        let defect = self.known.iter().find_map(|found| match found {
            Found::Bad(error) => Some(Reason::BadRecord(*error)),
            Found::Several => Some(Reason::SeveralRecords),
            Found::Record(_) | Found::Nothing { .. } | Found::Trouble => None,
        });
        defect.unwrap_or(Reason::NoRecord)
    }

    fn apply(&self, placed: Placed<'_>) -> Result<DmarcResult, Halt> {
        if placed.record.policy(PolicyTag::P).is_none() {
            return Ok(self.conclude(Reason::NoPolicy, None, None));
        }
        let identifiers = self.identifiers.as_ref().ok_or(Halt::AwaitIdentifiers)?;
        let (reason, aligned) = align::align(&self.from, placed.record, identifiers, &self.known)?;
        let applied = self.applied(placed, reason)?;
        Ok(self.conclude(reason, applied, aligned))
    }

    /// How the record applies: by `p` at the author domain itself, else by `sp` or `np`.
    fn applied(&self, placed: Placed<'_>, reason: Reason) -> Result<Option<Applied>, Halt> {
        let Placed { place, record } = placed;
        let depends = reason.outcome() == Outcome::Fail && record.policy(PolicyTag::Np) != record.policy(PolicyTag::Sp);
        let (wanted, existence) = match place == self.from.as_str() {
            true => (PolicyTag::P, Existence::Exists),
            false if depends => match self.existence()? {
                Existence::Missing => (PolicyTag::Np, Existence::Missing),
                other => (PolicyTag::Sp, other),
            },
            false => (PolicyTag::Sp, Existence::Unknown),
        };
        let applied = record.policy(wanted).zip(Domain::parse(place).ok());
        Ok(applied.map(|((tag, policy), place)| Applied { place, record: record.clone(), tag, policy, existence }))
    }

    /// § RFC 9989 §3.2, non-existent domains: a name does not exist if the answer to a question for it is NXDOMAIN
    /// (RFC 8020). Any answer for a name below it shows that it does.
    fn existence(&self) -> Result<Existence, Halt> {
        match (self.known.peek(self.from.as_str()), self.existence, DnsName::parse(self.from.as_str())) {
            (Some(Found::Nothing { name_exists: true } | Found::Several | Found::Bad(_)), ..) => Ok(Existence::Exists),
            (_, Some(existence), _) => Ok(existence),
            (_, None, Ok(name)) => Err(Halt::Ask(Question::Txt(name))),
            (_, None, Err(_)) => Ok(Existence::Unknown),
        }
    }

    fn conclude(&self, reason: Reason, applied: Option<Applied>, aligned: Option<Aligned>) -> DmarcResult {
        let organization = self.known.walk(self.from.as_str()).ok();
        DmarcResult {
            outcome: reason.outcome(),
            reason,
            domain: self.from.clone(),
            organization: organization.and_then(|walk| Domain::parse(walk.organization).ok()),
            applied,
            aligned,
        }
    }
}

fn existence(answer: &Answer) -> Existence {
    match answer {
        Answer::NoSuchName => Existence::Missing,
        Answer::Trouble => Existence::Unknown,
        _ => Existence::Exists,
    }
}
