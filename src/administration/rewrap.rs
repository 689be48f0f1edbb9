//! Kek Rewrap (family 05): records that lie under one KEK, or under all that are not active, are wrapped anew under the active one. Somebody
//! orders it, and the server does it by itself, some records to a commit; only the key of a record is wrapped anew, what that key seals
//! stays as it is, and nothing that a client sees changes.

use super::reference::{MOST_NAMED, Row, TABLE, Tally, page, tally};
use super::rewrap_record::{RewrapRecord, Stage};
use super::{desk, kek, kek_life, server_act};
use crate::authority::{Granted, Target};
use crate::custody::{KekId, KekState, Sealed};
use crate::failure::{Failure, Fault};
use crate::identity::{IdentityChange, PersonId, kind};
use crate::operations::{Context, Handle, Notice};
use crate::store::{Domain, Key};
use kmip_protocol::{
    DateTime, KekRewrapGetRequest, KekRewrapGetResponse, KekRewrapRequest, KekRewrapResponse, Operation, Rewrap,
    RewrapState,
};

/// Records per second unless the request says otherwise: an HSM of a millisecond is half busy with it.
const RATE: u32 = 500;
/// No HSM, and no disk, does more.
const MOST_RATE: u32 = 100_000;
/// Records to a commit: its audit record has the state of each, and a client that changes one has the others done again.
pub const BATCH: usize = 64;
/// Records looked at before what was done is kept.
const LOOKED_AT: usize = 2_048;
/// Records to a page of a scan.
const PAGE: usize = 256;

impl Handle for KekRewrapRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<KekRewrapResponse, Failure> {
        let domain = desk::domain(context)?;
        let from = self.judge(context, domain).await?.map(|kek| kek.1);
        let rate = self.records_per_second.map_or(Ok(RATE), u32::try_from);
        let rate = rate.ok().filter(|rate| (1..=MOST_RATE).contains(rate));
        let rate = rate.ok_or(Failure::new(Fault::InvalidField))?;
        let record = RewrapRecord::new(from, rate, context.now.0);
        keep(context, domain, &record).await?;
        desk::touch(context, "rewrap of", &describe(from), RewrapRecord::key(domain))?;
        Ok(KekRewrapResponse {})
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        let domain = desk::domain(context)?;
        let from = self.judge(context, domain).await?;
        let active = active(context, domain).await?;
        Ok(Target {
            description: Some(format!(
                "records under {}, to KEK {}",
                describe(from.map(|kek| kek.1)),
                active.1
            )),
            // What was agreed to is the way from one to the other.
            records: from
                .into_iter()
                .chain([active])
                .map(|kek| kek::place(domain, kek.0))
                .collect(),
            ..Target::default()
        })
    }
}

trait Judge {
    async fn judge(&self, context: &mut Context<'_>, domain: Domain) -> Result<Option<(KekId, u32)>, Failure>;
}

impl Judge for KekRewrapRequest {
    /// The KEK that the records lie under, if one is named.
    async fn judge(&self, context: &mut Context<'_>, domain: Domain) -> Result<Option<(KekId, u32)>, Failure> {
        active(context, domain).await?;
        let Some(generation) = self.kek_generation else {
            return Ok(None);
        };
        let keks = kek_life::keks_of(context, domain).await?;
        let from = kek_life::of_generation(&keks, generation)?;
        if from.state == KekState::Active || !from.is_live() {
            return Err(Fault::KekState.into());
        }
        Ok(Some((from.id, from.generation)))
    }
}

/// The KEK that the records are to lie under.
async fn active(context: &mut Context<'_>, domain: Domain) -> Result<(KekId, u32), Failure> {
    let keks = kek_life::keks_of(context, domain).await?;
    let active = keks.iter().find(|kek| kek.state == KekState::Active);
    let active = active.ok_or(Failure::new(Fault::KekState))?;
    Ok((active.id, active.generation))
}

fn describe(from: Option<u32>) -> String {
    match from {
        Some(generation) => format!("KEK {generation}"),
        None => "all KEKs that are not active".to_owned(),
    }
}

impl Handle for KekRewrapGetRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<KekRewrapGetResponse, Failure> {
        let domain = desk::domain(context)?;
        let rewrap = load(context, domain).await?.map(told).transpose()?;
        Ok(KekRewrapGetResponse { rewrap })
    }
}

fn told(record: RewrapRecord) -> Result<Rewrap, Failure> {
    let date = |ms: i64| DateTime(ms.div_euclid(1000));
    let number = |number: u32| i32::try_from(number).map_err(|_| Failure::new(Fault::Internal));
    Ok(Rewrap {
        rewrap_state: match record.stage {
            Stage::Ended => RewrapState::Ended,
            _ if record.paused => RewrapState::Paused,
            Stage::Counting => RewrapState::Counting,
            Stage::Running => RewrapState::Running,
        },
        kek_generation: record.from.map(number).transpose()?,
        records_per_second: number(record.rate)?,
        records_done: record.done,
        records_failed: record.failed,
        records_left: record.left,
        failed_records: record.named,
        started: date(record.started_ms),
        finished: record.finished_ms.map(date),
    })
}

