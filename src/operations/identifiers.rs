//! The identifiers that the items of a message give, for later items to mean (KMIP 2.1 §6.1, §4.58, §11.58).

use super::context::Context;
use crate::failure::{Failure, Fault};
use kmip_protocol::{Operation, UniqueIdentifier, UniqueIdentifierKind as Kind};

/// What items have given so far.
#[derive(Default)]
pub struct Identifiers {
    given: Vec<Given>,
    /// Whether the last of them is the current item's.
    is_open: bool,
    /// What the current item means by the names of operations. It is carried out for each of several.
    meant: Vec<(Kind, Vec<String>)>,
    /// For which of them it is carried out now.
    turn: usize,
    /// How often items were carried out once more.
    repeated: usize,
}

/// The identifiers in the answer to one item, in their order there.
struct Given {
    operation: Option<Operation>,
    identifiers: Vec<String>,
}

impl Identifiers {
    /// Begins an item: how many have given something before it.
    pub const fn begin(&mut self) -> usize {
        self.is_open = false;
        self.given.len()
    }

    /// Takes back what came after the first so many.
    pub fn truncate(&mut self, count: usize) {
        self.given.truncate(count);
        self.is_open = false;
    }

    /// Opens what the current item gives, which may be nothing: a Locate that finds nothing is the last one all the same.
    pub fn open(&mut self, operation: Option<Operation>) {
        if !core::mem::replace(&mut self.is_open, true) {
            self.given.push(Given {
                operation,
                identifiers: Vec::new(),
            });
        }
    }

    /// Those of the current item so far.
    fn current(&mut self) -> Option<&mut Vec<String>> {
        let last = self.given.last_mut().filter(|_| self.is_open);
        last.map(|given| &mut given.identifiers)
    }

    /// Takes back what the current item has given so far.
    pub fn forget(&mut self) {
        if let Some(current) = self.current() {
            current.clear();
        }
    }

    /// The one at a place, counted from the first, or backwards from the last.
    fn at(&self, place: i32) -> Option<String> {
        let mut all = self.given.iter().flat_map(|given| &given.identifiers);
        match usize::try_from(place) {
            Ok(place) => all.nth(place).cloned(),
            Err(_) => all
                .nth_back(usize::try_from(place.unsigned_abs()).ok()?.checked_sub(1)?)
                .cloned(),
        }
    }

    /// What the last item of the operation gave that the name stands for.
    fn of(&self, kind: Kind) -> Vec<String> {
        let Some((operation, place)) = named(kind) else {
            return Vec::new();
        };
        let mut from_last = self.given.iter().rev();
        let all = from_last.find(|given| given.operation == Some(operation));
        let all = all.map_or(&[][..], |given| &given.identifiers);
        match place {
            None => all.to_vec(),
            Some(place) => all.get(place).cloned().into_iter().collect(),
        }
    }

    /// The one of those that a name stands for whose turn it is: they are the same in each turn.
    fn meant(&mut self, kind: Kind) -> Option<String> {
        if !self.meant.iter().any(|(known, _)| *known == kind) {
            let found = self.of(kind);
            self.meant.push((kind, found));
        }
        let (_, all) = self.meant.iter().find(|(known, _)| *known == kind)?;
        all.get(self.turn).or(all.last()).cloned()
    }

    /// How often the current item is to be carried out.
    fn turns(&self) -> usize {
        self.meant.iter().map(|(_, all)| all.len()).max().unwrap_or_default()
    }

    /// Whether the item is to be carried out once more, for the next of several that it means (KMIP 2.1 §11.58).
    pub fn next_turn(&mut self) -> bool {
        self.turn = self.turn.saturating_add(1);
        let goes_on = self.turn < self.turns();
        if goes_on {
            self.repeated = self.repeated.saturating_add(1);
        } else {
            self.turn = 0;
            self.meant.clear();
        }
        goes_on
    }
}

