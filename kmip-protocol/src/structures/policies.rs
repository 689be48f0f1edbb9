//! Quorum policies: rules that say who must agree to what. Extensions of our own.

use crate::field::structure;
use crate::{
    BindTarget, Completion, Interval, ObjectType, Operation, PersonRole, PolicyTemplate, Proof, Severity, Veto,
};

structure! {
    /// The policy of a domain: a version of it replaces the one before as a whole.
    #[derive(Eq, Debug, Default)]
    Policy {
        /// What it was made from, if it was not written by hand.
        policy_template: Option<PolicyTemplate> = POLICY_TEMPLATE;
        /// How long a new member of a group does not count.
        seasoning: Interval = SEASONING;
        /// How many eligible people there must be above each quorum.
        margin: i32 = MARGIN;
        /// Fewer operators (administrators) than these are never left.
        fewest_operators: i32 = FEWEST_OPERATORS;
        /// All rules that match a request must be satisfied.
        rules: Vec<Rule> = RULE;
        /// Whether KEKs are made only where the HSM has a user of its own for that, whose credential is shared among those who agree.
        separation_required: Option<bool> = SEPARATION_REQUIRED;
    }

    /// One rule: for the operations that it matches, one of its alternatives must be satisfied.
    #[derive(Eq, Debug)]
    Rule {
        /// Unique in its policy.
        rule_name: String = RULE_NAME;
        rule_match: RuleMatch = RULE_MATCH;
        /// Whether the request must say why.
        reason_required: bool = REASON_REQUIRED;
        /// Whether the requester's own vote counts.
        requester_counts: bool = REQUESTER_COUNTS;
        /// Whether the person acted upon may not vote.
        exclude_subject: bool = EXCLUDE_SUBJECT;
        proof: Proof = PROOF;
        veto: Veto = VETO;
        bind_target: BindTarget = BIND_TARGET;
        completion: Completion = COMPLETION;
        /// How long votes can be cast.
        approve_ttl: Interval = APPROVE_TTL;
        /// How long after approval it can be carried out.
        execute_ttl: Interval = EXECUTE_TTL;
        /// Any of these (OR).
        alternatives: Vec<RuleAlternative> = RULE_ALTERNATIVE;
    }

    /// What a rule is about. An empty list matches everything of its kind; an empty list of operations nothing.
    #[derive(Eq, Debug, Default)]
    RuleMatch {
        operations: Vec<Operation> = OPERATION;
        /// Only objects of these types.
        object_types: Vec<ObjectType> = OBJECT_TYPE;
        /// Only objects of these groups.
        object_groups: Vec<String> = OBJECT_GROUP;
        /// Only objects with a Name like this (`*` stands for any characters).
        object_names: Vec<String> = OBJECT_NAME;
        /// Only objects that have Application Specific Information in these namespaces.
        application_namespaces: Vec<String> = APPLICATION_NAMESPACE;
        /// Only these objects.
        unique_identifiers: Vec<String> = UNIQUE_IDENTIFIER;
        /// Only persons of these roles are acted upon.
        person_roles: Vec<PersonRole> = PERSON_ROLE;
        /// If true, only what gives somebody access to objects that there are already.
        reaches_objects: Option<bool> = REACHES_OBJECTS;
    }

    /// All of its groups must reach their quorum (AND), by different people.
    #[derive(Eq, Debug)]
    RuleAlternative {
        /// How long the approval waits, open to a veto.
        timelock: Interval = TIMELOCK;
        /// What is alarmed when this alternative is used.
        severity: Option<Severity> = SEVERITY;
        groups: Vec<RuleGroup> = RULE_GROUP;
    }

    /// M of a group. Beside the groups that a domain has made there are `administrators`, `operators`, `auditors` and `custodians`:
    /// everybody who has that role.
    #[derive(Eq, Debug)]
    RuleGroup {
        group_name: String = GROUP_NAME;
        quorum: i32 = QUORUM;
    }

    /// A named set of people of a domain; flat.
    #[derive(Eq, Debug)]
    Group {
        group_name: String = GROUP_NAME;
        persons: Vec<String> = PERSON_NAME;
    }
}
