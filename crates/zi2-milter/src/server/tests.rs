//! Slow, silent and failing peers, in virtual time on streams in memory.

use std::future::pending;
use std::sync::Mutex;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::connection::Connection;
use super::slots::Slot;
use super::*;
use crate::Actions;
use crate::codec::{CommandKind, OptNeg, write_frame};

/// What the message of a test does wrong, and where.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fault {
    None,
    PanicAt(&'static str),
    /// The answer takes so long.
    Late(Duration),
    Never,
}

struct Probe {
    fault: Fault,
    log: Arc<Mutex<Vec<String>>>,
}

impl Probe {
    fn new(fault: Fault, log: &Arc<Mutex<Vec<String>>>) -> Probe {
        let probe = Probe { fault, log: Arc::clone(log) };
        probe.note("open");
        probe
    }

    fn note(&self, what: &str) {
        self.log.lock().unwrap().push(what.to_owned());
        assert_ne!(self.fault, Fault::PanicAt("everywhere"));
        if let Fault::PanicAt(place) = self.fault
            && place == what
        {
            panic!("wanted by the test");
        }
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.log.lock().unwrap().push("drop".to_owned());
    }
}

impl Message for Probe {
    fn recipient(&mut self, _: Envelope<'_>, _: &Macros) {
        self.note("recipient");
    }

    fn header(&mut self, _: &[u8], _: &[u8]) {
        self.note("header");
    }

    fn end_of_headers(&mut self, _: &Macros) -> Next {
        self.note("eoh");
        Next::More
    }

    fn body(&mut self, _: &[u8]) -> Next {
        self.note("body");
        Next::More
    }

    async fn end(self, _: &Macros) -> Outcome {
        match self.fault {
            Fault::Late(time) => sleep(time).await,
            Fault::Never => pending().await,
            Fault::None | Fault::PanicAt(_) => {}
        }
        self.note("end");
        Verdict::Accept.into()
    }
}

/// A connection under test, and the MTA's end of it.
struct Bench {
    mta: DuplexStream,
    task: JoinHandle<()>,
    stats: Arc<Stats>,
    log: Arc<Mutex<Vec<String>>>,
    began: Instant,
}

