//! The existing chain for one message: SPF, DKIM, ARC and DMARC, asked in the background while the body arrives.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use zi2_chain::arc;
use zi2_chain::dmarc::{Dmarc, Identifiers};
use zi2_chain::spf::{Spf, SpfIdentity, SpfInput, SpfResult, SpfVerdict};
use zi2_chain::{Answer, ChainResults, DnsName, Question};
use zi2_keys::{Budget, Resolver};
use zi2_mail::{DigestPlan, Digests, Domain, Header, HostName, Timestamp};
use zi2_sig::dkim::{self, DkimRecords, KeyName, RecordAnswer};

use crate::asking::Asking;
use crate::background::{Background, ask_each};

/// The SMTP client, as the mail server saw it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Client {
    /// Its address; none for a local process, and where the server did not say.
    pub address: Option<IpAddr>,
    /// The argument of HELO or EHLO.
    pub helo: Vec<u8>,
    /// The argument of MAIL, without its parameters.
    pub mail_from: Vec<u8>,
}

/// What the chain goes by.
#[derive(Clone, Debug)]
pub struct ChainRules {
    /// Who checks.
    pub receiver: HostName,
    /// How long the end of a message may wait for the chain.
    pub deadline: Duration,
}

/// Whether there is anything to evaluate of the existing chain where the client may not be known: without a client and a
/// signature nothing could be known.
pub fn has_chain(header: &Header<'_>, client: &Client) -> bool {
    let has = |name| header.named(name).next().is_some();
    client.address.is_some() || has(dkim::DKIM_SIGNATURE) || has("ARC-Seal")
}

/// A message whose body is still to come.
pub(crate) struct Arrival<'a> {
    pub(crate) header: &'a Header<'a>,
    pub(crate) from: Option<&'a Domain>,
    pub(crate) client: &'a Client,
    pub(crate) now: Timestamp,
}

/// The chain under way.
pub(crate) struct Chain {
    dkim: dkim::Verifier,
    arc: arc::Arc,
    keys: Option<Background<Vec<(KeyName, RecordAnswer)>>>,
    spf: Option<Background<SpfResult>>,
    dmarc: Option<Background<Dmarc>>,
    asking: Asking,
    deadline: Duration,
    /// The author domain, where the client is not known: SPF might have authenticated it.
    unsure: Option<Domain>,
}

impl Chain {
    /// Starts all that can be asked before the body, and asks `plan` for the digests needed.
    pub(crate) fn begin(arrival: &Arrival<'_>, plan: &mut DigestPlan, asking: &Asking, rules: &ChainRules) -> Chain {
        let Arrival { header, from, client, now } = *arrival;
        let dkim = dkim::Verifier::new(header, now, &dkim::Policy::default(), plan);
        let arc = arc::Arc::new(header, now, &dkim::Policy::default(), plan);
        // DKIM's first: where there are too many, DMARC needs those.
        let mut names = dkim.questions();
        let more: Vec<_> = arc.questions().into_iter().filter(|name| !names.contains(name)).collect();
        names.extend(more);
        let keys = (!names.is_empty()).then(|| fetch_keys(names, asking));
        let dmarc = from.map(|from| discover(from, asking));
        let unsure = from.filter(|_| client.address.is_none()).cloned();
        let spf = client.address.map(|address| {
            let input = SpfInput {
                client: address,
                helo: &client.helo,
                mail_from: &client.mail_from,
                receiver: &rules.receiver,
                now,
            };
            check(Spf::new(&input), asking)
        });
        Chain { dkim, arc, keys, spf, dmarc, asking: asking.clone(), deadline: rules.deadline, unsure }
    }

    /// Whether the body can change a result: a signature waits for its key.
    pub(crate) fn wants_body(&self) -> bool {
        self.keys.is_some()
    }

    /// The results, at the deadline at the latest, once the body has been digested by the plan that was asked.
    pub(crate) async fn finish(mut self, digests: &Digests) -> ChainResults {
        let deadline = Instant::now() + self.deadline;
        if let Some(keys) = self.keys {
            for (name, answer) in keys.by(deadline).await.unwrap_or_default() {
                self.dkim.answer(&name, &answer);
                self.arc.answer(&name, &answer);
            }
        }
        let (dkim, arc) = (self.dkim.finish(digests), self.arc.finish(digests));
        let spf = match self.spf {
            Some(spf) => spf.by(deadline).await,
            None => None,
        };
        let dmarc = match self.dmarc {
            Some(dmarc) => dmarc.by(deadline).await,
            None => None,
        };
        let dmarc = match dmarc {
            Some(mut machine) => {
                machine.identify(identifiers(spf.as_ref(), &dkim, self.unsure));
                // At the deadline what was not answered could not be asked.
                let asked = timeout_at(deadline, drive(&mut machine, &self.asking.resolver, &self.asking.budget)).await;
                asked.unwrap_or(());
                Some(machine.finish())
            }
            None => None,
        };
        ChainResults { dkim, arc, spf, dmarc }
    }
}

