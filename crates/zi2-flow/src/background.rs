//! Work that goes on while octets arrive, and is awaited no longer than there is time.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

/// A question under way. Dropping it, as when a message is aborted, ends it.
pub(crate) struct Background<T> {
    stop: oneshot::Sender<()>,
    answer: oneshot::Receiver<T>,
}

impl<T: Send + 'static> Background<T> {
    pub(crate) fn spawn<F: Future<Output = T> + Send + 'static>(
        ask: impl FnOnce(oneshot::Receiver<()>) -> F,
    ) -> Background<T> {
        let (stop, stopped) = oneshot::channel();
        let (tell, answer) = oneshot::channel();
        let work = ask(stopped);
        tokio::spawn(async move {
            let _nobody_waits = tell.send(work.await);
        });
        Background { stop, answer }
    }

    /// The answer, whenever it is there.
    pub(crate) async fn whole(self) -> Option<T> {
        self.answer.await.ok()
    }

    /// The answer, at the deadline at the latest: then the work is asked to stop and gives what it has.
    pub(crate) async fn by(mut self, deadline: Instant) -> Option<T> {
        if let Ok(answer) = timeout_at(deadline, &mut self.answer).await {
            return answer.ok();
        }
        let _already_done = self.stop.send(());
        // Work that stops when told answers at once; other work is left alone.
        timeout_at(deadline + GRACE, self.answer).await.ok()?.ok()
    }
}

/// Asks about all of these at once. What has no answer when it is stopped is left out.
pub(crate) fn ask_each<Q, A, F>(questions: Vec<Q>, ask: impl Fn(Q) -> F + Send + 'static) -> Background<Vec<A>>
where
    Q: Send + 'static,
    A: Send + 'static,
    F: Future<Output = A> + Send + 'static,
{
    Background::spawn(move |mut stop| async move {
        let mut asked: JoinSet<A> = questions.into_iter().map(ask).collect();
        let mut answers = Vec::new();
        loop {
            tokio::select! {
                biased;
                answer = asked.join_next() => match answer {
                    Some(answer) => answers.extend(answer),
                    None => break, // all are there
                },
                _ = &mut stop => break,
            }
        }
        answers
    })
}

/// What a stopped search may take to hand over what it has.
const GRACE: Duration = Duration::from_millis(5);
