//! Query (KMIP 2.1 §6.1.40; KMIP 1.4 §4.25): what this server really does, by the peer's version.

use super::{CARRIED_OUT, Context, Handle, namespaces};
use crate::authority::{self, Granted};
use crate::failure::Failure;
use crate::identity::Principal;
use kmip_protocol::{
    CapabilityInformation, DefaultsInformation, DestroyAction, ObjectType, ProtectionStorageMask,
    ProtectionStorageMasks, QueryFunction, QueryRequest, QueryResponse, RNGMode, RNGParameters, ServerInformation,
    ShreddingAlgorithm, UnwrapMode,
};

/// The types of objects that clients can keep here.
const OBJECT_TYPES: [ObjectType; 8] = [
    ObjectType::Certificate,
    ObjectType::SymmetricKey,
    ObjectType::PublicKey,
    ObjectType::PrivateKey,
    ObjectType::SplitKey,
    ObjectType::SecretData,
    ObjectType::OpaqueObject,
    ObjectType::CertificateRequest,
];

/// Who made this server, as Query tells.
const VENDOR: &str = "Claviger";

impl Handle for QueryRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<QueryResponse, Failure> {
        let mut response = QueryResponse::default();
        for function in &self.query_functions {
            if *function == QueryFunction::QueryApplicationNamespaces
                && let Some(client) = context.principal.client()
            {
                let registered = namespaces::registered(context, client.tenant).await?;
                let names = registered.0.into_iter().map(|one| one.application_namespace);
                response.application_namespaces = names.collect();
            }
            answer(*function, context, &mut response);
        }
        Ok(response)
    }
}

fn answer(function: QueryFunction, context: &Context<'_>, response: &mut QueryResponse) {
    let version = context.version;
    let stranger = matches!(context.principal, Principal::Unregistered(_));
    match function {
        QueryFunction::QueryOperations => {
            let spoken = CARRIED_OUT
                .iter()
                .filter(|o| o.is_known_in(version))
                .filter(|o| authority::permitted(context.principal, **o));
            response.operations = spoken.copied().collect();
        }
        QueryFunction::QueryServerInformation => {
            response.vendor_identification = Some(VENDOR.into());
            response.server_information = Some(Box::new(ServerInformation {
                product_name: Some(VENDOR.into()),
                server_version: Some(env!("CARGO_PKG_VERSION").into()),
                ..ServerInformation::default()
            }));
        }
        // Whoever is not registered learns nothing more.
        _ if stranger => {}
        QueryFunction::QueryObjects => {
            response.object_types = OBJECT_TYPES.into_iter().filter(|t| t.is_known_in(version)).collect();
        }
        QueryFunction::QueryRNGs => {
            response.rng_parameters = vec![generator(context)];
        }
        QueryFunction::QueryCapabilities => {
            response.capability_information = vec![capabilities()];
        }
        QueryFunction::QueryDefaultsInformation => {
            response.defaults_information = Some(DefaultsInformation {
                object_defaults: Vec::new(),
            });
        }
        QueryFunction::QueryStorageProtectionMasks => {
            response.protection_storage_masks = Some(ProtectionStorageMasks {
                protection_storage_masks: vec![ProtectionStorageMask::Software],
            });
        }
        _ => {}
    }
}

/// What the server really does, not what a specification would like.
fn capabilities() -> CapabilityInformation {
    CapabilityInformation {
        streaming_capability: Some(false),
        asynchronous_capability: Some(true),
        attestation_capability: Some(false),
        batch_undo_capability: Some(true),
        batch_continue_capability: Some(true),
        unwrap_mode: Some(UnwrapMode::NotProcessed),
        destroy_action: Some(DestroyAction::KeyMaterialDeleted),
        shredding_algorithm: Some(ShreddingAlgorithm::Cryptographic),
        rng_mode: Some(RNGMode::SharedInstantiation),
        quantum_safe_capability: Some(true),
    }
}

/// The generator that keys come from.
pub(super) fn generator(context: &Context<'_>) -> RNGParameters {
    context.services.randomness.generator().parameters()
}
