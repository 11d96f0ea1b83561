//! Where a listener listens: `unix:PATH`, `inet:ADDRESS:PORT` or `systemd:NAME`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use crate::limits::SOCKET_PATH_OCTETS;

/// A place to listen. Opens no socket.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Listen {
    /// A Unix socket with this absolute path.
    Unix(PathBuf),
    /// A TCP socket. Port 0 is any free port.
    Inet(SocketAddr),
    /// A socket that systemd passes on, with this `FileDescriptorName=`.
    Systemd(String),
}

impl Listen {
    /// Reads a listener. Refuses host names but `localhost`: a listener needs an address.
    ///
    /// # Errors
    ///
    /// [`ListenError`] says what to write.
    pub fn parse(text: &str) -> Result<Listen, ListenError> {
        match text.split_once(':') {
            Some(("unix" | "local", path)) => unix(path),
            Some(("inet" | "inet6", rest)) if rest.contains('@') => Err(ListenError::SendmailStyle),
            Some(("inet" | "inet6", rest)) => inet(rest).ok_or(ListenError::Inet),
            Some(("systemd", name)) => systemd(name),
            _ if text.starts_with('/') => Err(ListenError::BarePath),
            _ => Err(ListenError::Unknown),
        }
    }

    /// Whether others than this host's processes can reach it, as far as the address says.
    pub fn is_beyond_host(&self) -> bool {
        matches!(self, Listen::Inet(address) if !address.ip().to_canonical().is_loopback())
    }
}

fn unix(path: &str) -> Result<Listen, ListenError> {
    match path.len() {
        _ if !path.starts_with('/') => Err(ListenError::RelativePath),
        octets if octets > SOCKET_PATH_OCTETS => Err(ListenError::LongPath(octets)),
        _ => Ok(Listen::Unix(PathBuf::from(path))),
    }
}

fn inet(rest: &str) -> Option<Listen> {
    let (host, port) = rest.rsplit_once(':')?;
    if host.eq_ignore_ascii_case("localhost") {
        let port = port.parse().ok()?;
        return Some(Listen::Inet(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)));
    }
    rest.parse().ok().map(Listen::Inet)
}

/// § sd_listen_fds_with_names(3): ASCII without controls and colon, at most 255 octets.
fn systemd(name: &str) -> Result<Listen, ListenError> {
    let fit = (1..=255).contains(&name.len()) && name.bytes().all(|octet| octet.is_ascii_graphic() && octet != b':');
    if fit { Ok(Listen::Systemd(name.to_owned())) } else { Err(ListenError::SystemdName) }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Listen::Unix(path) => write!(f, "unix:{}", path.display()),
            Listen::Inet(address) => write!(f, "inet:{address}"),
            Listen::Systemd(name) => write!(f, "systemd:{name}"),
        }
    }
}

/// Why a text is no listener.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ListenError {
    /// No known beginning.
    #[error("write unix:/run/zi2/NAME.sock, inet:127.0.0.1:PORT or systemd:NAME")]
    Unknown,
    /// A path alone.
    #[error("a path of a socket is written with unix: in front")]
    BarePath,
    /// Not from the root.
    #[error("the path of a socket begins with /, as in unix:/run/zi2/egress.sock")]
    RelativePath,
    /// Longer than the system takes.
    #[error("the path has {0} octets; a socket's path has at most 107")]
    LongPath(usize),
    /// `inet:PORT@HOST`.
    #[error("the address comes first, as in inet:127.0.0.1:8895, and no @")]
    SendmailStyle,
    /// No address or no port.
    #[error("write an IP address and a port, as in inet:127.0.0.1:8895 or inet:[::1]:8895")]
    Inet,
    /// No name systemd would give.
    #[error("write the name that FileDescriptorName= gives, as in systemd:egress")]
    SystemdName,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners() {
        for (text, shown) in [
            ("unix:/run/zi2/egress.sock", "unix:/run/zi2/egress.sock"),
            ("local:/a", "unix:/a"),
            ("inet:127.0.0.1:8895", "inet:127.0.0.1:8895"),
            ("inet:LOCALHOST:0", "inet:127.0.0.1:0"),
            ("inet:[::1]:25", "inet:[::1]:25"),
            ("inet6:[::1]:25", "inet:[::1]:25"),
            ("systemd:zi2-milter-egress.socket", "systemd:zi2-milter-egress.socket"),
        ] {
            let listen = Listen::parse(text).unwrap();
            assert_eq!(listen.to_string(), shown);
            assert!(!listen.is_beyond_host(), "{text}");
        }
        for text in ["inet:0.0.0.0:1", "inet:[::]:1", "inet:192.0.2.1:1"] {
            assert!(Listen::parse(text).unwrap().is_beyond_host(), "{text}");
        }
        assert!(!Listen::parse("inet:[::ffff:127.0.0.1]:1").unwrap().is_beyond_host());
    }

    #[test]
    fn refusals() {
        let full = format!("unix:/{}", "x".repeat(SOCKET_PATH_OCTETS - 1));
        assert!(Listen::parse(&full).is_ok());
        let long = full + "x";
        for (text, error) in [
            ("", ListenError::Unknown),
            ("egress.sock", ListenError::Unknown),
            ("tcp:127.0.0.1:1", ListenError::Unknown),
            ("/run/zi2/egress.sock", ListenError::BarePath),
            ("unix:", ListenError::RelativePath),
            ("unix:run/x", ListenError::RelativePath),
            (&long, ListenError::LongPath(SOCKET_PATH_OCTETS + 1)),
            ("inet:8895@localhost", ListenError::SendmailStyle),
            ("inet:8895", ListenError::Inet),
            ("inet:mail.example.com:8895", ListenError::Inet),
            ("inet:127.0.0.1:65536", ListenError::Inet),
            ("inet:::1:25", ListenError::Inet),
            ("systemd:", ListenError::SystemdName),
            ("systemd:a b", ListenError::SystemdName),
        ] {
            assert_eq!(Listen::parse(text), Err(error), "{text}");
        }
    }
}
