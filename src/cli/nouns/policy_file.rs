//! Policies in files: TOML for those who write them by hand, or the XML and JSON of KMIP as other programs have them.

use super::interval;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::kmip::words;
use kmip_protocol::{
    BindTarget, Completion, Interval, Item as _, KmipVocabulary, ObjectType, Operation, PersonRole, Policy,
    PolicyTemplate, Proof, Rule, RuleAlternative, RuleGroup, RuleMatch, Severity, Version, Veto, tag,
};
use kmip_ttlv::limits::TextLimits;
use kmip_ttlv::{Reader, Result as TtlvResult, Tag};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt::Display;
use std::path::Path;

/// A policy from a file.
pub(super) fn read(file: &Path) -> Outcome<Policy> {
    let problem = |why: &dyn Display| Failure::usage(format!("{}: {why}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|why| problem(&why))?;
    parse(&text).map_err(|why| problem(&why))
}

/// A policy from the text of such a file.
///
/// # Errors
/// What is wrong, in words.
pub fn parse(text: &str) -> Result<Policy, String> {
    let bytes = match text.trim_start().chars().next() {
        Some('<') => kmip_ttlv::xml::to_ttlv(text, &KmipVocabulary, TextLimits::default()),
        Some('{') => kmip_ttlv::json::to_ttlv(text, &KmipVocabulary, TextLimits::default()),
        _ => return from_toml(text),
    };
    let bytes = bytes.map_err(|why| why.to_string())?;
    let whole = |bytes: &[u8]| -> TtlvResult<Policy> {
        let mut reader = Reader::new(bytes);
        let policy = Policy::read_item(&mut reader, tag::POLICY, Version::NEWEST)?;
        reader.finish()?;
        Ok(policy)
    };
    whole(&bytes).map_err(|why| why.to_string())
}

/// A policy as TOML, which [`read`] reads.
pub(super) fn to_toml(policy: &Policy) -> Outcome<String> {
    Ok(toml::to_string_pretty(&Document::from(policy)).map_err(|why| why.to_string())?)
}

/// What is wrong is told with its line and field.
fn from_toml(text: &str) -> Result<Policy, String> {
    let document: Document = toml::from_str(text).map_err(|why| why.to_string())?;
    Ok(document.into())
}

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Document {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    template: Option<Word<PolicyTemplate>>,
    seasoning: Span,
    #[serde(default)]
    margin: i32,
    fewest_people: i32,
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    separation_required: bool,
    #[serde(default, rename = "rule", skip_serializing_if = "Vec::is_empty")]
    rules: Vec<RuleText>,
}

/// A rule. What it does not say is what is safest.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RuleText {
    name: String,
    #[serde(default)]
    reason_required: bool,
    #[serde(default)]
    requester_counts: bool,
    #[serde(default = "yes")]
    exclude_subject: bool,
    #[serde(default = "signature")]
    proof: Word<Proof>,
    #[serde(default = "any_rejection")]
    veto: Word<Veto>,
    #[serde(default = "exact")]
    bind_target: Word<BindTarget>,
    #[serde(default = "manual")]
    completion: Word<Completion>,
    #[serde(default = "three_days")]
    approve_within: Span,
    #[serde(default = "one_day")]
    execute_within: Span,
    r#match: MatchText,
    #[serde(rename = "alternative")]
    alternatives: Vec<AlternativeText>,
}

/// What a rule is about.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct MatchText {
    operations: Vec<Word<Operation>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    object_types: Vec<Word<ObjectType>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    object_groups: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    names: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    namespaces: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    identifiers: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    roles: Vec<Word<PersonRole>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reaches_objects: Option<bool>,
}

/// One way to satisfy a rule.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct AlternativeText {
    groups: Vec<GroupText>,
    #[serde(default, skip_serializing_if = "Span::is_none")]
    timelock: Span,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alarm: Option<Word<Severity>>,
}