/// The policy of the author domain, as far as it can be found before anything is authenticated.
fn discover(from: &Domain, asking: &Asking) -> Background<Dmarc> {
    let (mut machine, resolver, budget) = (Dmarc::new(from), asking.resolver.clone(), Arc::clone(&asking.budget));
    Background::spawn(move |mut stop| async move {
        tokio::select! {
            biased;
            () = drive(&mut machine, &resolver, &budget) => {}
            _ = &mut stop => {}
        }
        machine
    })
}

async fn drive(machine: &mut Dmarc, resolver: &Resolver, budget: &Budget) {
    while let Some(question) = machine.poll() {
        let answer = resolver.ask(&question, budget).await;
        machine.answer(&question, answer);
    }
}

/// The keys of all signatures, asked at once. What has no answer by the end is not known.
fn fetch_keys(names: Vec<KeyName>, asking: &Asking) -> Background<Vec<(KeyName, RecordAnswer)>> {
    let (resolver, budget) = (asking.resolver.clone(), Arc::clone(&asking.keys));
    ask_each(names, move |name| {
        let (resolver, budget) = (resolver.clone(), Arc::clone(&budget));
        async move {
            let answer = key_records(&name, &resolver, &budget).await;
            (name, answer)
        }
    })
}

/// The key records of a name of DKIM.
pub async fn key_records(name: &KeyName, resolver: &Resolver, budget: &Budget) -> RecordAnswer {
    let Ok(name) = DnsName::parse(name.as_str()) else {
        return RecordAnswer::Records(DkimRecords::parse([])); // a name DNS cannot carry has no records
    };
    match resolver.dkim_keys(&name, budget).await {
        Ok(records) => RecordAnswer::Records(records),
        Err(trouble) => RecordAnswer::Unavailable(trouble),
    }
}

/// SPF, all questions of a round at once.
fn check(mut spf: Spf, asking: &Asking) -> Background<SpfResult> {
    let (resolver, budget) = (asking.resolver.clone(), asking.spf());
    Background::spawn(move |mut stop| async move {
        tokio::select! {
            biased;
            () = ask_rounds(&mut spf, &resolver, &budget) => {}
            _ = &mut stop => {}
        }
        spf.finish()
    })
}

async fn ask_rounds(spf: &mut Spf, resolver: &Resolver, budget: &Arc<Budget>) {
    let mut asked: JoinSet<(Question, Answer)> = JoinSet::new();
    loop {
        while let Some(question) = spf.poll() {
            let (resolver, budget) = (resolver.clone(), Arc::clone(budget));
            asked.spawn(async move {
                let answer = resolver.ask(&question, &budget).await;
                (question, answer)
            });
        }
        match asked.join_next().await {
            Some(Ok((question, answer))) => spf.answer(&question, answer),
            Some(Err(_)) => {} // unanswered: a temporary error
            None => return,
        }
    }
}

/// What SPF authenticated for DMARC, the MAIL FROM domain only (RFC 9989 §3.2.10), and DKIM.
fn identifiers(spf: Option<&SpfResult>, dkim: &dkim::Facts, unsure: Option<Domain>) -> Identifiers {
    let unanswered = |signature: &dkim::SignatureFacts| match signature.outcome() {
        dkim::Outcome::TempError(_) => signature.domain().cloned(),
        _ => None,
    };
    let of_sender = spf.filter(|spf| spf.identity == SpfIdentity::MailFrom);
    let domain = |spf: &SpfResult| Domain::parse(spf.domain.as_ref().map(DnsName::as_str)?).ok();
    let with = |verdict| of_sender.filter(|spf| spf.verdict == verdict).and_then(domain);
    Identifiers {
        spf: with(SpfVerdict::Pass),
        dkim: dkim.passed().cloned().collect(),
        undecided: with(SpfVerdict::TempError)
            .into_iter()
            .chain(unsure)
            .chain(dkim.signatures.iter().filter_map(unanswered))
            .collect(),
    }
}
