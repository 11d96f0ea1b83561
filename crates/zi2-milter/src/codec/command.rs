//! What the MTA says: one enum, one variant per command, payloads borrowed. Order is none of its business.

use std::net::IpAddr;

use super::flags::{Actions, Protocol};
use crate::limits;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $octet:literal,)*) => {
        /// The fifteen commands of version 6, without their payload.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum CommandKind { $($(#[$doc])* $name,)* }

        impl CommandKind {
            /// Every command.
            pub const ALL: &[CommandKind] = &[$(CommandKind::$name,)*];

            /// The command of an octet; none for octets the protocol does not have.
            pub const fn from_octet(octet: u8) -> Option<CommandKind> {
                match octet { $($octet => Some(CommandKind::$name),)* _ => None }
            }

            /// The octet on the wire.
            pub const fn octet(self) -> u8 {
                match self { $(CommandKind::$name => $octet,)* }
            }
        }
    };
}

kinds! {
    /// Option negotiation.
    OptNeg = b'O',
    /// Macros for the command that follows.
    Macros = b'D',
    /// A client connected to the MTA.
    Connect = b'C',
    /// HELO or EHLO.
    Helo = b'H',
    /// MAIL FROM.
    Mail = b'M',
    /// RCPT TO.
    Rcpt = b'R',
    /// DATA.
    Data = b'T',
    /// One header field.
    Header = b'L',
    /// End of the header section.
    EndOfHeaders = b'N',
    /// A chunk of the body.
    Body = b'B',
    /// End of the message.
    EndOfMessage = b'E',
    /// The message is given up.
    Abort = b'A',
    /// The connection ends.
    Quit = b'Q',
    /// The SMTP session ends and the connection is used for another.
    QuitNewConnection = b'K',
    /// An SMTP command the MTA does not know.
    Unknown = b'U',
}

/// A payload that is not what its command calls for; the MTA is at fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the MTA sent a malformed {command:?}: {what}")]
pub struct Malformed {
    /// The command.
    pub command: CommandKind,
    /// What is wrong with it.
    pub what: &'static str,
}

