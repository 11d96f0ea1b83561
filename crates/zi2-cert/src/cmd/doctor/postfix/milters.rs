//! A list of milters, as `smtpd_milters` writes it, and which of them are ours.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use zi2_config::{Config, Listen};

/// One milter of a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Milter {
    /// Its address, as written.
    pub(super) text: String,
    /// The same with its settings, as a list takes it.
    pub(super) item: String,
    /// Its own `default_action`, if it has one.
    pub(super) action: Option<String>,
    pub(super) side: Side,
}

/// Whose milter it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Side {
    /// Ours, certifying.
    Egress,
    /// Ours, verifying.
    Ingress,
    /// Ours, signing with DKIM2 on the last way out.
    Handoff,
    /// Ours by its path, but a chrooted Postfix looks for it elsewhere.
    Hidden(PathBuf),
    /// Somebody else's.
    Other,
}

/// From where Postfix looks at a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    pub(super) queue: &'a Path,
    pub(super) is_chrooted: bool,
}

/// Our listeners, as Postfix may name them.
pub(super) struct Ours {
    sides: [(Side, Vec<Listen>); 3],
}

impl Ours {
    pub(super) fn of(config: &Config) -> Ours {
        let listeners =
            |listen: &[Listen], packaged: &str| listen.iter().map(|listen| known(listen, packaged)).collect();
        Ours {
            sides: [
                (Side::Egress, listeners(&config.egress.listen, "/run/zi2/egress.sock")),
                (Side::Ingress, listeners(&config.ingress.listen, "/run/zi2/ingress.sock")),
                (Side::Handoff, listeners(&config.dkim2.listen, "/run/zi2/dkim2.sock")),
            ],
        }
    }

    /// The first listener of a side, in Postfix' words.
    pub(super) fn address(&self, side: &Side) -> Option<String> {
        let (_, listeners) = self.sides.iter().find(|(known, _)| known == side)?;
        listeners.first().map(ToString::to_string)
    }

    /// The milters of a list. § postconf(5): separated by white space or commas, a milter with settings in braces.
    pub(super) fn read(&self, list: &str, view: View<'_>) -> Vec<Milter> {
        let milter = |item: String| {
            let mut parts = item.split([',', ' ', '\t']).filter(|part| !part.is_empty());
            let text = parts.next()?.to_owned();
            let settings = item.split(',').skip(1).filter_map(|part| part.split_once('='));
            let action =
                settings.map(|(key, value)| (key.trim(), value.trim())).find(|(key, _)| *key == "default_action");
            let action = action.map(|(_, value)| value.to_owned());
            let item = if parts.next().is_some() { format!("{{{}}}", item.trim()) } else { text.clone() };
            Some(Milter { side: self.side(&text, view), text, item, action })
        };
        items(list).into_iter().filter_map(milter).collect()
    }

    fn side(&self, text: &str, view: View<'_>) -> Side {
        let listens = |address: &dyn Fn(&Listen) -> bool| {
            self.sides.iter().find(|(_, listeners)| listeners.iter().any(address)).map(|(side, _)| side.clone())
        };
        match text.split_once(':') {
            Some(("unix" | "local", path)) => {
                let (written, real) = (Path::new(path), view.real(path));
                let at = |wanted: &Path| listens(&|listen| matches!(listen, Listen::Unix(path) if path == wanted));
                match (at(&real), at(written)) {
                    (Some(side), _) => side,
                    (None, Some(_)) => Side::Hidden(real),
                    (None, None) => Side::Other,
                }
            }
            Some(("inet" | "inet6", rest)) => listens(&|listen| is_inet(listen, rest)).unwrap_or(Side::Other),
            _ => Side::Other,
        }
    }
}

impl View<'_> {
    /// Where a socket's path really leads: relative to the queue, and below it in a chroot.
    fn real(&self, path: &str) -> PathBuf {
        let relative = path.trim_start_matches('/');
        if self.is_chrooted || !path.starts_with('/') { self.queue.join(relative) } else { PathBuf::from(path) }
    }
}

/// What systemd passes on is found where the packaged socket units have it.
pub(in crate::cmd) fn known(listen: &Listen, packaged: &str) -> Listen {
    match listen {
        Listen::Systemd(_) => Listen::Unix(PathBuf::from(packaged)),
        listen => listen.clone(),
    }
}

fn is_inet(listen: &Listen, written: &str) -> bool {
    let (Listen::Inet(address), Some((host, port))) = (listen, written.rsplit_once(':')) else { return false };
    let host = host.trim_matches(['[', ']']);
    let ip: Option<IpAddr> = host.parse().ok();
    let is_same = ip == Some(address.ip());
    let is_local = host.eq_ignore_ascii_case("localhost") || ip.is_some_and(|ip| ip.is_loopback());
    port == address.port().to_string()
        && (is_same || (is_local && (address.ip().is_loopback() || address.ip().is_unspecified())))
}

/// The items of a list, without braces.
fn items(list: &str) -> Vec<String> {
    let (mut items, mut item, mut depth) = (Vec::new(), String::new(), 0_usize);
    for c in list.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' | ' ' | '\t' if depth == 0 => items.push(std::mem::take(&mut item)),
            c => item.push(c),
        }
    }
    items.push(item);
    items.retain(|item| !item.trim().is_empty());
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists() {
        let ours = Ours {
            sides: [
                (Side::Egress, vec![Listen::parse("unix:/run/zi2/egress.sock").unwrap()]),
                (Side::Ingress, vec![Listen::parse("inet:127.0.0.1:8892").unwrap()]),
                (Side::Handoff, vec![]),
            ],
        };
        let hidden = Side::Hidden(PathBuf::from("/spool/run/zi2/egress.sock"));
        for (list, is_chrooted, found) in [
            ("", false, vec![]),
            ("unix:/run/zi2/egress.sock", false, vec![(Side::Egress, None)]),
            ("unix:/run/zi2/egress.sock", true, vec![(hidden, None)]),
            ("unix:zi2/egress.sock", true, vec![(Side::Other, None)]),
            ("unix:../run/zi2/egress.sock", false, vec![(Side::Other, None)]),
            (
                "inet:localhost:8892, inet:[::1]:8892 inet:127.0.0.1:8891",
                false,
                vec![(Side::Ingress, None), (Side::Ingress, None), (Side::Other, None)],
            ),
            (
                "{ inet:127.0.0.1:8892, connect_timeout=5s, default_action=accept }\tunix:x",
                false,
                vec![(Side::Ingress, Some("accept")), (Side::Other, None)],
            ),
            ("{inet:127.0.0.1:8892", false, vec![(Side::Ingress, None)]),
        ] {
            let view = View { queue: Path::new("/spool"), is_chrooted };
            let read = ours.read(list, view);
            let read: Vec<_> = read.iter().map(|milter| (milter.side.clone(), milter.action.as_deref())).collect();
            assert_eq!(read, found, "{list}");
        }
    }
}
