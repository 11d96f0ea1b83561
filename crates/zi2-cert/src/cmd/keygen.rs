//! `keygen`: a key pair, and the records that publish it.

use std::path::PathBuf;

use zi2_keys::{FileError, Seed, Written, create, replace};
use zi2_mail::Domain;
use zi2_sig::{KeyRecord, Kid, RecordKey};
use zi2_trust::QueryName;

use super::input;
use crate::{Exit, Io, Trouble};

/// For which domain, under which identifier, and where.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The domain that will publish the key.
    #[arg(long, value_parser = |text: &str| Domain::parse(text).map_err(|e| e.to_string()))]
    domain: Domain,
    /// The key's identifier; the current month's if left out.
    #[arg(long, value_parser = |text: &str| Kid::parse(text).map_err(|e| e.to_string()))]
    kid: Option<Kid>,
    /// The folder for keys.
    #[arg(long, default_value = "/etc/zi2/keys")]
    dir: PathBuf,
    /// Replace a key of this identifier; a dated copy is kept.
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(args: &Args, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    let now = input::now();
    let (year, month) = now.month();
    let kid = match args.kid {
        Some(kid) => kid,
        None => Kid::of_month(year, month).map_err(|e| Trouble::new(Exit::Software, e, "Check this host's clock."))?,
    };
    let seed = Seed::from_system().map_err(|e| Trouble::new(Exit::Software, e, "Nothing was written."))?;
    let written = match args.force {
        true => replace(&args.dir, kid, &seed, now),
        false => create(&args.dir, kid, &seed),
    };
    let written = written.map_err(|e| refused(&e))?;
    say(args, kid, &written, io)?;
    Ok(Exit::Ok)
}

fn say(args: &Args, kid: Kid, written: &Written, io: &mut Io<'_>) -> Result<(), Trouble> {
    writeln!(io.out, "Private key written to {} (mode 0400)", written.key_file.display())?;
    writeln!(io.out, "Public key written to {}", written.public_file.display())?;
    if let Some(kept) = &written.kept {
        writeln!(io.out, "The key before was kept as {}", kept.display())?;
    }
    let key = RecordKey::Live(written.public);
    let draft = KeyRecord { key, kid: Some(kid), sid: None };
    let page = KeyRecord { key, kid: None, sid: None };
    writeln!(io.out, "DNS records to publish:")?;
    writeln!(io.out, "  for verifiers of the Internet-Draft:")?;
    writeln!(io.out, "    {}  TXT  \"{}\"", QueryName::record(&args.domain), draft.to_txt())?;
    writeln!(io.out, "  for verifiers of the project page:")?;
    writeln!(io.out, "    {}  TXT  \"{}\"", QueryName::page_record(kid, &args.domain), page.to_txt())?;
    Ok(())
}

fn refused(error: &FileError) -> Trouble {
    Trouble::new(Exit::CantCreate, error, "No key was made or changed. `--force` replaces a key and keeps a copy.")
}
