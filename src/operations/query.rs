//! Query (KMIP 2.1 §6.1.40; KMIP 1.4 §4.25): what this server really does, by the peer's version.

use super::creation::{KEPT, STORAGE};
use super::{CARRIED_OUT, Context, Handle, namespaces, profiles, standards};
use crate::authority::{self, Granted};
use crate::failure::{Failure, Fault};
use crate::identity::{Principal, Session};
use crate::objects::OBJECT;
use crate::objects::index::{Lookup, best_lookup};
use crate::store::IndexQuery;
use kmip_protocol::{
    Attribute, AttributePattern, CapabilityInformation, ClientRegistrationMethod, DefaultsInformation, DestroyAction,
    Extension, ExtensionInformation, Operation, ProtectionStorageMasks, QueryFunction, QueryRequest, QueryResponse,
    RNGMode, RNGParameters, ServerInformation, ShreddingAlgorithm, UnwrapMode,
};
use std::sync::LazyLock;

/// Operations from this number on are extensions (KMIP 2.1 §11.36).
const FIRST_EXTENSION: u32 = 0x8000_0000;

/// Our extensions, from the rows: they do not change while the server runs.
static EXTENSIONS: LazyLock<Vec<Extension>> = LazyLock::new(kmip_protocol::extensions);

/// Who made this server, as Query tells.
const VENDOR: &str = "Claviger";

impl Handle for QueryRequest {
    async fn handle(&self, _: &Granted<Self>, context: &mut Context<'_>) -> Result<QueryResponse, Failure> {
        let mut response = QueryResponse::default();
        if self.query_functions.is_empty() {
            return Err(Fault::MissingField.into());
        }
        if self.query_functions.iter().any(|one| one.name().is_none()) {
            return Err(Fault::InvalidField.into());
        }
        let groups = self
            .object_groups
            .as_ref()
            .map_or(&[][..], |groups| &groups.object_groups);
        if context.principal.client().is_some() {
            answer_client(&self.query_functions, groups, context, &mut response).await?;
        }
        for function in &self.query_functions {
            answer(*function, context, &mut response);
        }
        Ok(response)
    }
}

/// What a client is told of its tenant and its application.
async fn answer_client(
    functions: &[QueryFunction],
    groups: &[String],
    context: &mut Context<'_>,
    response: &mut QueryResponse,
) -> Result<(), Failure> {
    let client = context.client()?;
    let tenant = client.tenant;
    if functions.contains(&QueryFunction::QueryApplicationNamespaces) {
        let registered = namespaces::registered(context, tenant).await?;
        let names = registered.0.into_iter().map(|one| one.application_namespace);
        response.application_namespaces = names.collect();
    }
    if functions.contains(&QueryFunction::QueryDefaultsInformation) {
        let standards = standards::of_application(context).await?;
        if groups.len() > context.services.limits.patterns {
            return Err(Fault::LimitExceeded.into());
        }
        for group in groups {
            if !standards.names_group(group) && !has_members(context, group).await? {
                return Err(Fault::UnknownObjectGroup.into());
            }
        }
        response.defaults_information = Some(DefaultsInformation {
            object_defaults: standards.defaults_of(groups),
        });
    }
    Ok(())
}

/// Whether some object of the application is in an Object Group.
async fn has_members(context: &mut Context<'_>, group: &str) -> Result<bool, Failure> {
    let client = context.client()?;
    let pattern = AttributePattern::exactly(&Attribute::ObjectGroup(group.to_owned()));
    let Lookup { attribute, range } = best_lookup(&[pattern]);
    let query = IndexQuery {
        domain: client.tenant,
        kind: OBJECT,
        application: client.application,
        attribute,
        range,
        before: None,
        limit: 1,
    };
    Ok(!context.work.find(&query).await?.is_empty())
}

fn answer(function: QueryFunction, context: &Context<'_>, response: &mut QueryResponse) {
    let version = context.version;
    let stranger = is_stranger(context.principal);
    match function {
        QueryFunction::QueryOperations => {
            let spoken = CARRIED_OUT
                .iter()
                .filter(|o| o.is_known_in(version))
                .filter(|o| authority::permitted(context.principal, **o))
                .filter(|o| **o != Operation::Interop || context.services.about.interop);
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
            response.object_types = KEPT.into_iter().filter(|t| t.is_known_in(version)).collect();
        }
        // Only who can use our extensions is told of them: to others they are nothing, and a client in the field breaks on the newer
        // form of Extension Type.
        QueryFunction::QueryExtensionMap | QueryFunction::QueryExtensionList if !uses_extensions(context.principal) => {
        }
        // The map holds all that the list does: asked for both, the map is told (KMIP 2.1 §6.1.40).
        QueryFunction::QueryExtensionMap => response.extension_information = extension_map(),
        QueryFunction::QueryExtensionList if response.extension_information.is_empty() => {
            response.extension_information = extension_list();
        }
        QueryFunction::QueryRNGs => {
            response.rng_parameters = vec![generator(context)];
        }
        QueryFunction::QueryCapabilities => {
            response.capability_information = vec![capabilities()];
        }
        QueryFunction::QueryProfiles => {
            response.profile_information = profiles::supported(version, context.services.about.https.as_ref());
        }
        // Its certificate is registered; keys are not made for it.
        QueryFunction::QueryClientRegistrationMethods => {
            response.client_registration_methods = vec![ClientRegistrationMethod::ClientRegistered];
        }
        QueryFunction::QueryStorageProtectionMasks => {
            response.protection_storage_masks = Some(ProtectionStorageMasks {
                protection_storage_masks: vec![STORAGE],
            });
        }
        _ => {}
    }
}

/// Whether somebody may ask for operations of ours.
fn uses_extensions(principal: &Principal) -> bool {
    let ours = |operation: &&kmip_protocol::Operation| operation.0 >= FIRST_EXTENSION;
    let mut ours = CARRIED_OUT.iter().filter(ours);
    ours.any(|operation| authority::permitted(principal, *operation))
}

/// Whether somebody learns no more than what it talks to. A person that has not logged in has shown one factor only.
fn is_stranger(principal: &Principal) -> bool {
    match principal {
        Principal::Unregistered(_) => true,
        Principal::Person(person) => person.session == Session::Certificate,
        Principal::Client(_) | Principal::Process(_) => false,
    }
}

/// Our extensions by name (KMIP 2.1 §6.1.40, Extension List).
fn extension_list() -> Vec<ExtensionInformation> {
    EXTENSIONS.iter().map(|extension| named(extension.name)).collect()
}

/// Our extensions in full (KMIP 2.1 §6.1.40, Extension Map; §7.13). Up to 1.4 name, tag and type alone are told.
fn extension_map() -> Vec<ExtensionInformation> {
    let map = EXTENSIONS.iter().map(|extension| ExtensionInformation {
        extension_tag: i32::try_from(extension.tag.0).ok(),
        extension_type: Some(extension.item_type),
        extension_attribute: Some(false),
        extension_parent_structure_tag: extension.parent.and_then(|tag| i32::try_from(tag.0).ok()),
        extension_description: extension.description.clone(),
        ..named(extension.name)
    });
    map.collect()
}

fn named(name: &str) -> ExtensionInformation {
    ExtensionInformation {
        extension_name: name.to_owned(),
        extension_tag: None,
        extension_type: None,
        extension_enumeration: None,
        extension_attribute: None,
        extension_parent_structure_tag: None,
        extension_description: None,
    }
}

/// What the server really does, not what a specification would like.
fn capabilities() -> CapabilityInformation {
    CapabilityInformation {
        streaming_capability: Some(true),
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
