//! Legacy tokens that an installation begins with (family 05, P-KMS-TNT-07): each waits for the tenant whose name it has, which begins with
//! its migration.

use super::legacy_token::{self, Import, import};
use super::{AdministrationError, desk, kek};
use crate::custody::Custody;
use crate::custody::legacy::LegacyToken;
use crate::failure::{Failure, Fault};
use crate::identity::TenantRecord;
use crate::operations::Context;
use crate::records;
use crate::store::{Domain, Key, Kind, Record, Work};

/// A legacy token of a tenant that is not there yet, in the system's domain: the text of its file. The id is the token's own.
pub const PENDING: Kind = Kind(0x2D);

const fn place(token: [u8; 16]) -> Key {
    Key {
        domain: Domain::SYSTEM,
        kind: PENDING,
        id: token,
    }
}

/// Writes one, as an installation begins.
pub async fn put(custody: &Custody, work: &mut Work, text: &str) -> Result<(), AdministrationError> {
    let (token, sealed) = LegacyToken::read(text).map_err(|_| AdministrationError::Damaged(PENDING.0))?;
    let text = token.write(&sealed);
    kek::put(custody, work, place(token.id), text.into_bytes()).await
}

/// Those that wait for the tenant of this name, with their texts.
async fn waiting(context: &mut Context<'_>, tenant: &str) -> Result<Vec<(LegacyToken, String)>, Failure> {
    let found = context.work.all(Domain::SYSTEM, PENDING).await?;
    let read = |record: &Record| -> Result<_, Failure> {
        let damaged = || Failure::detailed(Fault::Internal, "a legacy token of the beginning is damaged");
        let bytes = records::open(&context.services.custody, record)?;
        let text = core::str::from_utf8(bytes).map_err(|_| damaged())?.to_owned();
        let (token, _) = LegacyToken::read(&text).map_err(|_| damaged())?;
        Ok((token, text))
    };
    let mut all = found.iter().map(read).collect::<Result<Vec<_>, Failure>>()?;
    all.retain(|(token, _)| token.tenant == tenant);
    Ok(all)
}

/// Brings a tenant that is being made the tokens that wait for it.
pub(super) async fn bring(
    context: &mut Context<'_>,
    domain: Domain,
    tenant: &TenantRecord,
    operators: usize,
) -> Result<(), Failure> {
    let mut tenant = tenant.clone();
    for (token, text) in waiting(context, &tenant.name).await? {
        if operators < usize::from(token.threshold) {
            return Err(Fault::TooFewHolders.into());
        }
        let (token, sealed) = legacy_token::read(&text, &tenant.name)?;
        let place = place(token.id);
        let profile = desk::name(&token.name)?.to_owned();
        let what = Import {
            domain,
            tenant,
            token,
            sealed,
            profile,
        };
        tenant = import(context, what).await?;
        context.work.delete(place).await?;
    }
    Ok(())
}

/// Gives one up whose tenant is not there.
pub(super) async fn give_up(context: &mut Context<'_>, tenant: &str, name: &str) -> Result<(), Failure> {
    let mut waiting = waiting(context, tenant).await?.into_iter();
    let found = waiting.find(|(token, _)| token.name == name);
    let (token, _) = found.ok_or(Failure::new(Fault::NotFound))?;
    context.work.load(place(token.id)).await?;
    context.work.delete(place(token.id)).await?;
    desk::touch(context, "legacy token", name, place(token.id))
}