/// The operation that a name stands for; of what gives two, the first or the second alone.
const fn named(kind: Kind) -> Option<(Operation, Option<usize>)> {
    Some(match kind {
        Kind::Certify => (Operation::Certify, None),
        Kind::Create => (Operation::Create, None),
        Kind::CreateKeyPair => (Operation::CreateKeyPair, None),
        Kind::CreateKeyPairPrivateKey => (Operation::CreateKeyPair, Some(0)),
        Kind::CreateKeyPairPublicKey => (Operation::CreateKeyPair, Some(1)),
        Kind::CreateSplitKey => (Operation::CreateSplitKey, None),
        Kind::DeriveKey => (Operation::DeriveKey, None),
        Kind::Import => (Operation::Import, None),
        Kind::JoinSplitKey => (Operation::JoinSplitKey, None),
        Kind::Locate => (Operation::Locate, None),
        Kind::Register => (Operation::Register, None),
        Kind::ReKey => (Operation::ReKey, None),
        Kind::ReCertify => (Operation::ReCertify, None),
        Kind::ReKeyKeyPair => (Operation::ReKeyKeyPair, None),
        Kind::ReKeyKeyPairPrivateKey => (Operation::ReKeyKeyPair, Some(0)),
        Kind::ReKeyKeyPairPublicKey => (Operation::ReKeyKeyPair, Some(1)),
        _ => return None,
    })
}

impl Context<'_> {
    /// The identifier that a request means: given, or taken from the ID Placeholder, or from an earlier item.
    ///
    /// # Errors
    /// [`Fault::ObjectNotFound`] if there is none; [`Fault::LimitExceeded`] if there are more than a message may have items.
    pub fn identifier(&mut self, given: Option<&UniqueIdentifier>) -> Result<String, Failure> {
        if let Some(UniqueIdentifier::Text(text)) = given {
            return Ok(text.clone());
        }
        self.refer()?;
        let found = match given {
            Some(UniqueIdentifier::Kind(kind)) if *kind != Kind::IDPlaceholder => {
                let identifiers = &mut self.batch.identifiers;
                let found = identifiers.meant(*kind);
                if identifiers.repeated.saturating_add(identifiers.turns()) > self.services.limits.batch_items {
                    // Once refused it is not tried for the others.
                    identifiers.meant.clear();
                    return Err(Fault::LimitExceeded.into());
                }
                found
            }
            Some(UniqueIdentifier::Position(place)) => self.batch.identifiers.at(*place),
            _ => self.batch.placeholder.clone(),
        };
        found.ok_or(Failure::new(Fault::ObjectNotFound))
    }

    /// The identifiers that one of several in a request means, where the operation takes as many as there are.
    ///
    /// # Errors
    /// Those of [`Context::identifier`].
    pub fn identifiers(&mut self, given: &UniqueIdentifier) -> Result<Vec<String>, Failure> {
        match given {
            UniqueIdentifier::Kind(kind) if *kind != Kind::IDPlaceholder => {
                self.refer()?;
                let found = self.batch.identifiers.of(*kind);
                let none = Failure::new(Fault::ObjectNotFound);
                if found.is_empty() { Err(none) } else { Ok(found) }
            }
            one => Ok(vec![self.identifier(Some(one))?]),
        }
    }

    /// An item refers to an earlier one, which must have been carried out by then.
    fn refer(&mut self) -> Result<(), Failure> {
        self.batch.used_placeholder = true;
        if self.batch.governed {
            self.batch.misplaced = true;
            return Err(Fault::MustStandAlone.into());
        }
        Ok(())
    }

    /// Gives an identifier to later items that mean it by its place or by the operation.
    pub fn tell(&mut self, unique_identifier: &str) {
        let operation = self.batch.operation;
        self.batch.identifiers.open(operation);
        if let Some(current) = self.batch.identifiers.current() {
            current.push(unique_identifier.to_owned());
        }
    }

    /// Makes an identifier the one that later items mean when they give none: what Create, Create Key Pair, Register, Derive Key, Re-key,
    /// Re-key Key Pair, Certify, Re-certify, Locate, Recover, Import, Export, Create Split Key and Join Split Key answer, and nothing else.
    pub fn place(&mut self, unique_identifier: &str) {
        self.batch.placeholder = Some(unique_identifier.to_owned());
        self.tell(unique_identifier);
    }
}
