//! Records that are not as the change trail has them: told, and released once people have looked. Whose they are decides who sees them:
//! the people of a tenant those of their tenant, administrators and system auditors all.

use super::desk;
use super::hsm_profile::{LINKS, PROFILE, STAGED};
use super::kek::{KEK, RECORD_KEY};
use super::legacy_pending::PENDING as LEGACY_PENDING;
use super::legacy_token::LEGACY_TOKEN;
use super::rewrap_record::REWRAP;
use super::tenant_purge::DOOM;
use crate::audit::RecordState;
use crate::authority::policy::POLICY;
use crate::authority::{GROUP, Granted, INSTALLATION, Target};
use crate::custody::sharing::SHARING;
use crate::failure::{Failure, Fault};
use crate::identity::TenantRecord;
use crate::objects::{OBJECT, Object};
use crate::operations::{Context, Handle, Notice};
use crate::records;
use crate::scrub::{Barrier, Cursor, FINDING, Finding, findings};
use crate::store::{Domain, Key, Kind, Record, mark};
use kmip_protocol::{
    DateTime, QuarantineListRequest, QuarantineListResponse, QuarantineReleaseRequest, QuarantineReleaseResponse,
    RecordFault, StateVerifyRequest, StateVerifyResponse,
};
use kmip_ttlv::Hex;

/// Where the comparison that finds such records stands.
const CURSOR: Kind = Cursor::KEY.kind;

/// What is done about a record that is not as the trail has it.
#[must_use]
pub const fn barrier(key: Key) -> Barrier {
    let system = key.domain.0;
    match key.kind {
        OBJECT => Barrier::Room,
        INSTALLATION => Barrier::Told,
        // Their own sealing protects them, and without them nothing could be opened at all.
        KEK | RECORD_KEY | PROFILE | LINKS | STAGED | SHARING | LEGACY_TOKEN | LEGACY_PENDING => Barrier::Told,
        // What is under way goes on with a look at what there is; and nothing could be held by findings that are held.
        REWRAP | DOOM | FINDING | CURSOR => Barrier::Told,
        // Nobody could release anything without the system's policy and groups.
        POLICY | GROUP if is_zero(&system) => Barrier::Told,
        _ => Barrier::Store,
    }
}

const fn is_zero(bytes: &[u8; 16]) -> bool {
    u128::from_be_bytes(*bytes) == 0
}

impl Handle for StateVerifyRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<StateVerifyResponse, Failure> {
        let count = seen(context).await?.len();
        let mut progress = context.services.quarantine.progress();
        if self.verify_now == Some(true) {
            progress.wanted = true;
        }
        let last = progress.last.as_ref();
        let moment = |ms: i64| DateTime(ms.div_euclid(1000));
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        Ok(StateVerifyResponse {
            verifying: progress.wanted || progress.under_way,
            begun: last.map(|last| moment(last.begun_ms)),
            ended: last.map(|last| moment(last.ended_ms)),
            records_compared: last.map(|last| number(last.compared)),
            trail_records: last.map(|last| number(last.trail)),
            trail_faults: last.map_or_else(Vec::new, |last| {
                last.trail_faults.iter().map(ToString::to_string).collect()
            }),
            findings: i32::try_from(count).unwrap_or(i32::MAX),
        })
    }
}

impl Handle for QuarantineListRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<QuarantineListResponse, Failure> {
        let mut all = seen(context).await?;
        all.sort_by_key(|finding| (core::cmp::Reverse(finding.found_ms), finding.key));
        let mut told = Vec::new();
        for finding in desk::part(all, self.offset_items, self.maximum_items)? {
            told.push(tell(context, &finding).await?);
        }
        Ok(QuarantineListResponse { findings: told })
    }
}

