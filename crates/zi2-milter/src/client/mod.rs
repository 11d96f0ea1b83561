//! The MTA's side, blocking and small: it drives whole messages through a filter and applies the edits as Postfix
//! does. For tests, benches and dry runs; it is no mail server and gives up at the first surprise.

mod content;

pub use content::{Answer, Answered, Edit};

use std::io::{self, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use crate::codec::{CommandKind, OptNeg, write_frame};
use crate::limits;
use crate::negotiation::{LeadingSpace, Negotiated};
use content::Content;

/// Where a filter listens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Endpoint {
    /// A Unix socket.
    Unix(PathBuf),
    /// Host and port, `127.0.0.1:8891`.
    Tcp(String),
}

/// The client of the pretended MTA.
#[derive(Clone, Debug)]
pub struct Origin<'a> {
    /// Host name.
    pub host: &'a str,
    /// IP address, or `unknown`.
    pub address: &'a str,
    /// HELO argument.
    pub helo: &'a str,
    /// Macros sent with CONNECT.
    pub macros: &'a [(&'a str, &'a str)],
}

impl Origin<'static> {
    /// A host on the internet, as a Postfix named `mx.example` sees it.
    pub const STRANGER: Origin<'static> = Origin {
        host: "client.example",
        address: "192.0.2.10",
        helo: "client.example",
        macros: &[("j", "mx.example"), ("{daemon_name}", "mx.example"), ("v", "Postfix 3.7.11")],
    };

    /// A program on this host, or Postfix itself, as that shows them.
    pub const LOCAL: Origin<'static> =
        Origin { host: "localhost", address: "127.0.0.1", helo: "localhost", ..Origin::STRANGER };
}

/// One message to send through the filter.
#[derive(Clone, Debug)]
pub struct Mail<'a> {
    /// MAIL argument, with angle brackets or as a local submission without.
    pub sender: &'a str,
    /// RCPT arguments.
    pub recipients: &'a [&'a str],
    /// Macros sent with MAIL, `{auth_authen}` and the like.
    pub macros: &'a [(&'a str, &'a str)],
    /// The queue id, macro `i` from DATA on.
    pub queue_id: &'a str,
    /// Header section and body; lines end with CRLF.
    pub content: &'a [u8],
}

/// One connection to a filter.
#[derive(Debug)]
pub struct Client {
    socket: BufReader<Socket>,
    agreed: OptNeg,
    requests: Vec<(u32, String)>,
    out: Vec<u8>,
}

/// Body octets of one frame, as Postfix and Sendmail send them.
const CHUNK: usize = 65_535;

/// Unsent octets after which unanswered frames are written.
const WRITE_BEHIND: usize = 128 * 1024;

/// A filter that is silent for so long has failed the test.
const PATIENCE: Duration = Duration::from_secs(60);

impl Endpoint {
    /// Reads `unix:/path` or `inet:host:port`.
    pub fn parse(text: &str) -> Option<Endpoint> {
        if let Some(path) = text.strip_prefix("unix:") {
            return Some(Endpoint::Unix(path.into()));
        }
        text.strip_prefix("inet:").map(|address| Endpoint::Tcp(address.to_owned()))
    }
}

impl Client {
    /// Connects and negotiates; `offer` is usually [`OptNeg::VERSION_6`].
    ///
    /// # Errors
    /// Those of the socket, and `InvalidData` for an answer that is none.
    pub fn connect(endpoint: &Endpoint, offer: OptNeg) -> io::Result<Client> {
        let socket = BufReader::with_capacity(CHUNK, Socket::connect(endpoint)?);
        let mut client = Client { socket, agreed: offer, requests: Vec::new(), out: Vec::new() };
        client.queue(CommandKind::OptNeg, &[&offer.octets()]);
        let (octet, payload) = client.reply()?;
        client.agreed = OptNeg::parse(&payload).filter(|_| octet == b'O').ok_or_else(|| surprise(octet))?;
        client.requests = content::requests(payload.get(12..).unwrap_or_default());
        Ok(client)
    }

    /// What the filter answered to the offer.
    pub fn agreed(&self) -> OptNeg {
        self.agreed
    }

