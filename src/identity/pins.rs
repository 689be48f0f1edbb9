//! Which certificates are pinned, and by whom: kept as two dense ordered sets, since there may be one for each of a hundred thousand
//! clients and a handshake cannot wait for the store.

use super::client::{ClientId, ClientRecord, Credential};
use super::person::{PersonId, PersonRecord};
use crate::store::Domain;
use std::collections::BTreeSet;

/// SHA-256 of a certificate.
pub(super) type Fingerprint = [u8; 32];

/// Whose certificate is pinned.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Holder {
    Client(ClientId),
    Person(PersonId),
}

impl Holder {
    /// Before all others.
    const FIRST: Self = Self::Client(ClientId {
        tenant: Domain([0; 16]),
        client: [0; 16],
    });
    /// After all others.
    const LAST: Self = Self::Person(PersonId {
        domain: Domain([u8::MAX; 16]),
        person: [u8::MAX; 16],
    });
}

/// The pins. More than one holder of a certificate: nobody is recognised by it.
#[derive(Default)]
pub(super) struct Pins {
    by_certificate: BTreeSet<(Fingerprint, Holder)>,
    by_holder: BTreeSet<(Holder, Fingerprint)>,
}

impl Pins {
    /// Exactly these. Made of the whole list at once the sets have no room to spare.
    pub(super) fn of(list: Vec<(Fingerprint, Holder)>) -> Self {
        Self {
            by_holder: list.iter().map(|(pin, holder)| (*holder, *pin)).collect(),
            by_certificate: list.into_iter().collect(),
        }
    }

    /// Who has pinned this certificate.
    pub(super) fn holders_of(&self, certificate: &Fingerprint) -> impl Iterator<Item = Holder> {
        let range = (*certificate, Holder::FIRST)..=(*certificate, Holder::LAST);
        self.by_certificate.range(range).map(|(_, holder)| *holder)
    }

    /// The certificates that somebody has pinned, in order.
    pub(super) fn held_by(&self, holder: &Holder) -> impl Iterator<Item = Fingerprint> {
        let range = (*holder, [0; 32])..=(*holder, [u8::MAX; 32]);
        self.by_holder.range(range).map(|(_, pin)| *pin)
    }

    /// Pins these certificates for somebody, in place of those before.
    pub(super) fn replace(&mut self, holder: Holder, pins: &[Fingerprint]) {
        let before: Vec<Fingerprint> = self.held_by(&holder).collect();
        for pin in before {
            self.by_certificate.remove(&(pin, holder));
            self.by_holder.remove(&(holder, pin));
        }
        for pin in pins {
            self.by_certificate.insert((*pin, holder));
            self.by_holder.insert((holder, *pin));
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.by_certificate.len()
    }
}

/// The certificates that a client's record pins, in order, each once.
pub(super) fn pinned_by_client(record: Option<&ClientRecord>) -> Vec<Fingerprint> {
    let pins = record.into_iter().flat_map(|r| &r.credentials).filter_map(|c| match c {
        Credential::Pinned { certificate, .. } => Some(*certificate),
        _ => None,
    });
    ordered(pins)
}

/// The certificates of a person that may act, in order, each once.
pub(super) fn pinned_by_person(record: Option<&PersonRecord>) -> Vec<Fingerprint> {
    let admitted = record.filter(|record| record.is_admitted());
    let pins = admitted.into_iter().flat_map(PersonRecord::keys);
    ordered(pins.map(|key| certs::fingerprint(&key.certificate)))
}

fn ordered(pins: impl Iterator<Item = Fingerprint>) -> Vec<Fingerprint> {
    let mut pins: Vec<Fingerprint> = pins.collect();
    pins.sort_unstable();
    pins.dedup();
    pins
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(number: u8) -> Holder {
        Holder::Client(ClientId {
            tenant: Domain([number; 16]),
            client: [number; 16],
        })
    }

    #[test]
    fn each_way_leads_back() {
        let (a, b) = ([1; 32], [u8::MAX; 32]);
        let mut pins = Pins::of(vec![(a, client(1)), (a, Holder::LAST), (b, client(1))]);
        assert_eq!(pins.len(), 3);
        assert!(pins.holders_of(&a).eq([client(1), Holder::LAST]));
        assert!(pins.held_by(&client(1)).eq([a, b]));
        assert_eq!(pins.holders_of(&[2; 32]).count(), 0);
        pins.replace(client(1), &[b]);
        assert!(pins.holders_of(&a).eq([Holder::LAST]));
        pins.replace(Holder::LAST, &[]);
        pins.replace(Holder::FIRST, &[a]);
        assert!(pins.holders_of(&a).eq([Holder::FIRST]));
        assert!(pins.held_by(&Holder::LAST).next().is_none());
        assert_eq!((pins.len(), pins.by_holder.len()), (2, 2));
    }
}
