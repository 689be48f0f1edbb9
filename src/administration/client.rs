//! Clients of a tenant (family 06): by its operators.

use super::client_settings::{judge, told_settings};
use super::lockout::Lockout;
use super::possession::Registry;
use super::{certificate, credential, desk, endpoint, user};
use crate::authority::{Granted, Target};
use crate::failure::{Failure, Fault};
use crate::identity::{
    ApplicationRecord, ClientId, ClientPasswordRecord, ClientRecord, Id, IdentityChange, IssuedCertificate,
    TenantRecord, kind, tenant_counter,
};
use crate::operations::{Context, Handle, Notice};
use kmip_protocol::{
    Client, ClientCertificate, ClientCreateRequest, ClientCreateResponse, ClientDeleteRequest, ClientDeleteResponse,
    ClientGetRequest, ClientGetResponse, ClientListRequest, ClientListResponse, ClientModifyRequest,
    ClientModifyResponse, ClientPassword, ClientResumeRequest, ClientResumeResponse, ClientSettings, ClientStatus,
    ClientSuspendRequest, ClientSuspendResponse, ClientUser, DateTime,
};
use std::collections::HashMap;

/// Credentials of one client: more than anybody rotates at a time.
const MOST_CREDENTIALS: usize = 16;

/// The shortest password of a client, in bytes: programs have no trouble with long ones.
const SHORTEST_PASSWORD: usize = 12;

impl Handle for ClientCreateRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<ClientCreateResponse, Failure> {
        let tenant = desk::domain(context)?;
        desk::name(&self.client_name)?;
        let application = match &self.application_name {
            Some(name) => desk::application(context, name).await?.0,
            None => own_application(context, &self.client_name).await?,
        };
        let mut record = ClientRecord {
            name: self.client_name.clone(),
            application,
            created_ms: context.now.0,
            ..ClientRecord::default()
        };
        if let Some(settings) = &self.settings {
            set(&mut record, settings)?;
        }
        let registry = Registry::of(context, tenant).await?;
        credential::replace(&mut record, &self.credentials, MOST_CREDENTIALS, &registry)?;
        record.password = password(context, self.password.as_ref()).await?;
        if let Some(given) = &self.user {
            record.user = Some(user::read(context, given).await?);
        }
        count(context, 1).await?;
        let client = context.services.randomness.array()?;
        keep(context, ClientId { tenant, client }, &record).await?;
        Ok(ClientCreateResponse {})
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        let mut target = Target {
            description: Some(format!("client {}", self.client_name)),
            ..Target::default()
        };
        // A client that nobody can show himself as reaches nothing yet; its first credential is asked about by itself.
        if let Some(name) = &self.application_name {
            let tenant = desk::domain(context)?;
            let (application, _) = desk::application(context, name).await?;
            target.records.push(ApplicationRecord::key(tenant, application));
            target.reaches_objects = desk::owns_objects(context, tenant, application).await?;
        }
        let none = ClientSettings::default();
        target.reaches_objects |= self
            .settings
            .as_ref()
            .is_some_and(|new| issues(new, &none) || admits(new, &none));
        Ok(target)
    }
}

impl Handle for ClientGetRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<ClientGetResponse, Failure> {
        let (id, record) = desk::client(context, &self.client_name).await?;
        let key = ApplicationRecord::key(id.tenant, record.application);
        let application = desk::read(context, key, ApplicationRecord::decode).await?;
        let application = application.map(|a| a.name).unwrap_or_default();
        let user = match &record.user {
            Some(user) => Some(user::told(user, &user::names(context, id.tenant).await?)),
            None => None,
        };
        Ok(ClientGetResponse {
            client: told(record, application, user),
        })
    }
}

impl Handle for ClientListRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<ClientListResponse, Failure> {
        let tenant = desk::domain(context)?;
        let applications = desk::all(context, tenant, kind::APPLICATION, ApplicationRecord::decode).await?;
        let names: HashMap<Id, String> = applications.into_iter().map(|(id, a)| (id, a.name)).collect();
        let all = desk::all(context, tenant, kind::CLIENT, ClientRecord::decode).await?;
        let clients: HashMap<Id, String> = all.iter().map(|(id, client)| (*id, client.name.clone())).collect();
        let told = all.into_iter().map(|(_, record)| {
            let application = names.get(&record.application).cloned().unwrap_or_default();
            let user = record.user.as_ref().map(|user| user::told(user, &clients));
            told(record, application, user)
        });
        let wanted = |client: &Client| {
            self.application_name
                .as_ref()
                .is_none_or(|name| *name == client.application_name)
        };
        let mut clients: Vec<Client> = told.filter(wanted).collect();
        clients.sort_by(|a, b| a.client_name.cmp(&b.client_name));
        Ok(ClientListResponse {
            clients: desk::part(clients, self.offset_items, self.maximum_items)?,
        })
    }
}

