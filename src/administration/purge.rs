//! Object Purge (family 07): the records of destroyed objects go once their tenant's retention is over. Somebody orders it; the server
//! removes some at once, and goes on by itself until all that was ordered is gone. Retention is the least time for which records stay:
//! without an order they stay longer.

use super::{desk, kek, server_act};
use crate::authority::{Granted, Origin, Target};
use crate::failure::{Failure, Fault};
use crate::identity::TenantRecord;
use crate::objects::{self, Object, index};
use crate::operations::{Context, Handle};
use crate::records;
use crate::store::{Domain, Key, Kind, Record};
use kmip_protocol::{DateTime, ObjectPurgeRequest, ObjectPurgeResponse, Operation, State, tag};
use kmip_ttlv::{Reader, Result as Read, Writer};

/// What was ordered and is not done: one record of a tenant.
pub const PURGE: Kind = Kind(0x18);

/// Records that one commit removes: few enough that other commits hardly wait for it, and that its record in the trail, which names each,
/// stays a small one.
const BATCH: usize = 100;

/// Records that are counted, so that the count costs the same however many there are.
const COUNTED: usize = 10_000;

/// Hits that may lead to nothing that can be removed, before those behind them are no longer reached.
const PASSED_OVER: usize = 1_000;

/// An order: it ends with what was due when it was given, so that whoever agreed to it knows what goes.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Order {
    /// The latest Destroy Date, in seconds since 1970.
    until: i64,
    /// How many more, if not all.
    left: Option<i64>,
    /// The proposal that it was agreed to in.
    proposal: Option<[u8; 16]>,
}

/// How far a step of an order has led.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// There is nothing more to do.
    Over,
    /// There is more to do.
    More,
    /// The tenant is suspended, and nothing is removed while it is.
    Waits,
}

impl Handle for ObjectPurgeRequest {
    /// A further order takes the place of one that is not done.
    async fn handle(&self, granted: &Granted<Self>, context: &mut Context<'_>) -> Result<ObjectPurgeResponse, Failure> {
        let tenant = desk::domain(context)?;
        let until = until(self, context, tenant).await?;
        let wanted = desk::count(self.maximum_items, usize::MAX)?;
        let removed = remove(context, tenant, until, wanted.min(BATCH), COUNTED).await?;
        let left = wanted.saturating_sub(removed.count);
        let order = Order {
            until,
            left: self.maximum_items.and_then(|_| i64::try_from(left).ok()),
            proposal: match granted.origin() {
                Origin::Proposal(id) => Some(id),
                Origin::Client | Origin::Server => None,
            },
        };
        let goes_on = left > 0 && removed.more > 0;
        keep(context, tenant, goes_on.then_some(&order)).await?;
        Ok(ObjectPurgeResponse {
            purged_count: told(removed.count),
            remaining_count: told(removed.more.min(COUNTED)),
            destroyed_until: DateTime(until),
        })
    }

    /// Bound to the tenant's settings: whoever agreed has seen which retention holds.
    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        let tenant = desk::domain(context)?;
        let until = until(self, context, tenant).await?;
        let due = count(context, tenant, until).await?;
        Ok(Target {
            description: Some(format!("{due} of destroyed objects whose retention is over")),
            records: vec![TenantRecord::key(tenant)],
            ..Target::default()
        })
    }
}

/// The latest Destroy Date of what is to go.
async fn until(request: &ObjectPurgeRequest, context: &mut Context<'_>, tenant: Domain) -> Result<i64, Failure> {
    let record = desk::read(context, TenantRecord::key(tenant), TenantRecord::decode).await?;
    let record = record.filter(|record| !record.suspended);
    let record = record.ok_or(Failure::new(Fault::PermissionDenied))?;
    let latest = latest(context, &record).ok_or(Failure::new(Fault::NoRetention))?;
    Ok(request.destroyed_until.map_or(latest, |given| latest.min(given.0)))
}

/// The latest Destroy Date whose retention is over, in seconds since 1970; none without a retention. By the clock that stands still while
/// the machine's is ahead: nobody has records removed too early by setting it.
fn latest(context: &Context<'_>, record: &TenantRecord) -> Option<i64> {
    let retention = record.settings.retention?;
    let now = context.services.clock.steady(context.now).seconds();
    Some(now.saturating_sub(i64::from(retention.0)))
}

/// Goes on with what was ordered, by so many records as one commit removes.
///
/// # Errors
/// Nothing is to be committed then.
pub async fn advance(context: &mut Context<'_>, tenant: Domain) -> Result<Step, Failure> {
    let Some(mut order) = desk::read(context, place(tenant), Order::decode).await? else {
        return Ok(Step::Over);
    };
    let record = desk::read(context, TenantRecord::key(tenant), TenantRecord::decode).await?;
    let record = record.ok_or(Failure::new(Fault::NotFound))?;
    if record.suspended {
        return Ok(Step::Waits);
    }
    let mut note = "ended: the tenant has no retention any more".to_owned();
    let mut more = false;
    if let Some(latest) = latest(context, &record) {
        let left = order.left.map_or(usize::MAX, |left| usize::try_from(left).unwrap_or(0));
        let until = order.until.min(latest);
        let removed = remove(context, tenant, until, left.min(BATCH), 1).await?;
        let left = left.saturating_sub(removed.count);
        more = removed.count > 0 && removed.more > 0 && left > 0;
        order.left = order.left.and(i64::try_from(left).ok());
        note = format!("{} records of destroyed objects", removed.count);
    }
    keep(context, tenant, more.then_some(&order)).await?;
    let mut draft = server_act(Operation::ObjectPurge.0, tenant, context.now, &note);
    draft.objects = core::mem::take(&mut context.batch.touched);
    draft.proposal = order.proposal;
    context.work.audit(draft);
    Ok(if more { Step::More } else { Step::Over })
}

