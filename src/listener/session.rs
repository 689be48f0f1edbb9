//! TLS sessions that can be resumed: at most an hour, in memory, each once in TLS 1.3. They are kept here and not in
//! tickets of the peer's, so that none outlives its hour, whatever the peer does.

use rustls::server::StoresServerSessions;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// How long a session can be resumed.
const LIFETIME: Duration = Duration::from_secs(3600);

/// Sessions kept; the oldest gives way. About 1.5 KB each, most of it the client's certificate.
const MAX_SESSIONS: usize = 4096;

/// The sessions.
pub(super) struct Sessions {
    inner: Mutex<Inner>,
    lifetime: Duration,
}

#[derive(Default)]
struct Inner {
    sessions: HashMap<Vec<u8>, Session>,
    /// In the order in which they came; a key taken meanwhile is simply no longer found.
    order: VecDeque<(Instant, Vec<u8>)>,
}

struct Session {
    since: Instant,
    /// Holds the session's secret.
    value: Zeroizing<Vec<u8>>,
}

impl Default for Sessions {
    fn default() -> Self {
        Self::lasting(LIFETIME)
    }
}

impl Sessions {
    fn lasting(lifetime: Duration) -> Self {
        Self {
            inner: Mutex::default(),
            lifetime,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_alive(&self, session: &Session) -> bool {
        session.since.elapsed() < self.lifetime
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sessions")
    }
}

impl StoresServerSessions for Sessions {
    fn put(&self, key: Vec<u8>, value: Vec<u8>) -> bool {
        let since = Instant::now();
        let mut inner = self.lock();
        while let Some((oldest, _)) = inner.order.front()
            && (inner.order.len() >= MAX_SESSIONS || oldest.elapsed() >= self.lifetime)
        {
            let Some((came, key)) = inner.order.pop_front() else {
                break;
            };
            if inner.sessions.get(&key).is_some_and(|s| s.since == came) {
                inner.sessions.remove(&key);
            }
        }
        inner.order.push_back((since, key.clone()));
        let value = Zeroizing::new(value);
        inner.sessions.insert(key, Session { since, value });
        true
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        let inner = self.lock();
        let session = inner.sessions.get(key).filter(|s| self.is_alive(s))?;
        Some(session.value.to_vec())
    }

    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        let mut session = self.lock().sessions.remove(key)?;
        self.is_alive(&session).then(|| std::mem::take(&mut *session.value))
    }

    fn can_cache(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_taken_once_and_ends() {
        let sessions = Sessions::default();
        sessions.put(vec![1], vec![9]);
        assert_eq!(sessions.get(&[1]), Some(vec![9]));
        assert_eq!(sessions.take(&[1]), Some(vec![9]));
        assert_eq!(sessions.take(&[1]), None);
        let short = Sessions::lasting(Duration::ZERO);
        short.put(vec![1], vec![9]);
        assert_eq!(short.get(&[1]), None);
        assert_eq!(short.take(&[1]), None);
    }

    #[test]
    fn the_oldest_give_way() {
        let sessions = Sessions::default();
        for i in 0..MAX_SESSIONS + 10 {
            sessions.put(i.to_be_bytes().to_vec(), vec![1]);
        }
        assert!(sessions.lock().sessions.len() <= MAX_SESSIONS);
        assert!(sessions.lock().order.len() <= MAX_SESSIONS);
        assert_eq!(sessions.get(&0_usize.to_be_bytes()), None);
        assert!(sessions.get(&MAX_SESSIONS.to_be_bytes()).is_some());
    }
}
