//! What a request acts upon, as far as rules and votes need to know it.

use crate::identity::Id;
use crate::store::Key;
use kmip_protocol::{ObjectType, Operation, PersonRole};

/// What a request acts upon. Rules match on it, votes bind to it, and whom it concerns does not vote.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Target {
    /// Words for the approver: `person alice`, `key 4711 (Active, AES 256)`.
    pub description: Option<String>,
    /// The records acted upon: their states, put together, are what a proposal is bound to. Records that do not exist yet count
    /// as absent.
    pub records: Vec<Key>,
    /// The people acted upon.
    pub subjects: Vec<Id>,
    /// The roles that they have, or are to get.
    pub roles: Vec<PersonRole>,
    /// The managed objects acted upon.
    pub objects: Vec<TargetObject>,
    /// Objects that are used for it beside those that it acts upon, each as which operation uses it.
    pub uses: Vec<(Operation, TargetObject)>,
    /// Objects whose labels it changes: as each is, and as it would be.
    pub relabels: Vec<(TargetObject, TargetObject)>,
    /// Whether it gives a client access to objects that there are already: it joins an application that owns some, or gets a credential
    /// while its application owns some.
    pub reaches_objects: bool,
    /// What it comes to besides: rules for that govern it too.
    pub also: Option<Operation>,
    /// The key-management credentials that carrying it out needs: where it is kept how each is shared among those who agree.
    pub sharings: Vec<Key>,
    /// How the KEK of a backup is shared, which carrying it out opens: the request brings it along, and it is kept nowhere else.
    pub recovery: Option<Vec<u8>>,
}

/// A managed object that a request acts upon.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TargetObject {
    /// Its identifier.
    pub unique_identifier: String,
    /// What it is.
    pub object_type: ObjectType,
    /// Its Names.
    pub names: Vec<String>,
    /// Its Object Groups.
    pub groups: Vec<String>,
    /// The namespaces in which it has Application Specific Information.
    pub namespaces: Vec<String>,
}