/// Words for whoever may know how the tenant is: how many records are due, and whether the server removes them.
pub(super) async fn describe(context: &mut Context<'_>, tenant: Domain) -> Result<String, Failure> {
    let record = desk::read(context, TenantRecord::key(tenant), TenantRecord::decode).await?;
    let Some(until) = record.and_then(|record| latest(context, &record)) else {
        return Ok("no retention: records of destroyed objects stay for ever".to_owned());
    };
    let due = count(context, tenant, until).await?;
    let ordered = desk::read(context, place(tenant), Order::decode).await?.is_some();
    let and = if ordered { ", which are being purged" } else { "" };
    Ok(format!("{due} of destroyed objects have outlived their retention{and}"))
}

/// How many records there are of objects that were destroyed in time, in words.
async fn count(context: &mut Context<'_>, tenant: Domain, until: i64) -> Result<String, Failure> {
    let found = context
        .work
        .find(&index::destroyed(tenant, until, COUNTED))
        .await?
        .len();
    let least = if found < COUNTED { "" } else { "at least " };
    Ok(format!("{least}{found} records"))
}

/// What became of a part.
struct Removed {
    count: usize,
    /// How many are left of those that were looked for.
    more: usize,
}

/// Removes the records of objects that were destroyed first, so many at most.
async fn remove(
    context: &mut Context<'_>,
    tenant: Domain,
    until: i64,
    most: usize,
    counted: usize,
) -> Result<Removed, Failure> {
    let limit = counted.saturating_add(most).saturating_add(PASSED_OVER);
    let hits = context.work.find(&index::destroyed(tenant, until, limit)).await?;
    let (mut count, mut looked_at) = (0_usize, 0_usize);
    for hit in &hits {
        if count >= most {
            break;
        }
        looked_at = looked_at.saturating_add(1);
        if let Some(record) = context.work.load(hit.key).await?
            && remove_one(context, tenant, until, &record).await?
        {
            count = count.saturating_add(1);
        }
    }
    let more = hits.len().saturating_sub(looked_at);
    Ok(Removed { count, more })
}

/// Removes a record with its index rows, counters and Names, if it is that of an object which was destroyed in time. What cannot be read,
/// or says otherwise than the index, is left: nothing goes of which it is not certain that it may.
async fn remove_one(context: &mut Context<'_>, tenant: Domain, until: i64, record: &Record) -> Result<bool, Failure> {
    let object = match records::open(&context.services.custody, record).map(Object::decode) {
        Ok(Ok(object)) => object,
        Ok(Err(_)) | Err(_) => {
            tracing::error!(key = %record.key, "the record of a destroyed object is damaged; it is not purged");
            return Ok(false);
        }
    };
    let dates = object.attributes.dates();
    let is_over = matches!(
        dates.state(context.seconds()),
        State::Destroyed | State::DestroyedCompromised
    );
    if !is_over || dates.destroy.is_none_or(|date| date > until) || object.material.is_some() {
        return Ok(false);
    }
    for name in object.attributes.names() {
        let claim = objects::name_claim(tenant, object.application, &name.name_value);
        context.work.release(claim, record.key).await?;
    }
    context.work.delete(record.key).await?;
    context.touch(object.unique_identifier, record.key)?;
    Ok(true)
}

const fn place(tenant: Domain) -> Key {
    Key {
        domain: tenant,
        kind: PURGE,
        id: [0; 16],
    }
}

/// Keeps what is left to do, or forgets what there was.
async fn keep(context: &mut Context<'_>, tenant: Domain, order: Option<&Order>) -> Result<(), Failure> {
    let key = place(tenant);
    let Some(order) = order else {
        context.work.delete(key).await?;
        return Ok(());
    };
    kek::put(&context.services.custody, context.work, key, order.encode())
        .await
        .map_err(|why| Failure::detailed(Fault::Internal, why))
}

fn told(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

impl Order {
    fn encode(&self) -> Vec<u8> {
        let Self { until, left, proposal } = self;
        let mut writer = Writer::new();
        writer.structure(tag::TARGET, |w| {
            w.date_time(tag::DESTROYED_UNTIL, *until);
            if let Some(left) = left {
                w.long_integer(tag::REMAINING_COUNT, *left);
            }
            if let Some(proposal) = proposal {
                w.bytes(tag::PROPOSAL_IDENTIFIER, proposal);
            }
        });
        writer.into_bytes()
    }

    fn decode(bytes: &[u8]) -> Read<Self> {
        let mut reader = Reader::new(bytes);
        let order = reader.structure(tag::TARGET, |r| {
            Ok(Self {
                until: r.date_time(tag::DESTROYED_UNTIL)?,
                left: r
                    .at(tag::REMAINING_COUNT)
                    .then(|| r.long_integer(tag::REMAINING_COUNT))
                    .transpose()?,
                proposal: r
                    .at(tag::PROPOSAL_IDENTIFIER)
                    .then(|| r.array(tag::PROPOSAL_IDENTIFIER))
                    .transpose()?,
            })
        })?;
        reader.finish()?;
        Ok(order)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_reads_back_as_it_was_written() {
        for order in [
            Order {
                until: -5,
                left: None,
                proposal: None,
            },
            Order {
                until: 1_700_000_000,
                left: Some(7),
                proposal: Some([3; 16]),
            },
        ] {
            let bytes = order.encode();
            assert_eq!(Order::decode(&bytes).ok(), Some(order));
            assert!(Order::decode(&bytes[..bytes.len() - 8]).is_err());
        }
    }
}