impl Handle for ClientModifyRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<ClientModifyResponse, Failure> {
        let (id, mut record) = desk::client(context, &self.client_name).await?;
        if let Some(new) = &self.new_name {
            desk::name(new)?.clone_into(&mut record.name);
        }
        if let Some(settings) = &self.settings {
            set(&mut record, settings)?;
        }
        if !self.credentials.is_empty() {
            let registry = Registry::of(context, id.tenant).await?;
            credential::replace(&mut record, &self.credentials, MOST_CREDENTIALS, &registry)?;
        }
        if self.password.is_some() {
            record.password = password(context, self.password.as_ref()).await?;
            Lockout::clear(id.key(), context.work);
        }
        if let Some(given) = &self.user {
            // Whoever has a certificate is not made a user, nor the other way round: its rights were agreed to as what it is.
            record.user.as_ref().ok_or(Failure::new(Fault::InvalidField))?;
            record.user = Some(user::read(context, given).await?);
        }
        keep(context, id, &record).await?;
        Ok(ClientModifyResponse {})
    }

    /// Another credential lets somebody else in; other settings may show more than before.
    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        let (id, record) = desk::client(context, &self.client_name).await?;
        let was = told_settings(&record);
        let opens = match &self.settings {
            // Who imports replaces what is there; who renews its certificate is let in for longer than was agreed to.
            Some(settings) if gains(settings.may_import, was.may_import) => true,
            Some(settings) if gains(settings.renews_certificate, was.renews_certificate) => true,
            Some(settings) => is_restricted(&was) && *settings != was,
            None => false,
        };
        let reaches = |new: &ClientSettings| issues(new, &record.settings) || admits(new, &record.settings);
        let reaches = self.settings.as_ref().is_some_and(reaches);
        let reopens = self.password.is_some() && record.password.is_some() || self.user.is_some();
        let mut target = target(context, id, &record, opens || reopens || !self.credentials.is_empty()).await?;
        target.reaches_objects |= reaches;
        Ok(target)
    }
}

impl Handle for ClientSuspendRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<ClientSuspendResponse, Failure> {
        suspend(context, &self.client_name, true).await?;
        Ok(ClientSuspendResponse {})
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        let (id, record) = desk::client(context, &self.client_name).await?;
        target(context, id, &record, false).await
    }
}

impl Handle for ClientResumeRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<ClientResumeResponse, Failure> {
        suspend(context, &self.client_name, false).await?;
        Ok(ClientResumeResponse {})
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        let (id, record) = desk::client(context, &self.client_name).await?;
        target(context, id, &record, true).await
    }
}

impl Handle for ClientDeleteRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<ClientDeleteResponse, Failure> {
        let (id, record) = desk::client(context, &self.client_name).await?;
        // What was issued to it opens nothing from now on, here or wherever else its authority is trusted.
        let now = context.seconds();
        certificate::revoke(context, &record.issued, now).await?;
        endpoint::remove_of(context, id.tenant, id.client).await?;
        let registrar = desk::Registrar::new(context);
        registrar.enroll(context).remove_client(id).await?;
        count(context, -1).await?;
        desk::touch(context, "client", &record.name, id.key())?;
        context.batch.notices.push(Notice::Identity(IdentityChange::Client(id)));
        Ok(ClientDeleteResponse {})
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        let (id, record) = desk::client(context, &self.client_name).await?;
        target(context, id, &record, false).await
    }
}

/// Writes a client, says so to those who remember it, and to the trail.
pub(super) async fn keep(context: &mut Context<'_>, id: ClientId, record: &ClientRecord) -> Result<(), Failure> {
    user::judge(record)?;
    let registrar = desk::Registrar::new(context);
    registrar.enroll(context).client(id, record).await?;
    desk::touch(context, "client", &record.name, id.key())?;
    let changed = IdentityChange::Client(id);
    context.batch.notices.push(Notice::Identity(changed));
    Ok(())
}

