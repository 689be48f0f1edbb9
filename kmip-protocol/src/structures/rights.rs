//! Tickets and rights, constraints and defaults, lists that stand in a structure of their own, pending requests.

use crate::attribute::Attributes;
use crate::field::{Item, structure};
use crate::{
    DateTime, DateTimeExtended, Interval, ObjectType, Operation, ProcessingStage, ProtectionStorageMask, TicketType,
    UniqueIdentifier, UsageLimits, Version,
};
use kmip_ttlv::{ItemType, Reader, Result, Secret, Tag, Writer};

/// How long a ticket is to hold (KMIP 2.1 §6.1.12, §6.1.30).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TicketLease {
    /// So many seconds.
    For(Interval),
    /// Up to this moment.
    Until(DateTime),
}

impl Item for TicketLease {
    fn read_item(reader: &mut Reader<'_>, tag: Tag, version: Version) -> Result<Self> {
        match reader.peek_type() {
            Some(ItemType::DateTime) => Item::read_item(reader, tag, version).map(Self::Until),
            _ => Item::read_item(reader, tag, version).map(Self::For),
        }
    }
    fn write_item(&self, writer: &mut Writer, tag: Tag, version: Version) {
        match self {
            Self::For(interval) => interval.write_item(writer, tag, version),
            Self::Until(moment) => moment.write_item(writer, tag, version),
        }
    }
}

structure! {
    /// Ticket (KMIP 2.1 §7.39).
    Ticket {
        ticket_type: TicketType = TICKET_TYPE;
        ticket_value: Secret = TICKET_VALUE;
    }

    /// Rights (KMIP 2.1 §7.35).
    Rights {
        rights: Vec<Right> = RIGHT;
    }

    /// Right (KMIP 2.1 §7.34).
    Right {
        usage_limits: Option<UsageLimits> = USAGE_LIMITS;
        operations: Option<Operations> = OPERATIONS;
        objects: Option<Objects> = OBJECTS;
        object_groups: Option<ObjectGroups> = OBJECT_GROUPS [V2_1..];
    }

    /// Operations (KMIP 2.1 §7.25).
    #[derive(Eq, Debug)]
    Operations {
        operations: Vec<Operation> = OPERATION;
    }

    /// Objects (KMIP 2.1 §7.21).
    #[derive(Eq, Debug)]
    Objects {
        unique_identifiers: Vec<UniqueIdentifier> = UNIQUE_IDENTIFIER;
    }

    /// Object Groups (KMIP 2.1 §7.23).
    #[derive(Eq, Debug)]
    ObjectGroups {
        object_groups: Vec<String> = OBJECT_GROUP;
    }

    /// Object Types (KMIP 2.1 §7.24).
    #[derive(Eq, Debug)]
    ObjectTypes {
        object_types: Vec<ObjectType> = OBJECT_TYPE;
    }

    /// Protection Storage Masks, in order of preference (KMIP 2.1 §7.33).
    #[derive(Eq, Debug)]
    ProtectionStorageMasks {
        protection_storage_masks: Vec<ProtectionStorageMask> = PROTECTION_STORAGE_MASK;
    }

    /// Constraints (KMIP 2.1 §7.7).
    #[derive(Default)]
    Constraints {
        constraints: Vec<Constraint> = CONSTRAINT;
    }

    /// Constraint (KMIP 2.1 §7.6).
    Constraint {
        object_types: Option<ObjectTypes> = OBJECT_TYPES;
        object_groups: Option<ObjectGroups> = OBJECT_GROUPS;
        attributes: Option<Attributes> = ATTRIBUTES;
    }

    /// Defaults Information (KMIP 2.1 §7.11).
    #[derive(Default)]
    DefaultsInformation {
        object_defaults: Vec<ObjectDefaults> = OBJECT_DEFAULTS;
    }

    /// Object Defaults (KMIP 2.1 §7.22): for one object type, or for several (2.1).
    ObjectDefaults {
        object_type: Option<ObjectType> = OBJECT_TYPE;
        object_types: Option<ObjectTypes> = OBJECT_TYPES [V2_1..];
        attributes: Attributes = ATTRIBUTES;
        object_groups: Option<ObjectGroups> = OBJECT_GROUPS [V2_1..];
    }

    /// Asynchronous Correlation Values (KMIP 2.1 §7.1).
    #[derive(Eq, Debug)]
    AsynchronousCorrelationValues {
        asynchronous_correlation_values: Vec<Vec<u8>> = ASYNCHRONOUS_CORRELATION_VALUE;
    }

    /// Asynchronous Request (KMIP 2.1 §7.2).
    #[derive(Eq, Debug)]
    AsynchronousRequest {
        asynchronous_correlation_value: Vec<u8> = ASYNCHRONOUS_CORRELATION_VALUE;
        operation: Operation = OPERATION;
        submission_date: DateTimeExtended = SUBMISSION_DATE;
        processing_stage: ProcessingStage = PROCESSING_STAGE;
    }
}
