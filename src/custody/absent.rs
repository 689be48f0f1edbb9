//! An HSM-Profile that cannot be put to work here: its module is not in the settings, or its PIN does not open. Whatever lies there is
//! away, and everything else goes on.

use std::sync::Arc;

use super::context::WrapContext;
use super::error::CustodyError;
use super::probe::Capabilities;
use super::record::{KekRecord, Placement};
use super::sealer::{KekProvider, NewKek, PairName, PairProvider, Sealer, SealerKind, Sealing};
use super::slab::Locked;
use crate::wait::{Wait, ready};

/// Keeps nothing, and answers nothing but that it is away.
#[derive(Clone, Copy)]
pub(super) struct AbsentKeks;

fn away<'a, T: Send + 'a>() -> Wait<'a, Result<T, CustodyError>> {
    ready(Err(CustodyError::Unavailable))
}

impl KekProvider for AbsentKeks {
    fn kind(&self) -> SealerKind {
        SealerKind::Resident
    }

    fn create<'a>(&'a self, _: &'a NewKek, _: Option<&'a Locked>) -> Wait<'a, Result<Placement, CustodyError>> {
        away()
    }

    fn find<'a>(&'a self, _: &'a NewKek) -> Wait<'a, Result<Placement, CustodyError>> {
        away()
    }

    fn destroy<'a>(&'a self, _: &'a KekRecord, _: Option<&'a Locked>) -> Wait<'a, Result<(), CustodyError>> {
        away()
    }

    fn sealer(&self, _: &KekRecord) -> Result<Arc<dyn Sealer>, CustodyError> {
        Ok(Arc::new(*self))
    }

    fn examine<'a>(&'a self, _: Option<&'a Locked>) -> Wait<'a, Result<Capabilities, CustodyError>> {
        away()
    }

    fn health(&self) -> Wait<'_, Result<(), CustodyError>> {
        away()
    }

    fn pairs(&self) -> Option<&dyn PairProvider> {
        Some(self)
    }
}

impl PairProvider for AbsentKeks {
    fn make<'a>(&'a self, _: &'a PairName, _: Option<&'a Locked>) -> Wait<'a, Result<Vec<u8>, CustodyError>> {
        away()
    }

    fn find<'a>(&'a self, _: &'a PairName) -> Wait<'a, Result<Vec<u8>, CustodyError>> {
        away()
    }

    fn destroy<'a>(&'a self, _: &'a PairName, _: Option<&'a Locked>) -> Wait<'a, Result<(), CustodyError>> {
        away()
    }

    fn open<'a>(&'a self, _: &'a PairName, _: Sealing<'a>) -> Wait<'a, Result<Locked, CustodyError>> {
        away()
    }
}

impl Sealer for AbsentKeks {
    fn kind(&self) -> SealerKind {
        SealerKind::Resident
    }

    fn wrap<'a>(&'a self, _: WrapContext, _: &'a Locked) -> Wait<'a, Result<Vec<u8>, CustodyError>> {
        away()
    }

    fn unwrap<'a>(&'a self, _: WrapContext, _: &'a [u8]) -> Wait<'a, Result<Locked, CustodyError>> {
        away()
    }

    fn health(&self) -> Wait<'_, Result<(), CustodyError>> {
        away()
    }
}