async fn load(context: &mut Context<'_>, domain: Domain) -> Result<Option<RewrapRecord>, Failure> {
    desk::read(context, RewrapRecord::key(domain), RewrapRecord::decode).await
}

async fn keep(context: &mut Context<'_>, domain: Domain, record: &RewrapRecord) -> Result<(), Failure> {
    let custody = &context.services.custody;
    kek::put(custody, context.work, RewrapRecord::key(domain), record.encode()).await?;
    Ok(())
}

/// How a rewrap came on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// There is none, or it has ended.
    Over,
    /// It is to go on.
    On {
        /// So many records were wrapped.
        wrapped: usize,
        /// Whether that is all that its rate permits in this turn.
        enough: bool,
    },
}

/// What has been done of a turn, and how much of it may be done at once.
#[derive(Clone, Copy)]
pub struct Pace {
    /// How long a turn is, in milliseconds: its rate is kept over that time.
    pub turn_ms: i64,
    /// Records that were wrapped in it.
    pub spent: usize,
    /// Records to a commit at most.
    pub batch: usize,
}

impl Pace {
    /// What a rate still permits in this turn.
    fn left(&self, rate: u32) -> usize {
        let turn = i64::from(rate).saturating_mul(self.turn_ms).div_euclid(1000);
        usize::try_from(turn.max(1))
            .unwrap_or(usize::MAX)
            .saturating_sub(self.spent)
    }
}

/// Comes on with the rewrap of a domain, as far as its pace permits, and leaves that in the unit of work with its audit record.
///
/// # Errors
/// An HSM that is away: nothing was done.
pub async fn advance(context: &mut Context<'_>, domain: Domain, pace: Pace) -> Result<Step, Failure> {
    let Some(mut record) = load(context, domain).await? else {
        return Ok(Step::Over);
    };
    record.paused = false;
    let left = pace.left(record.rate);
    let wrapped = match record.stage {
        Stage::Ended => return Ok(Step::Over),
        Stage::Counting => {
            count(context, domain, &mut record).await?;
            0
        }
        Stage::Running => run(context, domain, &mut record, left.min(pace.batch)).await?,
    };
    keep(context, domain, &record).await?;
    Ok(Step::On {
        wrapped,
        enough: wrapped >= left,
    })
}

/// Says that a rewrap waits for an HSM. Whether that is news.
pub async fn pause(context: &mut Context<'_>, domain: Domain) -> Result<bool, Failure> {
    let found = load(context, domain)
        .await?
        .filter(|record| record.stage != Stage::Ended);
    let Some(mut record) = found.filter(|record| !record.paused) else {
        return Ok(false);
    };
    record.paused = true;
    keep(context, domain, &record).await?;
    note(context, domain, format!("pauses: an HSM is away, {} left", record.left));
    Ok(true)
}

/// What lies where it should not.
struct Unwanted {
    active: KekId,
    from: Option<u32>,
}

impl Unwanted {
    async fn of(context: &mut Context<'_>, domain: Domain, from: Option<u32>) -> Result<Self, Failure> {
        let (active, _) = active(context, domain).await?;
        Ok(Self { active, from })
    }

    fn is(&self, sealed: &Sealed) -> bool {
        sealed.kek != self.active && self.from.is_none_or(|from| sealed.kek_generation == from)
    }
}

/// Whether what a pass is at was its last kind of record; else it goes on with the next page, or the next kind.
fn turn(record: &mut RewrapRecord, last: Option<[u8; 16]>) -> bool {
    if last.is_some() {
        record.after = last;
        return false;
    }
    record.after = None;
    record.row = record.row.saturating_add(1);
    row(record).is_none()
}

fn row(record: &RewrapRecord) -> Option<&'static Row> {
    usize::try_from(record.row).ok().and_then(|row| TABLE.get(row))
}

async fn count(context: &mut Context<'_>, domain: Domain, record: &mut RewrapRecord) -> Result<(), Failure> {
    let unwanted = Unwanted::of(context, domain, record.from).await?;
    for _ in 0..LOOKED_AT.div_euclid(PAGE) {
        let Some(row) = row(record) else {
            break;
        };
        let page = page(&context.services.store, (domain, row.kind), record.after, PAGE).await?;
        for one in &page {
            let counts = match row.holdings(&context.services.custody, one)? {
                Some(holdings) => holdings.iter().any(|holding| unwanted.is(&holding.sealed)),
                None => true,
            };
            record.found = record.found.saturating_add(i64::from(counts));
        }
        let last = page.last().filter(|_| page.len() >= PAGE).map(|last| last.key.id);
        if turn(record, last) {
            begin_pass(context, domain, record);
            return Ok(());
        }
        crate::wait::breathe().await;
    }
    Ok(())
}

