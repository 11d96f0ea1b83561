//! Our keys: who can read them, which one is used, and when the next one is due.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use zi2_config::{Config, KeySource};
use zi2_keys::{FileError, Rotation, RotationFile};
use zi2_mail::{Timestamp, format_date};
use zi2_sig::{Kid, PublicKey};

use super::accounts::Accounts;
use super::finding::{Chart, quoted, quoted_path};
use crate::limits::LATE_SECS;
use crate::settings;

/// Looks at the private keys, and gives the one that is used.
pub(super) fn look(
    config: &Config,
    accounts: &Accounts,
    now: Timestamp,
    chart: &mut Chart,
) -> Option<(Kid, PublicKey)> {
    let (directory, files) = files(config);
    let needs_none = config.egress.listen.is_empty();
    if needs_none {
        chart.ok("keys.current", "egress does not listen, so nothing is certified and no key is needed");
    }
    let user = &config.server.user;
    let owner = accounts.find(user).map(|account| account.uid);
    let before = chart.findings.len();
    let all = std::iter::once(&directory).chain(&files);
    all.filter(|path| !needs_none || path.exists()).for_each(|path| private(path, user, owner, chart));
    if needs_none {
        return None;
    }
    let public = match settings::public_keys(config) {
        Ok(public) => public,
        // What is wrong with the files has been said, with its fix.
        Err(_) if chart.findings.len() > before => return None,
        Err(error) => {
            chart.unknown("keys.files", &error, otherwise(&error, user));
            return None;
        }
    };
    if chart.findings.len() == before {
        chart.ok(
            "keys.files",
            format!("{}: nobody else may read the keys there: {}", directory.display(), public.len()),
        );
    }
    pairs(config, chart);
    active(config, &public, now, chart)
}

/// Who may look: keys of the daemon's account are read by nobody else, not even by root.
fn otherwise(error: &FileError, user: &str) -> String {
    match error {
        FileError::Owner { .. } => format!("runuser -u {} -- zi2-cert doctor", quoted(user)),
        _ => "sudo zi2-cert doctor".to_owned(),
    }
}

/// The directory of the keys, and the files in it that can be listed.
fn files(config: &Config) -> (PathBuf, Vec<PathBuf>) {
    match &config.keys.source {
        KeySource::Directory(directory) => {
            let listed = std::fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
            let is_key = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "key");
            let mut keys: Vec<PathBuf> = listed.take(zi2_keys::limits::DIRECTORY_ENTRIES).filter(is_key).collect();
            keys.sort_unstable();
            (directory.clone(), keys)
        }
        KeySource::ProductFile(file) => (file.parent().unwrap_or(Path::new("/")).to_owned(), vec![file.clone()]),
    }
}

/// § security.md K2: nobody else may read a key, or put one there.
fn private(path: &Path, user: &str, owner: Option<u32>, chart: &mut Chart) {
    const CHECK: &str = "keys.files";
    let (shown, word) = (path.display(), quoted_path(path));
    let found = match path.symlink_metadata() {
        Ok(found) => found,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return chart.problem(CHECK, format!("{shown} is not there"), "zi2-cert keygen --domain DOMAIN");
        }
        Err(error) => return chart.unknown(CHECK, format!("{shown}: {error}"), "sudo zi2-cert doctor"),
    };
    let (mode, uid) = (found.mode() & 0o7777, found.uid());
    let (forbidden, right) = if found.is_dir() { (0o022, "0700") } else { (0o077, "0400") };
    if found.is_symlink() {
        chart.problem(
            CHECK,
            format!("{shown} is a link; whoever can change it chooses the key"),
            "put the file itself there",
        );
    } else if mode & forbidden != 0 {
        chart.problem(
            CHECK,
            format!("{shown} has mode {mode:04o}: others can use it"),
            format!("chmod {right} {word}"),
        );
    }
    if uid != 0 && owner.is_some_and(|owner| owner != uid) {
        let seen = format!("{shown} belongs to uid {uid}, neither to root nor to {user}");
        chart.problem(CHECK, seen, format!("chown {user} {word}"));
    }
}

/// `dns show` prints what the `.pub` files say where the private keys may not be read.
fn pairs(config: &Config, chart: &mut Chart) {
    let Ok(ring) = settings::keyring(config) else { return };
    for (kid, written) in settings::public_files(config) {
        let real = ring.public_keys().find(|(own, _)| *own == kid);
        if real.is_some_and(|(_, key)| key != written) {
            let fix = format!("zi2-cert dns show --kid {kid}, as root, prints the right one; remove {kid}.pub");
            chart.problem("keys.pairs", format!("{kid}.pub is not the public key of {kid}.key"), fix);
        }
    }
}

