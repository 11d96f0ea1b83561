//! The keys a domain publishes, as a verifier would find them.

use zi2_keys::{Budget, Resolver};
use zi2_mail::Domain;
use zi2_sig::{KeyRecord, Kid, RecordError, RecordKey, Trouble as NoAnswer};
use zi2_trust::QueryName;

use super::Args;
use crate::cli::Common;
use crate::escape::field_value;
use crate::limits::{DOMAIN_LOOK_UPS, KIDS, MONTHS, PATIENCE};
use crate::{Exit, Io, Trouble, net, records, settings};

pub(super) fn run(domain: &Domain, args: &Args, common: &Common, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    let config = settings::load_public(common, io)?;
    let resolver = args.ask.resolver(&config)?;
    let months = recent(io.host.now.month());
    let looked = net::runtime()?.block_on(look(&resolver, domain, args.kid, &months)).map_err(no_answer)?;
    if args.show.json {
        let lines: Vec<_> = looked.iter().map(Finding::object).collect();
        let object =
            serde_json::json!({"schema": "zi2.domain.v1", "version": 1, "domain": domain.as_str(), "records": lines});
        io.result(format_args!("{object}"))?;
    } else {
        looked.iter().try_for_each(|finding| io.result(format_args!("{}", finding.line())))?;
    }
    if looked.is_empty() {
        io.talk(format_args!(
            "{domain} publishes no ZI2 key at _zi2cert.{domain}, nor at the page's name of the last {MONTHS} months."
        ));
        io.talk(format_args!("`zi2-cert keygen --domain {domain}` makes a key and prints the records."));
    }
    let usable = looked.iter().any(Finding::is_live) && looked.iter().all(|finding| finding.record.is_ok());
    Ok(if usable { Exit::Ok } else { Exit::Negative })
}

/// One record, or what is wrong with it.
struct Finding {
    name: QueryName,
    kid: Option<Kid>,
    record: Result<KeyRecord, RecordError>,
    text: Vec<u8>,
}

impl Finding {
    /// A record at a name; nothing if it is some other TXT record.
    fn of(name: &QueryName, kid: Option<Kid>, text: &[u8]) -> Option<Finding> {
        let record = records::read(text)?;
        let kid = record.as_ref().ok().and_then(|record| record.kid).or(kid);
        Some(Finding { name: name.clone(), kid, record, text: text.to_vec() })
    }

    fn is_live(&self) -> bool {
        matches!(self.record, Ok(KeyRecord { key: RecordKey::Live(_), .. }))
    }

    fn line(&self) -> String {
        let kid = self.kid.map_or("none".to_owned(), |kid| kid.to_string());
        match &self.record {
            Ok(KeyRecord { key: RecordKey::Live(_), .. }) => format!("kid={kid} OK (Ed25519, 32 bytes)"),
            Ok(KeyRecord { key: RecordKey::Revoked, .. }) => format!("kid={kid} REVOKED"),
            Err(error) => format!("kid={kid} BAD ({error}) at {}: {}", self.name, field_value(&self.text)),
        }
    }

    fn object(&self) -> serde_json::Value {
        let (state, error) = match &self.record {
            Ok(KeyRecord { key: RecordKey::Live(_), .. }) => ("ok", None),
            Ok(KeyRecord { key: RecordKey::Revoked, .. }) => ("revoked", None),
            Err(error) => ("bad", Some(error.to_string())),
        };
        serde_json::json!({"name": self.name.as_str(), "kid": self.kid.map(|kid| kid.to_string()), "state": state, "error": error})
    }
}

/// Place 1 whole; place 2 for identifiers that place 1 does not have, since a verifier asks it only then (zi2.md §6).
async fn look(
    resolver: &Resolver,
    domain: &Domain,
    wanted: Option<Kid>,
    months: &[Kid],
) -> Result<Vec<Finding>, NoAnswer> {
    let budget = Budget::new(DOMAIN_LOOK_UPS, PATIENCE);
    let name = QueryName::record(domain);
    let answer = resolver.txt(&name, &budget).await?;
    let mut found: Vec<Finding> = answer.records.iter().filter_map(|text| Finding::of(&name, None, text)).collect();
    let has = |found: &[Finding], kid: Kid| found.iter().any(|finding| finding.kid == Some(kid));
    let others = wanted.into_iter().chain(months.iter().copied().filter(|_| wanted.is_none() && found.is_empty()));
    for kid in others.take(KIDS).collect::<Vec<_>>() {
        if !has(&found, kid) {
            let name = QueryName::page_record(kid, domain);
            let answer = resolver.txt(&name, &budget).await?;
            found.extend(answer.records.iter().filter_map(|text| Finding::of(&name, Some(kid), text)));
        }
    }
    found.sort_by_key(|finding| finding.kid);
    Ok(found)
}

/// The identifiers of this month and those before it, newest first.
fn recent((year, month): (u16, u8)) -> Vec<Kid> {
    let index = u32::from(year) * 12 + u32::from(month.saturating_sub(1));
    let kid = |back: u8| {
        let index = index.checked_sub(u32::from(back))?;
        Kid::of_month(u16::try_from(index / 12).ok()?, u8::try_from(index % 12 + 1).ok()?).ok()
    };
    (0..MONTHS).filter_map(kid).collect()
}

fn no_answer(trouble: NoAnswer) -> Trouble {
    let what = match trouble {
        NoAnswer::Timeout => "DNS gave no answer in time",
        NoAnswer::ServFail => "DNS could not get an answer (SERVFAIL)",
        NoAnswer::Bogus => "the answer failed DNSSEC validation",
    };
    Trouble::new(Exit::TempFail, what, "Try again, or ask another server with --server IP.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_go_back_over_the_new_year() {
        let kids: Vec<String> = recent((2026, 2)).iter().map(ToString::to_string).collect();
        assert_eq!(kids.len(), usize::from(MONTHS));
        assert_eq!(&kids[..3], ["zi2-cert-2026-02", "zi2-cert-2026-01", "zi2-cert-2025-12"]);
        assert_eq!(kids.last().unwrap(), "zi2-cert-2025-03");
    }

    #[tokio::test]
    async fn so_many_identifiers_are_looked_for() {
        let domain = Domain::parse("example.com").unwrap();
        let kids: Vec<Kid> = (1..=2)
            .flat_map(|year| (1..=12).map(move |month| (2000 + year, month)))
            .map(|(year, month)| Kid::of_month(year, month).unwrap())
            .collect();
        for (place, found) in [(KIDS - 1, 1), (KIDS, 0)] {
            let node = zi2_keys::FixedNode::of_txt(&["v=ZI2CERT1; k=ed25519; p="]);
            let name = QueryName::page_record(kids[place], &domain);
            let resolver = Resolver::fixed(zi2_keys::FixedDns::new().with(name.as_str(), node));
            assert_eq!(look(&resolver, &domain, None, &kids).await.unwrap().len(), found, "{place}");
        }
    }
}
