//! Discover Versions (KMIP 2.1 §6.1.16; KMIP 1.4 §4.26).

use super::{Context, Handle};
use crate::authority::Granted;
use crate::failure::Failure;
use kmip_protocol::{DiscoverVersionsRequest, DiscoverVersionsResponse, ProtocolVersion, Version};

impl Handle for DiscoverVersionsRequest {
    async fn handle(&self, _: &Granted<Self>, _: &mut Context<'_>) -> Result<DiscoverVersionsResponse, Failure> {
        // Newest first; of those that the client lists, in the client's order of preference.
        let protocol_versions = if self.protocol_versions.is_empty() {
            Version::ALL.into_iter().rev().map(ProtocolVersion::from).collect()
        } else {
            self.protocol_versions
                .iter()
                .filter_map(|v| v.version())
                .map(ProtocolVersion::from)
                .collect()
        };
        Ok(DiscoverVersionsResponse { protocol_versions })
    }
}
