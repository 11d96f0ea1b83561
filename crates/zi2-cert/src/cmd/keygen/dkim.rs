//! `keygen --dkim`: keys of DKIM, one RSA and one Ed25519 key for each domain unless told otherwise.

use std::path::{Path, PathBuf};

use zi2_keys::{DkimKind, NewDkimKey, create_dkim, replace_dkim};
use zi2_mail::{Domain, Timestamp};
use zi2_sig::dkim::Selector;

use super::{make_directory, refused};
use crate::cli::Common;
use crate::cmd::dns::TTL;
use crate::records::{self, Record};
use crate::{Exit, Io, Trouble, settings};

/// What kind of key.
#[derive(clap::Args)]
pub(super) struct DkimArgs {
    /// Make keys of DKIM instead: DOMAIN/SELECTOR.pem
    #[arg(long)]
    dkim: bool,
    /// Their selector; of two keys, SELECTOR-rsa and SELECTOR-ed25519 [default: this month, as in 2026-11]
    #[arg(long, requires = "dkim", value_parser = |text: &str| Selector::parse(text).map_err(|error| error.to_string()))]
    selector: Option<Selector>,
    /// Make an RSA key of 2048 bits only
    #[arg(long, requires = "dkim")]
    rsa: bool,
    /// Make an Ed25519 key only; not every receiver knows it
    #[arg(long, requires = "dkim")]
    ed25519: bool,
}

impl DkimArgs {
    pub(super) fn is_asked(&self) -> bool {
        self.dkim
    }

    /// The keys of one domain: their selectors, and what they are.
    fn wanted(&self, now: Timestamp) -> Result<Vec<(Selector, DkimKind)>, Trouble> {
        let (year, month) = now.month();
        let stem = self.selector.as_ref().map_or_else(|| format!("{year:04}-{month:02}"), Selector::to_string);
        let (rsa, ed25519) = (DkimKind::Rsa, DkimKind::Ed25519);
        let names = match (self.rsa, self.ed25519, &self.selector) {
            (true, false, Some(_)) => vec![(stem, rsa)],
            (false, true, Some(_)) => vec![(stem, ed25519)],
            (true, false, None) => vec![(format!("{stem}-rsa"), rsa)],
            (false, true, None) => vec![(format!("{stem}-ed25519"), ed25519)],
            (true, true, _) | (false, false, _) => {
                vec![(format!("{stem}-rsa"), rsa), (format!("{stem}-ed25519"), ed25519)]
            }
        };
        let parsed = names.into_iter().map(|(name, kind)| Selector::parse(&name).map(|selector| (selector, kind)));
        parsed
            .collect::<Result<_, _>>()
            .map_err(|error| Trouble::new(Exit::Usage, error, "Choose a shorter --selector."))
    }
}

/// A key that now lies on disk.
struct Made {
    file: PathBuf,
    kept: Option<PathBuf>,
    record: Record,
}

pub(super) fn run(args: &super::Args, common: &Common, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    let config = settings::load_nameless(common, &io.host);
    let dir = match (&args.dir, &config) {
        (Some(dir), _) => dir.clone(),
        (None, Ok(config)) => config.dkim.dir.clone(),
        (None, Err(_)) => {
            return Err(Trouble::new(Exit::Config, "the configuration has faults", "Name a directory with --dir."));
        }
    };
    make_directory(&dir)?;
    let mut made = Vec::new();
    let wanted = args.dkim.wanted(io.host.now)?;
    for domain in &args.domain {
        for (selector, kind) in &wanted {
            made.push(make(&dir, domain, selector, *kind, args.force.then_some(io.host.now))?);
        }
    }
    if args.json {
        json(&made, io)?
    } else {
        text(&made, io)?
    }
    io.talk(format_args!("Next:"));
    io.talk(format_args!("  - publish the records (zi2-cert dns show --format cloudflare|route53|nsupdate|zone)"));
    io.talk(format_args!("  - look whether they are there: zi2-cert doctor"));
    io.talk(format_args!(
        "  - hand them over: LoadCredential=dkim:{0} in the unit; or, if the milter reads them itself, chown -R zi2 {0}",
        dir.display()
    ));
    if !config.is_ok_and(|config| config.dkim.sign) {
        io.talk(format_args!("  - only then write sign = true below [dkim] in zi2.toml"));
    }
    io.talk(format_args!("  - restart the milter, which takes the keys over on startup: systemctl restart zi2-milter"));
    Ok(Exit::Ok)
}

/// Makes a key; in the place of another one when it is told the time.
fn make(
    dir: &Path,
    domain: &Domain,
    selector: &Selector,
    kind: DkimKind,
    over: Option<Timestamp>,
) -> Result<Made, Trouble> {
    let key = NewDkimKey::generate(kind);
    let key = key.map_err(|error| Trouble::new(Exit::Software, error, "No more keys were written."))?;
    let written = match over {
        Some(now) => replace_dkim(dir, domain, selector, &key, now),
        None => create_dkim(dir, domain, selector, &key).map(|file| (file, None)),
    };
    let (file, kept) = written.map_err(|error| refused(&error))?;
    Ok(Made { file, kept, record: records::of_dkim(domain, selector, key.record(), TTL) })
}

fn text(made: &[Made], io: &mut Io<'_>) -> Result<(), Trouble> {
    for Made { file, kept, .. } in made {
        io.result(format_args!("Private key written to {} (mode 0400)", file.display()))?;
        if let Some(kept) = kept {
            io.result(format_args!("The key before was kept as {}", kept.display()))?;
        }
    }
    io.result(format_args!("DNS records to publish:"))?;
    for Made { record, .. } in made {
        io.result(format_args!("  {}  TXT  {}", record.name, records::quoted(&record.value)))?;
    }
    Ok(())
}

fn json(made: &[Made], io: &mut Io<'_>) -> Result<(), Trouble> {
    let shown = |path: &PathBuf| path.display().to_string();
    let keys: Vec<_> = made.iter().map(|made| {
        serde_json::json!({
            "private_key": shown(&made.file), "mode": "0400", "kept": made.kept.as_ref().map(shown), "record": made.record,
        })
    }).collect();
    let object = serde_json::json!({"schema": "zi2.keygen.dkim.v1", "version": 1, "result": "written", "keys": keys});
    Ok(io.result(format_args!("{object}"))?)
}
