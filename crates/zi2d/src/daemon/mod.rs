//! The milter role from start to end. The order matters: read the configuration, become the account, give up what is not
//! needed, read keys, open the store, listen, say that it is ready.

mod house;
mod records;
mod supervisor;

use std::collections::HashSet;
use std::sync::Arc;

use sd_notify::NotifyState;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use zi2_config::{Config, Loaded, Paths, SnapshotPlace, StoreBackend};
use zi2_flow::{DkimRules, Services};
use zi2_keys::Documents;
use zi2_mail::Domain;
use zi2_milter::{Inherited, Limits, Service, Stats, Verdict, serve};
use zi2_store::{
    Durability, MemoryStore, Settings, SnapshotBounds, SnapshotFiles, Snapshots, SqliteStore, Store, StoreHandle,
};

use crate::host::{Account, Listening, bind, enter_sandbox, notify};
use crate::limits::FLUSH_TIME;
use crate::live::{keys, resolver};
use crate::milter::{egress, handoff, ingress, wishes};
use crate::report::{Direction, Logging, start_logging};
use crate::trouble::Trouble;
use crate::{Clock, Desk, Live, Metrics, serve_metrics};
use house::{Counts, keep_house, watched};
use supervisor::{Signals, Supervisor};

/// Checks what a start would need, and changes nothing.
pub(crate) fn check(paths: &Paths) -> Result<(), Trouble> {
    let Loaded { config, notices, .. } = load(paths)?;
    let account = Account::wanted(&config)?;
    if let Some(account) = account {
        account.become_it()?;
        load(paths)?;
    }
    let keys = keys(&config)?;
    for notice in notices {
        say(&format!("note: {notice}"));
    }
    if keys.ring.public_keys().next().is_none() && !config.egress.listen.is_empty() {
        say("note: there is no key, so nothing will be certified; make one: zi2-cert keygen --domain DOMAIN");
    }
    say(&format!("{}: all right", paths.file.display()));
    Ok(())
}

/// Runs until it is told to end.
pub(crate) fn milter(paths: &Paths) -> Result<(), Trouble> {
    let Loaded { config, .. } = load(paths)?;
    if let Some(account) = Account::wanted(&config)? {
        account.prepare(&config)?;
        account.become_it()?;
    }
    // Read again as the account, which is who reads it at a reload.
    let Loaded { config, notices, .. } = load(paths)?;
    let missing = enter_sandbox(&config, paths);
    let logging = start_logging(&config.log);
    notices.iter().for_each(|notice| tracing::warn!("{notice}"));
    missing.iter().for_each(|what| tracing::warn!("not in force on this host: {what}"));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| {
        Trouble::system(format!("the system gives no threads: {error}"), "Look at the limits of the account.")
    })?;
    let ended = runtime.block_on(run(config, paths.clone(), &logging));
    // Whatever still waits for DNS has nobody to tell.
    runtime.shutdown_background();
    ended
}

fn load(paths: &Paths) -> Result<Loaded, Trouble> {
    Config::load(paths, std::env::vars_os()).map_err(Trouble::config)
}

fn say(text: &str) {
    use std::io::Write;
    writeln!(std::io::stderr(), "zi2-milter: {text}").unwrap_or(());
}

async fn run(config: Config, paths: Paths, logging: &Logging) -> Result<(), Trouble> {
    let clock = Clock::system();
    let keys = keys(&config)?;
    let store = open_store(&config)?;
    let resolver = resolver(&config)
        .map_err(|error| Trouble::unavailable(error, "Name resolvers as dns.servers, or mend /etc/resolv.conf."))?;
    let services =
        Services { resolver, documents: Documents::None, store: store.clone(), snapshots: open_snapshots(&config)? };
    let snapshots = services.snapshots.clone();
    let metrics = Arc::new(Metrics::new());
    let live = Live::new(&config, &keys, services, clock.now());
    say_what_signs(&config, &live);
    let desk = Arc::new(Desk::new(live, Arc::clone(&metrics), clock));
    metrics.reloaded(true, desk.clock.now());

    let mut inherited = Inherited::from_env();
    let outgoing = bind(&config.egress.listen, &mut inherited)?;
    let incoming = bind(&config.ingress.listen, &mut inherited)?;
    let returning = bind(&config.dkim2.listen, &mut inherited)?;
    let http = bind_metrics(&config).await?;
    let signals = Signals::new()?;

    let (stop, stopped) = watch::channel(());
    let mut listeners = JoinSet::new();
    let mut stats = Vec::new();
    for (direction, places) in
        [(Direction::Egress, outgoing), (Direction::Ingress, incoming), (Direction::Handoff, returning)]
    {
        for place in places {
            stats.push((direction.as_str(), start(direction, place, &config, &desk, stopped.clone(), &mut listeners)));
        }
    }
    let counts = Counts::default();
    metrics.watch(watched(&desk, stats, &store, &counts, logging));
    let background = [
        http.map(|http| tokio::spawn(serve_metrics(http, Arc::clone(&metrics)))),
        Some(tokio::spawn(keep_house(Arc::clone(&desk), counts))),
    ];
    metrics.set_ready(true);
    notify(&[NotifyState::Ready]);
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "ready");

    Supervisor { desk, paths, config, keys }.until_told(signals).await;
    metrics.set_ready(false);
    notify(&[NotifyState::Stopping]);
    tracing::info!("ending: messages under way are finished first");
    drop(stop);
    while listeners.join_next().await.is_some() {}
    background.into_iter().flatten().for_each(|task| task.abort());
    if let Some(snapshots) = &snapshots {
        // What is not written by then costs a message its further signature.
        timeout(FLUSH_TIME, snapshots.flush()).await.unwrap_or(());
    }
    if !matches!(timeout(FLUSH_TIME, store.flush()).await, Ok(Ok(()))) {
        tracing::error!("the store did not take the last of the history");
    }
    tracing::info!("ended");
    Ok(())
}

