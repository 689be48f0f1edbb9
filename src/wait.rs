//! The shape of everything that a request can wait for: a boxed future, so that contracts can be trait objects.

use std::future::Future;
use std::pin::Pin;

/// An answer that may take time. Stores and caches give ready ones, which are polled in place.
pub type Wait<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// An answer that is here already.
pub fn ready<'a, T: Send + 'a>(value: T) -> Wait<'a, T> {
    Box::pin(std::future::ready(value))
}
