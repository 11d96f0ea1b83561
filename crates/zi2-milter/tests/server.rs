//! The server on real sockets, driven by the client of this crate.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot};
use tokio::task::{JoinHandle, spawn_blocking};
use zi2_milter::client::{Answered, Client, Endpoint, Mail, Origin};
use zi2_milter::{
    Actions, Edits, Envelope, HeaderName, HeaderValue, Limits, Listener, Macros, Message, Next, Opening, OptNeg,
    Outcome, Protocol, Service, Stats, SymbolStage, Verdict, Wishes, serve,
};

/// Deletes every `X-Old`, reports what it saw in `X-Seen`, and waits for a permit at its end.
struct Reporter {
    seen: String,
    old: u32,
    body: u64,
    gate: Arc<Gate>,
}

/// Holds messages at their end.
struct Gate {
    permits: Semaphore,
    arrived: AtomicU64,
}

impl Reporter {
    fn new(opening: Opening<'_>, gate: &Arc<Gate>) -> Reporter {
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        let value = |name: &str| text(opening.macros.value(name).unwrap_or(b"-"));
        let address = opening.peer.address.map_or("-".to_owned(), |address| address.ip().to_string());
        let parts = [
            address,
            text(&opening.peer.helo),
            text(opening.mail.address),
            value("j"),
            value("auth_authen"),
            value("i"),
        ];
        Reporter { seen: parts.join(" "), old: 0, body: 0, gate: Arc::clone(gate) }
    }
}

impl Message for Reporter {
    fn recipient(&mut self, recipient: Envelope<'_>, _: &Macros) {
        self.seen += &format!(" {}", String::from_utf8_lossy(recipient.address));
    }

    fn header(&mut self, name: &[u8], value: &[u8]) {
        self.old += u32::from(name.eq_ignore_ascii_case(b"X-Old"));
        assert_ne!(value, b" panic", "wanted by a test");
    }

    fn end_of_headers(&mut self, macros: &Macros) -> Next {
        self.seen += &format!(" {}", String::from_utf8_lossy(macros.value("i").unwrap_or(b"-")));
        Next::More
    }

    fn body(&mut self, chunk: &[u8]) -> Next {
        self.body += chunk.len() as u64;
        Next::More
    }

    async fn end(self, _: &Macros) -> Outcome {
        self.gate.arrived.fetch_add(1, Ordering::Relaxed);
        let _permit = self.gate.permits.acquire().await.unwrap();
        let mut edits = Edits::new();
        let value = HeaderValue::new(format!(" {}\n body {}", self.seen, self.body)).unwrap();
        edits.insert(1, HeaderName::new("X-Seen").unwrap(), value).unwrap();
        for occurrence in (1..=self.old).filter_map(NonZeroU32::new) {
            edits.delete(HeaderName::new("x-old").unwrap(), occurrence).unwrap();
        }
        Outcome { edits, quarantine: None, verdict: Verdict::Accept }
    }
}

struct Running {
    endpoint: Endpoint,
    stats: Arc<Stats>,
    gate: Arc<Gate>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
    folder: tempfile::TempDir,
}

impl Running {
    fn start(limits: Limits) -> Running {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sock");
        let listener = Listener::unix(&path, 0o660).unwrap();
        Running::on(listener, Endpoint::Unix(path), limits, folder)
    }

    fn on(listener: Listener, endpoint: Endpoint, limits: Limits, folder: tempfile::TempDir) -> Running {
        let gate = Gate { permits: Semaphore::new(Semaphore::MAX_PERMITS), arrived: AtomicU64::new(0) };
        let (stats, gate) = (Arc::new(Stats::default()), Arc::new(gate));
        let macros = vec![(SymbolStage::EndOfHeaders, vec!["i"])];
        let service = Service {
            wishes: Wishes { macros, ..Wishes::header_edits() },
            limits,
            fallback: Verdict::TempFail,
            stats: Arc::clone(&stats),
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let open = {
            let gate = Arc::clone(&gate);
            move |opening: Opening<'_>| Reporter::new(opening, &gate)
        };
        let stopped = async move { drop(stopped.await) };
        let task = tokio::spawn(serve(listener, service, stopped, open));
        Running { endpoint, stats, gate, stop, task, folder }
    }

    /// Holds the next messages at their end.
    fn hold(&self) {
        self.gate.permits.forget_permits(Semaphore::MAX_PERMITS);
    }

    /// Runs a blocking MTA.
    async fn mta<T: Send + 'static>(&self, work: impl FnOnce(Endpoint) -> T + Send + 'static) -> T {
        let endpoint = self.endpoint.clone();
        spawn_blocking(move || work(endpoint)).await.unwrap()
    }
}

