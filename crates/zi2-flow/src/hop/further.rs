//! A further hop: a message that came in with a DKIM2 chain and is sent on, changed or not.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use zi2_keys::{Budget, Resolver};
use zi2_mail::{Domain, Header, Message, NewField};
use zi2_sig::dkim2::{
    Binding, Brackets, Chain, Envelope, Flag, FullyVerified, Identity, Outcome, Policy, Refusal, Unkept, extend,
    extend_through,
};
use zi2_store::{Snapshot, SnapshotKey, Snapshots};

use super::hidden::check_hidden;
use super::{Dkim2Rules, Dkim2Unsigned, Leaving, fitting};
use crate::dkim2::dkim2;
use crate::keep::{Keeper, Received};
use crate::{BodyRoom, limits};

/// A further hop that waits for the body.
pub struct Further {
    rules: Arc<Dkim2Rules>,
    snapshots: Snapshots,
    key: SnapshotKey,
    keeper: Keeper,
    now: zi2_mail::Timestamp,
    random: [u8; 32],
    envelope: Envelope,
}

/// Whether a message has fields of DKIM2, also such as cannot be read.
pub fn has_dkim2(header: &Header<'_>, rules: &Dkim2Rules) -> bool {
    !matches!(Chain::read(header, rules.draft, Brackets::Required), Ok(None))
}

impl Further {
    /// Takes a message with a chain whose original is kept here, by the name that ingress gave to it: the chain alone would
    /// be that of a forgery, too.
    ///
    /// # Errors
    /// [`Dkim2Unsigned`].
    pub fn begin(
        rules: &Arc<Dkim2Rules>,
        leaving: &Leaving<'_>,
        (snapshots, key): (&Snapshots, SnapshotKey),
        room: &BodyRoom,
    ) -> Result<Further, Dkim2Unsigned> {
        if !snapshots.holds(key) {
            return Err(Dkim2Unsigned::NoSnapshot);
        }
        check_hidden(rules, leaving)?;
        let mut keeper = Keeper::new(leaving.header);
        keeper.want_body(room);
        Ok(Further {
            rules: Arc::clone(rules),
            snapshots: snapshots.clone(),
            key,
            keeper,
            now: leaving.now,
            random: leaving.random,
            envelope: leaving.envelope.clone(),
        })
    }

    /// Takes the next octets of the body.
    pub fn body(&mut self, chunk: &[u8]) {
        self.keeper.feed(chunk);
    }

    /// Verifies the message as it came in, finds what changed and signs. No stranger's DNS holds the message longer than
    /// [`limits::PROVING_SECS`].
    ///
    /// # Errors
    /// [`Dkim2Unsigned`].
    pub async fn finish(self, resolver: &Resolver) -> Result<Vec<NewField>, Dkim2Unsigned> {
        let Further { rules, snapshots, key, keeper, now, random, envelope } = self;
        let outgoing = match keeper.finish().whole {
            Some(Ok(outgoing)) => outgoing,
            Some(Err(Unkept::TooLarge | Unkept::NoRoom)) | None => return Err(Dkim2Unsigned::TooLarge),
        };
        let snapshot = snapshots.find(key).await.ok_or(Dkim2Unsigned::NoSnapshot)?;
        let (resolver, runtime) = (resolver.clone(), tokio::runtime::Handle::current());
        // To undo what was changed on the way, and to find what was changed here, is work that the message orders: no other
        // one waits for it.
        let work = move || {
            let time = Duration::from_secs(limits::PROVING_SECS);
            let proven = runtime.block_on(async { timeout(time, prove(&rules, &snapshot, &resolver, time)).await });
            let evidence = proven.ok().flatten().ok_or(Dkim2Unsigned::Unproven)?;
            Hop { rules, snapshot, evidence, outgoing, now, random, envelope }.sign()
        };
        tokio::task::spawn_blocking(work).await.unwrap_or(Err(Dkim2Unsigned::Internal))
    }
}

