//! `dns show`: the records that publish our keys, in the words of a name server or panel.

use std::path::PathBuf;

use zi2_config::{Config, KeySource};
use zi2_flow::{DkimKeyFacts, DkimRules};
use zi2_mail::Domain;
use zi2_sig::Kid;

use crate::cli::Common;
use crate::records::{self, Format, Record};
use crate::{Exit, Io, Trouble, settings};

/// What about records.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Print the records of our certifying keys at both names, and of our DKIM keys
    Show(Show),
}

/// Which records, for whom.
#[derive(clap::Args)]
struct Show {
    /// The domain that publishes them; may be repeated [default: all hosted domains]
    #[arg(long, value_name = "DOMAIN", value_parser = super::domain)]
    domain: Vec<Domain>,
    /// The key's identifier [default: every key there is]
    #[arg(long, value_parser = super::kid)]
    kid: Option<Kid>,
    /// The directory of keys [default: that of the configuration]
    #[arg(long)]
    dir: Option<PathBuf>,
    /// For whom the records are written
    #[arg(long, value_enum, default_value_t = Format::Zone)]
    format: Format,
    /// Seconds the records may be cached
    #[arg(long, default_value_t = TTL)]
    ttl: u32,
}

/// An hour: a lost key must not be believed for long, and a query an hour costs nothing.
pub(super) const TTL: u32 = 3600;

pub(crate) fn run(args: &Args, common: &Common, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    let Verb::Show(show) = &args.verb;
    let mut config = settings::load_nameless(common, &io.host)?;
    if let Some(dir) = &show.dir {
        config.keys.source = KeySource::Directory(dir.clone());
    }
    let keys = settings::public_keys(&config);
    let keys =
        keys.map_err(|error| Trouble::new(Exit::NoPerm, error, "Run this as root, or as the user who owns the keys."))?;
    let keys: Vec<_> = keys.into_iter().filter(|(kid, _)| show.kid.is_none_or(|wanted| wanted == *kid)).collect();
    let dkim = if show.kid.is_none() { dkim_keys(&config, io) } else { Vec::new() };
    if keys.is_empty() && dkim.is_empty() {
        let what = match show.kid {
            Some(kid) => format!("there is no key {kid}"),
            None => "there is no key".to_owned(),
        };
        return Err(Trouble::new(Exit::NoInput, what, "Make one: zi2-cert keygen --domain DOMAIN"));
    }
    let mut domains = show.domain.clone();
    if domains.is_empty() {
        domains = config.server.hosted.iter().cloned().collect();
        domains.sort_unstable();
    }
    if domains.is_empty() {
        let what = "no domain is named, and the configuration hosts none";
        return Err(Trouble::new(Exit::Usage, what, "Name one with --domain, or write them below [server] hosted."));
    }
    let of_domain = |domain: &Domain| -> Vec<Record> {
        keys.iter().flat_map(|(kid, key)| records::of_key(domain, *kid, *key, show.ttl)).collect()
    };
    let is_wanted = |key: &&DkimKeyFacts| domains.contains(&key.domain);
    let of_dkim = dkim.iter().filter(is_wanted);
    let of_dkim = of_dkim.map(|key| records::of_dkim(&key.domain, &key.selector, &key.key.record(), show.ttl));
    let all: Vec<Record> = domains.iter().flat_map(of_domain).chain(of_dkim).collect();
    write!(io.out, "{}", show.format.write(&all))?;
    Ok(Exit::Ok)
}

/// The keys of DKIM. Whoever may not read them still gets the other records, and is told.
fn dkim_keys(config: &Config, io: &mut Io<'_>) -> Vec<DkimKeyFacts> {
    match DkimRules::read(config, None) {
        Ok(rules) => rules.keys(),
        Err(error) => {
            io.talk(format_args!("zi2-cert: note: no records of DKIM are shown: {error}"));
            Vec::new()
        }
    }
}
