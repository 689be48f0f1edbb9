//! `claviger client`: the applications' identities (P-KMS-TNT-03).

use super::instant;
use crate::cli::call::Caller;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::kmip::words;
use crate::cli::options::{Options, Page};
use crate::cli::output::{Table, moment, or_dash};
use crate::cli::possession::Sources;
use crate::cli::private;
use crate::cli::proposal::ballot;
use clap::{Args, Subcommand};
use kmip_protocol::{
    CertificateRule, CertificateRuleKind, ClientCreateRequest, ClientCredential, ClientDeleteRequest, ClientGetRequest,
    ClientListRequest, ClientModifyRequest, ClientPassword, ClientResumeRequest, ClientSettings, ClientSuspendRequest,
    ClientUser, Operation, Operations, tag,
};
use std::path::PathBuf;

/// `claviger client`: clients.
#[derive(Args)]
pub(in crate::cli) struct ClientArguments {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// List clients
    List {
        /// Only those of this application
        #[arg(long)]
        application: Option<String>,
        #[command(flatten)]
        page: Page,
    },
    /// Show a client
    Show {
        /// Its name
        name: String,
    },
    /// Make a client
    Create {
        /// Its name
        name: String,
        /// A user: it comes over the connections of others, with --username and --password-file instead of a certificate
        #[arg(long)]
        user: bool,
        /// Its application; an empty one of its own if absent
        #[arg(long)]
        application: Option<String>,
        #[command(flatten)]
        changes: Box<Changes>,
    },
    /// Change a client: what is given replaces what was, the rest stays; credentials are replaced together
    Modify {
        /// Its name
        name: String,
        /// Its new name
        #[arg(long)]
        rename: Option<String>,
        /// Take away every setting that is not given
        #[arg(long)]
        replace: bool,
        #[command(flatten)]
        changes: Box<Changes>,
    },
    /// Serve a client no more, at once
    Suspend {
        /// Its name
        name: String,
    },
    /// Lift a suspension
    Resume {
        /// Its name
        name: String,
    },
    /// Delete a client
    Delete {
        /// Its name
        name: String,
    },
}

/// What a client is known by and may do.
#[derive(Args)]
struct Changes {
    /// A key it is known by, in any certificate of the tenant's authorities: SHA-256 of the key, or a PEM certificate that has it
    #[arg(long = "key-of", value_name = "FINGERPRINT|FILE")]
    keys: Vec<String>,
    /// Exactly this certificate, whoever issued it, PEM
    #[arg(long = "certificate", value_name = "FILE")]
    certificates: Vec<PathBuf>,
    #[command(flatten)]
    sources: Sources,
    /// What a certificate of the tenant's authorities must say: common-name=x, dns-name=x, subject=x, email=x, uri=x, ip-address=x
    #[arg(long = "rule", value_name = "KIND=VALUE")]
    rules: Vec<String>,
    /// A user name that it must show beside its certificate
    #[arg(long)]
    username: Option<String>,
    /// The file with its password; - is standard input
    #[arg(long, value_name = "FILE", requires = "username")]
    password_file: Option<PathBuf>,
    /// Operations that it may ask for; all if absent
    #[arg(long, value_delimiter = ',', value_name = "OPERATION")]
    operations: Vec<String>,
    /// Object groups that it may use
    #[arg(long = "object-group", value_name = "NAME")]
    object_groups: Vec<String>,
    /// Namespaces that it may use
    #[arg(long = "namespace", value_name = "NAME")]
    namespaces: Vec<String>,
    /// Where it may come from, as address/prefix
    #[arg(long = "network", value_name = "NETWORK")]
    networks: Vec<String>,
    /// Requests per second
    #[arg(long)]
    requests_per_second: Option<i32>,
    /// Whether a governed request that cannot wait becomes a proposal all the same
    #[arg(long)]
    auto_propose: Option<bool>,
    /// Whether it may import objects with identifiers and attributes of its own choice, if no operations are listed
    #[arg(long)]
    may_import: Option<bool>,
    /// The authority that certifies for it where its request names none: the Unique Identifier of a certificate of the tenant's
    #[arg(long, value_name = "IDENTIFIER")]
    issuing_certificate: Option<String>,
    /// The last second in which it is served, such as 2027-01-31T00:00:00Z
    #[arg(long)]
    expires: Option<String>,
    /// Whether it may set defaults and constraints for the objects of its application, if no operations are listed
    #[arg(long)]
    may_set_defaults: Option<bool>,
    /// Whether users are admitted over its connections
    #[arg(long)]
    admits_users: Option<bool>,
    /// Whether it may renew its own certificate, for the key that it has
    #[arg(long)]
    renews_certificate: Option<bool>,
    /// The clients over whose connections a user is admitted; if none is named, any that admits users
    #[arg(long = "over", value_name = "CLIENT")]
    over: Vec<String>,
}

