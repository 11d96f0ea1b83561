//! Listening sockets: Unix, TCP, or inherited from the service manager. They only hand out streams.

use std::fs;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use listenfd::ListenFd;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

/// A socket that takes connections. A Unix socket it made is removed when it is dropped, unless another took its place.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    _file: Option<SocketFile>,
}

#[derive(Debug)]
enum Socket {
    Unix(UnixListener),
    Tcp(TcpListener),
}

/// A stream taken from a listener.
pub(super) enum Accepted {
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl Listener {
    /// Listens on a Unix socket with these permissions (`0o660`). A socket left by a dead process is replaced; one that
    /// answers, and any other kind of file, is an error. Call it inside a tokio runtime.
    ///
    /// # Errors
    /// `AddrInUse` when someone answers there, `AlreadyExists` for another kind of file, and those of the system.
    pub fn unix(path: impl AsRef<Path>, mode: u32) -> io::Result<Listener> {
        let path = path.as_ref();
        refuse_occupied(path)?;
        // Made beside its place and moved there: nobody ever sees it with wider permissions.
        let mut beside = path.as_os_str().to_owned();
        beside.push(".new");
        let beside = PathBuf::from(beside);
        refuse_occupied(&beside)?;
        remove(&beside)?;
        let socket = std::os::unix::net::UnixListener::bind(&beside)?;
        let placed =
            fs::set_permissions(&beside, fs::Permissions::from_mode(mode)).and_then(|()| fs::rename(&beside, path));
        if let Err(error) = placed {
            remove(&beside)?;
            return Err(error);
        }
        let file = SocketFile::at(path)?;
        Listener::from_unix(socket, Some(file))
    }

    /// Listens on TCP. Call it inside a tokio runtime.
    ///
    /// # Errors
    /// Those of the system.
    pub fn tcp(address: SocketAddr) -> io::Result<Listener> {
        Listener::from_tcp(std::net::TcpListener::bind(address)?)
    }

    /// The TCP address, with the port the system chose; none for a Unix socket.
    pub fn tcp_address(&self) -> Option<SocketAddr> {
        match &self.socket {
            Socket::Tcp(socket) => socket.local_addr().ok(),
            Socket::Unix(_) => None,
        }
    }

    pub(super) async fn accept(&self) -> io::Result<Accepted> {
        match &self.socket {
            Socket::Unix(socket) => Ok(Accepted::Unix(socket.accept().await?.0)),
            Socket::Tcp(socket) => {
                let (stream, _) = socket.accept().await?;
                // Without it each edited message waits 40 ms for a delayed ACK.
                stream.set_nodelay(true)?;
                Ok(Accepted::Tcp(stream))
            }
        }
    }

    fn from_unix(socket: std::os::unix::net::UnixListener, file: Option<SocketFile>) -> io::Result<Listener> {
        socket.set_nonblocking(true)?;
        Ok(Listener { socket: Socket::Unix(UnixListener::from_std(socket)?), _file: file })
    }

    fn from_tcp(socket: std::net::TcpListener) -> io::Result<Listener> {
        socket.set_nonblocking(true)?;
        Ok(Listener { socket: Socket::Tcp(TcpListener::from_std(socket)?), _file: None })
    }
}

/// The sockets the service manager handed over (`LISTEN_FDS`, `LISTEN_PID`, `LISTEN_FDNAMES`).
#[derive(Debug)]
pub struct Inherited {
    sockets: Sockets,
    names: Vec<String>,
}

struct Sockets(ListenFd);

impl std::fmt::Debug for Sockets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} sockets", self.0.len())
    }
}

impl Inherited {
    /// Takes them from the environment, where they are then forgotten. Call it once, before any thread starts.
    pub fn from_env() -> Inherited {
        let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        let names = names.split(':').map(str::to_owned).collect();
        Inherited { sockets: Sockets(ListenFd::from_env()), names }
    }

    /// How many there were.
    pub fn count(&self) -> usize {
        self.sockets.0.len()
    }

    /// The next socket of a name (`FileDescriptorName=`), or the next one at all; none when there is none left. Its
    /// file is the service manager's and stays.
    ///
    /// # Errors
    /// `InvalidInput` for a descriptor that is neither a Unix nor a TCP stream socket.
    pub fn take(&mut self, name: Option<&str>) -> io::Result<Option<Listener>> {
        for index in 0..self.count() {
            if name.is_some_and(|name| self.names.get(index).map(String::as_str) != Some(name)) {
                continue;
            }
            match self.sockets.0.take_unix_listener(index) {
                Ok(None) => continue,
                Ok(Some(socket)) => return Listener::from_unix(socket, None).map(Some),
                Err(_) => {}
            }
            if let Some(socket) = self.sockets.0.take_tcp_listener(index)? {
                return Listener::from_tcp(socket).map(Some);
            }
        }
        Ok(None)
    }
}

/// The file of a socket of ours.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl SocketFile {
    fn at(path: &Path) -> io::Result<SocketFile> {
        let found = fs::symlink_metadata(path)?;
        Ok(SocketFile { path: path.to_owned(), device: found.dev(), inode: found.ino() })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // A successor may have put its own socket there.
        let is_ours =
            fs::symlink_metadata(&self.path).is_ok_and(|found| (found.dev(), found.ino()) == (self.device, self.inode));
        if is_ours && let Err(error) = remove(&self.path) {
            tracing::debug!(%error, path = %self.path.display(), "socket file not removed");
        }
    }
}

/// Fails unless the place is free or holds a socket nobody listens on.
fn refuse_occupied(path: &Path) -> io::Result<()> {
    let found = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        found => found?,
    };
    let name = path.display();
    if !found.file_type().is_socket() {
        return Err(io::Error::new(ErrorKind::AlreadyExists, format!("{name} exists and is no socket")));
    }
    match std::os::unix::net::UnixStream::connect(path) {
        Ok(_) => Err(io::Error::new(ErrorKind::AddrInUse, format!("another process listens on {name}"))),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(()),
        Err(error) => Err(error),
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn unix_sockets_are_private_replaced_when_stale_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sock");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let listener = Listener::unix(&path, 0o660).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
        assert_eq!(Listener::unix(&path, 0o660).unwrap_err().kind(), ErrorKind::AddrInUse);
        drop(listener);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn what_is_not_ours_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sock");
        fs::write(&path, "mail").unwrap();
        assert_eq!(Listener::unix(&path, 0o660).unwrap_err().kind(), ErrorKind::AlreadyExists);
        fs::remove_file(&path).unwrap();
        let ours = Listener::unix(&path, 0o660).unwrap();
        fs::remove_file(&path).unwrap();
        let successor = Listener::unix(&path, 0o660).unwrap();
        drop(ours);
        assert!(path.exists(), "the successor's socket");
        drop(successor);
        assert!(!path.exists());
    }
}
