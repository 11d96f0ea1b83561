//! Everything around a message, and a message judged in it: by live DNS, or in a world of data.

use std::sync::Arc;

use zi2_config::Config;
use zi2_flow::{ChainRules, Client, Envelope, Inbound, Outcome, ReceiverRules, Services, World, has_chain};
use zi2_keys::{Budget, Documents, Keyring, Resolver};
use zi2_mail::{HostName, Message, Timestamp, crlf_at_every_lf};
use zi2_sig::dkim2;
use zi2_store::{MemoryStore, Settings, Store, StoreHandle};
use zi2_trust::{Dmarc, KeyHistory, Submission, Verdict};

use super::Args;
use crate::cli::Common;
use crate::limits::{DKIM2_LOOK_UPS, PATIENCE};
use crate::{Exit, Io, Trouble, input, settings};

/// Everything around the messages of one run. It remembers nothing of them: each verdict is what a run with that message
/// alone gives.
pub(super) struct Scene {
    pub(super) now: Timestamp,
    pub(super) envelope: Envelope,
    pub(super) recipients: Vec<String>,
    /// The envelope as DKIM2 binds it.
    dkim2: dkim2::Envelope,
    submission: Submission,
    client: Client,
    chain: ChainRules,
    resolver: Resolver,
    documents: Documents,
    pub(super) rules: Arc<ReceiverRules>,
    history: Vec<KeyHistory>,
}

impl Scene {
    /// The world that is named, or the network.
    pub(super) fn of(args: &Args, common: &Common, io: &mut Io<'_>) -> Result<Scene, Trouble> {
        match &args.ask.world {
            Some(path) => Scene::in_world(input::world(path)?),
            None => Scene::live(args, &settings::load_public(common, io)?, io),
        }
    }

    fn in_world(world: World) -> Result<Scene, Trouble> {
        let mut rules = ReceiverRules::protocol(world.hosted, PATIENCE);
        (rules.local_keys, rules.exchanged, rules.sealers) = (world.local_keys, world.exchanged, world.sealers);
        Ok(Scene {
            now: world.now,
            dkim2: world.envelope,
            envelope: Envelope::of(&world.recipients),
            recipients: world.recipients,
            submission: world.submission,
            client: world.client,
            chain: chain_rules(WORLD_NAME)?,
            resolver: Resolver::fixed(world.dns),
            documents: world.documents,
            rules: Arc::new(rules),
            history: world.history,
        })
    }

    /// A message in a file came from outside, whoever wrote it.
    fn live(args: &Args, config: &Config, io: &Io<'_>) -> Result<Scene, Trouble> {
        // A person waits longer than mail does, and may not be allowed to read private keys.
        let (deadline, time, local_keys) = (PATIENCE, PATIENCE, settings::held(config));
        let rules = ReceiverRules { deadline, time, local_keys, ..ReceiverRules::of(config, &Keyring::empty()) };
        Ok(Scene {
            now: args.now.map_or(io.host.now, Timestamp::from_secs),
            dkim2: match &args.mail_from {
                Some(sender) => dkim2::Envelope::of(sender.as_bytes(), &args.rcpt),
                None => dkim2::Envelope::unknown(),
            },
            envelope: Envelope::of(&args.rcpt),
            recipients: args.rcpt.clone(),
            submission: Submission::Outside,
            client: Client { address: args.client_ip, helo: text(&args.helo), mail_from: text(&args.mail_from) },
            chain: ChainRules { receiver: config.server.authserv_id.clone(), deadline: PATIENCE },
            resolver: args.ask.resolver(config)?,
            documents: Documents::None,
            rules: Arc::new(rules),
            history: Vec::new(),
        })
    }

    /// DNS, documents, and a store that knows this scene's history and no message.
    pub(super) fn services(&self) -> Result<Services, Trouble> {
        let store = MemoryStore::new(Settings::memory());
        if !self.history.is_empty() {
            store.import(&self.history).map_err(|error| {
                Trouble::new(Exit::Data, format!("the world's history: {error}"), "Correct the world file.")
            })?;
        }
        let store = StoreHandle::start(Arc::new(store)).map_err(Trouble::bug)?;
        Ok(Services { resolver: self.resolver.clone(), documents: self.documents.clone(), store, snapshots: None })
    }

    /// The DKIM2 verdict, and the questions it took beyond those of the judgement. A stored message may have line ends of two
    /// kinds: then it is looked at once more, as DKIM2 means it.
    pub(super) async fn dkim2(&self, file: &[u8], judged: &[u8], outcome: &Outcome) -> (dkim2::Verdict, u32) {
        let octets = crlf_at_every_lf(file);
        if let Some(verdict) = outcome.dkim2.as_ref().filter(|_| *octets == *judged) {
            return (verdict.clone(), 0);
        }
        let (message, budget) = (Message::split(&octets), Arc::new(Budget::new(DKIM2_LOOK_UPS, PATIENCE)));
        let policy = dkim2::Policy::default();
        let verdict = zi2_flow::dkim2(&message, &self.dkim2, self.now, &policy, &self.resolver, &budget).await;
        (verdict, budget.spent())
    }

    /// One message judged, as the daemon would.
    pub(super) async fn judge(&self, message: &Message<'_>, services: &Services) -> Outcome {
        let mut inbound = Inbound::begin(&message.header, services, &self.rules, self.now);
        if has_chain(&message.header, &self.client) {
            inbound.evaluate_chain(&message.header, &self.client, &self.chain);
        }
        inbound.evaluate_dkim2(&message.header, &self.dkim2, self.chain.deadline);
        inbound.body(message.body);
        inbound.finish(&self.envelope, self.submission, Dmarc::Unknown).await
    }
}

/// Who checks in a world of data.
const WORLD_NAME: &str = "receiver.example";

fn chain_rules(receiver: &str) -> Result<ChainRules, Trouble> {
    let receiver = HostName::parse(receiver).map_err(Trouble::bug)?;
    Ok(ChainRules { receiver, deadline: PATIENCE })
}

fn text(argument: &Option<String>) -> Vec<u8> {
    argument.as_deref().unwrap_or_default().as_bytes().to_vec()
}

/// What a verdict is to the caller of the command.
pub(super) fn exit(verdict: Verdict) -> Exit {
    match verdict {
        Verdict::Pass => Exit::Ok,
        Verdict::TempError => Exit::TempFail,
        Verdict::Fail | Verdict::Missing | Verdict::Expired | Verdict::Tampered => Exit::Negative,
    }
}
