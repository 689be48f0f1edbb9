//! The attributes of one object: instances with an index each, and typed access to the single-valued ones.

use super::state::Dates;
use kmip_protocol::{Amount, Attribute, AttributeKind, AttributeReference, CryptographicAlgorithm, Name};

/// One instance of an attribute.
#[derive(Clone, PartialEq)]
pub struct Instance {
    /// The Attribute Index: it never changes when other instances come and go (KMIP 1.4 §2.1.1).
    pub index: i32,
    /// The attribute.
    pub attribute: Attribute,
}

/// All attributes that are kept of an object, in the order in which they came. Derived ones (State, Unique Identifier, Object
/// Type) are not among them.
#[derive(Clone, PartialEq, Default)]
pub struct AttributeSet(Vec<Instance>);

impl AttributeSet {
    /// Takes over instances as they were stored.
    #[must_use]
    pub const fn from_instances(instances: Vec<Instance>) -> Self {
        Self(instances)
    }

    /// Every instance.
    pub fn iter(&self) -> impl Iterator<Item = &Instance> {
        self.0.iter()
    }

    /// The instances of one attribute, in the order of their index.
    pub fn of<'a>(&'a self, reference: &'a AttributeReference) -> impl Iterator<Item = &'a Instance> {
        self.0.iter().filter(move |i| names(&i.attribute, reference))
    }

    /// The first instance of an attribute of the specification.
    #[must_use]
    pub fn first(&self, kind: AttributeKind) -> Option<&Attribute> {
        self.0.iter().map(|i| &i.attribute).find(|a| a.kind() == kind)
    }

    /// Whether there is an instance of an attribute of the specification.
    #[must_use]
    pub fn has(&self, kind: AttributeKind) -> bool {
        self.first(kind).is_some()
    }

    /// Adds an instance under the next free index, which is returned.
    pub fn add(&mut self, attribute: Attribute) -> i32 {
        let reference = attribute.reference();
        let index = self
            .of(&reference)
            .map(|i| i.index.saturating_add(1))
            .max()
            .unwrap_or(0);
        self.0.push(Instance { index, attribute });
        index
    }

    /// Adds an instance under an index of its own. Whether the index was free.
    pub fn insert(&mut self, index: i32, attribute: Attribute) -> bool {
        let reference = attribute.reference();
        let free = index >= 0 && self.of(&reference).all(|i| i.index != index);
        if free {
            self.0.push(Instance { index, attribute });
        }
        free
    }

    /// Gives a single-valued attribute its value, whether or not it had one.
    pub fn set(&mut self, attribute: Attribute) {
        let reference = attribute.reference();
        match self.0.iter_mut().find(|i| names(&i.attribute, &reference)) {
            Some(instance) => instance.attribute = attribute,
            None => self.0.push(Instance { index: 0, attribute }),
        }
    }

    /// Gives an attribute its value unless it has one.
    pub fn set_if_absent(&mut self, attribute: Attribute) {
        if self.of(&attribute.reference()).next().is_none() {
            self.set(attribute);
        }
    }

    /// Takes over others, which go before these where there is one value only; of attributes with several, the union (KMIP 2.1
    /// §6.1.9; KMIP 1.4 §4).
    pub fn lay_over(&mut self, other: &Self) {
        for Instance { attribute, .. } in other.iter() {
            if !is_multi(attribute.kind()) {
                self.set(attribute.clone());
            } else if !self.0.iter().any(|own| own.attribute == *attribute) {
                self.add(attribute.clone());
            }
        }
    }

    /// Changes one instance in place. Whether it was there.
    pub fn replace(&mut self, index: i32, attribute: Attribute) -> bool {
        let reference = attribute.reference();
        let found = self
            .0
            .iter_mut()
            .find(|i| i.index == index && names(&i.attribute, &reference));
        found.map(|instance| instance.attribute = attribute).is_some()
    }

    /// Removes one instance and returns it.
    pub fn remove(&mut self, reference: &AttributeReference, index: i32) -> Option<Instance> {
        let place = self
            .0
            .iter()
            .position(|i| i.index == index && names(&i.attribute, reference))?;
        Some(self.0.remove(place))
    }

    /// Removes all instances of an attribute of the specification.
    pub fn clear(&mut self, kind: AttributeKind) {
        self.0.retain(|i| i.attribute.kind() != kind);
    }

