//! Application Namespaces of a tenant (family 07): registered, they are the only ones.

use super::{desk, kek};
use crate::authority::{Granted, Target};
use crate::failure::{Failure, Fault};
use crate::identity::name::is_plain;
use crate::identity::{ApplicationRecord, kind};
use crate::objects::{Namespaces, Object, index};
use crate::operations::{Context, Handle, namespaces};
use crate::records;
use crate::store::Domain;
use kmip_protocol::{
    Namespace, NamespaceCreateRequest, NamespaceCreateResponse, NamespaceDeleteRequest, NamespaceDeleteResponse,
    NamespaceListRequest, NamespaceListResponse, NamespaceModifyRequest, NamespaceModifyResponse,
};

/// Namespaces of one tenant: they are read together.
const MOST: usize = 256;

/// Longest description, in bytes.
const LONGEST_DESCRIPTION: usize = 256;

/// Objects looked at to a page.
const PAGE: usize = 256;

impl Handle for NamespaceCreateRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<NamespaceCreateResponse, Failure> {
        judge(&self.namespace)?;
        let tenant = desk::domain(context)?;
        let mut all = namespaces::registered(context, tenant).await?;
        if all.get(&self.namespace.application_namespace).is_some() {
            return Err(Fault::Taken.into());
        }
        if all.0.len() >= MOST {
            return Err(Fault::LimitExceeded.into());
        }
        all.0.push(self.namespace.clone());
        keep(context, tenant, &all, &self.namespace.application_namespace).await?;
        Ok(NamespaceCreateResponse {})
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        target(context, &self.namespace.application_namespace)
    }
}

impl Handle for NamespaceModifyRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<NamespaceModifyResponse, Failure> {
        judge(&self.namespace)?;
        let tenant = desk::domain(context)?;
        let mut all = namespaces::registered(context, tenant).await?;
        let name = &self.namespace.application_namespace;
        let place = all.0.iter_mut().find(|one| one.application_namespace == *name);
        *place.ok_or(Failure::new(Fault::NotFound))? = self.namespace.clone();
        keep(context, tenant, &all, name).await?;
        Ok(NamespaceModifyResponse {})
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        target(context, &self.namespace.application_namespace)
    }
}

impl Handle for NamespaceDeleteRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<NamespaceDeleteResponse, Failure> {
        let tenant = desk::domain(context)?;
        let mut all = namespaces::registered(context, tenant).await?;
        let name = &self.application_namespace;
        if all.get(name).is_none() {
            return Err(Fault::NotFound.into());
        }
        // No object begins to use it between this look and the commit.
        context.work.read_guard(Namespaces::guard(tenant)).await?;
        if is_used(context, tenant, name).await? {
            return Err(Fault::InUse.into());
        }
        all.0.retain(|one| one.application_namespace != *name);
        keep(context, tenant, &all, name).await?;
        Ok(NamespaceDeleteResponse {})
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        target(context, &self.application_namespace)
    }
}

impl Handle for NamespaceListRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<NamespaceListResponse, Failure> {
        let tenant = desk::domain(context)?;
        let mut all = namespaces::registered(context, tenant).await?.0;
        all.sort_by(|a, b| a.application_namespace.cmp(&b.application_namespace));
        Ok(NamespaceListResponse { namespaces: all })
    }
}

fn judge(namespace: &Namespace) -> Result<(), Failure> {
    desk::name(&namespace.application_namespace)?;
    let description = namespace.description.as_deref().unwrap_or_default();
    if description.len() > LONGEST_DESCRIPTION || !is_plain(description) {
        return Err(Fault::InvalidField.into());
    }
    Ok(())
}

fn target(context: &Context<'_>, name: &str) -> Result<Target, Failure> {
    Ok(Target {
        description: Some(format!("namespace {name}")),
        records: vec![Namespaces::key(desk::domain(context)?)],
        ..Target::default()
    })
}

async fn keep(context: &mut Context<'_>, tenant: Domain, all: &Namespaces, name: &str) -> Result<(), Failure> {
    let key = Namespaces::key(tenant);
    kek::put(&context.services.custody, context.work, key, all.encode())
        .await
        .map_err(|why| Failure::detailed(Fault::Internal, why))?;
    desk::touch(context, "namespace", name, key)?;
    Ok(())
}

/// Whether an object that is not destroyed has Application Specific Information in this namespace.
async fn is_used(context: &mut Context<'_>, tenant: Domain, name: &str) -> Result<bool, Failure> {
    for (application, _) in desk::all(context, tenant, kind::APPLICATION, ApplicationRecord::decode).await? {
        let mut query = index::in_namespace(tenant, application, name, PAGE);
        loop {
            let hits = context.work.find(&query).await?;
            for hit in &hits {
                let Some(record) = context.work.peek(hit.key).await? else {
                    continue;
                };
                let object = Object::decode(records::open(&context.services.custody, &record)?)?;
                if object.attributes.dates().destroy.is_none() && object.attributes.namespaces().any(|own| own == name)
                {
                    return Ok(true);
                }
            }
            match hits.last() {
                Some(last) if hits.len() >= query.limit => query.before = Some(last.creation),
                _ => break,
            }
            crate::wait::breathe().await;
        }
    }
    Ok(false)
}
