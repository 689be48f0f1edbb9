//! `claviger endpoint`: where clients of a tenant hear of their objects without asking.

use crate::cli::call::Caller;
use crate::cli::failure::{Exit, Failure, Outcome};
use crate::cli::options::Options;
use crate::cli::output::{Table, moment, or_dash};
use crate::cli::proposal::ballot;
use crate::cli::say;
use clap::{Args, Subcommand};
use kmip_protocol::{
    Endpoint, EndpointCreateRequest, EndpointDeleteRequest, EndpointGetRequest, EndpointListRequest,
    EndpointTestRequest, ProtocolVersion, Version,
};
use std::path::PathBuf;

/// `claviger endpoint`: endpoints.
#[derive(Args)]
pub(in crate::cli) struct EndpointArguments {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// List endpoints, with what waits for each
    List,
    /// Show an endpoint, and how it stands with it
    Show {
        /// Its name
        name: String,
    },
    /// Make an endpoint: from then on its client's objects are sent there
    Create(New),
    /// Delete an endpoint, with all that waits for it
    Delete {
        /// Its name
        name: String,
    },
    /// Ask whether an endpoint can be reached
    Test {
        /// Its name
        name: String,
    },
}

#[derive(Args)]
struct New {
    /// Its name
    name: String,
    /// The client whose objects it is sent, as far as that client may have them
    #[arg(long)]
    client: String,
    /// Where it listens; without it, the client's own connection
    #[arg(long, value_name = "HOST:PORT", requires = "certificate")]
    at: Option<String>,
    /// The certificate that it must show, PEM
    #[arg(long, value_name = "FILE", requires = "at")]
    certificate: Option<PathBuf>,
    /// The protocol version to speak to it; the newest unless given
    #[arg(long, value_name = "MAJOR.MINOR", value_parser = version)]
    protocol: Option<Version>,
    /// Send no new objects, only tell of changed attributes
    #[arg(long, conflicts_with = "no_notify")]
    no_put: bool,
    /// Do not tell of changed attributes, only send new objects
    #[arg(long)]
    no_notify: bool,
    /// Only this object and what replaces it; several can be given
    #[arg(long, value_name = "UNIQUE-IDENTIFIER")]
    object: Vec<String>,
    /// Only members of this Object Group; several can be given
    #[arg(long)]
    group: Vec<String>,
}

fn version(text: &str) -> Result<Version, String> {
    let numbers = text.split_once('.');
    let numbers = numbers.and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    let known = numbers.and_then(|(major, minor)| Version::from_numbers(major, minor));
    known.ok_or_else(|| "no protocol version that this server speaks".to_owned())
}

impl New {
    fn endpoint(&self) -> Outcome<Endpoint> {
        let certificate = self.certificate.as_deref().map(ballot::certificate).transpose()?;
        let read = |certificate: Vec<u8>| {
            let facts = certs::CertificateFacts::read(&certificate);
            facts.map_err(|why| Failure::usage(why.to_string()))
        };
        let facts = certificate.map(read).transpose()?;
        Ok(Endpoint {
            endpoint_name: self.name.clone(),
            client_name: self.client.clone(),
            endpoint_address: self.at.clone(),
            certificate_fingerprint: facts.map(|facts| facts.fingerprint.to_vec()),
            protocol_version: self.protocol.map(ProtocolVersion::from),
            sends_objects: !self.no_put,
            sends_changes: !self.no_notify,
            unique_identifiers: self.object.clone(),
            object_groups: self.group.clone(),
        })
    }
}

/// `claviger endpoint`.
pub(in crate::cli) fn run(arguments: &EndpointArguments) -> Outcome<()> {
    let caller = &mut Caller::open(&arguments.options)?;
    match &arguments.verb {
        Verb::List => caller.list(EndpointListRequest::default(), |response| {
            let rows = response.endpoint_states.iter().map(|state| {
                let endpoint = &state.endpoint;
                [
                    endpoint.endpoint_name.clone(),
                    endpoint.client_name.clone(),
                    endpoint
                        .endpoint_address
                        .clone()
                        .unwrap_or_else(|| "own connection".to_owned()),
                    sends(endpoint).to_owned(),
                    state.messages_waiting.to_string(),
                    or_dash(state.oldest_message.map(|at| moment(at.0))),
                    state.messages_lost.to_string(),
                    or_dash(state.last_answered.map(|at| moment(at.0))),
                    or_dash(state.endpoint_trouble.as_ref()),
                ]
            });
            let headings = [
                "ENDPOINT", "CLIENT", "ADDRESS", "SENDS", "WAITING", "SINCE", "LOST", "ANSWERED", "TROUBLE",
            ];
            Table::from_rows(headings, rows)
        }),
        Verb::Show { name } => caller.show(EndpointGetRequest {
            endpoint_name: name.clone(),
        }),
        Verb::Create(new) => {
            let request = EndpointCreateRequest {
                endpoint: new.endpoint()?,
            };
            caller.change(request, "the endpoint was made")
        }
        Verb::Delete { name } => {
            caller.confirm(&format!("Delete the endpoint {name} and all that waits for it?"))?;
            let endpoint_name = name.clone();
            caller.change(EndpointDeleteRequest { endpoint_name }, "the endpoint was deleted")
        }
        Verb::Test { name } => {
            let endpoint_name = name.clone();
            let told = caller.session.ask(EndpointTestRequest { endpoint_name })?;
            match told.endpoint_trouble {
                None => {
                    say(&format!("the endpoint {name} answers"));
                    Ok(())
                }
                Some(trouble) => Err(Failure::new(
                    Exit::Error,
                    format!("the endpoint {name} cannot be reached: {trouble}"),
                )),
            }
        }
    }
}

const fn sends(endpoint: &Endpoint) -> &'static str {
    match (endpoint.sends_objects, endpoint.sends_changes) {
        (true, true) => "objects, changes",
        (true, false) => "objects",
        (false, _) => "changes",
    }
}
