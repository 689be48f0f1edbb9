//! Tickets (KMIP 2.1 §6.1.30): the sessions of people, and of clients. A ticket is bound to the key that was shown in the handshake,
//! that of a client to the client as its record stood, so that a stolen one is worth nothing without a certificate; it is kept as a
//! digest only.

use super::directory::RecordOpener;
use super::person::{PersonId, PersonRecord};
use super::principal::{ClientPrincipal, PersonPrincipal, Session};
use super::record::{Id, decode, encode, kind};
use super::rights::{ClientTicket, TicketRights};
use super::tag;
use crate::store::{Domain, IndexQuery, IndexRange, IndexRow, IndexValue, Key, Seen, StoreError, Work};
use kmip_ttlv::Result as Decoded;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// The longest that a ticket holds, in milliseconds.
pub const LONGEST_LEASE_MS: i64 = 4 * 60 * 60 * 1000;
/// How long a ticket may go unused, in milliseconds.
const MOST_IDLE_MS: i64 = 15 * 60 * 1000;
/// Tickets of one person: each command line that is logged in has one. Those used up are removed when another is made.
pub const MOST_TICKETS: usize = 16;
/// Tickets whose last use is remembered. One that is forgotten counts as unused since it was made.
const MOST_REMEMBERED: usize = 65_536;
/// The index of the tickets of a person, by the moment when they run out.
const BY_PERSON: u32 = 1;

/// What is counted beside a ticket: the messages that it was shown in.
const USES: u32 = 1;

/// A ticket as it is kept: in its person's domain, under the beginning of its digest.
#[derive(Clone, PartialEq, Eq)]
pub struct TicketRecord {
    /// Whose it is: a person, or a client.
    pub person: Id,
    /// SHA-256 of the key that it is bound to; of a client's, what [`ClientPrincipal::state`] gives.
    pub key_fingerprint: [u8; 32],
    /// SHA-256 of its value.
    pub digest: [u8; 32],
    /// Given for an initial password: it is good for changing that, and for nothing else.
    pub initial: bool,
    /// When it was given, in milliseconds since 1970.
    pub issued_ms: i64,
    /// The last millisecond in which it holds.
    pub expires_ms: i64,
    /// In how many messages it may be shown.
    pub requests: Option<i64>,
    /// What it was delegated for, if it was.
    pub rights: Option<TicketRights>,
}