    /// The dates and facts that the state depends on.
    #[must_use]
    pub fn dates(&self) -> Dates {
        let mut dates = Dates::default();
        self.0.iter().for_each(|i| dates.note(&i.attribute));
        dates
    }

    /// The Names.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.0.iter().filter_map(|i| match &i.attribute {
            Attribute::Name(name) => Some(name),
            _ => None,
        })
    }

    /// The Object Groups.
    pub fn groups(&self) -> impl Iterator<Item = &str> + Clone {
        self.0.iter().filter_map(|i| match &i.attribute {
            Attribute::ObjectGroup(group) => Some(group.as_str()),
            _ => None,
        })
    }

    /// The namespaces of its Application Specific Information.
    pub fn namespaces(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|i| match &i.attribute {
            Attribute::ApplicationSpecificInformation(information) => Some(information.application_namespace.as_str()),
            _ => None,
        })
    }

    /// The Cryptographic Algorithm.
    #[must_use]
    pub fn algorithm(&self) -> Option<CryptographicAlgorithm> {
        match self.first(AttributeKind::CryptographicAlgorithm) {
            Some(Attribute::CryptographicAlgorithm(algorithm)) => Some(*algorithm),
            _ => None,
        }
    }

    /// The Cryptographic Length, in bits.
    #[must_use]
    pub fn length(&self) -> Option<i32> {
        match self.first(AttributeKind::CryptographicLength) {
            Some(Attribute::CryptographicLength(length)) => Some(*length),
            _ => None,
        }
    }

    /// A Boolean attribute, or what holds where it is not set.
    #[must_use]
    pub fn flag(&self, kind: AttributeKind, otherwise: bool) -> bool {
        self.first(kind).and_then(truth).unwrap_or(otherwise)
    }
}

/// The value of a Boolean attribute.
pub(super) const fn truth(attribute: &Attribute) -> Option<bool> {
    match attribute {
        Attribute::Sensitive(value)
        | Attribute::AlwaysSensitive(value)
        | Attribute::Extractable(value)
        | Attribute::NeverExtractable(value)
        | Attribute::Fresh(value)
        | Attribute::KeyValuePresent(value)
        | Attribute::QuantumSafe(value) => Some(*value),
        _ => None,
    }
}

/// Whether an attribute is the one referred to.
fn names(attribute: &Attribute, reference: &AttributeReference) -> bool {
    match (attribute, reference) {
        (Attribute::Vendor(vendor), AttributeReference::Vendor(name)) => vendor.name == *name,
        (Attribute::Vendor(_) | Attribute::Unknown(_) | Attribute::Valueless(_), _) => false,
        (known, AttributeReference::Known(kind)) => known.kind() == *kind,
        _ => false,
    }
}

/// Whether an object may have several instances of an attribute.
#[must_use]
pub fn is_multi(kind: AttributeKind) -> bool {
    kind.rules().amount == Amount::Many
}

#[cfg(test)]
mod tests {
    use super::*;
    use kmip_protocol::{DateTime, NameType};

    fn name(value: &str) -> Attribute {
        Attribute::Name(Name {
            name_value: value.into(),
            name_type: NameType::UninterpretedTextString,
        })
    }

    #[test]
    fn an_index_outlives_its_neighbours() {
        let mut set = AttributeSet::default();
        assert_eq!([set.add(name("a")), set.add(name("b")), set.add(name("c"))], [0, 1, 2]);
        let reference = AttributeReference::Known(AttributeKind::Name);
        assert!(set.remove(&reference, 1).is_some());
        assert!(set.remove(&reference, 1).is_none());
        let left: Vec<i32> = set.of(&reference).map(|i| i.index).collect();
        assert_eq!(left, [0, 2]);
        assert_eq!(set.add(name("d")), 3);
    }

    #[test]
    fn set_keeps_one_instance() {
        let mut set = AttributeSet::default();
        set.set(Attribute::ActivationDate(DateTime(1)));
        set.set(Attribute::ActivationDate(DateTime(2)));
        set.set_if_absent(Attribute::ActivationDate(DateTime(3)));
        assert_eq!(set.dates().activation, Some(2));
        assert_eq!(set.iter().count(), 1);
    }
}
