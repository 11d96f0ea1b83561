//! The sockets of the configuration: that somebody listens, and that Postfix may connect.

use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use zi2_config::{Config, Listen};

use super::accounts::{Account, Accounts, Right};
use super::finding::{Chart, quoted_path};
use crate::limits::CONNECT_TIME;
use crate::net;

/// Looks at every listener; `mail` is the account that Postfix connects as.
pub(super) fn look(config: &Config, accounts: &Accounts, mail: &str, chart: &mut Chart) {
    let mail = accounts.find(mail);
    for (check, listeners) in [
        ("socket.egress", &config.egress.listen),
        ("socket.ingress", &config.ingress.listen),
        ("socket.dkim2", &config.dkim2.listen),
    ] {
        if listeners.is_empty() {
            chart.ok(check, "listens nowhere, as the configuration says");
        }
        for listen in listeners {
            match listen {
                Listen::Systemd(name) => {
                    chart.ok(check, format!("systemd passes it on as {name}: systemctl list-sockets shows where"));
                }
                Listen::Unix(path) => unix(check, path, mail.as_ref(), chart),
                Listen::Inet(address) => {
                    connected(check, listen, connect(TcpStream::connect(*address)), chart);
                }
            }
        }
    }
}

fn unix(check: &'static str, path: &Path, mail: Option<&Account>, chart: &mut Chart) {
    let (shown, word) = (path.display(), quoted_path(path));
    let found = match path.symlink_metadata() {
        Ok(found) if found.file_type().is_socket() => found,
        Ok(_) => return chart.problem(check, format!("{shown} is no socket"), format!("rm {word}, then {START}")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return chart.problem(check, format!("{shown} is not there: the milter does not run"), START);
        }
        Err(error) => return chart.unknown(check, format!("{shown}: {error}"), "sudo zi2-cert doctor"),
    };
    if let Some(mail) = mail {
        let name = &mail.name;
        if let Some(directory) = mail.barred(path) {
            let seen = format!("{name} cannot reach {shown}: {} is closed to it", directory.display());
            return chart.problem(check, seen, format!("chmod o+x {}", quoted_path(directory)));
        }
        if !mail.may(Right::Write, &found) {
            let (mode, uid, gid) = (found.mode() & 0o7777, found.uid(), found.gid());
            let seen = format!("{name} may not connect to {shown}: mode {mode:04o}, uid {uid}, gid {gid}");
            let fix = format!(
                "chgrp {name} {word} && chmod 0660 {word}; to last: SocketGroup={name} in the socket unit, or group = \"{name}\" below [server]"
            );
            return chart.problem(check, seen, fix);
        }
    }
    connected(check, &Listen::Unix(path.to_owned()), connect(UnixStream::connect(path)), chart);
}

const START: &str = "systemctl enable --now zi2-milter-egress.socket zi2-milter-ingress.socket zi2-milter";

fn connected(check: &'static str, listen: &Listen, answer: io::Result<()>, chart: &mut Chart) {
    match answer {
        Ok(()) => chart.ok(check, format!("{listen} accepts connections")),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            chart.unknown(check, format!("{listen}: {error}"), "sudo zi2-cert doctor");
        }
        Err(error) => chart.problem(check, format!("{listen} does not accept connections: {error}"), START),
    }
}

/// A connection that is closed at once: a milter that is asked nothing does nothing.
fn connect<S>(opening: impl Future<Output = io::Result<S>>) -> io::Result<()> {
    let runtime = net::runtime().map_err(|trouble| io::Error::other(trouble.what))?;
    let late = |_| io::Error::from(io::ErrorKind::TimedOut);
    runtime.block_on(async { timeout(CONNECT_TIME, opening).await }).map_err(late)?.map(drop)
}
