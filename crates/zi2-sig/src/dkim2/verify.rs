//! Verification (§ -08 13, 14), as a machine that asks for keys. It does not see the body while that arrives; of a message
//! whose body was changed on the way it wants the whole body at the end.

mod newest;
mod versions;

use std::collections::BTreeMap;
use std::sync::Arc;

use zi2_mail::{DigestPlan, Digests, Header, Timestamp};

pub(super) use self::newest::{NewestHop, check_header, is_chain_field};
use self::versions::Versions;
pub(super) use self::versions::author;
use super::key::Input;
use super::outcome::Fingerprint;
use super::{
    Brackets, Chain, Draft, Envelope, Failure, FullyVerified, KeyAnswer, KeyProblem, Kind, Member, Outcome, Place,
    Problem, ProvisionallyVerified, Signature, Status, Verdict, groups,
};
use crate::dkim::KeyName;
use crate::{Trouble, limits};

/// By which rules messages are judged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Policy {
    /// The draft.
    pub draft: Draft,
    /// Whether paths of old drafts are read.
    pub brackets: Brackets,
}

/// Why a body that is wanted as a whole is not there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unkept {
    /// It is longer than is kept of one message.
    TooLarge,
    /// Other messages took all the room there was.
    NoRoom,
}

impl Unkept {
    fn problem(self) -> Problem {
        match self {
            Unkept::TooLarge => Problem::TooMuchWork,
            Unkept::NoRoom => Problem::NoRoom,
        }
    }
}

/// Verifies the DKIM2 chain of one message. It never blocks and keeps no body.
pub struct Verifier {
    draft: Draft,
    state: State,
}

enum State {
    Absent,
    /// The chain, if it could be read, fails at one of the first steps.
    Failed(Option<Chain>, Failure),
    Open(Box<Open>),
}

/// A chain whose newest hop may hold.
struct Open {
    chain: Arc<Chain>,
    is_bound: bool,
    /// A break of custody: the newest hop may hold all the same.
    broken: Option<Failure>,
    versions: Versions,
    answers: BTreeMap<KeyName, KeyAnswer>,
}

impl Verifier {
    /// Reads the header section, does all checks that need neither keys nor body, and asks `plan` for the digests needed.
    pub fn new(
        header: &Header<'_>,
        envelope: &Envelope,
        now: Timestamp,
        policy: &Policy,
        plan: &mut DigestPlan,
    ) -> Verifier {
        let draft = policy.draft;
        let state = match Chain::read(header, draft, policy.brackets) {
            Ok(None) => State::Absent,
            Ok(Some(chain)) => open(header, chain, envelope, now, plan),
            Err(failure) => State::Failed(None, failure),
        };
        Verifier { draft, state }
    }

    /// The names whose key records are wanted, each once, those of the newest signature first.
    pub fn questions(&self) -> Vec<KeyName> {
        match &self.state {
            State::Absent | State::Failed(..) => Vec::new(),
            State::Open(open) => key_names(&open.chain),
        }
    }

    /// Takes the answer about one name.
    pub fn answer(&mut self, name: &KeyName, answer: &KeyAnswer) {
        if let State::Open(open) = &mut self.state {
            open.answers.insert(name.clone(), answer.clone());
        }
    }

    /// Whether [`Verifier::finish`] needs the body itself: a hop changed it, and the one before it must be made again.
    pub fn wants_body(&self) -> bool {
        matches!(&self.state, State::Open(open) if open.versions.want_body())
    }

    /// Whether neither keys nor body can change the verdict.
    pub fn is_settled(&self) -> bool {
        !matches!(self.state, State::Open(_))
    }

    /// The verdict, once the body has been digested by the plan that was asked. `body` is the whole body where
    /// [`Verifier::wants_body`], and is not looked at elsewhere.
    pub fn finish(self, digests: &Digests, body: &[u8]) -> Verdict {
        self.finish_with(digests, Ok(body))
    }

    /// The same where the body was wanted and is not there: whoever changed it is not looked behind.
    pub fn finish_unkept(self, digests: &Digests, unkept: Unkept) -> Verdict {
        self.finish_with(digests, Err(unkept))
    }

    fn finish_with(self, digests: &Digests, body: Result<&[u8], Unkept>) -> Verdict {
        let draft = self.draft;
        match self.state {
            State::Absent => Verdict { draft, outcome: Outcome::Absent, chain: None, signed: Vec::new() },
            State::Failed(chain, failure) => {
                let signed = chain.iter().flat_map(|chain| chain.signatures.iter().map(|_| None)).collect();
                Verdict { draft, outcome: Outcome::Failed(failure), chain: chain.map(Arc::new), signed }
            }
            State::Open(open) => open.finish(draft, digests, body),
        }
    }
}

fn open(header: &Header<'_>, chain: Chain, envelope: &Envelope, now: Timestamp, plan: &mut DigestPlan) -> State {
    let bound = if envelope.sender().is_some() { chain.check_envelope(envelope) } else { Ok(()) };
    let newest = chain.newest().map_or(Ok(()), |newest| chain.check_sender(newest));
    let checked = chain.check_time(now).and(bound).and(newest).and(check_keys(&chain));
    if let Err(failure) = checked {
        return State::Failed(Some(chain), failure);
    }
    let versions = Versions::of(header, &chain, plan);
    let (is_bound, broken) = (envelope.is_known(), chain.check_custody().err());
    let chain = Arc::new(chain);
    State::Open(Box::new(Open { chain, is_bound, broken, versions, answers: BTreeMap::new() }))
}