/// One command of the MTA.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Command<'a> {
    /// What the MTA offers.
    OptNeg(OptNeg),
    /// Macros of a stage.
    Macros(MacroFrame<'a>),
    /// The client of the MTA.
    Connect(Connect<'a>),
    /// The HELO argument.
    Helo(&'a [u8]),
    /// The sender.
    Mail(Envelope<'a>),
    /// A recipient.
    Rcpt(Envelope<'a>),
    /// DATA.
    Data,
    /// A header field, value after the colon, with bare LF inside folds.
    Header {
        /// The field name.
        name: &'a [u8],
        /// The value after the colon.
        value: &'a [u8],
    },
    /// End of headers.
    EndOfHeaders,
    /// Body octets.
    Body(&'a [u8]),
    /// End of message, perhaps with a last body chunk.
    EndOfMessage(&'a [u8]),
    /// Message given up.
    Abort,
    /// Connection ends.
    Quit,
    /// SMTP session ends, connection stays.
    QuitNewConnection,
    /// Unknown SMTP command.
    Unknown(&'a [u8]),
}

/// The twelve octets of a negotiation, in either direction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OptNeg {
    /// Protocol version.
    pub version: u32,
    /// Actions offered or wanted.
    pub actions: Actions,
    /// Protocol steps offered or wanted.
    pub protocol: Protocol,
}

/// The stage a set of macros belongs to, in the order of a conversation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum MacroStage {
    /// Before CONNECT.
    Connect,
    /// Before HELO.
    Helo,
    /// Before MAIL.
    Mail,
    /// Before RCPT.
    Rcpt,
    /// Before DATA.
    Data,
    /// Before a header field.
    Header,
    /// Before the end of headers.
    EndOfHeaders,
    /// Before a body chunk.
    Body,
    /// Before the end of message.
    EndOfMessage,
    /// Before an unknown command.
    Unknown,
}

/// The payload of a macro command: pairs of name and value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MacroFrame<'a> {
    /// The stage they are for.
    pub stage: MacroStage,
    /// `name NUL value NUL` again and again.
    pub(crate) pairs: &'a [u8],
}

/// The client of the MTA.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Connect<'a> {
    /// Host name as the MTA found it, or the address in brackets.
    pub host: &'a [u8],
    /// Its address.
    pub address: ClientAddress<'a>,
}

/// Where the client is. Postfix says `unknown` and Sendmail writes `IPv6:` in front; both are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClientAddress<'a> {
    /// The MTA does not know it.
    Unknown,
    /// An IP address and a port (0 for local submission). Mapped IPv4 addresses come as IPv4.
    Inet(IpAddr, u16),
    /// A Unix socket.
    Local(&'a [u8]),
}

/// The argument of MAIL or RCPT as the client wrote it: with or without angle brackets, then ESMTP parameters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Envelope<'a> {
    /// The address.
    pub address: &'a [u8],
    params: &'a [u8],
}

impl<'a> Command<'a> {
    /// Reads the payload of a frame.
    ///
    /// # Errors
    /// [`Malformed`] for missing or surplus octets; nothing is guessed.
    pub fn parse(kind: CommandKind, payload: &'a [u8]) -> Result<Command<'a>, Malformed> {
        let bad = |what| Malformed { command: kind, what };
        let empty = |command| if payload.is_empty() { Ok(command) } else { Err(bad("surplus octets")) };
        match kind {
            CommandKind::OptNeg => OptNeg::parse(payload).map(Command::OptNeg).ok_or(bad("fewer than 12 octets")),
            CommandKind::Macros => MacroFrame::parse(payload).map(Command::Macros).map_err(bad),
            CommandKind::Connect => Connect::parse(payload).map(Command::Connect).map_err(bad),
            CommandKind::Helo => text(payload).map(Command::Helo).map_err(bad),
            CommandKind::Mail => Envelope::parse(payload).map(Command::Mail).map_err(bad),
            CommandKind::Rcpt => Envelope::parse(payload).map(Command::Rcpt).map_err(bad),
            CommandKind::Data => empty(Command::Data),
            CommandKind::Header => header(payload).map_err(bad),
            CommandKind::EndOfHeaders => empty(Command::EndOfHeaders),
            CommandKind::Body => Ok(Command::Body(payload)),
            CommandKind::EndOfMessage => Ok(Command::EndOfMessage(payload)),
            CommandKind::Abort => empty(Command::Abort),
            CommandKind::Quit => empty(Command::Quit),
            CommandKind::QuitNewConnection => empty(Command::QuitNewConnection),
            CommandKind::Unknown => Ok(Command::Unknown(payload.strip_suffix(b"\0").unwrap_or(payload))),
        }
    }
}

impl OptNeg {
    /// What Postfix and Sendmail offer today.
    pub const VERSION_6: OptNeg = OptNeg { version: 6, actions: Actions::VERSION_6, protocol: Protocol::VERSION_6 };

    /// Reads twelve octets; a filter's macro requests after them are left alone.
    pub(crate) fn parse(payload: &[u8]) -> Option<OptNeg> {
        let (version, rest) = payload.split_first_chunk::<4>()?;
        let (actions, rest) = rest.split_first_chunk::<4>()?;
        let (protocol, _) = rest.split_first_chunk::<4>()?;
        Some(OptNeg {
            version: u32::from_be_bytes(*version),
            actions: Actions::from_bits(u32::from_be_bytes(*actions)),
            protocol: Protocol::from_bits(u32::from_be_bytes(*protocol)),
        })
    }

    /// The twelve octets.
    pub(crate) fn octets(self) -> [u8; 12] {
        let mut out = [0; 12];
        let words = [self.version, self.actions.bits(), self.protocol.bits()];
        out.iter_mut().zip(words.into_iter().flat_map(u32::to_be_bytes)).for_each(|(to, from)| *to = from);
        out
    }
}

impl MacroStage {
    /// How many stages there are.
    pub(crate) const COUNT: usize = 10;

    const fn of(octet: u8) -> Option<MacroStage> {
        Some(match CommandKind::from_octet(octet) {
            Some(CommandKind::Connect) => MacroStage::Connect,
            Some(CommandKind::Helo) => MacroStage::Helo,
            Some(CommandKind::Mail) => MacroStage::Mail,
            Some(CommandKind::Rcpt) => MacroStage::Rcpt,
            Some(CommandKind::Data) => MacroStage::Data,
            Some(CommandKind::Header) => MacroStage::Header,
            Some(CommandKind::EndOfHeaders) => MacroStage::EndOfHeaders,
            Some(CommandKind::Body) => MacroStage::Body,
            Some(CommandKind::EndOfMessage) => MacroStage::EndOfMessage,
            Some(CommandKind::Unknown) => MacroStage::Unknown,
            _ => return None,
        })
    }
}

impl<'a> MacroFrame<'a> {
    fn parse(payload: &'a [u8]) -> Result<MacroFrame<'a>, &'static str> {
        let (&octet, pairs) = payload.split_first().ok_or("no stage")?;
        let stage = MacroStage::of(octet).ok_or("a stage that has no macros")?;
        if pairs.last().is_some_and(|&octet| octet != 0) {
            return Err("no NUL at the end");
        }
        if !memchr::memchr_iter(0, pairs).count().is_multiple_of(2) {
            return Err("a name without a value");
        }
        Ok(MacroFrame { stage, pairs })
    }

    /// Names (as sent, braces included) and values.
    pub fn iter(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        pairs(self.pairs)
    }
}

impl<'a> Connect<'a> {
    fn parse(payload: &'a [u8]) -> Result<Connect<'a>, &'static str> {
        if payload.len() > limits::CLIENT_TEXT {
            return Err("too long");
        }
        let (host, rest) = cut(payload).ok_or("no host name")?;
        let (&family, rest) = rest.split_first().ok_or("no address family")?;
        if family == b'U' {
            return Ok(Connect { host, address: ClientAddress::Unknown });
        }
        let (port, rest) = rest.split_first_chunk::<2>().ok_or("no port")?;
        let address = rest.strip_suffix(b"\0").unwrap_or(rest);
        let address = match family {
            b'4' | b'6' => ClientAddress::inet(address, u16::from_be_bytes(*port)),
            b'L' => ClientAddress::Local(address),
            _ => return Err("an address family that does not exist"),
        };
        Ok(Connect { host, address })
    }
}

impl ClientAddress<'_> {
    fn inet(text: &[u8], port: u16) -> ClientAddress<'static> {
        // Sendmail: "IPv6:0:0:0:0:0:0:0:1"
        let text = text.strip_prefix(b"IPv6:").unwrap_or(text);
        std::str::from_utf8(text)
            .ok()
            .and_then(|text| text.parse::<IpAddr>().ok())
            .map_or(ClientAddress::Unknown, |address| ClientAddress::Inet(address.to_canonical(), port))
    }
}

impl<'a> Envelope<'a> {
    fn parse(payload: &'a [u8]) -> Result<Envelope<'a>, &'static str> {
        let (address, params) = cut(payload).ok_or("no NUL after the address")?;
        if params.last().is_some_and(|&octet| octet != 0) {
            return Err("no NUL at the end");
        }
        Ok(Envelope { address, params })
    }

    /// The ESMTP parameters exactly as the client wrote them.
    pub fn params(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        strings(self.params)
    }
}

/// Pairs of NUL-terminated strings.
pub(crate) fn pairs(octets: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut strings = strings(octets);
    std::iter::from_fn(move || Some((strings.next()?, strings.next()?)))
}

fn strings(octets: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = octets;
    std::iter::from_fn(move || {
        let (string, after) = cut(rest)?;
        rest = after;
        Some(string)
    })
}

fn header(payload: &[u8]) -> Result<Command<'_>, &'static str> {
    let (name, rest) = cut(payload).ok_or("no NUL after the name")?;
    let (value, rest) = cut(rest).ok_or("no NUL after the value")?;
    match (name.is_empty(), rest.is_empty()) {
        (true, _) => Err("an empty name"),
        (_, false) => Err("surplus octets"),
        (false, true) => Ok(Command::Header { name, value }),
    }
}

fn text(payload: &[u8]) -> Result<&[u8], &'static str> {
    if payload.len() > limits::CLIENT_TEXT {
        return Err("too long");
    }
    match cut(payload) {
        Some((text, [])) => Ok(text),
        Some(_) => Err("surplus octets"),
        None => Err("no NUL at the end"),
    }
}

