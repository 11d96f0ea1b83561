//! The two threads: take what waits, ask the store once, hand out the answers.

use std::sync::mpsc::Receiver;
use std::thread;
use std::time::Instant;

use tokio::sync::oneshot;
use zi2_mail::Domain;
use zi2_trust::{Admission, Admitted, KeyHistory, Seen};

use super::tally::Tally;
use crate::{Batch, Issued, Remembered, Store, StoreError, limits};

/// Where an answer goes.
pub(super) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// A request to the writing thread.
pub(super) enum Write {
    Admit(Admission, Reply<Admitted>),
    Issue(Issued, Reply<()>),
    Record(Box<Seen>),
    Flush(Reply<()>),
}

pub(super) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), StoreError> {
    thread::Builder::new().name(name.to_owned()).spawn(work).map(drop).map_err(|_| StoreError::Closed)
}

/// Writes until the last handle is gone and the queue is empty.
pub(super) fn write(store: &dyn Store, queue: &Receiver<Write>, tally: &Tally) {
    while let Some(requests) = gather(queue) {
        tally.taken(requests.len());
        let (mut group, waiters) = Group::of(requests, tally);
        group.write(store, tally);
        waiters.into_iter().for_each(|waiter| answer(waiter, Ok(())));
    }
}

/// Reads likewise.
pub(super) fn read(store: &dyn Store, queue: &Receiver<(Domain, Reply<Vec<KeyHistory>>)>, tally: &Tally) {
    while let Some(mut requests) = gather(queue) {
        let all = requests.len();
        requests.retain(|(_, reply)| !reply.is_closed());
        tally.abandoned(all - requests.len());
        let (domains, replies): (Vec<_>, Vec<_>) = requests.into_iter().unzip();
        match store.past(&domains) {
            Ok(rows) => replies.into_iter().zip(rows).for_each(|(reply, rows)| answer(reply, Ok(rows))),
            Err(error) => {
                tally.failed();
                one_by_one(store, &domains, replies, &error);
            }
        }
        tally.read(domains.len());
    }
}

/// A row that cannot be read is one domain's trouble; a disk that cannot be read is everybody's.
fn one_by_one(store: &dyn Store, domains: &[Domain], replies: Vec<Reply<Vec<KeyHistory>>>, error: &StoreError) {
    for (domain, reply) in domains.iter().zip(replies) {
        let again = error.is_about_one_request() && domains.len() > 1;
        let rows = if again { store.past(std::slice::from_ref(domain)) } else { Err(error.clone()) };
        answer(reply, rows.map(|rows| rows.into_iter().next().unwrap_or_default()));
    }
}

/// Waits for one request, then takes all that wait, up to a group. `None`: nobody can ask any more.
fn gather<T>(queue: &Receiver<T>) -> Option<Vec<T>> {
    let first = queue.recv().ok()?;
    Some(std::iter::once(first).chain(queue.try_iter().take(limits::GROUP - 1)).collect())
}

/// Who does not wait any more is not told.
fn answer<T>(reply: Reply<T>, with: Result<T, StoreError>) {
    let _ = reply.send(with);
}

/// Requests for one commit, and where their answers go, in the same order.
#[derive(Default)]
struct Group {
    batch: Batch,
    issued: Vec<Reply<()>>,
    admitted: Vec<Reply<Admitted>>,
}

impl Group {
    /// The group of these requests, without those whose caller gave up; and who waits for its end.
    fn of(requests: Vec<Write>, tally: &Tally) -> (Group, Vec<Reply<()>>) {
        let (mut group, mut waiters) = (Group::default(), Vec::new());
        for request in requests {
            match request {
                Write::Admit(_, reply) if reply.is_closed() => tally.abandoned(1),
                Write::Issue(_, reply) if reply.is_closed() => tally.abandoned(1),
                Write::Admit(admission, reply) => {
                    group.batch.admissions.push(admission);
                    group.admitted.push(reply);
                }
                Write::Issue(issued, reply) => {
                    group.batch.issued.push(issued);
                    group.issued.push(reply);
                }
                Write::Record(seen) => group.batch.seen.push(*seen),
                Write::Flush(reply) => waiters.push(reply),
            }
        }
        (group, waiters)
    }

    fn len(&self) -> usize {
        self.batch.issued.len() + self.batch.admissions.len() + self.batch.seen.len()
    }

    fn write(&mut self, store: &dyn Store, tally: &Tally) {
        if self.len() == 0 {
            return;
        }
        let began = Instant::now();
        match store.remember(&self.batch) {
            Ok(done) => {
                tally.committed(self.len(), began.elapsed(), &done);
                self.answer(done);
            }
            Err(error) => {
                tally.failed();
                self.fail(store, tally, &error);
            }
        }
    }

    fn answer(&mut self, done: Remembered) {
        self.issued.drain(..).for_each(|reply| answer(reply, Ok(())));
        self.admitted.drain(..).zip(done.admitted).for_each(|(reply, admitted)| answer(reply, Ok(admitted)));
    }

    /// Tells everybody; or, where one request is at fault, writes each on its own.
    fn fail(&mut self, store: &dyn Store, tally: &Tally, error: &StoreError) {
        if self.len() > 1 && error.is_about_one_request() {
            self.singles().iter_mut().for_each(|single| single.write(store, tally));
        }
        self.issued.drain(..).for_each(|reply| answer(reply, Err(error.clone())));
        self.admitted.drain(..).for_each(|reply| answer(reply, Err(error.clone())));
    }

    fn singles(&mut self) -> Vec<Group> {
        let batch = std::mem::take(&mut self.batch);
        let issued = batch.issued.into_iter().zip(self.issued.drain(..)).map(|(issued, reply)| Group {
            batch: Batch { issued: vec![issued], ..Batch::default() },
            issued: vec![reply],
            ..Group::default()
        });
        let admitted = batch.admissions.into_iter().zip(self.admitted.drain(..)).map(|(admission, reply)| Group {
            batch: Batch { admissions: vec![admission], ..Batch::default() },
            admitted: vec![reply],
            ..Group::default()
        });
        let seen = batch
            .seen
            .into_iter()
            .map(|seen| Group { batch: Batch { seen: vec![seen], ..Batch::default() }, ..Group::default() });
        issued.chain(admitted).chain(seen).collect()
    }
}
