//! What items of a batch produce for later ones (KMIP 2.1 §7.9, §11.13): data that a request does not give but refers to.

use super::context::Context;
use crate::failure::{Failure, Fault};
use kmip_protocol::{Data, DataKind, RequestItem, RequestPayload};
use kmip_ttlv::Secret;
use std::borrow::Cow;
use std::sync::Arc;

/// What the items of a message have produced so far.
#[derive(Default)]
pub struct Outputs {
    /// Whether an item refers to what another produces.
    is_wanted: bool,
    all: Vec<(DataKind, Arc<Secret>)>,
    bytes: usize,
}

impl Outputs {
    /// Those of a message with these items.
    #[must_use]
    pub fn of(items: &[RequestItem]) -> Self {
        Self {
            is_wanted: items.iter().filter_map(|item| item.payload.as_ref().ok()).any(refers),
            ..Self::default()
        }
    }

    /// How many there are.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.all.len()
    }

    /// Takes back what came after the first so many.
    pub fn truncate(&mut self, count: usize) {
        self.all.truncate(count);
        self.bytes = self
            .all
            .iter()
            .map(|(_, data)| data.len())
            .fold(0, usize::saturating_add);
    }

    /// What is referred to: the last that an operation produced, or the one at a place, counted from the first, or backwards from the
    /// last.
    fn get(&self, reference: &Data) -> Option<Arc<Secret>> {
        let found = match reference {
            Data::Bytes(_) => None,
            Data::Kind(kind) => self.all.iter().rev().find(|(produced, _)| produced == kind),
            Data::Position(place) => {
                let index = match usize::try_from(*place) {
                    Ok(index) => Some(index),
                    Err(_) => usize::try_from(place.unsigned_abs())
                        .ok()
                        .and_then(|back| self.all.len().checked_sub(back)),
                };
                index.and_then(|index| self.all.get(index))
            }
        };
        found.map(|(_, data)| Arc::clone(data))
    }
}

/// Whether a request's data is what another item produces.
fn refers(payload: &RequestPayload) -> bool {
    let data = match payload {
        RequestPayload::Encrypt(request) => request.data.as_ref(),
        RequestPayload::Decrypt(request) => request.data.as_ref(),
        RequestPayload::Sign(request) => request.data.as_ref(),
        RequestPayload::SignatureVerify(request) => request.data.as_ref(),
        RequestPayload::MAC(request) => request.data.as_ref(),
        RequestPayload::MACVerify(request) => request.data.as_ref(),
        RequestPayload::Hash(request) => request.data.as_ref(),
        RequestPayload::RNGSeed(request) => Some(&request.data),
        _ => None,
    };
    data.is_some_and(|data| data.bytes().is_none())
}

impl Context<'_> {
    /// The data that a request gives, or refers to.
    ///
    /// # Errors
    /// [`Fault::InvalidField`] if no earlier item has produced it; [`Fault::MustStandAlone`] if one would have that others must agree to.
    pub fn data<'d>(&mut self, given: &'d Data) -> Result<Cow<'d, Secret>, Failure> {
        if let Some(bytes) = given.bytes() {
            return Ok(Cow::Borrowed(bytes));
        }
        self.batch.used_placeholder = true;
        if self.batch.governed {
            self.batch.misplaced = true;
            return Err(Fault::MustStandAlone.into());
        }
        let found = self.batch.outputs.get(given);
        let found = found.ok_or(Failure::detailed(
            Fault::InvalidField,
            "no earlier item produced this data",
        ))?;
        Ok(Cow::Owned(found.as_ref().clone()))
    }

    /// Hands on to later items what this one produced, if it did.
    ///
    /// # Errors
    /// [`Fault::LimitExceeded`] if the items have produced more than an answer may be long.
    pub fn produce(&mut self, kind: DataKind, data: Option<&[u8]>) -> Result<(), Failure> {
        let most = self.services.limits.response_bytes;
        let outputs = &mut self.batch.outputs;
        let Some(data) = data.filter(|_| outputs.is_wanted) else {
            return Ok(());
        };
        outputs.bytes = outputs.bytes.saturating_add(data.len());
        if outputs.bytes > most {
            return Err(Fault::LimitExceeded.into());
        }
        outputs.all.push((kind, Arc::new(Secret::copy_from(data))));
        Ok(())
    }
}
