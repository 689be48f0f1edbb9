//! Set Defaults, Set Constraints, Get Constraints (KMIP 2.1 §6.1.53, §6.1.52, §6.1.22): for the application of the client that asks. To
//! set them is a right of its own, since it concerns the other clients of the application as well.

use super::{Context, Handle, creation};
use crate::authority::Granted;
use crate::failure::{Failure, Fault};
use crate::objects::{Object, Standards, rules};
use crate::records;
use kmip_protocol::{
    Attributes, Constraints, DefaultsInformation, GetConstraintsRequest, GetConstraintsResponse, ObjectType,
    SetConstraintsRequest, SetConstraintsResponse, SetDefaultsRequest, SetDefaultsResponse,
};

/// Defaults or constraints of one application: each new object is compared with all.
const MOST: usize = 64;

/// Attributes, types or groups in one of them.
const MOST_NAMED: usize = 64;

impl Handle for SetDefaultsRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<SetDefaultsResponse, Failure> {
        let defaults = self.defaults_information.clone().unwrap_or_default();
        judge_defaults(&defaults)?;
        let mut standards = of_application(context).await?;
        standards.defaults = defaults;
        keep(context, &standards)?;
        Ok(SetDefaultsResponse {})
    }
}

impl Handle for SetConstraintsRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<SetConstraintsResponse, Failure> {
        let constraints = self.constraints.clone().unwrap_or_default();
        judge_constraints(&constraints)?;
        let mut standards = of_application(context).await?;
        standards.constraints = constraints;
        keep(context, &standards)?;
        Ok(SetConstraintsResponse {})
    }
}

impl Handle for GetConstraintsRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<GetConstraintsResponse, Failure> {
        let Standards { constraints, .. } = of_application(context).await?;
        Ok(GetConstraintsResponse { constraints })
    }
}

/// What the application of the client has set. What is decided on it rests on its record.
pub async fn of_application(context: &mut Context<'_>) -> Result<Standards, Failure> {
    let client = context.client()?;
    let key = Standards::key(client.tenant, client.application);
    match context.work.load(key).await? {
        Some(record) => Ok(Standards::decode(records::open(&context.services.custody, &record)?)?),
        None => Ok(Standards::default()),
    }
}

/// Judges an object that is to come into being by the constraints of its application.
///
/// # Errors
/// [`Fault::Constrained`].
pub async fn judge_new(context: &mut Context<'_>, object: &Object) -> Result<(), Failure> {
    let standards = of_application(context).await?;
    if standards.permit(object.object_type, &object.attributes) {
        Ok(())
    } else {
        Err(Fault::Constrained.into())
    }
}

fn keep(context: &mut Context<'_>, standards: &Standards) -> Result<(), Failure> {
    let client = context.client()?;
    let key = Standards::key(client.tenant, client.application);
    let revision = context.work.next_revision(key);
    let (body, _) = records::close(&context.services.custody, key, revision, standards.encode())?;
    context.work.put(key, body, Vec::new());
    context.touch("standards".to_owned(), key)
}

fn judge_defaults(defaults: &DefaultsInformation) -> Result<(), Failure> {
    at_most(defaults.object_defaults.len(), MOST)?;
    for one in &defaults.object_defaults {
        let several = one.object_types.iter().flat_map(|types| &types.object_types);
        let types: Vec<ObjectType> = one.object_type.iter().chain(several).copied().collect();
        if types.is_empty() {
            return Err(Fault::InvalidField.into());
        }
        let groups = one.object_groups.as_ref();
        judge(
            &types,
            groups.map_or(0, |groups| groups.object_groups.len()),
            &one.attributes,
        )?;
        // What a request could not say, it does not leave out either.
        for object_type in types {
            rules::at_creation(object_type, one.attributes.0.iter())?;
        }
    }
    Ok(())
}

fn judge_constraints(constraints: &Constraints) -> Result<(), Failure> {
    at_most(constraints.constraints.len(), MOST)?;
    for one in &constraints.constraints {
        let types = one.object_types.as_ref().map_or(&[][..], |types| &types.object_types);
        let groups = one.object_groups.as_ref();
        let attributes = one.attributes.clone().unwrap_or_default();
        judge(
            types,
            groups.map_or(0, |groups| groups.object_groups.len()),
            &attributes,
        )?;
        for attribute in attributes.iter() {
            rules::known(attribute)?;
        }
    }
    Ok(())
}

fn judge(types: &[ObjectType], groups: usize, attributes: &Attributes) -> Result<(), Failure> {
    for count in [types.len(), groups, attributes.0.len()] {
        at_most(count, MOST_NAMED)?;
    }
    if types.iter().all(|one| creation::KEPT.contains(one)) {
        Ok(())
    } else {
        Err(Fault::InvalidObjectType.into())
    }
}

fn at_most(count: usize, most: usize) -> Result<(), Fault> {
    if count > most {
        Err(Fault::LimitExceeded)
    } else {
        Ok(())
    }
}
