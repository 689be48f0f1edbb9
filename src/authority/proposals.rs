//! Proposals in the store: found, kept, counted, and judged by what is around them now.

use super::electorate::electorate;
use super::installation::InstallationRecord;
use super::policy::{InForce, Policies, PolicyError};
use super::proposal::{PROPOSAL, ProposalRecord, Situation};
use super::quorum::Electorate;
use crate::clock::{Clock, Moment};
use crate::failure::{Failure, Fault};
use crate::identity::{ClientId, ClientRecord, Id, RecordOpener, RecordSealer, people_guard};
use crate::store::{Domain, IndexHit, IndexQuery, IndexRange, IndexRow, IndexValue, Work};
use kmip_protocol::ProposalState;
use std::sync::Arc;

/// Live proposals of one requester: more wait for decisions than anybody reads.
pub const MOST_LIVE_OF_REQUESTER: usize = 32;
/// Live proposals of a domain.
pub const MOST_LIVE_OF_DOMAIN: usize = 1000;
/// Uses of alternatives for emergencies that wait to be looked at: each rule is used once until then, and a policy has at most 64.
const MOST_OWED: usize = 1000;

/// What proposals are found by.
mod attribute {
    /// The state as last judged: a number.
    pub const STATE: u32 = 1;
    /// The requester, while it is live.
    pub const LIVE_REQUESTER: u32 = 2;
    /// By when somebody is to look at the use of an alternative for emergencies, in seconds since 1970, while nobody has.
    pub const OWED: u32 = 4;
}

/// What opens and closes records.
pub trait Keep: RecordOpener + RecordSealer {}
impl<T: RecordOpener + RecordSealer> Keep for T {}

/// The proposals of all domains.
pub struct Proposals<'a> {
    /// What opens and closes records.
    pub keeper: &'a dyn Keep,
    /// The policies in force.
    pub policies: &'a Policies,
    /// Which installation this is.
    pub installation: InstallationRecord,
    /// What time it is: timelocks and expiries stand still while the machine's clock is not to be believed.
    pub clock: &'a dyn Clock,
}

/// What is around proposals of a domain at one moment.
pub struct Surroundings {
    /// Its people.
    pub electorate: Electorate,
    /// Its policy, if one was ever put.
    pub policy: Option<Arc<InForce>>,
    installation: InstallationRecord,
    now_ms: i64,
}

impl Surroundings {
    /// The situation of a proposal. `client_remains` is asked of clients' proposals only.
    #[must_use]
    pub fn situation(&self, client_remains: bool) -> Situation<'_> {
        Situation {
            electorate: &self.electorate,
            policy_digest: self.policy.as_ref().map_or([0; 32], |policy| policy.digest),
            instance: self.installation.instance,
            epoch: self.installation.epoch,
            client_remains,
            now_ms: self.now_ms,
        }
    }
}

