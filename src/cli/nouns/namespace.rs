//! `claviger namespace`: the Application Namespaces of a tenant (P-KMS-TNT-06).

use crate::cli::call::Caller;
use crate::cli::failure::Outcome;
use crate::cli::options::Options;
use crate::cli::output::{Table, or_dash};
use clap::{Args, Subcommand};
use kmip_protocol::{
    Namespace, NamespaceCreateRequest, NamespaceDeleteRequest, NamespaceListRequest, NamespaceModifyRequest,
};

/// `claviger namespace`: Application Namespaces.
#[derive(Args)]
pub(in crate::cli) struct NamespaceArguments {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// List namespaces
    List,
    /// Register a namespace
    Create(Described),
    /// Change a namespace
    Modify(Described),
    /// Delete a namespace that is not in use
    Delete {
        /// The namespace
        name: String,
    },
}

#[derive(Args)]
struct Described {
    /// The namespace
    name: String,
    /// What it is for
    #[arg(long)]
    description: Option<String>,
    /// The server makes the Application Data where a client gives none
    #[arg(long)]
    generated_data: bool,
}

impl Described {
    fn namespace(&self) -> Namespace {
        Namespace {
            application_namespace: self.name.clone(),
            description: self.description.clone(),
            generated_data: self.generated_data,
        }
    }
}

/// `claviger namespace`.
pub(in crate::cli) fn run(arguments: &NamespaceArguments) -> Outcome<()> {
    let caller = &mut Caller::open(&arguments.options)?;
    match &arguments.verb {
        Verb::List => caller.list(NamespaceListRequest::default(), |response| {
            let rows = response.namespaces.iter().map(|namespace| {
                [
                    namespace.application_namespace.clone(),
                    if namespace.generated_data { "yes" } else { "no" }.to_owned(),
                    or_dash(namespace.description.as_ref()),
                ]
            });
            Table::from_rows(["NAMESPACE", "GENERATED DATA", "DESCRIPTION"], rows)
        }),
        Verb::Create(described) => {
            let namespace = described.namespace();
            caller.change(NamespaceCreateRequest { namespace }, "the namespace is registered")
        }
        Verb::Modify(described) => {
            let namespace = described.namespace();
            caller.change(NamespaceModifyRequest { namespace }, "the namespace was changed")
        }
        Verb::Delete { name } => {
            caller.confirm(&format!("Delete the namespace {name}?"))?;
            let application_namespace = name.clone();
            let request = NamespaceDeleteRequest { application_namespace };
            caller.change(request, "the namespace was deleted")
        }
    }
}
