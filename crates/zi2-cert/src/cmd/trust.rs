//! `trust`: the history of senders, in the store the daemon uses; both may have it open at the same time.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use zi2_config::{Config, StoreBackend};
use zi2_mail::{Domain, Timestamp};
use zi2_store::{Durability, ImportError, Page, Settings, SqliteStore, Store, StoreError, export, import};
use zi2_trust::{HistoryPolicy, KeyHistory, expects, standing};

use crate::cli::Common;
use crate::{Exit, Io, Trouble, input, settings};

/// What about history.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
    /// The store's file [default: that of the configuration]
    #[arg(long, global = true, value_name = "FILE")]
    store: Option<PathBuf>,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// List every key of every domain
    List {
        /// Print one JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Show the keys of one domain
    Show {
        /// The domain
        #[arg(value_parser = super::domain)]
        domain: Domain,
        /// Print one JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Forget the history of domains
    Forget {
        /// The domains
        #[arg(required = true, value_parser = super::domain)]
        domain: Vec<Domain>,
    },
    /// Write all history to standard output, as JSON lines
    Export,
    /// Merge an exported history; importing it twice changes nothing
    Import {
        /// The file, or - for standard input
        file: PathBuf,
    },
}

pub(crate) fn run(args: &Args, common: &Common, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    let opened = Opened::open(args, common, io)?;
    match &args.verb {
        Verb::List { json } => opened.list(None, *json, io),
        Verb::Show { domain, json } => opened.list(Some(domain), *json, io),
        Verb::Forget { domain } => opened.forget(domain, io),
        Verb::Export => opened.export(io),
        Verb::Import { file } => opened.import(file, io),
    }
}

/// The store of a configuration, as the daemon has it open.
pub(super) fn open_store(path: &Path, config: &Config) -> Result<SqliteStore, Trouble> {
    let settings = Settings { policy: config.history, nonces_per_day: config.replay.capacity, ..Settings::disk() };
    SqliteStore::open(path, Durability::Grouped, settings).map_err(refused)
}

struct Opened {
    store: SqliteStore,
    policy: HistoryPolicy,
}

impl Opened {
    fn open(args: &Args, common: &Common, io: &Io<'_>) -> Result<Opened, Trouble> {
        let config = settings::load_nameless(common, &io.host)?;
        let path = match &args.store {
            Some(path) => path.clone(),
            None if config.store.backend == StoreBackend::Memory => {
                let what = "the configuration keeps history in the daemon's memory, where no other program can read it";
                return Err(Trouble::new(
                    Exit::Unavailable,
                    what,
                    "Set backend = \"sqlite\" below [store], or name a file with --store.",
                ));
            }
            None => config.store.path.clone(),
        };
        // Only an import may begin a store: a mistyped name must not look like an empty history.
        if !path.exists() && !matches!(args.verb, Verb::Import { .. }) {
            let what = format!("there is no store at {}", path.display());
            return Err(Trouble::new(
                Exit::Unavailable,
                what,
                "The daemon makes it at its first start; is --store or [store] path right?",
            ));
        }
        Ok(Opened { store: open_store(&path, &config)?, policy: config.history })
    }

    fn list(&self, domain: Option<&Domain>, json: bool, io: &mut Io<'_>) -> Result<Exit, Trouble> {
        let mut page = Page { domain: domain.cloned(), ..Page::default() };
        let mut count = 0_usize;
        loop {
            let rows = self.store.list(&page).map_err(refused)?;
            let Some(last) = rows.last() else { break };
            page.after = Some((last.domain.clone(), last.key));
            for row in &rows {
                match json {
                    true => io.result(format_args!("{}", self.object(row, io.host.now)))?,
                    false if domain.is_some() => self.paragraph(row, count, io)?,
                    false => self.line(row, count, io)?,
                }
                count += 1;
            }
        }
        match (count, domain) {
            (0, Some(domain)) => {
                io.talk(format_args!("No valid certification of {domain} was seen here."));
                Ok(Exit::Negative)
            }
            (0, None) => {
                io.talk(format_args!("No valid certification was seen here yet."));
                Ok(Exit::Ok)
            }
            _ => Ok(Exit::Ok),
        }
    }

    fn line(&self, row: &KeyHistory, index: usize, io: &mut Io<'_>) -> std::io::Result<()> {
        if index == 0 {
            io.result(format_args!(
                "{:<28} {:<11} {:>7} {:>5}  {:<10} {:<10} {:<16} SERVER",
                "DOMAIN", "STANDING", "VALID", "DAYS", "FIRST", "LAST", "KEY"
            ))?;
        }
        let standing = standing(row, &self.policy, io.host.now).as_str();
        let KeyHistory { domain, sid, kid, valid, days, .. } = row;
        let (first, last) = (day(row.first_seen), day(row.last_seen));
        io.result(format_args!(
            "{:<28} {standing:<11} {valid:>7} {days:>5}  {first:<10} {last:<10} {kid} {sid}",
            domain.as_str()
        ))
    }

    /// One key explained: where it stands, and what is missing to the next step.
    fn paragraph(&self, row: &KeyHistory, index: usize, io: &mut Io<'_>) -> std::io::Result<()> {
        let (policy, now) = (&self.policy, io.host.now);
        let separator = if index == 0 { "" } else { "\n" };
        io.result(format_args!("{separator}domain     {}", row.domain))?;
        io.result(format_args!("key        {}, {}", row.kid, row.key.to_base64()))?;
        io.result(format_args!("server     {}", row.sid))?;
        io.result(format_args!("standing   {}", standing(row, policy, now).as_str()))?;
        io.result(format_args!("valid      {} (trusted needs {})", row.valid, policy.trusted))?;
        io.result(format_args!("days       {} (trusted needs {})", row.days, policy.min_days))?;
        let span = row.last_seen.secs().saturating_sub(row.first_seen.secs()) / 86_400;
        io.result(format_args!(
            "seen       {} to {}, {span} days (trusted needs {})",
            day(row.first_seen),
            day(row.last_seen),
            policy.min_span / 86_400
        ))?;
        let expected = if expects(row, policy, now) {
            "yes: mail of this domain without a valid certification is suspected"
        } else {
            "no"
        };
        io.result(format_args!("expected   {expected}"))
    }

    fn object(&self, row: &KeyHistory, now: Timestamp) -> serde_json::Value {
        serde_json::json!({
            "schema": "zi2.history.v1", "domain": row.domain.as_str(), "key": row.key.to_base64(), "kid": row.kid.to_string(),
            "sid": row.sid.as_str(), "standing": standing(row, &self.policy, now).as_str(), "valid": row.valid, "days": row.days,
            "first_seen": row.first_seen.secs(), "last_seen": row.last_seen.secs(), "expected": expects(row, &self.policy, now),
        })
    }

    fn forget(&self, domains: &[Domain], io: &mut Io<'_>) -> Result<Exit, Trouble> {
        let rows = self.store.forget(domains).map_err(refused)?;
        io.result(format_args!("{rows} keys forgotten"))?;
        Ok(if rows == 0 { Exit::Negative } else { Exit::Ok })
    }

    fn export(&self, io: &mut Io<'_>) -> Result<Exit, Trouble> {
        let rows = export(&self.store, &mut *io.out).map_err(|error| failed(error, Path::new("standard output")))?;
        io.talk(format_args!("{rows} keys exported"));
        Ok(Exit::Ok)
    }

    fn import(&self, path: &Path, io: &mut Io<'_>) -> Result<Exit, Trouble> {
        let source: &mut dyn Read = match path == Path::new(input::STDIN) {
            true => &mut *io.input,
            false => &mut File::open(path).map_err(|error| input::unreadable(path, &error))?,
        };
        let done =
            import(&self.store, &mut BufReader::new(source), io.host.now).map_err(|error| failed(error, path))?;
        io.result(format_args!(
            "{} keys added, {} merged, {} refused, {} evicted",
            done.added, done.merged, done.refused, done.evicted
        ))?;
        if done.refused > 0 {
            io.talk(format_args!("The history is full: refused keys were not seen often enough to push out others."));
        }
        Ok(Exit::Ok)
    }
}

fn failed(error: ImportError, path: &Path) -> Trouble {
    match error {
        ImportError::Store(error) => refused(error),
        ImportError::Line { .. } => Trouble::new(
            Exit::Data,
            format!("{}: {error}", path.display()),
            "Lines before it were imported; correct the file and import it again.",
        ),
        ImportError::Io(error) if error.kind() == std::io::ErrorKind::BrokenPipe => error.into(),
        ImportError::Io(error) => {
            Trouble::new(Exit::IoError, format!("{}: {error}", path.display()), "Check the disk and the pipe.")
        }
    }
}

/// A store's own words say what to do; the exit code says who is asked.
pub(super) fn refused(error: StoreError) -> Trouble {
    let exit = match &error {
        StoreError::NotPrivate { .. } => Exit::NoPerm,
        StoreError::Newer { .. } | StoreError::Foreign { .. } => Exit::Config,
        StoreError::Corrupt { .. } | StoreError::Row { .. } | StoreError::Refused { .. } => Exit::Data,
        StoreError::Full { .. } | StoreError::Io { .. } => Exit::IoError,
        StoreError::Busy { .. } | StoreError::Overloaded => Exit::TempFail,
        StoreError::Closed => Exit::Software,
    };
    Trouble::new(exit, error, "Run this as the daemon's user or as root.")
}

/// The UTC day of a time.
fn day(time: Timestamp) -> String {
    let (year, month, day) = time.date();
    format!("{year:04}-{month:02}-{day:02}")
}
