//! The codec: frames come out as they went in, however they are cut; a payload that was read says the same when written
//! again; a reply is one frame that holds no line end of its own.
//!
//! Input: the size of the pieces, then what the MTA sends.
#![no_main]

use std::num::NonZeroU32;

use libfuzzer_sys::fuzz_target;
use zi2_fuzz::pieces;
use zi2_milter::{
    ClientAddress, Command, CommandKind, FrameError, FrameReader, HeaderName, HeaderValue, LeadingSpace, OptNeg,
    Reason, Reply, ReplyCode, limits,
};

fuzz_target!(|data: &[u8]| {
    let Some((&size, octets)) = data.split_first() else { return };
    let (frames, error) = frames(octets, 255);
    assert_eq!(self::frames(octets, size), (frames.clone(), error));
    let again: Vec<u8> = frames.iter().flat_map(|(kind, payload)| frame(kind.octet(), payload)).collect();
    assert!(octets.starts_with(&again));
    if let Some(error) = error {
        says_what_is_there(error, &octets[again.len()..]);
    }
    for (kind, payload) in &frames {
        command(*kind, payload);
    }
    replies(octets);
});

type Frames = (Vec<(CommandKind, Vec<u8>)>, Option<FrameError>);

fn frames(octets: &[u8], size: u8) -> Frames {
    let (mut reader, mut frames) = (FrameReader::new(), Vec::new());
    for piece in pieces(octets, size) {
        reader.push(piece);
        loop {
            match reader.next_frame() {
                Ok(Some((kind, payload))) => frames.push((kind, payload.to_vec())),
                Ok(None) => break,
                Err(error) => return (frames, Some(error)),
            }
        }
    }
    let held: usize = frames.iter().map(|(_, payload)| frame(0, payload).len()).sum();
    assert_eq!(reader.is_partial(), held < octets.len());
    (frames, None)
}

fn frame(octet: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len() + 1).expect("a short frame");
    [&length.to_be_bytes()[..], &[octet], payload].concat()
}

fn says_what_is_there(error: FrameError, rest: &[u8]) {
    let (length, rest) = rest.split_first_chunk().expect("a length was read");
    let length = usize::try_from(u32::from_be_bytes(*length)).expect("32 bits");
    match error {
        FrameError::Empty => assert_eq!(length, 0),
        FrameError::TooLong { claimed, limit } => assert!(claimed == length && length > limit),
        FrameError::UnknownCommand(octet) => {
            assert!(rest.first() == Some(&octet) && CommandKind::from_octet(octet).is_none());
        }
    }
}

fn command(kind: CommandKind, payload: &[u8]) {
    let Ok(command) = Command::parse(kind, payload) else { return };
    let strings = |strings: &[&[u8]]| strings.iter().flat_map(|string| [*string, b"\0"].concat()).collect::<Vec<u8>>();
    let written = match command {
        Command::OptNeg(offer) => opt_neg(offer, payload),
        Command::Macros(set) => {
            let pairs: Vec<u8> = set.iter().flat_map(|(name, value)| strings(&[name, value])).collect();
            [&payload[..1], &pairs].concat()
        }
        Command::Connect(connect) => return client(connect.host, connect.address, payload),
        Command::Helo(name) => strings(&[name]),
        Command::Mail(envelope) | Command::Rcpt(envelope) => {
            [strings(&[envelope.address]), strings(&envelope.params().collect::<Vec<_>>())].concat()
        }
        Command::Header { name, value } => strings(&[name, value]),
        Command::Body(chunk) | Command::EndOfMessage(chunk) => chunk.to_vec(),
        Command::Unknown(line) if payload.ends_with(b"\0") => [line, b"\0"].concat(),
        Command::Unknown(line) => line.to_vec(),
        Command::Data | Command::EndOfHeaders | Command::Abort | Command::Quit | Command::QuitNewConnection => {
            Vec::new()
        }
    };
    assert_eq!(written, payload, "{command:?}");
}

/// Symbol lists may follow the twelve octets.
fn opt_neg(offer: OptNeg, payload: &[u8]) -> Vec<u8> {
    let words = [offer.version, offer.actions.bits(), offer.protocol.bits()];
    [words.map(u32::to_be_bytes).as_flattened(), &payload[12..]].concat()
}

fn client(host: &[u8], address: ClientAddress<'_>, payload: &[u8]) {
    assert!(payload.len() <= limits::CLIENT_TEXT);
    assert_eq!(&payload[..host.len()], host);
    match address {
        ClientAddress::Unknown => {}
        ClientAddress::Inet(_, port) => assert_eq!(payload[host.len() + 2..][..2], port.to_be_bytes()),
        ClientAddress::Local(path) => assert!(payload.ends_with(path) || payload.ends_with(&[path, b"\0"].concat())),
    }
}

fn replies(octets: &[u8]) {
    let (name, value) = octets.split_at(octets.len() / 4);
    let (name, value) = (HeaderName::new(name), HeaderValue::new(value));
    if let (Ok(name), Ok(value)) = (&name, &value) {
        assert!(one_field(name, value), "{name:?} {value:?}");
        let (index, occurrence) = (7, NonZeroU32::MIN);
        let reply = sent(Reply::InsertHeader { index, name, value });
        assert_eq!(reply, [b"\0\0\0\x07", name.as_octets(), b"\0", value.as_octets(), b"\0"].concat());
        let reply = sent(Reply::ChangeHeader { name, occurrence, value });
        assert_eq!(reply, [b"\0\0\0\x01", name.as_octets(), b"\0", value.as_octets(), b"\0"].concat());
    }
    let Ok(text) = std::str::from_utf8(octets) else { return };
    if let Ok(reply) = ReplyCode::new(550, (5, 7, 1), text) {
        assert!(reply.as_str().len() <= limits::REPLY_LINE && reply.as_str().ends_with(text));
        assert_eq!(sent(Reply::ReplyCode(&reply)), format!("{}\0", reply.as_str().replace('%', "%%")).into_bytes());
    }
    if let Ok(reason) = Reason::new(text) {
        assert_eq!(sent(Reply::Quarantine(&reason)), [octets, b"\0"].concat());
    }
}

/// Whether the octets on the wire are one header field and no more.
fn one_field(name: &HeaderName, value: &HeaderValue) -> bool {
    let value = String::from_utf8_lossy(value.as_octets()).replace('\n', "\r\n").into_bytes();
    let section = [name.as_octets(), b":", &value, b"\r\n"].concat();
    let header = zi2_mail::Header::parse(&section);
    header.defect().is_none() && header.fields().len() == 1
}

/// The payload of a reply, which is one frame.
fn sent(reply: Reply<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    reply.encode(LeadingSpace::Kept, &mut out);
    let payload = out[5..].to_vec();
    assert_eq!(out, frame(out[4], &payload));
    payload
}