impl Bench {
    fn new(fault: Fault) -> Bench {
        let (mta, ours) = duplex(1 << 20);
        let (stats, log) = (Arc::new(Stats::default()), Arc::new(Mutex::new(Vec::new())));
        let service = Service {
            wishes: Wishes::header_edits(),
            limits: Limits::STANDARD,
            fallback: Verdict::TempFail,
            stats: Arc::clone(&stats),
        };
        let open = {
            let log = Arc::clone(&log);
            Arc::new(move |_: Opening<'_>| Probe::new(fault, &log))
        };
        let began = Instant::now();
        let task = tokio::spawn(Connection::new(ours, Arc::new(service), open, Arc::new(Slot::new(began))).run());
        Bench { mta, task, stats, log, began }
    }

    async fn say(&mut self, letters: &str) {
        let mut octets = Vec::new();
        for letter in letters.bytes() {
            let payload: &[u8] = match letter {
                b'O' => &OptNeg::VERSION_6.octets(),
                b'C' => b"h\0U",
                b'M' | b'R' => b"<a@b>\0",
                b'L' => b"To\0 x\0",
                b'B' => b"body",
                _ => b"",
            };
            write_frame(&mut octets, CommandKind::from_octet(letter).unwrap().octet(), &[payload]);
        }
        self.mta.write_all(&octets).await.unwrap();
    }

    /// The letters of the next replies.
    async fn hear(&mut self, count: usize) -> String {
        let mut letters = String::new();
        for _ in 0..count {
            let length = self.mta.read_u32().await.unwrap();
            let mut frame = vec![0; length as usize];
            self.mta.read_exact(&mut frame).await.unwrap();
            letters.push(char::from(frame[0]));
        }
        letters
    }

    /// Waits for the end of the connection and says after how many seconds it came.
    async fn seconds_to_close(self) -> (u64, Arc<Stats>) {
        self.task.await.unwrap();
        (self.began.elapsed().as_secs(), self.stats)
    }

    fn log(&self) -> String {
        self.log.lock().unwrap().join(" ")
    }
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

#[tokio::test(start_paused = true)]
async fn silent_peers_are_closed_in_time() {
    let limits = Limits::STANDARD;
    let table = [
        ("", limits.frame),
        ("O", limits.idle),
        ("OC", limits.idle),
        ("OCMNE", limits.idle),
        ("OCMR", limits.command),
        ("OCMLNB", limits.command),
    ];
    for (said, time) in table {
        let mut bench = Bench::new(Fault::None);
        bench.say(said).await;
        let (seconds, stats) = bench.seconds_to_close().await;
        assert_eq!((seconds, read(&stats.timeouts)), (time.as_secs(), 1), "{said}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_trickle_inside_a_frame_does_not_buy_time() {
    let mut bench = Bench::new(Fault::None);
    bench.say("OC").await;
    sleep(Duration::from_secs(100)).await;
    for octet in [0, 0, 0, 200, b'B', b'a', b'a'] {
        if bench.mta.write_all(&[octet]).await.is_err() {
            break;
        }
        sleep(Duration::from_secs(10)).await;
    }
    let (seconds, stats) = bench.seconds_to_close().await;
    assert!((130..=170).contains(&seconds), "{seconds}");
    assert_eq!(read(&stats.timeouts), 1);
}

#[tokio::test(start_paused = true)]
async fn a_steady_peer_may_take_its_time() {
    let mut bench = Bench::new(Fault::None);
    bench.say("OCMN").await;
    for _ in 0..100 {
        // Whole frames, each cut in two.
        bench.mta.write_all(&[0, 0, 0, 2, b'B']).await.unwrap();
        sleep(Duration::from_secs(20)).await;
        bench.mta.write_all(b"x\0\0\0").await.unwrap();
        sleep(Duration::from_secs(20)).await;
        bench.mta.write_all(&[2, b'B', b'y']).await.unwrap();
    }
    bench.say("E").await;
    assert_eq!(bench.hear(2).await, "Oc");
}

#[tokio::test(start_paused = true)]
async fn a_panic_anywhere_ends_one_message_with_the_fallback() {
    for place in ["open", "recipient", "header", "eoh", "body", "end"] {
        let mut bench = Bench::new(Fault::PanicAt(place));
        bench.say("OCMRLNBE").await;
        assert_eq!(bench.hear(2).await, "Ot", "{place}");
        bench.say("MAQ").await;
        let log = Arc::clone(&bench.log);
        let (_, stats) = bench.seconds_to_close().await;
        let expected = if place == "open" { 2 } else { 1 };
        assert_eq!(read(&stats.panics), expected, "{place}");
        let log = log.lock().unwrap().join(" ");
        assert!(log.ends_with(&format!("{place} drop open drop")), "{log}");
    }
}

#[tokio::test(start_paused = true)]
async fn answers_that_take_long_keep_the_mta_patient() {
    let end = Limits::STANDARD.end_of_message;
    for (fault, pauses, expected) in [
        (Fault::Late(Duration::from_secs(12)), 2, 'c'),
        (Fault::Late(end + Duration::from_secs(1)), 47, 't'),
        (Fault::Never, 47, 't'),
    ] {
        let mut bench = Bench::new(fault);
        bench.say("OCMNE").await;
        assert_eq!(bench.hear(1).await, "O");
        assert_eq!(bench.hear(pauses + 1).await, format!("{}{expected}", "p".repeat(pauses)), "{fault:?}");
        assert_eq!(read(&bench.stats.fallbacks), u64::from(expected == 't'));
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_nobody_waits_for_is_dropped() {
    for (said, errors) in [("A", 0), ("Q", 0), ("AMNQ", 0), ("M", 1)] {
        let mut bench = Bench::new(Fault::Never);
        bench.say("OCMNE").await;
        assert_eq!(bench.hear(1).await, "O");
        bench.say(said).await;
        if said == "A" {
            bench.say("Q").await;
        }
        let log = Arc::clone(&bench.log);
        let (_, stats) = bench.seconds_to_close().await;
        assert_eq!(read(&stats.protocol_errors), errors, "{said}");
        assert!(log.lock().unwrap().ends_with(&["drop".to_owned()]), "{said}");
    }
    let bench = Bench::new(Fault::Never);
    let (log, mut mta) = (Arc::clone(&bench.log), bench.mta);
    let mut octets = Vec::new();
    write_frame(&mut octets, b'O', &[&OptNeg::VERSION_6.octets()]);
    octets.extend_from_slice(b"\0\0\0\x04Ch\0U\0\0\0\x07M<a@b>\0\0\0\0\x01N\0\0\0\x01E");
    mta.write_all(&octets).await.unwrap();
    mta.read_u32().await.unwrap();
    drop(mta);
    bench.task.await.unwrap();
    assert_eq!(log.lock().unwrap().join(" "), "open eoh drop");
}

#[tokio::test(start_paused = true)]
async fn messages_are_made_and_dropped_one_by_one() {
    let mut bench = Bench::new(Fault::None);
    bench.say("OCMLNBEMRAMNEAAMR").await;
    assert_eq!(bench.hear(3).await, "Occ");
    bench.say("Q").await;
    (&mut bench.task).await.unwrap();
    let expected = "open header eoh body end drop open recipient drop open eoh end drop open recipient drop";
    assert_eq!(bench.log(), expected);
    assert_eq!(read(&bench.stats.messages), 2);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_read_is_closed() {
    for (reads_after, timeouts) in [(limits::WRITE_TIME - MOMENT, 0), (limits::WRITE_TIME + MOMENT, 1)] {
        let (mta, ours) = duplex(64);
        let service = service(Actions::NONE);
        let (stats, log) = (Arc::clone(&service.stats), Arc::default());
        let open = Arc::new(move |_: Opening<'_>| Probe::new(Fault::None, &log));
        let connection = Connection::new(ours, Arc::new(service), open, Arc::new(Slot::new(Instant::now())));
        let task = tokio::spawn(connection.run());
        let mut octets = Vec::new();
        // Without NR flags each frame is answered; 64 octets of answers fill the stream.
        let offer = OptNeg { protocol: crate::Protocol::NONE, ..OptNeg::VERSION_6 };
        write_frame(&mut octets, b'O', &[&offer.octets()]);
        octets.extend_from_slice(b"\0\0\0\x04Ch\0U\0\0\0\x07M<a@b>\0");
        octets.extend(b"\0\0\0\x06LA\0 b\0".repeat(14));
        octets.extend_from_slice(b"\0\0\0\x01Q");
        let (mut from, mut to) = tokio::io::split(mta);
        let writing = tokio::spawn(async move { to.write_all(&octets).await.map(|()| to) });
        sleep(reads_after).await;
        // Our end is gone once the connection is closed.
        from.read_to_end(&mut Vec::new()).await.ok();
        task.await.unwrap();
        drop(writing.await.unwrap());
        assert_eq!(read(&stats.timeouts), timeouts, "{reads_after:?}");
    }
}

const MOMENT: Duration = Duration::from_millis(1);

fn service(welcome: Actions) -> Service {
    Service {
        wishes: Wishes { welcome, ..Wishes::header_edits() },
        limits: Limits { connections: 1, ..Limits::STANDARD },
        fallback: Verdict::TempFail,
        stats: Arc::default(),
    }
}

fn server() -> Server<impl Fn(Opening<'_>) -> Probe + Send + Sync + 'static> {
    let open = Arc::new(move |_: Opening<'_>| Probe::new(Fault::None, &Arc::default()));
    Server { service: Arc::new(service(Actions::NONE)), open, tasks: JoinSet::new(), slots: Slots::new() }
}

#[tokio::test(start_paused = true)]
async fn who_is_asked_to_leave_has_a_moment() {
    for (takes, left) in [(limits::EVICTION_TIME - MOMENT, true), (limits::EVICTION_TIME + MOMENT, false)] {
        let mut server = server();
        let slot = server.slots.new_slot();
        let asked = Arc::clone(&slot);
        let task = server.tasks.spawn(async move {
            asked.asked().await;
            sleep(takes).await;
        });
        server.slots.insert(task.id(), slot);
        let began = Instant::now();
        assert_eq!(server.make_room().await, left, "{takes:?}");
        assert_eq!(began.elapsed(), takes.min(limits::EVICTION_TIME));
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_accept_is_followed_by_a_pause() {
    let mut server = server();
    let began = Instant::now();
    server.admit(Err(io::ErrorKind::OutOfMemory.into())).await;
    assert_eq!((began.elapsed(), read(&server.service.stats.accept_errors)), (limits::ACCEPT_PAUSE, 1));
}
