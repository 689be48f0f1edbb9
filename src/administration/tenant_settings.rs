//! Settings of a tenant: judged when they are set, so that each request can rely on them.

use super::desk;
use crate::failure::{Failure, Fault};
use crate::identity::{ApplicationRecord, TenantRecord, kind, tenant_counter};
use crate::objects::{Kept, index};
use crate::operations::Context;
use crate::records;
use crate::store::Domain;
use kmip_protocol::{CryptoProfile, TenantSettings};

/// Objects looked at to a page.
const PAGE: usize = 256;

/// The longest retention, in seconds: a hundred years. Who wants records to stay for longer sets none.
const LONGEST_RETENTION: u32 = 100 * 365 * 24 * 60 * 60;

/// Settings as they are kept.
pub(super) fn judge(settings: &TenantSettings) -> Result<TenantSettings, Failure> {
    let TenantSettings {
        crypto_profile,
        object_quota,
        client_quota,
        retention,
        plaintext_get: _,
        requests_per_second,
        test_tenant: _,
    } = settings;
    let remains = retention.is_none_or(|retention| retention.0 <= LONGEST_RETENTION);
    let profile = crypto_profile.is_none_or(|profile| CryptoProfile::ALL.contains(&profile));
    let quotas = [object_quota, client_quota]
        .into_iter()
        .flatten()
        .all(|quota| *quota >= 0);
    let rate = requests_per_second.is_none_or(|rate| rate > 0);
    if profile && quotas && rate && remains {
        Ok(settings.clone())
    } else {
        Err(Fault::InvalidField.into())
    }
}

/// Counts the objects that a tenant has, where none were counted before: from now on each request adds or takes its own.
pub(super) async fn count_objects(context: &mut Context<'_>, tenant: Domain) -> Result<(), Failure> {
    let mut count = 0_i64;
    for (application, _) in desk::all(context, tenant, kind::APPLICATION, ApplicationRecord::decode).await? {
        let mut query = index::first(tenant, application);
        query.limit = PAGE;
        loop {
            let hits = context.work.find(&query).await?;
            for hit in &hits {
                let Some(record) = context.work.peek(hit.key).await? else {
                    continue;
                };
                let object = Kept::read(records::open(&context.services.custody, &record)?)?;
                if object.attributes.dates()?.destroy.is_none() {
                    count = count.saturating_add(1);
                }
            }
            match hits.last() {
                Some(last) if hits.len() >= PAGE => query.before = Some(last.creation),
                _ => break,
            }
            crate::wait::breathe().await;
        }
    }
    let key = TenantRecord::counters(tenant);
    context.work.set_counter(key, tenant_counter::OBJECTS, count);
    Ok(())
}
