//! A fault of ours stays with the message it happened in, and that message is still delivered, unjudged.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

/// Calls; none if it panicked. What the call had its hands on must not be used again.
pub(super) fn caught<T>(call: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(call)).ok()
}

/// Awaits; none if it panicked.
pub(super) async fn caught_future<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    std::future::poll_fn(|context| match caught(|| future.as_mut().poll(context)) {
        Some(Poll::Pending) => Poll::Pending,
        Some(Poll::Ready(value)) => Poll::Ready(Some(value)),
        None => Poll::Ready(None),
    })
    .await
}
