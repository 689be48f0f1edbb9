//! Application Namespaces, as requests meet them: where a tenant has registered some, there are no others (KMIP 2.1 §4.1).

use super::Context;
use crate::failure::{Failure, Fault};
use crate::objects::Namespaces;
use crate::records;
use crate::store::Domain;
use kmip_protocol::{ApplicationSpecificInformation, Attribute};

/// The namespaces that a tenant has registered. What is decided on them rests on their record.
pub async fn registered(context: &mut Context<'_>, tenant: Domain) -> Result<Namespaces, Failure> {
    match context.work.load(Namespaces::key(tenant)).await? {
        Some(record) => Ok(Namespaces::decode(records::open(&context.services.custody, &record)?)?),
        None => Ok(Namespaces::default()),
    }
}

/// Judges Application Specific Information that a request gives to an object.
///
/// # Errors
/// [`Fault::ApplicationNamespace`] if its namespace is not registered, or the server makes no data in it and none is given.
pub async fn judge<'a>(context: &mut Context<'_>, given: impl Iterator<Item = &'a Attribute>) -> Result<(), Failure> {
    let given: Vec<&ApplicationSpecificInformation> = given.filter_map(information).collect();
    if given.is_empty() {
        return Ok(());
    }
    let tenant = context.client()?.tenant;
    let registered = registered(context, tenant).await?;
    if registered.0.is_empty() {
        return Ok(());
    }
    for information in given {
        let namespace = registered.get(&information.application_namespace);
        let namespace = namespace.ok_or(Failure::new(Fault::ApplicationNamespace))?;
        if information.application_data.is_none() && !namespace.generated_data {
            return Err(Fault::ApplicationNamespace.into());
        }
    }
    context.work.bump_guard(Namespaces::guard(tenant));
    Ok(())
}

/// Application Data that the client left to the server (KMIP 2.1 §4.4).
pub fn completed(context: &Context<'_>, attribute: &Attribute) -> Result<Option<Attribute>, Failure> {
    match information(attribute) {
        Some(information) if information.application_data.is_none() => {
            let application_data = Some(super::creation::new_identifier(context)?);
            Ok(Some(Attribute::ApplicationSpecificInformation(
                ApplicationSpecificInformation {
                    application_data,
                    ..information.clone()
                },
            )))
        }
        _ => Ok(None),
    }
}

const fn information(attribute: &Attribute) -> Option<&ApplicationSpecificInformation> {
    match attribute {
        Attribute::ApplicationSpecificInformation(information) => Some(information),
        _ => None,
    }
}
