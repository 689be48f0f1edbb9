//! What a ticket was delegated for (KMIP 2.1 §7.34): operations, and the objects that they may be used on.

use super::record::Id;
use super::tag;
use kmip_protocol::{Operation, Right, Rights, UniqueIdentifier};
use kmip_ttlv::{Reader, Result, Writer};

/// Rights of one ticket, and operations, objects and groups of one right: more than anybody delegates.
pub const MOST_RIGHTS: usize = 64;

/// The rights of a ticket: what one of them permits is permitted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TicketRights(Vec<TicketRight>);

/// One right. What it does not list it does not confine.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct TicketRight {
    operations: Option<Vec<Operation>>,
    objects: Option<Vec<String>>,
    groups: Option<Vec<String>>,
}

/// Why rights cannot be delegated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RightsError {
    /// None, or too many of something.
    Count,
    /// An object named by something else than its Unique Identifier: a ticket outlives the batch.
    Object,
    /// Usage Limits.
    UsageLimits,
}

impl TicketRights {
    /// Takes over the rights of a request.
    ///
    /// # Errors
    /// See [`RightsError`].
    pub fn read(given: &Rights) -> core::result::Result<Self, RightsError> {
        if !(1..=MOST_RIGHTS).contains(&given.rights.len()) {
            return Err(RightsError::Count);
        }
        given
            .rights
            .iter()
            .map(TicketRight::read)
            .collect::<core::result::Result<_, _>>()
            .map(Self)
    }

    /// Whether an operation is permitted on some object at least.
    #[must_use]
    pub fn permit(&self, operation: Operation) -> bool {
        self.0.iter().any(|right| right.permits(operation))
    }

    /// Whether an operation is permitted without regard to objects: on all of them, and on none.
    #[must_use]
    pub fn permit_any(&self, operation: Operation) -> bool {
        let unconfined = |right: &&TicketRight| right.objects.is_none() && right.groups.is_none();
        self.0.iter().filter(unconfined).any(|right| right.permits(operation))
    }

    /// Whether an operation is permitted on an object of these groups.
    pub fn reach<'a>(
        &self,
        operation: Operation,
        unique_identifier: &str,
        groups: impl Iterator<Item = &'a str> + Clone,
    ) -> bool {
        self.0.iter().any(|right| {
            let listed = |name: &Vec<String>| name.iter().any(|own| own == unique_identifier);
            let grouped = |list: &Vec<String>| groups.clone().any(|group| list.iter().any(|own| own == group));
            right.permits(operation)
                && right.objects.as_ref().is_none_or(listed)
                && right.groups.as_ref().is_none_or(grouped)
        })
    }

    pub(super) fn write(&self, w: &mut Writer) {
        for TicketRight {
            operations,
            objects,
            groups,
        } in &self.0
        {
            w.structure(tag::RIGHT, |w| {
                if let Some(list) = operations {
                    w.structure(tag::OPERATIONS, |w| {
                        list.iter()
                            .for_each(|operation| w.enumeration(tag::OPERATION, operation.0));
                    });
                }
                for (tag, list) in [(tag::OBJECTS, objects), (tag::GROUPS, groups)] {
                    if let Some(list) = list {
                        w.structure(tag, |w| list.iter().for_each(|text| w.text(tag::NAME, text)));
                    }
                }
            });
        }
    }

    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Option<Self>> {
        let mut rights = Vec::new();
        while r.at(tag::RIGHT) {
            rights.push(r.structure(tag::RIGHT, TicketRight::decode)?);
        }
        Ok((!rights.is_empty()).then_some(Self(rights)))
    }
}

impl TicketRight {
    fn read(given: &Right) -> core::result::Result<Self, RightsError> {
        let Right {
            usage_limits,
            operations,
            objects,
            object_groups,
        } = given;
        if usage_limits.is_some() {
            return Err(RightsError::UsageLimits);
        }
        let text = |name: &UniqueIdentifier| match name {
            UniqueIdentifier::Text(text) => Ok(text.clone()),
            _ => Err(RightsError::Object),
        };
        let objects = objects
            .as_ref()
            .map(|list| list.unique_identifiers.iter().map(text).collect());
        let right = Self {
            operations: operations.as_ref().map(|list| list.operations.clone()),
            objects: objects.transpose()?,
            groups: object_groups.as_ref().map(|list| list.object_groups.clone()),
        };
        let lengths = [
            right.operations.as_ref().map(Vec::len),
            right.objects.as_ref().map(Vec::len),
            right.groups.as_ref().map(Vec::len),
        ];
        if lengths.into_iter().flatten().any(|length| length > MOST_RIGHTS) {
            return Err(RightsError::Count);
        }
        Ok(right)
    }