impl Proposals<'_> {
    /// The policy in force in a domain.
    pub async fn policy(&self, domain: Domain, work: &mut Work) -> Result<Option<Arc<InForce>>, Failure> {
        let loaded = self
            .policies
            .load(domain, work, |record| self.keeper.open(record).ok())
            .await;
        loaded.map_err(|error| match error {
            PolicyError::Store(error) => Failure::from(error),
            PolicyError::Damaged => Failure::detailed(Fault::Internal, error),
        })
    }

    /// What is around the proposals of a domain.
    pub async fn surroundings(&self, domain: Domain, now_ms: i64, work: &mut Work) -> Result<Surroundings, Failure> {
        let mut electorate = electorate(domain, work, self.keeper).await?;
        electorate.spent = self.spent(domain, work).await?;
        Ok(Surroundings {
            policy: self.policy(domain, work).await?,
            electorate,
            installation: self.installation,
            now_ms: self.clock.steady(Moment(now_ms)).0,
        })
    }

    /// The rules whose alternatives for emergencies were used and not looked at. What rests on them rests on the guard of the people, which
    /// each use bumps.
    async fn spent(&self, domain: Domain, work: &mut Work) -> Result<Vec<String>, Failure> {
        let mut spent = Vec::new();
        for hit in self.owed(domain, work).await? {
            let record = self.peek(&hit, work).await?;
            spent.extend(
                record
                    .iter()
                    .filter_map(ProposalRecord::owed)
                    .flat_map(|owed| owed.rules.clone()),
            );
        }
        Ok(spent)
    }

    /// The proposals of a domain that were carried out by an alternative for emergencies, which nobody has looked at.
    pub async fn owed(&self, domain: Domain, work: &mut Work) -> Result<Vec<IndexHit>, Failure> {
        let query = query(domain, attribute::OWED, IndexRange::Any, MOST_OWED);
        Ok(work.find(&query).await?)
    }

    /// Whether the client that made a proposal is still there; true for persons' proposals, which the electorate answers for.
    pub async fn client_remains(
        &self,
        domain: Domain,
        record: &ProposalRecord,
        now_ms: i64,
        work: &mut Work,
    ) -> Result<bool, Failure> {
        if record.requester.is_person {
            return Ok(true);
        }
        let id = ClientId {
            tenant: domain,
            client: record.requester.id,
        };
        let Some(found) = work.load(id.key()).await? else {
            return Ok(false);
        };
        let damaged = || Failure::detailed(Fault::RecordDamaged, "the record of a client is damaged");
        let bytes = self.keeper.open(&found).map_err(|_| damaged())?;
        let client = ClientRecord::decode(&bytes).map_err(|_| damaged())?;
        Ok(!client.suspended && client.expires.is_none_or(|last| now_ms.div_euclid(1000) <= last))
    }

    /// A proposal of a domain, as it was last kept: refresh it. It becomes a read of the change.
    pub async fn load(&self, domain: Domain, id: &[u8], work: &mut Work) -> Result<Option<ProposalRecord>, Failure> {
        // An identifier of another length takes the same way as one that nobody has.
        let id = <[u8; 16]>::try_from(id).unwrap_or(ProposalRecord::NOBODYS);
        let Some(record) = work.load(ProposalRecord::key(domain, id)).await? else {
            return Ok(None);
        };
        self.decode(&record).map(Some)
    }

    /// A proposal for a list: it is no read of the change.
    pub async fn peek(&self, hit: &IndexHit, work: &mut Work) -> Result<Option<ProposalRecord>, Failure> {
        let Some(record) = work.peek(hit.key).await? else {
            return Ok(None);
        };
        self.decode(&record).map(Some)
    }

    fn decode(&self, record: &crate::store::Record) -> Result<ProposalRecord, Failure> {
        let damaged = || {
            Failure::detailed(
                Fault::RecordDamaged,
                format_args!("the record {} is damaged", record.key),
            )
        };
        let bytes = self.keeper.open(record).map_err(|_| damaged())?;
        ProposalRecord::decode(&bytes).map_err(|_| damaged())
    }

    /// Keeps a proposal with its index rows. The caller has loaded it, or made it.
    pub async fn keep(&self, domain: Domain, record: &ProposalRecord, work: &mut Work) -> Result<(), Failure> {
        let key = ProposalRecord::key(domain, record.id);
        work.load(key).await?;
        let revision = work.next_revision(key);
        let sealed = self.keeper.seal(key, revision, &record.encode());
        let body = sealed.ok_or_else(|| Failure::detailed(Fault::Internal, "a proposal was not sealed"))?;
        work.put(key, body, rows(record));
        if record.is_emergency() {
            work.bump_guard(people_guard(domain));
        }
        Ok(())
    }

    /// Whether one more live proposal is within the limits of its requester and its domain. Those that have lapsed unnoticed are closed
    /// here first, if any are needed to make room.
    pub async fn has_room(
        &self,
        domain: Domain,
        requester: &Id,
        surroundings: &Surroundings,
        work: &mut Work,
    ) -> Result<bool, Failure> {
        let mine = query(
            domain,
            attribute::LIVE_REQUESTER,
            IndexRange::Equal(IndexValue::bytes(requester)),
            MOST_LIVE_OF_REQUESTER,
        );
        let live = query(domain, attribute::STATE, live_states(), MOST_LIVE_OF_DOMAIN);
        for (query, most) in [(mine, MOST_LIVE_OF_REQUESTER), (live, MOST_LIVE_OF_DOMAIN)] {
            let hits = work.find(&query).await?;
            if hits.len() >= most && !self.close_lapsed(domain, &hits, surroundings, work).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn close_lapsed(
        &self,
        domain: Domain,
        hits: &[IndexHit],
        surroundings: &Surroundings,
        work: &mut Work,
    ) -> Result<bool, Failure> {
        let mut closed = false;
        for hit in hits {
            let Some(mut record) = self.peek(hit, work).await? else {
                continue;
            };
            let remains = self.client_remains(domain, &record, surroundings.now_ms, work).await?;
            record.refresh(&surroundings.situation(remains));
            if record.is_live() {
                continue;
            }
            // From here on it is a read of the change: a vote that comes in between wins.
            let Some(mut record) = self.load(domain, &record.id, work).await? else {
                continue;
            };
            record.refresh(&surroundings.situation(remains));
            if !record.is_live() {
                self.keep(domain, &record, work).await?;
                closed = true;
            }
        }
        Ok(closed)
    }

    /// Proposals of a domain, newest first: all, or those that were live when last judged.
    pub async fn list(
        &self,
        domain: Domain,
        live_only: bool,
        before: Option<u64>,
        limit: usize,
        work: &mut Work,
    ) -> Result<Vec<IndexHit>, Failure> {
        let range = if live_only { live_states() } else { IndexRange::Any };
        let query = IndexQuery {
            before,
            ..query(domain, attribute::STATE, range, limit)
        };
        Ok(work.find(&query).await?)
    }
}

fn query(domain: Domain, attribute: u32, range: IndexRange, limit: usize) -> IndexQuery {
    IndexQuery {
        domain,
        kind: PROPOSAL,
        application: [0; 16],
        attribute,
        range,
        before: None,
        limit,
    }
}

fn live_states() -> IndexRange {
    IndexRange::Between {
        from: i64::from(ProposalState::Open.0),
        to: i64::from(ProposalState::Executing.0),
    }
}

fn rows(record: &ProposalRecord) -> Vec<IndexRow> {
    let row = |attribute, value| IndexRow {
        application: [0; 16],
        attribute,
        value,
    };
    let state = record.state();
    let mut rows = vec![row(attribute::STATE, IndexValue::number(i64::from(state.0)))];
    if record.is_live() {
        rows.push(row(attribute::LIVE_REQUESTER, IndexValue::bytes(&record.requester.id)));
    }
    if let Some(owed) = record.owed() {
        rows.push(row(attribute::OWED, IndexValue::number(owed.due_ms.div_euclid(1000))));
    }
    rows
}
