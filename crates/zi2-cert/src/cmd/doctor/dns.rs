//! DNS: whether the resolver answers and validates, and whether what is published is what we sign with.

use zi2_config::{Config, TrustAd};
use zi2_keys::{Budget, Resolver};
use zi2_mail::Domain;
use zi2_sig::{Kid, PublicKey, RecordKey, Trouble as NoAnswer};
use zi2_trust::{Dnssec, QueryName, TxtAnswer};

use super::finding::Chart;
use crate::limits::{DOCTOR_DOMAINS, DOMAIN_LOOK_UPS, PATIENCE};
use crate::words::no_answer;
use crate::{Trouble, net, records};

/// A zone that is known to be signed, asked when none of ours proves that the resolver validates.
const SIGNED_ZONE: &str = "ietf.org";

/// Looks at the resolver and at the records of all domains hosted here.
pub(super) fn look(
    config: &Config,
    key: Option<(Kid, PublicKey)>,
    resolver: Resolver,
    chart: &mut Chart,
) -> Result<(), Trouble> {
    let look = Look { config, resolver };
    net::runtime()?.block_on(async {
        let Some(dnssec) = look.resolver(chart).await else { return };
        look.dnssec(dnssec, chart).await;
        if config.egress.listen.is_empty() {
            return;
        }
        match key {
            Some((kid, key)) => look.published(kid, key, chart).await,
            None => chart.unknown(
                "dns.records",
                "there is no key of ours to compare them with",
                "mend what is said of keys first",
            ),
        }
    });
    Ok(())
}

struct Look<'a> {
    config: &'a Config,
    resolver: Resolver,
}

/// What a place publishes of one identifier.
enum Published {
    Ours,
    Another,
    Revoked,
    Spoiled(String),
    TooMany(usize),
    Nothing,
}

impl Look<'_> {
    async fn txt(&self, name: &QueryName) -> Result<TxtAnswer, NoAnswer> {
        self.resolver.txt(name, &Budget::new(DOMAIN_LOOK_UPS, PATIENCE)).await
    }

    /// Any answer will do, also that there is no such name.
    async fn resolver(&self, chart: &mut Chart) -> Option<Dnssec> {
        const CHECK: &str = "dns.resolver";
        let servers: Vec<String> = self.config.dns.servers.iter().map(ToString::to_string).collect();
        let servers = if servers.is_empty() { "that of /etc/resolv.conf".to_owned() } else { servers.join(", ") };
        let name = QueryName::record(self.config.server.sid.as_domain());
        match self.txt(&name).await {
            Ok(answer) => {
                chart.ok(CHECK, format!("{servers} answers"));
                Some(answer.dnssec)
            }
            Err(NoAnswer::Bogus) => {
                let fix = format!("look with: delv {name} TXT; mend the signatures of the zone");
                chart.problem(CHECK, format!("{servers} says that {name} fails DNSSEC validation"), fix);
                Some(Dnssec::Secure)
            }
            Err(trouble) => {
                let fix = "apt install unbound, and servers = [\"127.0.0.1:53\"] below [dns]";
                chart.problem(CHECK, format!("{servers}: {}", no_answer(trouble)), fix);
                None
            }
        }
    }

    async fn dnssec(&self, seen: Dnssec, chart: &mut Chart) {
        const CHECK: &str = "dns.dnssec";
        if self.config.dns.trust_ad == TrustAd::Never {
            return chart.ok(CHECK, "not looked for, as [dns] trust_ad says");
        }
        let signed = Domain::parse(SIGNED_ZONE).map(|zone| QueryName::record(&zone));
        let seen = match (seen, signed) {
            (Dnssec::Insecure, Ok(name)) => self.txt(&name).await.map_or(Dnssec::Insecure, |answer| answer.dnssec),
            (seen, _) => seen,
        };
        match seen {
            Dnssec::Secure => chart.ok(CHECK, "the resolver validates, and its word counts"),
            Dnssec::Insecure | Dnssec::Bogus => {
                let seen = "no answer is known to be validated: keys could be forged between the resolver and here";
                let fix = "apt install unbound, and servers = [\"127.0.0.1:53\"] below [dns]; or trust_ad = \"always\" if the way to a validating resolver is safe";
                chart.warning(CHECK, seen, fix);
            }
        }
    }

    async fn published(&self, kid: Kid, key: PublicKey, chart: &mut Chart) {
        let mut domains: Vec<&Domain> = self.config.server.hosted.iter().collect();
        domains.sort_unstable();
        for domain in domains.iter().take(DOCTOR_DOMAINS) {
            self.domain(domain, kid, key, chart).await;
        }
        if domains.len() > DOCTOR_DOMAINS {
            let seen = format!("the records of {} more domains", domains.len() - DOCTOR_DOMAINS);
            chart.unknown("dns.records", seen, "zi2-cert verify --domain DOMAIN");
        }
        let sid = self.config.server.sid.as_domain();
        if !domains.contains(&sid) {
            self.server(sid, kid, key, chart).await;
        }
    }

    /// § zi2.md §6: a signer publishes at both names.
    async fn domain(&self, domain: &Domain, kid: Kid, key: PublicKey, chart: &mut Chart) {
        const CHECK: &str = "dns.records";
        let fix = format!("publish what this prints: zi2-cert dns show --domain {domain} --kid {kid}");
        let names = [QueryName::record(domain), QueryName::page_record(kid, domain)];
        let mut good = true;
        for (place, name) in names.iter().enumerate() {
            let found = match self.txt(name).await {
                Ok(answer) => Published::of(&answer, (place == 0).then_some(kid), kid, key),
                Err(trouble) => {
                    good = false;
                    chart.unknown(CHECK, format!("{name}: {}", no_answer(trouble)), "try again, or --server IP");
                    continue;
                }
            };
            match (found.complaint(kid), &found) {
                (None, _) => continue,
                // Verifiers of the draft do not look there.
                (Some(what), Published::Nothing) if place == 1 => {
                    chart.warning(CHECK, format!("{name} {what}: verifiers of the project page find no key"), &fix);
                }
                (Some(what), _) => chart.problem(CHECK, format!("{name} {what}"), &fix),
            }
            good = false;
        }
        let parent = QueryName::page_parent(kid, domain);
        if let Ok(true) = self.resolver.exists(&parent, &Budget::new(DOMAIN_LOOK_UPS, PATIENCE)).await {
            let seen = format!("{parent} has an address, mail or name server, so the record below it does not count");
            chart.warning(
                CHECK,
                seen,
                format!("remove the A, AAAA, MX and NS records of {parent}, or a wildcard that makes them"),
            );
        }
        if good {
            chart.ok(CHECK, format!("{domain} publishes {kid} at both names"));
        }
    }

    /// § zi2.md §6: the server's name is confirmed only if it publishes the key itself.
    async fn server(&self, sid: &Domain, kid: Kid, key: PublicKey, chart: &mut Chart) {
        const CHECK: &str = "dns.server";
        let name = QueryName::record(sid);
        let found = match self.txt(&name).await {
            Ok(answer) => Published::of(&answer, Some(kid), kid, key),
            Err(trouble) => {
                return chart.unknown(CHECK, format!("{name}: {}", no_answer(trouble)), "try again, or --server IP");
            }
        };
        match found.complaint(kid) {
            None => chart.ok(CHECK, format!("{sid} publishes {kid}, so verifiers confirm its name")),
            Some(what) => {
                let fix = format!("publish what this prints: zi2-cert dns show --domain {sid} --kid {kid}");
                chart.warning(CHECK, format!("{name} {what}: verifiers do not confirm this server's name"), fix);
            }
        }
    }
}

