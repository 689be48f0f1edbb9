//! Users: clients without a certificate of their own, who show a user name and password over the connections of other clients.

use super::desk;
use crate::failure::{Failure, Fault};
use crate::identity::{ClientRecord, Id, UserRecord, kind};
use crate::operations::Context;
use crate::store::Domain;
use kmip_protocol::ClientUser;
use std::collections::HashMap;

/// Clients over whose connections one user is admitted: whoever has more names none.
const MOST_CONNECTIONS: usize = 64;

/// What a client that is deleted is called where a user was bound to it.
const DELETED: &str = "(deleted)";

/// Over which connections a user is to be admitted, as it is kept.
pub(super) async fn read(context: &mut Context<'_>, given: &ClientUser) -> Result<UserRecord, Failure> {
    if given.connection_clients.len() > MOST_CONNECTIONS {
        return Err(Fault::LimitExceeded.into());
    }
    let mut connections = Vec::with_capacity(given.connection_clients.len());
    for name in &given.connection_clients {
        let (id, client) = desk::client(context, name).await?;
        if client.user.is_some() {
            return Err(Fault::InvalidField.into());
        }
        connections.push(id.client);
    }
    Ok(UserRecord { connections })
}

/// The names of a tenant's clients.
pub(super) async fn names(context: &Context<'_>, tenant: Domain) -> Result<HashMap<Id, String>, Failure> {
    let all = desk::all(context, tenant, kind::CLIENT, ClientRecord::decode).await?;
    Ok(all.into_iter().map(|(id, client)| (id, client.name)).collect())
}

/// Over which connections a user is admitted, as it is told.
pub(super) fn told(user: &UserRecord, names: &HashMap<Id, String>) -> ClientUser {
    let name = |id: &Id| names.get(id).cloned().unwrap_or_else(|| DELETED.to_owned());
    ClientUser {
        connection_clients: user.connections.iter().map(name).collect(),
    }
}

/// Whether a client is one thing: a user, by its password alone, or what is known by a certificate. Whoever admits users over its
/// connections shows no password of its own: one header has one user name.
pub(super) fn judge(client: &ClientRecord) -> Result<(), Failure> {
    let admits = client.settings.admits_users == Some(true);
    let fits = match &client.user {
        Some(_) => client.password.is_some() && client.credentials.is_empty() && !admits,
        None => !(admits && client.password.is_some()),
    };
    if fits { Ok(()) } else { Err(Fault::InvalidField.into()) }
}