/// The key that is used, as the daemon chooses it.
fn active(config: &Config, public: &[(Kid, PublicKey)], now: Timestamp, chart: &mut Chart) -> Option<(Kid, PublicKey)> {
    const CHECK: &str = "keys.current";
    let of_month = Kid::of_month(now.month().0, now.month().1).ok();
    let make = |kid: Option<Kid>| {
        let domain = config.server.hosted.iter().min().map_or("DOMAIN".to_owned(), ToString::to_string);
        let kid = kid.map_or_else(String::new, |kid| format!(" --kid {kid}"));
        format!("zi2-cert keygen --domain {domain}{kid}, then publish the records it prints")
    };
    let of = |wanted: Kid| public.iter().find(|(kid, _)| *kid == wanted);
    let rotation = rotation(config);
    let used = match (config.keys.kid, &rotation) {
        (Some(wanted), _) => of(wanted),
        (None, Some(rotation)) => rotation.active().and_then(of),
        (None, None) => public.iter().rfind(|(kid, _)| kid.month() <= now.month()),
    };
    if let (None, Some(rotation)) = (config.keys.kid, &rotation) {
        rotates(rotation, used.map(|(kid, _)| *kid), now, chart);
        return used.copied();
    }
    match (used, config.keys.kid) {
        (Some((kid, _)), _) if Some(*kid) == of_month => {
            chart.ok(CHECK, format!("{kid} is used; {}", next(public, now)));
        }
        (Some((kid, _)), Some(_)) => {
            let seen = format!("{kid} is used, not this month's key, because [keys] kid says so");
            chart.warning(CHECK, seen, "remove kid below [keys] when the rotation is to go on");
        }
        (Some((kid, _)), None) => {
            chart.warning(CHECK, format!("{kid} is used; this month has no key of its own"), make(of_month));
        }
        (None, Some(wanted)) => {
            chart.problem(CHECK, format!("[keys] kid names {wanted}, which is not there"), make(Some(wanted)));
        }
        (None, None) => {
            chart.problem(CHECK, "there is no key whose month has come: nothing is certified", make(of_month))
        }
    }
    used.copied()
}

/// The state of the rotation, where one has begun and may be read.
fn rotation(config: &Config) -> Option<Rotation> {
    match &config.keys.source {
        KeySource::Directory(directory) => RotationFile::read(directory).ok().flatten(),
        KeySource::ProductFile(_) => None,
    }
}

/// A rotation that nobody drives stands still: a step long due says so.
fn rotates(rotation: &Rotation, used: Option<Kid>, now: Timestamp, chart: &mut Chart) {
    const CHECK: &str = "keys.current";
    let task = rotation.plan(now).first().map(|task| (task.step.word(), task.kid, task.at));
    let fix = task.map_or("zi2-cert rotate plan".to_owned(), |(step, ..)| format!("zi2-cert rotate {step}"));
    match (used, task) {
        (None, _) if rotation.active().is_some() => {
            chart.problem(CHECK, "the key that is active is not there: nothing is certified", "put its file back");
        }
        (None, _) => chart.problem(CHECK, "no key is active: nothing is certified", fix),
        (Some(kid), Some((step, next, at))) if at.add_secs(LATE_SECS) < now => {
            let seen = format!("{kid} is used; \"{step}\" of {next} is due since {}", format_date(at));
            chart.warning(CHECK, seen, format!("{fix}; systemctl enable --now zi2-rotate.timer"));
        }
        (Some(kid), Some((step, next, at))) => {
            chart.ok(CHECK, format!("{kid} is used; {step} of {next} from {}", format_date(at)));
        }
        (Some(kid), None) => chart.ok(CHECK, format!("{kid} is used")),
    }
}

/// § zi2.md §12: identifiers go by months.
fn next(public: &[(Kid, PublicKey)], now: Timestamp) -> String {
    let (year, month) = now.month();
    let (year, month) = if month == 12 { (year.saturating_add(1), 1) } else { (year, month + 1) };
    match Kid::of_month(year, month) {
        Ok(kid) if public.iter().any(|(own, _)| *own == kid) => format!("{kid} is there already"),
        _ => {
            let days = (1..=31).find(|ahead| now.add_secs(ahead * 86_400).month() == (year, month));
            format!("the next is due on {year:04}-{month:02}-01, in {} days", days.unwrap_or(0))
        }
    }
}