impl Handle for QuarantineReleaseRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<QuarantineReleaseResponse, Failure> {
        let (place, finding) = find(context, &self.finding_identifier).await?;
        let key = finding.key;
        let row = row(context, key).await?;
        // What has no right MAC opens for nobody, whoever agrees.
        if let Some(row) = &row
            && records::open(&context.services.custody, row).is_err()
        {
            return Err(Fault::RecordDamaged.into());
        }
        context.work.delete(place).await?;
        context.work.accept(RecordState {
            domain: key.domain.0,
            kind: key.kind.0,
            id: key.id,
            left: row.map(|row| (row.revision.0, mark(&row.body))),
            accepted: true,
        });
        context.batch.notices.push(Notice::Quarantine);
        let name = name(context, key).await?;
        desk::touch(context, "finding about", &name, place)?;
        Ok(QuarantineReleaseResponse {})
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        let (place, finding) = find(context, &self.finding_identifier).await?;
        Ok(Target {
            description: Some(format!("{} as it is now", name(context, finding.key).await?)),
            records: vec![place],
            ..Target::default()
        })
    }
}

/// The findings that whoever asks may see.
async fn seen(context: &Context<'_>) -> Result<Vec<Finding>, Failure> {
    let domain = desk::domain(context)?;
    let mut all = findings(&context.services.store, &context.services.custody).await?;
    all.retain(|finding| may_see(domain, finding));
    Ok(all)
}

fn may_see(domain: Domain, finding: &Finding) -> bool {
    domain == Domain::SYSTEM || finding.key.domain == domain
}

/// The finding of this identifier, if it is one that whoever asks may see.
async fn find(context: &mut Context<'_>, identifier: &[u8]) -> Result<(Key, Finding), Failure> {
    let id = identifier.try_into().map_err(|_| Failure::new(Fault::NotFound))?;
    let place = Finding::at(id);
    let domain = desk::domain(context)?;
    let found = desk::read(context, place, Finding::decode).await?;
    let found = found.filter(|finding| may_see(domain, finding));
    Ok((place, found.ok_or(Failure::new(Fault::NotFound))?))
}

/// The row at a key as it lies in the store, held or not.
async fn row(context: &Context<'_>, key: Key) -> Result<Option<Record>, Failure> {
    let rows = context.services.store.rows(key, 1).await?;
    Ok(rows.into_iter().next().filter(|row| row.key == key))
}

/// What people know a record by: an object by its Unique Identifier, if that can be read; others by kind and number.
async fn name(context: &Context<'_>, key: Key) -> Result<String, Failure> {
    if key.kind == OBJECT
        && let Some(row) = row(context, key).await?
        && let Ok(body) = records::open(&context.services.custody, &row)
        && let Ok(object) = Object::decode(body)
    {
        return Ok(format!("object {}", object.unique_identifier));
    }
    Ok(format!("record {:02x}/{}", key.kind.0, Hex(&key.id)))
}

async fn tell(context: &mut Context<'_>, finding: &Finding) -> Result<kmip_protocol::Finding, Failure> {
    let key = finding.key;
    let tenant_name = match key.domain {
        Domain::SYSTEM => None,
        tenant => Some(tenant_name(context, tenant).await?),
    };
    Ok(kmip_protocol::Finding {
        finding_identifier: Finding::place(key).id.to_vec(),
        tenant_name,
        record_name: name(context, key).await?,
        record_fault: RecordFault(finding.wrong.number()),
        found: DateTime(finding.found_ms.div_euclid(1000)),
        held: context.services.quarantine.holds(key),
    })
}

/// Its number, where the tenant's own record cannot be read.
async fn tenant_name(context: &mut Context<'_>, tenant: Domain) -> Result<String, Failure> {
    let row = row(context, TenantRecord::key(tenant)).await?;
    let record = row.and_then(|row| {
        let body = records::open(&context.services.custody, &row).ok()?;
        TenantRecord::decode(body).ok()
    });
    Ok(record.map_or_else(|| tenant.to_string(), |record| record.name))
}
