//! Sessions on sockets: accepts, bounds, times out, contains panics, drains. What a message means is the program's.

mod connection;
mod listener;
mod slots;
#[cfg(test)]
mod tests;

pub use listener::{Inherited, Listener};

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};

use crate::codec::{Envelope, Outcome, Verdict};
use crate::limits::{self, Limits};
use crate::negotiation::{Negotiated, Wishes};
use crate::session::Macros;
use connection::Connection;
use listener::Accepted;
use slots::Slots;

/// One message of the program, made when MAIL arrives and consumed at its end; dropped when the MTA gives it up.
///
/// The calls before [`end`](Message::end) run where the octets are decoded and must not block; work that waits is
/// spawned in [`end_of_headers`](Message::end_of_headers) and awaited in `end`. Nothing can pass from one message to
/// the next, because nothing outlives it.
pub trait Message: Send + 'static {
    /// A recipient.
    fn recipient(&mut self, recipient: Envelope<'_>, macros: &Macros);

    /// A header field, value as after the colon (see [`crate::LeadingSpace`]), folds with bare LF.
    fn header(&mut self, name: &[u8], value: &[u8]);

    /// The header section is complete.
    fn end_of_headers(&mut self, macros: &Macros) -> Next;

    /// Octets of the body.
    fn body(&mut self, chunk: &[u8]) -> Next;

    /// The answer. Dropped unfinished when the MTA gives up or [`Limits::end_of_message`] passes.
    fn end(self, macros: &Macros) -> impl Future<Output = Outcome> + Send;
}

/// What a message wants next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Next {
    /// All that follows.
    More,
    /// No more body; [`Message::end`] is still called.
    Enough,
    /// Nothing: this is the answer, and the message is dropped.
    Decided(Verdict),
}

/// What is known when a message begins.
#[derive(Clone, Copy, Debug)]
pub struct Opening<'a> {
    /// What holds on the connection.
    pub negotiated: Negotiated,
    /// The client of the MTA.
    pub peer: &'a Peer,
    /// The MAIL argument.
    pub mail: Envelope<'a>,
    /// Macros of the connection and of MAIL.
    pub macros: &'a Macros,
}

/// The client of the MTA.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Peer {
    /// Host name as the MTA found it; empty before CONNECT.
    pub host: Box<[u8]>,
    /// Its address; none for Unix sockets and when the MTA does not know it.
    pub address: Option<SocketAddr>,
    /// Its last HELO argument; empty before HELO.
    pub helo: Box<[u8]>,
}

/// How to serve.
#[derive(Debug)]
pub struct Service {
    /// What to ask of the MTA.
    pub wishes: Wishes,
    /// Bounds.
    pub limits: Limits,
    /// The answer when a message panics, runs past its time, or gives an answer the MTA did not grant.
    pub fallback: Verdict,
    /// Counters, for the program's metrics.
    pub stats: Arc<Stats>,
}

/// What happened so far. Each counter only grows, except `open`.
#[derive(Debug, Default)]
pub struct Stats {
    /// Connections open now.
    pub open: AtomicU64,
    /// Connections taken.
    pub connections: AtomicU64,
    /// Messages answered by [`Message::end`] or in its place; those decided before are not counted.
    pub messages: AtomicU64,
    /// Connections closed to make room for a new one.
    pub evicted: AtomicU64,
    /// Connections turned away because all were busy.
    pub refused: AtomicU64,
    /// Connections closed because the MTA broke the protocol.
    pub protocol_errors: AtomicU64,
    /// Connections closed because the MTA was silent or slow.
    pub timeouts: AtomicU64,
    /// Messages that panicked.
    pub panics: AtomicU64,
    /// Messages answered with the fallback for another reason.
    pub fallbacks: AtomicU64,
    /// Failed accepts.
    pub accept_errors: AtomicU64,
}

/// Serves a listener until `stop` is ready; then takes no more connections, closes idle ones, lets messages in flight
/// finish for [`Limits::drain`], and closes what is left. `open` makes the message when MAIL arrives.
pub async fn serve<M, F>(listener: Listener, service: Service, stop: impl Future<Output = ()> + Send, open: F)
where
    M: Message,
    F: Fn(Opening<'_>) -> M + Send + Sync + 'static,
{
    let mut server =
        Server { service: Arc::new(service), open: Arc::new(open), tasks: JoinSet::new(), slots: Slots::new() };
    let mut stop = std::pin::pin!(stop);
    loop {
        tokio::select! {
            biased;
            () = &mut stop => break,
            Some(done) = server.tasks.join_next_with_id() => server.reap(done),
            accepted = listener.accept() => server.admit(accepted).await,
        }
    }
    // The socket goes first, so that the MTA sees at once that nobody takes connections.
    drop(listener);
    server.drain().await;
}

struct Server<F> {
    service: Arc<Service>,
    open: Arc<F>,
    tasks: JoinSet<()>,
    slots: Slots,
}

impl<M, F> Server<F>
where
    M: Message,
    F: Fn(Opening<'_>) -> M + Send + Sync + 'static,
{
    async fn admit(&mut self, accepted: io::Result<Accepted>) {
        let stream = match accepted {
            Ok(stream) => stream,
            Err(error) => {
                tracing::debug!(%error, "accept failed");
                self.service.stats.accept_errors.fetch_add(1, Ordering::Relaxed);
                return sleep(limits::ACCEPT_PAUSE).await;
            }
        };
        if self.tasks.len() >= self.service.limits.connections && !self.make_room().await {
            self.service.stats.refused.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.service.stats.connections.fetch_add(1, Ordering::Relaxed);
        self.service.stats.open.fetch_add(1, Ordering::Relaxed);
        let slot = self.slots.new_slot();
        let (service, open) = (Arc::clone(&self.service), Arc::clone(&self.open));
        let task = match stream {
            Accepted::Unix(stream) => self.tasks.spawn(Connection::new(stream, service, open, Arc::clone(&slot)).run()),
            Accepted::Tcp(stream) => self.tasks.spawn(Connection::new(stream, service, open, Arc::clone(&slot)).run()),
        };
        self.slots.insert(task.id(), slot);
    }

    /// Asks the oldest idle connection to leave and waits for it a moment.
    async fn make_room(&mut self) -> bool {
        if !self.slots.evict() {
            return false;
        }
        self.service.stats.evicted.fetch_add(1, Ordering::Relaxed);
        if let Ok(Some(done)) = timeout(limits::EVICTION_TIME, self.tasks.join_next_with_id()).await {
            self.reap(done);
        }
        self.tasks.len() < self.service.limits.connections
    }

    fn reap(&mut self, done: Result<(tokio::task::Id, ()), JoinError>) {
        let id = match done {
            Ok((id, ())) => id,
            Err(error) => {
                if error.is_panic() {
                    self.service.stats.panics.fetch_add(1, Ordering::Relaxed);
                }
                error.id()
            }
        };
        self.slots.remove(id);
        self.service.stats.open.fetch_sub(1, Ordering::Relaxed);
    }

    async fn drain(mut self) {
        self.slots.close_idle();
        let time = self.service.limits.drain;
        let finished = timeout(time, async {
            while let Some(done) = self.tasks.join_next_with_id().await {
                self.reap(done);
            }
        });
        if finished.await.is_err() {
            tracing::debug!(left = self.tasks.len(), "messages still in flight are cut off");
            self.tasks.abort_all();
            while let Some(done) = self.tasks.join_next_with_id().await {
                self.reap(done);
            }
        }
    }
}