/// Why a ticket is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum TicketError {
    /// Unknown, another's, bound to another key, run out, unused for too long, or used up: told apart by nothing.
    #[error("the ticket does not hold")]
    Invalid,
    /// A client has shown it as often as it may.
    #[error("the ticket is used up")]
    Used,
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl TicketRecord {
    /// Where the ticket with this digest is kept.
    #[must_use]
    pub fn key(domain: Domain, digest: &[u8; 32]) -> Key {
        let mut id = [0; 16];
        id.iter_mut().zip(digest).for_each(|(to, from)| *to = *from);
        Key {
            domain,
            kind: kind::TICKET,
            id,
        }
    }

    /// The digest of a ticket's value.
    #[must_use]
    pub fn digest(value: &[u8]) -> [u8; 32] {
        certs::fingerprint(value)
    }

    /// Whose ticket has this value, if there is one. Whether it holds is not judged.
    pub async fn owner(
        domain: Domain,
        value: &[u8],
        work: &mut Work,
        opener: &dyn RecordOpener,
    ) -> Result<Option<Id>, StoreError> {
        let digest = Self::digest(value);
        let found = work.load(Self::key(domain, &digest)).await?;
        let bytes = found.and_then(|found| opener.open(&found).ok());
        let ticket = bytes.and_then(|bytes| Self::decode(&bytes).ok());
        Ok(ticket
            .filter(|ticket| ticket.digest == digest)
            .map(|ticket| ticket.person))
    }

    /// By what it is found among the tickets of its person.
    #[must_use]
    pub fn rows(&self) -> Vec<IndexRow> {
        vec![IndexRow {
            application: self.person,
            attribute: BY_PERSON,
            value: IndexValue::number(self.expires_ms),
        }]
    }

    /// The tickets of a person, newest first.
    pub async fn all(person: PersonId, work: &mut Work) -> Result<Vec<Key>, StoreError> {
        let query = IndexQuery {
            domain: person.domain,
            kind: kind::TICKET,
            application: person.person,
            attribute: BY_PERSON,
            range: IndexRange::Any,
            before: None,
            limit: MOST_TICKETS.saturating_mul(2),
        };
        Ok(work.find(&query).await?.into_iter().map(|hit| hit.key).collect())
    }

    /// Ends every session of a person. Each login reads its record, so that a change of the record in the same commit leaves none.
    pub async fn end_all(person: PersonId, work: &mut Work) -> Result<(), StoreError> {
        loop {
            let tickets = Self::all(person, work).await?;
            if tickets.is_empty() {
                return Ok(());
            }
            for key in tickets {
                work.delete(key).await?;
            }
        }
    }

    /// The record's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let Self {
            person,
            key_fingerprint,
            digest,
            initial,
            issued_ms,
            expires_ms,
            requests,
            rights,
        } = self;
        encode(|w| {
            w.bytes(tag::PERSON, person);
            w.bytes(tag::KEY_FINGERPRINT, key_fingerprint);
            w.bytes(tag::DIGEST, digest);
            w.boolean(tag::INITIAL, *initial);
            w.long_integer(tag::CREATED, *issued_ms);
            w.long_integer(tag::EXPIRES, *expires_ms);
            if let Some(requests) = requests {
                w.long_integer(tag::REQUESTS, *requests);
            }
            if let Some(rights) = rights {
                rights.write(w);
            }
        })
    }

    /// Reads what [`TicketRecord::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Decoded<Self> {
        decode(bytes, |r| {
            Ok(Self {
                person: r.array(tag::PERSON)?,
                key_fingerprint: r.array(tag::KEY_FINGERPRINT)?,
                digest: r.array(tag::DIGEST)?,
                initial: r.boolean(tag::INITIAL)?,
                issued_ms: r.long_integer(tag::CREATED)?,
                expires_ms: r.long_integer(tag::EXPIRES)?,
                requests: r.at(tag::REQUESTS).then(|| r.long_integer(tag::REQUESTS)).transpose()?,
                rights: TicketRights::decode(r)?,
            })
        })
    }
}

/// When tickets were last used.
#[derive(Default)]
pub struct Sessions {
    /// Passwords of clients that were right a moment ago.
    pub clients: super::client_password::ClientPasswords,
    last_use: Mutex<HashMap<Id, i64>>,
}

impl Sessions {
    /// The person with the session that a ticket stands for, now, in milliseconds since 1970. The use is counted in `work`.
    pub async fn admit(
        &self,
        person: &PersonPrincipal,
        value: &[u8],
        now_ms: i64,
        work: &mut Work,
        opener: &dyn RecordOpener,
    ) -> Result<PersonPrincipal, TicketError> {
        let bound = (person.person, person.key_fingerprint);
        let (key, found, ticket) = shown(person.domain, bound, value, now_ms, work, opener).await?;
        if !self.is_used(key.id, ticket.issued_ms, now_ms) {
            return Err(TicketError::Invalid);
        }
        if let Some(most) = ticket.requests {
            let counted = work.adjust(key, USES, 1, (0, most)).await?;
            counted.map_err(|_| TicketError::Invalid)?;
        }
        self.note(key.id, now_ms);
        let session = if ticket.initial {
            Session::Initial(key.id)
        } else {
            Session::Full(key.id)
        };
        Ok(PersonPrincipal {
            session,
            ticket_seen: Some(found),
            ..person.clone()
        })
    }

    /// The client with the session that a ticket stands for. The use is counted in `work`.
    pub async fn admit_client(
        &self,
        client: &ClientPrincipal,
        value: &[u8],
        now_ms: i64,
        work: &mut Work,
        opener: &dyn RecordOpener,
    ) -> Result<ClientPrincipal, TicketError> {
        let bound = (client.client, client.state());
        let (key, seen, ticket) = shown(client.tenant, bound, value, now_ms, work, opener).await?;
        if let Some(most) = ticket.requests {
            let counted = work.adjust(key, USES, 1, (0, most)).await?;
            counted.map_err(|_| TicketError::Used)?;
        }
        Ok(ClientPrincipal {
            ticket: Some(ClientTicket {
                id: key.id,
                seen,
                rights: ticket.rights,
            }),
            ..client.clone()
        })
    }

