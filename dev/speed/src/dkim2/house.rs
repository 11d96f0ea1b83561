//! Domains that sign, by us and by mail-auth with the same keys.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use mail_auth::crypto::Ed25519Key;
use mail_auth::dkim2::{
    Dkim2Hash, Dkim2Output, Dkim2Signed, Dkim2Signer, Envelope as TheirEnvelope, Flag as TheirFlag, Hop,
};
use mail_auth::dns::Parameters;
use mail_auth::signer::Ready;
use mail_auth::{AuthenticatedMessage, Dkim2Result, MessageAuthenticator};
use zi2_mail::{DigestPlan, Domain, Message, NewField, Timestamp};
use zi2_sig::SigningKey;
use zi2_sig::dkim::{DkimSigningKey, Selector};
use zi2_sig::dkim2::{
    Binding, Draft, Envelope, Flag, FullyVerified, HashChoice, Identity, KeyAnswer, KeyRecords, Originator, Outcome,
    Policy, PrivateKey, SigningMember, Terms, Verdict, Verifier, extend,
};

use crate::world::World;

/// `a.example`, `b.example` and so on: each has an Ed25519 key made of its letter.
pub(crate) const DOMAINS: usize = 12;

/// Everybody, and what both programs ask of them.
pub(crate) struct House {
    authenticator: MessageAuthenticator,
    world: World,
    records: Vec<(String, KeyRecords)>,
}

/// An envelope in text.
#[derive(Clone, Debug)]
pub(crate) struct Trip {
    pub(crate) sender: String,
    pub(crate) recipients: Vec<String>,
}

/// What a signature says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    pub(crate) hashes: HashChoice,
    pub(crate) feedback: bool,
    pub(crate) nonce: Option<String>,
}

pub(crate) fn name(domain: usize) -> String {
    format!("{}.example", char::from(b'a' + domain as u8))
}

pub(crate) fn seed(domain: usize) -> [u8; 32] {
    [b'a' + domain as u8; 32]
}

fn key(domain: usize) -> DkimSigningKey {
    SigningKey::from_seed(&seed(domain)).unwrap().into()
}

impl Trip {
    /// From one domain to the next.
    pub(crate) fn of(from: usize, to: usize) -> Trip {
        Trip { sender: format!("<x@{}>", name(from)), recipients: vec![format!("<y@{}>", name(to))] }
    }

    fn ours(&self) -> Envelope {
        Envelope::of(self.sender.as_bytes(), &self.recipients)
    }

    fn theirs(&self) -> TheirEnvelope<&str, &[String]> {
        TheirEnvelope::new(&self.sender, &self.recipients)
    }
}

impl House {
    pub(crate) fn new() -> House {
        let record = |domain| (format!("s._domainkey.{}", name(domain)), key(domain).record());
        let texts: Vec<(String, String)> = (0..DOMAINS).map(record).collect();
        let world = World::of(texts.iter().map(|(name, text)| (name.as_str(), text.clone())));
        let records = texts.iter().map(|(name, text)| (name.clone(), KeyRecords::parse([text.as_bytes()]))).collect();
        House { authenticator: MessageAuthenticator::new_cloudflare().unwrap(), world, records }
    }

    pub(crate) fn ours(&self, mail: &[u8], trip: &Trip, now: u64) -> Verdict {
        let message = Message::split(mail);
        let mut plan = DigestPlan::new();
        let mut verifier =
            Verifier::new(&message.header, &trip.ours(), Timestamp::from_secs(now), &Policy::default(), &mut plan);
        for name in verifier.questions() {
            let known =
                self.records.iter().find(|(known, _)| known == name.as_str()).map(|(_, records)| records.clone());
            verifier.answer(&name, &KeyAnswer::Records(known.unwrap_or_else(|| KeyRecords::parse([]))));
        }
        verifier.finish(&plan.digest(message.body), message.body)
    }

    /// mail-auth's word and text. It asks the clock, and everything else is in its cache.
    pub(crate) fn theirs(&self, mail: &[u8], trip: &Trip) -> (&'static str, String) {
        let Some(message) = AuthenticatedMessage::parse(mail) else { return ("none", "no message".to_owned()) };
        let output = self.judged(&message, trip);
        match output.result() {
            Dkim2Result::Pass => ("pass", String::new()),
            Dkim2Result::None => ("none", String::new()),
            Dkim2Result::Fail(why) => ("fail", why.to_string()),
            Dkim2Result::PermError(why) => ("permerror", why.to_string()),
            Dkim2Result::TempError(why) => ("temperror", why.to_string()),
        }
    }

