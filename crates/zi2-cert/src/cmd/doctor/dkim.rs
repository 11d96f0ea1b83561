//! DKIM: who can read its keys, whether they are what receivers know, and whether they are published.

use std::collections::BTreeMap;

use zi2_config::Config;
use zi2_flow::{DkimKeyFacts, DkimRules};
use zi2_keys::{Budget, FileError, Resolver};
use zi2_mail::Domain;
use zi2_sig::dkim::{Fault, Outcome};

use super::finding::Chart;
use crate::limits::{DOCTOR_DOMAINS, DOMAIN_LOOK_UPS, PATIENCE};
use crate::words::no_answer;
use crate::{Trouble, net};

/// Looks at the keys, and gives them.
pub(super) fn keys(config: &Config, chart: &mut Chart) -> Vec<DkimKeyFacts> {
    const CHECK: &str = "dkim.keys";
    let is_signed = config.dkim.sign || config.dkim2.sign;
    let keys = match DkimRules::read(config, None) {
        Ok(rules) => rules.keys(),
        Err(error @ (FileError::Owner { .. } | FileError::Unreadable { .. })) => {
            let fix = format!("runuser -u {} -- zi2-cert doctor; or {}", config.server.user, "what the finding says");
            chart.unknown(CHECK, &error, fix);
            return Vec::new();
        }
        Err(error) => {
            let fix = "do what it says; the milter does not start, and does not reload, before that";
            chart.problem(CHECK, &error, if is_signed { fix } else { "do what it says, before dkim.sign is set" });
            return Vec::new();
        }
    };
    match (is_signed, keys.is_empty()) {
        (false, true) => chart.ok(CHECK, "mail is not signed with DKIM here, as [dkim] sign says"),
        (false, false) => {
            let seen = format!("there are {} keys, and mail is not signed with them", keys.len());
            chart.warning(CHECK, seen, "when their records are published: sign = true below [dkim]");
        }
        (true, _) => of_domains(config, &keys, chart),
    }
    keys
}

/// Every domain of ours should have a key, and an RSA key among them.
fn of_domains(config: &Config, keys: &[DkimKeyFacts], chart: &mut Chart) {
    const CHECK: &str = "dkim.keys";
    let mut by_domain: BTreeMap<&Domain, Vec<&DkimKeyFacts>> = BTreeMap::new();
    keys.iter().for_each(|key| by_domain.entry(&key.domain).or_default().push(key));
    let mut hosted: Vec<&Domain> = config.server.hosted.iter().collect();
    hosted.sort_unstable();
    // A table can sign a domain with the key of the one above, or with one for all.
    let none: Vec<_> =
        hosted.iter().filter(|domain| config.dkim.tables.is_none() && !by_domain.contains_key(**domain)).collect();
    for domain in none.iter().take(DOCTOR_DOMAINS) {
        chart.problem(CHECK, format!("{domain} has no key"), format!("zi2-cert keygen --dkim --domain {domain}"));
    }
    for (domain, keys) in &by_domain {
        if keys.iter().all(|key| !key.key.is_rsa()) {
            let seen = format!("{domain} signs with Ed25519 alone, which many receivers take for no signature");
            chart.warning(CHECK, seen, format!("zi2-cert keygen --dkim --rsa --domain {domain}"));
        }
    }
    if none.is_empty() {
        chart.ok(CHECK, format!("nobody else may read the keys: {} of {} domains", keys.len(), by_domain.len()));
    }
}

/// Looks whether verifiers would find each key, and take it.
pub(super) fn published(keys: &[DkimKeyFacts], resolver: &Resolver, chart: &mut Chart) -> Result<(), Trouble> {
    net::runtime()?.block_on(async {
        for key in keys.iter().take(DOCTOR_DOMAINS) {
            look(key, resolver, chart).await;
        }
    });
    Ok(())
}

async fn look(key: &DkimKeyFacts, resolver: &Resolver, chart: &mut Chart) {
    const CHECK: &str = "dkim.records";
    let DkimKeyFacts { domain, selector, .. } = key;
    let name = key.name().map_or_else(|| format!("{selector} of {domain}"), |name| name.to_string());
    let publish = format!("publish what this prints: zi2-cert dns show --domain {domain}");
    let complaint = match key.published(resolver, &Budget::new(DOMAIN_LOOK_UPS, PATIENCE)).await {
        Ok(Outcome::Pass) => return chart.ok(CHECK, format!("{name} publishes the key used here")),
        Err(trouble) => {
            return chart.unknown(CHECK, format!("{name}: {}", no_answer(trouble)), "try again, or --server IP");
        }
        Ok(Outcome::PermError(Fault::KeyNotFound)) => "does not publish a key".to_owned(),
        Ok(Outcome::PermError(Fault::KeyRevoked)) => {
            let fix =
                format!("make another: zi2-cert keygen --dkim --domain {domain}; give the old file another ending");
            return chart.problem(CHECK, format!("{name} revokes the key used here"), fix);
        }
        Ok(Outcome::Fail(_) | Outcome::Neutral(_)) => "publishes another key than the one used here".to_owned(),
        Ok(other) => format!("has a record that verifiers refuse: {}", other.reason().unwrap_or_default()),
    };
    chart.problem(CHECK, format!("{name} {complaint}"), publish);
}