/// Verifies again: evidence is never read from a disk. By the clock of then, since a queue may take days.
async fn prove(
    rules: &Dkim2Rules,
    snapshot: &Snapshot,
    resolver: &Resolver,
    time: Duration,
) -> Option<Box<FullyVerified>> {
    let header = Header::parse(&snapshot.section);
    let message = Message { header, body: &snapshot.body };
    let envelope = Envelope::of(&snapshot.mail_from, &snapshot.recipients);
    let budget = Arc::new(Budget::new(zi2_keys::limits::LOOK_UPS, time));
    let policy = Policy { draft: rules.draft, brackets: Brackets::Required };
    match dkim2(&message, &envelope, snapshot.received, &policy, resolver, &budget).await.outcome {
        Outcome::Full(evidence) => Some(evidence),
        _ => None,
    }
}

/// All that a further hop is made of.
struct Hop {
    rules: Arc<Dkim2Rules>,
    snapshot: Arc<Snapshot>,
    evidence: Box<FullyVerified>,
    outgoing: Received,
    now: zi2_mail::Timestamp,
    random: [u8; 32],
    envelope: Envelope,
}

impl Hop {
    fn sign(&self) -> Result<Vec<NewField>, Dkim2Unsigned> {
        let binding = Binding::of(&self.envelope).ok_or(Dkim2Unsigned::Recipients)?;
        let mut terms = self.rules.terms(binding, self.now);
        if self.rules.exploded {
            terms.flags.push(Flag::Exploded);
        }
        let received = Message { header: Header::parse(&self.snapshot.section), body: &self.snapshot.body };
        let outgoing = Message { header: Header::parse(self.outgoing.section()), body: self.outgoing.body() };
        let ways = self.ways();
        let mut why = self.without_ways();
        for way in ways {
            let extension = match &way {
                Way::Direct(identity) => extend(&self.evidence, &received, &outgoing, &terms, identity),
                Way::Through(recipient, identity) => {
                    extend_through(&self.evidence, &received, &outgoing, &terms, recipient, identity)
                }
            };
            match extension {
                Ok(extension) => return fitting(extension.fields),
                // Another domain of ours may fit better.
                Err(refusal @ (Refusal::Custody(_) | Refusal::From(_) | Refusal::Sender(_))) => {
                    why = Dkim2Unsigned::from(&refusal);
                }
                Err(refusal) => return Err(Dkim2Unsigned::from(&refusal)),
            }
        }
        Err(why)
    }

    /// Why there is no way: most often an alias sends on in the name of a stranger.
    fn without_ways(&self) -> Dkim2Unsigned {
        let came_here = self.came_to().next().is_some();
        if came_here { Dkim2Unsigned::Custody } else { Dkim2Unsigned::KeyMissing }
    }

    /// The domains of ours that the message came to, each once.
    fn came_to(&self) -> impl Iterator<Item = &Domain> {
        let came_to: BTreeSet<&Domain> = match self.evidence.newest().signature().binding() {
            Binding::Envelope { recipients, .. } => {
                recipients.iter().filter_map(|path| path.domain()).flat_map(|domain| self.rules.above(domain)).collect()
            }
            Binding::Next(next) => self.rules.above(next).into_iter().collect(),
        };
        came_to.into_iter()
    }

    /// As whom we can sign: as the domain of the envelope sender; where the message came to another domain of ours, as that
    /// one first (§ -08 8.4). Without a sender, as the domain it came to.
    fn ways(&self) -> Vec<Way> {
        let identity = |domain: &&Domain| self.rules.identity(domain, self.random);
        let came_to: Vec<&Domain> = self.came_to().take(limits::DKIM2_WAYS).collect();
        let sender = self.envelope.sender().and_then(|sender| sender.domain());
        let Some(sender) = sender else {
            return came_to.iter().filter_map(identity).map(Way::Direct).collect();
        };
        let senders = self.rules.above(sender);
        let direct = senders.iter().filter_map(identity).map(Way::Direct);
        let through = came_to.iter().flat_map(|recipient| senders.iter().map(move |sender| (recipient, sender)));
        let through = through.filter(|(recipient, sender)| recipient != sender);
        let through =
            through.filter_map(|(recipient, sender)| Some(Way::Through(identity(recipient)?, identity(sender)?)));
        direct.chain(through).take(limits::DKIM2_WAYS).collect()
    }
}

/// One way to sign.
enum Way {
    Direct(Identity),
    Through(Identity, Identity),
}