const MAIL: Mail<'static> = Mail {
    sender: "<a@b>",
    recipients: &["<c@d>"],
    macros: &[("{auth_authen}", "al")],
    queue_id: "Q1",
    content: b"X-Old: 1\r\nTo: c\r\n\td\r\nx-old: 2\r\n\r\nbody\r\n",
};

const SEEN: &str = "X-Seen: 192.0.2.10 client.example <a@b> mx.example al - <c@d> Q1\r\n body 6\r\n";

fn connect(endpoint: Endpoint) -> Client {
    let mut client = Client::connect(&endpoint, OptNeg::VERSION_6).unwrap();
    client.open(&Origin::STRANGER).unwrap();
    client
}

async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_under_every_kind_of_mta() {
    let server = Running::start(Limits::STANDARD);
    let silent = Protocol::VERSION_6;
    let table = [
        OptNeg::VERSION_6,
        OptNeg { protocol: silent.without(Protocol::NO_REPLIES), ..OptNeg::VERSION_6 },
        OptNeg { protocol: silent.without(Protocol::LEADING_SPACE), ..OptNeg::VERSION_6 },
        OptNeg { version: 2, actions: Actions::from_bits(0x1f), protocol: Protocol::from_bits(0x7f) },
    ];
    for offer in table {
        server
            .mta(move |endpoint| {
                let mut client = Client::connect(&endpoint, offer).unwrap();
                assert_eq!(client.requests().is_empty(), !offer.actions.contains(Actions::REQUEST_MACROS));
                client.open(&Origin::STRANGER).unwrap();
                for _ in 0..3 {
                    let answer = client.send(&MAIL).unwrap();
                    assert_eq!((&answer.answered, answer.edits.len()), (&Answered::Continue, 3));
                    let expected = format!("{SEEN}To: c\r\n\td\r\n\r\nbody\r\n");
                    assert_eq!(String::from_utf8(answer.apply(MAIL.content)).unwrap(), expected, "{offer:?}");
                    client.abort().unwrap();
                }
                client.quit().unwrap();
            })
            .await;
    }
    assert_eq!(read(&server.stats.messages), 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_message_or_client_stays_for_the_next() {
    let server = Running::start(Limits::STANDARD);
    server
        .mta(|endpoint| {
            let mut client = connect(endpoint);
            client.send(&MAIL).unwrap();
            let anonymous = Mail { macros: &[], recipients: &["x", "y"], sender: "local", ..MAIL };
            let seen = String::from_utf8(client.send(&anonymous).unwrap().apply(MAIL.content)).unwrap();
            assert!(seen.starts_with("X-Seen: 192.0.2.10 client.example local mx.example - - x y Q1\r\n body 6\r\n"));
            client.reuse().unwrap();
            client.open(&Origin { address: "unknown", macros: &[], ..Origin::STRANGER }).unwrap();
            let seen = String::from_utf8(client.send(&anonymous).unwrap().apply(MAIL.content)).unwrap();
            assert!(seen.starts_with("X-Seen: - client.example local - - - x y"), "{seen}");
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_connections_at_once_over_tcp() {
    let listener = Listener::tcp("127.0.0.1:0".parse().unwrap()).unwrap();
    let endpoint = Endpoint::Tcp(listener.tcp_address().unwrap().to_string());
    let server = Running::on(listener, endpoint, Limits::STANDARD, tempfile::tempdir().unwrap());
    server
        .mta(|endpoint| {
            let mut clients: Vec<Client> = (0..200).map(|_| connect(endpoint.clone())).collect();
            for _ in 0..5 {
                for client in &mut clients {
                    assert_eq!(client.send(&MAIL).unwrap().edits.len(), 3);
                }
            }
        })
        .await;
    assert_eq!(read(&server.stats.messages), 1000);
    until(|| read(&server.stats.open) == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_hurts_nobody_else() {
    let server = Running::start(Limits::STANDARD);
    server
        .mta(|endpoint| {
            let mut clients = [(); 2].map(|()| connect(endpoint.clone()));
            let bad = Mail { content: b"A: panic\r\n\r\nx", ..MAIL };
            let [first, second] = &mut clients;
            assert_eq!(first.send(&bad).unwrap().answered, Answered::TempFail);
            assert_eq!(second.send(&MAIL).unwrap().answered, Answered::Continue);
            assert_eq!(first.send(&MAIL).unwrap().answered, Answered::Continue, "the same connection goes on");
        })
        .await;
    assert_eq!(read(&server.stats.panics), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_octets_close_the_connection() {
    let server = Running::start(Limits::STANDARD);
    let table: &[&[u8]] =
        &[b"\x80\0\0\0B", b"\0\0\0\0", b"\0\0\0\x01z", b"\0\0\0\x01E", b"\0\x02\0\0D", b"\0\0\0\x03Mab"];
    for octets in table {
        server
            .mta(move |endpoint| {
                let mut client = connect(endpoint);
                client.send_raw(octets).unwrap();
                client.wait_for_close().unwrap();
            })
            .await;
    }
    assert_eq!(read(&server.stats.protocol_errors), table.len() as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_server_closes_the_oldest_idle_and_spares_the_busy() {
    let server = Running::start(Limits { connections: 2, ..Limits::STANDARD });
    server.hold();
    let mut busy = server.mta(connect).await;
    let busy = spawn_blocking(move || busy.send(&MAIL).unwrap().answered);
    until(|| read(&server.gate.arrived) == 1).await;
    let idle = server.mta(connect).await;
    let newcomer = server.mta(connect).await;
    spawn_blocking(|| idle.wait_for_close().unwrap()).await.unwrap();
    server.gate.permits.add_permits(2);
    assert_eq!(busy.await.unwrap(), Answered::Continue);
    assert_eq!(read(&server.stats.evicted), 1);
    drop(newcomer);
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_lets_messages_finish_and_takes_no_more() {
    let server = Running::start(Limits::STANDARD);
    server.hold();
    let (stats, gate) = (Arc::clone(&server.stats), Arc::clone(&server.gate));
    let (mut busy, idle) = (server.mta(connect).await, server.mta(connect).await);
    let Running { stop, task, folder, .. } = server;
    let path: PathBuf = folder.path().join("sock");
    let busy = spawn_blocking(move || {
        // The headers go out before the stop, the end of message after it.
        let answer = busy.send(&MAIL).unwrap();
        busy.wait_for_close().unwrap();
        answer.answered
    });
    until(|| read(&gate.arrived) == 1).await;
    stop.send(()).unwrap();
    spawn_blocking(|| idle.wait_for_close().unwrap()).await.unwrap();
    until(|| !Path::exists(&path)).await;
    gate.permits.add_permits(1);
    assert_eq!(busy.await.unwrap(), Answered::Continue);
    task.await.unwrap();
    assert_eq!((read(&stats.messages), read(&stats.open)), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_waits_only_so_long() {
    let server = Running::start(Limits { drain: Duration::from_millis(50), ..Limits::STANDARD });
    server.hold();
    let mut client = server.mta(connect).await;
    let sent = spawn_blocking(move || client.send(&MAIL));
    until(|| read(&server.gate.arrived) == 1).await;
    server.stop.send(()).unwrap();
    server.task.await.unwrap();
    assert!(sent.await.unwrap().is_err(), "cut off");
    assert_eq!(read(&server.stats.open), 0);
}
