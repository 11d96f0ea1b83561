use std::future::Future;
use std::sync::{Condvar, Mutex};

use zi2_trust::ReplayVerdict;

use super::*;
use crate::{Batch, Imported, MemoryStore, Page, Remembered, Settings};

/// A store whose writer waits at a gate, and that fails for one domain or altogether.
struct Gated {
    inner: MemoryStore,
    gate: (Mutex<Gate>, Condvar),
    batches: Mutex<Vec<usize>>,
    reads: Mutex<Vec<usize>>,
}

#[derive(Clone, PartialEq, Eq)]
enum Gate {
    Shut,
    Open,
    Failing(StoreError),
}

impl Gated {
    fn new(gate: Gate) -> Arc<Gated> {
        let inner = MemoryStore::new(Settings::memory());
        let gate = (Mutex::new(gate), Condvar::new());
        Arc::new(Gated { inner, gate, batches: Mutex::default(), reads: Mutex::default() })
    }

    /// Waits until the writer stands at the gate with its first batch.
    async fn until_busy(&self) {
        until_some(&self.batches).await;
    }

    fn at_the_gate(&self) -> Gate {
        self.gate.1.wait_while(self.gate.0.lock().unwrap(), |gate| *gate == Gate::Shut).unwrap().clone()
    }

    fn set(&self, gate: Gate) {
        *self.gate.0.lock().unwrap() = gate;
        self.gate.1.notify_all();
    }
}

async fn until_some(batches: &Mutex<Vec<usize>>) {
    while batches.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
}

impl Store for Gated {
    fn past(&self, domains: &[Domain]) -> Result<Vec<Vec<KeyHistory>>, StoreError> {
        self.reads.lock().unwrap().push(domains.len());
        self.at_the_gate();
        match domains.iter().find(|domain| domain.as_str() == "bad.example") {
            Some(bad) => Err(StoreError::Row { domain: bad.to_string(), what: "sid" }),
            None => self.inner.past(domains),
        }
    }
    fn remember(&self, batch: &Batch) -> Result<Remembered, StoreError> {
        let requests = batch.admissions.len() + batch.issued.len() + batch.seen.len();
        self.batches.lock().unwrap().push(requests);
        match self.at_the_gate() {
            Gate::Failing(error) if error.is_about_one_request() && requests == 1 => self.inner.remember(batch),
            Gate::Failing(error) => Err(error),
            _ => self.inner.remember(batch),
        }
    }
    fn list(&self, page: &Page) -> Result<Vec<KeyHistory>, StoreError> {
        self.inner.list(page)
    }
    fn forget(&self, domains: &[Domain]) -> Result<u64, StoreError> {
        self.inner.forget(domains)
    }
    fn import(&self, rows: &[KeyHistory]) -> Result<Imported, StoreError> {
        self.inner.import(rows)
    }
    fn tidy(&self, now: Timestamp, window: u64) -> Result<Tidied, StoreError> {
        self.inner.tidy(now, window)
    }
}

fn admission(nonce: usize) -> Admission {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&nonce.to_be_bytes());
    Admission { id: AttestationId::from_octets(id), day: 1, recipients: vec![1], allowance: 20 }
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap().block_on(work)
}

/// Queues admissions and waits until they are in the queue or refused.
async fn queue(
    handle: &StoreHandle,
    nonces: std::ops::Range<usize>,
) -> Vec<tokio::task::JoinHandle<Result<Admitted, StoreError>>> {
    let mut tasks = Vec::new();
    for nonce in nonces {
        let ours = handle.clone();
        tasks.push(begun(async move { ours.admit(admission(nonce)).await }).await);
    }
    tasks
}

/// A request that was polled once: then it is in the queue, or refused.
async fn begun<T: Send + 'static>(request: impl Future<Output = T> + Send + 'static) -> tokio::task::JoinHandle<T> {
    let mut request = Box::pin(request);
    let first = std::future::poll_fn(|context| std::task::Poll::Ready(request.as_mut().poll(context))).await;
    tokio::spawn(async move {
        match first {
            std::task::Poll::Ready(answer) => answer,
            std::task::Poll::Pending => request.await,
        }
    })
}

#[test]
fn what_waits_is_written_together() {
    run(async {
        let store = Gated::new(Gate::Shut);
        let handle = StoreHandle::start(Arc::clone(&store) as Arc<dyn Store>).unwrap();
        let first = queue(&handle, 0..1).await;
        store.until_busy().await;
        let tasks = queue(&handle, 1..301).await;
        store.set(Gate::Open);
        for task in first.into_iter().chain(tasks) {
            assert_eq!(task.await.unwrap().unwrap().replay, ReplayVerdict::Fresh);
        }
        assert_eq!(*store.batches.lock().unwrap(), [1, limits::GROUP, limits::GROUP, 300 - 2 * limits::GROUP]);
        assert_eq!((handle.counters().written, handle.counters().commits, handle.counters().waiting), (301, 4, 0));
    });
}