    fn judged<'m>(&'m self, message: &'m AuthenticatedMessage<'m>, trip: &Trip) -> Dkim2Output<'m> {
        let params = Parameters::new(message).with_cache(&self.world);
        let verifying = pin!(self.authenticator.verify_dkim2(params, trip.theirs()));
        match verifying.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => output,
            Poll::Pending => unreachable!("everything is in the cache"),
        }
    }

    /// The fields of a hop by us; `received` is the message it came as, nothing for the first.
    pub(crate) fn sign(
        &self,
        received: Option<(&[u8], &FullyVerified)>,
        outgoing: &[u8],
        domain: usize,
        trip: &Trip,
        said: &Said,
        now: u64,
    ) -> Result<String, String> {
        let signer = OurSigner::new(domain, trip, said, now);
        let fields = match received {
            None => signer.first(outgoing),
            Some((received, evidence)) => signer.further(received, evidence, outgoing),
        }?;
        Ok(fields.iter().map(|field| field.wire() + "\r\n").collect())
    }

    /// The same by mail-auth.
    pub(crate) fn sign_theirs(
        &self,
        received: Option<(&[u8], &Trip)>,
        outgoing: &[u8],
        domain: usize,
        trip: &Trip,
        said: &Said,
    ) -> Result<String, String> {
        let signer = their_signer(domain, said);
        let hop = Hop::real(trip.sender.clone(), trip.recipients.clone());
        let signed: mail_auth::Result<Dkim2Signed> = match received {
            None => signer.sign(outgoing, hop, None),
            Some((received, by)) => {
                let message = AuthenticatedMessage::parse(received).ok_or("no message")?;
                let output = self.judged(&message, by);
                signer.sign_revised(received, outgoing, hop, Some(&output))
            }
        };
        signed.map(|signed| signed.to_header()).map_err(|error| error.to_string())
    }
}

/// What a signature of ours takes.
pub(crate) struct OurSigner {
    terms: Terms,
    identity: Identity,
}

impl OurSigner {
    pub(crate) fn new(domain: usize, trip: &Trip, said: &Said, now: u64) -> OurSigner {
        let terms = Terms {
            draft: Draft::default(),
            now: Timestamp::from_secs(now),
            binding: Binding::of(&trip.ours()).unwrap(),
            flags: if said.feedback { vec![Flag::Feedback] } else { Vec::new() },
            nonce: said.nonce.clone(),
            hashes: said.hashes,
        };
        let member =
            SigningMember { selector: Selector::parse("s").unwrap(), key: PrivateKey::Dkim(Arc::new(key(domain))) };
        let identity = Identity { domain: Domain::parse(&name(domain)).unwrap(), groups: vec![vec![member]] };
        OurSigner { terms, identity }
    }

    pub(crate) fn first(&self, outgoing: &[u8]) -> Result<Vec<NewField>, String> {
        let message = Message::split(outgoing);
        let mut plan = DigestPlan::new();
        let signer = Originator::new(&message.header, self.terms.clone(), self.identity.clone(), &mut plan)
            .map_err(|refusal| refusal.to_string())?;
        signer.finish(&plan.digest(message.body)).map_err(|refusal| refusal.to_string())
    }

    pub(crate) fn further(
        &self,
        received: &[u8],
        evidence: &FullyVerified,
        outgoing: &[u8],
    ) -> Result<Vec<NewField>, String> {
        let (received, outgoing) = (Message::split(received), Message::split(outgoing));
        let extension = extend(evidence, &received, &outgoing, &self.terms, &self.identity);
        extension.map(|extension| extension.fields).map_err(|refusal| refusal.to_string())
    }
}

fn their_signer(domain: usize, said: &Said) -> Dkim2Signer<Ready> {
    let public = SigningKey::from_seed(&seed(domain)).unwrap().public();
    let key = Ed25519Key::from_seed_and_public_key(&seed(domain), public.as_octets()).unwrap();
    let hashes: &[Dkim2Hash] = match said.hashes {
        HashChoice::Sha256 => &[Dkim2Hash::Sha256],
        HashChoice::Sha512 => &[Dkim2Hash::Sha512],
        HashChoice::Both => &[Dkim2Hash::Sha256, Dkim2Hash::Sha512],
    };
    let signer = Dkim2Signer::from_key(key).domain(name(domain)).selector("s").hashes(hashes.iter().copied());
    let signer = if said.feedback { signer.flags([TheirFlag::Feedback]) } else { signer };
    match &said.nonce {
        Some(nonce) => signer.nonce(nonce),
        None => signer,
    }
}

/// The evidence that a whole chain holds.
pub(crate) fn full(verdict: Verdict) -> Option<FullyVerified> {
    match verdict.outcome {
        Outcome::Full(evidence) => Some(*evidence),
        _ => None,
    }
}
