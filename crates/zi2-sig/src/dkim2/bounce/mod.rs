//! Bounces (§ -08 16): whether one may be sent and to whom, whether one that came in is about mail of ours, and how it goes
//! back one hop. Whoever can make us send bounces to strangers would send their mail by us, so each step takes the evidence
//! of the one before it.

mod back;
mod check;
mod compose;
mod made;
mod nonce;
mod report;

use zi2_mail::Domain;

pub use back::{NotPassedBack, PassedBack};
pub use check::{AuthenticBounce, BounceFault, BounceVerifier, House};
pub use compose::{ComposeError, Failing, Reporter, Returning, compose};
pub use made::{MadeBounce, NotSignable};
pub use nonce::NonceKey;
pub use report::{Action, ReportError, StatusCode};

use super::{Binding, Failure, Outcome, Path, Signature, Verdict};

/// Leave to send a bounce of one message: to whom, and who may sign it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BounceLeave {
    to: Path,
    /// The domains that the message was sent to.
    domains: Vec<Domain>,
}

/// Why no bounce of a message is sent.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoBounce {
    /// No DKIM2: its bounces are what they were before.
    #[error("the message has no DKIM2 fields; a bounce of it is nothing that DKIM2 speaks of")]
    Absent,
    /// The newest hop does not hold: the sender may be anybody, so the message is refused while it is received.
    #[error("the newest hop does not hold ({0}); refuse the message during SMTP instead")]
    Unproven(Failure),
    /// Nobody knows by which envelope it came.
    #[error("the envelope by which the message came is not known")]
    Unbound,
    /// `mf=<>`: a bounce, which is not answered.
    #[error("the newest hop has no sender (mf=<>); nothing is sent back to nobody")]
    NullSender,
    /// `nd=`: a hop within a house, which has no sender.
    #[error("the newest hop is one within a house (nd=); it has no sender")]
    Imaginary,
}

impl BounceLeave {
    /// Leave to bounce a message that was received with this verdict (§ -08 16.1). A message of which only the newest hop
    /// holds may be bounced.
    ///
    /// # Errors
    /// [`NoBounce`].
    pub fn of(verdict: &Verdict) -> Result<BounceLeave, NoBounce> {
        match &verdict.outcome {
            Outcome::Absent => Err(NoBounce::Absent),
            Outcome::Unbound => Err(NoBounce::Unbound),
            Outcome::Failed(failure) => Err(NoBounce::Unproven(failure.clone())),
            Outcome::Full(full) => BounceLeave::by(full.newest().signature()),
            Outcome::Provisional(newest, _) => BounceLeave::by(newest.signature()),
        }
    }

    /// What a signature allows that was proven.
    fn by(newest: &Signature) -> Result<BounceLeave, NoBounce> {
        match newest.binding() {
            Binding::Next(_) => Err(NoBounce::Imaginary),
            Binding::Envelope { sender, .. } if sender.is_null() => Err(NoBounce::NullSender),
            Binding::Envelope { sender, recipients } => {
                let domains = recipients.iter().filter_map(Path::domain).cloned().collect();
                Ok(BounceLeave { to: sender.clone(), domains })
            }
        }
    }

    /// To whom the bounce goes, and nobody else.
    pub fn to(&self) -> &Path {
        &self.to
    }

    /// Whether the bounce may be signed as this domain: one that the message was sent to, or one above it.
    pub fn may_sign(&self, domain: &Domain) -> bool {
        is_aligned(&self.domains, domain)
    }

    /// The envelope of the bounce.
    pub fn binding(&self) -> Binding {
        Binding::Envelope { sender: Path::of_command(b"<>"), recipients: vec![self.to.clone()] }
    }
}

/// § -08 16.2: a domain that mail was sent to is that of the signer of the bounce, or below it. One label is nobody's.
fn is_aligned(sent_to: &[Domain], signer: &Domain) -> bool {
    signer.as_str().contains('.') && sent_to.iter().any(|domain| domain.is_within(signer))
}
