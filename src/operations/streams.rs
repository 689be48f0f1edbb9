//! Streams: cryptographic operations over several requests (KMIP 2.1 §6.1, §7.8). What a stream has come to lies in memory only, bound
//! to who began it; a restart ends it.
//!
//! A part changes nothing before its message is answered: the batch works on a [`Desk`] of its own, and only once all is committed does
//! what lies there take the place of what was before. Until then nobody else gets at the stream.

use super::part::Stream;
use crate::clock::Moment;
use crate::failure::{Failure, Fault};
use crate::identity::{ClientPrincipal, Id};
use crate::store::Domain;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The Correlation Value of a stream: drawn at random, so that nobody guesses another's.
pub type Correlation = [u8; 16];

/// How much streams may take.
#[derive(Clone, Copy, Debug)]
pub struct StreamLimits {
    /// Streams of one client at a time: more than one program has files open.
    pub of_client: usize,
    /// Streams of all clients of a tenant.
    pub of_tenant: usize,
    /// Streams at a time: each holds some kilobytes.
    pub all: usize,
    /// Bytes that one stream holds back until its end: as long as the longest answer, which they become.
    pub bytes_of_stream: usize,
    /// Bytes that the streams of a client hold.
    pub bytes_of_client: usize,
    /// Bytes that the streams of a tenant hold: one tenant leaves room for others.
    pub bytes_of_tenant: usize,
    /// Bytes that all streams hold.
    pub bytes: usize,
    /// How long a stream waits for its next part, in milliseconds.
    pub idle_ms: i64,
}

impl Default for StreamLimits {
    fn default() -> Self {
        Self {
            of_client: 256,
            of_tenant: 2_048,
            all: 8_192,
            bytes_of_stream: 16 * 1024 * 1024,
            bytes_of_client: 32 * 1024 * 1024,
            bytes_of_tenant: 64 * 1024 * 1024,
            bytes: 256 * 1024 * 1024,
            idle_ms: 10 * 60 * 1000,
        }
    }
}

/// Whose stream it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Owner {
    tenant: Domain,
    client: Id,
}

impl From<&ClientPrincipal> for Owner {
    fn from(client: &ClientPrincipal) -> Self {
        Self {
            tenant: client.tenant,
            client: client.client,
        }
    }
}

/// All streams under way.
#[derive(Default)]
pub struct Streams {
    limits: StreamLimits,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    entries: HashMap<Correlation, Entry>,
    all: Tally,
    clients: HashMap<Owner, Tally>,
    tenants: HashMap<Domain, Tally>,
}

struct Entry {
    owner: Owner,
    /// The internal identifier of its key.
    key: Option<[u8; 16]>,
    /// What it has come to; nothing as long as its first part is not answered.
    stream: Option<Arc<Stream>>,
    /// Whether a message has it on its desk.
    is_leased: bool,
    /// Whether it ends when it is given back, whatever it has come to.
    ends: bool,
    bytes: usize,
    used: Moment,
}

#[derive(Clone, Copy, Default)]
struct Tally {
    streams: usize,
    bytes: usize,
}

impl Streams {
    /// Streams within these limits.
    #[must_use]
    pub fn new(limits: StreamLimits) -> Self {
        Self {
            limits,
            table: Mutex::default(),
        }
    }

    /// Ends streams that have waited too long. Says how many.
    pub fn expire(&self, now: Moment) -> usize {
        let mut table = self.table();
        let over: Vec<Correlation> = table
            .entries
            .iter()
            .filter(|(_, entry)| !entry.is_leased && self.is_over(entry, now))
            .map(|(correlation, _)| *correlation)
            .collect();
        for correlation in &over {
            table.remove(correlation);
        }
        over.len()
    }

    /// How many streams there are, and how many bytes they hold.
    #[cfg(test)]
    pub(crate) fn tally(&self) -> (usize, usize) {
        let table = self.table();
        assert_eq!(table.entries.len(), table.all.streams);
        (table.all.streams, table.all.bytes)
    }

