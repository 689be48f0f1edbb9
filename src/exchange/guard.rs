//! A future whose panic ends it instead of the task: no input takes a connection down.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

/// Gives `None` when the future panics. What the future had borrowed is taken back by the caller, which drops the item's changes.
pub(super) struct Guarded<F> {
    future: Pin<Box<F>>,
}

impl<F: Future> Guarded<F> {
    pub(super) fn new(future: F) -> Self {
        Self {
            future: Box::pin(future),
        }
    }
}

impl<F: Future> Future for Guarded<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let future = &mut self.future;
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(poll) => poll.map(Some),
            Err(_) => Poll::Ready(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_becomes_nothing() {
        assert_eq!(Guarded::new(async { 1 }).await, Some(1));
        let panics = Guarded::new(async { std::panic::panic_any("gone") });
        assert_eq!(panics.await, None::<()>);
    }
}
