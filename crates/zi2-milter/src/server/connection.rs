//! One connection on a stream: reads, lets the session speak, calls the message, writes. One task, one buffer each way.

use std::future::Future;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::slots::{Phase, Slot};
use super::{Message, Next, Opening, Peer, Service};
use crate::codec::{ClientAddress, Connect, Outcome};
use crate::limits;
use crate::session::{Event, Macros, ProtocolError, Seen, Session, State};

/// A connection of an MTA and the message open on it.
pub(super) struct Connection<S, M, F> {
    stream: S,
    session: Session,
    service: Arc<Service>,
    open: Arc<F>,
    slot: Arc<Slot>,
    peer: Peer,
    message: Option<M>,
    partial: Option<PartialFrame>,
}

/// Since when the peer owes us the rest of a frame, and how many frames came before it.
struct PartialFrame {
    frames: u64,
    since: Instant,
}

/// Why a connection ends without QUIT.
#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    #[error("the MTA did not {0} in time")]
    TimedOut(&'static str),
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

enum Turn {
    Next,
    EndOfMessage,
    Closed,
}

enum Ended {
    Outcome(Outcome),
    Panicked,
    TimedOut,
    /// The MTA did not wait for the answer.
    Interrupted {
        octets: [u8; 64],
        length: usize,
    },
}

struct Panicked;

impl<S, M, F> Connection<S, M, F>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
    M: Message,
    F: Fn(Opening<'_>) -> M + Send + Sync,
{
    pub(super) fn new(stream: S, service: Arc<Service>, open: Arc<F>, slot: Arc<Slot>) -> Connection<S, M, F> {
        Connection {
            stream,
            session: Session::new(service.wishes.clone()),
            service,
            open,
            slot,
            peer: Peer::unknown(),
            message: None,
            partial: None,
        }
    }

    /// Runs until the MTA is done, breaks the protocol or the bounds, or the server wants it gone.
    pub(super) async fn run(mut self) {
        if let Err(lost) = self.serve().await {
            match lost {
                Lost::Protocol(_) => self.count(|stats| &stats.protocol_errors),
                Lost::TimedOut(_) => self.count(|stats| &stats.timeouts),
                Lost::Io(_) => {}
            }
            tracing::debug!(error = %lost, state = ?self.session.state(), "milter connection lost");
        }
    }

    async fn serve(&mut self) -> Result<(), Lost> {
        loop {
            // All frames of a read are handled without a pause, and answered with one write.
            loop {
                match self.turn()? {
                    Some(Turn::Next) => {}
                    Some(Turn::EndOfMessage) => self.end_of_message().await?,
                    Some(Turn::Closed) => return self.flush().await,
                    None => break,
                }
            }
            self.flush().await?;
            let phase = if self.session.state().in_message() { Phase::InMessage } else { Phase::Idle };
            let now = Instant::now();
            self.slot.enter(phase, now);
            if self.slot.must_leave(phase) || !self.read(phase, now).await? {
                return Ok(());
            }
            self.slot.enter(Phase::Busy, now);
        }
    }

    /// Takes one event to the message; none when more octets are needed.
    fn turn(&mut self) -> Result<Option<Turn>, Lost> {
        let agreed = self.session.negotiated().copied();
        let Some(Seen { event, macros }) = self.session.next_event()? else { return Ok(None) };
        let message = &mut self.message;
        let next = match (event, message.as_mut(), agreed) {
            (Event::MailFrom(mail), _, Some(negotiated)) => {
                let opening = Opening { negotiated, peer: &self.peer, mail, macros };
                guard(|| (self.open)(opening)).map(|opened| {
                    *message = Some(opened);
                    Next::More
                })
            }
            (Event::RcptTo(recipient), Some(message), _) => guard(|| {
                message.recipient(recipient, macros);
                Next::More
            }),
            (Event::Header { name, value }, Some(message), _) => guard(|| {
                message.header(name, value);
                Next::More
            }),
            (Event::EndOfHeaders, Some(message), _) => guard(|| message.end_of_headers(macros)),
            (Event::Body(chunk), Some(message), _) => guard(|| message.body(chunk)),
            (Event::EndOfMessage, _, _) => return Ok(Some(Turn::EndOfMessage)),
            (Event::Closed, _, _) => return Ok(Some(Turn::Closed)),
            (Event::Aborted, _, _) => {
                *message = None;
                Ok(Next::More)
            }
            (Event::Connected(connect), _, _) => {
                self.peer = Peer::of(connect);
                Ok(Next::More)
            }
            (Event::Helo(name), _, _) => {
                self.peer.helo = name.into();
                Ok(Next::More)
            }
            _ => Ok(Next::More),
        };
        self.obey(next);
        Ok(Some(Turn::Next))
    }

    fn obey(&mut self, next: Result<Next, Panicked>) {
        let verdict = match next {
            Ok(Next::More) => return,
            Ok(Next::Enough) => return self.session.skip_body().unwrap_or(()),
            Ok(Next::Decided(verdict)) => verdict,
            Err(Panicked) => {
                self.count(|stats| &stats.panics);
                self.service.fallback.clone()
            }
        };
        self.message = None;
        // The state is inside a message, where deciding cannot fail.
        self.session.decide(verdict).unwrap_or(());
    }

    /// Awaits the answer and queues it.
    async fn end_of_message(&mut self) -> Result<(), Lost> {
        self.flush().await?;
        let fallback = || Outcome::from(self.service.fallback.clone());
        let outcome = match self.message.take() {
            None => fallback(),
            Some(message) => {
                let time = self.service.limits.end_of_message;
                match answer(message, self.session.macros(), &mut self.stream, time).await? {
                    Ended::Outcome(outcome) => outcome,
                    Ended::Panicked => {
                        self.count(|stats| &stats.panics);
                        fallback()
                    }
                    Ended::TimedOut => {
                        self.count(|stats| &stats.fallbacks);
                        fallback()
                    }
                    Ended::Interrupted { octets, length } => {
                        self.session.bytes(octets.get(..length).unwrap_or_default());
                        return Ok(());
                    }
                }
            }
        };
        if let Err(error) = self.session.finish(&outcome) {
            tracing::debug!(%error, "answer not granted");
            self.count(|stats| &stats.fallbacks);
            self.session.finish(&fallback()).unwrap_or(());
        }
        self.count(|stats| &stats.messages);
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), Lost> {
        if self.session.output().is_empty() {
            return Ok(());
        }
        match timeout(limits::WRITE_TIME, self.stream.write_all(self.session.output())).await {
            Ok(written) => written?,
            Err(_) => return Err(Lost::TimedOut("read our replies")),
        }
        self.session.sent();
        Ok(())
    }

    /// Reads once; false when the MTA closed or the connection must leave.
    async fn read(&mut self, phase: Phase, now: Instant) -> Result<bool, Lost> {
        let (deadline, what) = self.deadline(phase, now);
        let mut late = pin!(sleep_until(deadline));
        loop {
            let room = self.session.space();
            tokio::select! {
                biased;
                read = self.stream.read(room) => {
                    let octets = read?;
                    self.session.filled(octets);
                    return Ok(octets > 0);
                }
                () = self.slot.asked() => {
                    if self.slot.must_leave(phase) {
                        return Ok(false);
                    }
                }
                () = &mut late => return Err(Lost::TimedOut(what)),
            }
        }
    }

    /// Until when the MTA must have said more, and what.
    fn deadline(&mut self, phase: Phase, now: Instant) -> (Instant, &'static str) {
        let limits = &self.service.limits;
        if !self.session.is_inside_frame() {
            self.partial = None;
            return match phase {
                // MTAs speak first and at once.
                Phase::Idle if self.session.state() == State::Start => (now + limits.frame, "negotiate"),
                Phase::Idle => (now + limits.idle, "begin a message"),
                Phase::InMessage | Phase::Busy => (now + limits.command, "go on with a message"),
            };
        }
        // A trickle of octets inside one frame does not renew its time.
        let frames = self.session.frames();
        let same = self.partial.take().filter(|partial| partial.frames == frames);
        let partial = self.partial.insert(same.unwrap_or(PartialFrame { frames, since: now }));
        (partial.since + limits.frame, "complete a frame")
    }

    fn count(&self, counter: impl Fn(&super::Stats) -> &AtomicU64) {
        counter(&self.service.stats).fetch_add(1, Ordering::Relaxed);
    }
}

/// Runs the end of a message: with signs of life to the MTA, until it is done, panics, is late or is not awaited.
async fn answer<S, M>(
    message: M,
    macros: &Macros,
    stream: &mut S,
    time: std::time::Duration,
) -> Result<Ended, std::io::Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
    M: Message,
{
    let mut end = pin!(async move { message.end(macros).await });
    // Most answers are there at once; then no timer is set.
    let at_once = std::future::poll_fn(|context| Poll::Ready(poll_guarded(end.as_mut(), context))).await;
    if let Poll::Ready(ended) = at_once {
        return Ok(ended);
    }
    let mut late = pin!(sleep(time));
    loop {
        let mut octets = [0; 64];
        tokio::select! {
            biased;
            ended = std::future::poll_fn(|context| poll_guarded(end.as_mut(), context)) => return Ok(ended),
            () = &mut late => return Ok(Ended::TimedOut),
            read = stream.read(&mut octets) => {
                return match read? {
                    0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
                    length => Ok(Ended::Interrupted { octets, length }),
                };
            }
            () = sleep(limits::PROGRESS_TIME) => stream.write_all(PROGRESS).await?,
        }
    }
}

/// A progress frame (SMFIR_PROGRESS).
const PROGRESS: &[u8] = b"\0\0\0\x01p";

/// Calls the program; a panic ends there. The message it happened in is not used again.
fn guard<T>(call: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|_| Panicked)
}

fn poll_guarded<T>(end: Pin<&mut T>, context: &mut std::task::Context<'_>) -> Poll<Ended>
where
    T: Future<Output = Outcome>,
{
    match guard(|| end.poll(context)) {
        Ok(Poll::Ready(outcome)) => Poll::Ready(Ended::Outcome(outcome)),
        Ok(Poll::Pending) => Poll::Pending,
        Err(Panicked) => Poll::Ready(Ended::Panicked),
    }
}

impl Peer {
    fn unknown() -> Peer {
        Peer { host: Box::default(), address: None, helo: Box::default() }
    }

    fn of(connect: Connect<'_>) -> Peer {
        let address = match connect.address {
            ClientAddress::Inet(ip, port) => Some(SocketAddr::new(ip, port)),
            ClientAddress::Unknown | ClientAddress::Local(_) => None,
        };
        Peer { host: connect.host.into(), address, helo: Box::default() }
    }
}
