//! The DKIM2 section of the JSON report.

use serde::Serialize;
use zi2_sig::dkim2::{Binding, BodyRecipe, Failure, Hop, Instance, Outcome, Path, Verdict};

/// DKIM2.
#[derive(Serialize, Clone, Debug)]
pub struct Dkim2Report {
    /// The result word of RFC 8601: `none`, `pass`, `fail`, `permerror` or `temperror`.
    pub result: &'static str,
    /// The draft's text, unless it is a pass.
    pub text: Option<String>,
    /// The draft whose rules were followed, two digits.
    pub draft: &'static str,
    /// What was proven: `full`, `provisional`, `unbound` (the envelope is not known) or `nothing`.
    pub proven: &'static str,
    /// Where the failure lies.
    pub at: Option<Dkim2Place>,
    /// Each hop, the oldest first.
    pub hops: Vec<Dkim2Hop>,
}

/// Where a failure lies.
#[derive(Serialize, Clone, Debug)]
pub struct Dkim2Place {
    /// `i=`.
    pub i: Option<u32>,
    /// `m=`.
    pub m: Option<u32>,
    /// The tag.
    pub tag: Option<&'static str>,
    /// The octet, counted from the start of the header section.
    pub offset: Option<usize>,
}

/// One hop.
#[derive(Serialize, Clone, Debug)]
pub struct Dkim2Hop {
    /// `i=`.
    pub i: u32,
    /// `m=`.
    pub m: u32,
    /// `d=`.
    pub d: String,
    /// `t=`.
    pub t: u64,
    /// `mf=`, everything but printable ASCII escaped.
    pub mf: Option<String>,
    /// `rt=`, likewise.
    pub rt: Vec<String>,
    /// `nd=`.
    pub nd: Option<String>,
    /// `f=`.
    pub flags: Vec<String>,
    /// Selector and algorithm of each value, `selector:algorithm`.
    pub keys: Vec<String>,
    /// The result word for this signature alone; nothing if it was not looked at.
    pub result: Option<&'static str>,
    /// The draft's text for it.
    pub text: Option<String>,
    /// What this hop changed.
    pub changed: Option<Dkim2Change>,
}

/// What a hop changed.
#[derive(Serialize, Clone, Debug)]
pub struct Dkim2Change {
    /// Fields it added, changed or removed.
    pub fields: Vec<String>,
    /// `no`, `yes`, or `lost` where it cannot be undone.
    pub body: &'static str,
}

impl From<&Verdict> for Dkim2Report {
    fn from(verdict: &Verdict) -> Dkim2Report {
        let failure = verdict.failure();
        Dkim2Report {
            result: verdict.result(),
            text: failure.map(Failure::text),
            draft: verdict.draft.number(),
            proven: match verdict.outcome {
                Outcome::Full(_) => "full",
                Outcome::Unbound => "unbound",
                Outcome::Provisional(..) => "provisional",
                Outcome::Absent | Outcome::Failed(_) => "nothing",
            },
            at: failure.map(|failure| Dkim2Place {
                i: failure.place.hop,
                m: failure.place.instance,
                tag: failure.place.tag,
                offset: failure.place.offset,
            }),
            hops: verdict.hops().into_iter().map(Dkim2Hop::from).collect(),
        }
    }
}

impl From<Hop<'_>> for Dkim2Hop {
    fn from(hop: Hop<'_>) -> Dkim2Hop {
        let signature = hop.signature;
        let (mf, rt, nd) = match signature.binding() {
            Binding::Envelope { sender, recipients } => {
                (Some(sender.to_string()), recipients.iter().map(Path::to_string).collect(), None)
            }
            Binding::Next(domain) => (None, Vec::new(), Some(domain.to_string())),
        };
        let members = signature.groups().iter().flatten();
        Dkim2Hop {
            i: signature.number(),
            m: signature.instance(),
            d: signature.domain().to_string(),
            t: signature.time().secs(),
            mf,
            rt,
            nd,
            flags: signature.flags().map(str::to_owned).collect(),
            keys: members.map(|member| format!("{}:{}", member.selector, member.algorithm_name)).collect(),
            result: hop
                .signed
                .map(|signed| signed.as_ref().map_or_else(|failure| failure.status().as_str(), |()| "pass")),
            text: hop.signed.and_then(|signed| signed.as_ref().err()).map(Failure::text),
            changed: hop.made.filter(|made| made.number() > 1).map(Dkim2Change::from),
        }
    }
}

impl From<&Instance> for Dkim2Change {
    fn from(instance: &Instance) -> Dkim2Change {
        let recipe = instance.recipe();
        Dkim2Change {
            fields: recipe.iter().flat_map(|recipe| recipe.header()).map(|(name, _)| name.to_owned()).collect(),
            body: match recipe.map_or(&BodyRecipe::Unchanged, |recipe| recipe.body()) {
                BodyRecipe::Unchanged => "no",
                BodyRecipe::Steps(_) => "yes",
                BodyRecipe::Null => "lost",
            },
        }
    }
}