impl Changes {
    fn settings(&self) -> Outcome<Option<ClientSettings>> {
        let operation = |word: &String| words::value(tag::OPERATION, word).map(Operation);
        let operations: Vec<_> = self
            .operations
            .iter()
            .map(operation)
            .collect::<Result<_, _>>()
            .map_err(Failure::usage)?;
        let expires = self.expires.as_deref().map(instant);
        let settings = ClientSettings {
            operations: (!operations.is_empty()).then_some(Operations { operations }),
            object_groups: self.object_groups.clone(),
            application_namespaces: self.namespaces.clone(),
            allowed_networks: self.networks.clone(),
            requests_per_second: self.requests_per_second,
            auto_propose: self.auto_propose,
            expires: expires.transpose()?,
            may_import: self.may_import,
            may_set_defaults: self.may_set_defaults,
            issuing_certificate: self.issuing_certificate.clone(),
            admits_users: self.admits_users,
            renews_certificate: self.renews_certificate,
        };
        Ok((settings != ClientSettings::default()).then_some(settings))
    }

    fn credentials(&self, caller: &mut Caller<'_>) -> Outcome<Vec<ClientCredential>> {
        let mut credentials = Vec::new();
        for key in &self.keys {
            credentials.push(ClientCredential {
                key_fingerprint: Some(fingerprint(key)?),
                ..ClientCredential::default()
            });
        }
        for file in &self.certificates {
            credentials.push(ClientCredential {
                certificate: Some(ballot::certificate(file)?),
                ..ClientCredential::default()
            });
        }
        for rule in &self.rules {
            let (kind, value) = rule
                .split_once('=')
                .ok_or_else(|| Failure::usage("expected KIND=VALUE"))?;
            let kind = words::value(tag::CERTIFICATE_RULE_KIND, kind).map_err(Failure::usage)?;
            credentials.push(ClientCredential {
                rule: Some(CertificateRule {
                    kind: CertificateRuleKind(kind),
                    value: value.to_owned(),
                }),
                ..ClientCredential::default()
            });
        }
        self.sources.add_to(&mut credentials, caller)?;
        Ok(credentials)
    }

    fn password(&self) -> Outcome<Option<ClientPassword>> {
        let Some(username) = self.username.clone() else {
            return Ok(None);
        };
        let password = private::secret(self.password_file.as_deref(), &format!("Password of {username}"))?;
        Ok(Some(ClientPassword { username, password }))
    }
}

impl Changes {
    fn user(&self) -> ClientUser {
        ClientUser {
            connection_clients: self.over.clone(),
        }
    }
}

/// What was, with what is given over it.
fn over(was: ClientSettings, given: ClientSettings) -> ClientSettings {
    let list = |given: Vec<String>, was| if given.is_empty() { was } else { given };
    let ClientSettings {
        operations,
        object_groups,
        application_namespaces,
        allowed_networks,
        requests_per_second,
        auto_propose,
        expires,
        may_import,
        may_set_defaults,
        issuing_certificate,
        admits_users,
        renews_certificate,
    } = given;
    ClientSettings {
        operations: operations.or(was.operations),
        object_groups: list(object_groups, was.object_groups),
        application_namespaces: list(application_namespaces, was.application_namespaces),
        allowed_networks: list(allowed_networks, was.allowed_networks),
        requests_per_second: requests_per_second.or(was.requests_per_second),
        auto_propose: auto_propose.or(was.auto_propose),
        expires: expires.or(was.expires),
        may_import: may_import.or(was.may_import),
        may_set_defaults: may_set_defaults.or(was.may_set_defaults),
        issuing_certificate: issuing_certificate.or(was.issuing_certificate),
        admits_users: admits_users.or(was.admits_users),
        renews_certificate: renews_certificate.or(was.renews_certificate),
    }
}

