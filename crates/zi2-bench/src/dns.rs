//! A name server of one record: whoever asks for TXT at `_zi2cert.good.example` gets the key, everybody else NXDOMAIN.

use std::net::{SocketAddr, UdpSocket};

use crate::Trouble;

const OWNER: &[u8] = b"\x08_zi2cert\x04good\x07example\x00";

/// Starts it on a free port, on a thread of its own.
pub(crate) fn serve(record: String) -> Result<SocketAddr, Trouble> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    let address = socket.local_addr()?;
    std::thread::spawn(move || {
        let mut question = [0; 512];
        while let Ok((octets, client)) = socket.recv_from(&mut question) {
            if let Some(answer) = question.get(..octets).and_then(|question| answer(question, record.as_bytes())) {
                // A client that is gone needs no answer.
                drop(socket.send_to(&answer, client));
            }
        }
    });
    Ok(address)
}

/// RFC 1035 §4.1: the question again, and for our name one TXT record.
fn answer(query: &[u8], record: &[u8]) -> Option<Vec<u8>> {
    let id = query.get(..2)?;
    let question = query.get(12..)?;
    let name = question.iter().position(|octet| *octet == 0)? + 1;
    let question = question.get(..name + 4)?;
    let ours = question.get(..name)?.eq_ignore_ascii_case(OWNER);
    let (flags, answers): (&[u8], &[u8]) = if ours { (b"\x81\x80", b"\0\x01") } else { (b"\x81\x83", b"\0\0") };
    let mut out = [id, flags, b"\0\x01", answers, b"\0\0\0\0", question].concat();
    if ours {
        let length = u8::try_from(record.len()).ok()?;
        out.extend_from_slice(b"\xc0\x0c\0\x10\0\x01\0\0\x0e\x10"); // the name above, TXT, IN, an hour
        out.extend_from_slice(&[0, length + 1, length]);
        out.extend_from_slice(record);
    }
    Some(out)
}
