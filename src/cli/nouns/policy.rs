//! `claviger policy`: the rules that say who must agree to what.

use crate::authority::policy_digest;
use crate::cli::call::Caller;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::options::{Format, Options};
use crate::cli::output::{self, Table, moment, or_dash};
use clap::{Args, Subcommand};
use kmip_protocol::{
    Interval, Item as _, KmipVocabulary, Policy, PolicyGetRequest, PolicyListRequest, PolicyPutRequest, PolicyRevision,
    Rule, Version, tag,
};
use kmip_ttlv::limits::TextLimits;
use kmip_ttlv::{Reader, Result as TtlvResult};
use std::path::{Path, PathBuf};

/// `claviger policy`: the policy of your domain.
#[derive(Args)]
pub(in crate::cli) struct PolicyArguments {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// List the versions of the policy
    List,
    /// Show the policy in force; with `-o xml` or `-o json` as `policy put` reads it
    Show {
        /// A version of before
        #[arg(long)]
        version: Option<i32>,
    },
    /// Replace the policy: the one in a file as `policy show -o xml` prints it
    Put {
        /// The file, XML or JSON
        file: PathBuf,
        /// Another seasoning than the file's, such as 24h
        #[arg(long, value_parser = super::interval)]
        seasoning: Option<Interval>,
    },
}

/// `claviger policy`.
pub(in crate::cli) fn run(arguments: &PolicyArguments) -> Outcome<()> {
    let caller = &mut Caller::open(&arguments.options)?;
    match &arguments.verb {
        Verb::List => caller.list(PolicyListRequest::default(), |response| {
            let rows = response.policies.iter().map(|revision| {
                [
                    revision.policy_version.to_string(),
                    moment(revision.time_stamp.0),
                    crate::cli::hex(&revision.policy_digest),
                    or_dash(revision.proposal_identifier.as_deref().map(crate::cli::hex)),
                ]
            });
            Table::from_rows(["VERSION", "SINCE", "DIGEST", "PROPOSAL"], rows)
        }),
        Verb::Show { version } => {
            let revision = caller
                .session
                .ask(PolicyGetRequest {
                    policy_version: *version,
                })?
                .policy;
            show(&revision, caller.options.output)
        }
        Verb::Put { file, seasoning } => {
            let mut policy = read(file)?;
            policy.seasoning = seasoning.unwrap_or(policy.seasoning);
            let Some(response) = caller.carry(PolicyPutRequest { policy })? else {
                return Ok(());
            };
            output::print(&response, tag::RESPONSE_PAYLOAD, caller.options.output, None)
        }
    }
}

fn show(revision: &PolicyRevision, format: Format) -> Outcome<()> {
    let Some(policy) = &revision.policy else {
        return Err("the server does not tell the policy itself".to_owned().into());
    };
    let mut table = Table::of(["", "", "", ""]);
    let mut head = |name: &str, value: String| table.push([name.to_owned(), value, String::new(), String::new()]);
    head("version", revision.policy_version.to_string());
    head("since", moment(revision.time_stamp.0));
    let same = policy_digest(revision.policy_version, policy).as_slice() == revision.policy_digest;
    let checked = if same {
        "computed again: the same"
    } else {
        "NOT the one computed from what is shown"
    };
    head(
        "digest",
        format!("{} ({checked})", crate::cli::hex(&revision.policy_digest)),
    );
    head("template", or_dash(policy.policy_template));
    head("seasoning", format!("{} s", policy.seasoning.0));
    head("margin", policy.margin.to_string());
    head("fewest people", policy.fewest_operators.to_string());
    for rule in &policy.rules {
        table.push([
            format!("rule {}", rule.rule_name),
            agreement(rule),
            rule.completion.to_string(),
            operations(rule),
        ]);
    }
    output::print(policy, tag::POLICY, format, Some(table))
}

/// The alternatives of a rule in words.
fn agreement(rule: &Rule) -> String {
    let alternatives = rule.alternatives.iter().map(|alternative| {
        let groups = alternative
            .groups
            .iter()
            .map(|group| format!("{} of {}", group.quorum, group.group_name));
        let mut text = groups.collect::<Vec<_>>().join(" and ");
        if alternative.timelock.0 > 0 {
            text.push_str(&format!(" after {} s", alternative.timelock.0));
        }
        text
    });
    alternatives.collect::<Vec<_>>().join(", or ")
}

fn operations(rule: &Rule) -> String {
    let names = rule.rule_match.operations.iter().map(ToString::to_string);
    names.collect::<Vec<_>>().join(" ")
}

/// A policy from a file, alone or within a revision.
fn read(file: &Path) -> Outcome<Policy> {
    let problem = |why: &dyn std::fmt::Display| Failure::usage(format!("{}: {why}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|why| problem(&why))?;
    let bytes = if text.trim_start().starts_with('<') {
        kmip_ttlv::xml::to_ttlv(&text, &KmipVocabulary, TextLimits::default())
    } else {
        kmip_ttlv::json::to_ttlv(&text, &KmipVocabulary, TextLimits::default())
    };
    let bytes = bytes.map_err(|why| problem(&why))?;
    let whole = |bytes: &[u8]| -> TtlvResult<Policy> {
        let mut reader = Reader::new(bytes);
        let policy = Policy::read_item(&mut reader, tag::POLICY, Version::NEWEST)?;
        reader.finish()?;
        Ok(policy)
    };
    whole(&bytes).map_err(|why| problem(&why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kmip_protocol::PolicyTemplate;
    use kmip_ttlv::Writer;

    #[test]
    fn a_policy_is_read_as_it_was_shown() {
        let policy = Policy {
            policy_template: Some(PolicyTemplate::Mtg),
            fewest_operators: 2,
            ..Policy::default()
        };
        let mut writer = Writer::new();
        policy.write_item(&mut writer, tag::POLICY, Version::NEWEST);
        let xml = kmip_ttlv::xml::from_ttlv(writer.as_bytes(), &KmipVocabulary).unwrap();
        let json = kmip_ttlv::json::from_ttlv(writer.as_bytes(), &KmipVocabulary).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("policy");
        for text in [xml, json] {
            std::fs::write(&file, text.as_bytes()).unwrap();
            assert_eq!(read(&file).unwrap(), policy);
        }
        std::fs::write(&file, "<Policy/>").unwrap();
        assert!(read(&file).is_err());
    }
}
