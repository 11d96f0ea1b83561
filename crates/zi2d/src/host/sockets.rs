//! The listeners of the configuration, opened or taken over from systemd.

use zi2_config::Listen;
use zi2_milter::{Inherited, Listener};

use crate::trouble::Trouble;

/// A listener and what it is for.
pub(crate) struct Listening {
    /// The socket.
    pub(crate) listener: Listener,
    /// Where it is, for people.
    pub(crate) place: String,
}

/// Mode of our sockets: the account and its group, which the mail server belongs to.
const SOCKET_MODE: u32 = 0o660;

/// Opens listeners. A socket file left by an earlier process is replaced, one that is in use is not.
pub(crate) fn bind(places: &[Listen], inherited: &mut Inherited) -> Result<Vec<Listening>, Trouble> {
    places.iter().map(|place| open(place, inherited)).collect()
}

fn open(place: &Listen, inherited: &mut Inherited) -> Result<Listening, Trouble> {
    let opened = match place {
        Listen::Unix(path) => Listener::unix(path, SOCKET_MODE).map(Some),
        Listen::Inet(address) => Listener::tcp(*address).map(Some),
        Listen::Systemd(name) => inherited.take(Some(name)),
    };
    match opened {
        Ok(Some(listener)) => {
            let place = match listener.tcp_address() {
                Some(address) => format!("inet:{address}"), // port 0 has become one
                None => place.to_string(),
            };
            Ok(Listening { listener, place })
        }
        Ok(None) => {
            let fix = "Give the socket unit that name with FileDescriptorName=, or listen on unix: or inet:.";
            Err(Trouble::unavailable(format!("{place}: systemd has passed on no socket of that name"), fix))
        }
        Err(error) => {
            let fix = "Is another zi2-milter running, or may the account not write to the directory?";
            Err(Trouble::unavailable(format!("cannot listen on {place}: {error}"), fix))
        }
    }
}
