//! The judgement: facts, past and policy in, one verdict out. It decides what a header says, never whether mail is delivered.

use zi2_mail::{Domain, HostName, Timestamp};
use zi2_sig::{Attested, Certified, Facts, Form, Kid, Outcome, Part};

use crate::level::{BothHosted, level_of};
use crate::{
    Delegation, Dmarc, Dnssec, Findings, HistoryPolicy, KeyHistory, Level, PublishedPolicy, Reason, ReplayMode,
    ReplayVerdict, Restoration, Standing, Submission, expects, standing,
};

/// The result words: the draft's, and `temperror` for a key that could not be asked for now.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Verdict {
    /// A valid certification.
    Pass,
    /// An invalid one.
    Fail,
    /// None.
    Missing,
    /// Valid, but too old.
    Expired,
    /// The key holder signed something else.
    Tampered,
    /// Not known now.
    TempError,
}

impl Verdict {
    /// Every word.
    pub const ALL: [Verdict; 6] =
        [Verdict::Pass, Verdict::Fail, Verdict::Missing, Verdict::Expired, Verdict::Tampered, Verdict::TempError];

    /// The word in headers, logs and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Missing => "missing",
            Verdict::Expired => "expired",
            Verdict::Tampered => "tampered",
            Verdict::TempError => "temperror",
        }
    }
}

/// Whether the message pretends to come from a domain that certifies.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Spoof {
    /// Nothing says so.
    No,
    /// The domain's history says so.
    Suspected,
    /// The domain is hosted here or says so itself.
    Yes,
}

impl Spoof {
    /// The word in headers and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Spoof::No => "no",
            Spoof::Suspected => "suspected",
            Spoof::Yes => "yes",
        }
    }
}

/// Everything around the facts that a judgement looks at.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    /// The clock.
    pub now: Timestamp,
    /// How the message reached us.
    pub submission: Submission,
    /// Whether the From domain is hosted here.
    pub from_hosted: bool,
    /// Whether an envelope recipient is hosted here.
    pub recipient_hosted: bool,
    /// What the From domain publishes, as far as asked.
    pub published: PublishedPolicy,
    /// What DMARC says.
    pub dmarc: Dmarc,
    /// The rows of the From domain.
    pub past: &'a [KeyHistory],
    /// The thresholds.
    pub history: &'a HistoryPolicy,
    /// What the replay store said of a verified attestation.
    pub replay: ReplayVerdict,
    /// What is done about replays.
    pub replay_mode: ReplayMode,
    /// What the search for keys found, if there was one.
    pub findings: Option<&'a Findings>,
    /// The version from which those who changed a message say they made it.
    pub restoration: Option<&'a Restoration>,
    /// On whose word a message passes that is not as it was certified; where it was restored this does not count.
    pub delegation: Option<&'a Delegation>,
}

/// The judgement: plain data, which the printers in [`crate::render`] turn into words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Judgement {
    /// The result.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// The level, by where the key came from.
    pub level: Level,
    /// The standing of this domain and key before this message.
    pub history: Standing,
    /// Whether it is marked as a spoof.
    pub spoof: Spoof,
    /// The From domain.
    pub from: Option<Domain>,
    /// The server named in the header.
    pub sid: Option<HostName>,
    /// Whether that server itself publishes the key that verified.
    pub sid_confirmed: bool,
    /// The key identifier in the header.
    pub kid: Option<Kid>,
    /// The form that was verified.
    pub form: Option<Form>,
    /// What the signature covers; of a message that passes on somebody's word, what that covers; of a restored one, what is
    /// as it was certified.
    pub covers: Vec<String>,
    /// The sealer on whose word it passes; of a restored message, those who changed it.
    pub via: Vec<Domain>,
    /// DNSSEC state of the record that authorizes.
    pub dnssec: Option<Dnssec>,
    /// What the replay store said.
    pub replay: ReplayVerdict,
    /// Evidence of the valid certification, for history. Only a pass that was not replayed has it, and by a signature over
    /// the message as it arrived: on nobody's word, and by nobody's recipe.
    pub certified: Option<Attested>,
}

impl Judgement {
    /// What is said when a fault of ours left no judgement: nothing about the sender, and never a pass.
    pub fn internal_error() -> Judgement {
        Judgement {
            verdict: Verdict::TempError,
            reason: Reason::InternalError,
            level: Level::Unknown,
            history: Standing::Unverified,
            spoof: Spoof::No,
            from: None,
            sid: None,
            sid_confirmed: false,
            kid: None,
            form: None,
            covers: Vec::new(),
            via: Vec::new(),
            dnssec: None,
            replay: ReplayVerdict::Unknown,
            certified: None,
        }
    }
}

/// Judges (zi2.md §7 to §9).
pub fn judge(facts: &Facts, around: &Circumstances<'_>) -> Judgement {
    let (verdict, level, reason, attested) = verdict(facts, around);
    let spoof = spoof(verdict, reason, around);
    let reason = match (reason, spoof) {
        (Reason::NoneAbsent, Spoof::Suspected | Spoof::Yes) => Reason::PolicyExpectedMissing,
        _ => reason,
    };
    let read = facts.certified.as_ref();
    let stand_in = StandIn::of(reason, around);
    let certified = attested.filter(|_| verdict == Verdict::Pass && stand_in.is_none());
    Judgement {
        verdict,
        reason,
        level,
        history: attested.map_or(Standing::Unverified, |a| past_standing(&a, around)),
        spoof,
        from: facts.from.clone(),
        sid: read.map(|c| c.sid.clone()),
        sid_confirmed: attested.is_some_and(|a| around.findings.is_some_and(|f| f.confirmed.contains(&a.key()))),
        kid: read.map(|c| c.kid),
        form: read.map(|c| c.form),
        covers: match stand_in {
            Some(StandIn { covers, .. }) => covers.to_vec(),
            None => read.map(covers).unwrap_or_default(),
        },
        via: stand_in.map(|stand_in| stand_in.via.to_vec()).unwrap_or_default(),
        dnssec: around.findings.and_then(|f| f.dnssec),
        replay: around.replay,
        certified,
    }
}

