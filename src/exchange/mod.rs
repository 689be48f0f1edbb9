//! One message in, one message out. No socket and no clock of its own: listener, tests, fuzzing and benches all enter
//! through [`Exchange`].

#[cfg(test)]
mod abandoned;
mod admission;
mod agenda;
#[cfg(test)]
mod alarms;
#[cfg(test)]
mod allowances;
pub mod anchoring;
#[cfg(test)]
mod assembly;
#[cfg(test)]
mod asynchronous;
#[cfg(test)]
mod attacks;
#[cfg(test)]
mod attribute_rules;
#[cfg(test)]
mod authorities;
#[cfg(test)]
mod backlogs;
#[cfg(test)]
mod backups;
#[cfg(test)]
mod bad_input;
mod batch;
#[cfg(test)]
mod bundles;
#[cfg(test)]
mod ceremonies;
#[cfg(test)]
mod certificates;
#[cfg(test)]
mod certifying;
#[cfg(test)]
mod chosen;
mod client_password;
#[cfg(test)]
mod client_sessions;
#[cfg(test)]
mod clocks;
mod confinement;
#[cfg(test)]
mod contest;
#[cfg(test)]
mod coverage;
#[cfg(test)]
mod creations;
#[cfg(test)]
mod credential_kinds;
mod credentials;
#[cfg(test)]
mod cryptoki;
#[cfg(test)]
mod detours;
mod envelope;
mod ephemeral;
#[cfg(test)]
mod error_tables;
mod execute;
mod facts;
#[cfg(test)]
mod glass;
#[cfg(test)]
mod governed;
#[cfg(test)]
mod governing;
#[cfg(test)]
mod groups;
mod guard;
#[cfg(test)]
mod hall;
#[cfg(test)]
mod hammer;
#[cfg(test)]
mod hardware;
#[cfg(test)]
mod headers;
#[cfg(test)]
mod implicit;
#[cfg(test)]
mod imports;
#[cfg(test)]
mod keks;
#[cfg(test)]
mod lives;
#[cfg(test)]
mod matrix;
#[cfg(test)]
mod meaning;
#[cfg(test)]
mod members;
#[cfg(test)]
mod migrations;
#[cfg(test)]
mod moody;
#[cfg(test)]
mod mutants;
mod note;
mod notices;
#[cfg(test)]
mod office;
#[cfg(test)]
mod offices;
mod orphans;
mod outage;
pub mod outgoing;
#[cfg(test)]
pub(crate) mod outgoings;
#[cfg(test)]
mod own_certificates;
#[cfg(test)]
mod pace;
#[cfg(test)]
mod passwords;
pub mod patience;
#[cfg(test)]
mod people;
#[cfg(test)]
mod protected;
#[cfg(test)]
mod purging;
#[cfg(test)]
mod recorded;
#[cfg(test)]
mod recovery;
#[cfg(test)]
mod referring;
mod refusals;
#[cfg(test)]
mod replacements;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod residues;
#[cfg(test)]
mod restarts;
#[cfg(test)]
mod restored;
mod reversal;
#[cfg(test)]
mod reversals;
mod rewrapping;
#[cfg(test)]
mod rewraps;
mod rotating;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod scrub_counters;
pub mod scrubbing;
#[cfg(test)]
mod scrubs;
#[cfg(test)]
mod separation;
mod server;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod shares;
#[cfg(test)]
mod splits;
#[cfg(test)]
mod states;
#[cfg(test)]
mod steps;
#[cfg(test)]
mod stream_ends;
#[cfg(test)]
mod streaming;
#[cfg(test)]
mod strongbox;
#[cfg(test)]
mod tampered;
#[cfg(test)]
mod targets;
#[cfg(test)]
mod template_objects;
#[cfg(test)]
mod tenancy;
#[cfg(test)]
mod tenants;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
pub mod timer;
mod turning;
#[cfg(test)]
mod turns;
#[cfg(test)]
mod undoing;
mod upkeep;
#[cfg(test)]
mod user_access;
mod users;
#[cfg(test)]
mod verdicts;
mod vigil;
#[cfg(test)]
mod voting;
#[cfg(test)]
mod waiting;

pub use confinement::ADMIN_LISTENER;
pub use facts::{Asked, ConnectionFacts, Roles, TlsFacts};
pub use server::Server;

use crate::wait::{Wait, ready};
use std::time::Duration;

/// Answers messages. The listener holds one of these and knows nothing of what is behind it.
pub trait Exchange: Send + Sync {
    /// The whole response to one whole request message. The callee wipes the request, the listener wipes the response
    /// once it is written. There is always an answer: what fails is answered by a message that says so.
    fn answer<'a>(&'a self, request: Vec<u8>, facts: &'a ConnectionFacts) -> Wait<'a, Vec<u8>>;

    /// The response to a message that will not be read whole, from what came first of it (at most
    /// [`REFUSED_BEGINNING`] bytes, fewer when the peer sent fewer). `None`: not enough could be read to answer in the
    /// peer's version, and the connection is closed without a word. It is closed after the answer as well.
    fn refuse<'a>(
        &'a self,
        beginning: Vec<u8>,
        refusal: Refusal,
        facts: &'a ConnectionFacts,
    ) -> Wait<'a, Option<Vec<u8>>> {
        let _ = (beginning, refusal, facts);
        ready(None)
    }

    /// What the server asks over a connection whose roles were set the other way round (KMIP 2.1 §6.1.54). `None`: they were not.
    fn converse<'a>(&'a self, facts: &'a ConnectionFacts) -> Option<Box<dyn Conversation + 'a>> {
        let _ = facts;
        None
    }
}

/// The server's side of a connection over which it asks: one request at a time, each after the answer to the one before.
pub trait Conversation: Send {
    /// What comes next.
    fn turn(&mut self) -> Wait<'_, Turn>;

    /// Waits until there may be something to ask.
    fn news(&mut self) -> Wait<'_, ()>;

    /// Takes the answer to what was asked last. Whether it was one: the connection ends with whoever answers something else.
    fn heard(&mut self, response: Vec<u8>) -> Wait<'_, bool>;
}

/// What the server does next over a connection over which it asks.
pub enum Turn {
    /// It asks this.
    Ask(Vec<u8>),
    /// It has nothing to ask now, and looks again when there is news, and after this time at the latest.
    Wait(Duration),
    /// It answers again.
    Answer,
    /// It ends the connection: the client is not served any more.
    End,
}

/// Why a message is not read whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// Its header announces more bytes than the listener's limit.
    TooLong,
    /// It does not begin with a TTLV structure.
    NotTtlv,
}

/// Bytes of a refused message that are kept: a request header with credentials and all optional fields fits.
pub const REFUSED_BEGINNING: usize = 4096;
