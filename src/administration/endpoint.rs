//! Endpoints of a tenant's clients (family 06): where messages go, by the tenant's operators. Whoever chooses the address of one chooses who
//! gets the keys that the client will make; so that is asked about like access to keys that there are.

use super::{backlog, desk, kek};
use crate::authority::{Granted, Target};
use crate::failure::{Failure, Fault};
use crate::identity::{ClientRecord, Id, kind};
use crate::operations::{Context, Handle};
use crate::outbox::{self, ENDPOINT, EndpointId, EndpointRecord, TRIAL, address};
use crate::store::{Domain, Taken};
use kmip_protocol::{
    DateTime, Endpoint, EndpointCreateRequest, EndpointCreateResponse, EndpointDeleteRequest, EndpointDeleteResponse,
    EndpointGetRequest, EndpointGetResponse, EndpointListRequest, EndpointListResponse, EndpointState,
    EndpointTestRequest, EndpointTestResponse, Version,
};
use std::collections::HashMap;
use std::time::Duration;

/// Endpoints of one tenant: each commit that writes an object looks at all of them.
const MOST: usize = 256;

/// Objects and groups that one endpoint names.
const MOST_NAMED: usize = 256;

/// Longest name of an object or a group, in bytes.
const LONGEST: usize = 256;

/// How long a test's outcome is waited for: it is told in its own time, unless nobody takes it up.
const PATIENCE: Duration = TRIAL.saturating_add(Duration::from_secs(5));

impl Handle for EndpointCreateRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<EndpointCreateResponse, Failure> {
        let (client, _) = desk::client(context, &self.endpoint.client_name).await?;
        let record = record(context, &self.endpoint, client.client)?;
        let tenant = client.tenant;
        if desk::all(context, tenant, ENDPOINT, EndpointRecord::decode)
            .await?
            .len()
            >= MOST
        {
            return Err(Fault::LimitExceeded.into());
        }
        let id = EndpointId {
            domain: tenant,
            id: context.services.randomness.array()?,
        };
        let claim = EndpointRecord::name_claim(tenant, &record.name);
        match context.work.take(claim, id.key()).await? {
            Taken::Yes => {}
            Taken::By(_) => return Err(Fault::Taken.into()),
        }
        let custody = &context.services.custody;
        kek::put(custody, context.work, id.key(), record.encode()).await?;
        desk::touch(context, "endpoint", &record.name, id.key())?;
        Ok(EndpointCreateResponse {})
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        let (client, record) = desk::client(context, &self.endpoint.client_name).await?;
        let (name, address) = (&self.endpoint.endpoint_name, &self.endpoint.endpoint_address);
        let place = address.as_deref().unwrap_or("its own connection");
        Ok(Target {
            description: Some(format!("endpoint {name} of client {}, at {place}", record.name)),
            records: vec![client.key()],
            // On its own connection a client gets what it could ask for.
            reaches_objects: address.is_some(),
            ..Target::default()
        })
    }
}

impl Handle for EndpointGetRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<EndpointGetResponse, Failure> {
        let (id, record) = named(context, &self.endpoint_name).await?;
        let client = desk::read(context, record.client(id.domain).key(), ClientRecord::decode).await?;
        let client = client.map(|client| client.name).unwrap_or_default();
        Ok(EndpointGetResponse {
            endpoint_state: told(context, id, record, client).await?,
        })
    }
}

impl Handle for EndpointListRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<EndpointListResponse, Failure> {
        let tenant = desk::domain(context)?;
        let clients = desk::all(context, tenant, kind::CLIENT, ClientRecord::decode).await?;
        let clients: HashMap<Id, String> = clients.into_iter().map(|(id, client)| (id, client.name)).collect();
        let mut endpoint_states = Vec::new();
        for (id, record) in desk::all(context, tenant, ENDPOINT, EndpointRecord::decode).await? {
            let client = clients.get(&record.client).cloned().unwrap_or_default();
            let id = EndpointId { domain: tenant, id };
            endpoint_states.push(told(context, id, record, client).await?);
        }
        endpoint_states.sort_by(|a, b| a.endpoint.endpoint_name.cmp(&b.endpoint.endpoint_name));
        Ok(EndpointListResponse { endpoint_states })
    }
}

impl Handle for EndpointDeleteRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<EndpointDeleteResponse, Failure> {
        let (id, record) = named(context, &self.endpoint_name).await?;
        outbox::remove_endpoint(context.work, id, &record).await?;
        desk::touch(context, "endpoint", &record.name, id.key())?;
        Ok(EndpointDeleteResponse {})
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        target(context, &self.endpoint_name).await
    }
}