/// What a message passes by that is not as it was certified.
#[derive(Clone, Copy)]
struct StandIn<'a> {
    covers: &'a [String],
    via: &'a [Domain],
}

impl<'a> StandIn<'a> {
    fn of(reason: Reason, around: &Circumstances<'a>) -> Option<StandIn<'a>> {
        match (reason, around.restoration, around.delegation) {
            (Reason::OkRestoredDkim2, Some(restoration), _) => {
                Some(StandIn { covers: restoration.covers(), via: restoration.revisers() })
            }
            (Reason::OkDelegatedArc, _, Some(delegation)) => {
                Some(StandIn { covers: delegation.covers(), via: std::slice::from_ref(delegation.reporter()) })
            }
            _ => None,
        }
    }
}

type Decision = (Verdict, Level, Reason, Option<Attested>);

fn verdict(facts: &Facts, around: &Circumstances<'_>) -> Decision {
    let without = |verdict, reason| (verdict, Level::Unknown, reason, None);
    match &facts.outcome {
        Outcome::Absent => without(Verdict::Missing, Reason::NoneAbsent),
        Outcome::Failed(failure) => without(Verdict::Fail, Reason::from(failure)),
        Outcome::Unavailable(trouble) => without(Verdict::TempError, Reason::from(*trouble)),
        Outcome::Tampered(_, a) if around.restoration.is_some() => unless_replayed(a, around, restored(a)),
        Outcome::Tampered(_, a) if around.delegation.is_some() => unless_replayed(a, around, delegated(a)),
        Outcome::Tampered(Part::Body, a) => (Verdict::Tampered, Level::Unknown, Reason::TamperedBody, Some(*a)),
        Outcome::Tampered(Part::Header, a) => (Verdict::Tampered, Level::Unknown, Reason::TamperedHeader, Some(*a)),
        Outcome::Expired(a) => (Verdict::Expired, Level::Unknown, Reason::ExpiredWindow, Some(*a)),
        Outcome::Verified(a) => unless_replayed(a, around, verified(a, around)),
    }
}

type Passed = (Level, Reason);

/// §7 step 7.
fn unless_replayed(attested: &Attested, around: &Circumstances<'_>, (level, reason): Passed) -> Decision {
    let found = |verdict, reason| (verdict, Level::Unknown, reason, Some(*attested));
    match (around.replay_mode, around.replay) {
        (ReplayMode::Fail, ReplayVerdict::Replayed) => return found(Verdict::Fail, Reason::ReplayNonce),
        // A store that cannot answer is our failure: it never turns into pass.
        (ReplayMode::Fail, ReplayVerdict::Unknown) => return found(Verdict::TempError, Reason::StoreUnavailable),
        _ => {}
    }
    (Verdict::Pass, level, reason, Some(*attested))
}

fn verified(attested: &Attested, around: &Circumstances<'_>) -> Passed {
    let both = if around.from_hosted && around.recipient_hosted { BothHosted::Yes } else { BothHosted::No };
    level_of(attested.origin(), around.submission, both)
}

/// §11: the key's own level. What was changed on its way was not submitted here.
fn restored(attested: &Attested) -> Passed {
    let (level, _) = level_of(attested.origin(), Submission::Outside, BothHosted::No);
    (level, Reason::OkRestoredDkim2)
}

/// §11: level at most 1, whatever the key.
fn delegated(attested: &Attested) -> Passed {
    let (level, _) = level_of(attested.origin(), Submission::Outside, BothHosted::No);
    (level.min(Level::Dns), Reason::OkDelegatedArc)
}

/// §9, expectation: mail without a valid header from a domain that is expected to certify.
fn spoof(verdict: Verdict, reason: Reason, around: &Circumstances<'_>) -> Spoof {
    // `expired` and `temperror` never mark; a replayed mail is genuine; p=monitor never marks.
    let lacks_valid_header = matches!(verdict, Verdict::Missing | Verdict::Fail | Verdict::Tampered);
    if !lacks_valid_header || reason == Reason::ReplayNonce || around.published == PublishedPolicy::Monitor {
        return Spoof::No;
    }
    if around.from_hosted || around.published == PublishedPolicy::Enforce {
        return Spoof::Yes;
    }
    // History alone never marks while DMARC passes.
    let expected = around.past.iter().any(|row| expects(row, around.history, around.now));
    if expected && around.dmarc != Dmarc::Pass { Spoof::Suspected } else { Spoof::No }
}

fn past_standing(attested: &Attested, around: &Circumstances<'_>) -> Standing {
    let row = around.past.iter().find(|row| row.key == attested.key());
    row.map_or(Standing::Unverified, |row| standing(row, around.history, around.now))
}

/// §1: results say what is covered. In draft form that is the bare addresses, not the whole fields.
pub(crate) fn covers(certified: &Certified) -> Vec<String> {
    let fields: Vec<String> = match certified.form {
        Form::Draft => ["from.address", "to.address", "message-id"].map(str::to_owned).to_vec(),
        Form::Page | Form::Combined => certified.covered().map(str::to_owned).collect(),
    };
    fields.into_iter().chain(["body".to_owned()]).collect()
}
