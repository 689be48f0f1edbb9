//! The shape of everything that a request can wait for: a boxed future, so that contracts can be trait objects.

use std::future::Future;
use std::pin::Pin;
use std::task::Poll;

/// An answer that may take time. Stores and caches give ready ones, which are polled in place.
pub type Wait<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// An answer that is here already.
pub fn ready<'a, T: Send + 'a>(value: T) -> Wait<'a, T> {
    Box::pin(std::future::ready(value))
}

/// Lets the others on this thread have their turn. What computes for long without waiting for anything calls it between its
/// steps, so that one request does not hold a thread for itself.
pub async fn breathe() {
    let mut had_their_turn = false;
    std::future::poll_fn(|context| {
        if had_their_turn {
            return Poll::Ready(());
        }
        had_their_turn = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_breathes_lets_others_run() {
        let order = std::sync::Mutex::new(Vec::new());
        let note = |what| order.lock().unwrap().push(what);
        let one = async {
            note("one begins");
            breathe().await;
            note("one ends");
        };
        let other = async { note("other") };
        tokio::join!(one, other);
        assert_eq!(*order.lock().unwrap(), ["one begins", "other", "one ends"]);
    }
}
