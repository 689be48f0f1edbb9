//! Applications of a tenant (family 06): named sets of clients that see the same objects.

use super::{client, desk};
use crate::authority::{Granted, Target};
use crate::failure::{Failure, Fault};
use crate::identity::{ApplicationRecord, ClientId, ClientRecord, Id, kind};
use crate::operations::{Context, Handle};
use kmip_protocol::{
    Application, ApplicationCreateRequest, ApplicationCreateResponse, ApplicationDeleteRequest,
    ApplicationDeleteResponse, ApplicationJoinRequest, ApplicationJoinResponse, ApplicationListRequest,
    ApplicationListResponse, DateTime,
};
use std::collections::HashMap;

impl Handle for ApplicationCreateRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<ApplicationCreateResponse, Failure> {
        let tenant = desk::domain(context)?;
        let record = ApplicationRecord {
            name: desk::name(&self.application_name)?.to_owned(),
            created_ms: context.now.0,
        };
        let id = context.services.randomness.array()?;
        let registrar = desk::Registrar::new(context);
        registrar.enroll(context).application(tenant, id, &record).await?;
        desk::touch(context, "application", &record.name, ApplicationRecord::key(tenant, id))?;
        Ok(ApplicationCreateResponse {})
    }

    async fn target(&self, _: &mut Context<'_>) -> Result<Target, Failure> {
        Ok(Target {
            description: Some(format!("application {}", self.application_name)),
            ..Target::default()
        })
    }
}

impl Handle for ApplicationListRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<ApplicationListResponse, Failure> {
        let tenant = desk::domain(context)?;
        let mut clients: HashMap<Id, Vec<String>> = HashMap::new();
        for (_, client) in desk::all(context, tenant, kind::CLIENT, ClientRecord::decode).await? {
            clients.entry(client.application).or_default().push(client.name);
        }
        let all = desk::all(context, tenant, kind::APPLICATION, ApplicationRecord::decode).await?;
        let told = all.into_iter().map(|(id, record)| {
            let mut members = clients.remove(&id).unwrap_or_default();
            members.sort();
            Application {
                application_name: record.name,
                clients: members,
                created: DateTime(record.created_ms.div_euclid(1000)),
            }
        });
        let mut applications: Vec<Application> = told.collect();
        applications.sort_by(|a, b| a.application_name.cmp(&b.application_name));
        Ok(ApplicationListResponse { applications })
    }
}

impl Handle for ApplicationDeleteRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<ApplicationDeleteResponse, Failure> {
        let tenant = desk::domain(context)?;
        let (id, record) = desk::application(context, &self.application_name).await?;
        // Nobody joins it between this look and the commit.
        let clients = ClientId { tenant, client: id }.guard();
        context.work.read_guard(clients).await?;
        let all = desk::all(context, tenant, kind::CLIENT, ClientRecord::decode).await?;
        let has_clients = all.iter().any(|(_, client)| client.application == id);
        if has_clients || desk::owns_objects(context, tenant, id).await? {
            return Err(Fault::InUse.into());
        }
        let registrar = desk::Registrar::new(context);
        registrar.enroll(context).remove_application(tenant, id).await?;
        desk::touch(context, "application", &record.name, ApplicationRecord::key(tenant, id))?;
        Ok(ApplicationDeleteResponse {})
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        let tenant = desk::domain(context)?;
        let (id, record) = desk::application(context, &self.application_name).await?;
        Ok(Target {
            description: Some(format!("application {}", record.name)),
            records: vec![ApplicationRecord::key(tenant, id)],
            ..Target::default()
        })
    }
}

impl Handle for ApplicationJoinRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<ApplicationJoinResponse, Failure> {
        let (application, _) = desk::application(context, &self.application_name).await?;
        let (id, mut record) = desk::client(context, &self.client_name).await?;
        record.application = application;
        client::keep(context, id, &record).await?;
        Ok(ApplicationJoinResponse {})
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        let (application, named) = desk::application(context, &self.application_name).await?;
        let (id, record) = desk::client(context, &self.client_name).await?;
        let joins = record.application != application;
        // Whoever leaves keys behind makes its next ones where others may read them.
        let reaches = joins
            && (desk::owns_objects(context, id.tenant, application).await?
                || desk::owns_objects(context, id.tenant, record.application).await?);
        Ok(Target {
            description: Some(format!("client {} into application {}", record.name, named.name)),
            records: vec![id.key(), ApplicationRecord::key(id.tenant, application)],
            reaches_objects: reaches,
            ..Target::default()
        })
    }
}