#[test]
fn full_queues_refuse_at_once_and_history_first() {
    run(async {
        let store = Gated::new(Gate::Shut);
        let handle = StoreHandle::start(Arc::clone(&store) as Arc<dyn Store>).unwrap();
        let first = queue(&handle, 0..1).await;
        store.until_busy().await;
        let tasks = queue(&handle, 1..limits::QUEUE_FOR_HISTORY).await;
        let dropped = [0, 1].map(|_| {
            handle.record(seen("a.example"));
            handle.counters().history_dropped
        });
        assert_eq!(dropped, [0, 1], "the last place for history, and one more");
        let more = queue(&handle, limits::QUEUE_FOR_HISTORY..limits::QUEUE).await;
        assert_eq!((handle.counters().waiting, handle.counters().overloaded), (limits::QUEUE as u64, 0));
        assert_eq!(handle.admit(admission(0)).await, Err(StoreError::Overloaded));
        assert_eq!(handle.counters().overloaded, 1);
        store.set(Gate::Open);
        handle_all(first.into_iter().chain(tasks).chain(more)).await;
        handle.record(seen("b.example"));
        handle.flush().await.unwrap();
        assert_eq!(handle.past(Domain::parse("b.example").unwrap()).await.unwrap().len(), 1);
    });
}

#[test]
fn a_full_queue_of_readers_refuses_at_once() {
    run(async {
        let store = Gated::new(Gate::Shut);
        let handle = StoreHandle::start(Arc::clone(&store) as Arc<dyn Store>).unwrap();
        let past = || {
            let ours = handle.clone();
            begun(async move { ours.past(Domain::parse("a.example").unwrap()).await })
        };
        let mut readers = vec![past().await];
        until_some(&store.reads).await;
        for _ in 0..limits::QUEUE {
            readers.push(past().await);
        }
        assert_eq!(past().await.await.unwrap(), Err(StoreError::Overloaded));
        assert_eq!(handle.counters().overloaded, 1);
        store.set(Gate::Open);
        for reader in readers {
            assert_eq!(reader.await.unwrap(), Ok(Vec::new()));
        }
    });
}

async fn handle_all(tasks: impl Iterator<Item = tokio::task::JoinHandle<Result<Admitted, StoreError>>>) {
    for task in tasks {
        task.await.unwrap().unwrap();
    }
}

fn seen(domain: &str) -> Seen {
    Seen {
        domain: Domain::parse(domain).unwrap(),
        key: zi2_sig::PublicKey::from_octets([1; 32]),
        sid: zi2_mail::HostName::parse("mail.example.com").unwrap(),
        kid: zi2_sig::Kid::parse("zi2-cert-2026-04").unwrap(),
        at: Timestamp::from_secs(1),
        siblings: Vec::new(),
    }
}

#[test]
fn who_gave_up_is_not_remembered() {
    run(async {
        let store = Gated::new(Gate::Shut);
        let handle = StoreHandle::start(Arc::clone(&store) as Arc<dyn Store>).unwrap();
        let first = queue(&handle, 0..1).await;
        store.until_busy().await;
        let given_up = queue(&handle, 1..2).await;
        given_up.iter().for_each(tokio::task::JoinHandle::abort);
        handle_aborted(given_up).await;
        store.set(Gate::Open);
        handle_all(first.into_iter()).await;
        assert_eq!(handle.admit(admission(1)).await.unwrap().replay, ReplayVerdict::Fresh);
        assert_eq!(handle.counters().abandoned, 1);
    });
}

async fn handle_aborted(tasks: Vec<tokio::task::JoinHandle<Result<Admitted, StoreError>>>) {
    for task in tasks {
        assert!(task.await.is_err());
    }
}

#[test]
fn one_bad_request_does_not_fail_the_others() {
    run(async {
        let store = Gated::new(Gate::Shut);
        let handle = StoreHandle::start(Arc::clone(&store) as Arc<dyn Store>).unwrap();
        let tasks = queue(&handle, 0..10).await;
        store.set(Gate::Failing(StoreError::Row { domain: "x".to_owned(), what: "sid" }));
        for task in tasks {
            assert_eq!(task.await.unwrap().unwrap().replay, ReplayVerdict::Fresh);
        }
        let full = StoreError::Full { path: "x".into() };
        store.set(Gate::Failing(full.clone()));
        assert_eq!(handle.admit(admission(99)).await, Err(full));
        let (bad, good) = (Domain::parse("bad.example").unwrap(), Domain::parse("good.example").unwrap());
        let (bad, good) = tokio::join!(handle.past(bad), handle.past(good));
        assert!(bad.is_err() && good.is_ok());
    });
}

#[test]
fn issued_nonces_are_claimed_once() {
    run(async {
        let handle = StoreHandle::start(Gated::new(Gate::Open)).unwrap();
        handle.issue(admission(1).id, 1).await.unwrap();
        assert!(handle.admit(admission(1)).await.unwrap().issued);
        assert!(!handle.admit(admission(1)).await.unwrap().issued);
        assert_eq!(handle.tidy(Timestamp::from_secs(0), 1).await.unwrap().nonces, 1);
    });
}
