//! The configuration as far as a command needs it.

use std::path::PathBuf;

use zi2_config::{Config, Fault, KeySource, Loaded, Paths, Problems};
use zi2_keys::{DnsOptions, FileError, Keyring};
use zi2_sig::{Kid, PublicKey};
use zi2_trust::Held;

use crate::cli::Common;
use crate::io::Host;
use crate::{Exit, Io, Trouble, limits};

/// What the configuration stands for when there is no name for this host: only certifying needs one.
const NAMELESS: &str = "unnamed.example";

/// Where the configuration is: `--config`, `$ZI2_CONFIG`, or the usual place.
pub(crate) fn paths(common: &Common, host: &Host) -> Paths {
    let named = common.config.clone().or_else(|| host.variable("ZI2_CONFIG").map(PathBuf::from));
    match named {
        Some(file) => host.paths.clone().with_file(file),
        None => host.paths.clone(),
    }
}

/// The configuration, which must be right.
pub(crate) fn load(common: &Common, host: &Host) -> Result<Loaded, Trouble> {
    read(&paths(common, host), host).map_err(|problems| invalid(&problems))
}

/// The configuration for a command that does not need this host's name.
pub(crate) fn load_nameless(common: &Common, host: &Host) -> Result<Config, Trouble> {
    nameless(&paths(common, host), host).map(|loaded| loaded.config).map_err(|problems| invalid(&problems))
}

/// The same for facts anybody may look at: whoever may not read the configuration gets the defaults.
pub(crate) fn load_public(common: &Common, io: &mut Io<'_>) -> Result<Config, Trouble> {
    let paths = paths(common, &io.host);
    match nameless(&paths, &io.host) {
        Ok(loaded) => Ok(loaded.config),
        Err(problems) if problems.iter().any(|problem| problem.fault == Fault::Denied) => {
            io.talk(format_args!("zi2-cert: note: {} may not be read by you; defaults are used", paths.file.display()));
            let nowhere = Paths::below("/nonexistent".as_ref());
            nameless(&nowhere, &io.host).map(|loaded| loaded.config).map_err(|problems| invalid(&problems))
        }
        Err(problems) => Err(invalid(&problems)),
    }
}

/// The configuration, or its problems.
pub(crate) fn read(paths: &Paths, host: &Host) -> Result<Loaded, Problems> {
    Config::load(paths, host.environment.clone())
}

fn nameless(paths: &Paths, host: &Host) -> Result<Loaded, Problems> {
    read(paths, host).or_else(|problems| {
        let unnamed = problems.iter().all(|problem| matches!(problem.fault, Fault::NoHostName { .. }));
        if !unnamed {
            return Err(problems);
        }
        let name = ("ZI2__SERVER__SID".into(), NAMELESS.into());
        Config::load(paths, host.environment.iter().cloned().chain([name]))
    })
}

fn invalid(problems: &Problems) -> Trouble {
    Trouble::new(
        Exit::Config,
        problems,
        "The configuration is described in zi2.toml(5); `zi2-cert config check` checks it.",
    )
}

/// Our private keys, from where the configuration says.
pub(crate) fn keyring(config: &Config) -> Result<Keyring, FileError> {
    zi2_flow::keyring(config, None)
}

/// Our public keys: those of the private ones, or where these may not be read, of the `.pub` files beside them.
pub(crate) fn public_keys(config: &Config) -> Result<Vec<(Kid, PublicKey)>, FileError> {
    let refused = match keyring(config) {
        Ok(ring) => return Ok(ring.public_keys().collect()),
        Err(refused) => refused,
    };
    let published = public_files(config);
    if published.is_empty() { Err(refused) } else { Ok(published) }
}

/// The keys of the `.pub` files, oldest first.
pub(crate) fn public_files(config: &Config) -> Vec<(Kid, PublicKey)> {
    let files: Vec<(Kid, PathBuf)> = match &config.keys.source {
        KeySource::Directory(directory) => {
            let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
            let named =
                |path: PathBuf| Some((Kid::parse(path.file_name()?.to_str()?.strip_suffix(".pub")?).ok()?, path));
            entries.take(zi2_keys::limits::DIRECTORY_ENTRIES).filter_map(|entry| named(entry.path())).collect()
        }
        KeySource::ProductFile(file) => {
            config.keys.kid.map(|kid| (kid, file.with_extension("pub"))).into_iter().collect()
        }
    };
    let read = |(kid, path): (Kid, PathBuf)| {
        let text = std::fs::read(path).ok()?;
        let line = text.split(|octet| octet.is_ascii_whitespace()).find(|word| !word.is_empty())?;
        Some((kid, PublicKey::from_base64(line).ok()?))
    };
    let mut keys: Vec<_> = files.into_iter().filter_map(read).collect();
    keys.sort_unstable();
    keys
}

/// Our keys as a verifier holds them.
pub(crate) fn held(config: &Config) -> Vec<Held> {
    let keys = public_keys(config).unwrap_or_default();
    keys.into_iter().map(|(kid, key)| Held { sid: Some(config.server.sid.clone()), kid, key }).collect()
}

/// How DNS is asked: as the daemon does, but never longer than a person waits.
pub(crate) fn dns_options(config: &Config) -> DnsOptions {
    let options = zi2_flow::dns_options(config);
    DnsOptions { time: options.time.min(limits::PATIENCE), ..options }
}
