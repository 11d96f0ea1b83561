//! One message judged, by live DNS or in a world of data.

use std::path::Path;
use std::sync::Arc;

use zi2_config::{Config, HostedDomains};
use zi2_flow::{Envelope, Inbound, Outcome, ReceiverRules, Services, World};
use zi2_keys::{Documents, Resolver};
use zi2_mail::{Message, Timestamp, crlf_from_file};
use zi2_store::{MemoryStore, Settings, StoreHandle};
use zi2_trust::render::Report;
use zi2_trust::{Dmarc, HistoryPolicy, Judgement, PageName, ReplayMode, Spoof, Submission, Verdict};

use super::Args;
use crate::cli::Common;
use crate::io::Tone;
use crate::limits::PATIENCE;
use crate::{Exit, Io, Trouble, input, net, settings};

pub(super) fn run(file: &Path, args: &Args, common: &Common, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    let octets = crlf_from_file(&input::message(file, io)?).into_owned();
    let scene = match &args.ask.world {
        Some(path) => Scene::in_world(input::world(path)?),
        None => Scene::live(args, &settings::load_public(common, io)?, io)?,
    };
    let outcome = net::runtime()?.block_on(scene.judge(&octets))?;
    if args.json {
        let report = Report::new(&outcome.judgement, outcome.dns_queries);
        io.result(format_args!("{}", serde_json::to_string(&report).map_err(Trouble::bug)?))?;
    } else {
        table(&outcome.judgement, io)?;
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

impl Scene {
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

    /// A message in a file came from outside, whoever wrote it.
    fn live(args: &Args, config: &Config, io: &Io<'_>) -> Result<Scene, Trouble> {
        let mut rules = rules(config.server.hosted.clone());
        rules.local_keys = settings::held(config);
        Ok(Scene {
            now: args.now.map_or(io.host.now, Timestamp::from_secs),
            envelope: Envelope::of(&args.rcpt),
            submission: Submission::Outside,
            resolver: args.ask.resolver(config)?,
            documents: Documents::None,
            rules,
        })
    }

    async fn judge(self, octets: &[u8]) -> Result<Outcome, Trouble> {
        let store = StoreHandle::start(Arc::new(MemoryStore::new(Settings::memory()))).map_err(Trouble::bug)?;
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

/// Only checked names and closed sets of words are printed: no octet that a sender chose freely.
fn table(judgement: &Judgement, io: &mut Io<'_>) -> Result<(), Trouble> {
    let said = judgement.reason.explanation();
    let tone = match judgement.verdict {
        Verdict::Pass => Tone::Good,
        Verdict::Missing | Verdict::Expired | Verdict::TempError => Tone::Doubtful,
        Verdict::Fail | Verdict::Tampered => Tone::Bad,
    };
    let verdict = io.toned(tone, judgement.verdict.as_str());
    io.result(format_args!("result    {verdict} (level {})", judgement.level.number()))?;
    io.result(format_args!("reason    {}: {}", judgement.reason.as_str(), said.people))?;
    if let Some(domain) = &judgement.from {
        io.result(format_args!("from      {domain}"))?;
    }
    if let (Some(sid), Some(kid)) = (&judgement.sid, judgement.kid) {
        let confirmed = if judgement.sid_confirmed { "confirmed by the server" } else { "not confirmed" };
        io.result(format_args!("server    {sid} ({confirmed}), key {kid}"))?;
    }
    io.result(format_args!("history   {}", judgement.history.as_str()))?;
    if !judgement.covers.is_empty() {
        io.result(format_args!("covers    {}", judgement.covers.join(" ")))?;
    }
    if judgement.spoof != Spoof::No {
        let spoof = io.toned(Tone::Bad, judgement.spoof.as_str());
        io.result(format_args!("spoof     {spoof}"))?;
    }
    if judgement.verdict != Verdict::Pass {
        io.result(format_args!("to do     {}", said.remedy))?;
    }
    Ok(())
}
