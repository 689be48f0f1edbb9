//! Permission List: who may ask for what, as the table says.

use crate::authority::Granted;
use crate::authority::permission::PERMISSIONS;
use crate::failure::Failure;
use crate::operations::{Context, Handle};
use kmip_protocol::{Permission, PermissionListRequest, PermissionListResponse};

impl Handle for PermissionListRequest {
    async fn handle(&self, _: &Granted<Self>, _: &mut Context<'_>) -> Result<PermissionListResponse, Failure> {
        let rows = PERMISSIONS.iter().map(|row| Permission {
            operation: row.operation,
            operation_name: row.operation.name().unwrap_or_default().to_owned(),
            person_roles: row.roles().collect(),
        });
        Ok(PermissionListResponse {
            permissions: rows.filter(|row| !row.person_roles.is_empty()).collect(),
        })
    }
}