/// What an act upon a client acts upon; whether it opens something that there is already.
pub(super) async fn target(
    context: &mut Context<'_>,
    id: ClientId,
    record: &ClientRecord,
    opens: bool,
) -> Result<Target, Failure> {
    let reaches = opens && desk::owns_objects(context, id.tenant, record.application).await?;
    Ok(Target {
        description: Some(format!("client {}", record.name)),
        records: vec![id.key()],
        reaches_objects: reaches,
        ..Target::default()
    })
}

async fn suspend(context: &mut Context<'_>, name: &str, suspended: bool) -> Result<(), Failure> {
    let (id, mut record) = desk::client(context, name).await?;
    record.suspended = suspended;
    if !suspended {
        Lockout::clear(id.key(), context.work);
    }
    keep(context, id, &record).await
}

/// An empty application of a new client's own, with its name.
async fn own_application(context: &mut Context<'_>, name: &str) -> Result<Id, Failure> {
    let tenant = desk::domain(context)?;
    let application = context.services.randomness.array()?;
    let record = ApplicationRecord {
        name: name.to_owned(),
        created_ms: context.now.0,
    };
    let registrar = desk::Registrar::new(context);
    registrar
        .enroll(context)
        .application(tenant, application, &record)
        .await?;
    Ok(application)
}

fn set(record: &mut ClientRecord, settings: &ClientSettings) -> Result<(), Failure> {
    record.settings = judge(settings)?;
    record.expires = settings.expires.map(|end| end.0);
    Ok(())
}

/// Whether settings let a client use an authority of the tenant's that it did not.
fn issues(new: &ClientSettings, former: &ClientSettings) -> bool {
    new.issuing_certificate.is_some() && new.issuing_certificate != former.issuing_certificate
}

/// Whether a setting permits what it did not.
const fn gains(new: Option<bool>, former: Option<bool>) -> bool {
    matches!((new, former), (Some(true), None | Some(false)))
}

/// Whether settings let users in over a client's connections that did not.
fn admits(new: &ClientSettings, former: &ClientSettings) -> bool {
    gains(new.admits_users, former.admits_users)
}

/// Whether settings keep something from a client that others might show it.
fn is_restricted(settings: &ClientSettings) -> bool {
    settings.operations.is_some()
        || !(settings.object_groups.is_empty() && settings.application_namespaces.is_empty())
        || !settings.allowed_networks.is_empty()
        || settings.expires.is_some()
}

/// The user name and password as they are kept.
async fn password(
    context: &Context<'_>,
    given: Option<&ClientPassword>,
) -> Result<Option<ClientPasswordRecord>, Failure> {
    let Some(ClientPassword { username, password }) = given else {
        return Ok(None);
    };
    let username = desk::name(username)?.to_owned();
    // What is for tests alone takes the passwords that published cases print.
    if password.expose().len() < SHORTEST_PASSWORD && !context.services.about.interop {
        return Err(Fault::WeakPassword.into());
    }
    Ok(Some(ClientPasswordRecord {
        hash: super::password::hash(context.services, context.principal.into(), password).await?,
        username,
    }))
}

/// Counts a client more or less against the tenant's quota.
async fn count(context: &mut Context<'_>, change: i64) -> Result<(), Failure> {
    let tenant = desk::domain(context)?;
    let record = desk::read(context, TenantRecord::key(tenant), TenantRecord::decode).await?;
    let quota = record.and_then(|record| record.settings.client_quota);
    let most = if change > 0 {
        quota.unwrap_or(i64::MAX)
    } else {
        i64::MAX
    };
    let key = TenantRecord::counters(tenant);
    let bounds = (i64::MIN, most);
    match context
        .work
        .adjust(key, tenant_counter::CLIENTS, change, bounds)
        .await?
    {
        Ok(_) => Ok(()),
        Err(_) => Err(Fault::QuotaExceeded.into()),
    }
}

fn told_certificate(issued: &IssuedCertificate) -> ClientCertificate {
    ClientCertificate {
        key_fingerprint: issued.key.to_vec(),
        expires: DateTime(issued.not_after),
    }
}

fn told(record: ClientRecord, application_name: String, user: Option<ClientUser>) -> Client {
    Client {
        settings: told_settings(&record),
        client_status: if record.suspended {
            ClientStatus::Suspended
        } else {
            ClientStatus::Active
        },
        application_name,
        created: DateTime(record.created_ms.div_euclid(1000)),
        credentials: credential::told(&record),
        username: record.password.map(|p| p.username),
        certificates: record.issued.iter().map(told_certificate).collect(),
        client_name: record.name,
        user,
    }
}