const fn yes() -> bool {
    true
}

const fn signature() -> Word<Proof> {
    Word(Proof::Signature)
}

const fn any_rejection() -> Word<Veto> {
    Word(Veto::Any)
}

const fn exact() -> Word<BindTarget> {
    Word(BindTarget::Exact)
}

const fn manual() -> Word<Completion> {
    Word(Completion::Manual)
}

const fn three_days() -> Span {
    Span(Interval(3 * 86_400))
}

const fn one_day() -> Span {
    Span(Interval(86_400))
}

/// A value of an enumeration by its name: `on-quorum`.
#[derive(Clone, Copy)]
struct Word<T>(T);

/// An enumeration whose values have names.
trait Named: Copy + Display {
    const TAG: Tag;
    fn of(value: u32) -> Self;
}

macro_rules! named {
    ($($type:ident $tag:ident,)+) => {$(
        impl Named for $type {
            const TAG: Tag = tag::$tag;
            fn of(value: u32) -> Self {
                Self(value)
            }
        }
    )+};
}

named! {
    PolicyTemplate POLICY_TEMPLATE,
    Proof PROOF,
    Veto VETO,
    BindTarget BIND_TARGET,
    Completion COMPLETION,
    Severity SEVERITY,
    PersonRole PERSON_ROLE,
    ObjectType OBJECT_TYPE,
    Operation OPERATION,
}

impl<T: Named> Serialize for Word<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let name = self.0.to_string();
        // Operations keep the names under which everything else tells them.
        if T::TAG == tag::OPERATION {
            return serializer.serialize_str(&name);
        }
        let mut word = String::with_capacity(name.len() + 4);
        for c in name.chars() {
            if c.is_ascii_uppercase() && word.ends_with(|before: char| before.is_ascii_lowercase()) {
                word.push('-');
            }
            word.push(c.to_ascii_lowercase());
        }
        serializer.serialize_str(&word)
    }
}

impl<'de, T: Named> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        let number = word
            .strip_prefix("0x")
            .and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let value = number.map_or_else(|| words::value(T::TAG, &word).map_err(D::Error::custom), Ok);
        value.map(|value| Self(T::of(value)))
    }
}

/// A time span: `24h`.
#[derive(Clone, Copy)]
struct Span(Interval);

impl Default for Span {
    fn default() -> Self {
        Self(Interval(0))
    }
}

impl Span {
    const fn is_none(&self) -> bool {
        self.0.0 == 0
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let seconds = self.0.0;
        let units = [(86_400, "d"), (3_600, "h"), (60, "m")];
        let fits = |(unit, _): &&(u32, &str)| seconds > 0 && seconds.is_multiple_of(*unit);
        let (unit, letter) = units.iter().find(fits).unwrap_or(&(1, "s"));
        serializer.serialize_str(&format!("{}{letter}", seconds / unit))
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        interval(&String::deserialize(deserializer)?)
            .map(Self)
            .map_err(D::Error::custom)
    }
}

/// So many of a group: `2 of operators`.
struct GroupText(RuleGroup);

impl Serialize for GroupText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{} of {}", self.0.quorum, self.0.group_name))
    }
}

impl<'de> Deserialize<'de> for GroupText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let read = text.split_once(" of ").and_then(|(quorum, name)| {
            let group_name = name.to_owned();
            let quorum = quorum.trim().parse().ok()?;
            Some(RuleGroup { group_name, quorum })
        });
        let wrong = || D::Error::custom(format!("{text} is not of the form \"2 of operators\""));
        read.map(Self).ok_or_else(wrong)
    }
}

impl From<&Policy> for Document {
    fn from(policy: &Policy) -> Self {
        let Policy {
            policy_template,
            seasoning,
            margin,
            fewest_operators,
            rules,
            separation_required,
        } = policy;
        Self {
            template: policy_template.map(Word),
            seasoning: Span(*seasoning),
            margin: *margin,
            fewest_people: *fewest_operators,
            separation_required: *separation_required == Some(true),
            rules: rules.iter().map(RuleText::from).collect(),
        }
    }
}

