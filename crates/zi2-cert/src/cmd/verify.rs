//! `verify`: one message judged, by live DNS or in a world of data.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use zi2_config::HostedDomains;
use zi2_flow::{Envelope, Inbound, Outcome, ReceiverRules, Services, World};
use zi2_keys::{DnsOptions, Documents, Resolver};
use zi2_mail::{Message, Timestamp};
use zi2_store::{MemoryStore, Settings, StoreHandle};
use zi2_trust::render::Report;
use zi2_trust::{Dmarc, HistoryPolicy, Judgement, PageName, ReplayMode, Submission, Verdict};

use super::input;
use crate::{Exit, Io, Trouble};

/// What to verify, and in which world.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The message, or - for standard input.
    file: PathBuf,
    /// Read the whole outside world from this JSON file instead of asking the network.
    #[arg(long)]
    world: Option<PathBuf>,
    /// An envelope recipient; may be repeated.
    #[arg(long)]
    rcpt: Vec<String>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    let octets = input::message(&args.file)?;
    let scene = Scene::of(args)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|e| Trouble::new(Exit::Software, e, "Please report it."))?;
    let outcome = runtime.block_on(scene.judge(&octets))?;
    match args.json {
        true => json(&outcome, io)?,
        false => table(&outcome.judgement, io)?,
    }
    Ok(match outcome.judgement.verdict {
        Verdict::Pass => Exit::Ok,
        Verdict::TempError => Exit::TempFail,
        Verdict::Fail | Verdict::Missing | Verdict::Expired | Verdict::Tampered => Exit::Negative,
    })
}

/// Everything around the message.
struct Scene {
    now: Timestamp,
    envelope: Envelope,
    submission: Submission,
    resolver: Resolver,
    documents: Documents,
    rules: ReceiverRules,
}

/// How long a person waits for DNS.
const PATIENCE: Duration = Duration::from_secs(10);

impl Scene {
    fn of(args: &Args) -> Result<Scene, Trouble> {
        match &args.world {
            Some(path) => {
                let world = World::parse(&input::file(path)?);
                let remedy = "The schema is in vectors/zi2/README.md.";
                Ok(Scene::in_world(world.map_err(|e| Trouble::new(Exit::Data, e, remedy))?))
            }
            None => Scene::live(args),
        }
    }

    fn in_world(world: World) -> Scene {
        let mut rules = rules(world.hosted);
        (rules.local_keys, rules.exchanged) = (world.local_keys, world.exchanged);
        Scene {
            now: world.now,
            envelope: Envelope::of(&world.recipients),
            submission: world.submission,
            resolver: Resolver::fixed(world.dns),
            documents: world.documents,
            rules,
        }
    }

    fn live(args: &Args) -> Result<Scene, Trouble> {
        let resolver = Resolver::new(&DnsOptions::STANDARD);
        Ok(Scene {
            now: input::now(),
            envelope: Envelope::of(&args.rcpt),
            submission: Submission::Outside,
            resolver: resolver.map_err(|e| Trouble::new(Exit::TempFail, e, "Check /etc/resolv.conf."))?,
            documents: Documents::None,
            rules: rules(HostedDomains::new([])),
        })
    }

    async fn judge(self, octets: &[u8]) -> Result<Outcome, Trouble> {
        let store = StoreHandle::start(Arc::new(MemoryStore::new(Settings::memory())));
        let store = store.map_err(|e| Trouble::new(Exit::Software, e, "Please report it."))?;
        let services = Services { resolver: self.resolver, documents: self.documents, store };
        let message = Message::split(octets);
        let mut inbound = Inbound::begin(&message.header, &services, &Arc::new(self.rules), self.now);
        inbound.body(message.body);
        Ok(inbound.finish(&self.envelope, self.submission, Dmarc::Unknown).await)
    }
}

fn rules(hosted: HostedDomains) -> ReceiverRules {
    ReceiverRules {
        window: zi2_sig::limits::WINDOW_SECS,
        page_name: PageName::Fallback,
        deadline: PATIENCE,
        queries: zi2_keys::limits::LOOK_UPS,
        time: PATIENCE,
        replay_mode: ReplayMode::Fail,
        allowance: zi2_trust::limits::REPLAY_ALLOWANCE,
        history: HistoryPolicy::default(),
        hosted,
        local_keys: Vec::new(),
        exchanged: Vec::new(),
    }
}

fn json(outcome: &Outcome, io: &mut Io<'_>) -> Result<(), Trouble> {
    let report = Report::new(&outcome.judgement, outcome.dns_queries);
    let text = serde_json::to_string(&report).map_err(|e| Trouble::new(Exit::Software, e, "Please report it."))?;
    writeln!(io.out, "{text}")?;
    Ok(())
}

/// Only checked names and closed sets of words are printed: no octet that a sender chose freely.
fn table(judgement: &Judgement, io: &mut Io<'_>) -> Result<(), Trouble> {
    let said = judgement.reason.explanation();
    let mut row = |name: &str, value: String| writeln!(io.out, "{name:<9} {value}");
    row("result", format!("{} (level {})", judgement.verdict.as_str(), judgement.level.number()))?;
    row("reason", format!("{}: {}", judgement.reason.as_str(), said.people))?;
    if let Some(domain) = &judgement.from {
        row("from", domain.to_string())?;
    }
    if let (Some(sid), Some(kid)) = (&judgement.sid, judgement.kid) {
        let confirmed = if judgement.sid_confirmed { "confirmed by the server" } else { "not confirmed" };
        row("server", format!("{} ({confirmed}), key {kid}", sid.as_str()))?;
    }
    row("history", judgement.history.as_str().to_owned())?;
    if !judgement.covers.is_empty() {
        row("covers", judgement.covers.join(" "))?;
    }
    row("spoof", judgement.spoof.as_str().to_owned())?;
    if judgement.verdict != Verdict::Pass {
        row("to do", said.remedy.to_owned())?;
    }
    Ok(())
}
