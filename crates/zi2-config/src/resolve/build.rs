//! Sections built from values that are known to be right.

use std::time::Duration;

use zi2_mail::Domain;
use zi2_sig::FIELD_NAME;
use zi2_sig::dkim::{Canon, Cover, Recipe, SignedField};
use zi2_trust::{HistoryPolicy, TrustedSealers};

use super::choices;
use super::values::Values;
use super::{Bug, Found};
use crate::config::{Chain, Config, Dns, Egress, Ingress, Limits, Log, Metrics, Replay, Server, StoreConfig};
use crate::dkim::{Dkim, DkimTables};
use crate::dkim2::{Dkim2, SnapshotPlace};
use crate::hosted::HostedDomains;

pub(super) fn config(values: &mut Values<'_>, found: Found) -> Result<Config, Bug> {
    Ok(Config {
        server: server(values, found.sid, found.hosted)?,
        keys: found.keys,
        egress: egress(values)?,
        senders: found.senders,
        dkim: dkim(values, found.tables)?,
        dkim2: dkim2(values)?,
        ingress: ingress(values)?,
        chain: Chain {
            mode: values.word("chain", "mode", choices::CHAIN_MODE)?,
            deadline: values.get("chain", "deadline")?,
            trusted_sealers: TrustedSealers::new(values.get::<Vec<Domain>>("chain", "trusted_sealers")?),
        },
        replay: replay(values)?,
        history: history(values)?,
        dns: dns(values)?,
        store: StoreConfig {
            backend: values.word("store", "backend", choices::STORE_BACKEND)?,
            path: values.get("store", "path")?,
        },
        log: Log {
            format: values.word("log", "format", choices::LOG_FORMAT)?,
            addresses: values.word("log", "addresses", choices::LOG_ADDRESSES)?,
            level: values.word("log", "level", choices::LOG_LEVEL)?,
        },
        metrics: Metrics { listen: values.optional("metrics", "listen")? },
        limits: Limits {
            connections: small(values, "limits", "connections")?,
            shutdown: values.get("limits", "shutdown")?,
        },
    })
}

fn server(values: &mut Values<'_>, sid: zi2_mail::HostName, hosted: HostedDomains) -> Result<Server, Bug> {
    let authserv_id = match values.optional("server", "authserv_id")? {
        Some(name) => name,
        None => {
            values.derive("server", "authserv_id", sid.clone());
            sid.clone()
        }
    };
    let (user, group) = (values.get("server", "user")?, values.optional("server", "group")?);
    Ok(Server { sid, authserv_id, hosted, user, group })
}

fn egress(values: &Values<'_>) -> Result<Egress, Bug> {
    Ok(Egress {
        listen: values.get("egress", "listen")?,
        form: values.word("egress", "form", choices::FORM)?,
        on_mismatch: values.word("egress", "on_mismatch", choices::ON_MISMATCH)?,
        add_missing: values.get("egress", "add_missing")?,
        issued_log: values.get("egress", "issued_log")?,
    })
}

fn dkim(values: &Values<'_>, tables: Option<DkimTables>) -> Result<Dkim, Bug> {
    let adds_missing: bool = values.get("egress", "add_missing")?;
    let of_mta = |name: &str| matches!(name, "date" | "message-id");
    let sealed = values.get::<Vec<String>>("dkim", "sealed")?.into_iter().map(|name| {
        let cover = if !adds_missing && of_mta(&name) { Cover::Present } else { Cover::Sealed };
        (name, cover)
    });
    let signed = values.get::<Vec<String>>("dkim", "signed")?.into_iter().chain([FIELD_NAME.to_owned()]);
    let fields = sealed.chain(signed.map(|name| (name, Cover::Present)));
    let fields: Result<Vec<_>, _> = fields.map(|(name, cover)| SignedField::new(&name, cover)).collect();
    let fields = fields.map_err(|_| Bug("dkim.sealed or dkim.signed".to_owned()))?;
    let canon = values.get::<&'static str>("dkim", "canonicalization")?;
    let canon = Canon::parse(canon.as_bytes()).ok_or_else(|| Bug("dkim.canonicalization".to_owned()))?;
    let recipe = Recipe::new(canon, fields);
    let expiry = values.get::<Duration>("dkim", "expiry")?;
    // Parts of a second are not nothing, which is for ever.
    let recipe = if expiry.is_zero() { recipe } else { recipe.with_lifetime(expiry.as_secs().max(1)) };
    Ok(Dkim { sign: values.get("dkim", "sign")?, dir: values.get("dkim", "dir")?, tables, recipe })
}

fn dkim2(values: &Values<'_>) -> Result<Dkim2, Bug> {
    const MEGABYTE: u64 = 1_000_000;
    let snapshots = SnapshotPlace {
        dir: values.get("dkim2", "snapshots")?,
        expiry: values.get("dkim2", "snapshot_expiry")?,
        octets: values.get::<u64>("dkim2", "snapshot_megabytes")?.saturating_mul(MEGABYTE),
    };
    Ok(Dkim2 {
        sign: values.get("dkim2", "sign")?,
        listen: values.get("dkim2", "listen")?,
        dir: values.get("dkim2", "dir")?,
        hashes: values.word("dkim2", "hash", choices::HASH)?,
        draft: values.word("dkim2", "draft", choices::DRAFT)?,
        hidden: values.word("dkim2", "hidden_recipients", choices::HIDDEN)?,
        feedback: values.word("dkim2", "feedback", choices::FEEDBACK)?,
        exploded: values.get("dkim2", "exploded")?,
        forward: values.get("dkim2", "forward")?,
        bounces: values.word("dkim2", "bounces", choices::BOUNCES)?,
        snapshots,
    })
}

fn ingress(values: &Values<'_>) -> Result<Ingress, Bug> {
    Ok(Ingress {
        listen: values.get("ingress", "listen")?,
        mode: values.word("ingress", "mode", choices::INGRESS_MODE)?,
        deadline: values.get("ingress", "deadline")?,
        window: values.get("ingress", "window")?,
        page_name: values.word("ingress", "page_name", choices::PAGE_NAME)?,
    })
}

fn replay(values: &Values<'_>) -> Result<Replay, Bug> {
    Ok(Replay {
        mode: values.word("replay", "mode", choices::REPLAY_MODE)?,
        dkim2: values.word("replay", "dkim2", choices::DKIM2_REPLAY)?,
        allowance: small(values, "replay", "allowance")?,
        sync: values.get("replay", "sync")?,
        capacity: values.get("replay", "capacity")?,
    })
}

fn history(values: &Values<'_>) -> Result<HistoryPolicy, Bug> {
    let seconds = |key| values.get::<Duration>("history", key).map(|span| span.as_secs());
    Ok(HistoryPolicy {
        trusted: values.get("history", "trusted")?,
        min_days: small(values, "history", "min_days")?,
        min_span: seconds("min_span")?,
        idle: seconds("idle")?,
        expected: seconds("expected")?,
    })
}

fn dns(values: &Values<'_>) -> Result<Dns, Bug> {
    Ok(Dns {
        servers: values.get("dns", "servers")?,
        trust_ad: values.word("dns", "trust_ad", choices::TRUST_AD)?,
        timeout: values.get("dns", "timeout")?,
        queries: small(values, "dns", "queries")?,
    })
}

/// A count whose range, in the table, fits 32 bits.
fn small(values: &Values<'_>, section: &str, key: &str) -> Result<u32, Bug> {
    values.get::<u64>(section, key).map(|count| u32::try_from(count).unwrap_or(u32::MAX))
}
