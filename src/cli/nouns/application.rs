//! `claviger app`: applications, each a named set of clients that share keys.

use crate::cli::call::Caller;
use crate::cli::failure::Outcome;
use crate::cli::options::Options;
use crate::cli::output::{Table, moment};
use clap::{Args, Subcommand};
use kmip_protocol::{
    ApplicationCreateRequest, ApplicationDeleteRequest, ApplicationJoinRequest, ApplicationListRequest,
};

/// `claviger app`: applications.
#[derive(Args)]
pub(in crate::cli) struct ApplicationArguments {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// List applications
    List,
    /// Make an application
    Create {
        /// Its name
        name: String,
    },
    /// Delete an application that has neither clients nor objects
    Delete {
        /// Its name
        name: String,
    },
    /// Move a client to an application, whose keys it then reaches
    Join {
        /// The application
        name: String,
        /// The client
        client: String,
    },
}

/// `claviger app`.
pub(in crate::cli) fn run(arguments: &ApplicationArguments) -> Outcome<()> {
    let caller = &mut Caller::open(&arguments.options)?;
    match &arguments.verb {
        Verb::List => caller.list(ApplicationListRequest::default(), |response| {
            let rows = response.applications.iter().map(|application| {
                [
                    application.application_name.clone(),
                    moment(application.created.0),
                    application.clients.join(", "),
                ]
            });
            Table::from_rows(["APPLICATION", "CREATED", "CLIENTS"], rows)
        }),
        Verb::Create { name } => {
            let application_name = name.clone();
            caller.change(
                ApplicationCreateRequest { application_name },
                "the application was made",
            )
        }
        Verb::Delete { name } => {
            caller.confirm(&format!("Delete the application {name}?"))?;
            let application_name = name.clone();
            caller.change(
                ApplicationDeleteRequest { application_name },
                "the application was deleted",
            )
        }
        Verb::Join { name, client } => {
            let request = ApplicationJoinRequest {
                client_name: client.clone(),
                application_name: name.clone(),
            };
            caller.change(request, "the client belongs to the application")
        }
    }
}
