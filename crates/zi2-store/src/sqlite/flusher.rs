//! Brings the log to the disk, beside the writer: no verdict waits for fsync.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::Connection;

use crate::limits::FLUSH_MILLIS;

/// A thread that flushes within [`FLUSH_MILLIS`] of a commit and sleeps otherwise.
///
/// An error is not its to report: the log stays whole, the next flush tries again, and tidying flushes too and says so.
pub(super) struct Flusher {
    signal: Arc<Signal>,
    thread: Option<JoinHandle<()>>,
}

impl Flusher {
    pub(super) fn start(connection: Connection) -> Result<Flusher, String> {
        let signal = Arc::new(Signal { state: Mutex::new(State::Clean), changed: Condvar::new() });
        let theirs = Arc::clone(&signal);
        let thread = thread::Builder::new().name("zi2-flush".to_owned()).spawn(move || {
            while theirs.wait() == State::Dirty {
                // The error is kept in the log's own state, see above.
                let _ = flush(&connection);
            }
        });
        Ok(Flusher { signal, thread: Some(thread.map_err(|error| error.to_string())?) })
    }

    /// Something was committed.
    pub(super) fn wake(&self) {
        let mut state = self.signal.lock();
        if *state == State::Clean {
            *state = State::Dirty;
            self.signal.changed.notify_one();
        }
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        *self.signal.lock() = State::Stopped;
        self.signal.changed.notify_one();
        // A panic of the thread is not possible; if it were, there is nothing to do about it here.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Copies what the log holds into the file and syncs both. Waits for nobody: what a reader or writer is using is left
/// to the next flush.
pub(super) fn flush(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
}

struct Signal {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Clean,
    Dirty,
    Stopped,
}

impl Signal {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps until something was committed, and a while longer to take more along; `Stopped` at once.
    fn wait(&self) -> State {
        let clean = |state: &mut State| *state == State::Clean;
        let state = self.changed.wait_while(self.lock(), clean).unwrap_or_else(PoisonError::into_inner);
        let running = |state: &mut State| *state != State::Stopped;
        let while_longer = Duration::from_millis(FLUSH_MILLIS);
        let waited = self.changed.wait_timeout_while(state, while_longer, running);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match *state {
            State::Dirty => std::mem::replace(&mut *state, State::Clean),
            other => other,
        }
    }
}
