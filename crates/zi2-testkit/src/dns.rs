//! A name server for one world, which remembers what it was asked: the only way to know that nobody was asked.
//!
//! It answers TXT, A, AAAA, MX, NS and CNAME on UDP, one link of a chain at a time. Refuses nothing and validates nothing; of a
//! world's `status` it knows `TIMEOUT`, which is silence.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

/// A running server. Its thread ends with the process.
#[derive(Clone, Debug)]
pub struct DnsServer {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    dns: Value,
    asked: Vec<String>,
}

impl DnsServer {
    /// Starts one that knows no name.
    ///
    /// # Panics
    ///
    /// If there is no port on the loopback address.
    pub fn start() -> DnsServer {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let server =
            DnsServer { address: socket.local_addr().expect("bound"), state: Arc::new(Mutex::new(State::default())) };
        let ours = server.clone();
        std::thread::spawn(move || ours.serve(&socket));
        server
    }

    /// Takes on the `dns` of a world, and forgets what was asked.
    pub fn take(&self, world: &Value) {
        *self.state() = State { dns: world.get("dns").cloned().unwrap_or_default(), asked: Vec::new() };
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The names that were asked for since, once for each question, in small letters.
    pub fn asked(&self) -> Vec<String> {
        self.state().asked.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, socket: &UdpSocket) {
        let mut buffer = [0; 4096];
        while let Ok((length, client)) = socket.recv_from(&mut buffer) {
            let answer = buffer.get(..length).and_then(|message| self.answer(message));
            if let Some(answer) = answer {
                let _lost = socket.send_to(&answer, client);
            }
        }
    }

    fn answer(&self, message: &[u8]) -> Option<Vec<u8>> {
        let question = Question::parse(message)?;
        let mut state = self.state();
        state.asked.push(question.name.clone());
        let node = state.dns.get(&question.name);
        if node.is_some_and(|node| node.get("status") == Some(&Value::from("TIMEOUT"))) {
            return None;
        }
        let records = node.map(|node| records(node, question.kind)).unwrap_or_default();
        // RFC 1035 §4.1.1: id; response with recursion desired and available, and NXDOMAIN for a name that is not there
        let mut answer = message.get(..2)?.to_vec();
        answer.extend([0x81, if node.is_some() { 0x80 } else { 0x83 }, 0, 1, 0]);
        answer.push(u8::try_from(records.len()).ok()?);
        answer.extend([0, 0, 0, 0]);
        answer.extend(question.octets);
        for (kind, data) in records {
            answer.extend([0xc0, 12]); // § RFC 1035 §4.1.4: the name of the question
            answer.extend(kind.to_be_bytes());
            answer.extend([0, 1, 0, 0, 1, 44]); // IN, 300 s
            answer.extend(u16::try_from(data.len()).ok()?.to_be_bytes());
            answer.extend(data);
        }
        Some(answer)
    }
}

struct Question {
    name: String,
    kind: u16,
    octets: Vec<u8>,
}

impl Question {
    fn parse(message: &[u8]) -> Option<Question> {
        let question = message.get(12..)?;
        let (mut rest, mut labels) = (question, Vec::new());
        loop {
            let (length, after) = rest.split_first()?;
            let (label, after) = after.split_at_checked(usize::from(*length))?;
            rest = after;
            if label.is_empty() {
                break;
            }
            labels.push(String::from_utf8_lossy(label).to_ascii_lowercase());
        }
        let kind = u16::from_be_bytes(rest.first_chunk::<2>().copied()?);
        let length = question.len() - rest.len() + 4;
        Some(Question { name: labels.join("."), kind, octets: question.get(..length)?.to_vec() })
    }
}

const CNAME: u16 = 5;

/// Records of one name, in the words of a world.
fn records(node: &Value, kind: u16) -> Vec<(u16, Vec<u8>)> {
    if let Some(target) = node.get("cname").and_then(Value::as_str) {
        return vec![(CNAME, name(target))];
    }
    let of = |key: &str| node.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let data: Vec<Vec<u8>> = match kind {
        1 => of("a").iter().filter_map(|a| Some(a.as_str()?.parse::<Ipv4Addr>().ok()?.octets().to_vec())).collect(),
        2 => of("ns").iter().filter_map(|host| Some(name(host.as_str()?))).collect(),
        15 => of("mx").iter().filter_map(|host| Some([vec![0, 10], name(host.as_str()?)].concat())).collect(),
        16 => of("txt").iter().map(strings).collect(),
        28 => {
            let address = |a: &Value| Some(a.as_str()?.parse::<std::net::Ipv6Addr>().ok()?.octets().to_vec());
            of("aaaa").iter().filter_map(address).collect()
        }
        _ => Vec::new(),
    };
    data.into_iter().map(|data| (kind, data)).collect()
}

fn strings(record: &Value) -> Vec<u8> {
    let texts = record.as_array().cloned().unwrap_or_default();
    texts.iter().filter_map(Value::as_str).flat_map(counted).collect()
}

fn name(text: &str) -> Vec<u8> {
    text.split('.').flat_map(counted).chain([0]).collect()
}

fn counted(text: &str) -> Vec<u8> {
    [&[u8::try_from(text.len()).expect("at most 255 octets")], text.as_bytes()].concat()
}
