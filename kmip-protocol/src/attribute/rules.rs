//! The rule columns of an attribute (KMIP 2.1 §4, the table of each attribute).

use crate::{ObjectType, Operation, State, Versions};

/// Who may do something with an attribute.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Party {
    /// Neither.
    Nobody,
    /// The client only.
    Client,
    /// The server only.
    Server,
    /// Either.
    Both,
}

impl Party {
    /// Whether the client may.
    #[must_use]
    pub const fn client(self) -> bool {
        matches!(self, Self::Client | Self::Both)
    }

    /// Whether the server may.
    #[must_use]
    pub const fn server(self) -> bool {
        matches!(self, Self::Server | Self::Both)
    }
}

/// How many instances an object may have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Amount {
    /// At most one.
    One,
    /// Any number.
    Many,
}

/// What the specification says about an attribute.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// The versions that have it.
    pub versions: Versions,
    /// Single or multi-valued.
    pub amount: Amount,
    /// Whether an object that it applies to always has a value.
    pub always: bool,
    /// Who sets it first. "Server" includes what the server takes over from the request, such as the algorithm.
    pub set_by: Party,
    /// Who may change it later.
    pub modified_by: Party,
    /// The states in which it may be changed; empty: any.
    pub modified_in: &'static [State],
    /// Who may delete it.
    pub deleted_by: Party,
    /// The objects that may have it.
    pub applies_to: ObjectTypeSet,
    /// The operations that set it by themselves.
    pub implicitly_by: &'static [Operation],
}

/// A set of object types.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ObjectTypeSet(u32);

impl ObjectTypeSet {
    /// Every object type, the coming ones included.
    pub const ALL: Self = Self(u32::MAX);

    /// The set of these; all where none is named.
    #[must_use]
    pub const fn of(mut types: &[ObjectType]) -> Self {
        if types.is_empty() {
            return Self::ALL;
        }
        let mut bits = 0;
        while let [first, rest @ ..] = types {
            bits |= Self::bit(*first);
            types = rest;
        }
        Self(bits)
    }

    /// Whether the type is in the set.
    #[must_use]
    pub const fn contains(self, object_type: ObjectType) -> bool {
        self.0 & Self::bit(object_type) != 0
    }

    const fn bit(object_type: ObjectType) -> u32 {
        match 1_u32.checked_shl(object_type.0) {
            Some(bit) => bit,
            None => 0,
        }
    }
}