/// What was counted is there to be done, unless there is nothing, or the pass before could do none of it.
fn begin_pass(context: &mut Context<'_>, domain: Domain, record: &mut RewrapRecord) {
    (record.row, record.after) = (0, None);
    record.left = core::mem::take(&mut record.found);
    if record.left == 0 || record.moved == Some(0) {
        record.stage = Stage::Ended;
        record.finished_ms = Some(context.now.0);
        let RewrapRecord { done, left, named, .. } = &*record;
        let named = named.join(", ");
        note(context, domain, format!("ended: {done} done, {left} left {named}"));
        return;
    }
    record.stage = Stage::Running;
    (record.moved, record.failed) = (Some(0), 0);
    record.named.clear();
}

async fn run(
    context: &mut Context<'_>,
    domain: Domain,
    record: &mut RewrapRecord,
    most: usize,
) -> Result<usize, Failure> {
    let unwanted = Unwanted::of(context, domain, record.from).await?;
    let mut looked_at = 0_usize;
    let mut wrapped = 0_usize;
    let mut at = String::new();
    'pages: while looked_at < LOOKED_AT {
        let Some(row) = row(record) else {
            break;
        };
        let page = page(&context.services.store, (domain, row.kind), record.after, PAGE).await?;
        for one in &page {
            if wrapped >= most {
                break 'pages;
            }
            looked_at = looked_at.saturating_add(1);
            match row.renew(context, one.key, |sealed| unwanted.is(sealed)).await? {
                Some(true) => {
                    wrapped = wrapped.saturating_add(1);
                    at = row.name_of(one.key.id);
                    tell(context, one.key);
                }
                Some(false) => {}
                None => {
                    record.failed = record.failed.saturating_add(1);
                    if record.named.len() < MOST_NAMED {
                        record.named.push(row.name_of(one.key.id));
                    }
                }
            }
            record.after = Some(one.key.id);
        }
        let last = page.last().filter(|_| page.len() >= PAGE).map(|last| last.key.id);
        if turn(record, last) {
            // Counted once more: what came in between, and what could not be done.
            (record.stage, record.row) = (Stage::Counting, 0);
            break;
        }
        crate::wait::breathe().await;
    }
    let moved = i64::try_from(wrapped).unwrap_or(i64::MAX);
    record.done = record.done.saturating_add(moved);
    record.moved = Some(record.moved.unwrap_or(0).saturating_add(moved));
    record.left = record.left.saturating_sub(moved).max(0);
    if wrapped > 0 {
        note(
            context,
            domain,
            format!("{wrapped} records, up to {at}; {} done", record.done),
        );
    }
    Ok(wrapped)
}

/// People and authorities are remembered as their records were.
fn tell(context: &mut Context<'_>, key: Key) {
    let changed = match key.kind {
        kind::PERSON => IdentityChange::Person(PersonId {
            domain: key.domain,
            person: key.id,
        }),
        kind::AUTHORITY => IdentityChange::Authority(key.domain, key.id),
        _ => return,
    };
    context.batch.notices.push(Notice::Identity(changed));
}

/// The audit record of what was done; the committer adds the state of each record that was wrapped anew.
fn note(context: &mut Context<'_>, domain: Domain, words: String) {
    let draft = server_act(Operation::KekRewrap.0, domain, context.now, &words);
    context.work.audit(draft);
}

/// Refuses what cannot be while records may lie under a KEK. What was found to be empty is not looked through again while the domain's KEKs
/// are the same: that takes seconds where there are many records, and is asked for when a request is made, put to a vote and carried out.
pub(super) async fn free(context: &Context<'_>, domain: Domain, kek: KekId) -> Result<(), Failure> {
    let as_of = context.services.store.guard(kek::guard(domain)).await?;
    if context.services.custody.emptied().has(domain, kek, as_of) {
        return Ok(());
    }
    free_now(context, domain, kek).await?;
    context.services.custody.emptied().note(domain, kek, as_of);
    Ok(())
}

/// The same, with a look at every record.
pub(super) async fn free_now(context: &Context<'_>, domain: Domain, kek: KekId) -> Result<(), Failure> {
    let tally: Tally = tally(context.services, domain).await?;
    match tally.of(kek) {
        0 => Ok(()),
        count => {
            tracing::warn!(%domain, count, unreadable = tally.unreadable, named = tally.named.join(", "), "records lie under a KEK that is to be deleted");
            let told = crate::failure::Told::records(count, tally.unreadable);
            Err(Failure::telling(Fault::KekReferenced, told))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_kept_over_a_second_and_never_stands_still() {
        let left = |rate, spent| {
            let pace = Pace {
                turn_ms: 500,
                spent,
                batch: 64,
            };
            pace.left(rate)
        };
        assert_eq!(
            (left(1, 0), left(500, 0), left(500, 200), left(500, 251)),
            (1, 250, 50, 0)
        );
    }
}
