//! The store: whether it opens, whose it is, and how much room its disk has.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use zi2_config::{Config, StoreBackend};
use zi2_store::{Durability, Page, Settings, SqliteStore, Store, StoreError};

use super::accounts::Accounts;
use super::finding::{Chart, quoted_path};
use crate::limits::{FREE_OCTETS, FREE_OCTETS_LAST};

const CHECK: &str = "store.file";

/// Looks at the store. It never makes one: the file would be root's, and not the daemon's.
pub(super) fn look(config: &Config, accounts: &Accounts, chart: &mut Chart) {
    let path = &config.store.path;
    if config.store.backend == StoreBackend::Memory {
        let seen = "history and replay protection are kept in memory, gone at each restart";
        return chart.warning(CHECK, seen, "write backend = \"sqlite\" below [store]");
    }
    let directory = path.parent().unwrap_or(Path::new("/"));
    let user = &config.server.user;
    if !directory.is_dir() {
        let seen = format!("there is no directory {}", directory.display());
        return chart.problem(CHECK, seen, format!("install -d -m 0700 -o {user} {}", quoted_path(directory)));
    }
    let mine = if path.exists() { path } else { directory };
    let owner = accounts.find(user).map(|account| account.uid);
    match mine.metadata() {
        Ok(found) if owner.is_some_and(|owner| owner != found.uid()) => {
            let seen = format!("{} belongs to uid {}; {user} cannot write it", mine.display(), found.uid());
            chart.problem(CHECK, seen, format!("chown -R {user} {}", quoted_path(directory)));
        }
        _ if path.exists() => open(config, path, chart),
        _ => chart.ok(CHECK, format!("{} is not there yet: the daemon makes it at its first start", path.display())),
    }
    room(directory, chart);
}

fn open(config: &Config, path: &Path, chart: &mut Chart) {
    let settings = Settings { policy: config.history, nonces_per_day: config.replay.capacity, ..Settings::disk() };
    let read = SqliteStore::open(path, Durability::Grouped, settings).and_then(|store| store.list(&Page::default()));
    match read {
        Ok(_) => chart.ok(CHECK, format!("{} opens and can be read", path.display())),
        Err(error @ StoreError::NotPrivate { .. }) => chart.problem(CHECK, &error, mode(path, &error)),
        Err(error @ (StoreError::Io { .. } | StoreError::Busy { .. })) => {
            chart.unknown(CHECK, error, "sudo zi2-cert doctor");
        }
        Err(error) => chart.problem(CHECK, error, "what to do stands in the line above"),
    }
}

/// The command, for what the store refuses: its file or its directory.
fn mode(path: &Path, error: &StoreError) -> String {
    match error {
        StoreError::NotPrivate { path: named, .. } if named != path => format!("chmod go-w {}", quoted_path(named)),
        _ => format!("chmod 0600 {}", quoted_path(path)),
    }
}

fn room(directory: &Path, chart: &mut Chart) {
    const CHECK: &str = "store.room";
    let Ok(disk) = rustix::fs::statvfs(directory) else { return };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let seen = format!("{} MiB are free at {}", free / (1024 * 1024), directory.display());
    let fix = format!("make room: df -h {}", quoted_path(directory));
    match free {
        free if free < FREE_OCTETS_LAST => chart.problem(CHECK, seen, fix),
        free if free < FREE_OCTETS => chart.warning(CHECK, seen, fix),
        _ => chart.ok(CHECK, seen),
    }
}