fn open_store(config: &Config) -> Result<StoreHandle, Trouble> {
    let settings =
        |settings: Settings| Settings { policy: config.history, nonces_per_day: config.replay.capacity, ..settings };
    let store: Arc<dyn Store> = match config.store.backend {
        StoreBackend::Memory => Arc::new(MemoryStore::new(settings(Settings::memory()))),
        StoreBackend::Sqlite => {
            let durability = if config.replay.sync { Durability::Synced } else { Durability::Grouped };
            let opened = SqliteStore::open(&config.store.path, durability, settings(Settings::disk()));
            Arc::new(opened.map_err(|error| {
                let fix = "Nothing in it was changed. Without it replays could not be told; store.backend = \"memory\" \
                           runs without one.";
                Trouble::unavailable(format!("{}: {error}", config.store.path.display()), fix)
            })?)
        }
    };
    StoreHandle::start(store)
        .map_err(|error| Trouble::system(error, "Look at the limits of the account (systemd: TasksMax=)."))
}

/// Incoming messages for further signatures of DKIM2, where any are made.
fn open_snapshots(config: &Config) -> Result<Option<Snapshots>, Trouble> {
    let Some(SnapshotPlace { dir, expiry, octets }) = config.dkim2.keeps() else { return Ok(None) };
    let bounds = SnapshotBounds { count: zi2_store::limits::SNAPSHOTS, octets: *octets, expiry: *expiry };
    let snapshots = SnapshotFiles::open(dir, bounds).and_then(Snapshots::start);
    snapshots.map(Some).map_err(|error| {
        let fix = "Make the directory of dkim2.snapshots and give it to the account of server.user; dkim2.forward = false \
                   runs without it.";
        Trouble::unavailable(format!("{}: {error}", dir.display()), fix)
    })
}

async fn bind_metrics(config: &Config) -> Result<Option<TcpListener>, Trouble> {
    let Some(address) = config.metrics.listen else { return Ok(None) };
    let refused = |error| {
        let fix = "Choose another port as metrics.listen, or \"\" for none.";
        Trouble::unavailable(format!("cannot serve metrics on {address}: {error}"), fix)
    };
    TcpListener::bind(address).await.map(Some).map_err(refused)
}

fn start(
    direction: Direction,
    place: Listening,
    config: &Config,
    desk: &Arc<Desk>,
    mut stopped: watch::Receiver<()>,
    listeners: &mut JoinSet<()>,
) -> Arc<Stats> {
    let stats = Arc::new(Stats::default());
    let service = Service {
        wishes: wishes(),
        limits: Limits {
            connections: usize::try_from(config.limits.connections).unwrap_or(usize::MAX),
            drain: config.limits.shutdown,
            ..Limits::STANDARD
        },
        // Reached only when a message's own guard fails. To let the message pass could let a forged result pass.
        fallback: Verdict::TempFail,
        stats: Arc::clone(&stats),
    };
    tracing::info!(direction = direction.as_str(), "listens on {}", place.place);
    let stop = async move { while stopped.changed().await.is_ok() {} };
    match direction {
        Direction::Egress => listeners.spawn(serve(place.listener, service, stop, egress(Arc::clone(desk)))),
        Direction::Ingress => listeners.spawn(serve(place.listener, service, stop, ingress(Arc::clone(desk)))),
        Direction::Handoff => listeners.spawn(serve(place.listener, service, stop, handoff(Arc::clone(desk)))),
    };
    stats
}

fn say_what_signs(config: &Config, live: &Live) {
    match live.signs_with() {
        Some(kid) => tracing::info!(%kid, sid = %config.server.sid, "certifies with this key"),
        None if config.egress.listen.is_empty() => {}
        None => tracing::warn!(
            "there is no key whose month has begun, so nothing will be certified; make one: zi2-cert keygen --domain DOMAIN"
        ),
    }
    if let Some(dkim) = &live.sender.dkim {
        say_what_signs_dkim(config, dkim);
    }
    if let Some(dkim2) = &live.dkim2 {
        let place = if config.dkim2.signs_on_egress() { "egress.listen" } else { "dkim2.listen" };
        tracing::info!(domains = dkim2.domains().len(), draft = dkim2.draft.number(), place, "signs with DKIM2");
    }
}

/// OpenDKIM's users are told by its log which keys it uses; a domain without a key is told once, not with each message.
fn say_what_signs_dkim(config: &Config, dkim: &DkimRules) {
    let keys = dkim.keys();
    tracing::info!(keys = keys.len(), "signs with DKIM");
    let has_table = config.dkim.tables.is_some();
    let with: HashSet<&Domain> = keys.iter().map(|key| &key.domain).collect();
    let without: Vec<_> = config
        .server
        .hosted
        .iter()
        .filter(|domain| !has_table && !with.contains(domain))
        .map(ToString::to_string)
        .collect();
    if !without.is_empty() {
        tracing::warn!(
            domains = without.len(),
            first = without.iter().min(),
            "no DKIM key is there for some hosted domains; make them: zi2-cert keygen --dkim --domain DOMAIN"
        );
    }
}
