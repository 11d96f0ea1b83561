//! `keygen`: a key pair, and the records that publish it. Keys of DKIM are the business of [`dkim`].

mod dkim;

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use zi2_keys::{FileError, Seed, Written, create, replace};
use zi2_mail::Domain;
use zi2_sig::Kid;

use super::dns::TTL;
use crate::cli::Common;
use crate::records::{self, Record};
use crate::{Exit, Io, Trouble};

/// For which domains, under which identifier, and where.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The domain that will publish the key; may be repeated
    #[arg(long, required = true, value_name = "DOMAIN", value_parser = super::domain)]
    domain: Vec<Domain>,
    /// The key's identifier, zi2-cert-YYYY-MM [default: this month's]
    #[arg(long, value_parser = super::kid, conflicts_with = "dkim")]
    kid: Option<Kid>,
    /// The directory for keys [default: /etc/zi2/keys; with --dkim that of the configuration]
    #[arg(long)]
    dir: Option<PathBuf>,
    #[command(flatten)]
    dkim: dkim::DkimArgs,
    /// Replace a key of this identifier; a dated copy of the old one is kept
    #[arg(long)]
    force: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, common: &Common, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    if args.dkim.is_asked() {
        return dkim::run(args, common, io);
    }
    let now = io.host.now;
    let dir = args.dir.as_deref().unwrap_or(Path::new(KEYS));
    let (year, month) = now.month();
    let kid = match args.kid {
        Some(kid) => kid,
        None => {
            Kid::of_month(year, month).map_err(|error| Trouble::new(Exit::Software, error, "Set this host's clock."))?
        }
    };
    let seed = Seed::from_system().map_err(|error| Trouble::new(Exit::Software, error, "Nothing was written."))?;
    make_directory(dir)?;
    let written = if args.force { replace(dir, kid, &seed, now) } else { create(dir, kid, &seed) };
    let written = written.map_err(|error| refused(&error))?;
    let records: Vec<Record> =
        args.domain.iter().flat_map(|domain| records::of_key(domain, kid, written.public, TTL)).collect();
    if args.json {
        json(kid, &written, &records, io)?
    } else {
        text(&written, &records, io)?
    }
    next_steps(args, dir, common, io);
    Ok(Exit::Ok)
}

/// Where the daemon looks for keys, unless it is told otherwise.
const KEYS: &str = "/etc/zi2/keys";

/// The key directory of a fresh host, for its owner alone (security.md K2).
fn make_directory(path: &Path) -> Result<(), Trouble> {
    if path.exists() {
        return Ok(());
    }
    let parents = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    parents.and_then(|()| DirBuilder::new().mode(0o700).create(path)).map_err(|error| {
        let what = format!("the directory {} cannot be made: {error}", path.display());
        Trouble::new(Exit::CantCreate, what, "Run this as root, or name another directory with --dir.")
    })
}

fn text(written: &Written, records: &[Record], io: &mut Io<'_>) -> Result<(), Trouble> {
    io.result(format_args!("Private key written to {} (mode 0400)", written.key_file.display()))?;
    io.result(format_args!("Public key written to {}", written.public_file.display()))?;
    if let Some(kept) = &written.kept {
        io.result(format_args!("The key before was kept as {}", kept.display()))?;
    }
    io.result(format_args!("DNS records to publish:"))?;
    for record in records {
        io.result(format_args!("  {}  TXT  \"{}\"", record.name, record.value))?;
        io.result(format_args!("      read by {}", record.serves))?;
    }
    Ok(())
}

fn json(kid: Kid, written: &Written, records: &[Record], io: &mut Io<'_>) -> Result<(), Trouble> {
    let object = serde_json::json!({
        "schema": "zi2.keygen.v1", "version": 1, "result": "written", "kid": kid.to_string(),
        "private_key": written.key_file.display().to_string(), "mode": "0400",
        "public_key": written.public_file.display().to_string(), "p": written.public.to_base64(),
        "kept": written.kept.as_ref().map(|kept| kept.display().to_string()), "records": records,
    });
    Ok(io.result(format_args!("{object}"))?)
}

fn next_steps(args: &Args, dir: &Path, common: &Common, io: &mut Io<'_>) {
    let directory = crate::settings::load_nameless(common, &io.host).map(|config| config.keys.source);
    let elsewhere = directory.is_ok_and(|source| source != zi2_config::KeySource::Directory(dir.to_owned()));
    io.talk(format_args!("Next:"));
    if elsewhere {
        io.talk(format_args!(
            "  - the milter looks for keys elsewhere: set dir = \"{}\" below [keys] in zi2.toml",
            dir.display()
        ));
    }
    if dir.join("rotation").exists() {
        io.talk(format_args!(
            "  - keys rotate there: this one does not sign before `zi2-cert rotate stage` takes it in"
        ));
    }
    io.talk(format_args!("  - publish both records (zi2-cert dns show --format cloudflare|route53|nsupdate|zone)"));
    io.talk(format_args!("  - restart the milter, which reads the key on startup: systemctl restart zi2-milter"));
    for domain in &args.domain {
        io.talk(format_args!("  - verify: zi2-cert verify --domain {domain}"));
    }
}

fn refused(error: &FileError) -> Trouble {
    let exit = match error {
        FileError::Owner { .. } | FileError::Exposed { .. } => Exit::NoPerm,
        _ => Exit::CantCreate,
    };
    Trouble::new(exit, error, "No key was made or changed. --force replaces a key and keeps a copy of the old one.")
}
