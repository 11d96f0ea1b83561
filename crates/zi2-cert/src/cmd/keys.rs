//! `keys map`: which domains share a key, by what they publish and by what was seen (zi2.md §6). A key that speaks for
//! several domains is one server's, or one tenant's of a host; a stranger's domain among ours is worth a look.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use zi2_config::{Config, StoreBackend};
use zi2_keys::{Budget, Resolver};
use zi2_mail::Domain;
use zi2_sig::{KeyRecord, Kid, PublicKey, RecordKey};
use zi2_store::{Page, Store};
use zi2_trust::QueryName;

use super::trust::{open_store, refused};
use crate::cli::Common;
use crate::limits::{DOMAIN_LOOK_UPS, MAPPED, PATIENCE};
use crate::net::{self, Ask};
use crate::words::no_answer;
use crate::{Exit, Io, Trouble, settings};

/// What about keys.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Show every known key with its domains: those hosted here and those named publish it, others were seen with it
    Map(Map),
}

#[derive(clap::Args)]
struct Map {
    /// Domains whose DNS is asked besides those hosted here
    #[arg(value_parser = super::domain)]
    domain: Vec<Domain>,
    /// Show only keys of two or more domains
    #[arg(long)]
    shared: bool,
    /// Print one JSON object a key
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    ask: Ask,
}

pub(crate) fn run(args: &Args, common: &Common, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    let Verb::Map(map) = &args.verb;
    let config = settings::load_nameless(common, &io.host)?;
    let mut keys = Keys::new();
    seen(&config, &mut keys, io)?;
    let domains: BTreeSet<Domain> = config.server.hosted.iter().chain(&map.domain).cloned().collect();
    let resolver = map.ask.resolver(&config)?;
    let is_whole = net::runtime()?.block_on(published(&resolver, &domains, &mut keys, io));
    for (key, user) in keys.iter().filter(|(_, user)| !map.shared || user.domains.len() > 1) {
        let is_ours = |domain: &Domain| config.server.hosted.contains(domain);
        if map.json {
            io.result(format_args!("{}", user.object(key, is_ours)))?;
        } else {
            user.lines(key, is_ours, io)?;
        }
    }
    Ok(if is_whole { Exit::Ok } else { Exit::TempFail })
}

type Keys = BTreeMap<PublicKey, User>;

/// Who uses a key.
#[derive(Default)]
struct User {
    kids: BTreeSet<Kid>,
    domains: BTreeMap<Domain, Source>,
}

/// How it is known.
#[derive(Clone, Copy, Default)]
struct Source {
    published: bool,
    seen: bool,
}

impl Source {
    fn words(self) -> Vec<&'static str> {
        [(self.published, "published"), (self.seen, "seen")]
            .iter()
            .filter(|(is, _)| *is)
            .map(|(_, word)| *word)
            .collect()
    }
}

impl User {
    fn lines(&self, key: &PublicKey, is_ours: impl Fn(&Domain) -> bool, io: &mut Io<'_>) -> Result<(), Trouble> {
        let kids: Vec<String> = self.kids.iter().map(ToString::to_string).collect();
        io.result(format_args!("{}  {}", key.to_base64(), kids.join(" ")))?;
        for (domain, source) in &self.domains {
            let ours = if is_ours(domain) { ", hosted here" } else { "" };
            io.result(format_args!("  {domain}  {}{ours}", source.words().join(", ")))?;
        }
        Ok(())
    }

    fn object(&self, key: &PublicKey, is_ours: impl Fn(&Domain) -> bool) -> serde_json::Value {
        let domains: Vec<_> = self
            .domains
            .iter()
            .map(|(domain, source)| json!({"domain": domain.as_str(), "by": source.words(), "hosted": is_ours(domain)}))
            .collect();
        let kids: Vec<String> = self.kids.iter().map(ToString::to_string).collect();
        json!({"schema": "zi2.keymap.v1", "version": 1, "p": key.to_base64(), "kids": kids, "domains": domains})
    }
}

/// What the history of senders knows. Without a store there is none.
fn seen(config: &Config, keys: &mut Keys, io: &mut Io<'_>) -> Result<(), Trouble> {
    let path = &config.store.path;
    if config.store.backend == StoreBackend::Memory || !path.exists() {
        io.talk(format_args!("zi2-cert: note: there is no store to read: only what is published is shown"));
        return Ok(());
    }
    let (store, mut page, mut count) = (open_store(path, config)?, Page::default(), 0_usize);
    loop {
        let rows = store.list(&page).map_err(refused)?;
        let Some(last) = rows.last() else { return Ok(()) };
        page.after = Some((last.domain.clone(), last.key));
        count = count.saturating_add(rows.len());
        if count > MAPPED {
            io.talk(format_args!("zi2-cert: note: the store has more than {MAPPED} keys; the rest is left out"));
            return Ok(());
        }
        for row in rows {
            let user = keys.entry(row.key).or_default();
            user.kids.insert(row.kid);
            user.domains.entry(row.domain).or_default().seen = true;
        }
    }
}

/// What domains publish at the draft's name, which lists all keys. Whether every one could be asked.
async fn published(resolver: &Resolver, domains: &BTreeSet<Domain>, keys: &mut Keys, io: &mut Io<'_>) -> bool {
    let mut is_whole = true;
    for domain in domains {
        let name = QueryName::record(domain);
        let records = match resolver.txt(&name, &Budget::new(DOMAIN_LOOK_UPS, PATIENCE)).await {
            Ok(answer) => answer.records,
            Err(trouble) => {
                io.talk(format_args!("zi2-cert: {name}: {}", no_answer(trouble)));
                is_whole = false;
                continue;
            }
        };
        for record in records.iter().filter_map(|text| KeyRecord::parse(text).ok()) {
            let RecordKey::Live(key) = record.key else { continue };
            let user = keys.entry(key).or_default();
            user.kids.extend(record.kid);
            user.domains.entry(domain.clone()).or_default().published = true;
        }
    }
    is_whole
}