    const fn is_over(&self, entry: &Entry, now: Moment) -> bool {
        now.0.saturating_sub(entry.used.0) > self.limits.idle_ms
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the streams of a key that is no more: their contexts hold what is computed from it.
    pub fn end_of_key(&self, key: [u8; 16]) {
        self.end(|entry| entry.key == Some(key));
    }

    /// Ends the streams of a client that is no more.
    pub fn end_of_client(&self, tenant: Domain, client: Id) {
        self.end(|entry| entry.owner == Owner { tenant, client });
    }

    /// Ends the streams of a tenant that is no more.
    pub fn end_of_tenant(&self, tenant: Domain) {
        self.end(|entry| entry.owner.tenant == tenant);
    }

    fn end(&self, is_over: impl Fn(&Entry) -> bool) {
        let mut table = self.table();
        let mut over = Vec::new();
        for (correlation, entry) in table.entries.iter_mut().filter(|(_, entry)| is_over(entry)) {
            if entry.is_leased {
                entry.ends = true;
            } else {
                over.push(*correlation);
            }
        }
        for correlation in &over {
            table.remove(correlation);
        }
    }

    /// Takes a place for a stream that begins.
    fn begin(
        self: &Arc<Self>,
        correlation: Correlation,
        owner: Owner,
        key: Option<[u8; 16]>,
        now: Moment,
    ) -> Result<Lease, Failure> {
        self.expire(now);
        let mut table = self.table();
        let (client, tenant) = (table.client(&owner), table.tenant(&owner));
        let limits = &self.limits;
        let has_room = client.streams < limits.of_client
            && tenant.streams < limits.of_tenant
            && table.all.streams < limits.all
            && !table.entries.contains_key(&correlation);
        if !has_room {
            return Err(Fault::LimitExceeded.into());
        }
        let entry = Entry {
            owner,
            key,
            stream: None,
            is_leased: true,
            ends: false,
            bytes: 0,
            used: now,
        };
        table.entries.insert(correlation, entry);
        table.count(&owner, |tally| tally.streams = tally.streams.saturating_add(1));
        drop(table);
        Ok(self.lease(correlation))
    }

    /// Takes a stream for one message. Unknown and foreign ones, and those that waited too long, are told apart by nothing.
    fn take(self: &Arc<Self>, value: &[u8], owner: Owner, now: Moment) -> Result<(Lease, Arc<Stream>), Failure> {
        let unknown = || Failure::new(Fault::CorrelationValue);
        let correlation = Correlation::try_from(value).map_err(|_| unknown())?;
        let mut table = self.table();
        let found = table.entries.get_mut(&correlation).filter(|entry| entry.owner == owner);
        let entry = found.ok_or_else(unknown)?;
        let stream = entry.stream.clone().ok_or_else(unknown)?;
        if entry.is_leased {
            // Parts have an order, and two at once have none.
            return Err(Fault::Contention.into());
        }
        if self.is_over(entry, now) {
            table.remove(&correlation);
            return Err(unknown());
        }
        entry.is_leased = true;
        drop(table);
        Ok((self.lease(correlation), stream))
    }

    fn lease(self: &Arc<Self>, correlation: Correlation) -> Lease {
        Lease {
            streams: Arc::clone(self),
            correlation,
        }
    }

    /// Takes room for what a stream is to hold.
    fn hold(&self, correlation: &Correlation, bytes: usize) -> Result<(), Failure> {
        let mut table = self.table();
        let Some(entry) = table.entries.get(correlation) else {
            return Err(Failure::detailed(Fault::Internal, "a stream has no place"));
        };
        let (owner, had) = (entry.owner, entry.bytes);
        let more = bytes.saturating_sub(had);
        let (client, tenant, limits) = (table.client(&owner), table.tenant(&owner), &self.limits);
        let has_room = bytes <= limits.bytes_of_stream
            && client.bytes.saturating_add(more) <= limits.bytes_of_client
            && tenant.bytes.saturating_add(more) <= limits.bytes_of_tenant
            && table.all.bytes.saturating_add(more) <= limits.bytes;
        if more > 0 && !has_room {
            return Err(Fault::LimitExceeded.into());
        }
        table.set_bytes(correlation, had.saturating_add(more));
        Ok(())
    }

    /// What a stream has come to.
    fn settle(&self, correlation: &Correlation, stream: Option<Arc<Stream>>, now: Moment) {
        let mut table = self.table();
        match stream {
            None => table.remove(correlation),
            Some(stream) => {
                if let Some(entry) = table.entries.get_mut(correlation) {
                    entry.stream = Some(stream);
                    entry.used = now;
                }
            }
        }
    }

    /// Gives a stream back. One that has come to nothing, since its first part was not answered, is no more.
    fn release(&self, correlation: &Correlation) {
        let mut table = self.table();
        let Some(entry) = table.entries.get_mut(correlation) else {
            return;
        };
        entry.is_leased = false;
        match entry.stream.as_ref().map(|stream| stream.bytes()) {
            _ if entry.ends => table.remove(correlation),
            None => table.remove(correlation),
            Some(bytes) => table.set_bytes(correlation, bytes),
        }
    }
}

impl Table {
    fn client(&self, owner: &Owner) -> Tally {
        self.clients.get(owner).copied().unwrap_or_default()
    }

    fn tenant(&self, owner: &Owner) -> Tally {
        self.tenants.get(&owner.tenant).copied().unwrap_or_default()
    }

    fn count(&mut self, owner: &Owner, change: impl Fn(&mut Tally)) {
        change(&mut self.all);
        let client = self.clients.entry(*owner).or_default();
        change(client);
        if client.streams == 0 {
            self.clients.remove(owner);
        }
        let tenant = self.tenants.entry(owner.tenant).or_default();
        change(tenant);
        if tenant.streams == 0 {
            self.tenants.remove(&owner.tenant);
        }
    }

