//! `rotate`: one certifying key after another (zi2.md §12). What is allowed when is said in `zi2-keys`; here facts are
//! fetched and results shown. It changes no DNS: it prints the records, and asks every server whether they are there.

mod facts;
mod show;
mod steps;

use std::path::PathBuf;

use zi2_config::{Config, KeySource};
use zi2_keys::{RotationError, RotationFile};
use zi2_sig::Kid;

use crate::cli::Common;
use crate::net::Ask;
use crate::records::Format;
use crate::{Exit, Io, Trouble, settings};
use steps::Run;

/// Which step.
#[derive(clap::Args)]
#[command(after_help = AFTER, after_long_help = AFTER, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// Take the first step that is due and possible: for a timer
    #[arg(long)]
    auto: bool,
    #[command(flatten)]
    how: How,
}

/// What every step takes.
#[derive(clap::Args)]
pub(crate) struct How {
    /// The directory of keys [default: that of the configuration]
    #[arg(long, global = true, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long, global = true)]
    json: bool,
    /// For whom records are written
    #[arg(long, global = true, value_enum, default_value_t = Format::Zone)]
    format: Format,
    /// Retire by time alone: the queue of the mail server cannot be asked here
    #[arg(long, global = true)]
    without_queue: bool,
    #[command(flatten)]
    ask: Ask,
}

/// The steps, in the order of a key's life.
#[derive(clap::Subcommand, Clone, Copy)]
enum Verb {
    /// Show every key, where it is, and what it waits for
    Status,
    /// Show the steps to come and their times
    Plan,
    /// Make the next key, or take in one that lies there; it does not sign yet
    Stage,
    /// Print the records of the next key, to be published now
    Publish,
    /// Ask every authoritative server of every hosted domain for the records
    Prove,
    /// Let the proven key sign, and the key before it retire
    Activate,
    /// Let keys go that nobody can need any longer, and print the records to remove
    Retire,
    /// End a key at once, and print the records that revoke it
    Revoke {
        /// The key's identifier
        #[arg(value_parser = super::kid)]
        kid: Kid,
    },
}

const AFTER: &str = "\
A key is next, published, proven, active, retiring, retired. It is proven when every authoritative server of every
hosted domain has its records and no cache can lack them; the old one retires 6 days after its last use, when the queue
of the mail server holds nothing that it may have signed. The state lies beside the keys, in the file `rotation`; each
step replaces it whole and can be repeated after a crash. The milter signs with the active key after a reload, or a
restart where systemd hands it the keys. Exit codes: 0 done or nothing to do, 1 not yet, 75 DNS or queue not known.";

pub(crate) fn run(args: &Args, common: &Common, io: &mut Io<'_>) -> Result<Exit, Trouble> {
    if args.auto == args.verb.is_some() {
        let what = "one step is wanted: a verb, or --auto without one";
        return Err(Trouble::new(Exit::Usage, what, "zi2-cert rotate --help lists them."));
    }
    let mut config = settings::load_nameless(common, &io.host)?;
    if let Some(dir) = &args.how.dir {
        config.keys.source = KeySource::Directory(dir.clone());
    }
    let directory = directory(&config)?;
    let (wanted, now) = (config.keys.kid, io.host.now);
    if let Some(kid) = wanted {
        io.talk(format_args!("zi2-cert: note: [keys] kid names {kid}, which signs whatever the rotation says"));
    }
    match args.verb {
        Some(Verb::Status) => {
            let rotation = RotationFile::look(&directory, wanted, now).map_err(|error| refused(error.into()))?;
            show::status(&rotation, &args.how, io)
        }
        Some(Verb::Plan) => {
            let rotation = RotationFile::look(&directory, wanted, now).map_err(|error| refused(error.into()))?;
            show::plan(&rotation, &args.how, io)
        }
        verb => {
            let file = RotationFile::open(&directory, wanted, now).map_err(refused)?;
            let mut run = Run { file, config: &config, how: &args.how };
            match verb {
                Some(Verb::Stage) => run.stage(io),
                Some(Verb::Publish) => run.publish(io),
                Some(Verb::Prove) => run.prove(io),
                Some(Verb::Activate) => run.activate(io),
                Some(Verb::Retire) => run.retire(io),
                Some(Verb::Revoke { kid }) => run.revoke(kid, io),
                Some(Verb::Status | Verb::Plan) | None => run.auto(io),
            }
        }
    }
}

fn directory(config: &Config) -> Result<PathBuf, Trouble> {
    match &config.keys.source {
        KeySource::Directory(directory) => Ok(directory.clone()),
        KeySource::ProductFile(file) => {
            let what = format!("the configuration names one key file, {}, which cannot rotate", file.display());
            Err(Trouble::new(Exit::Config, what, "Name a directory: dir = \"/etc/zi2/keys\" below [keys]."))
        }
    }
}

fn refused(error: RotationError) -> Trouble {
    match error {
        RotationError::File(error) => {
            Trouble::new(Exit::NoPerm, error, "Nothing was changed; run this as root, or as who owns the keys.")
        }
        RotationError::Locked(_) => Trouble::new(Exit::TempFail, error, "Nothing was changed."),
        RotationError::Refused(_) => Trouble::new(Exit::Negative, error, "Nothing was changed."),
        RotationError::Seed(_) => Trouble::new(Exit::Software, error, "Nothing was changed."),
    }
}
