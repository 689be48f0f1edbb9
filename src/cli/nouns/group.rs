//! `claviger group`: named sets of people, that rules can name.

use crate::cli::call::Caller;
use crate::cli::failure::Outcome;
use crate::cli::options::Options;
use crate::cli::output::Table;
use clap::{Args, Subcommand};
use kmip_protocol::{Group, GroupDeleteRequest, GroupListRequest, GroupPutRequest};

/// `claviger group`: groups of people.
#[derive(Args)]
pub(in crate::cli) struct GroupArguments {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// List groups
    List,
    /// Make a group, or replace its members
    Put {
        /// Its name
        name: String,
        /// Its members
        #[arg(required = true)]
        persons: Vec<String>,
    },
    /// Delete a group
    Delete {
        /// Its name
        name: String,
    },
}

/// `claviger group`.
pub(in crate::cli) fn run(arguments: &GroupArguments) -> Outcome<()> {
    let caller = &mut Caller::open(&arguments.options)?;
    match &arguments.verb {
        Verb::List => caller.list(GroupListRequest::default(), |response| {
            let rows = response
                .groups
                .iter()
                .map(|group| [group.group_name.clone(), group.persons.join(", ")]);
            Table::from_rows(["GROUP", "PEOPLE"], rows)
        }),
        Verb::Put { name, persons } => {
            let group = Group {
                group_name: name.clone(),
                persons: persons.clone(),
            };
            caller.change(GroupPutRequest { group }, "the group is as you said")
        }
        Verb::Delete { name } => {
            caller.confirm(&format!("Delete the group {name}?"))?;
            let group_name = name.clone();
            caller.change(GroupDeleteRequest { group_name }, "the group was deleted")
        }
    }
}
