//! How long the full store takes to answer.

use std::sync::Arc;
use std::time::Instant;

use zi2_store::{Batch, Store, StoreHandle};
use zi2_trust::ReplayVerdict;

use crate::common::report::{Cell, Table};
use crate::common::sequence::Sequence;
use crate::rows::{self, Rows};

pub(crate) const COLUMNS: [&str; 6] = ["store", "question", "times asked", "p50, us", "p99, us", "longest, us"];

/// How often each question is asked.
const QUESTIONS: u64 = 20_000;

/// Callers at once, as connections of a mail server.
const CALLERS: u64 = 20;

pub(crate) fn ask(name: &str, store: &Arc<dyn Store>, rows: &Rows, table: &mut Table) {
    let mut chance = Sequence::new(1);
    let questions = QUESTIONS.min(rows.nonces);
    let known = |chance: &mut Sequence, count: u64| chance.next() % count.max(1);
    let mut row = |question: &str, times: Vec<f64>| {
        table.row(cells(name, question, times));
    };

    row("past of a known domain", timed(questions, |_| past(&**store, known(&mut chance, rows.identities), 1)));
    row("past of an unknown domain", timed(questions, |n| past(&**store, rows.identities + n, 0)));
    row("admission of a new nonce, a commit each", timed(questions, |n| admit(&**store, rows.nonces + n)));
    row("admission of a known nonce", timed(questions, |_| admit(&**store, known(&mut chance, rows.nonces))));
    row("admission by 20 callers at once", concurrent(store, rows.nonces + questions, questions));
}

fn past(store: &dyn Store, number: u64, expected: usize) {
    assert_eq!(store.past(&[rows::domain(number)]).unwrap()[0].len(), expected, "as it was filled");
}

fn admit(store: &dyn Store, number: u64) {
    let batch = Batch { admissions: vec![rows::admission(number)], ..Batch::default() };
    assert_eq!(store.remember(&batch).unwrap().admitted.len(), 1, "an answer each");
}

/// Through the actor: each caller asks again as soon as it has its answer.
fn concurrent(store: &Arc<dyn Store>, from: u64, questions: u64) -> Vec<f64> {
    let handle = StoreHandle::start(Arc::clone(store)).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let each = questions / CALLERS;
    let callers = (0..CALLERS).map(|caller| {
        let (handle, from) = (handle.clone(), from + caller * each);
        runtime.spawn(async move {
            let mut times = Vec::new();
            for number in from..from + each {
                let start = Instant::now();
                let admitted = handle.admit(rows::admission(number)).await.unwrap();
                times.push(start.elapsed().as_secs_f64() * 1e6);
                assert_eq!(admitted.replay, ReplayVerdict::Fresh, "never seen before");
            }
            times
        })
    });
    let callers: Vec<_> = callers.collect();
    callers.into_iter().flat_map(|caller| runtime.block_on(caller).unwrap()).collect()
}

/// Microseconds of each question.
fn timed(questions: u64, mut ask: impl FnMut(u64)) -> Vec<f64> {
    let one = |number| {
        let start = Instant::now();
        ask(number);
        start.elapsed().as_secs_f64() * 1e6
    };
    (0..questions).map(one).collect()
}

fn cells(name: &str, question: &str, mut times: Vec<f64>) -> [Cell; 6] {
    times.sort_by(f64::total_cmp);
    let at = |quantile: f64| times.get((times.len() as f64 * quantile) as usize).copied().unwrap_or(f64::NAN);
    let longest = times.last().copied().unwrap_or(f64::NAN);
    [
        Cell::Text(name.to_owned()),
        Cell::Text(question.to_owned()),
        Cell::Count(times.len() as u64),
        Cell::Number(at(0.5)),
        Cell::Number(at(0.99)),
        Cell::Number(longest),
    ]
}