impl Handle for EndpointTestRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<EndpointTestResponse, Failure> {
        let (id, record) = named(context, &self.endpoint_name).await?;
        if record.address.is_none() {
            // The client comes by itself.
            return Err(Fault::InvalidField.into());
        }
        let told = context.services.outbox.try_out(id);
        let told = told.ok_or(Failure::new(Fault::LimitExceeded))?;
        let endpoint_trouble = match tokio::time::timeout(PATIENCE, told).await {
            Ok(Ok(trouble)) => trouble,
            Ok(Err(_)) | Err(_) => Some("nobody carries messages at present".to_owned()),
        };
        Ok(EndpointTestResponse { endpoint_trouble })
    }

    async fn target(&self, context: &mut Context<'_>) -> Result<Target, Failure> {
        target(context, &self.endpoint_name).await
    }
}

/// Removes the endpoints of a client that is deleted.
pub(super) async fn remove_of(context: &mut Context<'_>, tenant: Domain, client: Id) -> Result<(), Failure> {
    for (id, record) in desk::all(context, tenant, ENDPOINT, EndpointRecord::decode).await? {
        if record.client == client {
            let id = EndpointId { domain: tenant, id };
            outbox::remove_endpoint(context.work, id, &record).await?;
            desk::touch(context, "endpoint", &record.name, id.key())?;
        }
    }
    Ok(())
}

async fn target(context: &mut Context<'_>, name: &str) -> Result<Target, Failure> {
    let (id, record) = named(context, name).await?;
    Ok(Target {
        description: Some(format!("endpoint {}", record.name)),
        records: vec![id.key()],
        ..Target::default()
    })
}

/// The endpoint of this name.
async fn named(context: &mut Context<'_>, name: &str) -> Result<(EndpointId, EndpointRecord), Failure> {
    let domain = desk::domain(context)?;
    let claim = EndpointRecord::name_claim(domain, name);
    let (id, record) = desk::claimed(context, claim, ENDPOINT, EndpointRecord::decode).await?;
    Ok((EndpointId { domain, id }, record))
}

/// An endpoint as it is to be kept.
///
/// # Errors
/// [`Fault::InvalidField`]: an address without the certificate that it must show, or the other way round; an address of no entry of the
/// allow-list's, as far as it says so without being looked up.
fn record(context: &Context<'_>, wanted: &Endpoint, client: Id) -> Result<EndpointRecord, Failure> {
    let invalid = || Failure::new(Fault::InvalidField);
    let pin = wanted.certificate_fingerprint.as_deref();
    let pin: Option<[u8; 32]> = pin.map(TryInto::try_into).transpose().map_err(|_| invalid())?;
    if wanted.endpoint_address.is_some() != pin.is_some() || !(wanted.sends_objects || wanted.sends_changes) {
        return Err(invalid());
    }
    if let Some(address) = &wanted.endpoint_address {
        let (host, port) = address::split(address).ok_or_else(invalid)?;
        let allowed = &context.services.outbox.allowed;
        let literal = host.parse().ok();
        let refused = literal.is_some_and(|host| !allowed.permits(std::net::SocketAddr::new(host, port)));
        if allowed.is_empty() || refused {
            return Err(Fault::PermissionDenied.into());
        }
    }
    let version = wanted.protocol_version.unwrap_or_else(|| Version::NEWEST.into());
    version.version().ok_or_else(invalid)?;
    let names = || wanted.unique_identifiers.iter().chain(&wanted.object_groups);
    if names().count() > MOST_NAMED {
        return Err(Fault::LimitExceeded.into());
    }
    if names().any(|name| name.is_empty() || name.len() > LONGEST) {
        return Err(invalid());
    }
    Ok(EndpointRecord {
        name: desk::name(&wanted.endpoint_name)?.to_owned(),
        client,
        address: wanted.endpoint_address.clone(),
        pin,
        version,
        puts: wanted.sends_objects,
        notifies: wanted.sends_changes,
        objects: wanted.unique_identifiers.clone(),
        groups: wanted.object_groups.clone(),
        created_ms: context.now.0,
    })
}

async fn told(
    context: &mut Context<'_>,
    id: EndpointId,
    record: EndpointRecord,
    client_name: String,
) -> Result<EndpointState, Failure> {
    let report = context.services.outbox.reports.of(id);
    let moment = |ms: i64| DateTime(ms.div_euclid(1000));
    let backlog = backlog::of(context, id).await?;
    Ok(EndpointState {
        endpoint: Endpoint {
            endpoint_name: record.name,
            client_name,
            endpoint_address: record.address,
            certificate_fingerprint: record.pin.map(|pin| pin.to_vec()),
            protocol_version: Some(record.version),
            sends_objects: record.puts,
            sends_changes: record.notifies,
            unique_identifiers: record.objects,
            object_groups: record.groups,
        },
        created: moment(record.created_ms),
        messages_waiting: backlog.waiting,
        messages_lost: backlog.lost,
        last_answered: report.answered_ms.map(moment),
        endpoint_trouble: report.trouble,
        oldest_message: backlog.oldest_ms.map(moment),
    })
}