impl From<Document> for Policy {
    fn from(document: Document) -> Self {
        Self {
            policy_template: document.template.map(|word| word.0),
            seasoning: document.seasoning.0,
            margin: document.margin,
            fewest_operators: document.fewest_people,
            rules: document.rules.into_iter().map(Rule::from).collect(),
            separation_required: document.separation_required.then_some(true),
        }
    }
}

impl From<&Rule> for RuleText {
    fn from(rule: &Rule) -> Self {
        let Rule {
            rule_name,
            rule_match,
            reason_required,
            requester_counts,
            exclude_subject,
            proof,
            veto,
            bind_target,
            completion,
            approve_ttl,
            execute_ttl,
            alternatives,
        } = rule;
        Self {
            name: rule_name.clone(),
            reason_required: *reason_required,
            requester_counts: *requester_counts,
            exclude_subject: *exclude_subject,
            proof: Word(*proof),
            veto: Word(*veto),
            bind_target: Word(*bind_target),
            completion: Word(*completion),
            approve_within: Span(*approve_ttl),
            execute_within: Span(*execute_ttl),
            r#match: rule_match.into(),
            alternatives: alternatives.iter().map(AlternativeText::from).collect(),
        }
    }
}

impl From<RuleText> for Rule {
    fn from(text: RuleText) -> Self {
        Self {
            rule_name: text.name,
            rule_match: text.r#match.into(),
            reason_required: text.reason_required,
            requester_counts: text.requester_counts,
            exclude_subject: text.exclude_subject,
            proof: text.proof.0,
            veto: text.veto.0,
            bind_target: text.bind_target.0,
            completion: text.completion.0,
            approve_ttl: text.approve_within.0,
            execute_ttl: text.execute_within.0,
            alternatives: text.alternatives.into_iter().map(RuleAlternative::from).collect(),
        }
    }
}

impl From<&RuleMatch> for MatchText {
    fn from(about: &RuleMatch) -> Self {
        let RuleMatch {
            operations,
            object_types,
            object_groups,
            object_names,
            application_namespaces,
            unique_identifiers,
            person_roles,
            reaches_objects,
        } = about;
        Self {
            operations: operations.iter().copied().map(Word).collect(),
            object_types: object_types.iter().copied().map(Word).collect(),
            object_groups: object_groups.clone(),
            names: object_names.clone(),
            namespaces: application_namespaces.clone(),
            identifiers: unique_identifiers.clone(),
            roles: person_roles.iter().copied().map(Word).collect(),
            reaches_objects: *reaches_objects,
        }
    }
}

impl From<MatchText> for RuleMatch {
    fn from(text: MatchText) -> Self {
        Self {
            operations: text.operations.into_iter().map(|word| word.0).collect(),
            object_types: text.object_types.into_iter().map(|word| word.0).collect(),
            object_groups: text.object_groups,
            object_names: text.names,
            application_namespaces: text.namespaces,
            unique_identifiers: text.identifiers,
            person_roles: text.roles.into_iter().map(|word| word.0).collect(),
            reaches_objects: text.reaches_objects,
        }
    }
}

impl From<&RuleAlternative> for AlternativeText {
    fn from(alternative: &RuleAlternative) -> Self {
        let RuleAlternative {
            timelock,
            severity,
            groups,
        } = alternative;
        Self {
            groups: groups.iter().cloned().map(GroupText).collect(),
            timelock: Span(*timelock),
            alarm: severity.map(Word),
        }
    }
}

impl From<AlternativeText> for RuleAlternative {
    fn from(text: AlternativeText) -> Self {
        Self {
            timelock: text.timelock.0,
            severity: text.alarm.map(|word| word.0),
            groups: text.groups.into_iter().map(|group| group.0).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
