//! A name server that says what a script tells it, truth or lie.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hickory_server::proto::op::{Message, MessageType, Query};
use hickory_server::proto::rr::{Name, RData, Record, rdata::TXT};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};
use zi2_keys::{DnsOptions, Resolver, Servers, TrustAd};

/// How a question came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Way {
    Udp,
    Tcp,
}

/// The octets to send for a question, in order.
pub(crate) type Script = dyn Fn(&Message, Way) -> Vec<Vec<u8>> + Send + Sync;

/// A server on a loopback port, for UDP and TCP. It stops with its runtime.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<Way>>>,
}

impl Server {
    pub(crate) async fn start(script: impl Fn(&Message, Way) -> Vec<Vec<u8>> + Send + Sync + 'static) -> Server {
        let (udp, tcp) = sockets().await;
        let server = Server { address: udp.local_addr().unwrap(), asked: Arc::default() };
        let script: Arc<Script> = Arc::new(script);
        tokio::spawn(serve_udp(udp, Arc::clone(&script), Arc::clone(&server.asked)));
        tokio::spawn(serve_tcp(tcp, script, Arc::clone(&server.asked)));
        server
    }

    pub(crate) fn asked(&self) -> Vec<Way> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) fn resolver(&self) -> Resolver {
        resolver(&[self.address])
    }
}

pub(crate) fn resolver(servers: &[SocketAddr]) -> Resolver {
    let servers = Servers::These(servers.to_vec());
    Resolver::new(&DnsOptions { servers, trust_ad: TrustAd::Loopback, time: Duration::from_millis(300) }).unwrap()
}

/// Both on one port.
pub(crate) async fn sockets() -> (UdpSocket, TcpListener) {
    loop {
        let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()).await {
            return (udp, tcp);
        }
    }
}

async fn serve_udp(socket: UdpSocket, script: Arc<Script>, asked: Arc<Mutex<Vec<Way>>>) {
    let mut buffer = [0; 4096];
    loop {
        let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
        let question = Message::from_vec(&buffer[..length]).unwrap();
        asked.lock().unwrap().push(Way::Udp);
        for octets in script(&question, Way::Udp) {
            socket.send_to(&octets, from).await.unwrap();
        }
    }
}

async fn serve_tcp(listener: TcpListener, script: Arc<Script>, asked: Arc<Mutex<Vec<Way>>>) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut question = vec![0; usize::from(stream.read_u16().await.unwrap())];
        stream.read_exact(&mut question).await.unwrap();
        asked.lock().unwrap().push(Way::Tcp);
        for octets in script(&Message::from_vec(&question).unwrap(), Way::Tcp) {
            stream.write_u16(u16::try_from(octets.len()).unwrap()).await.unwrap();
            stream.write_all(&octets).await.unwrap();
        }
        tokio::spawn(async move { stream.read_u8().await }); // until the client closes
    }
}

/// A resolver's empty reply to a question.
pub(crate) fn reply(question: &Message) -> Message {
    let mut reply = Message::response(question.metadata.id, question.metadata.op_code);
    reply.metadata.message_type = MessageType::Response;
    reply.metadata.recursion_desired = true;
    reply.metadata.recursion_available = true;
    reply.add_queries(question.queries.iter().cloned());
    reply
}

/// The question's name in lower case, with its final dot.
pub(crate) fn name_of(question: &Message) -> String {
    question.queries.first().map(Query::name).unwrap().to_ascii().to_ascii_lowercase()
}

pub(crate) fn name(text: &str) -> Name {
    Name::from_ascii(text).unwrap()
}

pub(crate) fn txt(owner: &str, strings: &[&str]) -> Record {
    Record::from_rdata(name(owner), 300, RData::TXT(TXT::new(strings.iter().map(|s| (*s).to_owned()).collect())))
}