impl Published {
    /// Of all records, those of the identifier; where it may be missing (`wanted` is nothing), also those without.
    fn of(answer: &TxtAnswer, wanted: Option<Kid>, kid: Kid, key: PublicKey) -> Published {
        let records: Vec<_> = answer.records.iter().filter_map(|text| records::read(text)).collect();
        let is_wanted = |found: Option<Kid>| found == Some(kid) || (wanted.is_none() && found.is_none());
        let of_kid: Vec<RecordKey> =
            records.iter().flatten().filter(|found| is_wanted(found.kid)).map(|found| found.key).collect();
        let live: Vec<PublicKey> = of_kid.iter().filter_map(live).collect();
        match records.iter().find_map(|record| record.as_ref().err()) {
            _ if live.len() > zi2_sig::limits::CANDIDATES => Published::TooMany(live.len()),
            _ if live.contains(&key) => Published::Ours,
            _ if !live.is_empty() => Published::Another,
            _ if !of_kid.is_empty() => Published::Revoked,
            Some(error) => Published::Spoiled(error.to_string()),
            None => Published::Nothing,
        }
    }

    fn complaint(&self, kid: Kid) -> Option<String> {
        Some(match self {
            Published::Ours => return None,
            Published::Another => format!("publishes another key as {kid} than the one used here"),
            Published::Revoked => format!("revokes {kid}, which is used here"),
            Published::Spoiled(error) => format!("has a record that cannot be read: {error}"),
            Published::TooMany(count) => {
                format!("publishes {count} keys as {kid}, verifiers try {}", zi2_sig::limits::CANDIDATES)
            }
            Published::Nothing => format!("does not publish {kid}"),
        })
    }
}

fn live(key: &RecordKey) -> Option<PublicKey> {
    match key {
        RecordKey::Live(key) => Some(*key),
        RecordKey::Revoked => None,
    }
}
