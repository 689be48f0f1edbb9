//! Passwords of clients that were right a moment ago. A client shows its password with every message, and judging one costs what
//! Argon2id costs: what was judged is remembered until the client's record changes.

use super::client::ClientId;
use crate::store::Seen;
use ring::hmac;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Clients remembered. Each is about 120 bytes; when there are more, all are forgotten and judged again.
const MOST_KEPT: usize = 16_384;

/// What was right: of a password a digest alone, keyed with what is kept of it.
#[derive(Default)]
pub struct ClientPasswords {
    kept: Mutex<HashMap<ClientId, (Option<Seen>, hmac::Tag)>>,
}

impl ClientPasswords {
    /// Whether this password was right for this state of the client's record.
    #[must_use]
    pub fn knows(&self, client: ClientId, seen: Option<Seen>, hash: &str, password: &str) -> bool {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((known, tag)) = kept.get(&client) else {
            return false;
        };
        let key = hmac::Key::new(hmac::HMAC_SHA256, hash.as_bytes());
        *known == seen && hmac::verify(&key, password.as_bytes(), tag.as_ref()).is_ok()
    }

    /// Remembers that it was right.
    pub fn remember(&self, client: ClientId, seen: Option<Seen>, hash: &str, password: &str) {
        let key = hmac::Key::new(hmac::HMAC_SHA256, hash.as_bytes());
        let tag = hmac::sign(&key, password.as_bytes());
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST_KEPT {
            kept.clear();
        }
        kept.insert(client, (seen, tag));
    }
}