/// SHA-256 of a key: given as digits, or taken from a certificate.
pub(super) fn fingerprint(text: &str) -> Outcome<Vec<u8>> {
    if text.len() == 64
        && let Ok(bytes) = words::bytes(text)
    {
        return Ok(bytes);
    }
    let der = ballot::certificate(std::path::Path::new(text))?;
    let facts = certs::CertificateFacts::read(&der).map_err(|why| Failure::usage(format!("{text}: {why}")))?;
    Ok(facts.key_fingerprint.to_vec())
}

/// `claviger client`.
pub(in crate::cli) fn run(arguments: &ClientArguments) -> Outcome<()> {
    let caller = &mut Caller::open(&arguments.options)?;
    match &arguments.verb {
        Verb::List { application, page } => {
            let request = ClientListRequest {
                application_name: application.clone(),
                maximum_items: page.maximum,
                offset_items: page.offset,
            };
            caller.list(request, |response| {
                let rows = response.clients.iter().map(|client| {
                    [
                        client.client_name.clone(),
                        client.client_status.to_string(),
                        client.application_name.clone(),
                        moment(client.created.0),
                        client.credentials.len().to_string(),
                        or_dash(client.username.as_ref()),
                    ]
                });
                Table::from_rows(
                    ["CLIENT", "STATUS", "APPLICATION", "CREATED", "CREDENTIALS", "USERNAME"],
                    rows,
                )
            })
        }
        Verb::Show { name } => caller.show(ClientGetRequest {
            client_name: name.clone(),
        }),
        Verb::Create {
            name,
            user,
            application,
            changes,
        } => {
            let request = ClientCreateRequest {
                client_name: name.clone(),
                application_name: application.clone(),
                settings: changes.settings()?,
                credentials: changes.credentials(caller)?,
                password: changes.password()?,
                user: user.then(|| changes.user()),
            };
            caller.change(request, "the client was made")
        }
        Verb::Modify {
            name,
            rename,
            replace,
            changes,
        } => {
            let settings = match changes.settings()? {
                Some(given) if !replace => {
                    let client_name = name.clone();
                    let client = caller.session.ask(ClientGetRequest { client_name })?.client;
                    Some(over(client.settings, given))
                }
                None if *replace => Some(ClientSettings::default()),
                settings => settings,
            };
            let request = ClientModifyRequest {
                client_name: name.clone(),
                new_name: rename.clone(),
                settings,
                credentials: changes.credentials(caller)?,
                password: changes.password()?,
                user: (!changes.over.is_empty()).then(|| changes.user()),
            };
            caller.change(request, "the client was changed")
        }
        Verb::Suspend { name } => {
            let client_name = name.clone();
            caller.change(ClientSuspendRequest { client_name }, "the client is suspended")
        }
        Verb::Resume { name } => {
            let client_name = name.clone();
            caller.change(ClientResumeRequest { client_name }, "the client is served again")
        }
        Verb::Delete { name } => {
            caller.confirm(&format!("Delete the client {name}?"))?;
            let client_name = name.clone();
            caller.change(ClientDeleteRequest { client_name }, "the client was deleted")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_given_stays() {
        let was = ClientSettings {
            operations: Some(Operations {
                operations: vec![Operation::Get],
            }),
            allowed_networks: vec!["10.0.0.0/8".to_owned()],
            requests_per_second: Some(5),
            ..ClientSettings::default()
        };
        let given = ClientSettings {
            operations: Some(Operations {
                operations: vec![Operation::Locate],
            }),
            auto_propose: Some(true),
            ..ClientSettings::default()
        };
        let now = over(was.clone(), given.clone());
        assert_eq!((now.operations, now.auto_propose), (given.operations, Some(true)));
        assert_eq!(now.allowed_networks, was.allowed_networks);
        assert_eq!(now.requests_per_second, Some(5));
    }
}