/// Splits at the first NUL, which goes.
pub(crate) fn cut(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memchr(0, octets)?;
    Some((octets.get(..end)?, octets.get(end + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use CommandKind as K;

    #[test]
    fn good_payloads() {
        let inet = |text: &str, port| ClientAddress::Inet(text.parse().unwrap(), port);
        let connect = |host, address| Command::Connect(Connect { host, address });
        let mail = |address, params| Command::Mail(Envelope { address, params });
        let table: &[(K, &[u8], Command<'_>)] = &[
            (K::OptNeg, b"\0\0\0\x06\0\0\x01\xff\0\x1f\xff\xff", Command::OptNeg(OptNeg::VERSION_6)),
            (K::Connect, b"h\x004\x9c\x40192.0.2.1\0", connect(b"h", inet("192.0.2.1", 40_000))),
            (K::Connect, b"h\x006\0\x19IPv6:0:0:0:0:0:0:0:1\0", connect(b"h", inet("::1", 25))),
            (K::Connect, b"h\x006\0\x19::ffff:192.0.2.1\0", connect(b"h", inet("192.0.2.1", 25))),
            (K::Connect, b"unknown\x004\0\0unknown\0", connect(b"unknown", ClientAddress::Unknown)),
            (K::Connect, b"h\0U", connect(b"h", ClientAddress::Unknown)),
            (K::Connect, b"h\0L\0\0/run/s\0", connect(b"h", ClientAddress::Local(b"/run/s"))),
            (K::Helo, b"mx.example\0", Command::Helo(b"mx.example")),
            (K::Mail, b"<a@b>\0size=39\0BODY=8BITMIME\0", mail(b"<a@b>", b"size=39\0BODY=8BITMIME\0")),
            (K::Mail, b"a@b\0", mail(b"a@b", b"")),
            (K::Header, b"To\0 a\n b\0", Command::Header { name: b"To", value: b" a\n b" }),
            (K::Header, b"X\0\0", Command::Header { name: b"X", value: b"" }),
            (K::Body, b"a\0b", Command::Body(b"a\0b")),
            (K::EndOfMessage, b"tail", Command::EndOfMessage(b"tail")),
            (K::Unknown, b"NOOP x\0", Command::Unknown(b"NOOP x")),
            (K::Macros, b"M", Command::Macros(MacroFrame { stage: MacroStage::Mail, pairs: b"" })),
        ];
        for (kind, payload, command) in table {
            assert_eq!(Command::parse(*kind, payload), Ok(*command), "{kind:?}");
        }
        let Ok(Command::Macros(set)) = Command::parse(K::Macros, b"Mi\0Q1\0{auth_type}\0\0") else { panic!() };
        assert_eq!(set.iter().collect::<Vec<_>>(), [(&b"i"[..], &b"Q1"[..]), (b"{auth_type}", b"")]);
    }

    #[test]
    fn bad_payloads() {
        let table: &[(K, &[u8])] = &[
            (K::OptNeg, b"\0\0\0\x06\0\0\0\0\0\0\0"),
            (K::Connect, b"h"),
            (K::Connect, b"h\0"),
            (K::Connect, b"h\x004\0"),
            (K::Connect, b"h\09\0\0x\0"),
            (K::Helo, b"x"),
            (K::Helo, b"x\0y\0"),
            (K::Mail, b""),
            (K::Mail, b"<a@b>"),
            (K::Rcpt, b"<a@b>\0NOTIFY"),
            (K::Header, b"\0v\0"),
            (K::Header, b"n\0v"),
            (K::Header, b"n\0v\0w\0"),
            (K::Macros, b""),
            (K::Macros, b"Q"),
            (K::Macros, b"Mi\0Q1"),
            (K::Macros, b"Mi\0"),
            (K::Data, b"x"),
            (K::EndOfHeaders, b"x"),
            (K::Abort, b"x"),
            (K::Quit, b"x"),
            (K::QuitNewConnection, b"x"),
        ];
        for (kind, payload) in table {
            assert!(Command::parse(*kind, payload).is_err(), "{kind:?} {payload:?}");
        }
    }

    #[test]
    fn what_the_client_says_has_a_length() {
        for (kind, tail) in [(K::Connect, "\0U"), (K::Helo, "\0")] {
            let full = "a".repeat(limits::CLIENT_TEXT - tail.len()) + tail;
            assert!(Command::parse(kind, full.as_bytes()).is_ok(), "{kind:?}");
            let over = ["a", &full].concat();
            assert_eq!(Command::parse(kind, over.as_bytes()), Err(Malformed { command: kind, what: "too long" }));
        }
    }

    #[test]
    fn octets_and_kinds_agree() {
        let known: Vec<u8> = (0..=255).filter(|&octet| CommandKind::from_octet(octet).is_some()).collect();
        assert_eq!(known, b"ABCDEHKLMNOQRTU");
        assert!(K::ALL.iter().all(|kind| K::from_octet(kind.octet()) == Some(*kind)));
    }
}
