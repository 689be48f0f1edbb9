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
    /// Change a namespace: what is given replaces what was, the rest stays
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
    #[arg(long, num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    generated_data: Option<bool>,
}

impl Described {
    /// As it is to be, where there was this one.
    fn namespace(&self, was: Option<&Namespace>) -> Namespace {
        let description = || was.and_then(|was| was.description.clone());
        let generated = || was.is_some_and(|was| was.generated_data);
        Namespace {
            application_namespace: self.name.clone(),
            description: self.description.clone().or_else(description),
            generated_data: self.generated_data.unwrap_or_else(generated),
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
            let namespace = described.namespace(None);
            caller.change(NamespaceCreateRequest { namespace }, "the namespace is registered")
        }
        Verb::Modify(described) => {
            let all = caller.session.ask(NamespaceListRequest::default())?.namespaces;
            let was = all.iter().find(|one| one.application_namespace == described.name);
            let namespace = described.namespace(was);
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