    /// The macros the filter asked for: stage number and names.
    pub fn requests(&self) -> &[(u32, String)] {
        &self.requests
    }

    /// Announces a client: CONNECT and HELO. Once per connection, and again after [`reuse`](Self::reuse).
    ///
    /// # Errors
    /// Those of the socket, and `InvalidData` unless the filter continues.
    pub fn open(&mut self, origin: &Origin<'_>) -> io::Result<()> {
        let family = match origin.address {
            _ if origin.host == Origin::LOCAL.host => b"4\0\0", // no connection has the port 0
            address if address.contains(':') => b"6\x9c\x40",
            _ => b"4\x9c\x40",
        };
        self.macros(CommandKind::Connect, origin.macros);
        let host = [origin.host.as_bytes(), b"\0", family, origin.address.as_bytes(), b"\0"];
        self.event(CommandKind::Connect, &host)?.require_continue()?;
        self.helo(origin.helo)
    }

    /// HELO, as after STARTTLS.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn helo(&mut self, name: &str) -> io::Result<()> {
        self.event(CommandKind::Helo, &[name.as_bytes(), b"\0"])?.require_continue()
    }

    /// Sends one message and takes the answer; an answer before the end ends the message there.
    ///
    /// # Errors
    /// Those of the socket, and `InvalidData` for replies the protocol does not have.
    pub fn send(&mut self, mail: &Mail<'_>) -> io::Result<Answer> {
        match self.before_end(mail, &Content::split(mail.content))? {
            Some(answer) => Ok(answer),
            None => self.end(mail.queue_id),
        }
    }

    /// Sends one message up to its end and not the end, as an MTA whose client hangs up or is slow; an answer if the
    /// filter gave one before.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn begin(&mut self, mail: &Mail<'_>) -> io::Result<Option<Answer>> {
        let answer = self.before_end(mail, &Content::split(mail.content))?;
        self.flush()?;
        Ok(answer)
    }

    /// Ends the message that was begun and takes the answer.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn end(&mut self, queue_id: &str) -> io::Result<Answer> {
        self.macros(CommandKind::EndOfMessage, &[("i", queue_id)]);
        self.queue(CommandKind::EndOfMessage, &[]);
        let mut edits = Vec::new();
        loop {
            let (octet, payload) = self.reply()?;
            if let Some(answered) = Answered::of(octet, &payload) {
                return Ok(Answer { answered, edits, space: self.space() });
            }
            match Edit::parse(octet, &payload) {
                Some(edit) => edits.push(edit),
                None if octet == b'p' => {}
                None => return Err(surprise(octet)),
            }
        }
    }

    /// ABORT; Postfix sends it after each SMTP session, often twice.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn abort(&mut self) -> io::Result<()> {
        self.queue(CommandKind::Abort, &[]);
        self.flush()
    }

    /// QUIT_NC: the connection is used for another client.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn reuse(&mut self) -> io::Result<()> {
        self.queue(CommandKind::QuitNewConnection, &[]);
        self.flush()
    }

    /// QUIT.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn quit(mut self) -> io::Result<()> {
        self.queue(CommandKind::Quit, &[]);
        self.flush()
    }

    /// Sends raw octets, for tests of what an MTA must not do.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn send_raw(&mut self, octets: &[u8]) -> io::Result<()> {
        self.out.extend_from_slice(octets);
        self.flush()
    }

    /// Waits until the filter closes the connection; what it still sends is thrown away.
    ///
    /// # Errors
    /// `TimedOut` or `WouldBlock` when it stays open.
    pub fn wait_for_close(mut self) -> io::Result<()> {
        match io::copy(&mut self.socket, &mut io::sink()) {
            Err(error) if error.kind() != io::ErrorKind::ConnectionReset => Err(error),
            _ => Ok(()),
        }
    }

    /// Everything before the end of message; an answer only if the filter has decided.
    fn before_end(&mut self, mail: &Mail<'_>, content: &Content<'_>) -> io::Result<Option<Answer>> {
        let id = [("i", mail.queue_id)];
        self.macros(CommandKind::Mail, mail.macros);
        let mut answered = self.event(CommandKind::Mail, &[mail.sender.as_bytes(), b"\0"])?;
        for recipient in mail.recipients {
            if answered.is_final() {
                break;
            }
            self.macros(CommandKind::Rcpt, &[("{rcpt_addr}", recipient.trim_matches(['<', '>']))]);
            // An answer to RCPT is about that recipient only.
            self.event(CommandKind::Rcpt, &[recipient.as_bytes(), b"\0"])?;
        }
        if !answered.is_final() {
            self.macros(CommandKind::Data, &id);
            answered = self.event(CommandKind::Data, &[])?;
        }
        for (name, value) in &content.fields {
            if answered.is_final() {
                break;
            }
            let value: Vec<u8> = self.space().on_the_wire(value).iter().copied().filter(|o| *o != b'\r').collect();
            answered = self.event(CommandKind::Header, &[name, b"\0", &value, b"\0"])?;
        }
        if !answered.is_final() {
            self.macros(CommandKind::EndOfHeaders, &id);
            answered = self.event(CommandKind::EndOfHeaders, &[])?;
        }
        for chunk in content.body.chunks(CHUNK) {
            if answered != Answered::Continue {
                break;
            }
            answered = self.event(CommandKind::Body, &[chunk])?;
        }
        let decided = answered.is_final();
        Ok(decided.then(|| Answer { answered, edits: Vec::new(), space: self.space() }))
    }

    fn space(&self) -> LeadingSpace {
        self.holds().leading_space()
    }

    fn holds(&self) -> Negotiated {
        let OptNeg { version, actions, protocol } = self.agreed;
        Negotiated { version, actions, protocol }
    }

    /// Queues macros for a command, if the filter wants the command.
    fn macros(&mut self, kind: CommandKind, macros: &[(&str, &str)]) {
        if macros.is_empty() || !self.holds().is_sent(kind) {
            return;
        }
        let mut payload = vec![kind.octet()];
        for text in macros.iter().flat_map(|(name, value)| [name, value]) {
            payload.extend_from_slice(text.as_bytes());
            payload.push(0);
        }
        self.queue(CommandKind::Macros, &[&payload]);
    }

    /// Sends a command and takes its answer, where the negotiation has one.
    fn event(&mut self, kind: CommandKind, parts: &[&[u8]]) -> io::Result<Answered> {
        if !self.holds().is_sent(kind) {
            return Ok(Answered::Continue);
        }
        self.queue(kind, parts);
        if !self.holds().is_answered(kind) {
            if self.out.len() > WRITE_BEHIND {
                self.flush()?;
            }
            return Ok(Answered::Continue);
        }
        let (octet, payload) = self.reply()?;
        Answered::of(octet, &payload).ok_or_else(|| surprise(octet))
    }

    fn queue(&mut self, kind: CommandKind, parts: &[&[u8]]) {
        write_frame(&mut self.out, kind.octet(), parts);
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.get_mut().write_all(&self.out)?;
        self.out.clear();
        Ok(())
    }

    /// Writes what is queued and reads one reply.
    fn reply(&mut self) -> io::Result<(u8, Vec<u8>)> {
        self.flush()?;
        let (mut length, mut octet) = ([0; 4], [0; 1]);
        self.socket.read_exact(&mut length)?;
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if !(1..=limits::FRAME).contains(&length) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the filter sent a frame of an impossible length"));
        }
        self.socket.read_exact(&mut octet)?;
        let mut payload = vec![0; length - 1];
        self.socket.read_exact(&mut payload)?;
        let [octet] = octet;
        Ok((octet, payload))
    }
}

fn surprise(octet: u8) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the filter answered {:?} here", char::from(octet)))
}

#[derive(Debug)]
enum Socket {
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl Socket {
    fn connect(endpoint: &Endpoint) -> io::Result<Socket> {
        match endpoint {
            Endpoint::Unix(path) => {
                let stream = UnixStream::connect(path)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                Ok(Socket::Unix(stream))
            }
            Endpoint::Tcp(address) => {
                let stream = TcpStream::connect(address)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_nodelay(true)?;
                Ok(Socket::Tcp(stream))
            }
        }
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Socket::Unix(stream) => stream.read(buffer),
            Socket::Tcp(stream) => stream.read(buffer),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match self {
            Socket::Unix(stream) => stream.write(octets),
            Socket::Tcp(stream) => stream.write(octets),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