    fn permits(&self, operation: Operation) -> bool {
        self.operations.as_ref().is_none_or(|list| list.contains(&operation))
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self> {
        let operations = r.at(tag::OPERATIONS).then(|| {
            r.structure(tag::OPERATIONS, |r| {
                let mut list = Vec::new();
                while r.at(tag::OPERATION) {
                    list.push(Operation(r.enumeration(tag::OPERATION)?));
                }
                Ok(list)
            })
        });
        Ok(Self {
            operations: operations.transpose()?,
            objects: names(r, tag::OBJECTS)?,
            groups: names(r, tag::GROUPS)?,
        })
    }
}

fn names(r: &mut Reader<'_>, tag: kmip_ttlv::Tag) -> Result<Option<Vec<String>>> {
    let list = r.at(tag).then(|| {
        r.structure(tag, |r| {
            let mut list = Vec::new();
            while r.at(tag::NAME) {
                list.push(r.text(tag::NAME)?.to_owned());
            }
            Ok(list)
        })
    });
    list.transpose()
}

/// The ticket that a client has shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientTicket {
    /// Its record.
    pub id: Id,
    /// Which state of it was seen.
    pub seen: crate::store::Seen,
    /// What it was delegated for; everything that the client may do, if it was not.
    pub rights: Option<TicketRights>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use kmip_protocol::{ObjectGroups, Objects, Operations};

    fn right(operations: &[Operation], objects: Option<&[&str]>, groups: Option<&[&str]>) -> Right {
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        Right {
            usage_limits: None,
            operations: Some(Operations {
                operations: operations.to_vec(),
            }),
            objects: objects.map(|list| Objects {
                unique_identifiers: texts(list).into_iter().map(UniqueIdentifier::Text).collect(),
            }),
            object_groups: groups.map(|list| ObjectGroups {
                object_groups: texts(list),
            }),
        }
    }

    #[test]
    fn rights_add_up_and_each_confines_by_itself() {
        let rights = vec![
            right(&[Operation::Query], None, None),
            right(&[Operation::Get], Some(&["a"]), None),
            right(&[Operation::Encrypt], None, Some(&["g"])),
        ];
        let rights = TicketRights::read(&Rights { rights }).unwrap();
        let none = core::iter::empty::<&str>;
        assert!(rights.permit(Operation::Get) && !rights.permit(Operation::Destroy));
        assert!(rights.permit_any(Operation::Query) && !rights.permit_any(Operation::Get));
        assert!(!rights.permit_any(Operation::Encrypt));
        assert!(rights.reach(Operation::Get, "a", none()) && !rights.reach(Operation::Get, "b", none()));
        assert!(!rights.reach(Operation::Encrypt, "a", none()));
        assert!(rights.reach(Operation::Encrypt, "b", ["g"].into_iter()));
        let mut writer = Writer::new();
        writer.structure(tag::RECORD, |w| rights.write(w));
        let mut reader = Reader::new(writer.as_bytes());
        let read = reader.structure(tag::RECORD, TicketRights::decode).unwrap();
        assert_eq!(read, Some(rights));
    }

    #[test]
    fn what_cannot_be_kept_is_not_delegated() {
        let refused = |rights: Vec<Right>| TicketRights::read(&Rights { rights }).unwrap_err();
        assert_eq!(refused(vec![]), RightsError::Count);
        assert_eq!(
            refused(vec![right(&[], None, None); MOST_RIGHTS + 1]),
            RightsError::Count
        );
        assert_eq!(
            refused(vec![right(&[Operation::Get; MOST_RIGHTS + 1], None, None)]),
            RightsError::Count
        );
        let mut placed = right(&[], None, None);
        placed.objects = Some(Objects {
            unique_identifiers: vec![UniqueIdentifier::Position(0)],
        });
        assert_eq!(refused(vec![placed]), RightsError::Object);
    }
}
