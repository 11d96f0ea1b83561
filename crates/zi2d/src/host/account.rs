//! Whose process this is: started as root it becomes the account of the configuration, for good.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::{DirBuilderExt, chown};
use std::path::{Path, PathBuf};

use nix::unistd::{Gid, Group, Uid, User, geteuid, setgroups, setresgid, setresuid};
use zi2_config::{Config, Listen, StoreBackend};

use crate::trouble::Trouble;

/// The account to run as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Account {
    uid: Uid,
    gid: Gid,
}

impl Account {
    /// The account the configuration names, by name or number; none unless this process is root's.
    pub(crate) fn wanted(config: &Config) -> Result<Option<Account>, Trouble> {
        if !geteuid().is_root() {
            return Ok(None);
        }
        let name = &config.server.user;
        let user = match name.parse() {
            Ok(number) => User::from_uid(Uid::from_raw(number)),
            Err(_) => User::from_name(name),
        };
        let user = user.ok().flatten().ok_or_else(|| {
            let fix = format!("Make it (adduser --system --group {name}), or name another as server.user.");
            Trouble::permission(format!("there is no account {name:?} (server.user)"), fix)
        })?;
        let gid = match &config.server.group {
            None => user.gid,
            Some(group) => group_named(group)?,
        };
        if user.uid.is_root() {
            let what = format!("server.user = {name:?} is root, and a program that reads strangers' mail must not be");
            return Err(Trouble::permission(what, "Name another account."));
        }
        Ok(Some(Account { uid: user.uid, gid }))
    }

    /// Makes the directories that the packaging would make, where they are missing: of the sockets and of the store.
    pub(crate) fn prepare(self, config: &Config) -> Result<(), Trouble> {
        let sockets = config.egress.listen.iter().chain(&config.ingress.listen).chain(&config.dkim2.listen);
        let sockets = sockets.filter_map(|listen| match listen {
            Listen::Unix(path) => Some((path.parent()?.to_owned(), 0o755)),
            Listen::Inet(_) | Listen::Systemd(_) => None,
        });
        let on_disk = config.store.backend == StoreBackend::Sqlite;
        let store = on_disk.then(|| config.store.path.parent()).flatten().map(|path| (path.to_owned(), 0o700));
        let snapshots = config.dkim2.keeps().map(|place| (place.dir.clone(), 0o700));
        for (path, mode) in sockets.chain(store).chain(snapshots) {
            self.make(&path, mode).map_err(|error| {
                let what = format!("cannot make the directory {}: {error}", path.display());
                Trouble::unavailable(what, "Make it, and give it to the account of server.user.")
            })?;
        }
        Ok(())
    }

    /// Becomes this account: groups first, since afterwards it may not change them.
    pub(crate) fn become_it(self) -> Result<(), Trouble> {
        let done = setgroups(&[self.gid])
            .and_then(|()| setresgid(self.gid, self.gid, self.gid))
            .and_then(|()| setresuid(self.uid, self.uid, self.uid));
        let refused = |error: &dyn std::fmt::Display| {
            let what = format!("cannot become uid {} gid {}: {error}", self.uid, self.gid);
            Trouble::permission(what, "Start it as root, or as the account itself.")
        };
        done.map_err(|errno| refused(&errno))?;
        match setresuid(Uid::from_raw(0), Uid::from_raw(0), Uid::from_raw(0)) {
            Ok(()) => Err(refused(&"the way back to root stayed open")),
            Err(_) => Ok(()),
        }
    }

    fn make(self, path: &Path, mode: u32) -> io::Result<()> {
        match DirBuilder::new().mode(mode).create(path) {
            Ok(()) => chown(path, Some(self.uid.as_raw()), Some(self.gid.as_raw())),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn group_named(name: &str) -> Result<Gid, Trouble> {
    let group = match name.parse() {
        Ok(number) => Group::from_gid(Gid::from_raw(number)),
        Err(_) => Group::from_name(name),
    };
    let missing =
        || Trouble::permission(format!("there is no group {name:?} (server.group)"), "Make it, or name another.");
    group.ok().flatten().map(|group| group.gid).ok_or_else(missing)
}

/// Every place the configuration lets the process write.
pub(crate) fn writable(config: &Config) -> Vec<PathBuf> {
    let sockets = config.egress.listen.iter().chain(&config.ingress.listen).chain(&config.dkim2.listen);
    let sockets = sockets.filter_map(|listen| match listen {
        Listen::Unix(path) => path.parent().map(Path::to_owned),
        Listen::Inet(_) | Listen::Systemd(_) => None,
    });
    let on_disk = config.store.backend == StoreBackend::Sqlite;
    let store = on_disk.then(|| config.store.path.parent()).flatten().map(Path::to_owned);
    let snapshots = config.dkim2.keeps().map(|place| place.dir.clone());
    sockets.chain(store).chain(snapshots).collect()
}
