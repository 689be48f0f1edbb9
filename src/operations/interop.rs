//! Interop (KMIP 2.1 §6.1.26): the marks that tests set. It is no operation of a server that keeps keys (the specification forbids it
//! there): it exists where the settings say so and nowhere else.

use super::log::bounded;
use super::{Context, Handle};
use crate::authority::Granted;
use crate::failure::{Failure, Fault};
use crate::objects::{OBJECT, Object};
use crate::records;
use crate::wait::breathe;
use kmip_protocol::{InteropFunction, InteropRequest, InteropResponse};

impl Handle for InteropRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<InteropResponse, Failure> {
        if !context.services.about.interop {
            return Err(Fault::OperationNotSupported.into());
        }
        if self.interop_function == InteropFunction::Reset {
            let count = reset(context).await?;
            context.batch.note = Some(format!("reset: {count} objects"));
            return Ok(InteropResponse::default());
        }
        let identifier = self.interop_identifier.as_deref();
        let words = bounded(
            identifier.ok_or(Failure::new(Fault::MissingField))?,
            context.services.limits.log_bytes,
        )?;
        let word = match self.interop_function {
            InteropFunction::Begin => "begin",
            InteropFunction::End => "end",
            _ => return Err(Fault::InvalidField.into()),
        };
        tracing::info!(test = words.as_str(), function = word, "interop");
        context.batch.note = Some(format!("{word} {words}"));
        Ok(InteropResponse::default())
    }
}

/// Removes every object of the client's tenant, of whichever application, with its Names, if the tenant is one for tests.
async fn reset(context: &mut Context<'_>) -> Result<usize, Failure> {
    let client = context.client()?;
    if !client.limits.test {
        return Err(Fault::NotForTests.into());
    }
    let (tenant, most) = (client.tenant, context.services.limits.located);
    let found = context
        .services
        .store
        .scan(tenant, OBJECT, None, most.saturating_add(1))
        .await?;
    if found.len() > most {
        return Err(Fault::LimitExceeded.into());
    }
    let mut count = 0_usize;
    for record in &found {
        let Some(record) = context.work.load(record.key).await? else {
            continue;
        };
        let object = Object::decode(records::open(&context.services.custody, &record)?)?;
        let names: Vec<String> = object.attributes.names().map(|name| name.name_value.clone()).collect();
        for name in names {
            context.release_name(&object, &name).await?;
        }
        if object.attributes.dates().destroy.is_none() {
            context.count_object(-1).await?;
        }
        context.work.delete(record.key).await?;
        context.touch(object.unique_identifier, record.key)?;
        count = count.saturating_add(1);
        breathe().await;
    }
    Ok(count)
}