fn key_names(chain: &Chain) -> Vec<KeyName> {
    key_names_of(chain.signatures.iter().rev())
}

fn key_names_of<'s>(signatures: impl IntoIterator<Item = &'s Signature>) -> Vec<KeyName> {
    let mut names = Vec::new();
    for member in signatures.into_iter().flat_map(|signature| signature.groups().iter().flatten()) {
        // § -08 14.6: what is not known is not asked for
        if let (Some(name), Some(_)) = (&member.key_name, member.algorithm)
            && !names.contains(name)
        {
            names.push(name.clone());
        }
    }
    names
}

fn check_keys(chain: &Chain) -> Result<(), Failure> {
    if key_names(chain).len() <= limits::DKIM2_KEYS {
        return Ok(());
    }
    Err(Failure { problem: Problem::TooManyKeys, draft: chain.draft, place: Place::default() })
}

/// What is said of a chain without a signature, which [`Chain::read`] gives to nobody.
fn no_signature(chain: &Chain) -> Failure {
    let place = Place { hop: Some(1), ..Place::default() };
    Failure { problem: Problem::Missing(Kind::Signature), draft: chain.draft, place }
}

impl Open {
    fn finish(self, draft: Draft, digests: &Digests, body: Result<&[u8], Unkept>) -> Verdict {
        let signed: Vec<_> = self.chain.signatures.iter().map(|signature| self.signature(signature)).collect();
        let outcome = match self.newest(digests, &signed) {
            Err(failure) => Outcome::Failed(self.broken.unwrap_or(failure)),
            Ok((newest, received)) => match self.before(digests, body, &signed) {
                Some(failure) if self.is_bound => Outcome::Provisional(Box::new(newest), failure),
                Some(failure) => Outcome::Failed(failure),
                None if self.is_bound => {
                    let chain = Arc::clone(&self.chain);
                    Outcome::Full(Box::new(FullyVerified { chain, newest, received }))
                }
                None => Outcome::Unbound,
            },
        };
        Verdict { draft, outcome, chain: Some(self.chain), signed: signed.into_iter().map(Some).collect() }
    }

    /// The newest version and the newest signature.
    fn newest(
        &self,
        digests: &Digests,
        signed: &[Result<(), Failure>],
    ) -> Result<(ProvisionallyVerified, Fingerprint), Failure> {
        let received = self.versions.check_newest(&self.chain, digests)?;
        match (self.chain.newest(), signed.last()) {
            (Some(newest), Some(Ok(()))) => Ok((ProvisionallyVerified::new(newest.clone()), received)),
            (_, Some(Err(failure))) => Err(self.cheaper(digests).unwrap_or_else(|| failure.clone())),
            _ => Err(no_signature(&self.chain)),
        }
    }

    /// What § -08 14 names before a wrong signature, where no body must be made again to know it.
    fn cheaper(&self, digests: &Digests) -> Option<Failure> {
        if self.versions.want_body() {
            return None;
        }
        self.versions.check_older(&self.chain, digests, Ok(b"")).err().or_else(|| self.versions.wrong_author())
    }

    /// The first thing wrong before the newest hop, in the order of § -08 14. No body is made again before the
    /// newest signature is known to hold.
    fn before(
        &self,
        digests: &Digests,
        body: Result<&[u8], Unkept>,
        signed: &[Result<(), Failure>],
    ) -> Option<Failure> {
        let body = body.map_err(Unkept::problem);
        let hashes = || self.versions.check_older(&self.chain, digests, body.clone()).err();
        // A fail or a permanent error of one signature is worse than not knowing about another.
        let signatures = || {
            let failures: Vec<_> = signed.iter().filter_map(|signed| signed.clone().err()).collect();
            let lasting = failures.iter().find(|failure| failure.status() != Status::TempError);
            lasting.or(failures.first()).cloned()
        };
        self.broken.clone().or_else(hashes).or_else(|| self.versions.wrong_author()).or_else(signatures)
    }

    fn signature(&self, signature: &Signature) -> Result<(), Failure> {
        let input = Input::of(self.chain.signed_by(signature));
        groups::judged(
            signature.groups(),
            |member| self.member(member, &input).map_err(|problem| self.failure(problem, signature, member)),
            Problem::NoSignatureGroup,
        )
    }

    fn member(&self, member: &Member, input: &Input) -> Result<(), Problem> {
        let selector = || member.selector.as_str().to_owned();
        let key = |problem| Problem::Key(selector(), problem);
        let algorithm = member.algorithm.ok_or_else(|| Problem::AlgorithmUnknown(selector()))?;
        let name = member.key_name.as_ref().ok_or_else(|| key(KeyProblem::Missing))?;
        let records = match self.answers.get(name).unwrap_or(&KeyAnswer::Unavailable(Trouble::Timeout)) {
            KeyAnswer::Records(records) => records.clone(),
            KeyAnswer::Unavailable(_) => return Err(key(KeyProblem::Unfetched)),
        };
        match records.verify(algorithm, input, &member.value) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Problem::Incorrect(selector())),
            Err(problem) => Err(key(problem)),
        }
    }

    fn failure(&self, problem: Problem, signature: &Signature, member: &Member) -> Failure {
        let place = Place { offset: Some(member.offset), ..signature.place("s") };
        Failure { problem, draft: self.chain.draft, place }
    }
}