    /// Whether its last use, or its issue, is not too long ago.
    fn is_used(&self, ticket: Id, issued_ms: i64, now_ms: i64) -> bool {
        let last_use = self.last_use.lock().unwrap_or_else(PoisonError::into_inner);
        let last = last_use.get(&ticket).copied().unwrap_or(issued_ms);
        now_ms.saturating_sub(last) <= MOST_IDLE_MS
    }

    fn note(&self, ticket: Id, now_ms: i64) {
        let mut last_use = self.last_use.lock().unwrap_or_else(PoisonError::into_inner);
        if last_use.len() >= MOST_REMEMBERED {
            last_use.retain(|_, last| now_ms.saturating_sub(*last) <= MOST_IDLE_MS);
        }
        if last_use.len() >= MOST_REMEMBERED {
            last_use.clear();
        }
        last_use.insert(ticket, now_ms);
    }
}

/// The ticket with this value, if it is whose it has to be and its time is not over.
async fn shown(
    domain: Domain,
    (owner, bound): (Id, [u8; 32]),
    value: &[u8],
    now_ms: i64,
    work: &mut Work,
    opener: &dyn RecordOpener,
) -> Result<(Key, Seen, TicketRecord), TicketError> {
    let digest = TicketRecord::digest(value);
    let key = TicketRecord::key(domain, &digest);
    let found = work.load(key).await?.ok_or(TicketError::Invalid)?;
    let ticket = opener.open(&found).ok();
    let ticket = ticket.and_then(|bytes| TicketRecord::decode(&bytes).ok());
    let ticket = ticket.ok_or(TicketError::Invalid)?;
    let own = ticket.digest == digest
        && ticket.person == owner
        && ticket.key_fingerprint == bound
        && now_ms <= ticket.expires_ms;
    if own {
        Ok((key, found.seen(), ticket))
    } else {
        Err(TicketError::Invalid)
    }
}

/// What a person has shown beside its certificate, judged before any item is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SecondFactor {
    /// In the header, for a Login.
    Login {
        /// The password is an initial one.
        initial: bool,
        /// The time step of the one-time password that was shown.
        step: Option<i64>,
    },
    /// The present password, for changing it.
    Change,
}

impl PersonRecord {
    /// Whether an initial password of it still holds at this time, in milliseconds since 1970. Others do not run out.
    #[must_use]
    pub fn password_holds(&self, now_ms: i64) -> bool {
        let expires = self.password.as_ref().and_then(|password| password.expires_ms);
        expires.is_none_or(|end| now_ms <= end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_reads_as_it_was_written() {
        for requests in [None, Some(7)] {
            let ticket = TicketRecord {
                person: [1; 16],
                key_fingerprint: [2; 32],
                digest: [3; 32],
                initial: requests.is_some(),
                issued_ms: 4,
                expires_ms: 5,
                requests,
                rights: None,
            };
            let bytes = ticket.encode();
            assert!(TicketRecord::decode(&bytes).is_ok_and(|read| read == ticket));
            assert!((0..bytes.len()).all(|cut| TicketRecord::decode(&bytes[..cut]).is_err()));
        }
    }

    #[test]
    fn memory_of_uses_is_bounded_and_a_forgotten_ticket_counts_as_unused() {
        let sessions = Sessions::default();
        sessions.note([0xFF; 16], 0);
        for n in 0..u32::try_from(MOST_REMEMBERED).unwrap() {
            let mut id = [0; 16];
            id[..4].copy_from_slice(&n.to_be_bytes());
            sessions.note(id, MOST_IDLE_MS + 1);
        }
        assert!(sessions.last_use.lock().unwrap().len() <= MOST_REMEMBERED);
        assert!(!sessions.is_used([0xFF; 16], 0, MOST_IDLE_MS + 1));
        assert!(sessions.is_used([0xFF; 16], 1, MOST_IDLE_MS + 1));
    }
}