    fn set_bytes(&mut self, correlation: &Correlation, bytes: usize) {
        let Some(entry) = self.entries.get_mut(correlation) else {
            return;
        };
        let had = core::mem::replace(&mut entry.bytes, bytes);
        let owner = entry.owner;
        self.count(&owner, |tally| {
            tally.bytes = tally.bytes.saturating_sub(had).saturating_add(bytes);
        });
    }

    fn remove(&mut self, correlation: &Correlation) {
        self.set_bytes(correlation, 0);
        if let Some(entry) = self.entries.remove(correlation) {
            self.count(&entry.owner, |tally| tally.streams = tally.streams.saturating_sub(1));
        }
    }
}

/// A stream on a desk: given back when this goes.
struct Lease {
    streams: Arc<Streams>,
    correlation: Correlation,
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.streams.release(&self.correlation);
    }
}

/// The streams that a batch works on.
#[derive(Default)]
pub struct Desk {
    /// Whether what comes of them takes effect in the end. Where a request is carried out apart from its message there is nobody to
    /// whom its Correlation Value would be told in time.
    settles: bool,
    leases: HashMap<Correlation, Lease>,
    /// What streams have come to by the items before the current one; nothing: they ended. Of a stream only the last state is kept,
    /// however many items of the message go on with it.
    before: HashMap<Correlation, Option<Arc<Stream>>>,
    /// The same by the current item.
    current: HashMap<Correlation, Option<Arc<Stream>>>,
}

impl Desk {
    /// That of a message, which [settles](Self::settle) it.
    #[must_use]
    pub fn of_message() -> Self {
        Self {
            settles: true,
            ..Self::default()
        }
    }

    /// The next item begins: what the one before has done is taken back no more without all.
    pub fn advance(&mut self) {
        self.before.extend(self.current.drain());
    }

    /// Takes back what the current item has done.
    pub fn rollback(&mut self) {
        self.current.clear();
    }

    /// Takes back what all items have done.
    pub fn clear(&mut self) {
        self.before.clear();
        self.current.clear();
    }

    /// Whether streams can be had here.
    ///
    /// # Errors
    /// [`Fault::FeatureNotSupported`].
    pub fn check(&self) -> Result<(), Failure> {
        if self.settles {
            Ok(())
        } else {
            let apart = "an operation by parts apart from its message";
            Err(Failure::detailed(Fault::FeatureNotSupported, apart))
        }
    }

    /// The stream with this Correlation Value, as earlier items have left it.
    ///
    /// # Errors
    /// [`Fault::CorrelationValue`]; [`Fault::Contention`] while another message works on it.
    pub fn take(
        &mut self,
        streams: &Arc<Streams>,
        value: &[u8],
        owner: Owner,
        now: Moment,
    ) -> Result<Arc<Stream>, Failure> {
        self.check()?;
        let known = Correlation::try_from(value).ok();
        let known = known.and_then(|known| self.current.get(&known).or_else(|| self.before.get(&known)));
        if let Some(stream) = known {
            return stream.clone().ok_or(Failure::new(Fault::CorrelationValue));
        }
        let (lease, stream) = match self.leases.keys().find(|correlation| *correlation == value) {
            // An earlier item failed with it: it is as it was.
            Some(correlation) => return self.leased(streams, correlation),
            None => streams.take(value, owner, now)?,
        };
        self.leases.insert(lease.correlation, lease);
        Ok(stream)
    }

    fn leased(&self, streams: &Streams, correlation: &Correlation) -> Result<Arc<Stream>, Failure> {
        let table = streams.table();
        let stream = table.entries.get(correlation).and_then(|entry| entry.stream.clone());
        stream.ok_or(Failure::new(Fault::CorrelationValue))
    }

    /// Begins a stream.
    ///
    /// # Errors
    /// [`Fault::LimitExceeded`].
    pub fn begin(
        &mut self,
        streams: &Arc<Streams>,
        correlation: Correlation,
        owner: Owner,
        now: Moment,
        stream: Stream,
    ) -> Result<(), Failure> {
        self.check()?;
        let key = stream.key.as_ref().map(|(internal_id, _)| *internal_id);
        let lease = streams.begin(correlation, owner, key, now)?;
        streams.hold(&correlation, stream.bytes())?;
        self.leases.insert(correlation, lease);
        self.current.insert(correlation, Some(Arc::new(stream)));
        Ok(())
    }

    /// What came of a stream.
    ///
    /// # Errors
    /// [`Fault::LimitExceeded`] if it would hold too much.
    pub fn keep(&mut self, streams: &Streams, correlation: Correlation, stream: Option<Stream>) -> Result<(), Failure> {
        if let Some(stream) = &stream {
            streams.hold(&correlation, stream.bytes())?;
        }
        self.current.insert(correlation, stream.map(Arc::new));
        Ok(())
    }

    /// Lets what the items have done to streams take effect: the message is committed and about to be answered.
    pub fn settle(mut self, now: Moment) {
        self.advance();
        for (correlation, stream) in self.before {
            if let Some(lease) = self.leases.get(&correlation) {
                lease.streams.settle(&correlation, stream, now);
            }
        }
    }
}
