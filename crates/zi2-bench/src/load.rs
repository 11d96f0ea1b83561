//! The mail servers' side: connections that send messages as fast as they are answered, or at a rate.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use zi2_milter::OptNeg;
use zi2_milter::client::{Answered, Client, Endpoint, Mail, Origin};

use crate::Trouble;

/// How to load.
#[derive(Clone, Copy)]
pub(crate) struct Load<'a> {
    /// Where the milter listens.
    pub(crate) endpoint: &'a Endpoint,
    /// Connections at once.
    pub(crate) connections: usize,
    /// How long.
    pub(crate) time: Duration,
    /// Messages a second over all connections; none: as many as are answered.
    pub(crate) rate: Option<f64>,
    /// The messages, sent in turn.
    pub(crate) messages: &'a [Vec<u8>],
    /// What each answer must have: edits.
    pub(crate) edits: usize,
}

/// What was seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Messages answered.
    pub(crate) messages: usize,
    /// Seconds.
    pub(crate) seconds: f64,
    /// Microseconds from the end of a message to its answer, ascending.
    pub(crate) waits: Vec<u32>,
}

impl Seen {
    /// Messages a second.
    pub(crate) fn rate(&self) -> f64 {
        number(self.messages) / self.seconds
    }

    /// The wait that so many of a thousand messages did not exceed, in milliseconds.
    pub(crate) fn wait(&self, of_a_thousand: usize) -> f64 {
        let last = self.waits.len().saturating_sub(1);
        f64::from(self.waits.get(last * of_a_thousand / 1000).copied().unwrap_or(0)) / 1000.0
    }
}

/// A count as a number to divide with.
pub(crate) fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Loads, and sees that every answer is the one wanted: a milter that fails fast is not fast.
pub(crate) fn run(load: Load<'_>) -> Result<Seen, Trouble> {
    let (stop, turn) = (AtomicBool::new(false), AtomicUsize::new(0));
    let began = Instant::now();
    let parts: Vec<Result<Seen, Trouble>> = std::thread::scope(|scope| {
        let one = |lane| connection(load, lane, began, &stop, &turn);
        let threads: Vec<_> = (0..load.connections).map(|lane| scope.spawn(move || one(lane))).collect();
        std::thread::sleep(load.time);
        stop.store(true, Ordering::Relaxed);
        threads.into_iter().map(|thread| thread.join().unwrap_or(Err("a connection panicked".into()))).collect()
    });
    let mut seen = Seen { seconds: began.elapsed().as_secs_f64(), ..Seen::default() };
    for part in parts {
        let part = part?;
        seen.messages += part.messages;
        seen.waits.extend(part.waits);
    }
    seen.waits.sort_unstable();
    Ok(seen)
}

fn connection(
    load: Load<'_>,
    lane: usize,
    began: Instant,
    stop: &AtomicBool,
    turn: &AtomicUsize,
) -> Result<Seen, Trouble> {
    let mut client = Client::connect(load.endpoint, OptNeg::VERSION_6)?;
    client.open(&Origin { host: "localhost", address: "127.0.0.1", ..Origin::STRANGER })?;
    let mut seen = Seen::default();
    let every = load.rate.map(|rate| Duration::from_secs_f64(number(load.connections) / rate));
    let mut due = began + every.unwrap_or_default().mul_f64(number(lane) / number(load.connections));
    while !stop.load(Ordering::Relaxed) {
        if let Some(every) = every {
            // An open loop: a late answer does not make the next message later.
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            due += every;
        }
        let number = turn.fetch_add(1, Ordering::Relaxed);
        let content = load.messages.get(number % load.messages.len()).ok_or("no messages")?;
        seen.waits.push(one(&mut client, content, &format!("4b{number:08X}"), load.edits)?);
        seen.messages += 1;
    }
    client.quit()?;
    Ok(seen)
}

/// One message; the microseconds its end had to wait.
fn one(client: &mut Client, content: &[u8], queue_id: &str, edits: usize) -> Result<u32, Trouble> {
    let mail = Mail {
        sender: "<ann@good.example>",
        recipients: &["<bob@recv.example>"],
        macros: &[("{auth_type}", "PLAIN"), ("{auth_authen}", "ann@good.example")],
        queue_id,
        content,
    };
    if let Some(answer) = client.begin(&mail)? {
        return Err(format!("answered before the end: {:?}", answer.answered).into());
    }
    let end = Instant::now();
    let answer = client.end(queue_id)?;
    let waited = end.elapsed().as_micros();
    let accepted = matches!(answer.answered, Answered::Continue | Answered::Accept);
    if !accepted || answer.edits.len() != edits {
        return Err(format!("the wrong answer: {:?} with {:?}", answer.answered, answer.edits).into());
    }
    client.abort()?; // as Postfix does after each message
    Ok(u32::try_from(waited).unwrap_or(u32::MAX))
}

/// The message as the milter's edits make it.
pub(crate) fn edited(endpoint: &Endpoint, contents: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, Trouble> {
    let mut client = Client::connect(endpoint, OptNeg::VERSION_6)?;
    client.open(&Origin { host: "localhost", address: "127.0.0.1", ..Origin::STRANGER })?;
    let mut out = Vec::with_capacity(contents.len());
    for content in contents {
        let mail = Mail {
            sender: "<ann@good.example>",
            recipients: &["<bob@recv.example>"],
            macros: &[("{auth_authen}", "ann@good.example")],
            queue_id: "4bSIGN",
            content,
        };
        out.push(client.send(&mail)?.apply(content));
    }
    client.quit()?;
    Ok(out)
}
